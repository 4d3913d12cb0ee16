// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "caption/find.h"
#include "caption/lists.h"

enum { LANES = 8 };   // places, those between the captions, too: the boundary's; CUTS_ROUND has room for the last ones
enum { CLASS_AT = 32, TAG_AT = 40, SET_AT = 48, TRAITS_AT = 56 };   // bits of a word's last two numbers
_Static_assert(offsetof(struct word, noun) == 48 && offsetof(struct word, class) == 48 + CLASS_AT / 8 && offsetof(struct word, tag) == 48 + TAG_AT / 8 &&
               offsetof(struct word, set) == 48 + SET_AT / 8 && offsetof(struct word, marks) == 56 && offsetof(struct word, traits) == 56 + TRAITS_AT / 8,
               "as they are taken apart below");

static inline void put8(uint8_t *to, __m128i bytes) { _mm_storel_epi64((__m128i *)(void *)to, bytes); }

void settle_avx512(struct parsers *all)
{
    const __m512i boundary = _mm512_set1_epi64((long long)(uintptr_t)all->table->words), foreign = _mm512_set1_epi64(M_FOREIGN);
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    uint8_t *bits = (uint8_t *)all->foreign;
    int opens = 0;
    for (int at = 0, end = all->cuts ? all->at[all->cuts - 1] + 1 : 0; at < end; at += LANES) {
        __mmask8 there = end - at < LANES ? (__mmask8)((1u << (end - at)) - 1) : 0xff;
        __m512i from = _mm512_mask_loadu_epi64(boundary, there, all->word + at);
        __m512i one = _mm512_i64gather_epi64(from, (const void *)(uintptr_t)offsetof(struct word, noun), 1);
        __m512i two = _mm512_i64gather_epi64(from, (const void *)(uintptr_t)offsetof(struct word, marks), 1);
        __m128i tag = _mm512_cvtepi64_epi8(_mm512_srli_epi64(one, TAG_AT));
        put8(all->class + at, _mm512_cvtepi64_epi8(_mm512_srli_epi64(one, CLASS_AT)));
        put8(all->tag + at, tag);
        put8(all->traits + at, _mm512_cvtepi64_epi8(_mm512_srli_epi64(two, TRAITS_AT)));
        _mm_storeu_si128((__m128i *)(void *)(all->set + at), _mm512_cvtepi64_epi16(_mm512_srli_epi64(one, SET_AT)));
        bits[at / LANES] = _mm512_test_epi64_mask(two, foreign);
        __mmask8 open = _mm512_cmpneq_epi64_mask(from, boundary) & (__mmask8)_mm_cmpeq_epi8_mask(tag, _mm_set1_epi8(NO_TAG));
        _mm256_storeu_si256((__m256i *)(void *)(all->open + opens), _mm256_maskz_compress_epi32(open, _mm256_add_epi32(_mm256_set1_epi32(at), lane)));
        opens += __builtin_popcount(open);
    }
    all->opens = opens;
}
