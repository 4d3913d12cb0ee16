// SPDX-License-Identifier: Apache-2.0
// Phrases: what the relations are read from.
#ifndef CAPTION_PHRASES_H
#define CAPTION_PHRASES_H

#include <string.h>

#include "caption/caption.h"

enum phrase_kind {
    P_NOUN,       // an object
    P_NAMELESS,   // a noun phrase without one: pronouns, dates, numbers
    P_VERB,       // an action
    P_BE,         // be and linking verbs before what they tie
    P_HAVE,
    P_PREP,
    P_AND,
    P_COMMA,
    P_STOP,       // end of a clause: . : ; - / ( )
    P_THAT,       // relative pronouns
    P_WHEN,       // while, because
    P_ADJECTIVE,  // alone
};

enum verb_form { V_FINITE, V_ING, V_PAST, V_PARTICIPLE, V_INFINITIVE, V_PASSIVE };

struct phrase {
    uint8_t kind, form;
    uint8_t first, last;    // pieces
    int16_t object;         // P_NOUN
    uint8_t verb;           // P_VERB: its main piece
    bool possessor;         // P_NOUN with 's: part of the next phrase
    bool subject_pronoun;   // P_NAMELESS: he, she, who can do things
    bool helped;            // P_VERB: stands behind an auxiliary
};

// At most a phrase a piece. Also finds objects and attributes.
int phrases_chunk(struct parser *p, struct phrase out[CAPTION_WORDS]);
void phrases_relate(struct parser *p, const struct phrase *phrase, int n);

static inline unsigned piece_marks(const struct parser *p, int i) { return p->word[2 + i]->marks; }
static inline unsigned piece_is(const struct parser *p, int i) { return p->word[2 + i]->is; }
// Literals only: their length is known to the compiler.
static inline __attribute__((always_inline)) bool piece_equals(const struct parser *p, int i, const char *word)
{
    size_t n = __builtin_strlen(word);
    return i >= 0 && i < p->pieces && p->piece[i].len == n && memcmp(p->lower + p->piece[i].start, word, n) == 0;
}

#endif
