// SPDX-License-Identifier: Apache-2.0
// A word cut from a caption's text: its piece and its hash. It is looked up when all are cut: until then its slot in the table
// is on its way to the cache.
#ifndef CAPTION_CUT_H
#define CAPTION_CUT_H

#include <string.h>

#include "caption/caption.h"

// Bytes of a block.
typedef unsigned char cut_block __attribute__((vector_size(16)));

// The first n bytes of a block, at most 16, the rest zero.
static inline void first_bytes(const char *from, int n, uint64_t out[2])
{
    static const unsigned char some[32] = {[0 ... 15] = 0xff};
    cut_block b, which;
    memcpy(&b, from, sizeof b);
    memcpy(&which, some + 16 - (n < 16 ? n : 16), sizeof which);
    b &= which;
    memcpy(out, &b, sizeof b);
}

// The rooms' addresses, held where no byte that is written could be thought to change them.
struct cutter {
    struct piece *piece;   // all of the caption's own, from its first
    uint64_t *hash;
    const char *lower;
    const uint64_t *slots;
    uint32_t mask;
};

static inline struct cutter cutter_of(const struct parsers *all, int caption)
{
    const struct parser *p = &all->parser[caption];
    int first = all->cuts + (caption + 1) * CAPTION_AROUND;   // the caption's own words are not yet among the cuts
    return (struct cutter){all->piece + first, all->hash + first, p->lower, all->table->slots, all->table->mask};
}

static inline __attribute__((always_inline)) void cut_word(struct cutter c, int number, int start, int end, unsigned flags)
{
    int n = end - start;
    uint64_t low[2], hash;
    first_bytes(c.lower + start, n, low);
    hash = n <= 16 ? word_hash_block(WORD_SEED, low[0], low[1]) : word_hash(c.lower + start, (size_t)n);
    __builtin_prefetch(&c.slots[(uint32_t)hash & c.mask]);
    c.piece[number] = (struct piece){.start = (uint16_t)start, .len = (uint16_t)n, .flags = (uint8_t)flags};
    c.hash[number] = hash;
}

#endif
