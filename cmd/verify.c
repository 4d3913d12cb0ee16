// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_verify_options, field)

static const struct option options[] = {
    {"result", OPT_TEXT, AT(result), "FILE", "what 'diht eval --json' printed", true, true},
    {"batch", OPT_INT, AT(batch), "N", "samples at once"},
    {"threads", OPT_INT, AT(threads), "N", "compute threads (0: one a processor)"},
    {"loaders", OPT_INT, AT(loaders), "N", "decoding threads (0: as many)"},
    {"json", OPT_FLAG, AT(json), "", "print one JSON object"},
    {0},
};

static void defaults(void *o) { diht_verify_defaults(o); }

static int run(const void *o)
{
    char *result = NULL;
    int rc = diht_verify(o, &result);
    return command_done(rc, result);
}

const struct command command_verify = {
    "verify", "an evaluation made again from its receipt, and compared", "diht verify eval.json",
    options, sizeof(diht_verify_options), defaults, run,
};
