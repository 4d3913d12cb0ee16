// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

typedef __v16hi sums;
static const sums none;

static inline sums load_sums(const short *from) { return (sums)_mm256_load_si256((const __m256i *)(const void *)from); }
static inline sums add_row(sums sum, const signed char *row)
{
    return sum + (sums)_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)row));
}

// Sums of at most 16 rows of int8 leave four bits for the lane. There is an instruction for the smallest of eight, in four
// cycles: what is largest is turned round.
static inline int best_lane(sums sum)
{
    const __m256i lane = _mm256_setr_epi16(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m256i v = _mm256_sub_epi16(_mm256_sub_epi16(_mm256_set1_epi16(0x7fff), lane), _mm256_slli_epi16((__m256i)sum, 4));
    __m128i least = _mm_minpos_epu16(_mm_min_epu16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
    return _mm_cvtsi128_si32(least) & 15;
}

#include "caption/tagger_rows.h"

void tag_words_avx2(const struct table *t, const struct tokens *s) { walk_all(t, s); }
