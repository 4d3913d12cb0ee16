// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_eval_options, field)

struct eval {
    diht_eval_options o;   // first: AT() is its
    const char *fetch_config;
};

extern const struct command command_fetch;

static const struct option options[] = {
    {"model", OPT_TEXTS, AT(models), "FILE", "model (.safetensors); several: side by side on the same samples"},
    {"vocab", OPT_TEXT, AT(vocab), "FILE", "merges file, plain or .gz (default: the model's, else the installed ones)"},
    {"data", OPT_TEXT, AT(data), "DATA", "dataset, list, COCO or ALBEF JSON, WebDataset tars, class folders", true},
    {"images", OPT_TEXT, AT(images), "DIR", "where the list's picture paths start; rows of addresses: DIR/ROW.jpg"},
    {"rows", OPT_TEXT, AT(rows), "A:B", "only rows A to B-1 of the list"},
    {"fetch", OPT_TEXT, AT(fetch), "DATASET", "DATA is a list of addresses: fetch it into DATASET first (again: goes on)"},
    {"fetch-config", OPT_TEXT, offsetof(struct eval, fetch_config), "FILE",
     "options of diht fetch for that, 'key = value' lines (contact, deadline, resize, ...)"},
    {"split", OPT_TEXT, AT(split), "NAME", "only this split"},
    {"image-features", OPT_TEXT, AT(image_features), "FILE", "features instead of a model: .npy [n,d], used as given"},
    {"text-features", OPT_TEXT, AT(text_features), "FILE", ".npy [m,d]"},
    {"txt2img", OPT_TEXT, AT(txt2img), "FILE",
     ".npy [m]: each caption's image row (default: text i belongs to image i)"},
    {"preset", OPT_TEXT, AT(preset), "NAME", "diht, raw or gcc-report"},
    {"prompt", OPT_TEXT, AT(prompt), "P", "\"a photo of {}.\" around every caption; several, parted by |: their mean"},
    {"ranges", OPT_INT64, AT(ranges), "N", "galleries of N images by list index (0: one gallery)"},
    {"exclude-tag", OPT_TEXT, AT(exclude_tag), "TAG", "leave out samples that carry this tag"},
    {"keep", OPT_TEXT, AT(keep), "DIR", "features as they come (default: beside the data; none: nowhere)"},
    {"left-out", OPT_TEXT, AT(left_out), "FILE", "write the samples left out and why, a JSON line each"},
    {"merge", OPT_TEXTS, AT(merge), "FILE", "--json results of some rows each: one result of all", .rest = true},
    {"hubness", OPT_TEXT, AT(hubness), "KIND", "scores corrected for hubs: csls or dual-softmax (named in the result)"},
    {"html", OPT_TEXT, AT(html), "FILE", "write a page with plots and pictures"},
    {"metrics", OPT_TEXT, AT(metrics), "FILE", "training metrics (JSON lines) for the page"},
    {"resamples", OPT_INT, AT(resamples), "N", "bootstrap resamples for the interval"},
    {"batch", OPT_INT, AT(batch), "N", "samples at once"},
    {"precision", OPT_TEXT, AT(precision), "P", "of the products: fp32, bf16 or int8"},
    {"threads", OPT_INT, AT(threads), "N", "compute threads (0: one a processor)"},
    {"loaders", OPT_INT, AT(loaders), "N", "decoding threads (0: as many)"},
    MODEL_AS(diht_eval_options),
    {"json", OPT_FLAG, AT(json), "", "print one JSON object"},
    {0},
};

static void defaults(void *o)
{
    *(struct eval *)o = (struct eval){0};
    diht_eval_defaults(o);
}

static int run(const void *from)
{
    const struct eval *e = from;
    diht_eval_options o = e->o;
    diht_fetch_options fetching;
    char *result = NULL;
    if (e->fetch_config && !o.fetch) {
        fprintf(stderr, "diht eval: --fetch-config belongs to --fetch DATASET, which is missing\n");
        return 2;
    }
    if (options_file(&command_fetch, e->fetch_config, &fetching) != 0)
        return 2;
    o.fetching = &fetching;
    int rc = diht_eval(&o, &result);
    return command_done(rc, result);
}

const struct command command_eval = {
    "eval", "zero-shot retrieval: ranks, Recall@k, intervals, a page",
    "diht eval validation.tsv --images DIR --model M --preset gcc-report --json",
    options, sizeof(struct eval), defaults, run,
};
