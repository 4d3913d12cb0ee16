// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "caption/mends.h"

uint64_t mends_may_avx512(const uint64_t *own, const uint64_t *behind, const uint64_t *ahead)
{
    uint64_t may = 0;
    for (int k = 0; k < MENDS_ROUND; k += 8) {
        __m512i both = _mm512_and_si512(_mm512_loadu_si512(own + k), _mm512_loadu_si512(behind + k));
        may |= (uint64_t)_mm512_test_epi64_mask(both, _mm512_loadu_si512(ahead + k)) << k;
    }
    return may;
}
