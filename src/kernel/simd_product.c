// SPDX-License-Identifier: Apache-2.0
// Matrix products from registers: HEIGHT x PANEL entries of c stay in accumulators while k runs from end to end, b streams
// from its packed panels, a is read a scalar at a time. The tail of a linear map is applied before the entries leave.
#include "kernel/simd_leave.h"

enum { AHEAD = 8, STEPS = 4 };   // steps of k by which b is asked for before it is used; steps a turn of the loop

void NAMED(pack)(void *to_, const void *b_, int64_t b_k, int64_t b_col, int64_t k, int64_t n)
{
    float *to = to_;
    const float *b = b_;
    for (int64_t l0 = 0; l0 < k; l0 += VL)   // a few of k for all panels: what lies side by side is read together
        for (int64_t from = 0, l1 = least(k, l0 + VL); from < n; from += PANEL) {
            float *panel = to + from * k;
            for (int64_t c = 0; c < PANEL; c += VL) {
                int64_t columns = n - from - c;
                const float *at = b + (from + c) * b_col;
                if (b_col == 1) {
                    for (int64_t l = l0; l < l1; l++)
                        v_store(panel + l * PANEL + c, v_load_n(at + l * b_k, columns > 0 ? columns : 0));
                } else if (b_k == 1) {
                    vf square[VL];
                    v_square(square, at + l0, b_col, columns, l1 - l0);
                    for (int64_t l = l0; l < l1; l++)
                        v_store(panel + l * PANEL + c, square[l - l0]);
                } else {
                    for (int64_t l = l0; l < l1; l++)
                        for (int64_t i = 0; i < VL; i++)
                            panel[l * PANEL + c + i] = i < columns ? at[l * b_k + i * b_col] : 0;
                }
            }
        }
}

void NAMED(pack_rows)(void *to_, struct quant *quant, const void *a_, int64_t a_row, int64_t a_k, int64_t m, int64_t k)
{
    float *to = to_;
    const float *a = a_;
    for (int64_t l0 = 0; l0 < k; l0 += VL)
        for (int64_t from = 0, l1 = least(k, l0 + VL); from < m; from += HEIGHT) {
            int64_t rows = least(HEIGHT, m - from);
            float *panel = to + from * k;
            const float *at = a + from * a_row;
            if (a_row == 1) {
                for (int64_t l = l0; l < l1; l++)
                    v_store_n(panel + l * HEIGHT, v_load_n(at + l * a_k, rows), HEIGHT);
            } else if (a_k == 1) {
                vf square[VL];
                v_square(square, at + l0, a_row, rows, l1 - l0);
                for (int64_t l = l0; l < l1; l++)
                    v_store_n(panel + l * HEIGHT, square[l - l0], HEIGHT);
            } else {
                for (int64_t l = l0; l < l1; l++)
                    for (int64_t r = 0; r < HEIGHT; r++)
                        panel[l * HEIGHT + r] = r < rows ? at[r * a_row + l * a_k] : 0;
            }
        }
}

// *sum += a b, in this form and this order: left to themselves compilers move sums between registers, and spill.
ALWAYS void v_add_product(vf *sum, vf a, vf b)
{
#ifdef __AVX512F__
    __asm__ volatile("vfmadd231ps %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b));
#else
    __asm__ volatile("vfmadd231ps %2, %1, %0" : "+x"(*sum) : "x"(a), "x"(b));
#endif
}

// `height` rows by one panel. a_row, a_k: HEIGHT packed rows are 1 and HEIGHT apart, rows as they lie a_row and 1.
// next: what of b the second-level cache should hold soon, a line for each step of k.
ALWAYS void block(const struct product *p, const float *a, int64_t a_row, int64_t a_k, const float *b, const float *next, int64_t row,
                  int64_t column, const int height)
{
    enum { GROUP = 3, GROUPS = (HEIGHT + GROUP - 1) / GROUP };
    vf sum[HEIGHT][2];
    const float *at[GROUPS];   // every third row; its neighbours are one and two strides off, which an address can say
    int64_t k = p->k;
#pragma GCC unroll 16
    for (int g = 0; g * GROUP < height; g++)
        at[g] = a + g * GROUP * a_row;
#pragma GCC unroll 16
    for (int r = 0; r < height; r++) {
        sum[r][0] = sum[r][1] = v_all(0);
        for (int c = 0; c < PANEL; c += PANEL - 1)
            __builtin_prefetch((float *)p->c + (row + r) * p->c_row + column + c, 1);
    }
    int64_t l = 0;
    for (; l + STEPS <= k; l += STEPS) {   // several steps an address: what adds takes from the multipliers' ports
#pragma GCC unroll 8
        for (int u = 0; u < STEPS; u++) {
            __builtin_prefetch(next + u * 16, 0, 2);
            for (int c = 0; c < PANEL; c += 16)
                __builtin_prefetch(b + (u + AHEAD) * PANEL + c);
            vf b0 = v_load(b + u * PANEL), b1 = v_load(b + u * PANEL + VL);
#pragma GCC unroll 16
            for (int r = 0; r < height; r++) {
                vf x = v_all(at[r / GROUP][r % GROUP * a_row + u * a_k]);
                v_add_product(&sum[r][0], x, b0);
                v_add_product(&sum[r][1], x, b1);
            }
        }
        b += STEPS * PANEL;
        next += STEPS * 16;
#pragma GCC unroll 16
        for (int g = 0; g * GROUP < height; g++) {
            at[g] += STEPS * a_k;
            __asm__("" : "+r"(at[g]));   // or the compiler wants a register a row, has too few, and spills
        }
        __asm__("" : "+r"(b), "+r"(next));
    }
    for (; l < k; l++) {
        vf b0 = v_load(b), b1 = v_load(b + VL);
#pragma GCC unroll 16
        for (int r = 0; r < height; r++) {
            vf x = v_all(at[r / GROUP][r % GROUP * a_row]);
            v_add_product(&sum[r][0], x, b0);
            v_add_product(&sum[r][1], x, b1);
        }
        b += PANEL;
#pragma GCC unroll 16
        for (int g = 0; g * GROUP < height; g++) {
            at[g] += a_k;
            __asm__("" : "+r"(at[g]));
        }
    }
    const float *more;
    if (only_sums(p, &more) && p->n - column >= PANEL) {
        float *c = (float *)p->c + row * p->c_row + column, alpha = (float)p->alpha;
        more = more ? more + row * p->c_row + column : NULL;
        const float *bias = p->bias ? (const float *)p->bias + column : NULL;
        vf bias0 = bias ? v_load(bias) : v_all(0), bias1 = bias ? v_load(bias + VL) : v_all(0);
#pragma GCC unroll 16
        for (int r = 0; r < height; r++) {
            leave_sum(c + r * p->c_row, sum[r][0], alpha, bias0, more ? more + r * p->c_row : NULL);
            leave_sum(c + r * p->c_row + VL, sum[r][1], alpha, bias1, more ? more + r * p->c_row + VL : NULL);
        }
        return;
    }
    float sums[HEIGHT][PANEL];
#pragma GCC unroll 16
    for (int r = 0; r < height; r++) {
        v_store(sums[r], sum[r][0]);
        v_store(sums[r] + VL, sum[r][1]);
    }
    leave_rows(p, (const float (*)[PANEL])sums, height, row, column);
}

typedef void block_fn(const struct product *p, const float *a, int64_t a_row, const float *b, const float *next,
                      int64_t row, int64_t column);

#define BLOCK(h) \
    static void lying_##h(const struct product *p, const float *a, int64_t a_row, const float *b, const float *next, int64_t row, \
                          int64_t column) \
    { block(p, a, a_row, 1, b, next, row, column, h); } \
    static void packed_##h(const struct product *p, const float *a, int64_t a_row, const float *b, const float *next, int64_t row, \
                           int64_t column) \
    { block(p, a, 1, HEIGHT, b, next, row, column, h); }
BLOCK(1) BLOCK(2) BLOCK(3) BLOCK(4) BLOCK(5) BLOCK(6)
#ifdef __AVX512F__
BLOCK(7) BLOCK(8) BLOCK(9) BLOCK(10) BLOCK(11) BLOCK(12) BLOCK(13) BLOCK(14)
#endif

static block_fn *const lying[HEIGHT + 1] = {NULL, lying_1, lying_2, lying_3, lying_4, lying_5, lying_6,
#ifdef __AVX512F__
    lying_7, lying_8, lying_9, lying_10, lying_11, lying_12, lying_13, lying_14
#endif
};
static block_fn *const packed[HEIGHT + 1] = {NULL, packed_1, packed_2, packed_3, packed_4, packed_5, packed_6,
#ifdef __AVX512F__
    packed_7, packed_8, packed_9, packed_10, packed_11, packed_12, packed_13, packed_14
#endif
};

void NAMED(product)(const struct product *p)
{
    const float *a = p->packed_rows ? p->packed_rows : p->a;
    int64_t a_row = p->packed_rows ? p->k : p->a_row;
    block_fn *const *fn = p->packed_rows ? packed : lying;
    // while a panel of b is used, the next comes into the second-level cache: all of it within the first row blocks
    int64_t part = p->k * 16, parts = PANEL / 16;
    for (int64_t column = 0; column < p->n; column += PANEL) {
        const float *b = (const float *)p->packed + column * p->k, *next = column + PANEL < p->n ? b + PANEL * p->k : b;
        for (int64_t row = 0; row < p->m; row += HEIGHT)
            fn[least(HEIGHT, p->m - row)](p, a + row * a_row, a_row, b, next + least(row / HEIGHT, parts - 1) * part, row, column);
    }
}
