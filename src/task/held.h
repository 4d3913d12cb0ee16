// SPDX-License-Identifier: Apache-2.0
// A model held open behind diht_model, for callers with pictures and captions in memory; as include/diht.h says.
#ifndef TASK_HELD_H
#define TASK_HELD_H

#include "diht.h"

int held_open(diht_model **out, const diht_model_options *o);
void held_close(diht_model *m);
void held_describe(const diht_model *m, diht_model_facts *out);
int held_tokenizer(diht_model *m, const diht_tokenizer **out);
int held_pictures(diht_model *m, const diht_picture *pictures, int64_t n, int size, int threads, float *pixels);
int held_encode_pictures(diht_model *m, const diht_picture *pictures, int64_t n, bool raw, float *features);
int held_encode_pixels(diht_model *m, const float *pixels, int64_t n, bool raw, float *features);
int held_encode_ids(diht_model *m, const int64_t *ids, int64_t n, int64_t width, bool raw, float *features);
int held_encode_texts(diht_model *m, const char *const *texts, const size_t *bytes, int64_t n, bool raw, float *features);

int ids_open(diht_tokenizer **out, const char *vocab);
void ids_close(diht_tokenizer *t);
int ids_of(const diht_tokenizer *t, const char *const *texts, const size_t *bytes, int64_t n, int context, int64_t *ids);

int recall_arrays(const diht_recall_options *o, char **result);

#endif
