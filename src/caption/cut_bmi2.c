// SPDX-License-Identifier: Apache-2.0
// Rounds of eight: their end is foreseen more often than the last bit.
#include <immintrin.h>
#include <string.h>

#include "caption/cut.h"

static inline uint64_t pick(uint64_t from, uint64_t which) { return _pext_u64(from, which); }

static inline void put_places(uint64_t bits, int n, int add, uint16_t *out)
{
    for (int i = 0; i < n; i += 8)
        for (int k = 0; k < 8; k++, bits = _blsr_u64(bits))
            out[i + k] = (uint16_t)(_tzcnt_u64(bits) + (unsigned)add);
}

static inline uint64_t spread(uint64_t bits) { return _pdep_u64(bits, 0x0101010101010101u); }

static inline void put_bytes(uint64_t one, uint64_t two, uint64_t four, int n, uint8_t *out)
{
    for (int i = 0; i < n; i += 8, one >>= 8, two >>= 8, four >>= 8) {
        uint64_t bytes = spread(one) | spread(two) << 1 | spread(four) << 2;
        memcpy(out + i, &bytes, sizeof bytes);
    }
}

#include "caption/cut_rows.h"

enum cut cut_bmi2(struct parser *p) { return cut_all(p); }
