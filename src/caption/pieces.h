// SPDX-License-Identifier: Apache-2.0
// What the rules ask of a piece. i: from -CAPTION_AROUND to pieces + CAPTION_AROUND - 1, as everywhere.
#ifndef CAPTION_PIECES_H
#define CAPTION_PIECES_H

#include "caption/lists.h"
#include "caption/phrases.h"

static inline int tag(const struct parser *p, int i) { return p->tag[i]; }
static inline unsigned marks(const struct parser *p, int i) { return piece_marks(p, i); }
static inline unsigned is(const struct parser *p, int i) { return piece_is(p, i); }
static inline bool among(int tag, unsigned set) { return set >> tag & 1; }
static inline bool noun(const struct parser *p, int i) { return among(tag(p, i), 1u << NOUN | 1u << PROPN); }
static inline char sign(const struct parser *p, int i) { return piece_len(p, i) == 1 ? p->text[p->start[i]] : 0; }
static inline bool hashtag(const struct parser *p, int i) { return p->flags[i] & PIECE_HASH; }

static inline bool possessive(const struct parser *p, int i)   // my, its
{
    return tag(p, i) == PRON && (marks(p, i) & M_POSSESSIVE);
}

static inline bool opens(const struct parser *p, int i)   // what only stands before a noun
{
    return tag(p, i) == DET || possessive(p, i);
}

static inline bool number(const struct parser *p, int i)
{
    int c = p->word[2 + i]->class;
    return tag(p, i) == NUM || c == CLASS_NUMBER || c == CLASS_CODE;
}

static inline bool being(const struct parser *p, int i)   // a person or an animal
{
    int kind = piece_kind(p, i);
    return (marks(p, i) & M_PERSON) || kind == KIND_PERSON || kind == KIND_ANIMAL;
}

static inline bool verb_tag(int t) { return among(t, 1u << VERB | 1u << VBG | 1u << VBN); }
static inline bool starts_phrase(const struct parser *p, int i) { return i == 0 || tag(p, i - 1) == PUNCT; }

#endif
