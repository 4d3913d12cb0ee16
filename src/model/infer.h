// SPDX-License-Identifier: Apache-2.0
// A model's configuration from the shapes of its tensors, where nothing else says it.
#ifndef MODEL_INFER_H
#define MODEL_INFER_H

#include "model/config.h"
#include "model/safetensors.h"

// What shapes cannot tell (widths of heads, activation) is known of the released DiHT models, by their shapes and their
// file's name, and of OpenAI's own files, by their extra scalars, and is then logged; of others EMISSING_ with a sentence.
int config_infer(struct config *c, const struct st_file *f, const char *path);

// The configuration in the metadata, else in config.json beside the file, else from the tensors' shapes; heads that it
// does not mention from the tensors.
int config_of_file(struct config *c, const struct st_file *f, const char *path);

#endif
