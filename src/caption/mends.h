// SPDX-License-Identifier: Apache-2.0
// What mend.c may have another tag for: a table's sets of rules, from words and their spelling.
#ifndef CAPTION_MENDS_H
#define CAPTION_MENDS_H

#include "caption/caption.h"

// Tags of small words that leave nothing to mend: the, of, and. Those of words with rules for all.
#define MENDS_SMALL (1u << DET | 1u << CCONJ | 1u << ADP | 1u << AUX | 1u << PRON | 1u << PART | 1u << SCONJ | 1u << NUM)
#define MENDS_ALWAYS ((1u << NO_TAG) - 1)

extern const uint8_t mends_slot[TAG_ROOM];   // where a set has a tag's rules
void mends_begin(struct table *t);   // its first set, which stands for words of none: everything may be mended
// The index of a word's set, with its SET_*; the set is added if there is none, or only sought.
uint16_t mends_add(struct table *t, const struct word *w, bool known, const char *text, size_t n);
uint16_t mends_find(const struct table *t, const struct word *w, bool known, const char *text, size_t n);
bool only_adjective(unsigned is, const char *word, size_t n);

#endif
