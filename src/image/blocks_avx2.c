// SPDX-License-Identifier: Apache-2.0
// The transform is the one of Loeffler, Ligtenberg and Moschytz (1989) as the Independent JPEG Group's jidctint rounds it:
// factors of 13 bits behind the point, columns first, two more bits kept between the passes. Nothing is rounded within a
// pass, so each of its sums is written out as products of inputs, two of 16 bits an instruction.
#include "image/blocks.h"

#include <immintrin.h>
#include <string.h>

enum { POINT = 13, BETWEEN = 2 };

static inline __m256i twice(short a, short b)
{
    return _mm256_set1_epi32((int)((uint32_t)(uint16_t)a | (uint32_t)(uint16_t)b << 16));
}

static inline __m256i sum2(__m256i p, __m256i q, short a, short b, short c, short d, int few)
{
    __m256i x = _mm256_madd_epi16(p, twice(a, b));
    return few ? x : _mm256_add_epi32(x, _mm256_madd_epi16(q, twice(c, d)));
}

// One dimension of eight transforms at once, rounded and shifted down. pAB: the inputs A and B of each. Where `few`, the
// upper four inputs are zero.
static inline __attribute__((always_inline)) void transform8(__m256i p02, __m256i p46, __m256i p13, __m256i p57, int shift,
                                                             int few, __m256i x[8])
{
    const __m256i half = _mm256_set1_epi32(1 << (shift - 1));
    __m256i even[4] = {sum2(p02, p46, 8192, 10703, 8192, 4433, few), sum2(p02, p46, 8192, 4433, -8192, -10704, few),
                       sum2(p02, p46, 8192, -4433, -8192, 10704, few), sum2(p02, p46, 8192, -10703, 8192, -4433, few)};
    __m256i odd[4] = {sum2(p13, p57, 11363, 9633, 6437, 2260, few), sum2(p13, p57, 9633, -2259, -11362, -6436, few),
                      sum2(p13, p57, 6437, -11362, 2261, 9633, few), sum2(p13, p57, 2260, -6436, 9633, -11363, few)};
    for (int i = 0; i < 4; i++) {
        even[i] = _mm256_add_epi32(even[i], half);
        x[i] = _mm256_srai_epi32(_mm256_add_epi32(even[i], odd[i]), shift);
        x[7 - i] = _mm256_srai_epi32(_mm256_sub_epi32(even[i], odd[i]), shift);
    }
}

static inline __m256i pair_rows(const int16_t *upper, const int16_t *lower)
{
    __m128i a = _mm_load_si128((const __m128i *)(const void *)upper), b = _mm_load_si128((const __m128i *)(const void *)lower);
    return _mm256_set_m128i(_mm_unpackhi_epi16(a, b), _mm_unpacklo_epi16(a, b));
}

// Both passes. Returns the absolute values between them, or-ed.
static inline __attribute__((always_inline)) __m256i transform(const int16_t *c, int few, __m256i x[8])
{
    __m256i p02 = pair_rows(c, c + 16), p13 = pair_rows(c + 8, c + 24), p46 = p02, p57 = p13;
    if (!few) {
        p46 = pair_rows(c + 32, c + 48);
        p57 = pair_rows(c + 40, c + 56);
    }
    transform8(p02, p46, p13, p57, POINT - BETWEEN, few, x);
    __m256i rows[4], large = _mm256_setzero_si256(), columns[4];
    for (int i = 0; i < 4; i++) {
        rows[i] = _mm256_packs_epi32(x[2 * i], x[2 * i + 1]);
        large = _mm256_or_si256(large, _mm256_abs_epi16(rows[i]));
    }
    for (int i = 0; i < 2; i++) {   // rows 0 to 3, then 4 to 7: pairs of columns, those from 4 on in the upper half
        __m256i even = _mm256_unpacklo_epi16(rows[2 * i], rows[2 * i + 1]);
        __m256i odd = _mm256_unpackhi_epi16(rows[2 * i], rows[2 * i + 1]);
        __m256i c01 = _mm256_unpacklo_epi16(even, odd), c23 = _mm256_unpackhi_epi16(even, odd);
        columns[i] = _mm256_unpacklo_epi16(c01, c23);
        columns[2 + i] = _mm256_unpackhi_epi16(c01, c23);
    }
    p02 = _mm256_permute2x128_si256(columns[0], columns[1], 0x20);
    p46 = _mm256_permute2x128_si256(columns[0], columns[1], 0x31);
    p13 = _mm256_permute2x128_si256(columns[2], columns[3], 0x20);
    p57 = _mm256_permute2x128_si256(columns[2], columns[3], 0x31);
    transform8(p02, p46, p13, p57, POINT + BETWEEN + 3, few, x);
    return large;
}

// Columns of sums to rows of bytes around 128.
static inline void store_columns(const __m256i x[8], unsigned char *to, size_t stride)
{
    const __m256i turn = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    __m256i l = _mm256_packs_epi16(_mm256_packs_epi32(x[0], x[1]),
                                   _mm256_packs_epi32(x[2], x[3]));
    __m256i r = _mm256_packs_epi16(_mm256_packs_epi32(x[4], x[5]),
                                   _mm256_packs_epi32(x[6], x[7]));
    l = _mm256_xor_si256(_mm256_shuffle_epi8(l, turn), _mm256_set1_epi8((char)0x80));
    r = _mm256_xor_si256(_mm256_shuffle_epi8(r, turn), _mm256_set1_epi8((char)0x80));
    __m256i a = _mm256_unpacklo_epi32(l, r), b = _mm256_unpackhi_epi32(l, r);   // rows 0 1 | 4 5 and 2 3 | 6 7
    int64_t row[8];
    _mm_storeu_si128((__m128i *)(void *)&row[0], _mm256_castsi256_si128(a));
    _mm_storeu_si128((__m128i *)(void *)&row[2], _mm256_castsi256_si128(b));
    _mm_storeu_si128((__m128i *)(void *)&row[4], _mm256_extracti128_si256(a, 1));
    _mm_storeu_si128((__m128i *)(void *)&row[6], _mm256_extracti128_si256(b, 1));
    for (int i = 0; i < 8; i++)
        memcpy(to + (size_t)i * stride, &row[i], 8);
}

uint32_t block_samples(const int16_t *coefficients, int last, unsigned char *to, size_t stride)
{
    if (last == 0) {   // both passes of the first coefficient alone
        int v = ((coefficients[0] + 4) >> 3) + 128;
        for (int i = 0; i < 8; i++)
            memset(to + (size_t)i * stride, v < 0 ? 0 : v > 255 ? 255 : v, 8);
        return 0;
    }
    enum { CORNER = 9 };   // up to here the zigzag stays among the first four rows and columns
    __m256i x[8], large = last <= CORNER ? transform(coefficients, 1, x) : transform(coefficients, 0, x);
    store_columns(x, to, stride);
    return !_mm256_testz_si256(large, _mm256_set1_epi16((short)~(WILD - 1)));
}

void row_twice_wide(const unsigned char *row, const unsigned char *near, int n, uint16_t *sums, unsigned char *to)
{
    uint16_t *s = sums + 1;   // s[-1] and s[n]: the first and the last again
    int down = near ? 4 : 2, before = near ? 8 : 1, behind = near ? 7 : 2;
    if (near)
        for (int i = 0; i < n; i++)
            s[i] = (uint16_t)(3 * row[i] + near[i]);
    else
        for (int i = 0; i < n; i++)
            s[i] = row[i];
    s[-1] = s[0];
    s[n] = s[n - 1];
    for (int i = 0; i < n; i += 16) {
        __m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(s + i));
        __m256i l = _mm256_loadu_si256((const __m256i *)(const void *)(s + i - 1));
        __m256i r = _mm256_loadu_si256((const __m256i *)(const void *)(s + i + 1));
        c = _mm256_add_epi16(c, _mm256_add_epi16(c, c));
        l = _mm256_add_epi16(_mm256_add_epi16(c, l), _mm256_set1_epi16((short)before));
        r = _mm256_add_epi16(_mm256_add_epi16(c, r), _mm256_set1_epi16((short)behind));
        l = _mm256_srl_epi16(l, _mm_cvtsi32_si128(down));
        r = _mm256_srl_epi16(r, _mm_cvtsi32_si128(down));
        _mm256_storeu_si256((__m256i *)(void *)(to + 2 * i), _mm256_or_si256(l, _mm256_slli_epi16(r, 8)));
    }
}

// (x * f + 2^15) >> 16 for a constant of 16 bits: the high half of the doubled product, rounded.
static inline __m256i scaled(__m256i x, short f)
{
    __m256i high = _mm256_mulhi_epi16(_mm256_add_epi16(x, x), _mm256_set1_epi16(f));
    return _mm256_srai_epi16(_mm256_add_epi16(high, _mm256_set1_epi16(1)), 1);
}

static inline __m128i bytes(__m256i v)
{
    return _mm_packus_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

static inline __m256i words(const unsigned char *p)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)p));
}

// Sixteen pixels. The factors are 1.402, 1.772 - 2, -0.34414 and 1 - 0.71414 times 2^16.
static inline void colours16(const unsigned char *y, const unsigned char *cb, const unsigned char *cr, unsigned char *rgb)
{
    const __m256i middle = _mm256_set1_epi16(128), half = _mm256_set1_epi32(1 << 15);
    const __m256i green = _mm256_set1_epi32((int)((uint32_t)(uint16_t)-22554 | (uint32_t)18734 << 16));
    __m256i l = words(y), b = _mm256_sub_epi16(words(cb), middle), r = _mm256_sub_epi16(words(cr), middle);
    __m256i lo = _mm256_madd_epi16(_mm256_unpacklo_epi16(b, r), green);
    __m256i hi = _mm256_madd_epi16(_mm256_unpackhi_epi16(b, r), green);
    lo = _mm256_srai_epi32(_mm256_add_epi32(lo, half), 16);
    hi = _mm256_srai_epi32(_mm256_add_epi32(hi, half), 16);
    __m128i red = bytes(_mm256_add_epi16(_mm256_add_epi16(l, r), scaled(r, 26345)));
    __m128i grn = bytes(_mm256_add_epi16(_mm256_sub_epi16(l, r), _mm256_packs_epi32(lo, hi)));
    __m128i blu = bytes(_mm256_add_epi16(_mm256_add_epi16(l, _mm256_add_epi16(b, b)), scaled(b, -14942)));
    static const signed char at[3][3][16] = {   // [third of the result][colour]: which pixel comes there
        {{0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1, 5}, {-1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1},
         {-1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1}},
        {{-1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10, -1}, {5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10},
         {-1, 5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1}},
        {{-1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1, -1}, {-1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1},
         {10, -1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15}},
    };
    for (int k = 0; k < 3; k++) {
        const __m128i *m = (const __m128i *)(const void *)at[k];
        __m128i third = _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(red, _mm_loadu_si128(m)),
                                                  _mm_shuffle_epi8(grn, _mm_loadu_si128(m + 1))),
                                     _mm_shuffle_epi8(blu, _mm_loadu_si128(m + 2)));
        _mm_storeu_si128((__m128i *)(void *)(rgb + 16 * k), third);
    }
}

void row_colours(const unsigned char *y, const unsigned char *cb, const unsigned char *cr, int n, unsigned char *rgb)
{
    int i = 0;
    for (; i + 16 <= n; i += 16)
        colours16(y + i, cb + i, cr + i, rgb + 3 * i);
    if (i < n) {
        unsigned char end[48];
        colours16(y + i, cb + i, cr + i, end);
        memcpy(rgb + 3 * i, end, (size_t)(n - i) * 3);
    }
}
