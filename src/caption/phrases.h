// SPDX-License-Identifier: Apache-2.0
// Phrases: what the relations are read from.
#ifndef CAPTION_PHRASES_H
#define CAPTION_PHRASES_H

#include <string.h>

#include "caption/masks.h"
#include "caption/spell.h"

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
    P_NONE = 255, // before the first and behind the last
};
enum { PHRASES_AROUND = 8 };

enum verb_form { V_FINITE, V_ING, V_PAST, V_PARTICIPLE, V_INFINITIVE, V_PASSIVE };

struct phrase {
    uint8_t kind, form;
    uint8_t first, last;    // pieces; a verb is the last
    int16_t object;         // P_NOUN; else -1
    union {
        bool possessor;         // P_NOUN with 's: part of the next phrase
        bool subject_pronoun;   // P_NAMELESS: he, she, who can do things
        bool helped;            // P_VERB: stands behind an auxiliary
    };
};

struct phrases {
    struct phrase *at;       // at most one a piece; before and behind them PHRASES_AROUND of P_NONE
    int n;
    uint64_t acting, stops;  // of the first 64: verbs and lone adjectives; P_STOP
};

void phrases_mend(struct parser *const *parser, int n);     // the pieces' tags, of n captions of one reading
void phrases_mend_each(struct parser *p);                   // the same, no word left out beforehand
// Also finds objects and attributes. masks: of the parser's words, in their lane; NULL: every phrase takes the closer look, with the same
// result.
void phrases_chunk(struct parser *p, const struct masks *masks, int lane, struct phrases *out);
// Without a verb or a lone adjective nothing relates, and phrases_relate is not to be called; of more than 64 it is not known.
static inline bool phrases_act(const struct phrases *all) { return (all->acting != 0) | (all->n > 64); }
void phrases_relate(struct parser *p, const struct phrases *all);

// An object's relations: its attributes and the actions it takes part in; the most of any is the caption's complexity.
static inline void object_counted(struct parser *p, int object)
{
    int c = p->object[object].attributes + p->object[object].relations;
    p->verdict.complexity = c > p->verdict.complexity ? c : p->verdict.complexity;
}

// i: from -CAPTION_AROUND to pieces + CAPTION_AROUND - 1, as everywhere.
static inline unsigned piece_marks(const struct parser *p, int i) { return p->word[2 + i]->marks; }
static inline unsigned piece_is(const struct parser *p, int i) { return p->word[2 + i]->is; }
static inline int piece_kind(const struct parser *p, int i) { return p->word[2 + i]->kind; }
// Literals of at most 16 bytes only: the compiler knows their hash (byte by byte: it does not see through memcpy), and one
// comparison stands for the letters'.
#define BYTE(k) ((k) < n ? (uint64_t)(unsigned char)word[(k) < n ? (k) : 0] << (k) % 8 * 8 : 0)
static inline __attribute__((always_inline)) bool piece_equals(const struct parser *p, int i, const char *word)
{
    const size_t n = __builtin_strlen(word);
    uint64_t low = BYTE(0) | BYTE(1) | BYTE(2) | BYTE(3) | BYTE(4) | BYTE(5) | BYTE(6) | BYTE(7);
    uint64_t high = BYTE(8) | BYTE(9) | BYTE(10) | BYTE(11) | BYTE(12) | BYTE(13) | BYTE(14) | BYTE(15);
    return p->hash[CAPTION_AROUND + i] == word_hash_block(WORD_SEED, low, high);
}
#undef BYTE

// The same for words that need not be literals, NULL behind the last.
static inline bool piece_among(const struct parser *p, int i, const char *const *words)
{
    return spelled_as(p->lower + p->start[i], (size_t)piece_len(p, i), words);
}

#endif
