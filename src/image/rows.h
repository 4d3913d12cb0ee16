// SPDX-License-Identifier: Apache-2.0
// The loops over pixels that decoding aside take the time, as a table: plain C is the specification, every other table
// gives the same bits. (The rooms below have no kernels: this is the image room's own.)
#ifndef IMAGE_ROWS_H
#define IMAGE_ROWS_H

#include <stdbool.h>
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
    void *packed;      // a table's own form of the weights, made by `pack`, owned; NULL: none
    int groups;        // steps a place in that form
};

// Where the loads of a place start that takes 4 pixels a load of 16 bytes. The 4 bytes too many lie behind the pixels, or
// before them (`back`) where behind them would be past the row: nothing outside a row is read.
struct place {
    int at;       // first byte
    bool back;
};

// Place i of t, whose loads take `reach` pixels, of an axis of at least reach + 4. Near the end they start `*early`
// pixels before the first tap.
static inline struct place place_of(const struct taps *t, int i, int reach, int *early)
{
    int start = t->first[i] <= t->in - reach ? t->first[i] : t->in - reach;
    bool back = start + reach + 2 > t->in;
    *early = t->first[i] - start;
    return (struct place){3 * start - (back ? 4 : 0), back};
}

// Four rows from y on, in and out; at the end of `rows` the last one stands in for what is not there.
static inline void rows_at(const unsigned char *in, size_t stride, unsigned char *out, size_t out_stride, int y, int rows,
                           const unsigned char *p[4], unsigned char *q[4])
{
    for (int k = 0; k < 4; k++) {
        size_t row = (size_t)(y + k < rows ? y + k : rows - 1);
        p[k] = in + row * stride;
        q[k] = out + row * out_stride;
    }
}

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

extern const struct row_table rows_ref, rows_avx2, rows_avx512;
const struct row_table *rows_best(void);   // the best this CPU has and $DIHT_ISA allows

#endif
