// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_drift_options, field)

static const struct option options[] = {
    {"data", OPT_TEXT, AT(data), "DATA", "dataset or caption list", true, true},
    {"model", OPT_TEXT, AT(model), "FILE", "model (.safetensors)", false, true},
    {"vocab", OPT_TEXT, AT(vocab), "FILE", "merges file, plain or .gz (default: the model's, else the installed ones)"},
    {"images", OPT_TEXT, AT(images), "DIR", "where picture paths start"},
    {"split", OPT_TEXT, AT(split), "NAME", "only this split"},
    {"prompt", OPT_TEXT, AT(prompt), "P", "\"a photo of {}.\" around every caption"},
    {"rows", OPT_INT64, AT(rows), "N", "only the first N samples (0: all)"},
    {"batch", OPT_INT, AT(batch), "N", "samples at once"},
    {"threads", OPT_INT, AT(threads), "N", "compute threads (0: one a processor)"},
    {"loaders", OPT_INT, AT(loaders), "N", "decoding threads (0: as many)"},
    MODEL_AS(diht_drift_options),
    {"json", OPT_FLAG, AT(json), "", "print one JSON object"},
    {0},
};

static void defaults(void *o) { diht_drift_defaults(o); }

static int run(const void *o)
{
    char *result = NULL;
    int rc = diht_drift(o, &result);
    return command_done(rc, result);
}

const struct command command_drift = {
    "drift", "what bf16 and int8 do to a model's features", "diht drift DATASET --model model.safetensors --split val",
    options, sizeof(diht_drift_options), defaults, run,
};
