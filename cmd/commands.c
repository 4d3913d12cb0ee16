// SPDX-License-Identifier: Apache-2.0
#include "commands.h"

extern const struct command command_import;
extern const struct command command_fetch;
extern const struct command command_refetch;
extern const struct command command_plan;
extern const struct command command_status;
extern const struct command command_vocab;
extern const struct command command_preprocess;
extern const struct command command_tokenize;
extern const struct command command_parse;
extern const struct command command_filter;
extern const struct command command_spot;
extern const struct command command_train;
extern const struct command command_embed;
extern const struct command command_eval;
extern const struct command command_classify;
extern const struct command command_verify;
extern const struct command command_drift;
extern const struct command command_loss;
extern const struct command command_info;
extern const struct command command_convert;
extern const struct command command_pull;
extern const struct command command_bench;

const struct command *const commands[] = {
    &command_import,
    &command_fetch,
    &command_refetch,
    &command_plan,
    &command_status,
    &command_vocab,
    &command_preprocess,
    &command_tokenize,
    &command_parse,
    &command_filter,
    &command_spot,
    &command_train,
    &command_embed,
    &command_eval,
    &command_classify,
    &command_verify,
    &command_drift,
    &command_loss,
    &command_info,
    &command_convert,
    &command_pull,
    &command_bench,
    NULL,
};
