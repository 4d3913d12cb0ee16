// SPDX-License-Identifier: Apache-2.0
#include "caption/cut.h"

#include "caption/chosen.h"

static inline uint64_t pick(uint64_t from, uint64_t which)
{
    uint64_t out = 0;
    for (int k = 0; which; which &= which - 1)
        out |= (from >> __builtin_ctzll(which) & 1) << k++;
    return out;
}

static inline void put_places(uint64_t bits, int n, int add, uint16_t *out)
{
    for (int i = 0; i < n; i++, bits &= bits - 1)
        out[i] = (uint16_t)(__builtin_ctzll(bits) + add);
}

static inline void put_bytes(uint64_t one, uint64_t two, uint64_t four, int n, uint8_t *out)
{
    for (int i = 0; i < n; i++, one >>= 1, two >>= 1, four >>= 1)
        out[i] = (uint8_t)((one & 1) | (two & 1) << 1 | (four & 1) << 2);
}

#include "caption/cut_rows.h"

enum cut cut_ref(struct parser *p) { return cut_all(p); }

enum cut cut_plain(struct parser *p)
{
    return CHOSEN(cutter, AVX512_OR(cut_avx512, BMI2_OR(cut_bmi2, cut_ref)))(p);
}
