// SPDX-License-Identifier: Apache-2.0
// Small pictures for reports: a thumbnail of any picture file as PNG or JPEG bytes.
#ifndef IMAGE_ENCODE_H
#define IMAGE_ENCODE_H

#include "base/buf.h"
#include "image/image.h"

int image_png(struct buf *out, const struct image *im);                // appends; EMEMORY_
int image_jpeg(struct buf *out, const struct image *im, int quality);  // 1 .. 100

// Decode, shrink so that the longer side is at most `side` (never enlarge), encode. Appends; *mime is "image/png" or
// "image/jpeg", whichever came out smaller. Failures as image_decode.
int image_thumbnail(struct buf *out, const char **mime, const void *bytes, size_t n, int side);

#endif
