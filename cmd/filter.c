// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

struct filter_options {
    bool text_only;
    diht_filter_text_options text;
};
#define AT(field) offsetof(struct filter_options, field)

static const struct option options[] = {
    {"input", OPT_TEXT, AT(text.input), "FILE", "captions, one a line: .txt, .tsv, .jsonl, .gz (default: standard input)", true},
    {"text-only", OPT_FLAG, AT(text_only), "", "caption rules alone, one decision a line, no state: for pipes"},
    {"format", OPT_TEXT, AT(text.format), "F", "txt, tsv or jsonl (default: by the name, else txt)"},
    {"column", OPT_INT, AT(text.column), "N", "tsv without a header: the caption's column, from 1"},
    {"field", OPT_TEXT, AT(text.field), "NAME", "tsv, jsonl: the caption's column or key (default: caption)"},
    {"complexity", OPT_INT, AT(text.complexity), "N", "keep needs this many relations of one object"},
    {"no-action", OPT_FLAG, AT(text.no_action), "", "keep does without an action"},
    {"pass", OPT_FLAG, AT(text.pass), "", "write the kept lines themselves instead of decisions"},
    {"json", OPT_FLAG, AT(text.json), "", "decisions as JSON lines"},
    {"threads", OPT_INT, AT(text.threads), "N", "0: one a processor"},
    {0},
};

static void defaults(void *o) { diht_filter_text_defaults(&((struct filter_options *)o)->text); }

static void print(void *user, const char *text, size_t n)
{
    if (fwrite(text, 1, n, stdout) != n || fflush(stdout) != 0)   // whoever reads waits for it, or is gone
        diht_stop();
}

static int run(const void *p)
{
    const struct filter_options *o = p;
    if (!o->text_only) {
        fprintf(stderr, "diht: filter: --text-only is needed: captions alone are judged\n");
        return 2;
    }
    return command_done(diht_filter_text(&o->text, print, NULL), NULL);
}

const struct command command_filter = {
    "filter", "which captions the filter keeps", "zcat captions.txt.gz | diht filter --text-only --pass",
    options, sizeof(struct filter_options), defaults, run,
};
