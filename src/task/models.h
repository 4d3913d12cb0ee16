// SPDX-License-Identifier: Apache-2.0
// Models by name.
#ifndef TASK_MODELS_H
#define TASK_MODELS_H

// A file's path as it is, a released model's name (model/released.h) as the path in the user's cache, where it is fetched
// to first if need be. Fresh; NULL stays NULL.
int model_find(char **path, const char *name);

#endif
