// SPDX-License-Identifier: Apache-2.0
// A weight of 22 bits is cut in two halves of 15 and the rest: products of pairs of 16-bit numbers are the fastest there
// are, and hi * 2^15 + lo is the same sum to the bit.
#include "image/rows.h"

#include <immintrin.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LOW = 15, PAIR = 2 };   // pixels whose products one instruction forms

// A place's weights: per pair of pixels 8 numbers lo, then 8 hi: [a b a b a b - -], once for each colour.
static void pack(struct taps *t)
{
    int most = 0;
    for (int i = 0; i < t->n; i++)
        most = t->count[i] > most ? t->count[i] : most;
    int loads = (most + 2 * PAIR - 1) / (2 * PAIR), reach = loads * 2 * PAIR;
    if (t->in < reach + 4)
        return;
    size_t numbers = (size_t)t->n * (size_t)loads * 32;
    int16_t *packed = calloc(1, numbers * sizeof *packed + (size_t)t->n * sizeof(struct place));
    if (!packed)
        return;
    struct place *places = (struct place *)(void *)(packed + numbers);
    t->packed = packed;
    t->groups = loads;
    for (int i = 0; i < t->n; i++) {
        int early;
        places[i] = place_of(t, i, reach, &early);
        for (int k = 0; k < t->count[i]; k++) {
            int at = early + k;
            int32_t w = t->weight[(size_t)i * (size_t)t->most + (size_t)k];
            int16_t *g = packed + ((size_t)i * (size_t)loads * 2 + (size_t)(at / PAIR)) * 16 + at % PAIR;
            for (int c = 0; c < 3; c++) {
                g[2 * c] = (int16_t)(w & ((1 << LOW) - 1));
                g[2 * c + 8] = (int16_t)(w >> LOW);
            }
        }
    }
}

static inline __m128i load16(const unsigned char *p) { return _mm_loadu_si128((const __m128i *)(const void *)p); }
static inline __m256i both(const __m128i *p) { return _mm256_broadcastsi128_si256(_mm_loadu_si128(p)); }

// Bytes [r g b -] of the upper row and of the lower one.
static inline void finish(__m256i lo, __m256i hi, unsigned char *upper, unsigned char *lower)
{
    __m256i s = _mm256_add_epi32(lo, _mm256_slli_epi32(hi, LOW));
    s = _mm256_srai_epi32(s, WEIGHT_BITS);
    s = _mm256_packs_epi32(s, s);
    s = _mm256_packus_epi16(s, s);
    uint32_t u = (uint32_t)_mm_cvtsi128_si32(_mm256_castsi256_si128(s));
    uint32_t l = (uint32_t)_mm_cvtsi128_si32(_mm256_extracti128_si256(s, 1));
    memcpy(upper, &u, 3);
    memcpy(lower, &l, 3);
}

static inline __m256i pixels(char a, char b)
{
    __m128i x = _mm_setr_epi8(a, -1, b, -1, a + 1, -1, b + 1, -1, a + 2, -1, b + 2, -1, -1, -1, -1, -1);
    return _mm256_broadcastsi128_si256(x);
}

// Four rows at once share a place's weights, two rows a register.
static void across(const struct taps *t, const unsigned char *in, size_t stride, unsigned char *out, size_t out_stride,
                   int rows)
{
    if (!t->packed) {
        rows_ref.across(t, in, stride, out, out_stride, rows);
        return;
    }
    const __m256i pick[2][2] = {{pixels(0, 3), pixels(6, 9)}, {pixels(4, 7), pixels(10, 13)}};
    const __m256i half = _mm256_set1_epi32(1 << (WEIGHT_BITS - 1));
    const struct place *places = (const void *)((const int16_t *)t->packed + (size_t)t->n * (size_t)t->groups * 32);
    for (int y = 0; y < rows; y += 4) {
        const unsigned char *p[4];
        unsigned char *q[4];
        rows_at(in, stride, out, out_stride, y, rows, p, q);
        const __m128i *w = t->packed;
        for (int i = 0; i < t->n; i++) {
            const __m256i *two = pick[places[i].back];
            int at = places[i].at;
            __m256i lo0 = half, lo1 = half, hi0 = _mm256_setzero_si256(), hi1 = hi0;
            for (int g = 0; g < t->groups; g++, at += 12)
                for (int k = 0; k < 2; k++, w += 2) {
                    __m256i a = _mm256_inserti128_si256(_mm256_castsi128_si256(load16(p[0] + at)), load16(p[1] + at), 1);
                    __m256i b = _mm256_inserti128_si256(_mm256_castsi128_si256(load16(p[2] + at)), load16(p[3] + at), 1);
                    __m256i x = _mm256_shuffle_epi8(a, two[k]), z = _mm256_shuffle_epi8(b, two[k]);
                    __m256i wl = both(w), wh = both(w + 1);
                    lo0 = _mm256_add_epi32(lo0, _mm256_madd_epi16(x, wl));
                    hi0 = _mm256_add_epi32(hi0, _mm256_madd_epi16(x, wh));
                    lo1 = _mm256_add_epi32(lo1, _mm256_madd_epi16(z, wl));
                    hi1 = _mm256_add_epi32(hi1, _mm256_madd_epi16(z, wh));
                }
            finish(lo0, hi0, q[0] + 3 * i, q[1] + 3 * i);
            finish(lo1, hi1, q[2] + 3 * i, q[3] + 3 * i);
        }
    }
}

static void down(const int32_t *weight, int count, const unsigned char *in, size_t stride, unsigned char *out,
                 size_t bytes)
{
    const __m256i zero = _mm256_setzero_si256(), half = _mm256_set1_epi32(1 << (WEIGHT_BITS - 1));
    size_t x = 0;
    for (; x + 32 <= bytes; x += 32) {
        __m256i lo[4], hi[4];
        for (int i = 0; i < 4; i++) {
            lo[i] = half;
            hi[i] = zero;
        }
        for (int k = 0; k < count; k += 2) {
            bool pair = k + 1 < count;
            int32_t w0 = weight[k], w1 = pair ? weight[k + 1] : 0;
            const unsigned char *p = in + x + (size_t)k * stride, *q = pair ? p + stride : p;
            __m256i wl = _mm256_set1_epi32((w0 & ((1 << LOW) - 1)) | (w1 & ((1 << LOW) - 1)) << 16);
            __m256i wh = _mm256_set1_epi32((int32_t)(((uint32_t)(w0 >> LOW) & 0xFFFF) | (uint32_t)(w1 >> LOW) << 16));
            __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p),
                    b = _mm256_loadu_si256((const __m256i *)(const void *)q);
            __m256i l = _mm256_unpacklo_epi8(a, b), h = _mm256_unpackhi_epi8(a, b);
            __m256i v[4] = {_mm256_unpacklo_epi8(l, zero), _mm256_unpackhi_epi8(l, zero),
                            _mm256_unpacklo_epi8(h, zero), _mm256_unpackhi_epi8(h, zero)};
            for (int i = 0; i < 4; i++) {
                lo[i] = _mm256_add_epi32(lo[i], _mm256_madd_epi16(v[i], wl));
                hi[i] = _mm256_add_epi32(hi[i], _mm256_madd_epi16(v[i], wh));
            }
        }
        for (int i = 0; i < 4; i++)
            lo[i] = _mm256_srai_epi32(_mm256_add_epi32(lo[i], _mm256_slli_epi32(hi[i], LOW)), WEIGHT_BITS);
        __m256i packed = _mm256_packus_epi16(_mm256_packs_epi32(lo[0], lo[1]), _mm256_packs_epi32(lo[2], lo[3]));
        _mm256_storeu_si256((__m256i *)(void *)(out + x), packed);
    }
    rows_ref.down(weight, count, in + x, stride, out + x, bytes - x);
}

// Eight pixels at a time; their loads reach 4 bytes past them.
static void normalise(const unsigned char *rgb, float *out, size_t n, const float mean[3], const float std[3])
{
    __m256i pick[3];
    for (int c = 0; c < 3; c++) {
        char at[32];
        memset(at, -1, sizeof at);
        for (int k = 0; k < 8; k++)
            at[4 * k] = (char)(k % 4 * 3 + c);
        memcpy(&pick[c], at, sizeof at);
    }
    size_t i = 0;
    for (; i + 10 <= n; i += 8) {
        __m256i x = _mm256_inserti128_si256(
            _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(rgb + 3 * i))),
            _mm_loadu_si128((const __m128i *)(const void *)(rgb + 3 * i + 12)), 1);
        for (int c = 0; c < 3; c++) {
            __m256 v = _mm256_cvtepi32_ps(_mm256_shuffle_epi8(x, pick[c]));
            v = _mm256_div_ps(v, _mm256_set1_ps(255.f));
            v = _mm256_div_ps(_mm256_sub_ps(v, _mm256_set1_ps(mean[c])), _mm256_set1_ps(std[c]));
            _mm256_storeu_ps(out + (size_t)c * n + i, v);
        }
    }
    for (; i < n; i++)
        for (int c = 0; c < 3; c++)
            out[(size_t)c * n + i] = ((float)rgb[3 * i + (size_t)c] / 255.f - mean[c]) / std[c];
}

const struct row_table rows_avx2 = {"avx2", pack, across, down, normalise};
