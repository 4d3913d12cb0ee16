// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_bench_options, field)

static const struct option options[] = {
    {"only", OPT_TEXT, AT(only), "NAME", "one figure, or a prefix ending in *"},
    {"threads", OPT_INT, AT(threads), "N", "threads (0: one a processor)"},
    {"seconds", OPT_REAL, AT(seconds), "S", "time spent on each figure"},
    {"json", OPT_FLAG, AT(json), "", "a JSON object a line"},
    {0},
};

static void defaults(void *o) { diht_bench_defaults(o); }

static void line(void *user, const char *text)
{
    puts(text);
    fflush(stdout);
}

static int run(const void *o) { return command_done(diht_bench(o, line, NULL), NULL); }

const struct command command_bench = {
    "bench", "this machine's peaks and how near the program comes", "diht bench --only encode_image_vitb32_fp32 --json",
    options, sizeof(diht_bench_options), defaults, run,
};
