// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_parse_options, field)

static const struct option options[] = {
    {"input", OPT_TEXT, AT(input), "FILE", "captions, one a line (default: standard input)", true},
    {"json", OPT_FLAG, AT(json), "", "one JSON line a caption (the default)"},
    {"explain", OPT_FLAG, AT(explain), "", "drawn for people: words and their tags, objects, actions, the verdict"},
    {"concepts", OPT_FLAG, AT(concepts), "", "objects and attributes of the captions that are kept, most frequent first, instead"},
    {"complexity", OPT_INT, AT(complexity), "N", "keep needs this many relations of one object"},
    {"no-action", OPT_FLAG, AT(no_action), "", "keep does without an action"},
    {0},
};

static void defaults(void *o) { diht_parse_defaults(o); }

static void print(void *user, const char *text, size_t n)
{
    if (fwrite(text, 1, n, stdout) != n || fflush(stdout) != 0)   // whoever reads waits for it, or is gone
        diht_stop();
}

static int run(const void *o)
{
    return command_done(diht_parse(o, print, NULL), NULL);
}

const struct command command_parse = {
    "parse", "captions to objects, attributes and actions", "echo 'a black cat chasing a small bird' | diht parse --explain",
    options, sizeof(diht_parse_options), defaults, run,
};
