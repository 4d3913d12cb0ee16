// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_classify_options, field)

static const struct option options[] = {
    {"data", OPT_TEXT, AT(data), "DATA", "class folders, or WebDataset tars with .cls", true, true},
    {"model", OPT_TEXT, AT(model), "FILE", "model (.safetensors)", false, true},
    {"vocab", OPT_TEXT, AT(vocab), "FILE", "merges file, plain or .gz (default: the model's, else the installed ones)"},
    {"split", OPT_TEXT, AT(split), "NAME", "only this split"},
    {"images", OPT_TEXT, AT(images), "DIR", "where picture paths start"},
    {"classnames", OPT_TEXT, AT(classnames), "FILE", "a name a line, or JSON (default: beside the data, or the folders)"},
    {"templates", OPT_TEXT, AT(templates), "FILE", "prompts with {} or {c} (default: beside the data, or our dozen)"},
    {"set", OPT_TEXT, AT(set), "NAME", "which list of a JSON file: imagenet1k, ..."},
    {"keep", OPT_TEXT, AT(keep), "DIR", "features as they come (default: beside the data; none: nowhere)"},
    {"left-out", OPT_TEXT, AT(left_out), "FILE", "write the samples left out and why, a JSON line each"},
    {"resamples", OPT_INT, AT(resamples), "N", "bootstrap resamples for the interval"},
    {"precision", OPT_TEXT, AT(precision), "P", "of the products: fp32, bf16 or int8"},
    {"batch", OPT_INT, AT(batch), "N", "samples at once"},
    {"threads", OPT_INT, AT(threads), "N", "compute threads (0: one a processor)"},
    {"loaders", OPT_INT, AT(loaders), "N", "decoding threads (0: as many)"},
    MODEL_AS(diht_classify_options),
    {"json", OPT_FLAG, AT(json), "", "print one JSON object"},
    {0},
};

static void defaults(void *o) { diht_classify_defaults(o); }

static int run(const void *o)
{
    char *result = NULL;
    int rc = diht_classify(o, &result);
    return command_done(rc, result);
}

const struct command command_classify = {
    "classify", "zero-shot classification: acc@1, acc@5, mean per class",
    "diht classify imagenet/val --model M --classnames classnames.txt",
    options, sizeof(diht_classify_options), defaults, run,
};
