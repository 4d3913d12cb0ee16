// SPDX-License-Identifier: Apache-2.0
// A weight of 22 bits is cut in two halves of 15 and the rest: products of pairs of 16-bit numbers are the fastest there
// are, and hi * 2^15 + lo is the same sum to the bit.
#include "image/rows.h"

#include <immintrin.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LOW = 15, GROUP = 4 };   // pixels whose products one instruction forms, two in each half of a register

// A place's weights: per group 16 numbers lo, then 16 hi; [a b a b a b - -] for pixels 0, 1, the same for 2, 3. Where
// the last group would reach past the row, the place starts earlier, with weights of zero.
static void pack(struct taps *t)
{
    int groups = (t->most + GROUP - 1) / GROUP, reach = groups * GROUP;
    if (t->in < reach)
        return;
    size_t bytes = ((size_t)t->n * (size_t)groups * 32 * sizeof(int16_t) + 63) & ~(size_t)63;
    int16_t *packed = aligned_alloc(64, bytes + (((size_t)t->n * sizeof(int) + 63) & ~(size_t)63));
    if (!packed)
        return;
    t->packed = packed;
    t->start = (int *)(void *)((char *)packed + bytes);
    t->groups = groups;
    memset(packed, 0, bytes);
    for (int i = 0; i < t->n; i++) {
        int start = t->first[i] <= t->in - reach ? t->first[i] : t->in - reach;
        t->start[i] = start;
        for (int k = 0; k < t->count[i]; k++) {
            int at = t->first[i] - start + k, half = at % GROUP / 2;
            int32_t w = t->weight[(size_t)i * (size_t)t->most + (size_t)k];
            int16_t *g = packed + ((size_t)i * (size_t)groups + (size_t)(at / GROUP)) * 32 + half * 8 + at % 2;
            for (int c = 0; c < 3; c++) {
                g[2 * c] = (int16_t)(w & ((1 << LOW) - 1));
                g[2 * c + 16] = (int16_t)(w >> LOW);
            }
        }
    }
}

static inline __m256i broadcast16(const unsigned char *p)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)p));
}

// [r g b -] as bytes from sums in both halves.
static inline uint32_t finish(__m256i lo, __m256i hi)
{
    __m256i sum = _mm256_add_epi32(lo, _mm256_slli_epi32(hi, LOW));
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    s = _mm_srai_epi32(_mm_add_epi32(s, _mm_set1_epi32(1 << (WEIGHT_BITS - 1))), WEIGHT_BITS);
    s = _mm_packs_epi32(s, s);
    return (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(s, s));
}

// Four rows at once share a place's weights. The loads reach 4 bytes past a row: the last row is left to plain C.
static void across(const struct taps *t, const unsigned char *in, size_t stride, unsigned char *out, size_t out_stride,
                   int rows)
{
    const __m256i pick = _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,
                                          6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
    int y = 0;
    for (; t->packed && y + 4 < rows; y += 4) {
        const unsigned char *row = in + (size_t)y * stride;
        unsigned char *to = out + (size_t)y * out_stride;
        const __m256i *w = (const __m256i *)(const void *)t->packed;
        for (int i = 0; i < t->n; i++) {
            const unsigned char *p = row + (size_t)t->start[i] * 3;
            __m256i lo[4], hi[4];
            for (int r = 0; r < 4; r++)
                lo[r] = hi[r] = _mm256_setzero_si256();
            for (int g = 0; g < t->groups; g++, p += 3 * GROUP, w += 2)
                for (int r = 0; r < 4; r++) {
                    __m256i x = _mm256_shuffle_epi8(broadcast16(p + (size_t)r * stride), pick);
                    lo[r] = _mm256_add_epi32(lo[r], _mm256_madd_epi16(x, w[0]));
                    hi[r] = _mm256_add_epi32(hi[r], _mm256_madd_epi16(x, w[1]));
                }
            for (int r = 0; r < 4; r++) {
                uint32_t rgb = finish(lo[r], hi[r]);
                unsigned char *o = to + (size_t)r * out_stride + 3 * (size_t)i;
                memcpy(o, &rgb, 3);
            }
        }
    }
    rows_ref.across(t, in + (size_t)y * stride, stride, out + (size_t)y * out_stride, out_stride, rows - y);
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
