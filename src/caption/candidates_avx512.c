// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "caption/candidates.h"
#include "caption/mends.h"

enum { LANES = 8 };   // places; those between the captions keep the rules they have: none
_Static_assert(NO_TAG < 24 && sizeof(struct mends) == 64, "as they are looked up below");

struct by_tag { __m512i part[3]; };   // a number a tag, the first 24

static inline struct by_tag load(const uint64_t *from)
{
    return (struct by_tag){{_mm512_loadu_si512(from), _mm512_loadu_si512(from + 8), _mm512_loadu_si512(from + 16)}};
}

static inline __m512i look_up(struct by_tag in, __m512i tags, __mmask8 late)   // late: from 16 on
{
    return _mm512_mask_permutexvar_epi64(_mm512_permutex2var_epi64(in.part[0], tags, in.part[1]), late, tags, in.part[2]);
}

static void find_rules(struct parsers *all, int end)
{
    const struct table *t = all->table;
    const struct by_tag owns = load(t->mends_own), behinds = load(t->mends_behind), aheads = load(t->mends_ahead);
    const __m512i slots = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(const void *)mends_slot)), low = _mm512_set1_epi64(0xff);
    const char *sets = (const char *)t->mends;
    for (int at = 0; at < end; at += LANES) {
        __m128i set = _mm_loadu_si128((const __m128i *)(const void *)(all->set + at));
        __m512i tags = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(const void *)(all->tag + at)));
        __mmask8 words = _mm512_cmplt_epi64_mask(tags, _mm512_set1_epi64(NO_TAG)), late = _mm512_test_epi64_mask(tags, _mm512_set1_epi64(16));
        __m512i from = _mm512_slli_epi64(_mm512_cvtepu16_epi64(_mm_and_si128(set, _mm_set1_epi16(MENDS_ROOM - 1))), 6);
        __m512i slot = _mm512_slli_epi64(_mm512_and_si512(_mm512_permutexvar_epi8(tags, slots), low), 3);
        __m512i own = _mm512_i64gather_epi64(_mm512_add_epi64(from, slot), sets + offsetof(struct mends, at), 1);
        __m512i behind = _mm512_i64gather_epi64(from, sets + offsetof(struct mends, behind), 1);
        __m512i ahead = _mm512_i64gather_epi64(from, sets + offsetof(struct mends, ahead), 1);
        _mm512_mask_storeu_epi64(all->own + at, words, _mm512_and_si512(own, look_up(owns, tags, late)));
        _mm512_mask_storeu_epi64(all->behind + at, words, _mm512_and_si512(behind, look_up(behinds, tags, late)));
        _mm512_mask_storeu_epi64(all->ahead + at, words, _mm512_and_si512(ahead, look_up(aheads, tags, late)));
        _mm_storel_epi64((__m128i *)(void *)(all->looks + at), _mm512_cvtepi64_epi8(_mm512_srli_epi64(ahead, MENDS_LOOKS)));
        _mm_storel_epi64((__m128i *)(void *)(all->sets + at), _mm_cvtepi16_epi8(_mm_srli_epi16(set, 8)));
    }
}

void candidates_avx512(struct parsers *all)
{
    int end = all->at[all->cuts - 1] + 1;
    find_rules(all, end);
    for (int from = 0; from < end - 1; from += MENDS_ROUND) {
        uint64_t may = 0;
        for (int k = 0; k < MENDS_ROUND; k += LANES) {
            int at = from + 1 + k;
            __m512i both = _mm512_and_si512(_mm512_loadu_si512(all->own + at), _mm512_loadu_si512(all->behind + at - 1));
            may |= (uint64_t)_mm512_test_epi64_mask(both, _mm512_loadu_si512(all->ahead + at + 1)) << k;
        }
        all->may[from / MENDS_ROUND] = may;
    }
}
