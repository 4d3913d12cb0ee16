// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_convert_options, field)

static const struct option options[] = {
    {"path", OPT_TEXT, AT(path), "FILE", "checkpoint: .safetensors, or PyTorch's .pt, .pth, .ckpt, .bin", true, true},
    {"out", OPT_TEXT, AT(out), "FILE", "the .safetensors file to write", true, true},
    {"dtype", OPT_TEXT, AT(dtype), "TYPE", "fp32, fp16, bf16 or int8 (default: each tensor's own)"},
    MODEL_AS(diht_convert_options),
    {"json", OPT_FLAG, AT(json), "", "print one JSON object"},
    {0},
};

static void defaults(void *o) { diht_convert_defaults(o); }

static int run(const void *o)
{
    char *result = NULL;
    int rc = diht_convert(o, &result);
    return command_done(rc, result);
}

const struct command command_convert = {
    "convert", "a checkpoint as .safetensors with its configuration inside",
    "diht convert model.pt model.safetensors --dtype fp16", options, sizeof(diht_convert_options), defaults, run,
};
