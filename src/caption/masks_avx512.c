// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "caption/masks_rows.h"

static inline __m512i look_up(const uint8_t *table, __m512i at)   // of TAG_ROOM entries, twice in a register
{
    return _mm512_permutexvar_epi8(at, _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(const void *)table)));
}

static inline uint64_t bits(__m512i bytes, int k) { return _mm512_test_epi8_mask(bytes, _mm512_set1_epi8((char)(1 << k))); }

static inline void find_planes(const struct parser *p, uint64_t plane[PLANES])
{
    __m512i tags = _mm512_loadu_si512(p->tag), set[2] = {look_up(tag_sets[0], tags), look_up(tag_sets[1], tags)};
    __m512i traits = _mm512_loadu_si512(p->traits), looks = _mm512_loadu_si512(p->looks);
    for (int k = 0; k < TAG_PLANES; k++)
        plane[k] = bits(set[k / 8], k % 8);
    for (int k = INSIDE; k < TRAITS_END; k++)
        plane[k] = bits(traits, k - INSIDE + 2);
    for (int k = BE; k < LOOKS_END; k++)
        plane[k] = bits(looks, k - BE);
    plane[FIXED_FIRST] = bits(_mm512_loadu_si512(p->sets), 6);
    plane[FIXED_SECOND] = bits(_mm512_loadu_si512(p->sets), 7);
    plane[CAPITALS] = bits(_mm512_loadu_si512(p->shape), 1);   // CAPITAL, UPPER
}

void masks_avx512(const struct parser *p, struct masks *out) { masks_all(p, out); }
