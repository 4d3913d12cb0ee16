// SPDX-License-Identifier: Apache-2.0
// Pixels are bytes, and one instruction adds four products of unsigned and signed bytes to a sum of 32 bits: a weight of
// 22 bits is written in three signed digits of base 256, and d2 * 2^16 + d1 * 2^8 + d0 is the same sum to the bit.
#include "image/rows.h"

#include <immintrin.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TAPS = 4, DIGITS = 3 };   // products an instruction adds up

// Digits of up to four weights, one a byte.
static inline void digits(const int32_t *w, int n, uint32_t d[DIGITS])
{
    for (int k = 0; k < DIGITS; k++)
        d[k] = 0;
    for (int i = 0; i < n; i++) {
        int32_t rest = w[i];
        for (int k = 0; k < DIGITS; k++) {
            int8_t low = (int8_t)(rest & 255);
            d[k] |= (uint32_t)(uint8_t)low << (8 * i);
            rest = (rest - low) >> 8;
        }
    }
}

// A place's weights: DIGITS words for each four pixels.
static void pack(struct taps *t)
{
    int most = 0;
    for (int i = 0; i < t->n; i++)
        most = t->count[i] > most ? t->count[i] : most;
    int groups = (most + TAPS - 1) / TAPS, reach = groups * TAPS;
    if (t->in < reach + 4)
        return;
    size_t words = (size_t)t->n * (size_t)groups * DIGITS;
    uint32_t *packed = malloc(words * sizeof *packed + (size_t)t->n * sizeof(struct place));
    if (!packed)
        return;
    struct place *places = (struct place *)(void *)(packed + words);
    t->packed = packed;
    t->groups = groups;
    uint32_t *to = packed;
    for (int i = 0; i < t->n; i++) {
        int early;
        places[i] = place_of(t, i, reach, &early);
        const int32_t *w = t->weight + (size_t)i * (size_t)t->most;
        int32_t four[TAPS];
        for (int g = 0; g < groups; g++, to += DIGITS) {
            for (int k = 0; k < TAPS; k++) {
                int at = g * TAPS + k - early;
                four[k] = at >= 0 && at < t->count[i] ? w[at] : 0;
            }
            digits(four, TAPS, to);
        }
    }
}

static inline __m128i load16(const unsigned char *p) { return _mm_loadu_si128((const __m128i *)(const void *)p); }

static inline __m512i rows4(const unsigned char *const p[4], int at)
{
    __m512i x = _mm512_castsi128_si512(load16(p[0] + at));
    x = _mm512_inserti32x4(x, load16(p[1] + at), 1);
    x = _mm512_inserti32x4(x, load16(p[2] + at), 2);
    return _mm512_inserti32x4(x, load16(p[3] + at), 3);
}

static inline __m512i whole(__m512i d0, __m512i d1, __m512i d2)
{
    __m512i v = _mm512_add_epi32(_mm512_add_epi32(d0, _mm512_slli_epi32(d1, 8)), _mm512_slli_epi32(d2, 16));
    return _mm512_srai_epi32(v, WEIGHT_BITS);
}

// The sums [r g b -] of one place in four rows.
static inline __m512i place_sums(const unsigned char *const p[4], struct place place, const uint32_t *w, int groups)
{
    const __m128i pick[2] = {_mm_setr_epi8(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1),
                             _mm_setr_epi8(4, 7, 10, 13, 5, 8, 11, 14, 6, 9, 12, 15, -1, -1, -1, -1)};
    __m512i order = _mm512_broadcast_i32x4(pick[place.back]);
    __m512i d0 = _mm512_set1_epi32(1 << (WEIGHT_BITS - 1)), d1 = _mm512_setzero_si512(), d2 = d1;
    for (int g = 0; g < groups; g++, w += DIGITS) {
        __m512i x = _mm512_shuffle_epi8(rows4(p, place.at + g * 3 * TAPS), order);
        d0 = _mm512_dpbusd_epi32(d0, x, _mm512_set1_epi32((int)w[0]));
        d1 = _mm512_dpbusd_epi32(d1, x, _mm512_set1_epi32((int)w[1]));
        d2 = _mm512_dpbusd_epi32(d2, x, _mm512_set1_epi32((int)w[2]));
    }
    return whole(d0, d1, d2);
}

// n places of four rows, packed to bytes, to their rows.
static inline void store4(unsigned char *const q[4], int at, int n, const __m512i v[4])
{
    const __m512i close = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    __m512i b = _mm512_packus_epi16(_mm512_packs_epi32(v[0], v[1]), _mm512_packs_epi32(v[2], v[3]));
    b = _mm512_shuffle_epi8(b, close);
    __mmask16 k = (__mmask16)((1u << 3 * n) - 1);
    _mm_mask_storeu_epi8(q[0] + at, k, _mm512_castsi512_si128(b));
    _mm_mask_storeu_epi8(q[1] + at, k, _mm512_extracti32x4_epi32(b, 1));
    _mm_mask_storeu_epi8(q[2] + at, k, _mm512_extracti32x4_epi32(b, 2));
    _mm_mask_storeu_epi8(q[3] + at, k, _mm512_extracti32x4_epi32(b, 3));
}

// Four rows, a row a quarter of a register. `groups` is known where it counts, so that sums stay in registers.
static inline __attribute__((always_inline)) void across4(const struct taps *t, const unsigned char *const p[4],
                                                          unsigned char *const q[4], int groups)
{
    const uint32_t *w = t->packed;
    int step = groups * DIGITS, i = 0;
    const struct place *places = (const void *)(w + (size_t)t->n * (size_t)step);
    for (; i + 4 <= t->n; i += 4, w += 4 * step) {
        __m512i v[4] = {place_sums(p, places[i], w, groups), place_sums(p, places[i + 1], w + step, groups),
                        place_sums(p, places[i + 2], w + 2 * step, groups),
                        place_sums(p, places[i + 3], w + 3 * step, groups)};
        store4(q, 3 * i, 4, v);
    }
    if (i < t->n) {
        __m512i zero = _mm512_setzero_si512(), v[4] = {zero, zero, zero, zero};
        for (int j = 0; j < t->n - i; j++)
            v[j] = place_sums(p, places[i + j], w + j * step, groups);
        store4(q, 3 * i, t->n - i, v);
    }
}

static void across(const struct taps *t, const unsigned char *in, size_t stride, unsigned char *out, size_t out_stride,
                   int rows)
{
    if (!t->packed) {
        rows_ref.across(t, in, stride, out, out_stride, rows);
        return;
    }
    for (int y = 0; y < rows; y += 4) {
        const unsigned char *p[4];
        unsigned char *q[4];
        rows_at(in, stride, out, out_stride, y, rows, p, q);
        switch (t->groups) {
        case 1: across4(t, p, q, 1); break;
        case 2: across4(t, p, q, 2); break;
        case 3: across4(t, p, q, 3); break;
        case 4: across4(t, p, q, 4); break;
        default: across4(t, p, q, t->groups);
        }
    }
}

static void down(const int32_t *weight, int count, const unsigned char *in, size_t stride, unsigned char *out,
                 size_t bytes)
{
    const __m512i half = _mm512_set1_epi32(1 << (WEIGHT_BITS - 1)), zero = _mm512_setzero_si512();
    for (size_t x = 0; x < bytes; x += 64) {
        __mmask64 k = bytes - x < 64 ? ((__mmask64)1 << (bytes - x)) - 1 : ~(__mmask64)0;
        __m512i d0[4], d1[4], d2[4];
        for (int i = 0; i < 4; i++) {
            d0[i] = half;
            d1[i] = d2[i] = zero;
        }
        for (int y = 0; y < count; y += TAPS) {
            int n = count - y < TAPS ? count - y : TAPS;
            uint32_t w[DIGITS];
            digits(weight + y, n, w);
            __m512i r[4];
            for (int i = 0; i < 4; i++)
                r[i] = i < n ? _mm512_maskz_loadu_epi8(k, in + x + (size_t)(y + i) * stride) : zero;
            __m512i l = _mm512_unpacklo_epi8(r[0], r[1]), h = _mm512_unpackhi_epi8(r[0], r[1]);
            __m512i m = _mm512_unpacklo_epi8(r[2], r[3]), o = _mm512_unpackhi_epi8(r[2], r[3]);
            __m512i v[4] = {_mm512_unpacklo_epi16(l, m), _mm512_unpackhi_epi16(l, m),
                            _mm512_unpacklo_epi16(h, o), _mm512_unpackhi_epi16(h, o)};
            for (int i = 0; i < 4; i++) {
                d0[i] = _mm512_dpbusd_epi32(d0[i], v[i], _mm512_set1_epi32((int)w[0]));
                d1[i] = _mm512_dpbusd_epi32(d1[i], v[i], _mm512_set1_epi32((int)w[1]));
                d2[i] = _mm512_dpbusd_epi32(d2[i], v[i], _mm512_set1_epi32((int)w[2]));
            }
        }
        for (int i = 0; i < 4; i++)
            d0[i] = whole(d0[i], d1[i], d2[i]);
        __m512i b = _mm512_packus_epi16(_mm512_packs_epi32(d0[0], d0[1]), _mm512_packs_epi32(d0[2], d0[3]));
        _mm512_mask_storeu_epi8(out + x, k, b);
    }
}

// a / b: the product with the reciprocal, mended once by what it leaves over. Equal to the division nearly always
// (Markstein 1990); whether always, `same` finds out.
static inline __m256 quotient(__m256 a, __m256 b, __m256 reciprocal)
{
    __m256 q = _mm256_mul_ps(a, reciprocal);
    return _mm256_fmadd_ps(_mm256_fnmadd_ps(q, b, a), reciprocal, q);
}

struct channel { __m256 mean, std, reciprocal; };

static inline __m256 level(__m256 v, const struct channel *c)
{
    const __m256 most = _mm256_set1_ps(255.f);
    return quotient(_mm256_sub_ps(quotient(v, most, _mm256_set1_ps(1 / 255.f)), c->mean), c->std, c->reciprocal);
}

static inline __m256 level_divided(__m256 v, const struct channel *c)
{
    return _mm256_div_ps(_mm256_sub_ps(_mm256_div_ps(v, _mm256_set1_ps(255.f)), c->mean), c->std);
}

static bool same(const struct channel *c)
{
    __m256 v = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7);
    for (int i = 0; i < 256; i += 8, v = _mm256_add_ps(v, _mm256_set1_ps(8)))
        if (_mm256_cmpneq_epi32_mask(_mm256_castps_si256(level(v, c)), _mm256_castps_si256(level_divided(v, c))))
            return false;
    return true;
}

// Eight pixels, half a register each four.
static void normalise(const unsigned char *rgb, float *out, size_t n, const float mean[3], const float std[3])
{
    struct channel c[3];
    __m256i pick[3];
    for (int k = 0; k < 3; k++) {
        c[k] = (struct channel){_mm256_set1_ps(mean[k]), _mm256_set1_ps(std[k]), _mm256_set1_ps(1 / std[k])};
        if (!same(&c[k])) {
            rows_ref.normalise(rgb, out, n, mean, std);
            return;
        }
        pick[k] = _mm256_broadcastsi128_si256(_mm_setr_epi32((int)0xFFFFFF00 + k, (int)0xFFFFFF03 + k,
                                                             (int)0xFFFFFF06 + k, (int)0xFFFFFF09 + k));
    }
    const __m256i spread = _mm256_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5);
    for (size_t i = 0; i < n; i += 8) {
        unsigned left = n - i < 8 ? (unsigned)(n - i) : 8;
        __m256i x = _mm256_maskz_loadu_epi8((1u << 3 * left) - 1, rgb + 3 * i);
        x = _mm256_permutevar8x32_epi32(x, spread);
        for (int j = 0; j < 3; j++) {
            __m256 v = _mm256_cvtepi32_ps(_mm256_shuffle_epi8(x, pick[j]));
            _mm256_mask_storeu_ps(out + (size_t)j * n + i, (__mmask8)((1u << left) - 1), level(v, &c[j]));
        }
    }
}

const struct row_table rows_avx512 = {"avx512", pack, across, down, normalise};
