// SPDX-License-Identifier: Apache-2.0
// Captions' words found in the table, all captions' in a few loops.
#include <string.h>

#include "caption/chosen.h"
#include "caption/cut.h"
#include "caption/find.h"
#include "caption/lists.h"
#include "caption/tagger.h"

enum { FOUND_ROUND = 128 };   // words: so many of the table's lines wait in the first cache

// Where a caption's words will lie in the rooms, behind those of the ones before.
static void place(struct parsers *all, int caption)
{
    struct parser *p = &all->parser[caption];
    int at = all->cuts + (caption + 1) * CAPTION_AROUND;
    p->start = all->start + at;
    p->end = all->end + at;
    p->flags = all->flags + at;
    p->word = all->word + at - 2;
    p->hash = all->hash + at - CAPTION_AROUND;
    p->shape = all->shape + at;
    p->tag = all->tag + at;
    p->traits = all->traits + at;
    p->looks = all->looks + at;
    p->sets = all->sets + at;
}

// Nothing beside the words, from the place `at` on. Whole registers: this is done for every caption.
void words_around(struct parsers *all, int at)
{
    const struct table *t = all->table;
    const struct word *none[CAPTION_AROUND];
    for (int k = 0; k < CAPTION_AROUND; k++)
        none[k] = &t->words[0];
    memcpy(all->word + at, none, sizeof none);
    memset(all->start + at, 0, CAPTION_AROUND * sizeof *all->start);
    memset(all->end + at, 0, CAPTION_AROUND * sizeof *all->end);
    memset(all->flags + at, 0, CAPTION_AROUND);
    memset(all->class + at, 0, CAPTION_AROUND);
    memset(all->tag + at, NO_TAG, CAPTION_AROUND);
    memset(all->hash + at, 0, CAPTION_AROUND * sizeof *all->hash);
    memset(all->own + at, 0, CAPTION_AROUND * sizeof *all->own);
    all->ahead[at] = t->mends_ahead[NO_TAG] & word_mends(t->mends, &t->words[0])->ahead;
    all->behind[at + CAPTION_AROUND - 1] = t->mends_behind[NO_TAG] & word_mends(t->mends, &t->words[0])->behind;
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

// Words [from, to): their hashes. Their slots are on their way to the cache until they are looked up.
static void hash_words(const struct parsers *all, const char *const *lower, int from, int to)
{
    const uint16_t *start = all->start, *end = all->end;
    const uint8_t *owner = all->owner;
    const int32_t *places = all->at;
    const uint64_t *slots = all->table->slots;
    uint32_t mask = all->table->mask;
    uint64_t *hashes = all->hash;
    for (int j = from; j < to; j++) {
        int at = places[j];
        uint64_t hash = hash_of(lower[owner[j]] + start[at], end[at] - start[at]);
        __builtin_prefetch(&slots[(uint32_t)hash & mask]);
        hashes[at] = hash;
    }
}

// word_has of a caption's word: its bytes were looked at before.
static unsigned kinds_of_bytes(const struct parser *p, int start, int n)
{
    const struct scan *s = p->is + start / SCAN_BLOCK;
    int i = start % SCAN_BLOCK;
    if (n > SCAN_BLOCK)
        return word_has(p->lower + start, (size_t)n);
    uint64_t all = ~(uint64_t)0 >> (SCAN_BLOCK - n), letter = scan_window(s[0].letter, s[1].letter, i);
    uint64_t small = scan_window(s[0].upper | s[0].lower, s[1].upper | s[1].lower, i);
    uint64_t digit = scan_window(s[0].word, s[1].word, i) & ~letter, hyphen = scan_window(s[0].hyphen, s[1].hyphen, i);
    return (digit & all ? HAS_DIGIT : 0) | (small & all ? HAS_LETTER : 0) | (letter & ~small & all ? HAS_HIGH : 0) | (hyphen & all ? HAS_HYPHEN : 0);
}

struct unknown {
    struct word *next;             // where the next word will be made that the table does not hold
    int count[CAPTION_AT_ONCE];    // how many a caption has
};

static const struct word *make_unknown(struct parsers *all, int at, int owner, struct unknown *unknown)
{
    const struct parser *p = &all->parser[owner];
    int start = all->start[at], len = all->end[at] - start;
    table_unknown(all->table, p->lower + start, (size_t)len, kinds_of_bytes(p, start, len), unknown->next);
    all->flags[at] |= PIECE_UNKNOWN;
    unknown->count[owner]++;
    return unknown->next++;
}

static void look_up(struct parsers *all, int from, int to, struct unknown *unknown)
{
    const struct table *t = all->table;
    const struct word **words = all->word;
    const uint64_t *hashes = all->hash;
    const int32_t *places = all->at;
    for (int j = from; j < to; j++) {
        int at = places[j];
        const struct word *w = table_find(t, hashes[at]);
        if (!w)
            w = make_unknown(all, at, all->owner[j], unknown);
        words[at] = w;
        __builtin_prefetch(w);
    }
}

void settle_ref(struct parsers *all)
{
    const struct word **words = all->word;
    const int32_t *places = all->at;
    uint8_t *classes = all->class, *tags = all->tag, *traits = all->traits;
    uint16_t *set = all->set;
    uint64_t *foreign = all->foreign;
    int32_t *open = all->open;
    int opens = 0, cuts = all->cuts;
    memset(foreign, 0, cuts ? ((size_t)places[cuts - 1] / 64 + 1) * sizeof *foreign : 0);
    for (int j = 0; j < cuts; j++) {
        int at = places[j];
        const struct word *w = words[at];
        classes[at] = w->class;
        traits[at] = w->traits;
        set[at] = w->set;
        foreign[at / 64] |= (uint64_t)((w->marks & M_FOREIGN) != 0) << at % 64;
        opens = tag_known(w, at, tags, open, opens);
    }
    all->opens = opens;
}

static bool any_foreign(const struct parser *p)
{
    uint64_t any = 0;
    for (int from = 0; from < p->pieces; from += 64)
        any |= place_bits(p->all->foreign, (int)(p->tag - p->all->tag) + from, p->pieces - from);
    return any;
}

void words_find(struct parsers *all, int n)
{
    const char *lower[CAPTION_AT_ONCE];
    struct unknown unknown = {.next = all->unknown};
    for (int i = 0; i < n; i++)
        lower[i] = all->parser[i].lower;
    for (int from = 0; from < all->cuts; from += FOUND_ROUND) {
        int to = from + FOUND_ROUND < all->cuts ? from + FOUND_ROUND : all->cuts;
        hash_words(all, lower, from, to);
        look_up(all, from, to, &unknown);
    }
    CHOSEN(settler, AVX512_OR(settle_avx512, settle_ref))(all);
    for (int i = 0; i < n; i++) {
        struct parser *p = &all->parser[i];
        bool first = p->pieces && (p->flags[0] & PIECE_UNKNOWN);
        p->strange = any_foreign(p) || unknown.count[i] >= 2 || first || p->high || p->foreign_letters;
    }
}

void words_tag(struct parsers *all)
{
    tag_words(all->table, &(struct tokens){all->word, all->class, all->shape, all->open, all->opens, all->tag});
}
