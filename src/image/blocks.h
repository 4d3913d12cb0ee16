// SPDX-License-Identifier: Apache-2.0
// What a baseline JPEG's coefficients become: samples, samples at full size, colours. The numbers are libjpeg-turbo's own
// (slow integer transform, "fancy" upsampling), so Pillow's. For processors with AVX2.
#ifndef IMAGE_BLOCKS_H
#define IMAGE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

enum {
    WILD = 8192,        // no honest file's numbers get as large; from here on libjpeg's 16-bit sums may wrap around
    ROW_SLACK = 64,     // bytes behind a row of samples that may be read and written
};

// The inverse transform of 8x8 dequantised coefficients (row by row, each less than WILD, 16-byte aligned), level shift and clamp.
// `last`: place in zigzag order of the last one that is not zero. Returns not 0 where a number on the way reached WILD:
// the samples are then not to be trusted.
uint32_t block_samples(const int16_t *coefficients, int last, unsigned char *to, size_t stride);

// A row of n samples twice as wide: weights 3/4 and 1/4 of the nearest and the next. `near` is the row above or below
// that lies nearer to the result, weighted the same way, or NULL where rows are not doubled. `sums`: room for n + 64.
void row_twice_wide(const unsigned char *row, const unsigned char *near, int n, uint16_t *sums, unsigned char *to);

// A row of n pixels from luminance and chroma, BT.601 of the whole range.
void row_colours(const unsigned char *y, const unsigned char *cb, const unsigned char *cr, int n, unsigned char *rgb);

#endif
