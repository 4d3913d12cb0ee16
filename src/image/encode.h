// SPDX-License-Identifier: Apache-2.0
// Pixels as PNG, JPEG or WebP bytes; a thumbnail of any picture file, for reports.
#ifndef IMAGE_ENCODE_H
#define IMAGE_ENCODE_H

#include "base/buf.h"
#include "image/exif.h"
#include "image/image.h"

int image_png(struct buf *out, const struct image *im);                // appends; EMEMORY_
int image_jpeg(struct buf *out, const struct image *im, int quality);  // 1 .. 100

// "jpeg", "webp" (quality 1 .. 100) or "png" (1 .. 9: zlib's level); EXIF and colour profile go in as they are. Appends.
// EUNSUPPORTED_: more pixels a side than the format has (65,500; 16,383; 2^31 - 1). EMEMORY_.
int image_encode(struct buf *out, const struct image *im, const char *format, int quality, const struct image_meta *meta);

// Decode, shrink so that the longer side is at most `side` (never enlarge), encode. Appends; *mime is "image/png" or
// "image/jpeg", whichever came out smaller. Failures as image_decode.
int image_thumbnail(struct buf *out, const char **mime, const void *bytes, size_t n, int side);

#endif
