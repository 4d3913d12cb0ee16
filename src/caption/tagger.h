// SPDX-License-Identifier: Apache-2.0
// Tags by a perceptron over the words around and the two tags before, greedily from left to right.
#ifndef CAPTION_TAGGER_H
#define CAPTION_TAGGER_H

#include <stdint.h>

#include "caption/table.h"

struct sentence {
    const struct word *const *words;   // n + 4: the table's boundary twice before and twice after
    const uint8_t *shapes;             // n; LOWER before the first and behind the last
    int n;
    uint8_t *tags;                     // n, written, `stride` bytes apart
    int stride;
};

typedef void tagger(const struct table *t, const struct sentence *s, int count);
tagger tag_words;                       // what this CPU does best; $DIHT_ISA=ref: the plain one
tagger tag_words_ref, tag_words_avx2;   // equal to the bit

#endif
