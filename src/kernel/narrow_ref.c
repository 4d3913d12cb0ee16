// SPDX-License-Identifier: Apache-2.0
// Products of bfloat16, of bytes and of 16-bit words, plainly: the specification that narrow.c and words.c answer to.
#include "kernel/narrow.h"

#include <math.h>

enum { PANEL = NARROW_PANEL };

// Round to nearest, ties to even; subnormals become zero, as the processors' instructions have it.
static uint16_t to_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7f800000) == 0)
        return (uint16_t)(bits >> 16 & 0x8000);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40);   // stays a NaN
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float from_bf16(uint16_t x)
{
    uint32_t bits = (uint32_t)x << 16;
    float y;
    memcpy(&y, &bits, sizeof y);
    return y;
}

static int32_t nearest(float x, int32_t least_, int32_t most)
{
    return x < (float)least_ ? least_ : x > (float)most ? most : (int32_t)lrintf(x);
}

// --- packing -------------------------------------------------------------------------------------------------------
static void pack_bf16(void *to_, const void *b_, int64_t b_k, int64_t b_col, int64_t k, int64_t n)
{
    const float *b = b_;
    int64_t filled = engine_k(&narrow_ref_bf16, k);
    for (uint16_t *to = to_; n > 0; n -= PANEL, b += PANEL * b_col, to += PANEL * filled)
        for (int64_t l = 0; l < filled; l++)
            for (int64_t j = 0; j < PANEL; j++)
                to[l / 2 * 2 * PANEL + j * 2 + l % 2] = l < k && j < n ? to_bf16(b[l * b_k + j * b_col]) : 0;
}

static void pack_rows_bf16(void *to_, struct quant *quant, const void *a_, int64_t a_row, int64_t a_k, int64_t m, int64_t k)
{
    const float *a = a_;
    int64_t filled = engine_k(&narrow_ref_bf16, k);
    for (int64_t i = 0; i < m; i++) {
        uint16_t *to = (uint16_t *)((char *)to_ + i * engine_row(&narrow_ref_bf16, k));
        for (int64_t l = 0; l < filled; l++)
            to[l] = l < k ? to_bf16(a[i * a_row + l * a_k]) : 0;
    }
}

// Weights, symmetric, a scale a column: -127 .. 127. The sums take the rows' zeros back out.
void narrow_pack_bytes(void *to_, const void *b_, int64_t b_k, int64_t b_col, int64_t k, int64_t n)
{
    const float *b = b_;
    int64_t filled = engine_k(&narrow_ref_bytes, k);
    for (char *at = to_; n > 0; n -= PANEL, b += PANEL * b_col, at += engine_panel(&narrow_ref_bytes, k)) {
        int8_t *to = (int8_t *)at;
        float *scale = (float *)(at + PANEL * filled);
        float *sum = scale + PANEL;
        memset(at, 0, (size_t)engine_panel(&narrow_ref_bytes, k));
        for (int64_t j = 0; j < least(n, PANEL); j++) {
            float most = 0;
            for (int64_t l = 0; l < k; l++)
                most = fmaxf(most, fabsf(b[l * b_k + j * b_col]));
            scale[j] = most > NARROW_LEAST ? most / 127 : 1;
            float inverse = 1 / scale[j];
            for (int64_t l = 0; l < k; l++) {
                int32_t code = nearest(b[l * b_k + j * b_col] * inverse, -127, 127);
                to[l / 4 * 4 * PANEL + j * 4 + l % 4] = (int8_t)code;
                sum[j] += (float)code;
            }
        }
    }
}

// A row's range, zero always in it.
struct quant narrow_quant(float lowest, float highest)
{
    lowest = fminf(lowest, 0);
    highest = fmaxf(highest, 0);
    float scale = (highest - lowest) / 255;
    if (!(scale > 0 && scale <= 3.4e38f))
        return (struct quant){1, 0};
    return (struct quant){scale, nearest(-lowest / scale, 0, 255)};
}

static void pack_rows_bytes(void *to_, struct quant *quant, const void *a_, int64_t a_row, int64_t a_k, int64_t m, int64_t k)
{
    const float *a = a_;
    int64_t filled = engine_k(&narrow_ref_bytes, k);
    for (int64_t i = 0; i < m; i++) {
        uint8_t *to = (uint8_t *)to_ + i * engine_row(&narrow_ref_bytes, k);
        float lowest = 0, highest = 0;
        for (int64_t l = 0; l < k; l++) {
            lowest = fminf(lowest, a[i * a_row + l * a_k]);
            highest = fmaxf(highest, a[i * a_row + l * a_k]);
        }
        quant[i] = narrow_quant(lowest, highest);
        float inverse = 1 / quant[i].scale;
        for (int64_t l = 0; l < filled; l++)
            to[l] = l < k ? (uint8_t)nearest(fmaf(a[i * a_row + l * a_k], inverse, (float)quant[i].zero), 0, 255) : 0;
    }
}

// The squares of the codes, rounded, add up to NARROW_WORD^2 at most. A NaN among the numbers stays one.
float narrow_words_inverse(float squares, const float *x, int64_t stride, int64_t k)
{
    float root = sqrtf((float)k), length = sqrtf(squares);
    if (squares < 1e-32f || squares > 1e38f) {
        float most = 0;
        for (int64_t l = 0; l < k; l++)
            most = fmaxf(most, fabsf(x[l * stride]));
        if (most <= NARROW_LEAST)
            return 0;
        length = most * root;
    }
    return (NARROW_WORD - 1 - root / 2) / length;   // 1: for what float sums were rounded by
}

static float words_inverse(const float *x, int64_t stride, int64_t k)
{
    double squares = 0;
    for (int64_t l = 0; l < k; l++)
        squares += (double)x[l * stride] * x[l * stride];
    return narrow_words_inverse((float)squares, x, stride, k);
}

static int16_t to_word(float x) { return (int16_t)nearest(x, -NARROW_WORD, NARROW_WORD); }

static void pack_words(void *to_, const void *b_, int64_t b_k, int64_t b_col, int64_t k, int64_t n)
{
    const float *b = b_;
    int64_t filled = engine_k(&narrow_ref_words, k);
    for (char *at = to_; n > 0; n -= PANEL, b += PANEL * b_col, at += engine_panel(&narrow_ref_words, k)) {
        int16_t *to = (int16_t *)at;
        float *scale = (float *)(at + PANEL * filled * 2);
        memset(at, 0, (size_t)engine_panel(&narrow_ref_words, k));
        for (int64_t j = 0; j < least(n, PANEL); j++) {
            float inverse = words_inverse(b + j * b_col, b_k, k);
            scale[j] = narrow_words_scale(inverse);
            for (int64_t l = 0; l < k; l++)
                to[l / 2 * 2 * PANEL + j * 2 + l % 2] = to_word(b[l * b_k + j * b_col] * inverse);
        }
    }
}

static void pack_rows_words(void *to_, struct quant *quant, const void *a_, int64_t a_row, int64_t a_k, int64_t m, int64_t k)
{
    const float *a = a_;
    int64_t filled = engine_k(&narrow_ref_words, k);
    for (int64_t i = 0; i < m; i++, a += a_row) {
        int16_t *to = (int16_t *)((char *)to_ + i * engine_row(&narrow_ref_words, k));
        float inverse = words_inverse(a, a_k, k);
        quant[i] = (struct quant){narrow_words_scale(inverse), 0};
        for (int64_t l = 0; l < filled; l++)
            to[l] = l < k ? to_word(a[l * a_k] * inverse) : 0;
    }
}

// --- products ------------------------------------------------------------------------------------------------------
static float sum_bf16(const struct product *p, int64_t i, int64_t j)
{
    const uint16_t *a = (const uint16_t *)((const char *)p->packed_rows + i * engine_row(&narrow_ref_bf16, p->k));
    const uint16_t *b = (const uint16_t *)p->packed + j / PANEL * PANEL * engine_k(&narrow_ref_bf16, p->k) + j % PANEL * 2;
    float sum = 0;
    for (int64_t l = 0; l < p->k; l++)
        sum += from_bf16(a[l]) * from_bf16(b[l / 2 * 2 * PANEL + l % 2]);
    return sum;
}

static float sum_bytes(const struct product *p, int64_t i, int64_t j)
{
    const uint8_t *a = (const uint8_t *)p->packed_rows + i * engine_row(&narrow_ref_bytes, p->k);
    const char *panel = (const char *)p->packed + j / PANEL * engine_panel(&narrow_ref_bytes, p->k);
    const int8_t *b = (const int8_t *)panel + j % PANEL * 4;
    const float *scale = (const float *)(panel + PANEL * engine_k(&narrow_ref_bytes, p->k));
    const float *total = scale + PANEL;
    int32_t sum = 0;
    for (int64_t l = 0; l < p->k; l++)
        sum += a[l] * b[l / 4 * 4 * PANEL + l % 4];
    return ((float)sum - (float)p->quant[i].zero * total[j % PANEL]) * (p->quant[i].scale * scale[j % PANEL]);
}

static float sum_words(const struct product *p, int64_t i, int64_t j)
{
    const int16_t *a = (const int16_t *)((const char *)p->packed_rows + i * engine_row(&narrow_ref_words, p->k));
    const char *panel = (const char *)p->packed + j / PANEL * engine_panel(&narrow_ref_words, p->k);
    const int16_t *b = (const int16_t *)panel + j % PANEL * 2;
    const float *scale = (const float *)(panel + PANEL * engine_k(&narrow_ref_words, p->k) * 2);
    int32_t sum = 0;
    for (int64_t l = 0; l < p->k; l++)
        sum += a[l] * b[l / 2 * 2 * PANEL + l % 2];
    return (float)sum * (scale[j % PANEL] * p->quant[i].scale);
}

static void product(const struct product *p, float (*sum)(const struct product *p, int64_t i, int64_t j))
{
    static const float one = 1;
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++) {
            float s = sum(p, i, j);
            int64_t at = i * p->c_row + j;
            struct product tail = *p;   // the rest is the plain product's of one by one
            tail.m = tail.n = tail.k = 1;
            tail.a = &s;
            tail.b = &one;
            tail.c = step(p->c, at, sizeof(float));
            tail.pre = step(p->pre, at, sizeof(float));
            tail.residual = step(p->residual, at, sizeof(float));
            tail.bias = step(p->bias, j, sizeof(float));
            inner_ref_f32.engine.product(&tail);
        }
}

static void product_bf16(const struct product *p) { product(p, sum_bf16); }
static void product_bytes(const struct product *p) { product(p, sum_bytes); }
static void product_words(const struct product *p) { product(p, sum_words); }

const struct engine narrow_ref_bf16 = {"ref", BF16, BF16, 1, PANEL, pack_bf16, pack_rows_bf16, product_bf16};
const struct engine narrow_ref_bytes = {"ref", S8, S8, 1, PANEL, narrow_pack_bytes, pack_rows_bytes, product_bytes};
const struct engine narrow_ref_words = {"ref-words", BF16, S16, 1, PANEL, pack_words, pack_rows_words, product_words};
