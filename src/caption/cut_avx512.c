// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "caption/cut.h"

static inline uint64_t pick(uint64_t from, uint64_t which) { return _pext_u64(from, which); }

static inline void put_places(uint64_t bits, int n, int add, uint16_t *out)
{
    static const uint8_t all[64] __attribute__((aligned(64))) = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
        32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
    };
    __m512i places = _mm512_maskz_compress_epi8(bits, _mm512_load_si512(all)), from = _mm512_set1_epi16((short)add);
    _mm512_storeu_si512(out, _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(places)), from));
    if (n > 32)
        _mm512_storeu_si512(out + 32, _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(places, 1)), from));
}

static inline void put_bytes(uint64_t one, uint64_t two, uint64_t four, int n, uint8_t *out)
{
    (void)n;   // always all
    __m512i bytes = _mm512_or_si512(_mm512_maskz_set1_epi8(one, 1), _mm512_maskz_set1_epi8(two, 2));
    _mm512_storeu_si512(out, _mm512_or_si512(bytes, _mm512_maskz_set1_epi8(four, 4)));
}

#include "caption/cut_rows.h"

enum cut cut_avx512(struct parser *p) { return cut_all(p); }
