// SPDX-License-Identifier: Apache-2.0
// Tensors named by others, as the reference names them: Hugging Face's CLIP models, SWAG's and torchvision's ViTs.
#ifndef MODEL_NAMES_H
#define MODEL_NAMES_H

#include "model/safetensors.h"

bool names_hugging_face(const struct st_file *f);
// Names changed, projections seen transposed, query, key and value seen as one; nothing is copied. Rebuilds the index.
int names_translate(struct st_file *f, const char *path);

bool names_vit(const struct st_file *f);
int names_translate_vit(struct st_file *f, const char *path);

#endif
