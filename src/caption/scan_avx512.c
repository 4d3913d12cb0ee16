// SPDX-License-Identifier: Apache-2.0
// A block in one register. What a byte is comes from two tables, a bit a kind, all 128 bytes of ASCII looked up at once.
#include <immintrin.h>

#include "caption/scan.h"

enum { UPPER = 1, LOWER = 2, DIGIT = 4, STOP = 8, HYPHEN = 16, QUOTE = 32, BEFORE = 64, BEHIND = 128 };
enum { BLANK = 1, S = 2, W = 4, ODD = 8 };

static const unsigned char kinds[128] __attribute__((aligned(64))) = {
    ['A' ... 'Z'] = UPPER, ['a' ... 'z'] = LOWER, ['0' ... '9'] = DIGIT, ['-'] = HYPHEN, ['\''] = QUOTE, ['.'] = STOP | BEFORE,
    ['!'] = STOP, ['?'] = STOP, [':'] = STOP, ['@'] = BEFORE | BEHIND, ['#'] = BEFORE, ['"'] = BEHIND, ['%'] = BEHIND,
};
static const unsigned char others[128] __attribute__((aligned(64))) = {
    [' '] = BLANK, ['s'] = S, ['S'] = S, ['w'] = W, ['W'] = W, [0 ... 31] = ODD, [127] = ODD, ['&'] = ODD, ['<'] = ODD, ['_'] = ODD,
};

static inline __m512i look_up(const unsigned char *table, __m512i b)
{
    return _mm512_permutex2var_epi8(_mm512_load_si512(table), b, _mm512_load_si512(table + 64));
}

static inline uint64_t are(__m512i kind, int which) { return _mm512_test_epi8_mask(kind, _mm512_set1_epi8((char)which)); }

int scan_avx512(const char *from, int n, char *text, char *small, struct scan *out)
{
    uint64_t odd = 0, all_high = 0, blank = 0;
    int at = 0;
    for (; at < n; at += SCAN_BLOCK, out++) {
        uint64_t here = n - at < SCAN_BLOCK ? _bzhi_u64(~(uint64_t)0, (unsigned)(n - at)) : ~(uint64_t)0;
        __m512i b = _mm512_maskz_loadu_epi8(here, from + at);
        uint64_t high = (uint64_t)_mm512_movepi8_mask(b), ascii = here & ~high;
        __m512i kind = _mm512_maskz_mov_epi8(ascii, look_up(kinds, b)), other = _mm512_maskz_mov_epi8(ascii, look_up(others, b));
        uint64_t upper = are(kind, UPPER);
        _mm512_storeu_si512(text + at, b);
        _mm512_storeu_si512(small + at, _mm512_or_si512(b, _mm512_maskz_set1_epi8(upper, 32)));
        out->letter = are(kind, UPPER | LOWER) | high;
        out->word = are(kind, UPPER | LOWER | DIGIT) | high;
        out->upper = upper;
        out->lower = are(kind, LOWER);
        out->blank = are(other, BLANK);
        out->hyphen = are(kind, HYPHEN);
        out->quote = are(kind, QUOTE);
        out->s = are(other, S);
        out->w = are(other, W);
        out->before = are(kind, BEFORE);
        out->behind = are(kind, BEHIND);
        out->stop = are(kind, STOP);
        odd |= are(other, ODD) | high;
        all_high |= high;
        blank |= out->blank;
    }
    _mm512_storeu_si512(text + at, _mm512_setzero_si512());
    *out = (struct scan){0};
    return (odd ? SCAN_ODD : 0) | (all_high ? SCAN_HIGH : 0) | (blank ? SCAN_BLANK : 0);
}
