// SPDX-License-Identifier: Apache-2.0
// Where a caption's phrases begin and which of them are plain, a bit a word, from its words' tags and traits.
#ifndef CAPTION_MASKS_H
#define CAPTION_MASKS_H

#include "caption/caption.h"

enum { MASKED = 60 };   // pieces of captions that masks hold; nor do these with hashtags

struct masks {
    uint64_t begins;          // where phrases begin if all are plain, and behind the last
    uint64_t sure;            // the last words of plain ones
    uint64_t nouns;           // a noun phrase may begin here
    uint64_t known;           // of words that it may reach: it surely ends with this one
    uint64_t head;            // a noun that heads its phrase by its tag alone
    uint64_t doubted_single;  // a participle: plain unless it describes the noun behind it
    uint64_t doubted_ends;    // the last noun, unless the participle behind it goes on to another
    uint64_t led;             // a helper and its verb, or "to" and one: the two words are a plain phrase,
    uint64_t passive, infinitive;   // ... of this form
    uint64_t ordinary;        // no preposition, no helper: a noun phrase, a verb or a sign begins here
    uint64_t describes;       // an attribute
    uint64_t doubtful;        // may be one, or half a fixed pair, part of a name, "red headed"; masks alone do not say
};

typedef void masker(const struct parser *p, struct masks *out);   // of at most MASKED pieces
masker find_masks;                            // what this CPU does best; $DIHT_ISA pins it
masker masks_ref, masks_avx2, masks_avx512;   // equal

#endif
