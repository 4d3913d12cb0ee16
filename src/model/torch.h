// SPDX-License-Identifier: Apache-2.0
// Checkpoints as torch.save writes them (a zip of a pickle and raw storages), read in place as a list of tensors.
#ifndef MODEL_TORCH_H
#define MODEL_TORCH_H

#include "model/safetensors.h"

// Tensors in the order of their dictionary (the whole file, or its "state_dict" or "model"); views of a storage stay
// views: `data` lies in the mapped file, `strided` ones step through it. Whatever else the file holds is passed over.
// st_close.
int torch_open(struct st_file *f, const char *path);

// A safetensors or a PyTorch file, by its first bytes. "module." or "model." before every name (DataParallel's, a training
// loop's) and "text." before the text tower's (open_clip's) are taken off; Hugging Face's, SWAG's and torchvision's names
// become the reference's.
int weights_open(struct st_file *f, const char *path);
bool weights_name(const char *path);   // by its ending, is it such a file?

#endif
