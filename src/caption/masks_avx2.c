// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "caption/masks_rows.h"

static inline __m256i load(const uint8_t *at) { return _mm256_loadu_si256((const __m256i *)(const void *)at); }

static inline __m256i look_up(const uint8_t *table, __m256i at)   // of TAG_ROOM entries
{
    __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
    __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(table + 16)));
    return _mm256_blendv_epi8(_mm256_shuffle_epi8(low, at), _mm256_shuffle_epi8(high, _mm256_and_si256(at, _mm256_set1_epi8(15))),
                              _mm256_slli_epi16(at, 3));   // by bit 4
}

static inline uint64_t bits(__m256i bytes, int k) { return (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(bytes, 7 - k)); }

static inline void find_planes(const struct parser *p, int lane, lanes plane[PLANES])
{
    for (int k = 0; k < PLANES; k++)
        plane[k][lane] = 0;
    for (int i = 0; i < p->pieces; i += 32) {
        __m256i tags = load(p->tag + i), set[2] = {look_up(tag_sets[0], tags), look_up(tag_sets[1], tags)};
        __m256i traits = load(p->traits + i), looks = load(p->looks + i);
        for (int k = 0; k < TAG_PLANES; k++)
            plane[k][lane] |= bits(set[k / 8], k % 8) << i;
        for (int k = INSIDE; k < TRAITS_END; k++)
            plane[k][lane] |= bits(traits, k - INSIDE + 2) << i;
        for (int k = BE; k < LOOKS_END; k++)
            plane[k][lane] |= bits(looks, k - BE) << i;
        plane[FIXED_FIRST][lane] |= bits(load(p->sets + i), 6) << i;
        plane[FIXED_SECOND][lane] |= bits(load(p->sets + i), 7) << i;
        plane[CAPITALS][lane] |= bits(load(p->shape + i), 1) << i;   // CAPITAL, UPPER
    }
}

void masks_avx2(const struct parser *const *p, int n, struct masks *out) { masks_all(p, n, out); }
