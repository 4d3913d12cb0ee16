// SPDX-License-Identifier: Apache-2.0
// Pillow's 8-bit resampler, bit for bit: two passes, weights rounded to 22 bits, an 8-bit picture between them.
#ifndef IMAGE_RESAMPLE_H
#define IMAGE_RESAMPLE_H

#include <stddef.h>

enum image_filter { FILTER_BICUBIC, FILTER_BILINEAR };   // Keys a = -0.5, triangle; both widened when shrinking

struct region {                  // a part of someone's picture
    const unsigned char *rgb;  // first pixel
    int width, height;
    size_t stride;             // bytes a row
};

// Resize `src` to width x height and write only the window [x, x + w) x [y, y + h) of the result.
// EMEMORY_; sizes must be positive and the window inside (asserted).
int image_resample(const struct region *src, int width, int height, enum image_filter filter,
                   int x, int y, int w, int h, unsigned char *out /* h x w x 3 */);

#endif
