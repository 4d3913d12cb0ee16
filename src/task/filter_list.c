// SPDX-License-Identifier: Apache-2.0
// Rows of a list, or of what others keep their data in; verdicts in a file of JSON lines beside it:
//   {"settings": "..."}
//   {"row": 0, "key": "00000000", "reason": "kept", "complexity": 3, "actions": 1, "matched": null, "ratio": null,
//    "spotter": null, "spotted": null}
// A run writes FILE.part and renames it at its end; one that was killed goes on behind the last whole line. The files of
// an earlier run and of an unfinished one of other settings (FILE.old) are read along: what their pictures were spotted to
// hold is known.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "data/list.h"
#include "data/source.h"
#include "task/filter.h"

// Verdicts read one after the other.
struct verdict_file {
    FILE *f;
    char *line;
    size_t room;
    json_t *settings, *now;    // the first line; the row's, or NULL
    int64_t row;               // of `now`; -1 before the first, INT64_MAX behind the last
    char *spotted;
};

struct rows {
    const diht_filter_options *o;
    const char *settings;
    char *path, *part, *old;   // of the verdicts
    struct list *list;         // or
    struct source *source;
    int64_t at, count;         // of source
    char *picture;             // path of the list row's
    struct list_row row;
    struct verdict_file known, unfinished;
    int64_t left_out;
    FILE *out;
    int64_t skip;              // rows up to this one have their verdict
    struct buf line;
};

enum { LOGGED = 3 };           // rows left out that are named

static void verdict_file_close(struct verdict_file *v)
{
    if (v->f)
        fclose(v->f);
    free(v->line);
    free(v->spotted);
    json_decref(v->settings);
    json_decref(v->now);
    memset(v, 0, sizeof *v);
}

// The next line's object, or NULL: the end, or one that was cut off.
static json_t *next_line(struct verdict_file *v)
{
    ssize_t n = getline(&v->line, &v->room, v->f);
    bool whole = n > 0 && v->line[n - 1] == '\n';
    json_t *o = whole ? json_loadb(v->line, (size_t)n, 0, NULL) : NULL;
    if (json_is_object(o))
        return o;
    json_decref(o);
    return NULL;
}

// false: there is none that can be used.
static bool verdict_file_open(struct verdict_file *v, const char *path)
{
    *v = (struct verdict_file){.f = fopen(path, "re"), .row = -1};
    if (v->f)
        v->settings = next_line(v);
    if (!v->settings || !json_is_string(json_object_get(v->settings, "settings"))) {
        verdict_file_close(v);
        return false;
    }
    return true;
}

static void verdict_next(struct verdict_file *v)
{
    json_decref(v->now);
    v->now = next_line(v);
    v->row = v->now ? (int64_t)json_integer_value(json_object_get(v->now, "row")) : INT64_MAX;
}

static int number(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    return json_is_integer(v) ? (int)json_integer_value(v) : -1;
}

// What is known of a row, moving on to it.
static int known_of(struct verdict_file *v, int64_t row, const char *key, struct judged *out)
{
    *out = (struct judged){.complexity = -1, .actions = -1, .matched = -1, .ratio = -1};
    while (v->f && v->row < row)
        verdict_next(v);
    const char *whose = v->f && v->row == row ? json_string_value(json_object_get(v->now, "key")) : NULL;
    if (!whose || strcmp(whose, key) != 0)
        return 0;
    const json_t *spotted = json_object_get(v->now, "spotted"), *ratio = json_object_get(v->now, "ratio");
    free(v->spotted);
    v->spotted = NULL;
    if (json_is_object(spotted) && !(v->spotted = json_dumps(spotted, JSON_COMPACT)))
        return FAIL(EMEMORY_, "out of memory");
    out->reason = json_string_value(json_object_get(v->now, "reason"));
    out->complexity = number(v->now, "complexity");
    out->actions = number(v->now, "actions");
    out->matched = number(v->now, "matched");
    out->ratio = json_is_number(ratio) ? json_number_value(ratio) : -1;
    out->spotted = v->spotted;
    out->spotter = json_string_value(json_object_get(v->now, "spotter"));
    return 0;
}

// The unfinished file, made when absent; it is this run's alone until its end.
static int lock_part(struct rows *r)
{
    int fd = open(r->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (r->out)
        fclose(r->out);
    r->out = fd < 0 ? NULL : fdopen(fd, "r+");
    if (!r->out)
        return FAIL(error_from_errno(errno), "%s: cannot be written: %s", r->part, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return FAIL(EIO_, "%s: another filter is writing it: wait for its end", r->part);
    return 0;
}

// Behind the last whole line of an unfinished run of the same settings; else anew.
static int open_part(struct rows *r)
{
    struct verdict_file v;
    long end = 0;
    int rc = lock_part(r);
    if (!rc && verdict_file_open(&v, r->part)) {
        if (strcmp(json_string_value(json_object_get(v.settings, "settings")), r->settings) == 0) {
            end = ftell(v.f);
            for (verdict_next(&v); v.now; verdict_next(&v)) {
                r->skip = v.row;
                end = ftell(v.f);
            }
        } else if (rename(r->part, r->old) == 0) {
            rc = lock_part(r);
        }
        verdict_file_close(&v);
    }
    if (rc)
        return rc;
    verdict_file_open(&r->unfinished, r->old);
    if (ftruncate(fileno(r->out), end) != 0 || fseek(r->out, end, SEEK_SET) != 0)
        return FAIL(error_from_errno(errno), "%s: cannot be written: %s", r->part, strerror(errno));
    if (r->skip >= 0)
        log_info("filter: going on behind row %" PRId64 " of an earlier run", r->skip);
    if (end > 0)
        return 0;
    buf_str(&r->line, "{\"settings\": ");
    json_text(&r->line, r->settings, strlen(r->settings));
    buf_str(&r->line, "}\n");
    return r->line.failed ? FAIL(EMEMORY_, "%s: out of memory", r->part) : 0;
}

static bool is_list(const char *path)
{
    return !file_is_dir(path) && strcasecmp(path_ext(path), ".tar") != 0 && strcasecmp(path_ext(path), ".json") != 0;
}

static void rows_close(void *state)
{
    struct rows *r = state;
    if (!r)
        return;
    list_close(r->list);
    source_close(r->source);
    verdict_file_close(&r->known);
    verdict_file_close(&r->unfinished);
    if (r->out)
        fclose(r->out);
    buf_free(&r->line);
    free(r->path);
    free(r->part);
    free(r->old);
    free(r->picture);
    free(r);
}

static int rows_open(void **state, const diht_filter_options *o, const char *settings, bool look)
{
    struct rows *r = *state = calloc(1, sizeof *r);
    size_t n = strlen(o->data);
    if (!r)
        return FAIL(EMEMORY_, "%s: out of memory", o->data);
    r->o = o;
    r->settings = settings;
    r->skip = -1;
    while (n > 1 && o->data[n - 1] == '/')
        n--;
    if (o->verdicts)
        r->path = strdup(o->verdicts);
    else if (asprintf(&r->path, "%.*s.filter.jsonl", (int)n, o->data) < 0)
        r->path = NULL;
    if (!r->path || asprintf(&r->part, "%s.part", r->path) < 0 || asprintf(&r->old, "%s.old", r->path) < 0)
        return FAIL(EMEMORY_, "%s: out of memory", o->data);
    struct list_columns want = {.web = true, .captions = true, .caption = o->caption_column};
    int rc = is_list(o->data) ? list_open_columns(&r->list, o->data, &want)
                              : source_open_with(&r->source, o->data, &(struct source_options){.images = o->images});
    r->count = !rc && r->source ? source_count(r->source) : 0;
    bool known = !rc && verdict_file_open(&r->known, r->path);
    if (!rc && look && !known)
        rc = FAIL(EFORMAT_, "%s: is not what was written a moment ago", r->path);
    return rc || look ? rc : open_part(r);
}

static int list_row_next(struct rows *r, struct filter_row *out)
{
    int rc = list_next(r->list, &r->row);
    while (rc == 1 && r->row.bad) {
        if (r->left_out++ < LOGGED)
            log_warn("%s: line %" PRId64 ": left out: %s", r->o->data, r->row.line, r->row.bad);
        rc = list_next(r->list, &r->row);
    }
    if (rc == 0 && r->left_out > LOGGED && r->out)
        log_warn("%s: %" PRId64 " rows that cannot be read left out", r->o->data, r->left_out);
    if (rc != 1)
        return rc;
    const struct list_row *l = &r->row;
    free(r->picture);
    r->picture = NULL;
    bool file = *l->path && !strstr(l->path, "://");
    if (file && !(r->picture = path_join(r->o->images ? r->o->images : list_dir(r->list), l->path)))
        return FAIL(EMEMORY_, "%s: out of memory", r->o->data);
    *out = (struct filter_row){
        .row = l->row, .key = l->key, .url = l->path, .tags = l->tags, .split = l->split, .captions = l->captions,
        .caption_count = l->caption_count, .extra = l->extra, .picture = r->picture, .offset = -1,
    };
    return 1;
}

static int source_row_next(struct rows *r, struct filter_row *out)
{
    struct sample s;
    if (r->at == r->count)
        return 0;
    source_sample(r->source, r->at, &s);
    *out = (struct filter_row){
        .row = r->at, .key = s.key, .tags = s.tags, .split = s.split, .captions = s.captions,
        .caption_count = s.caption_count,
    };
    out->picture = source_place(r->source, r->at, &out->offset, &out->bytes);
    r->at++;
    return 1;
}

static int rows_next(void *state, struct filter_row *out)
{
    struct rows *r = state;
    int rc;
    do
        rc = r->list ? list_row_next(r, out) : source_row_next(r, out);
    while (rc == 1 && out->row <= r->skip);
    if (rc != 1)
        return rc;
    rc = known_of(&r->known, out->row, out->key, &out->known);
    if (!rc && r->unfinished.f && !out->known.spotted)
        rc = known_of(&r->unfinished, out->row, out->key, &out->known);
    return rc ? rc : 1;
}

static void put_number(struct buf *b, const char *name, int value)
{
    if (value < 0)
        buf_fmt(b, ", \"%s\": null", name);
    else
        buf_fmt(b, ", \"%s\": %d", name, value);
}

static int rows_put(void *state, const struct filter_row *row, const struct judged *j)
{
    struct rows *r = state;
    struct buf *b = &r->line;
    buf_fmt(b, "{\"row\": %" PRId64 ", \"key\": ", row->row);
    json_text(b, row->key, strlen(row->key));
    buf_fmt(b, ", \"reason\": \"%s\"", j->reason);
    put_number(b, "complexity", j->complexity);
    put_number(b, "actions", j->actions);
    put_number(b, "matched", j->matched);
    if (j->ratio < 0)
        buf_str(b, ", \"ratio\": null");
    else
        buf_fmt(b, ", \"ratio\": %.4f", j->ratio);
    buf_str(b, ", \"spotter\": ");
    if (j->spotter)
        json_text(b, j->spotter, strlen(j->spotter));
    else
        buf_str(b, "null");
    buf_fmt(b, ", \"spotted\": %s}\n", j->spotted ? j->spotted : "null");
    return b->failed ? FAIL(EMEMORY_, "%s: out of memory", r->part) : 0;
}

static int rows_commit(void *state)
{
    struct rows *r = state;
    bool wrote = fwrite(r->line.at ? r->line.at : "", 1, r->line.len, r->out) == r->line.len && fflush(r->out) == 0;
    buf_clear(&r->line);
    return wrote ? 0 : FAIL(error_from_errno(errno), "%s: cannot be written: %s: what is there is kept; make room and run "
                            "it again", r->part, strerror(errno));
}

static int rows_end(void *state)
{
    struct rows *r = state;
    int rc = rows_commit(r);
    bool kept = !rc && fsync(fileno(r->out)) == 0 && rename(r->part, r->path) == 0;
    if (kept)
        unlink(r->old);
    return rc || kept ? rc : FAIL(error_from_errno(errno), "%s: cannot be written: %s", r->path, strerror(errno));
}

static double rows_share(const void *state)
{
    const struct rows *r = state;
    return r->list ? list_share(r->list) : r->count ? (double)r->at / (double)r->count : 1;
}

static const char *rows_verdicts(const void *state) { return ((const struct rows *)state)->path; }

const struct filter_backend filter_list = {rows_open, rows_close, rows_next, rows_put, rows_commit, rows_end, rows_share,
                                           rows_verdicts};
