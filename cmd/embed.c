// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_embed_options, field)

static const struct option options[] = {
    {"model", OPT_TEXT, AT(model), "FILE", "model (.safetensors)", false, true},
    {"vocab", OPT_TEXT, AT(vocab), "FILE", "merges file, plain or .gz (default: the model's, else the installed ones)"},
    {"images-npy", OPT_TEXT, AT(images_npy), "FILE", "normalised float32 [n,3,S,S]"},
    {"ids-npy", OPT_TEXT, AT(ids_npy), "FILE", "int64 [m,context] token ids"},
    {"data", OPT_TEXT, AT(data), "DATA", "dataset or caption list", true},
    {"split", OPT_TEXT, AT(split), "NAME", "only this split"},
    {"kept", OPT_FLAG, AT(kept), "", "only samples that diht filter kept"},
    {"images", OPT_TEXT, AT(images), "DIR", "where the list's picture paths start; rows of addresses: DIR/ROW.jpg"},
    {"prompt", OPT_TEXT, AT(prompt), "P", "\"a photo of {}.\" around every caption"},
    {"out", OPT_TEXT, AT(out), "DIR", "images.npy, texts.npy, keys.txt go here", false, true},
    {"keep", OPT_TEXT, AT(keep), "DIR", "features as they come (default: beside the data; none: nowhere)"},
    {"raw", OPT_FLAG, AT(raw), "", "features before the L2 norm"},
    {"batch", OPT_INT, AT(batch), "N", "samples at once"},
    {"precision", OPT_TEXT, AT(precision), "P", "of the products: fp32, bf16 or int8"},
    {"threads", OPT_INT, AT(threads), "N", "compute threads (0: one a processor)"},
    {"loaders", OPT_INT, AT(loaders), "N", "decoding threads (0: as many)"},
    MODEL_AS(diht_embed_options),
    {"json", OPT_FLAG, AT(json), "", "print one JSON object"},
    {0},
};

static void defaults(void *o) { diht_embed_defaults(o); }

static int run(const void *o)
{
    char *result = NULL;
    int rc = diht_embed(o, &result);
    return command_done(rc, result);
}

const struct command command_embed = {
    "embed", "features of images and captions", "diht embed DATASET --model model.safetensors --out features",
    options, sizeof(diht_embed_options), defaults, run,
};
