// SPDX-License-Identifier: Apache-2.0
// Products of 16-bit words, summed exactly in 32 bits: twice the pace of floats wherever there is AVX-512 VNNI. They stand in
// for bfloat16 where its dot products are slow, and weigh attention's values beside bytes and words.
//
// A linear map's row and column are scaled so that the squares of their codes add up to MOST^2 at most: every code is a
// word, and by Cauchy and Schwarz no sum of products, whole or part, exceeds 2^30. Rounding costs each side sqrt(k / 12) / MOST
// of its length: 2.4e-4 for k = 768, 4.9e-4 for 3,072, where bfloat16's 8 bits cost 1.1e-3.
//
// What a softmax weighs: a row's weights are scaled to add up to MOST, a column of values to within +-MOST. Whatever the
// number of keys no sum leaves 32 bits, and a key that gets one part in a thousand still has a code of five bits. In bytes
// a long tail of such keys would vanish.
#include "kernel/narrow.h"
#include "kernel/simd.h"

enum {
    WORD = 2, WORDS = 16,      // elements of a word, words of a line
    MOST = NARROW_WORD,        // the largest code
    BESIDE = 64,                // rows or columns side by side that are measured together
};

typedef vi sums;

// Assembly, not the intrinsic: as narrow.c.
ALWAYS void add_product(sums *sum, vf a, vf b) { __asm__ volatile("vpdpwssd %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b)); }

static int64_t filled(int64_t k) { return engine_k(&narrow_words, k); }
static int64_t panel_floats(int64_t k) { return engine_panel(&narrow_words, k) / (int64_t)sizeof(float); }

ALWAYS void in_units(vf out[2], const sums sum[2], const struct product *p, const float *panel, int64_t row)
{
    const float *scale = panel + PANEL * filled(p->k) / WORD;
    float factor = p->quant ? p->quant[row].scale : 1;
    out[0] = v_float(sum[0]) * (v_load(scale) * factor);
    out[1] = v_float(sum[1]) * (v_load(scale + VL) * factor);
}

#include "kernel/simd_block.h"

// --- packing -------------------------------------------------------------------------------------------------------
ALWAYS vf size_of(vf x) { return (vf)((vi)x & 0x7fffffff); }

// Codes of 32 numbers, by their order.
ALWAYS __m512i line(vf low, vf high)
{
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    return _mm512_permutexvar_epi64(order, _mm512_packs_epi32((__m512i)v_nearest(low), (__m512i)v_nearest(high)));
}

// Words (even_i, odd_i).
ALWAYS vf zip(vf even, vf odd) { return (vf)((v_nearest(even) & 0xffff) | (v_nearest(odd) << 16)); }

// What k numbers that lie side by side are multiplied by to become codes.
static float inverse_of(const float *x, int64_t k)
{
    enum { AWAY = 1024 };   // floats by which they are asked for ahead: rows come from far
    vf squares[4] = {v_all(0), v_all(0), v_all(0), v_all(0)};
    int64_t l = 0;
    for (; l + 4 * VL <= k; l += 4 * VL)
UNROLL
        for (int u = 0; u < 4; u++) {
            __builtin_prefetch(x + l + u * VL + AWAY);
            vf y = v_load(x + l + u * VL);
            squares[u] += y * y;
        }
    for (; l < k; l += VL) {
        vf y = v_load_n(x + l, k - l);
        squares[0] += y * y;
    }
    return narrow_words_inverse(v_sum((squares[0] + squares[1]) + (squares[2] + squares[3])), x, 1, k);
}

// The same for up to BESIDE rows or columns side by side, numbers `stride` apart; 0 where there is none.
static void inverses_of(float inverse[BESIDE], const float *x, int64_t stride, int64_t n, int64_t k)
{
    vf squares[BESIDE / VL] = {{0}};
    for (int64_t l = 0; l < k; l++)
UNROLL
        for (int64_t i = 0; i < BESIDE / VL; i++) {
            vf y = v_load_n(x + l * stride + i * VL, n - i * VL);
            squares[i] += y * y;
        }
    for (int64_t i = 0; i < BESIDE; i++)
        inverse[i] = i < n ? narrow_words_inverse(squares[i / VL][i % VL], x + i, stride, k) : 0;
}

// out[w] = words of elements 2 w, 2 w + 1 of up to 16 rows or columns side by side, numbers `stride` apart, times `inverse`.
ALWAYS void words(vf out[WORDS], const float *x, int64_t stride, int64_t n, int64_t k, vf inverse)
{
UNROLL
    for (int64_t w = 0; w < WORDS; w++)
        out[w] = zip(2 * w < k ? v_load_n(x + 2 * w * stride, n) * inverse : v_all(0),
                     2 * w + 1 < k ? v_load_n(x + (2 * w + 1) * stride, n) * inverse : v_all(0));
}

// VL columns of a panel.
static void pack_columns(float *to, const float *b, int64_t b_k, int64_t b_col, int64_t k, int64_t n, const float inverse[VL])
{
    for (int64_t l = 0; l < filled(k); l += WORD * WORDS, to += WORDS * PANEL) {
        vf r[WORDS];
        if (b_col == 1) {
            words(r, b + l * b_k, b_k, n, k - l, v_load(inverse));
        } else {
            for (int64_t i = 0; i < WORDS; i++)
                r[i] = i < n ? (vf)line(v_load_n(b + l + i * b_col, k - l) * inverse[i],
                                        v_load_n(b + l + VL + i * b_col, k - l - VL) * inverse[i]) : v_all(0);
            v_turn((vi *)r);
        }
        for (int64_t w = 0; w < WORDS; w++)
            v_store(to + w * PANEL, r[w]);
    }
    for (int64_t i = 0; i < VL; i++)
        to[i] = narrow_words_scale(inverse[i]);
}

static void pack(void *to_, const void *b_, int64_t b_k, int64_t b_col, int64_t k, int64_t n)
{
    const float *b = b_;
    float *to = to_;
    for (int64_t from = 0; from < n; from += BESIDE, b += BESIDE * b_col) {
        float inverse[BESIDE] = {0};
        int64_t there = least(n - from, BESIDE);
        if (b_col == 1)
            inverses_of(inverse, b, b_k, there, k);
        else
            for (int64_t i = 0; i < there; i++)
                inverse[i] = inverse_of(b + i * b_col, k);
        for (int64_t i = 0; i < pieces_of(there, PANEL) * PANEL; i += VL)
            pack_columns(to + (from + i) / PANEL * panel_floats(k) + i % PANEL, b + i * b_col, b_k, b_col, k, there - i, inverse + i);
    }
}

static void pack_rows(void *to_, struct quant *quant, const void *a_, int64_t a_row, int64_t a_k, int64_t m, int64_t k)
{
    const float *a = a_;
    int64_t row = engine_row(&narrow_words, k);
    char *to = to_;
    for (int64_t i = 0; i < m && a_k == 1; i++, a += a_row, to += row) {
        float inverse = inverse_of(a, k);
        quant[i] = (struct quant){narrow_words_scale(inverse), 0};
        for (int64_t l = 0; l < filled(k); l += 2 * VL)
            _mm512_storeu_si512(to + l * (int64_t)sizeof(int16_t),
                                line(v_load_n(a + l, k - l) * inverse, v_load_n(a + l + VL, k - l - VL) * inverse));
    }
    for (int64_t from = 0; from < m && a_k != 1; from += BESIDE) {
        float inverse[BESIDE];
        inverses_of(inverse, a + from * a_row, a_k, m - from, k);
        for (int64_t i = 0; i < least(m - from, BESIDE); i++)
            quant[from + i] = (struct quant){narrow_words_scale(inverse[i]), 0};
        for (int64_t l = 0; l < filled(k); l += WORD * WORDS)
            for (int64_t i = from; i < least(m, from + BESIDE); i += VL) {
                vf r[WORDS];
                words(r, a + i * a_row + l * a_k, a_k, m - i, k - l, v_load(inverse + i - from));
                v_turn((vi *)r);
                for (int64_t j = i; j < least(m, i + VL); j++)
                    v_store((float *)(to + j * row + l * (int64_t)sizeof(int16_t)), r[j - i]);
            }
    }
}

static void product(const struct product *p)
{
    blocks(p, lying, filled(p->k) / WORD, p->packed_rows, engine_row(&narrow_words, p->k) / (int64_t)sizeof(float), panel_floats(p->k), true);
}

// --- what attention weighs -------------------------------------------------------------------------------------------
static int64_t values_bytes(int64_t keys, int64_t dim) { return engine_columns(&narrow_words, keys, dim); }

static void pack_values(void *to_, const float *v, int64_t ldv, int64_t keys, int64_t dim)
{
    float *to = to_;
    for (int64_t column = 0; column < pieces_of(dim, PANEL) * PANEL; column += VL) {
        float *panel = to + column / PANEL * panel_floats(keys) + column % PANEL;
        vf most = v_all(NARROW_LEAST);
        for (int64_t l = 0; l < keys && column < dim; l++)
            most = v_max(most, size_of(v_load_n(v + l * ldv + column, dim - column)));
        vf inverse = (float)MOST / most;
        for (int64_t l = 0; l < filled(keys); l += WORD * WORDS) {
            vf r[WORDS];
            words(r, v + l * ldv + column, ldv, dim - column, keys - l, inverse);
            for (int64_t w = 0; w < WORDS; w++)
                v_store(panel + (l / WORD + w) * PANEL, r[w]);
        }
        v_store(panel + filled(keys) / WORD * PANEL, most * (1.f / MOST / MOST));
    }
}

// 2^x for x <= 0, to 2.6e-6; 2^-125 below it (the fit is a little short at whole numbers: 2^-126 would come out subnormal, which
// is multiplied slowly).
ALWAYS vf v_half(vf x)
{
    x = v_max(x, v_all(-125));
    vi n = v_nearest(x);
    vf r = x - v_float(n);
    vf p = r * 9.57010165e-3f + 5.59178621e-2f;
    p = p * r + 2.40247449e-1f;
    p = p * r + 6.93121815e-1f;
    p = p * r + 9.99999261e-1f;
    return (vf)((vi)p + (n << 23));
}

// The largest of scores s[0 .. keys); past them, to the end of their room: nothing.
static float largest(float *s, int64_t keys, int64_t end)
{
    int64_t j = keys / VL * VL;
    if (j < end)
        v_store(s + j, v_load_or(s + j, keys - j, v_all(-INFINITY)));
    if (j + VL < end)
        v_store(s + j + VL, v_all(-INFINITY));
    vf top[2] = {v_all(-INFINITY), v_all(-INFINITY)};
    for (j = 0; j < end; j += 2 * VL) {
        top[0] = v_max(top[0], v_load(s + j));
        top[1] = v_max(top[1], v_load(s + j + VL));
    }
    return v_top(v_max(top[0], top[1]));
}

// Rows of scores, `ld` apart, room for filled(keys), become codes of their softmax, from where the scores began. All rows go
// step by step: while the lanes of one row's maximum or sum are added up, the next row is under way.
static void soften(float *scores, int64_t ld, int64_t rows, int64_t keys)
{
    int64_t end = filled(keys);
    float base[WEIGH_ROWS], factor[WEIGH_ROWS];
    for (int64_t i = 0; i < rows; i++)
        base[i] = largest(scores + i * ld, keys, end) * 1.44269504f;
    for (int64_t i = 0; i < rows; i++) {
        float *s = scores + i * ld;
        vf sum[2] = {{0}};
        for (int64_t j = 0; j < end; j += 2 * VL)
UNROLL
            for (int u = 0; u < 2; u++) {
                vf e = v_half(v_load(s + j + u * VL) * 1.44269504f - base[i]);
                sum[u] += e;
                v_store(s + j + u * VL, e);
            }
        factor[i] = (float)MOST / v_sum(sum[0] + sum[1]);
    }
    for (int64_t i = 0; i < rows; i++) {
        float *s = scores + i * ld;
        for (int64_t j = 0; j < end; j += 2 * VL)
            _mm512_storeu_si512((char *)s + j * 2, line(v_load(s + j) * factor[i], v_load(s + j + VL) * factor[i]));
    }
}

static void weigh(float *out, int64_t ldo, const float *codes, int64_t ld, const void *values, int64_t rows, int64_t keys, int64_t dim)
{
    struct product p = {.m = rows, .n = dim, .k = keys, .packed = values, .c = out, .c_row = ldo, .alpha = 1};
    blocks(&p, lying, filled(keys) / WORD, codes, ld, panel_floats(keys), true);
}

const struct weigh weigh_words = {values_bytes, pack_values, soften, weigh};

const struct engine narrow_words = {"avx512-words", BF16, S16, HEIGHT, PANEL, pack, pack_rows, product, .weigh = &weigh_words};
