// SPDX-License-Identifier: Apache-2.0
// Captions' words found in the table. Each stage goes over the words of all captions.
#include <string.h>

#include "caption/cut.h"
#include "caption/lists.h"
#include "caption/tagger.h"

// Where a caption's words will lie in the rooms, behind those of the ones before.
static void place(struct parsers *all, int caption)
{
    struct parser *p = &all->parser[caption];
    int at = all->cuts + (caption + 1) * CAPTION_AROUND;
    p->start = all->start + all->cuts;
    p->end = all->end + all->cuts;
    p->flags = all->flags + all->cuts;
    p->piece = all->piece + at;
    p->word = all->word + at - 2;
    p->hash = all->hash + at - CAPTION_AROUND;
    p->shape = all->shape + at;
}

// Nothing beside the words, from the place `at` on.
void words_around(struct parsers *all, int at)
{
    for (int k = at; k < at + CAPTION_AROUND; k++) {
        all->piece[k] = (struct piece){.tag = NO_TAG};
        all->hash[k] = 0;
        all->word[k] = &all->table->words[0];
    }
}

void words_cut(struct parsers *all, int caption)
{
    struct parser *p = &all->parser[caption];
    place(all, caption);
    p->hashtags = false;
    enum cut cut = cut_plain(p);
    if (cut == CUT_NOT)
        cut_closely(p);
    if (cut != CUT_WHOLE)
        cut_shapes(p);
    int32_t *at = all->at + all->cuts, first = all->cuts + (caption + 1) * CAPTION_AROUND;
    for (int i = 0; i < p->pieces; i += CUTS_ROUND) {   // some more than there are: the loop's end is foreseen more often
        memset(all->owner + all->cuts + i, caption, CUTS_ROUND);
        for (int k = 0; k < CUTS_ROUND; k++)
            at[i + k] = first + i + k;
    }
    all->cuts += p->pieces;
    words_around(all, first + p->pieces);
}

// A word's hash while its bytes may be read up to the 16th.
static inline uint64_t hash_of(const char *lower, int n)
{
    static const unsigned char some[32] = {[0 ... 15] = 0xff};
    uint64_t low[2], which[2];
    if (n > 16)
        return word_hash(lower, (size_t)n);
    memcpy(low, lower, sizeof low);
    memcpy(which, some + 16 - n, sizeof which);
    return word_hash_block(WORD_SEED, low[0] & which[0], low[1] & which[1]);
}

// All words' hashes. Their slots are on their way to the cache until they are looked up.
static void hash_all(const struct parsers *all, int n)
{
    const char *lower[CAPTION_AT_ONCE];
    const uint16_t *start = all->start, *end = all->end;
    const uint8_t *owner = all->owner;
    const int32_t *places = all->at;
    const uint64_t *slots = all->table->slots;
    uint32_t mask = all->table->mask;
    uint64_t *hashes = all->hash;
    for (int i = 0; i < n; i++)
        lower[i] = all->parser[i].lower;
    for (int j = 0, cuts = all->cuts; j < cuts; j++) {
        uint64_t hash = hash_of(lower[owner[j]] + start[j], end[j] - start[j]);
        __builtin_prefetch(&slots[(uint32_t)hash & mask]);
        hashes[places[j]] = hash;
    }
}

static void look_up(const struct parsers *all)
{
    const struct table *t = all->table;
    const struct word **words = all->word;
    const uint64_t *hashes = all->hash;
    const int32_t *places = all->at;
    for (int j = 0, cuts = all->cuts; j < cuts; j++) {
        const struct word *w = table_find(t, hashes[places[j]]);
        words[places[j]] = w;
        __builtin_prefetch(w);
    }
}

void words_find(struct parsers *all, int n)
{
    unsigned marks[CAPTION_AT_ONCE] = {0}, unknown[CAPTION_AT_ONCE] = {0};
    hash_all(all, n);
    look_up(all);
    const struct word **words = all->word;
    struct word *new = all->unknown;
    const int32_t *places = all->at;
    const uint8_t *owners = all->owner;
    struct piece *pieces = all->piece;
    const struct weights *m = all->table->weights;
    unsigned a = 0, c = 0;   // classes of the two before
    for (int j = 0, cuts = all->cuts; j < cuts; j++) {
        int at = places[j], owner = owners[j], start = all->start[j], len = all->end[j] - start;
        unsigned flags = all->flags[j];
        const struct word *w = words[at];
        if (!w) {
            table_unknown(all->table, all->parser[owner].lower + start, (size_t)len, new);
            words[at] = w = new++;
            flags |= PIECE_UNKNOWN;
            unknown[owner]++;
        }
        struct piece *k = &pieces[at];
        *k = (struct piece){.start = (uint16_t)start, .len = (uint16_t)len, .shape = all->shape[at], .flags = (uint8_t)flags, .class = w->class};
        memcpy(&k->marks, &w->marks, 8);   // and is, kind, traits
        marks[owner] |= w->marks;
        __builtin_prefetch(&all->table->pair_rows[c][w->class]);   // what the tagger will add
        __builtin_prefetch(&m->pair_around[a][w->class]);
        a = c;
        c = w->class;
    }
    for (int i = 0; i < n; i++) {
        struct parser *p = &all->parser[i];
        p->strange = (marks[i] & M_FOREIGN) || unknown[i] >= 2 || (p->piece[0].flags & PIECE_UNKNOWN) || p->high || p->foreign_letters;
    }
}

void words_tag(struct parsers *all)
{
    const uint8_t *tags = all->tag;
    const int32_t *places = all->at;
    struct piece *pieces = all->piece;
    tag_words(all->table, &(struct tokens){all->word, all->shape, all->at, all->cuts, all->tag});
    for (int j = 0, cuts = all->cuts; j < cuts; j++)
        pieces[places[j]].tag = tags[j];
}
