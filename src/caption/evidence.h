// SPDX-License-Identifier: Apache-2.0
// What around the word at i tells of it, for the rules that mend tags (mend.c).
#ifndef CAPTION_EVIDENCE_H
#define CAPTION_EVIDENCE_H

#include "caption/pieces.h"

static inline bool taken(const struct parser *p, int i)   // what a verb before it takes and a noun does not
{
    return opens(p, i) || (tag(p, i) == PRON && i < p->pieces);
}

static inline bool capital(const struct parser *p, int i)
{
    return (unsigned)i < (unsigned)p->pieces && is_upper((unsigned char)p->text[p->start[i]]);
}

static inline bool goes(const struct parser *p, int i)   // prepositions that hardly follow a noun
{
    return piece_equals(p, i, "to") || piece_equals(p, i, "into") || piece_equals(p, i, "against") || piece_equals(p, i, "through") ||
           piece_equals(p, i, "toward") || piece_equals(p, i, "towards") || piece_equals(p, i, "past") || piece_equals(p, i, "down") ||
           piece_equals(p, i, "during") || piece_equals(p, i, "over") || piece_equals(p, i, "at") || piece_equals(p, i, "along") || piece_equals(p, i, "across");
}

static inline bool still(const struct parser *p, int i)   // a thing that does nothing by itself
{
    return noun(p, i) && !being(p, i) && !(is(p, i) & IS_PLURAL) && !(marks(p, i) & (M_MOVER | M_MEDIA)) && tag(p, i) != PROPN;
}

static inline bool goes_on(const struct parser *p, int i) { return goes(p, i) && !piece_equals(p, i, "at"); }

bool singular(const struct parser *p, int i);   // does "a" open the phrase that reaches to i?
// Could the nouns before the verb at i be what it agrees with, by number and by who acts?
bool agrees(const struct parser *p, int i);
// "(transparent fix)": an adjective and a noun are all there is
bool fragment(const struct parser *p, int i);
// "check box", "Mount Hood": written like the noun behind it, which is one and has no article. "Track sensor data" is none.
bool heading(const struct parser *p, int i);
// Do the words at i and i + 1 make a noun that the dictionary has? The second may be a plural.
bool paired(const struct parser *p, int i);
bool several(const struct parser *p, int i);   // people, players
// Nouns that are a plural's verb: "tourists ride horses", "birds wade in", "people tour and enjoy"
bool plural_acts(const struct parser *p, int i);
// "watching a man play"
bool watched(const struct parser *p, int i);
// -ing that is a thing: "a pencil drawing of", "outdoor seating around", "wireless charging for"
bool gerund_is_noun(const struct parser *p, int i);
// "noise-cancelling headphones": hyphens make adjectives of words that no dictionary has
bool hyphened(const struct parser *p, int i);
// "Magellanic", "Tolkien-esque": made of a name, and adjectives all the same
bool descends(const struct parser *p, int i);
// "LED desk lamp": capitals throughout where the word behind has none
bool initials(const struct parser *p, int i);
// "the intense cold on", "in the final": an adjective that ends a noun phrase is its noun where it can be one
bool heads(const struct parser *p, int i);
bool acts_before(const struct parser *p, int i);   // -ing that is an action, not long before

#endif
