// SPDX-License-Identifier: Apache-2.0
// Matrix products of floats from registers: packing, and simd_block.h's blocks.
#include "kernel/simd.h"

typedef vf sums;

// In this form and this order: left to themselves compilers move sums between registers, and spill.
ALWAYS void add_product(sums *sum, vf a, vf b)
{
#ifdef __AVX512F__
    __asm__ volatile("vfmadd231ps %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b));
#else
    __asm__ volatile("vfmadd231ps %2, %1, %0" : "+x"(*sum) : "x"(a), "x"(b));
#endif
}

ALWAYS void in_units(vf out[2], const sums sum[2], const struct product *p, const float *panel, int64_t row)
{
    out[0] = sum[0];
    out[1] = sum[1];
}

#include "kernel/simd_block.h"

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

#define PACKED(h) \
    static void packed_##h(const struct product *p, int64_t k, const float *a, int64_t a_row, const float *panel, struct soon soon, \
                           int64_t row, int64_t column) \
    { block(p, k, a, 1, HEIGHT, panel, soon, row, column, h); }
#define NAME_PACKED(h) packed_##h,
HEIGHTS(PACKED)
static block_fn *const packed[HEIGHT + 1] = {NULL, HEIGHTS(NAME_PACKED)};

void NAMED(product)(const struct product *p)
{
    if (p->packed_rows)
        blocks(p, packed, p->k, p->packed_rows, p->k, PANEL * p->k, false);
    else
        blocks(p, lying, p->k, p->a, p->a_row, PANEL * p->k, true);
}

// --- bfloat16 on the multipliers of floats: a processor may form such products faster than by its dot products ----------
// Rounded to nearest, ties to even; subnormals become zero, as the dot products have it.
static void round_all(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i += VL) {
        vi bits = (vi)v_load_n(x + i, n - i), size = bits & 0x7fffffff;
        vf near = (vf)((bits + 0x7fff + ((bits >> 16) & 1)) & ~0xffff);
        near = v_choose(size > 0x7f800000, (vf)((bits | 0x400000) & ~0xffff), near);   // stays a NaN
        v_store_n(x + i, v_choose(size < 0x800000, (vf)(bits & (int)0x80000000), near), n - i);
    }
}

static void pack_rounded(void *to, const void *b, int64_t b_k, int64_t b_col, int64_t k, int64_t n)
{
    NAMED(pack)(to, b, b_k, b_col, k, n);
    round_all(to, pieces_of(n, PANEL) * PANEL * k);
}

static void pack_rows_rounded(void *to, struct quant *quant, const void *a, int64_t a_row, int64_t a_k, int64_t m, int64_t k)
{
    NAMED(pack_rows)(to, quant, a, a_row, a_k, m, k);
    round_all(to, pieces_of(m, HEIGHT) * HEIGHT * k);
}

const struct engine NAMED(rounded) = {
#ifdef __AVX512F__
    .isa = "avx512-fma",
#else
    .isa = "avx2-fma",
#endif
    .type = BF16,
    .holds = F32,
    .height = HEIGHT,
    .panel = PANEL,
    .pack = pack_rounded,
    .pack_rows = pack_rows_rounded,
    .product = NAMED(product),
    .round = round_all,
};
