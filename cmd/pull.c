// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_pull_options, field)

static const struct option options[] = {
    {"name", OPT_TEXT, AT(name), "NAME", "diht_vitb32_224px, diht_vitb16_224px, diht_vitl14_224px, diht_vitl14_336px, or all",
     true, true},
    {"url", OPT_TEXT, AT(url), "URL", "another address of the file, or of a directory (ending in /) that has it"},
    {0},
};

static void defaults(void *o) { diht_pull_defaults(o); }

static int run(const void *o)
{
    char *result = NULL;
    int rc = diht_pull(o, &result);
    return command_done(rc, result);
}

const struct command command_pull = {
    "pull", "fetch a released model into the user's cache", "diht pull diht_vitl14_336px",
    options, sizeof(diht_pull_options), defaults, run,
};
