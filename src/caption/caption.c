// SPDX-License-Identifier: Apache-2.0
#include "caption/caption.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "caption/phrases.h"

enum { CAPTION_ROOM = CAPTION_BYTES + 2 * SCAN_BLOCK };   // of text and masks: what is looked at behind the last byte is there
// Of captions' results, a cache line more than they need: at powers of two apart, all captions' would lie in the same few places of
// the first cache.
enum {
    APART = 64, OBJECTS_APART = CAPTION_WORDS + APART / sizeof(struct object),
    ATTRIBUTES_APART = CAPTION_ATTRIBUTES + APART / sizeof(struct attribute), RELATIONS_APART = CAPTION_RELATIONS + APART / sizeof(struct relation),
};

_Static_assert(CAPTION_AT_ONCE % MASKS_LANES == 0 && CAPTION_AT_ONCE <= UINT8_MAX + 1, "whole lanes of masks; an owner is a byte");

struct parsers *parsers_new(const struct table *t, int most)
{
    assert(most >= 1 && most <= CAPTION_AT_ONCE);
    struct parsers *all = memory_zero(sizeof *all);
    struct arena a = {0};
    size_t n = (size_t)most, words = n * (CAPTION_WORDS + CAPTION_AROUND) + CAPTION_AROUND + CUTS_ROUND, bytes = n * CAPTION_ROOM,
           blocks = bytes / SCAN_BLOCK;
    for (int pass = 0; all && pass < 2; pass++) {
        all->parser = arena_take(&a, n * sizeof *all->parser);
        all->text = arena_take(&a, bytes);
        all->lower = arena_take(&a, bytes);
        all->is = arena_take(&a, blocks * sizeof *all->is);
        all->word = arena_take(&a, words * sizeof *all->word);
        all->hash = arena_take(&a, words * sizeof *all->hash);
        all->shape = arena_take(&a, words + CUT_SLACK);
        all->class = arena_take(&a, words);
        all->tag = arena_take(&a, words + MASK_SLACK);
        all->traits = arena_take(&a, words + MASK_SLACK);
        all->looks = arena_take(&a, words + MASK_SLACK);
        all->set = arena_take(&a, words * sizeof *all->set);
        all->sets = arena_take(&a, words + MASK_SLACK);
        all->own = arena_take(&a, (words + MENDS_ROUND) * sizeof *all->own);
        all->behind = arena_take(&a, (words + MENDS_ROUND) * sizeof *all->behind);
        all->ahead = arena_take(&a, (words + MENDS_ROUND) * sizeof *all->ahead);
        all->foreign = arena_take(&a, (words / 64 + 2) * sizeof *all->foreign);
        all->may = arena_take(&a, (words / MENDS_ROUND + 2) * sizeof *all->may);
        all->object = arena_take(&a, n * OBJECTS_APART * sizeof *all->object);
        all->attribute = arena_take(&a, n * ATTRIBUTES_APART * sizeof *all->attribute);
        all->relation = arena_take(&a, n * RELATIONS_APART * sizeof *all->relation);
        all->phrase = arena_take(&a, (n * (CAPTION_WORDS + PHRASES_AROUND) + PHRASES_AROUND) * sizeof *all->phrase);
        all->unknown = arena_take(&a, n * CAPTION_WORDS * sizeof *all->unknown);
        all->start = arena_take(&a, (words + CUT_SLACK) * sizeof *all->start);
        all->end = arena_take(&a, (words + CUT_SLACK) * sizeof *all->end);
        all->flags = arena_take(&a, words + CUT_SLACK);
        all->owner = arena_take(&a, n * CAPTION_WORDS + CUTS_ROUND);
        all->at = arena_take(&a, (n * CAPTION_WORDS + CUTS_ROUND) * sizeof *all->at);
        all->open = arena_take(&a, (n * CAPTION_WORDS + CUTS_ROUND) * sizeof *all->open);
        if (pass == 0 && arena_commit(&a)) {
            free(all);
            return NULL;
        }
    }
    if (!all)
        return NULL;
    all->table = t;
    all->most = most;
    all->memory = a.block;
    memset(all->parser, 0, n * sizeof *all->parser);
    memset(all->shape, LOWER, CAPTION_AROUND);
    words_around(all, 0);
    for (int i = 0; i < most; i++)
        all->parser[i] = (struct parser){
            .table = t, .all = all, .object = all->object + i * OBJECTS_APART,
            .attribute = all->attribute + i * ATTRIBUTES_APART, .relation = all->relation + i * RELATIONS_APART,
        };
    return all;
}

void parsers_free(struct parsers *all)
{
    if (!all)
        return;
    free(all->memory);
    free(all);
}

struct parser *parser_new(const struct table *t)
{
    struct parsers *all = parsers_new(t, 1);
    return all ? all->parser : NULL;
}

void parser_free(struct parser *p)
{
    if (p)
        parsers_free(p->all);
}

static bool masked(const struct parser *p) { return p->pieces <= MASKED && !p->hashtags; }

// One stage over all captions after the other: a stage's code stays in the first cache.
static void find_phrases(struct parsers *all, struct parser *const *parser, int n)
{
    enum { AROUND = PHRASES_AROUND };
    static const struct phrase none[AROUND] = {[0 ... AROUND - 1] = {.kind = P_NONE, .first = 1}};   // and no word of its own
    struct phrase *at = all->phrase;
    struct phrases found[CAPTION_AT_ONCE];
    struct masks masks[CAPTION_AT_ONCE / MASKS_LANES];
    const struct parser *with[CAPTION_AT_ONCE];   // masks
    int lane[CAPTION_AT_ONCE], lanes = 0;
    phrases_mend(parser, n);
    for (int i = 0; i < n; i++) {
        with[lanes] = parser[i];
        lane[i] = lanes;
        lanes += masked(parser[i]);
    }
    find_masks(with, lanes, masks);
    memcpy(at, none, sizeof none);
    at += AROUND;
    for (int i = 0; i < n; i++) {
        found[i].at = at;
        phrases_chunk(parser[i], masked(parser[i]) ? &masks[lane[i] / MASKS_LANES] : NULL, lane[i] % MASKS_LANES, &found[i]);
        memcpy(at + found[i].n, none, sizeof none);
        at += found[i].n + AROUND;
    }
    int acting[CAPTION_AT_ONCE], some = 0;   // no branch: they come as they like
    for (int i = 0; i < n; i++) {
        acting[some] = i;
        some += phrases_act(&found[i]);
    }
    for (int k = 0; k < some; k++)
        phrases_relate(parser[acting[k]], &found[acting[k]]);
}

void parsers_read(struct parsers *all, const struct text *captions, int n)
{
    size_t byte = 0;
    assert(n <= all->most);
    all->cuts = 0;
    for (int i = 0; i < n; i++) {   // all on their way from memory while the first ones are read
        __builtin_prefetch(captions[i].at);
        __builtin_prefetch(captions[i].at + captions[i].len);
    }
    for (int i = 0; i < n; i++) {
        struct parser *p = &all->parser[i];
        p->text = all->text + byte;
        p->lower = all->lower + byte;
        p->is = all->is + byte / SCAN_BLOCK;
        words_normalise(p, captions[i].at, captions[i].len);
        byte += ((size_t)p->length / SCAN_BLOCK + 2) * SCAN_BLOCK;
    }
    for (int i = 0; i < n; i++)
        words_cut(all, i);
    words_find(all, n);
}

void parsers_run(struct parsers *all, const struct text *captions, int n, int min_complexity, bool need_action)
{
    struct parser *english[CAPTION_AT_ONCE] = {0};
    int m = 0;
    parsers_read(all, captions, n);
    words_tag(all);
    for (int i = 0; i < n; i++) {
        struct parser *p = &all->parser[i];
        p->verdict = (struct verdict){.foreign = words_foreign(p)};
        p->objects = p->attributes = p->relations = 0;
        english[m] = p;
        m += !p->verdict.foreign;
    }
    find_phrases(all, english, m);
    for (int i = 0; i < m; i++) {
        struct verdict *v = &english[i]->verdict;
        v->keep = v->complexity >= min_complexity && (v->actions > 0 || !need_action);
    }
}

const struct verdict *parser_run(struct parser *p, const char *bytes, size_t n, int min_complexity, bool need_action)
{
    const struct text caption = {bytes, n};
    parsers_run(p->all, &caption, 1, min_complexity, need_action);
    return &p->verdict;
}

int parser_lemma(const struct parser *p, int piece, bool verb, char out[80])
{
    int len = piece_len(p, piece);
    const struct word *w = p->word[2 + piece];
    const struct edit *e = &p->table->edits[verb ? w->verb : w->noun];
    int n = len < 64 ? len : 64;
    memcpy(out, p->lower + p->start[piece], (size_t)n);
    while (n > 0 && ((unsigned char)out[n - 1] & 0xC0) == 0x80 && n == 64)
        n--;
    bool known = w->is != 0;
    if ((e->strip || e->add[0]) && e->strip <= n) {
        n -= e->strip;
        memcpy(out + n, e->add, strlen(e->add));
        n += (int)strlen(e->add);
    } else if (!known && !verb && n > 3 && out[n - 1] == 's' && out[n - 2] != 's' && out[n - 2] != 'u' && out[n - 2] != 'i' &&
               p->tag[piece] != PROPN) {
        n--;   // a plural no dictionary has
    } else if (!known && verb && n > 5 && memcmp(out + n - 3, "ing", 3) == 0) {
        n -= 3;
    } else if (!known && verb && n > 4 && memcmp(out + n - 2, "ed", 2) == 0) {
        n -= 2;
    }
    out[n] = '\0';
    return n;
}
