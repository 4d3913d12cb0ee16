// SPDX-License-Identifier: Apache-2.0
// Byte-pair merges learnt from texts (Sennrich et al. 2016), words as the tokenizer splits them.
#ifndef MODEL_LEARN_H
#define MODEL_LEARN_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct learner;

struct learner *learner_new(void);       // NULL: out of memory
void learner_free(struct learner *l);    // accepts NULL

int learner_add(struct learner *l, const char *text, size_t len);   // count the words of a text; EMEMORY_
int64_t learner_words(const struct learner *l);                     // so far
int64_t learner_distinct(const struct learner *l);

// Up to `merges` pairs, the most frequent first; equal counts: the pair of lower ids. Appends the merges file's text
// (header line included) to `out`; returns how many merges were found: fewer when no pair occurs twice. Once only.
// `progress` (may be NULL) is called now and then; not 0 from it stops with that code.
int learner_run(struct learner *l, int merges, struct buf *out, int (*progress)(void *user, int done), void *user);

#endif
