// SPDX-License-Identifier: Apache-2.0
// The jobs behind the public calls, one file each; options and results as include/diht.h says.
#ifndef TASK_TASK_H
#define TASK_TASK_H

#include "diht.h"

int task_import(const diht_import_options *o, char **result);
int task_fetch(const diht_fetch_options *o, char **result);
int task_refetch(const diht_fetch_options *o, char **result);
int task_plan(const diht_plan_options *o, char **result);
int task_status(const diht_status_options *o, char **result);
int task_vocab(const diht_vocab_options *o, char **result);
int task_preprocess(const diht_preprocess_options *o, char **result);
int task_tokenize(const diht_tokenize_options *o, void (*write)(void *user, const char *text, size_t n), void *user);
int task_parse(const diht_parse_options *o, void (*write)(void *user, const char *text, size_t n), void *user);
int task_filter_text(const diht_filter_text_options *o, void (*write)(void *user, const char *text, size_t n), void *user);
int task_spot(const diht_spot_options *o, void (*write)(void *user, const char *text, size_t n), void *user);
int task_filter(const diht_filter_options *o, char **result);
int task_train(const diht_train_options *o, char **result);
int task_embed(const diht_embed_options *o, char **result);
int task_eval(const diht_eval_options *o, char **result);
int task_classify(const diht_classify_options *o, char **result);
int task_verify(const diht_verify_options *o, char **result);
int task_drift(const diht_drift_options *o, char **result);
int task_loss(const diht_loss_options *o, char **result);
int task_info(const diht_info_options *o, char **result);
int task_pull(const diht_pull_options *o, char **result);
int task_convert(const diht_convert_options *o, char **result);

#endif
