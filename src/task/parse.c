// SPDX-License-Identifier: Apache-2.0
// Captions, one a line, to their parses.
#include "task/parse.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/map.h"
#include "task/lines.h"
#include "task/task.h"

_Static_assert((int)LINES_AT_ONCE <= (int)CAPTION_AT_ONCE, "a parser for each of a worker's lines");

struct parses {
    const diht_parse_options *o;
    struct table *table;
    struct parsers **parsers;   // a worker's
    int opened;
    struct map **counts;      // a worker; with `concepts`
    int workers;
};

static int start(void *arg, int workers)
{
    struct parses *t = arg;
    if (t->o->concepts && !(t->counts = calloc((size_t)workers, sizeof *t->counts)))
        return FAIL(EMEMORY_, "out of memory");
    for (; t->counts && t->workers < workers; t->workers++)
        if (!(t->counts[t->workers] = map_new()))
            return FAIL(EMEMORY_, "out of memory");
    int rc = table_open(&t->table, NULL);
    return rc ? rc : parsers_open(&t->parsers, &t->opened, workers, t->table);
}

static int lines(void *arg, int worker, const struct line *line, int count, struct buf *out)
{
    const struct parses *t = arg;
    struct parsers *all = t->parsers[worker];
    const struct parser *p = all->parser;
    struct text caption[LINES_AT_ONCE] = {{0}};
    for (int i = 0; i < count; i++)
        caption[i] = (struct text){line[i].text, line[i].n - (line[i].n && line[i].text[line[i].n - 1] == '\r')};
    parsers_run(all, caption, count, t->o->complexity, !t->o->no_action);
    int rc = 0;
    for (int i = 0; i < count && !rc; i++)
        if (t->counts)
            rc = p[i].verdict.keep ? parse_concepts(t->counts[worker], &p[i]) : 0;
        else if (t->o->explain)
            parse_explain(out, &p[i]);
        else
            parse_json(out, &p[i]);
    return rc;
}

int task_parse(const diht_parse_options *o, void (*write)(void *user, const char *text, size_t n), void *user)
{
    struct parses t = {.o = o};
    struct lines_job job = {.input = o->input, .lines = lines, .start = start, .arg = &t, .write = write, .user = user};
    if (o->json && o->explain)
        return FAIL(EUSAGE_, "--json and --explain exclude each other: take one");
    if (o->complexity < 0)
        return FAIL(EUSAGE_, "--complexity %d: 0 or more expected", o->complexity);
    if (o->concepts && o->explain)
        return FAIL(EUSAGE_, "--concepts and --explain exclude each other: take one");
    struct buf table = {0};
    int rc = lines_run(&job);
    if (!rc && o->concepts && !(rc = parse_concepts_write(&table, t.counts, t.workers, o->json)))
        write(user, table.at ? table.at : "", table.len);
    buf_free(&table);
    for (int i = 0; i < t.workers; i++)
        map_free(t.counts[i]);
    free(t.counts);
    parsers_close(t.parsers, t.opened);
    table_close(t.table);
    return rc;
}

// --- parsers ----------------------------------------------------------------------------------------------------------------

int parsers_open(struct parsers ***out, int *count, int wanted, const struct table *table)
{
    *count = 0;
    *out = calloc((size_t)wanted, sizeof **out);
    for (; *out && *count < wanted; ++*count)
        if (!((*out)[*count] = parsers_new(table, LINES_AT_ONCE)))
            break;
    return *count == wanted ? 0 : FAIL(EMEMORY_, "out of memory for the parsers of %d threads", wanted);
}

void parsers_close(struct parsers **all, int count)
{
    for (int i = 0; i < count; i++)
        parsers_free(all[i]);
    free(all);
}
