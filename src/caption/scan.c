// SPDX-License-Identifier: Apache-2.0
#include "caption/scan.h"

#include <string.h>

#include "caption/chosen.h"

enum { LANES = 16 };
typedef signed char bytes __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

static inline bytes load(const char *from)
{
    bytes b;
    memcpy(&b, from, sizeof b);
    return b;
}

static inline void store(char *to, bytes b) { memcpy(to, &b, sizeof b); }
static inline bytes splat(char c) { return (bytes){0} + c; }
static inline bytes lanes_equal(bytes b, char c) { return b == c; }
static inline bytes between(bytes b, char low, char high) { return (b >= low) & (b <= high); }

static inline uint64_t bits(bytes b)
{
    halves h = (((halves)b >> 7 & 0x0101010101010101u) * 0x0102040810204080u) >> 56;
    return h[0] | h[1] << 8;
}

#include "caption/scan_rows.h"

int scan_ref(const char *from, int n, char *text, char *small, struct scan *out) { return scan_all(from, n, text, small, out); }

int scan_text(const char *from, int n, char *text, char *small, struct scan *out)
{
    return CHOSEN(scanner, AVX512_OR(scan_avx512, AVX2_OR(scan_avx2, scan_ref)))(from, n, text, small, out);
}
