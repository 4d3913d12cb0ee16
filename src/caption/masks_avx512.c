// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "caption/masks_rows.h"

static inline __m512i look_up(const uint8_t *table, __m512i at)   // of TAG_ROOM entries, twice in a register
{
    return _mm512_permutexvar_epi8(at, _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(const void *)table)));
}

static inline uint64_t bits(__m512i bytes, int k) { return _mm512_test_epi8_mask(bytes, _mm512_set1_epi8((char)(1 << k))); }

static inline void find_planes(const uint8_t *tag, const uint8_t *traits, const uint8_t *shape, int n, uint64_t plane[PLANES])
{
    (void)n;   // always all
    __m512i tags = _mm512_loadu_si512(tag), set[2] = {look_up(tag_sets[0], tags), look_up(tag_sets[1], tags)}, trait = _mm512_loadu_si512(traits);
    for (int k = 0; k < TAG_PLANES; k++)
        plane[k] = bits(set[k / 8], k % 8);
    for (int k = INSIDE; k < TRAIT_PLANES_END; k++)
        plane[k] = bits(trait, k - INSIDE + 2);
    plane[CAPITAL_PLANE] = bits(_mm512_loadu_si512(shape), 1);   // CAPITAL, UPPER
}

void masks_avx512(const struct parser *p, struct masks *out) { masks_all(p, out); }
