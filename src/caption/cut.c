// SPDX-License-Identifier: Apache-2.0
// Captions whose words end at blanks and at signs that mean no more than themselves, cut by bit masks: nearly all. The rules
// are those of words.c, which cuts the rest.
#include "caption/cut.h"

enum { BLOCKS = 8 };   // no caption is longer that is cut here

// Of each byte, what is one or two before or behind it.
static inline uint64_t behind(uint64_t here, uint64_t before) { return here << 1 | before >> 63; }
static inline uint64_t ahead(uint64_t here, uint64_t next, int n) { return here >> n | next << (64 - n); }
static inline int lowest(uint64_t bits) { return __builtin_ctzll(bits); }

struct bounds {             // a bit each
    uint64_t first, last;   // bytes of words and signs
    uint64_t alone;         // signs with blanks on both sides
};

// False: some byte takes a closer look.
static bool find_bounds(const struct parser *p, int blocks, struct bounds out[BLOCKS])
{
    const struct scan *is = p->is;
    uint64_t word[BLOCKS + 2] = {0};   // [1]: of block 0; with the hyphens inside words
    for (int b = 0; b < blocks; b++) {
        uint64_t before = b ? is[b - 1].word : 0;
        word[b + 1] = is[b].word | (is[b].hyphen & behind(is[b].word, before) & ahead(is[b].word, is[b + 1].word, 1));
    }
    word[blocks + 1] = 0;
    uint64_t hard = 0, gap_before = (uint64_t)1 << 63, own_before = 0;   // before the first byte is as good as a blank
    for (int b = 0; b < blocks; b++) {
        int left = p->length - b * SCAN_BLOCK;
        uint64_t text = left < SCAN_BLOCK ? ((uint64_t)1 << left) - 1 : ~(uint64_t)0;
        uint64_t w = word[b + 1], gap = is[b].blank | ~text, next_gap = b + 1 < blocks ? is[b + 1].blank : ~(uint64_t)0;
        uint64_t sign = ~(w | gap), word_behind = behind(w, word[b]), word_ahead = ahead(w, word[b + 2], 1);
        uint64_t own = is[b].quote & word_behind & ahead(is[b].s, is[b + 1].s, 1) & ~ahead(w, word[b + 2], 2);   // dog's
        hard |= sign & ((word_behind & word_ahead & ~own) | (word_ahead & ~word_behind & is[b].before) | (word_behind & is[b].behind) |
                        ~(word_ahead | ahead(gap, next_gap, 1)));
        hard |= is[b].w & ahead(is[b].w, is[b + 1].w, 1);    // www.
        hard |= own & (own << 2 | own_before >> 62);         // child's's
        out[b].first = (w & ~word_behind & ~behind(own, own_before)) | sign;
        out[b].last = (w & ~word_ahead) | (sign & ~own);
        out[b].alone = sign & behind(gap, gap_before) & ahead(gap, next_gap, 1);
        gap_before = gap;
        own_before = own;
    }
    return !hard;
}

bool words_cut_plain(struct parsers *all, int caption)
{
    struct parser *p = &all->parser[caption];
    struct bounds bounds[BLOCKS];
    int blocks = (p->length + SCAN_BLOCK - 1) / SCAN_BLOCK, n = 0, end = 0;
    if (blocks > BLOCKS || blocks == 0 || !find_bounds(p, blocks, bounds))
        return false;
    struct cutter c = cutter_of(all, caption);
    uint64_t last = bounds[0].last;
    for (int b = 0; b < blocks; b++) {
        uint64_t alone = bounds[b].alone;
        for (uint64_t first = bounds[b].first; first && n < CAPTION_WORDS; first &= first - 1) {
            int at = lowest(first);
            while (!last)
                last = bounds[++end].last;
            cut_word(c, n++, b * SCAN_BLOCK + at, end * SCAN_BLOCK + lowest(last) + 1, (alone >> at & 1) * PIECE_ALONE);
            last &= last - 1;
        }
    }
    p->pieces = n;
    return true;
}
