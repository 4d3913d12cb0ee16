// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "caption/scan.h"

enum { LANES = 32 };
typedef __m256i bytes;

static inline bytes load(const char *from) { return _mm256_loadu_si256((const __m256i *)(const void *)from); }
static inline void store(char *to, bytes b) { _mm256_storeu_si256((__m256i *)(void *)to, b); }
static inline bytes splat(char c) { return _mm256_set1_epi8(c); }
static inline uint64_t bits(bytes b) { return (uint32_t)_mm256_movemask_epi8(b); }
static inline bytes lanes_equal(bytes b, char c) { return _mm256_cmpeq_epi8(b, splat(c)); }
// Signed: what is beyond ASCII is below them all.
static inline bytes between(bytes b, char low, char high)
{
    return _mm256_and_si256(_mm256_cmpgt_epi8(b, splat((char)(low - 1))), _mm256_cmpgt_epi8(splat((char)(high + 1)), b));
}

#include "caption/scan_rows.h"

int scan_avx2(const char *from, int n, char *text, char *small, struct scan *out) { return scan_all(from, n, text, small, out); }
