// SPDX-License-Identifier: Apache-2.0
// The two ways of `diht eval`: features from files, or a model on data.
#ifndef TASK_EVAL_H
#define TASK_EVAL_H

#include "diht.h"

int eval_features(const diht_eval_options *o, char **result);
int eval_model(const diht_eval_options *o, char **result);
int eval_merge(const diht_eval_options *o, char **result);   // --merge

#endif
