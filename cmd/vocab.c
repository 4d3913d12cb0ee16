// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_vocab_options, field)

static const struct option options[] = {
    {"data", OPT_TEXT, AT(data), "DATA", "dataset or caption list", true, true},
    {"out", OPT_TEXT, AT(out), "FILE", "merges file to write", false, true},
    {"split", OPT_TEXT, AT(split), "NAME", "only this split's captions"},
    {"kept", OPT_FLAG, AT(kept), "", "only samples that diht filter kept"},
    {"merges", OPT_INT, AT(merges), "N", "how many merges to learn"},
    {"tags", OPT_FLAG, AT(tags), "", "learn from the tags too"},
    {"json", OPT_FLAG, AT(json), "", "print one JSON object"},
    {0},
};

static void defaults(void *o) { diht_vocab_defaults(o); }

static int run(const void *o)
{
    char *result = NULL;
    int rc = diht_vocab(o, &result);
    return command_done(rc, result);
}

const struct command command_vocab = {
    "vocab", "learn a byte-pair vocabulary from captions", "diht vocab DATASET --merges 1500 --out merges.txt",
    options, sizeof(diht_vocab_options), defaults, run,
};
