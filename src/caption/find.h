// SPDX-License-Identifier: Apache-2.0
// What the stages behind words_find ask of words, put beside each other.
#ifndef CAPTION_FIND_H
#define CAPTION_FIND_H

#include "caption/caption.h"

// Of all words of a batch, found before: their class, tag, traits, set and whether they are another language's small word, by place;
// the places whose tags are open.
typedef void settler(struct parsers *all);
settler settle_ref, settle_avx512;   // equal; words_find takes what this CPU does best

#endif
