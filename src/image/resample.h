// SPDX-License-Identifier: Apache-2.0
// Pillow's 8-bit resampler, bit for bit: two passes, weights rounded to 22 bits, an 8-bit picture between them.
#ifndef IMAGE_RESAMPLE_H
#define IMAGE_RESAMPLE_H

#include <stddef.h>

#include "image/image.h"
#include "image/rows.h"

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

// The same in steps, for a source that comes row by row. Set filter, the sizes and the window (of the result), then open,
// give it the rows of `need` in order.
struct resampler {
    enum image_filter filter;
    int from_width, from_height, width, height;
    struct rect window;
    unsigned char *out;         // window.h x window.w x 3
    struct rect need;         // out: what the window needs of the source
    const struct row_table *table;
    struct taps tx, ty;         // n = 0: that axis keeps its size
    unsigned char *middle;      // rows of window.w pixels that the next rows of the result still need
    int first, held, room;      // of those rows: number (in need), how many, most
    int made;                   // rows of the result
};
int resampler_open(struct resampler *r);   // EMEMORY_
// Rows y .. y + n - 1 of the source, from column need.x on. With the last of them the window is complete.
void resampler_rows(struct resampler *r, const unsigned char *rgb, size_t stride, int y, int n);
void resampler_close(struct resampler *r);   // accepts a zeroed one, and one that did not open

#endif
