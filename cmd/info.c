// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_info_options, field)

static const struct option options[] = {
    {"path", OPT_TEXT, AT(path), "PATH", "checkpoint, dataset or .npy file", true, true},
    {"tensors", OPT_FLAG, AT(tensors), "", "list every tensor"},
    MODEL_AS(diht_info_options),
    {"json", OPT_FLAG, AT(json), "", "print one JSON object"},
    {0},
};

static void defaults(void *o) { diht_info_defaults(o); }

static int run(const void *o)
{
    char *result = NULL;
    int rc = diht_info(o, &result);
    return command_done(rc, result);
}

const struct command command_info = {
    "info", "what a checkpoint, dataset or .npy file holds", "diht info model.safetensors",
    options, sizeof(diht_info_options), defaults, run,
};
