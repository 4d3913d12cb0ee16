// SPDX-License-Identifier: Apache-2.0
// What attention's softmax weighs, as sums of products of 16-bit words: twice the pace of floats.
//
// A row's weights are scaled to add up to WHOLE, a column of values to within +-WHOLE: whatever the number of keys no sum
// leaves 32 bits, and a key that gets one part in a thousand still has a code of five bits. In bytes a long tail of such
// keys would vanish.
#include "kernel/narrow.h"
#include "kernel/simd.h"

enum { WHOLE = 32767, WORD = 2 };   // codes; elements of a word

typedef vi sums;

// Assembly, not the intrinsic: as narrow.c.
ALWAYS void add_product(sums *sum, vf a, vf b) { __asm__ volatile("vpdpwssd %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b)); }

static int64_t filled(int64_t keys) { return pieces_of(keys, 2 * VL) * 2 * VL; }
static int64_t panel_words(int64_t keys) { return PANEL * (filled(keys) / WORD + 1); }   // codes, and a scale a column

ALWAYS void in_units(vf out[2], const sums sum[2], const struct product *p, const float *panel, int64_t row)
{
    const float *scale = panel + PANEL * filled(p->k) / WORD;
    out[0] = v_float(sum[0]) * v_load(scale);
    out[1] = v_float(sum[1]) * v_load(scale + VL);
}

#include "kernel/simd_block.h"

static int64_t values_bytes(int64_t keys, int64_t dim) { return pieces_of(dim, PANEL) * panel_words(keys) * (int64_t)sizeof(float); }

// As bfloat16's panels: words of two keys, [keys / 2][PANEL].
static void pack(void *to_, const float *v, int64_t ldv, int64_t keys, int64_t dim)
{
    float *to = to_;
    for (int64_t column = 0; column < dim; column += VL) {
        float *panel = to + column / PANEL * panel_words(keys) + column % PANEL;
        vf most = v_all(0);
        for (int64_t l = 0; l < keys; l++)
            most = v_max(most, (vf)((vi)v_load_n(v + l * ldv + column, dim - column) & 0x7fffffff));
        most = v_max(most, v_all(1e-30f));
        vf inverse = (float)WHOLE / most;
        for (int64_t l = 0; l < filled(keys); l += WORD) {
            vi even = v_nearest(l < keys ? v_load_n(v + l * ldv + column, dim - column) * inverse : v_all(0));
            vi odd = v_nearest(l + 1 < keys ? v_load_n(v + (l + 1) * ldv + column, dim - column) * inverse : v_all(0));
            v_store(panel + l / WORD * PANEL, (vf)((even & 0xffff) | (odd << 16)));
        }
        v_store(panel + filled(keys) / WORD * PANEL, most * (1.f / WHOLE / WHOLE));
    }
    if (pieces_of(dim, VL) % 2)   // the last panel's second half
        for (int64_t l = 0; l <= filled(keys) / WORD; l++)
            v_store(to + dim / PANEL * panel_words(keys) + l * PANEL + VL, v_all(0));
}

// 2^x for x <= 0, to 2.6e-6; 0 below 2^-126.
ALWAYS vf v_half(vf x)
{
    x = v_max(x, v_all(-126.5f));
    vi n = v_nearest(x);
    vf r = x - v_float(n);
    vf p = r * 9.57010165e-3f + 5.59178621e-2f;
    p = p * r + 2.40247449e-1f;
    p = p * r + 6.93121815e-1f;
    p = p * r + 9.99999261e-1f;
    return (vf)((vi)p + (n << 23));
}

// Scores s[0 .. keys), room for filled(keys), which are overwritten: codes of their softmax.
static void soften(void *codes, float *s, int64_t keys)
{
    vf top = v_all(-INFINITY), sum[2] = {{0}};
    int64_t end = filled(keys), j = 0;
    for (j = keys / VL * VL; j < end; j += VL)   // past the last key: nothing
        for (int64_t i = j < keys ? keys : j; i < j + VL; i++)
            s[i] = -INFINITY;
    for (j = 0; j < end; j += VL)
        top = v_max(top, v_load(s + j));
    float base = v_top(top) * 1.44269504f;
    for (j = 0; j < end; j += 2 * VL)
        for (int u = 0; u < 2; u++) {
            vf e = v_half(v_load(s + j + u * VL) * 1.44269504f - base);
            sum[u] += e;
            v_store(s + j + u * VL, e);
        }
    vf factor = v_all((float)WHOLE / v_sum(sum[0] + sum[1]));
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    for (j = 0; j < end; j += 2 * VL) {
        __m512i low = (__m512i)v_nearest(v_load(s + j) * factor), high = (__m512i)v_nearest(v_load(s + j + VL) * factor);
        _mm512_storeu_si512((char *)codes + j * 2, _mm512_permutexvar_epi64(order, _mm512_packs_epi32(low, high)));
    }
}

static void product(float *out, int64_t ldo, const void *codes, const void *values, int64_t rows, int64_t keys, int64_t dim)
{
    struct product p = {.m = rows, .n = dim, .k = keys, .packed = values, .c = out, .c_row = ldo, .alpha = 1};
    blocks(&p, lying, filled(keys) / WORD, codes, filled(keys) / WORD, panel_words(keys), true);
}

const struct weigh weigh_words = {filled, values_bytes, pack, soften, product};
