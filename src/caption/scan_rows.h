// SPDX-License-Identifier: Apache-2.0
// The scan's loop for each of its versions: the file that includes this has `bytes`, a vector of LANES unsigned bytes; load,
// store, `bits`, the upper bit of each lane as bit; `between`, lanes from low to high, ASCII both, as 0xff; lanes_equal.
#ifndef CAPTION_SCAN_ROWS_H
#define CAPTION_SCAN_ROWS_H

#include "caption/scan.h"

static inline int scan_all(const char *text, int n, char *small, const struct scan *out)
{
    uint64_t odd = 0, high = 0;
    int block = 0;
    for (int at = 0; at < n; at += SCAN_BLOCK, block++) {
        uint64_t word = 0, upper = 0, lower = 0, blank = 0, other = 0, beyond = 0;
        for (int k = 0; k < SCAN_BLOCK; k += LANES) {
            bytes b = load(text + at + k), up = between(b, 'A', 'Z'), low = between(b, 'a', 'z'), digit = between(b, '0', '9');
            store(small + at + k, b | (up & splat(32)));
            word |= bits(b | up | low | digit) << k;
            upper |= bits(up) << k;
            lower |= bits(low) << k;
            blank |= bits(lanes_equal(b, ' ')) << k;
            beyond |= bits(b) << k;
            other |= bits(~between(b, ' ', '~') | lanes_equal(b, '&') | lanes_equal(b, '<') | lanes_equal(b, '_')) << k;
        }
        out->word[block] = word;
        out->upper[block] = upper;
        out->lower[block] = lower;
        out->blank[block] = blank;
        int pad = at + SCAN_BLOCK - n;
        odd |= other & ~(uint64_t)0 >> (pad > 0 ? pad : 0);   // what pads is not odd
        high |= beyond;
    }
    out->word[block] = out->upper[block] = out->lower[block] = out->blank[block] = 0;
    return (odd ? SCAN_ODD : 0) | (high ? SCAN_HIGH : 0);
}

#endif
