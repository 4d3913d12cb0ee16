// SPDX-License-Identifier: Apache-2.0
// Tags by a perceptron over the words around and the two tags before, greedily from left to right.
#ifndef CAPTION_TAGGER_H
#define CAPTION_TAGGER_H

#include <stdint.h>

#include "caption/table.h"

// words: n + 4 of them, the table's boundary twice before and twice after; shapes /* n */; tags /* n, written */.
typedef void tagger(const struct table *t, const struct word *const *words, const uint8_t *shapes, int n, uint8_t *tags);
tagger tag_words;                       // what this CPU does best; $DIHT_ISA=ref: the plain one
tagger tag_words_ref, tag_words_avx2;   // equal to the bit

#endif
