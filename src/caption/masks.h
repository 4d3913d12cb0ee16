// SPDX-License-Identifier: Apache-2.0
// Where a caption's phrases begin and which of them are plain, a bit a word, from its words' tags and traits.
#ifndef CAPTION_MASKS_H
#define CAPTION_MASKS_H

#include "caption/caption.h"

enum { MASKED = 60 };       // pieces of captions that masks hold; nor do these with hashtags
enum { MASKS_LANES = 8 };   // captions side by side

struct masks {   // [lane]: a caption's
    uint64_t begins[MASKS_LANES];          // where phrases begin if all are plain, and behind the last
    uint64_t sure[MASKS_LANES];            // the last words of plain ones
    uint64_t nouns[MASKS_LANES];           // a noun phrase may begin here
    uint64_t known[MASKS_LANES];           // of words that it may reach: it surely ends with this one
    uint64_t head[MASKS_LANES];            // a noun that heads its phrase by its tag alone
    uint64_t doubted_single[MASKS_LANES];  // a participle: plain unless it describes the noun behind it
    uint64_t doubted_ends[MASKS_LANES];    // the last noun, unless the participle behind it goes on to another
    uint64_t led[MASKS_LANES];             // a helper and its verb, or "to" and one: the two words are a plain phrase,
    uint64_t passive[MASKS_LANES], infinitive[MASKS_LANES];   // ... of this form
    uint64_t ordinary[MASKS_LANES];        // no preposition, no helper: a noun phrase, a verb or a sign begins here
    uint64_t describes[MASKS_LANES];       // an attribute
    uint64_t doubtful[MASKS_LANES];        // may be one, or half a fixed pair, part of a name, "red headed"; masks alone do not say
};

// Of n captions, at most CAPTION_AT_ONCE, of at most MASKED pieces: caption k's in lane k % MASKS_LANES of out[k / MASKS_LANES].
typedef void masker(const struct parser *const *p, int n, struct masks *out);
masker find_masks;                            // what this CPU does best; $DIHT_ISA pins it
masker masks_ref, masks_avx2, masks_avx512;   // equal

#endif
