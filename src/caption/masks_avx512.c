// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "caption/masks_rows.h"

static inline __m512i look_up(const uint8_t *table, __m512i at)   // of TAG_ROOM entries, twice in a register
{
    return _mm512_permutexvar_epi8(at, _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(const void *)table)));
}

static inline uint64_t bits(__m512i bytes, int k) { return _mm512_test_epi8_mask(bytes, _mm512_set1_epi8((char)(1 << k))); }

// The same of bits from 7 down to `least`, by the instruction for bit 7: it goes by another port than tests do.
static inline void put_bits(__m512i bytes, int least, int lane, lanes *plane)
{
    for (int k = 7; k >= least; k--, bytes = _mm512_add_epi8(bytes, bytes))
        plane[k - least][lane] = _mm512_movepi8_mask(bytes);
}

static inline void find_planes(const struct parser *p, int lane, lanes plane[PLANES])
{
    __m512i tags = _mm512_loadu_si512(p->tag), looks = _mm512_loadu_si512(p->looks), set = look_up(tag_sets[0], tags);
    for (int k = 0; k < 8; k++)
        plane[k][lane] = bits(set, k);
    put_bits(look_up(tag_sets[1], tags), 0, lane, plane + 8);
    put_bits(_mm512_loadu_si512(p->traits), 2, lane, plane + INSIDE);
    for (int k = BE; k < LOOKS_END; k++)
        plane[k][lane] = bits(looks, k - BE);
    plane[FIXED_FIRST][lane] = bits(_mm512_loadu_si512(p->sets), 6);
    plane[FIXED_SECOND][lane] = bits(_mm512_loadu_si512(p->sets), 7);
    plane[CAPITALS][lane] = bits(_mm512_loadu_si512(p->shape), 1);   // CAPITAL, UPPER
}

void masks_avx512(const struct parser *const *p, int n, struct masks *out) { masks_all(p, n, out); }
