// SPDX-License-Identifier: Apache-2.0
// Between encode.c and encode_texts.c.
#ifndef TASK_ENCODE_INNER_H
#define TASK_ENCODE_INNER_H

#include "task/encode.h"
#include "task/feature_file.h"

// The raw or unit features of n rows at `to`.
void features_take(struct clip *clip, view raw, view unit, int64_t n, bool keep_raw, float *to);

// The captions of all samples, good ones or not.
int encode_texts(struct features *f, struct clip *clip, const struct tokenizer *t, const struct source *s,
                 const struct features_options *o, struct feature_file *file);

#endif
