// SPDX-License-Identifier: Apache-2.0
// Captions cut by bit masks, for each version: the file that includes this has, for n bits from the lowest on,
//   pick(from, which)                 of the bits of `from` those at the bits of `which`, side by side
//   put_places(bits, n, add, out)     each set bit's place plus `add`; there are n
//   put_bytes(one, two, four, n, out) a byte a bit: 1, 2 and 4 where they are set, added
// and may write CUT_SLACK entries more. The rules are those of words.c and shapes.c, which do the rest.
#ifndef CAPTION_CUT_ROWS_H
#define CAPTION_CUT_ROWS_H

#include "caption/cut.h"

enum { BLOCKS = 8 };                     // no caption is longer that is cut here
enum { SHAPED = 64 - CAPTION_AROUND };   // nor has more words, if their shapes are found here

// Of each byte, what is n before it, or behind it.
static inline uint64_t behind(uint64_t here, uint64_t before, int n) { return here << n | before >> (64 - n); }
static inline uint64_t ahead(uint64_t here, uint64_t next, int n) { return here >> n | next << (64 - n); }

struct bounds {             // of a block, a bit each
    uint64_t first, last;   // bytes of words and signs
};

struct written {                // a bit a word, the first one's lowest
    uint64_t letter, capital;   // what it begins with
    uint64_t stop;              // begins as signs do that end a sentence
    uint64_t longer;            // than three bytes
    uint64_t inside;            // capitals behind its first byte
    uint64_t upper;             // no small letter beside these
};

// Words with the hyphens inside them; [1]: of block 0.
static inline void find_words(const struct scan *is, int blocks, uint64_t word[BLOCKS + 2])
{
    uint64_t before = 0;
    word[0] = word[blocks + 1] = 0;
    for (int b = 0; b < blocks; b++) {
        word[b + 1] = is[b].word | (is[b].hyphen & behind(is[b].word, before, 1) & ahead(is[b].word, is[b + 1].word, 1));
        before = is[b].word;
    }
}

// Floods over words, from block to block.
static inline uint64_t flood_on(uint64_t bits, uint64_t through, uint64_t *carry)
{
    uint64_t all = flood(bits | *carry, through);
    *carry = (all & through) >> 63;
    return all;
}

// Words with capitals inside. False: one is longer than a block.
static inline bool find_inside(const struct scan *is, const struct bounds *bounds, int blocks, struct written *w)
{
    uint64_t carry[5] = {0};
    for (int b = 0, words = 0; b < blocks; b++) {
        uint64_t first = bounds[b].first, last = bounds[b].last, through = ~(last | is[b].blank), capital = is[b].upper;
        uint64_t inside = flood_on(capital & ~first, through, &carry[0]) & last;
        uint64_t small = flood_on(is[b].lower, through, &carry[1]) & last;
        uint64_t second = capital & flood_on(behind(capital & through, carry[2] << 63, 1), through, &carry[3]);
        uint64_t several = flood_on(second, through, &carry[4]) & last;
        carry[2] = (capital & through) >> 63;
        w->inside |= pick(inside, last) << (words & 63);
        w->upper |= pick(inside & several & ~small, last) << (words & 63);
        words += __builtin_popcountll(last);
        if (b + 1 < blocks && through >> 63) {   // the word goes on
            int from = first ? 63 - __builtin_clzll(first) : 0, to = bounds[b + 1].last ? __builtin_ctzll(bounds[b + 1].last) : 63;
            if (to >= from)
                return false;
        }
    }
    return true;
}

static inline void put_shapes(struct written w, int n, uint8_t *out)
{
    uint64_t begins = flood(1 | w.stop << 1, ~w.letter);   // the first of a sentence
    uint64_t words = w.letter & w.longer, capitals = words & (w.capital | w.inside), capital = w.capital & ~w.inside;
    int some = __builtin_popcountll(capitals);
    bool title = some >= 2 && 4 * some >= 3 * __builtin_popcountll(words);
    uint64_t all = title ? 0 : ~(uint64_t)0;   // where most words have capitals, they say nothing
    put_bytes(((capital & begins) | w.upper) & all, ((capital & ~begins) | w.upper) & all, w.inside & ~w.upper & all, n + CAPTION_AROUND, out);
}

static inline enum cut cut_all(struct parser *p)
{
    const struct scan *is = p->is;
    int blocks = (p->length + SCAN_BLOCK - 1) / SCAN_BLOCK, n = 0, ends = 0;
    if (blocks > BLOCKS || blocks == 0)
        return CUT_NOT;
    struct bounds bounds[BLOCKS];
    struct written w = {0};
    uint64_t word[BLOCKS + 2], hard = 0, inside = 0, own_before = 0, first_before = 0;
    uint64_t gap_before = (uint64_t)1 << 63;   // before the first byte is as good as a blank
    find_words(is, blocks, word);
    for (int b = 0; b < blocks; b++) {
        int left = p->length - b * SCAN_BLOCK;
        uint64_t text = left < SCAN_BLOCK ? ((uint64_t)1 << left) - 1 : ~(uint64_t)0;
        uint64_t here = word[b + 1], gap = is[b].blank | ~text, next_gap = b + 1 < blocks ? is[b + 1].blank : ~(uint64_t)0;
        uint64_t sign = ~(here | gap), word_behind = behind(here, word[b], 1), word_ahead = ahead(here, word[b + 2], 1);
        uint64_t own = is[b].quote & word_behind & ahead(is[b].s, is[b + 1].s, 1) & ~ahead(here, word[b + 2], 2);   // dog's
        hard |= sign & ((word_behind & word_ahead & ~own) | (word_ahead & ~word_behind & is[b].before) | (word_behind & is[b].behind) |
                        ~(word_ahead | ahead(gap, next_gap, 1)));
        hard |= is[b].w & ahead(is[b].w, is[b + 1].w, 1);    // www.
        hard |= own & behind(own, own_before, 2);            // child's's
        uint64_t first = (here & ~word_behind & ~behind(own, own_before, 1)) | sign, last = (here & ~word_ahead) | (sign & ~own);
        uint64_t alone = sign & behind(gap, gap_before, 1) & ahead(gap, next_gap, 1);
        int more = __builtin_popcountll(first), most = __builtin_popcountll(last);
        put_places(first, more, b * SCAN_BLOCK, p->start + n);
        put_places(last, most, b * SCAN_BLOCK + 1, p->end + ends);
        put_bytes(0, pick(alone, first), 0, more, p->flags + n);
        w.letter |= pick(is[b].letter, first) << (n & 63);
        w.capital |= pick(is[b].upper, first) << (n & 63);
        w.stop |= pick(is[b].stop, first) << (n & 63);
        w.longer |= pick(~(first | behind(first, first_before, 1) | behind(first, first_before, 2)), last) << (ends & 63);
        inside |= is[b].upper & ~first;
        bounds[b] = (struct bounds){first, last};
        gap_before = gap;
        own_before = own;
        first_before = first;
        n += more;
        ends += most;
    }
    if (hard)
        return CUT_NOT;
    p->pieces = n < CAPTION_WORDS ? n : CAPTION_WORDS;
    if (n > SHAPED || (inside && !find_inside(is, bounds, blocks, &w)))
        return CUT_SHAPELESS;
    put_shapes(w, n, p->shape);
    return CUT_WHOLE;
}

#endif
