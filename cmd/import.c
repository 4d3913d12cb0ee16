// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_import_options, field)

static const struct option options[] = {
    {"list", OPT_TEXT, AT(list), "LIST", "TSV, CSV or JSON lines with caption and path columns", true, true},
    {"out", OPT_TEXT, AT(out), "DATASET", "dataset directory to make or add to", false, true},
    {"shard-samples", OPT_INT64, AT(shard_samples), "N", "samples in a tar shard"},
    {"split", OPT_TEXT, AT(split), "NAME", "split of rows that name none"},
    {"threads", OPT_INT, AT(threads), "N", "threads (0: one a processor)"},
    {"json", OPT_FLAG, AT(json), "", "print one JSON object"},
    {0},
};

static void defaults(void *o) { diht_import_defaults(o); }

static int run(const void *o)
{
    char *result = NULL;
    int rc = diht_import(o, &result);
    return command_done(rc, result);
}

const struct command command_import = {
    "import", "make a dataset (catalogue and tar shards) from a caption list", "diht import pairs.tsv --out DATASET",
    options, sizeof(diht_import_options), defaults, run,
};
