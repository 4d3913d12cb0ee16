// SPDX-License-Identifier: Apache-2.0
// The caption rules of the filter on lines of text, one decision a line: for pipes and for engines that run a command
// over each part of their data. Nothing is kept between lines or runs.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "caption/boilerplate.h"
#include "task/lines.h"
#include "task/parse.h"
#include "task/task.h"

enum format { TEXT, TSV, JSONL };
static const char *const formats[] = {"txt", "tsv", "jsonl", NULL};

struct texts {
    const diht_filter_text_options *o;
    enum format format;
    struct table *table;
    struct parsers **parsers;   // a worker's
    int opened;
    int column;               // TSV: of the caption, from 0
    bool header;              // the first line names columns
};

// --- where a line's caption is -----------------------------------------------------------------------------------------

static int format_of(const diht_filter_text_options *o, enum format *out)
{
    const char *name = o->input ? o->input : "-";
    size_t n = strlen(name);
    for (int i = 0; o->format && formats[i]; i++)
        if (strcmp(o->format, formats[i]) == 0)
            return *out = (enum format)i, 0;
    if (o->format)
        return FAIL(EUSAGE_, "--format %s: txt, tsv or jsonl expected", o->format);
    n -= n > 3 && strcasecmp(name + n - 3, ".gz") == 0 ? 3 : n > 4 && strcasecmp(name + n - 4, ".zst") == 0 ? 4 : 0;
    *out = n > 4 && strncasecmp(name + n - 4, ".tsv", 4) == 0 ? TSV : n > 6 && strncasecmp(name + n - 6, ".jsonl", 6) == 0 ? JSONL : TEXT;
    if (n > 4 && strncasecmp(name + n - 4, ".csv", 4) == 0)
        return FAIL(EUSAGE_, "%s: a CSV row may take several lines, and --text-only answers line by line: filter it as a list, without "
                    "--text-only", name);
    return 0;
}

static bool cell(const char *line, size_t n, int column, const char **at, size_t *len)
{
    const char *end = line + n;
    for (; column > 0; column--) {
        const char *tab = memchr(line, '\t', (size_t)(end - line));
        if (!tab)
            return false;
        line = tab + 1;
    }
    const char *tab = memchr(line, '\t', (size_t)(end - line));
    *at = line;
    *len = (size_t)((tab ? tab : end) - line);
    return true;
}

static void first_line(void *arg, const char *line, size_t n)
{
    struct texts *t = arg;
    const char *name = t->o->field ? t->o->field : "caption", *at;
    size_t len;
    n -= n && line[n - 1] == '\r';
    for (int c = 0; t->format == TSV && !t->header && cell(line, n, c, &at, &len); c++)
        if (len == strlen(name) && strncasecmp(at, name, len) == 0) {
            t->header = true;
            t->column = c;
        }
}

static json_t *json_caption(const struct texts *t, const char *line, size_t n, json_t **object)
{
    *object = json_loadb(line, n, JSON_DECODE_ANY, NULL);
    json_t *c = json_object_get(*object, t->o->field ? t->o->field : "caption");
    if (!c && !t->o->field)
        c = json_object_get(*object, "text");
    return json_is_string(c) ? c : NULL;
}

// --- deciding ----------------------------------------------------------------------------------------------------------

static void put_decision(struct buf *out, const diht_filter_text_options *o, const char *reason, const struct verdict *v)
{
    bool keep = strcmp(reason, "kept") == 0;
    char digits[64];
    int n = 0;
    if (!o->json) {   // no printf: this is done for every line of billions
        buf_str(out, keep ? "keep\t" : "drop\t");
        buf_str(out, reason);
        digits[n++] = '\t';
        int parts[] = {v->complexity, v->actions};
        for (int i = 0; i < 2; i++) {
            int power = 1;
            while (parts[i] / power >= 10)
                power *= 10;
            for (; power; power /= 10)
                digits[n++] = (char)('0' + parts[i] / power % 10);
            digits[n++] = i ? '\n' : '\t';
        }
        buf_add(out, digits, (size_t)n);
        return;
    }
    buf_fmt(out, "{\"keep\": %s, \"reason\": \"%s\", \"complexity\": %d, \"n_actions\": %d}\n", keep ? "true" : "false", reason,
            v->complexity, v->actions);
}

struct decision {
    json_t *object;       // the caption lies in it
    bool header, readable, boilerplate;
};

static struct text caption_of(const struct texts *t, const struct line *line, struct decision *d)
{
    struct text c = {line->text, line->n - (line->n && line->text[line->n - 1] == '\r')};
    *d = (struct decision){.header = t->header && line->number == 1, .readable = true};
    if (d->header)
        return (struct text){"", 0};
    if (t->format == TSV)
        d->readable = cell(line->text, c.len, t->column, &c.at, &c.len);
    if (t->format == JSONL) {
        json_t *j = json_caption(t, line->text, c.len, &d->object);
        d->readable = j != NULL;
        c = (struct text){json_string_value(j), json_string_length(j)};
    }
    if (!d->readable)
        return (struct text){"", 0};
    struct text cut = t->o->boilerplate ? boilerplate_cut(c) : c;
    d->boilerplate = c.len && !cut.len;
    return cut;
}

static void put_line(const struct texts *t, const struct line *line, const struct decision *d, const struct parser *p, struct buf *out)
{
    const char *reason = !d->readable ? "unreadable" : d->boilerplate ? "boilerplate"
                         : parse_reason(p, t->o->complexity, !t->o->no_action);
    bool kept = d->header || (p->verdict.keep && strcmp(reason, "kept") == 0);
    if (t->o->pass && kept) {
        buf_add(out, line->text, line->n);
        buf_char(out, '\n');
    } else if (!t->o->pass && d->header) {
        buf_str(out, t->o->json ? "{\"header\": true}\n" : "verdict\treason\tcomplexity\tactions\n");
    } else if (!t->o->pass) {
        put_decision(out, t->o, reason, &p->verdict);
    }
}

static int decide(void *arg, int worker, const struct line *line, int count, struct buf *out)
{
    const struct texts *t = arg;
    struct parsers *all = t->parsers[worker];
    struct decision decision[LINES_AT_ONCE];
    struct text caption[LINES_AT_ONCE] = {{0}};
    for (int i = 0; i < count; i++)
        caption[i] = caption_of(t, &line[i], &decision[i]);
    parsers_run(all, caption, count, t->o->complexity, !t->o->no_action);
    for (int i = 0; i < count; i++) {
        put_line(t, &line[i], &decision[i], &all->parser[i], out);
        json_decref(decision[i].object);
    }
    return 0;
}

static int start(void *arg, int workers)
{
    struct texts *t = arg;
    int rc = table_open(&t->table, NULL);
    return rc ? rc : parsers_open(&t->parsers, &t->opened, workers, t->table);
}

int task_filter_text(const diht_filter_text_options *o, void (*write)(void *user, const char *text, size_t n), void *user)
{
    struct texts t = {.o = o, .column = o->column - 1};
    struct lines_job job = {o->input, o->threads, decide, start, first_line, &t, write, user};
    if (o->complexity < 0)
        return FAIL(EUSAGE_, "--complexity %d: 0 or more expected", o->complexity);
    if (o->column < 1)
        return FAIL(EUSAGE_, "--column %d: columns are counted from 1", o->column);
    if (o->json && o->pass)
        return FAIL(EUSAGE_, "--json and --pass exclude each other: take one");
    int rc = format_of(o, &t.format);
    if (!rc)
        rc = lines_run(&job);
    parsers_close(t.parsers, t.opened);
    table_close(t.table);
    return rc;
}
