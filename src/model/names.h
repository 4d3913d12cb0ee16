// SPDX-License-Identifier: Apache-2.0
// Hugging Face's names of a CLIP model's tensors as the reference names them.
#ifndef MODEL_NAMES_H
#define MODEL_NAMES_H

#include "model/safetensors.h"

bool names_hugging_face(const struct st_file *f);
// Names changed, projections seen transposed, query, key and value seen as one; nothing is copied. Rebuilds the index.
int names_translate(struct st_file *f, const char *path);

#endif
