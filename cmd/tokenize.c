// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_tokenize_options, field)

static const struct option options[] = {
    {"input", OPT_TEXT, AT(input), "FILE", "captions, one a line (default: standard input)", true},
    {"jsonl", OPT_FLAG, AT(jsonl), "", "lines are {\"text\": \"...\"}; prints {\"ids\": [...]}"},
    {"vocab", OPT_TEXT, AT(vocab), "FILE", "merges file, plain or .gz (default: CLIP's, installed by './run build')"},
    {"model", OPT_TEXT, AT(model), "FILE", "or the merges inside this model"},
    {"context", OPT_INT, AT(context), "N", "ids a caption, padded with 0"},
    {0},
};

static void defaults(void *o) { diht_tokenize_defaults(o); }

static void print(void *user, const char *text, size_t n) { fwrite(text, 1, n, stdout); }   // command_done looks at it

static int run(const void *o)
{
    return command_done(diht_tokenize(o, print, NULL), NULL);
}

const struct command command_tokenize = {
    "tokenize", "captions to token ids", "echo '{\"text\": \"a dog\"}' | diht tokenize --jsonl",
    options, sizeof(diht_tokenize_options), defaults, run,
};
