// SPDX-License-Identifier: Apache-2.0
// A block of a product: HEIGHT x PANEL sums stay in registers while k runs from end to end, b streams from its packed
// panels, a is read a word of 4 bytes at a time: one float, two bfloat16, four bytes. The file that includes this says
//   sums                                              a vector of sums
//   add_product(sums *sum, vf a, vf b)                *sum += a . b, word by word
//   in_units(vf out[2], const sums sum[2], const struct product *, const float *panel, int64_t row)    as floats
// The tail of a linear map is applied before the entries leave.
#ifndef KERNEL_SIMD_BLOCK_H
#define KERNEL_SIMD_BLOCK_H

#include "kernel/simd_leave.h"

enum { AHEAD = 8, STEPS = 4 };   // steps of k by which b is asked for before it is used; steps a turn of the loop
enum { SOON = STEPS * PANEL / 16 };   // lines of b a turn uses

struct soon {
    const float *at;
    int64_t lines;             // a turn
};

// `height` rows by one panel, k words long. a_row, a_k: HEIGHT packed rows are 1 and HEIGHT apart, rows as they lie a_row
// and 1. soon: what of b the second-level cache should hold soon.
ALWAYS void block(const struct product *p, int64_t k, const float *a, int64_t a_row, int64_t a_k, const float *panel, struct soon soon,
                  int64_t row, int64_t column, const int height)
{
    enum { GROUP = 3, GROUPS = (HEIGHT + GROUP - 1) / GROUP };
    sums sum[HEIGHT][2];
    const float *at[GROUPS], *b = panel;   // every third row; its neighbours are one and two strides off, which an address can say
UNROLL
    for (int g = 0; g < GROUPS; g++)
        at[g] = a + least(g * GROUP, height - 1) * a_row;
UNROLL
    for (int r = 0; r < height; r++)
        sum[r][0] = sum[r][1] = (sums){0};
    // c is asked for a row a turn: all at once, what its lines wait for would hold up a and b
    const float *c = (const float *)p->c + row * p->c_row + column, *last = c + (height - 1) * p->c_row;
    int64_t l = 0;
    for (; l + STEPS <= k; l += STEPS) {   // several steps an address: what adds takes from the multipliers' ports
        __builtin_prefetch(c, 1);
        __builtin_prefetch(c + PANEL - 1, 1);
        c = c < last ? c + p->c_row : c;
        for (int64_t i = 0; i < soon.lines; i++, soon.at += 16)
            __builtin_prefetch(soon.at, 0, 2);
UNROLL
        for (int u = 0; u < STEPS; u++) {
            for (int j = 0; j < PANEL; j += 16)
                __builtin_prefetch(b + (u + AHEAD) * PANEL + j);
            vf b0 = v_load(b + u * PANEL), b1 = v_load(b + u * PANEL + VL);
UNROLL
            for (int r = 0; r < height; r++) {
                vf x = v_all(at[r / GROUP][r % GROUP * a_row + u * a_k]);
                add_product(&sum[r][0], x, b0);
                add_product(&sum[r][1], x, b1);
            }
        }
        b += STEPS * PANEL;
UNROLL
        for (int g = 0; g < GROUPS; g++) {
            at[g] += STEPS * a_k;
            __asm__("" : "+r"(at[g]));   // or the compiler wants a register a row, has too few, and spills
        }
        __asm__("" : "+r"(b));
    }
    for (; l < k; l++) {
        vf b0 = v_load(b), b1 = v_load(b + VL);
UNROLL
        for (int r = 0; r < height; r++) {
            vf x = v_all(at[r / GROUP][r % GROUP * a_row]);
            add_product(&sum[r][0], x, b0);
            add_product(&sum[r][1], x, b1);
        }
        b += PANEL;
UNROLL
        for (int g = 0; g < GROUPS; g++) {
            at[g] += a_k;
            __asm__("" : "+r"(at[g]));
        }
    }
    vf out[HEIGHT][2];
UNROLL
    for (int r = 0; r < height; r++)
        in_units(out[r], sum[r], p, panel, row + r);
    leave_block(p, (const vf (*)[2])out, row, column, height);
}

typedef void block_fn(const struct product *p, int64_t k, const float *a, int64_t a_row, const float *panel, struct soon soon,
                      int64_t row, int64_t column);

// fn(h) for every height of a block.
#ifdef __AVX512F__
#define HEIGHTS(fn) fn(1) fn(2) fn(3) fn(4) fn(5) fn(6) fn(7) fn(8) fn(9) fn(10) fn(11) fn(12) fn(13) fn(14)
#else
#define HEIGHTS(fn) fn(1) fn(2) fn(3) fn(4) fn(5) fn(6)
#endif

#define LYING(h) \
    static void lying_##h(const struct product *p, int64_t k, const float *a, int64_t a_row, const float *panel, struct soon soon, \
                          int64_t row, int64_t column) \
    { block(p, k, a, a_row, 1, panel, soon, row, column, h); }
#define NAME_LYING(h) lying_##h,
HEIGHTS(LYING)
static block_fn *const lying[HEIGHT + 1] = {NULL, HEIGHTS(NAME_LYING)};

// All blocks of a product: panels of b `panel` words apart, the next brought nearer while one is used. Rows that lie are
// cut evenly, 50 into 13, 13, 12, 12: a low block at the end would leave the multipliers waiting for each other. Packed
// ones come in blocks of HEIGHT.
ALWAYS void blocks(const struct product *p, block_fn *const fn[HEIGHT + 1], int64_t k, const float *a, int64_t a_row, int64_t panel,
                   const bool even)
{
    int64_t cuts = pieces_of(p->m, HEIGHT);
    if (cuts == 0)
        return;
    int64_t low = even ? p->m / cuts : HEIGHT, high = even ? p->m % cuts : 0;
    // the next panel in even shares, so that no row block waits for more than its own; a few turn to what is there already
    struct soon soon = {.lines = least(SOON / 2, pieces_of(SOON, cuts))};
    int64_t part = k / STEPS * soon.lines * 16, parts = pieces_of(SOON, soon.lines);
    const float *b = p->packed;
    for (int64_t column = 0; column < p->n; column += PANEL, b += panel) {
        const float *next = column + PANEL < p->n ? b + panel : p->packed_next ? p->packed_next : b;
        for (int64_t i = 0, row = 0, rows; i < cuts; i++, row += rows) {
            rows = least(low + (i < high), p->m - row);
            soon.at = next + least(i, parts - 1) * part;
            fn[rows](p, k, a + row * a_row, a_row, b, soon, row, column);
        }
    }
}

#endif
