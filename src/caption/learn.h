// SPDX-License-Identifier: Apache-2.0
// Making the word table: an averaged perceptron over tagged sentences, WordNet folded in.
#ifndef CAPTION_LEARN_H
#define CAPTION_LEARN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "caption/table.h"

struct token {
    int32_t type;     // of its lower-case form
    uint8_t tag;      // what it is
    uint8_t upos;     // the same with VERB whole
    uint8_t shape;    // as written
};

struct treebank {
    struct map *types;         // lower-case forms
    struct token *token;
    int64_t *start;            // of each sentence; start[sentences] = tokens
    int64_t tokens, token_room, sentences, start_room;
};

// CoNLL-U, or lines of "word/TAG word/TAG". Appends; types are shared by all files read into one treebank.
int treebank_read(struct treebank *b, const char *path);
// One sentence of "word/TAG word/TAG"; the line is taken apart.
int treebank_line(struct treebank *b, char *line, const char *path, long number);
// Made sentences in the manner of captions, of WordNet's words.
int treebank_invent(struct treebank *b, const char *wordnet, int sentences, uint64_t seed);
void treebank_free(struct treebank *b);

struct learn_options {
    const char *wordnet;    // directory
    int epochs;
    int rounds;             // perceptrons whose mean is taken
    double lower;           // share of sentences shown in lower case
    uint64_t seed;
};

// Learns from sentences [0, sentences) and writes the table.
int learn_table(const struct treebank *b, const struct learn_options *o, const char *out);

// Right tags (VERB whole) of the sentences, as the table at hand tags them.
double treebank_accuracy(const struct treebank *b, int64_t first, const struct table *t, bool lower);

#endif
