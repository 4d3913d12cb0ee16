// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

// Lines of text have fewer options than data with pictures, and a few of their own.
struct filter_options {
    bool text_only;
    diht_filter_options data;
    diht_filter_text_options text;   // format, field, column, pass
};
#define AT(field) offsetof(struct filter_options, field)

static const struct option options[] = {
    {"data", OPT_TEXT, AT(data.data), "DATA", "dataset directory, list (TSV, CSV, JSON lines, .txt of captions; .gz, .zst) or tars; "
     "with --text-only lines of text (default: standard input)", true},
    {"where", OPT_TEXT, AT(data.where), "RULE", "rule over the list's columns: \"nsfw < 0.5 and similarity > 0.28\""},
    {"complexity", OPT_INT, AT(data.complexity), "N", "keep needs this many relations of one object"},
    {"no-action", OPT_FLAG, AT(data.no_action), "", "keep does without an action"},
    {"boilerplate", OPT_FLAG, AT(data.boilerplate), "", "cut off what pages tell their readers (\"click to enlarge\"), drop what is nothing else"},
    {"spot", OPT_FLAG, AT(data.spot), "", "look for text in the pictures of what is left, and drop those that show their caption"},
    {"spot-side", OPT_INT, AT(data.spot_side), "N", "longer side of the picture that the text detector sees"},
    {"spot-models", OPT_TEXT, AT(data.spot_models), "DIR", "folder of the spotter's library and models (else the user's)"},
    {"spotted", OPT_TEXT, AT(data.spotted), "FILE", "what another spotter found: JSON lines, ours or MMOCR's"},
    {"reuse", OPT_FLAG, AT(data.reuse), "", "judge by what was spotted before, whatever spotted it; look into no picture"},
    {"confidence", OPT_REAL, AT(data.confidence), "P", "spotted text below this does not count"},
    {"match", OPT_INT, AT(data.match), "N", "drop when so many characters in a row are the caption's"},
    {"match-ratio", OPT_REAL, AT(data.match_ratio), "R", "instead: drop when a spotted word is so much like one of the caption's (0: off)"},
    {"caption-column", OPT_TEXT, AT(data.caption_column), "NAME", "column with the captions (else caption)"},
    {"images", OPT_TEXT, AT(data.images), "DIR", "directory that the list's picture paths start from"},
    {"verdicts", OPT_TEXT, AT(data.verdicts), "FILE", "where a list's verdicts are kept (else LIST.filter.jsonl)"},
    {"out", OPT_TEXT, AT(data.out), "FILE", "write the list's kept rows, as JSON lines"},
    {"html", OPT_TEXT, AT(data.html), "PAGE", "write a page with the funnel and examples of each step"},
    {"examples", OPT_INT, AT(data.examples), "N", "examples of each step on the page"},
    {"seed", OPT_SEED, AT(data.seed), "N", "which examples are drawn"},
    {"threads", OPT_INT, AT(data.threads), "N", "threads (0: one a processor)"},
    {"json", OPT_FLAG, AT(data.json), "", "print one JSON object; with --text-only, decisions as JSON lines"},
    {"text-only", OPT_FLAG, AT(text_only), "", "caption rules alone, one decision a line, no state: for pipes"},
    {"format", OPT_TEXT, AT(text.format), "F", "--text-only: txt, tsv or jsonl (default: by the name, else txt)"},
    {"column", OPT_INT, AT(text.column), "N", "--text-only: a TSV's caption column, from 1, where no header names it"},
    {"field", OPT_TEXT, AT(text.field), "NAME", "--text-only: the caption's column or key (default: caption)"},
    {"pass", OPT_FLAG, AT(text.pass), "", "--text-only: write the kept lines themselves instead of decisions"},
    {0},
};

static void defaults(void *p)
{
    struct filter_options *o = p;
    diht_filter_defaults(&o->data);
    diht_filter_text_defaults(&o->text);
}

static void print(void *user, const char *text, size_t n)
{
    if (fwrite(text, 1, n, stdout) != n || fflush(stdout) != 0)   // whoever reads waits for it, or is gone
        diht_stop();
}

static int run(const void *p)
{
    const struct filter_options *o = p;
    char *result = NULL;
    if (!o->text_only) {
        int rc = diht_filter(&o->data, &result);
        return command_done(rc, result);
    }
    diht_filter_text_options text = o->text;
    text.input = o->data.data;
    text.complexity = o->data.complexity;
    text.no_action = o->data.no_action;
    text.boilerplate = o->data.boilerplate;
    text.threads = o->data.threads;
    text.json = o->data.json;
    return command_done(diht_filter_text(&text, print, NULL), NULL);
}

const struct command command_filter = {
    "filter", "drop captions without content and pictures of their captions (CAT)", "diht filter DATASET --spot --html filter.html",
    options, sizeof(struct filter_options), defaults, run,
};
