// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_eval_options, field)

static const struct option options[] = {
    {"model", OPT_TEXT, AT(model), "FILE", "model (.safetensors)"},
    {"data", OPT_TEXT, AT(data), "DATA", "dataset or caption list", true},
    {"split", OPT_TEXT, AT(split), "NAME", "only this split"},
    {"image-features", OPT_TEXT, AT(image_features), "FILE", "features instead of a model: .npy [n,d], used as given"},
    {"text-features", OPT_TEXT, AT(text_features), "FILE", ".npy [m,d]"},
    {"txt2img", OPT_TEXT, AT(txt2img), "FILE",
     ".npy [m]: each caption's image row (default: text i belongs to image i)"},
    {"preset", OPT_TEXT, AT(preset), "NAME", "diht, raw or gcc-report"},
    {"prompt", OPT_TEXT, AT(prompt), "P", "\"a photo of {}.\" around every caption"},
    {"ranges", OPT_INT64, AT(ranges), "N", "galleries of N images by list index (0: one gallery)"},
    {"exclude-tag", OPT_TEXT, AT(exclude_tag), "TAG", "leave out samples that carry this tag"},
    {"html", OPT_TEXT, AT(html), "FILE", "write a page with plots and pictures"},
    {"metrics", OPT_TEXT, AT(metrics), "FILE", "training metrics (JSON lines) for the page"},
    {"resamples", OPT_INT, AT(resamples), "N", "bootstrap resamples for the interval"},
    {"batch", OPT_INT, AT(batch), "N", "samples at once"},
    {"threads", OPT_INT, AT(threads), "N", "compute threads (0: one a processor)"},
    {"loaders", OPT_INT, AT(loaders), "N", "decoding threads (0: as many)"},
    {"json", OPT_FLAG, AT(json), "", "print one JSON object"},
    {0},
};

static void defaults(void *o) { diht_eval_defaults(o); }

static int run(const void *o)
{
    char *result = NULL;
    int rc = diht_eval(o, &result);
    return command_done(rc, result);
}

const struct command command_eval = {
    "eval", "zero-shot retrieval: ranks, Recall@k, intervals, a page",
    "diht eval DATASET --model model.safetensors --split val --html report.html",
    options, sizeof(diht_eval_options), defaults, run,
};
