// SPDX-License-Identifier: Apache-2.0
// Where a fetch's rows come from: first the list, less what the journal holds, then those that wait in the journal. The
// journal is read in step with the list, so that a restart needs no more memory than a start.
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "data/journal.h"
#include "task/fetch.h"

enum { AHEAD = 4096 };

void row_free(struct row *r)
{
    if (!r)
        return;
    if (r->self)
        *r->self = r->younger;
    if (r->younger)
        r->younger->self = r->self;
    transfer_clear(&r->t);
    url_free(&r->url);
    buf_free(&r->made);
    free(r->text);
    free(r->json);
    free(r);
}

// All of a row's texts in one block.
static struct row *row_new(const struct catalogue_sample *s, const char *hash)
{
    struct row *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    const struct { const char *from; const char **to; } texts[] = {
        {s->key, &r->key}, {s->url, &r->address}, {s->caption, &r->caption}, {s->captions, &r->captions},
        {s->tags, &r->tags}, {s->split, &r->split}, {s->extra, &r->extra}, {hash, &r->hash}};
    size_t room = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        room += texts[i].from ? strlen(texts[i].from) + 1 : 0;
    char *at = r->text = malloc(room + 1);
    if (!at) {
        free(r);
        return NULL;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].from) {
            size_t n = strlen(texts[i].from) + 1;
            *texts[i].to = memcpy(at, texts[i].from, n);
            at += n;
        }
    r->list = s->list;
    r->row = s->row;
    return r;
}

// A refetched row's hash lies among its further columns.
static const char *extra_text(const json_t *o, const char *column)
{
    return column ? json_string_value(json_object_get(o, column)) : NULL;
}

static int admit_waiting(struct fetch *f, struct row **out)
{
    struct catalogue_sample s;
    const char *hash = NULL;
    int rc = journal_waiting(f->reader, f->waiting_after, &s, &hash);
    if (rc != 1)
        return rc;
    f->waiting_after = s.id;
    json_t *extra = !hash && f->o->hash_column && s.extra ? json_loads(s.extra, 0, NULL) : NULL;
    *out = row_new(&s, hash ? hash : extra_text(extra, f->o->hash_column));
    json_decref(extra);
    if (!*out)
        return FAIL(EMEMORY_, "sample %s: out of memory", s.key);
    (*out)->waited = (*out)->key_given = true;   // whether the list gave its key is not known any more
    return 1;
}

// Is the row in the journal? Asked with growing rows.
static int known(struct fetch *f, int64_t row)
{
    while (!f->done_over && (f->done_at == f->done_count || f->done[f->done_at] < row)) {
        if (f->done_at < f->done_count) {
            f->done_at++;
            continue;
        }
        int64_t from = f->done_count ? f->done[f->done_count - 1] + 1 : 0;
        int rc = journal_done(f->reader, f->list_id, from > row ? from : row, AHEAD, f->done, &f->done_count);
        if (rc)
            return rc;
        f->done_at = 0;
        f->done_over = f->done_count == 0;
    }
    return !f->done_over && f->done[f->done_at] == row;
}

static char *captions_json(const struct list_row *in)
{
    json_t *a = json_array();
    for (int i = 0; i < in->caption_count; i++)
        json_array_append_new(a, json_string(in->captions[i]));
    char *text = json_dumps(a, JSON_COMPACT);
    json_decref(a);
    return text;
}

static int admit_listed(struct fetch *f, struct row **out)
{
    struct list_row in;
    int rc;
    while ((rc = list_next(f->list, &in)) == 1) {
        f->list_rows = in.row + 1;
        if (f->o->ranks > 1 && in.row % f->o->ranks != f->o->rank)
            continue;
        if ((rc = known(f, in.row)) < 0)
            return rc;
        if (rc)
            continue;
        char key[64], *captions = NULL;
        struct catalogue_sample s = {.list = f->list_id, .row = in.row, .key = in.key};
        if (!in.key_given && f->list_id > 0) {
            snprintf(key, sizeof key, "%" PRId64 "-%.40s", f->list_id, in.key);
            s.key = key;
        }
        if (!in.bad) {
            s.url = in.path;
            s.caption = in.captions[0];
            s.tags = in.tags;
            s.split = *in.split || !f->o->split ? in.split : f->o->split;
            s.extra = in.extra;
            if (in.caption_count > 1 && !(s.captions = captions = captions_json(&in)))
                return FAIL(EMEMORY_, "%s: line %" PRId64 ": out of memory", f->o->list, in.line);
        }
        struct row *r = *out = row_new(&s, in.bad ? NULL : in.hash);
        free(captions);
        if (!r)
            return FAIL(EMEMORY_, "%s: line %" PRId64 ": out of memory", f->o->list, in.line);
        r->key_given = in.key_given;
        if (in.bad) {
            snprintf(r->class, sizeof r->class, "bad-row");
            snprintf(r->detail, sizeof r->detail, "line %" PRId64 ": %s", in.line, in.bad);
        }
        return 1;
    }
    if (rc == EFORMAT_ || rc == EIO_) {
        f->list_rc = rc;
        snprintf(f->list_why, sizeof f->list_why, "%s", error_last());
        log_warn("%s: the rows before are fetched", f->list_why);
        rc = 0;
    }
    return rc;
}

int fetch_admit(struct fetch *f, struct row **out)
{
    int rc = 0;
    *out = NULL;
    if (!f->list_over && (!f->list || (rc = admit_listed(f, out)) == 0))
        f->list_over = true;
    if (rc == 0 && f->list_over && !f->waiting_over && (rc = admit_waiting(f, out)) == 0)
        f->waiting_over = f->putting_off == 0;
    if (rc == 1) {
        struct row *r = *out;
        f->admitted++;
        r->younger = f->living;
        r->self = &f->living;
        if (r->younger)
            r->younger->self = &r->younger;
        f->living = r;
    }
    return rc;
}
