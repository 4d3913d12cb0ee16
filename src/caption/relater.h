// SPDX-License-Identifier: Apache-2.0
// What is remembered on the way from phrases to actions, for relations.c and subjects.c.
#ifndef CAPTION_RELATER_H
#define CAPTION_RELATER_H

#include "caption/lists.h"
#include "caption/phrases.h"

enum { GROUP = 8 };        // joined objects at most

struct group {             // objects joined by "and"; none: nothing expressed. Made once, then pointed to
    uint8_t n, at[GROUP];
};

struct relater {
    struct parser *p;
    const struct phrase *f;
    int n;
    const struct group *candidate;    // stands where a subject stands, outside prepositions
    const struct group *subject;      // of the last verb
    const struct group *last;         // the noun phrase that stood last
    const struct group *linked;       // what "be" says something of
    const struct group *antecedent;   // what a relative pronoun stands for
    const struct group *found;        // direct objects of the open verb
    int verb;                  // phrase of the open verb, -1: none
    int last_verb;             // phrase of the last verb in this clause, -1
    bool passive, related;     // the open verb
    bool pronoun_object;
    bool object_open;          // a noun phrase here is the open verb's object
    bool list;                 // "contains: a, b, c"
    int prep;                  // phrase of the pending preposition, -1
    bool finite;               // the clause had its finite verb
    bool relative;             // a relative pronoun waits for its verb
    bool contact;              // the antecedent is the next verb's object: the dress she wore
    bool fresh;                // candidate not yet used by a finite verb
    int before_last;           // head phrase's object for NP1 prep NP2, -1
    int joint;                 // the preposition between them
    int groups;                // made
    struct group group[CAPTION_WORDS];   // at most one a phrase
};

static const struct group nobody = {0};

static inline struct group *group_of(struct relater *r, int object)   // a new one
{
    struct group *g = &r->group[r->groups++];
    g->n = 1;
    g->at[0] = (uint8_t)object;
    return g;
}

static inline const struct word *head_word(const struct relater *r, int object) { return r->p->word[2 + r->p->object[object].head]; }

static inline bool object_animate(const struct relater *r, int object)
{
    const struct word *w = head_word(r, object);
    return w->kind == KIND_PERSON || w->kind == KIND_ANIMAL || (w->marks & M_PERSON) ||
           r->p->tag[r->p->object[object].head] == PROPN;
}

static inline bool object_moves(const struct relater *r, int object)
{
    return object_animate(r, object) || (head_word(r, object)->marks & M_MOVER);
}

static inline bool animate(const struct relater *r, const struct group *g) { return g->n && object_animate(r, g->at[0]); }
static inline bool moves(const struct relater *r, const struct group *g) { return g->n && object_moves(r, g->at[0]); }

static inline int kind(const struct relater *r, int k) { return r->f[k].kind; }   // P_NONE around

static inline __attribute__((always_inline)) bool equals(const struct relater *r, int k, const char *word)
{
    return r->f[k].first == r->f[k].last && piece_equals(r->p, r->f[k].first, word);
}

bool past_is_passive(const struct relater *r, int k);   // the verb at k, a past form
bool controls(const struct relater *r, int k);          // it makes its object act: ask, let, help
// Who does what the verb at k says. *joined: it shares the subject of the verb before it.
const struct group *subject_of(struct relater *r, int k, bool *joined);

#endif
