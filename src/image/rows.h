// SPDX-License-Identifier: Apache-2.0
// The loops over pixels that decoding aside take the time, as a table: plain C is the specification, every other table
// gives the same bits. (The rooms below have no kernels: this is the image room's own.)
#ifndef IMAGE_ROWS_H
#define IMAGE_ROWS_H

#include <stddef.h>
#include <stdint.h>

enum { WEIGHT_BITS = 22 };   // of a tap's weight behind the point, as in Pillow

// What each of n output places is made of.
struct taps {
    int n, in;         // places out and in
    int most;          // weights a place
    int *first;        // [n] first input place
    int *count;        // [n]
    int32_t *weight;   // [n, most]
    void *scratch;     // where first, count and weight lie; owned
    int16_t *packed;   // a table's own form of the weights, made by `pack`, owned; NULL: none
    int *start;        // [n] first place that form reads
    int groups;
};

struct row_table {
    const char *isa;
    // The own form of t's weights, where the table has one and the axis is long enough.
    // Without it `across` is slower, no more.
    void (*pack)(struct taps *t);
    // `rows` rows of t->n pixels from rows of t->in pixels of RGB.
    void (*across)(const struct taps *t, const unsigned char *in, size_t stride, unsigned char *out, size_t out_stride,
                   int rows);
    // One row of `bytes` from `count` rows.
    void (*down)(const int32_t *weight, int count, const unsigned char *in, size_t stride, unsigned char *out,
                 size_t bytes);
    // out[c, i] = (rgb[i, c] / 255 - mean[c]) / std[c], rounded to float after each step.
    void (*normalise)(const unsigned char *rgb /* n x 3 */, float *out /* 3 x n */, size_t n, const float mean[3],
                      const float std[3]);
};

extern const struct row_table rows_ref, rows_avx2;
const struct row_table *rows_best(void);   // what this CPU has; $DIHT_ISA=ref: the plain one

#endif
