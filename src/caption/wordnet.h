// SPDX-License-Identifier: Apache-2.0
// WordNet's dictionary files, read when the word table is made: forms, what they may be, and their lemmas.
#ifndef CAPTION_WORDNET_H
#define CAPTION_WORDNET_H

#include <stdint.h>

#include "base/map.h"

struct form {
    uint16_t is;              // IS_* of table.h
    uint8_t kind, frames;
    int32_t noun, verb;       // index of the lemma's form; -1: none, or itself
    int32_t senses[3];        // tagged senses seen as noun, verb, adjective
};

struct forms {
    struct map *index;        // lower-case form -> its place
    struct form *form;
    int64_t count, room;
};

// Words of `dir` (index.*, data.*, *.exc, cntlist.rev) with the regular plurals, tenses and comparisons WordNet leaves
// out. Entries of several words are left out.
int forms_read(struct forms *f, const char *dir);
void forms_free(struct forms *f);
// Nouns of two words, one of which could be a verb, as pair_hash, rising; sets PAIR_FIRST and PAIR_SECOND of their words.
// The caller frees.
int pairs_read(struct forms *f, const char *dir, uint32_t **out, int64_t *n);
// The form's place, made when new; negative: EMEMORY_.
int64_t forms_add(struct forms *f, const char *text, size_t len);
const char *forms_text(const struct forms *f, int64_t i, size_t *len);

#endif
