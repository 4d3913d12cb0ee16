// SPDX-License-Identifier: Apache-2.0
// What each byte of a caption is, a bit each, 64 bytes at a time.
#ifndef CAPTION_SCAN_H
#define CAPTION_SCAN_H

#include <stdint.h>

enum { SCAN_BLOCK = 64 };
// Some byte normalising looks at; some beyond ASCII; some blank
enum { SCAN_ODD = 1, SCAN_HIGH = 2, SCAN_BLANK = 4 };

// Letters, all beyond ASCII among them; these and digits; A-Z; a-z; ' '; - ; ' ; s; w, these two of either case; signs that mean
// more before a word, @ # . ; and behind one, " % @ ; that end a sentence, . ! ? :
struct scan {
    uint64_t letter, word, upper, lower, blank, hyphen, quote, s, w, before, behind, stop;
};

// from: n bytes, copied to text, zeros behind them to the end of the block after their last one's (from may be text). small: the same
// with A-Z as a-z, to the end of their last block. The masks of one block more than the text has are written, that one's zero.
// Returns SCAN_*.
typedef int scanner(const char *from, int n, char *text, char *small, struct scan *out);
scanner scan_text;                           // what this CPU does best; $DIHT_ISA pins it
scanner scan_ref, scan_avx2, scan_avx512;    // equal to the bit

// The 64 bits of `first` and what is in its place in the next block, from bit i on.
static inline uint64_t scan_window(uint64_t first, uint64_t next, int i) { return first >> i | next << 1 << (~i & 63); }

// Bits, and those above them up to the first that is none of `through`, it with them: of numbers, or of vectors of them.
#define flood(bits, through) \
    ({ \
        __auto_type flood_from = (bits); \
        __auto_type flood_to = (through); \
        (((flood_from & flood_to) + flood_to) ^ flood_to) | flood_from; \
    })

#endif
