// SPDX-License-Identifier: Apache-2.0
// One reader a file format; image.c picks by the first bytes.
#ifndef IMAGE_FORMATS_H
#define IMAGE_FORMATS_H

#include "image/image.h"

int png_read(struct image *out, const unsigned char *bytes, size_t n, int64_t max_pixels);
int jpeg_read(struct image *out, const unsigned char *bytes, size_t n, int64_t max_pixels);

// Check the header's size against the cap and take the memory: EFORMAT_, EUNSUPPORTED_, EMEMORY_.
int image_take(struct image *out, int64_t width, int64_t height, int64_t max_pixels);

#endif
