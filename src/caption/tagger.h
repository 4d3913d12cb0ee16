// SPDX-License-Identifier: Apache-2.0
// Tags by a perceptron over the words around and the two tags before, greedily from left to right.
#ifndef CAPTION_TAGGER_H
#define CAPTION_TAGGER_H

#include <stdint.h>

#include "caption/table.h"

// Words of sentences one behind the other, two places or more between and around them.
struct tokens {
    const struct word *const *word;   // of a place; between and around the table's boundary
    const uint8_t *class;             // of that word
    const uint8_t *shape;             // LOWER between and around
    const int32_t *at;                // n: the places of tokens whose tag is open, rising
    int n;
    uint8_t *tag;                     // of a place, written for these; the others' are there, NO_TAG between and around
};

// The tag of the word at a place, where it has but one, else the place into `open`; how many are there then.
static inline int tag_known(const struct word *w, int at, uint8_t *tag, int32_t *open, int n)
{
    uint8_t known = w->tag;
    tag[at] = known;
    open[n] = at;   // no branch: signs come as they like
    return n + (known == NO_TAG);
}

typedef void tagger(const struct table *t, const struct tokens *s);
tagger tag_words;                       // what this CPU does best; $DIHT_ISA=ref: the plain one
tagger tag_words_ref, tag_words_avx2;   // equal to the bit

#endif
