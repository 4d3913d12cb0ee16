// SPDX-License-Identifier: Apache-2.0
// The scan's loop for each of its versions but the widest: the file that includes this has `bytes`, a vector of LANES unsigned
// bytes; load, store, `bits`, the upper bit of each lane as bit; `between`, lanes from low to high, ASCII both, as 0xff;
// lanes_equal.
#ifndef CAPTION_SCAN_ROWS_H
#define CAPTION_SCAN_ROWS_H

#include <string.h>

#include "caption/scan.h"

static inline void copy(const char *from, int n, char *text)
{
    int end = n / SCAN_BLOCK * SCAN_BLOCK + 2 * SCAN_BLOCK;
    if (from != text && n)
        memcpy(text, from, (size_t)n);
    memset(text + n, 0, (size_t)(end - n));
}

static inline int scan_all(const char *from, int n, char *text, char *small, struct scan *out)
{
    uint64_t odd = 0, high = 0, blank = 0;
    copy(from, n, text);
    for (int at = 0; at < n; at += SCAN_BLOCK, out++) {
        struct scan is = {0};
        uint64_t other = 0;
        for (int k = 0; k < SCAN_BLOCK; k += LANES) {
            bytes b = load(text + at + k), up = between(b, 'A', 'Z'), low = between(b, 'a', 'z'), site = lanes_equal(b, '@');
            bytes lower = b | (up & splat(32)), dot = lanes_equal(b, '.'), letter = b | up | low;
            store(small + at + k, lower);
            is.letter |= bits(letter) << k;
            is.word |= bits(letter | between(b, '0', '9')) << k;
            is.upper |= bits(up) << k;
            is.lower |= bits(low) << k;
            is.blank |= bits(lanes_equal(b, ' ')) << k;
            is.hyphen |= bits(lanes_equal(b, '-')) << k;
            is.quote |= bits(lanes_equal(b, '\'')) << k;
            is.s |= bits(lanes_equal(lower, 's')) << k;
            is.w |= bits(lanes_equal(lower, 'w')) << k;
            is.before |= bits(site | lanes_equal(b, '#') | dot) << k;
            is.behind |= bits(site | lanes_equal(b, '"') | lanes_equal(b, '%')) << k;
            is.stop |= bits(dot | lanes_equal(b, '!') | lanes_equal(b, '?') | lanes_equal(b, ':')) << k;
            high |= bits(b);
            other |= bits(~between(b, ' ', '~') | lanes_equal(b, '&') | lanes_equal(b, '<') | lanes_equal(b, '_')) << k;
        }
        *out = is;
        int pad = at + SCAN_BLOCK - n;
        odd |= other & ~(uint64_t)0 >> (pad > 0 ? pad : 0);   // what pads is not odd
        blank |= is.blank;
    }
    *out = (struct scan){0};
    return (odd ? SCAN_ODD : 0) | (high ? SCAN_HIGH : 0) | (blank ? SCAN_BLANK : 0);
}

#endif
