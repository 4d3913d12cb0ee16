// SPDX-License-Identifier: Apache-2.0
// Boxes to text: each box cut out level and 48 pixels high, the recogniser's probabilities to characters (greedy CTC).
#ifndef SPOT_READ_H
#define SPOT_READ_H

#include "base/buf.h"
#include "image/image.h"
#include "spot/boxes.h"
#include "spot/lines.h"
#include "spot/net.h"
#include "spot/ort.h"

// The recogniser's characters: class 0 is the blank, 1 .. n the file's lines, n + 1 the space.
struct dictionary {
    struct buf text;
    int *start;     // n + 1 offsets into text, each line ending before its line break
    int n;
};
int dictionary_open(struct dictionary *d, const char *path);   // EMISSING_, EFORMAT_
void dictionary_close(struct dictionary *d);

enum { STRIP_HEIGHT = 48, STRIP_MOST = 3200 };   // pixels; wider lines are squeezed

// Width of the strip a box becomes, and whether it is turned: lines much taller than wide are read upwards.
int strip_width(const struct box *b, int *turned);
// The box as a strip of so many columns in the recogniser's colours, blue first, -1 .. 1: pixels NET_STEP floats apart, rows
// `row`.
void strip_cut(const struct box *b, int turned, const struct image *im, int width, float *out, int64_t row);

// Probabilities [steps, classes] to text, appended to `out`; the mean probability of what was kept, 0 without text.
double ctc_read(struct buf *out, const struct dictionary *d, const float *p, int64_t steps, int64_t classes);

struct reader;   // memory of one worker
struct reader *reader_new(void);
void reader_free(struct reader *r);
// The text of every box that has one, added to `out` in the boxes' order. EMEMORY_, EIO_, EFORMAT_.
// `eyes`: strips to features, columns an eighth as many; `net`: features of strips to probabilities.
int reader_run(struct reader *r, const struct net *eyes, const struct ort_net *net, const struct dictionary *d,
               const struct image *im, const struct box *box, int n, struct spot_lines *out);

#endif
