// SPDX-License-Identifier: Apache-2.0
// Tags by a perceptron over the words around and the two tags before, greedily from left to right.
#ifndef CAPTION_TAGGER_H
#define CAPTION_TAGGER_H

#include <stdint.h>

#include "caption/table.h"

// Words of sentences one behind the other.
struct tokens {
    const struct word *const *word;   // the table's boundary at least twice before, between and behind sentences
    const uint8_t *shape;             // beside it; LOWER around
    const int32_t *at;                // n: of each token, rising; where one does not follow the one before, a sentence begins
    int n;
    uint8_t *tag;                     // n, written
};

typedef void tagger(const struct table *t, const struct tokens *s);
tagger tag_words;                       // what this CPU does best; $DIHT_ISA=ref: the plain one
tagger tag_words_ref, tag_words_avx2;   // equal to the bit

#endif
