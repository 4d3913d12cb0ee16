// SPDX-License-Identifier: Apache-2.0
// What finding phrases by masks (chunks.c) and by a closer look (nouns.c, parts.c) ask of each other.
#ifndef CAPTION_CHUNKS_H
#define CAPTION_CHUNKS_H

#include "caption/pieces.h"

struct chunker {
    struct parser *p;
    struct phrases *out;
};

#define PHRASE_ACTS(kind) ((1u << P_VERB | 1u << P_ADJECTIVE) >> ((kind) & 31) & 1)   // as an initialiser, too

// The newest phrase is of this kind; none if that is P_NONE.
static inline void count_phrase(struct phrases *out, int kind)
{
    uint64_t one = (uint64_t)(out->n < 64) << (out->n & 63);
    out->acting |= PHRASE_ACTS(kind) ? one : 0;
    out->stops |= kind == P_STOP ? one : 0;
    out->n += kind != P_NONE;
}

static inline struct phrase *add_phrase(struct chunker *c, int kind, int first, int last)
{
    struct phrase *f = &c->out->at[c->out->n];
    *f = (struct phrase){.kind = (uint8_t)kind, .first = (uint8_t)first, .last = (uint8_t)last, .object = -1};
    count_phrase(c->out, kind);
    return f;
}

// The phrase that begins at i, whatever it takes to see it; the piece behind it.
int take_closer(struct chunker *c, int i);
int take_word(struct chunker *c, int i);   // a verb or a sign: no preposition, helper, hashtag or noun phrase begins at i

// Does the participle at i go on a noun phrase that began at `from`?
bool prenominal_participle(const struct parser *p, int from, int i);
// A noun phrase's last word + 1; `from` itself: there is none. Known is that [from, at) may be in it: article, adjectives and
// nouns, or a participle.
int noun_phrase_end(const struct parser *p, int from, int at);
int take_noun_phrase(struct chunker *c, int from, int end);   // the piece behind it
void add_attributes(struct parser *p, int object, int first, int head);   // of the words [first, head)
bool possessive_sign(const struct parser *p, int i);
bool adverbial(const struct parser *p, int i);         // today, yesterday
int preposition_end(const struct parser *p, int i);    // behind the fixed preposition that begins at i; else i + 1

#endif
