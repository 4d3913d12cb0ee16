// SPDX-License-Identifier: Apache-2.0
#include "caption/caption.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "caption/phrases.h"

struct parser *parser_new(const struct table *t)
{
    struct parser *p = memory_zero(sizeof *p);
    if (p) {
        p->table = t;
        p->piece = p->piece_room + CAPTION_AROUND;
        p->shape = p->shape_room + 1;
        for (int i = 0; i < CAPTION_AROUND; i++)
            p->piece_room[i].tag = NO_TAG;
    }
    return p;
}

void parser_free(struct parser *p) { free(p); }

void phrases_find(struct parser *p)
{
    struct phrase room[CAPTION_WORDS + 2 * PHRASES_AROUND], *phrase = room + PHRASES_AROUND;
    const struct phrase none = {.kind = P_NONE, .first = 1};   // and no word of its own
    int n = phrases_chunk(p, phrase);
    for (int i = 1; i <= PHRASES_AROUND; i++)
        phrase[-i] = phrase[n + i - 1] = none;
    phrases_relate(p, phrase, n);
}

void parser_run_many(struct parser *const *p, const struct text *captions, int n, int min_complexity, bool need_action)
{
    struct parser *english[CAPTION_AT_ONCE];
    int m = 0;
    for (int i = 0; i < n; i++)
        words_cut(p[i], captions[i].at, captions[i].len);
    for (int i = 0; i < n; i++)
        words_find(p[i]);
    for (int i = 0; i < n; i++) {
        words_settle(p[i]);
        p[i]->verdict = (struct verdict){.foreign = words_foreign(p[i])};
        if (!p[i]->verdict.foreign)
            english[m++] = p[i];
    }
    if (m)
        words_tag(english, m);
    for (int i = 0; i < m; i++) {
        struct verdict *v = &english[i]->verdict;
        phrases_find(english[i]);
        v->keep = v->complexity >= min_complexity && (v->actions > 0 || !need_action);
    }
}

const struct verdict *parser_run(struct parser *p, const char *bytes, size_t n, int min_complexity, bool need_action)
{
    const struct text caption = {bytes, n};
    parser_run_many(&p, &caption, 1, min_complexity, need_action);
    return &p->verdict;
}

int parser_lemma(const struct parser *p, int piece, bool verb, char out[80])
{
    const struct piece *k = &p->piece[piece];
    const struct word *w = p->word[2 + piece];
    const struct edit *e = &p->table->edits[verb ? w->verb : w->noun];
    int n = k->len < 64 ? k->len : 64;
    memcpy(out, p->lower + k->start, (size_t)n);
    while (n > 0 && ((unsigned char)out[n - 1] & 0xC0) == 0x80 && n == 64)
        n--;
    bool known = w->is != 0;
    if ((e->strip || e->add[0]) && e->strip <= n) {
        n -= e->strip;
        memcpy(out + n, e->add, strlen(e->add));
        n += (int)strlen(e->add);
    } else if (!known && !verb && n > 3 && out[n - 1] == 's' && out[n - 2] != 's' && out[n - 2] != 'u' && out[n - 2] != 'i' &&
               k->tag != PROPN) {
        n--;   // a plural no dictionary has
    } else if (!known && verb && n > 5 && memcmp(out + n - 3, "ing", 3) == 0) {
        n -= 3;
    } else if (!known && verb && n > 4 && memcmp(out + n - 2, "ed", 2) == 0) {
        n -= 2;
    }
    out[n] = '\0';
    return n;
}
