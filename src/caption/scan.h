// SPDX-License-Identifier: Apache-2.0
// What each byte of a caption is, a bit each, 64 bytes at a time.
#ifndef CAPTION_SCAN_H
#define CAPTION_SCAN_H

#include <stdint.h>

enum { SCAN_BLOCK = 64 };
enum { SCAN_ODD = 1, SCAN_HIGH = 2 };   // some byte normalising looks at; some beyond ASCII

// Letters, digits and all beyond ASCII; A-Z; a-z; ' '; - ; ' ; s; w, these two of either case; signs that mean more before a
// word, @ # . ; and behind one, " % @
struct scan {
    uint64_t word, upper, lower, blank, hyphen, quote, s, w, before, behind;
};

// text: n bytes, then zeros to the end of the block behind their last. small /* whole blocks */: text with A-Z as a-z. The masks
// of one block more than the text has are written, that one's zero. Returns SCAN_*.
typedef int scanner(const char *text, int n, char *small, struct scan *out);
scanner scan_text;                   // what this CPU does best; $DIHT_ISA=ref: the plain one
scanner scan_ref, scan_avx2;         // equal to the bit

// The 64 bits of `first` and what is in its place in the next block, from bit i on.
static inline uint64_t scan_window(uint64_t first, uint64_t next, int i) { return first >> i | next << 1 << (~i & 63); }

#endif
