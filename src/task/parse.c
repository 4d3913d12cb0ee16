// SPDX-License-Identifier: Apache-2.0
// Captions, one a line, to their parses.
#include "task/parse.h"

#include <stdlib.h>

#include "base/error.h"
#include "task/lines.h"
#include "task/task.h"

struct parses {
    const diht_parse_options *o;
    struct table *table;
    struct parser **parser;   // a worker
    int workers;
};

static int start(void *arg, int workers)
{
    struct parses *t = arg;
    int rc = table_open(&t->table, NULL);
    return rc ? rc : parsers_open(&t->parser, &t->workers, workers, t->table);
}

static int line(void *arg, int worker, int64_t number, const char *text, size_t n, struct buf *out)
{
    const struct parses *t = arg;
    struct parser *p = t->parser[worker];
    n -= n && text[n - 1] == '\r';
    parser_run(p, text, n, t->o->complexity, !t->o->no_action);
    if (t->o->explain)
        parse_explain(out, p);
    else
        parse_json(out, p);
    return 0;
}

int task_parse(const diht_parse_options *o, void (*write)(void *user, const char *text, size_t n), void *user)
{
    struct parses t = {.o = o};
    struct lines_job job = {.input = o->input, .line = line, .start = start, .arg = &t, .write = write, .user = user};
    if (o->json && o->explain)
        return FAIL(EUSAGE_, "--json and --explain exclude each other: take one");
    if (o->complexity < 0)
        return FAIL(EUSAGE_, "--complexity %d: 0 or more expected", o->complexity);
    int rc = lines_run(&job);
    parsers_close(t.parser, t.workers);
    table_close(t.table);
    return rc;
}

// --- a parser a worker --------------------------------------------------------------------------------------------------

int parsers_open(struct parser ***out, int *count, int workers, const struct table *table)
{
    *count = 0;
    *out = calloc((size_t)workers, sizeof **out);
    for (; *out && *count < workers; ++*count)
        if (!((*out)[*count] = parser_new(table)))
            break;
    return *count == workers ? 0 : FAIL(EMEMORY_, "out of memory for %d parsers", workers);
}

void parsers_close(struct parser **all, int count)
{
    for (int i = 0; i < count; i++)
        parser_free(all[i]);
    free(all);
}
