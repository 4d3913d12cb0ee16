// SPDX-License-Identifier: Apache-2.0
// Words the rules know by name, said once.
#ifndef CAPTION_LISTS_H
#define CAPTION_LISTS_H

#include <stddef.h>

struct table;

// Marks of a word; several at once.
enum {
    M_TIME = 1 << 0,          // months, weekdays: never objects
    M_COLOUR = 1 << 1,
    M_QUANTITY = 1 << 2,      // adjectives that are no attributes
    M_GROUP = 1 << 3,         // followed by "of" they hand their role on
    M_MEDIA = 1 << 4,         // pictures and views of something: what follows "of" acts
    M_LINK = 1 << 5,          // verbs that may tie an adjective to the subject
    M_BE = 1 << 6,
    M_HAVE = 1 << 7,
    M_AUX = 1 << 8,           // can only help another verb
    M_BEFORE_NOUN = 1 << 9,   // an adjective before a noun whatever the tagger says
    M_PURPOSE = 1 << 10,      // gerunds that say what a thing is for: dining table
    M_MOVER = 1 << 11,        // things that act by themselves: boats, cars
    M_WHEN = 1 << 12,         // begins a clause: while, when, because
    M_RELATIVE = 1 << 13,
    M_PARTICLE = 1 << 14,     // up, down, off after a verb
    M_PREPOSITION = 1 << 15,
    M_PERSON = 1 << 16,       // acts like a person, though WordNet's first sense is another
    M_DAYTIME = 1 << 17,      // day, night: objects, but none of a verb's without a preposition
    M_FOREIGN = 1 << 18,      // small words of other languages
    M_SMALL = 1 << 19,        // small words of English
    M_SPOT = 1 << 20,         // nouns that keep their preposition: spot on the couch
    M_WEAR = 1 << 21,         // worn: in a black suit
    M_NEVER_VERB = 1 << 22,
    M_PRONOUN = 1 << 24,      // nouns to the treebank
    M_SHOW = 1 << 25,         // what pictures do with what they are of
    M_NAME = 1 << 26,         // called, named: what follows is a name, no object
    M_PAIR_FIRST = 1 << 27, M_PAIR_SECOND = 1 << 28,      // of fixed pairs
    M_FIXED_FIRST = 1 << 29, M_FIXED_SECOND = 1 << 30,    // of fixed prepositions
    M_POSSESSIVE = 1u << 31,
    M_COMMAND = 1 << 23,      // what web pages tell their readers
};

void lists_mark(struct table *t);   // sets the words' marks
// Adjective and noun (or noun and noun) that name one thing: "hot dog", "stainless steel".
int lists_fixed_pair(const char *first, int n, const char *second, int m);

#endif
