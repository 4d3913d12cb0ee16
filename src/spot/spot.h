// SPDX-License-Identifier: Apache-2.0
// Text in pictures: lines with their confidence and place. One engine (PP-OCRv4 mobile on ONNX Runtime, loaded when
// asked for) behind a contract that another could fill; what other spotters found is read from their files (lines.h).
#ifndef SPOT_SPOT_H
#define SPOT_SPOT_H

#include "image/image.h"
#include "spot/lines.h"

struct spotter;

struct spot_options {
    const char *models;   // folder of the library, both networks and the dictionary (NULL: spot_folder)
    // Longer side that the detector sees, pixels, 32 .. 4096: larger pictures are shrunk to it. Where it finds something in
    // one that was shrunk it looks once more, at twice the pixels: where there is some text there may be smaller text.
    int side;
    int threads;          // pictures at once, a thread each (0: one a processor)
};
void spot_defaults(struct spot_options *o);   // side 960

// Where the library and the models are looked for: $DIHT_SPOT_MODELS, else diht/spot in the user's data folder. A fresh
// string, NULL: out of memory.
char *spot_folder(void);

// Load library and networks. EMISSING_: something is not there, the sentence says how to get it; EFORMAT_: a file is not
// what it should be; EUNSUPPORTED_: the library is not one this program knows; EUSAGE_: side or threads. On failure *out
// is NULL.
int spot_open(struct spotter **out, const struct spot_options *o);
void spot_close(struct spotter *s);           // accepts NULL
int spot_threads(const struct spotter *s);    // workers: as asked for, or found

// The text lines of a picture, from the top, then from the left. Up to `threads` pictures at once, each from its own
// `worker` (0 .. threads-1), which works alone: no further threads are started. What *out held is freed, what it holds
// then is the caller's (spot_lines_free); empty after a failure. EMEMORY_, EIO_ (the library failed; its sentence).
int spot_picture(struct spotter *s, int worker, const struct image *im, struct spot_lines *out);

#endif
