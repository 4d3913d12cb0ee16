// SPDX-License-Identifier: Apache-2.0
// The words of the table while it is made: treebank and WordNet together, each with its class.
#ifndef CAPTION_LEXICON_H
#define CAPTION_LEXICON_H

#include <stdint.h>

#include "caption/learn.h"
#include "caption/wordnet.h"

struct lexicon_type {      // a form of the treebank
    int32_t row;           // its rows of weights; -1: seen too seldom
    uint8_t class, tag;    // tag: the only one it has, or NO_TAG
};

struct lexicon {
    struct forms forms;            // everything in the table
    struct lexicon_type *type;     // types of the treebank
    int64_t types;
    int32_t *row_form;             // the form of each row
    int64_t rows;
    uint8_t *class, *tag;          // of each form
    uint32_t *pair;                // pair_hash, rising
    int64_t pairs;
};

int lexicon_make(struct lexicon *l, const struct treebank *b, const char *wordnet);
void lexicon_free(struct lexicon *l);
// rows /* 3 x TAGS a row */
int lexicon_write(const struct lexicon *l, const char *path, const struct weights *weights, const int8_t *rows);

#endif
