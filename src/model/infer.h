// SPDX-License-Identifier: Apache-2.0
// A model's configuration from its file, from a configuration file, from the shapes of its tensors and from what the
// user says.
#ifndef MODEL_INFER_H
#define MODEL_INFER_H

#include "model/config.h"
#include "model/safetensors.h"

// What a user says about a model. 0 and NULL: nothing.
struct model_as {
    const char *config;          // a configuration's name or file: ours, open_clip's, Hugging Face's, a ViT's sizes
    int head_width;              // of the image tower
    int text_head_width;         // 0: as the image tower's
    const char *activation;      // "gelu" or "quick_gelu"
    int image_size;              // pictures of another size than it was trained on: positions are interpolated
};

// The configuration in the metadata, else in as->config, else in config.json or open_clip_config.json beside the file,
// else from the tensors' shapes. What shapes cannot tell (widths of heads, activation) is known of the released DiHT
// models, by their shapes and their file's name, of OpenAI's own files, by their extra scalars, and of the ViTs SWAG
// released, by their sizes; else `as` must say it: EMISSING_ with a sentence. `as` (may be NULL) goes before all of these.
// What was assumed and why is logged. Heads that a configuration does not mention come from the tensors.
int config_of_file(struct config *c, const struct st_file *f, const char *path, const struct model_as *as);

#endif
