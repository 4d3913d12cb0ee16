// SPDX-License-Identifier: Apache-2.0
// A caption list becomes a dataset. Rows are taken in windows: the list is read and the catalogue asked in this thread,
// pictures are read and decoded by all of them, then the window is stored in the list's order. A commit now and then
// makes everything before it lasting: shard first, then the rows that point into it.
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/threads.h"
#include "data/catalogue.h"
#include "data/list.h"
#include "data/shard.h"
#include "image/image.h"
#include "task/task.h"

enum { WINDOW = 256, WINDOW_BYTES = 64 << 20, SHARD_BYTES = 1 << 30 };

struct row {
    char *key, *path, *url, *captions, *tags, *split;   // owned; captions: JSON array
    char *caption;                                      // the first
    int caption_count;
    int64_t id, row, line;
    bool bad;
    const char *reason;    // a word or two to count by
    char *detail;          // owned
    // what the picture turned out to be
    struct buf bytes;
    char sha256[SHA256_HEX];
    const char *format;
    int width, height;
};

struct import {
    const diht_import_options *o;
    struct list *list;
    struct catalogue *catalogue;
    struct shard shard;
    struct pool *pool;
    struct map *reasons;
    int64_t list_id;
    struct row row[WINDOW];
    int n;
    int64_t rows, ok, added, bad, changed;
    double committed;              // when
};

static void row_clear(struct row *r)
{
    struct buf bytes = r->bytes;
    free(r->key);
    free(r->path);
    free(r->url);
    free(r->captions);
    free(r->caption);
    free(r->tags);
    free(r->split);
    free(r->detail);
    if (bytes.room > WINDOW_BYTES / WINDOW)
        buf_free(&bytes);
    *r = (struct row){.bytes = bytes};
}

static void row_bad(struct row *r, const char *reason, const char *detail)
{
    r->bad = true;
    r->reason = reason;
    free(r->detail);
    r->detail = strdup(detail);
}

// Read, sniff, decode: in any thread.
static void row_check(void *arg, int64_t piece, int worker)
{
    struct row *r = &((struct import *)arg)->row[piece];
    struct image im;
    if (r->bad)
        return;
    int rc = picture_read(r->path, &r->bytes);
    if (rc) {
        row_bad(r, rc == EMISSING_ ? "missing" : rc == EUNSUPPORTED_ ? "unsupported" : "unreadable", error_last());
        return;
    }
    r->format = image_format(r->bytes.at, r->bytes.len);
    rc = image_decode(&im, r->bytes.at, r->bytes.len, 0);
    if (rc) {
        error_prefix(rc, "%s: ", r->path);
        const char *reason = !r->format ? "not a picture" : "damaged";
        row_bad(r, rc == EUNSUPPORTED_ ? "unsupported" : rc == EMEMORY_ ? "too large" : reason, error_last());
        return;
    }
    r->width = im.width;
    r->height = im.height;
    image_free(&im);
    sha256_hex(r->sha256, r->bytes.at, r->bytes.len);
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

// Copy what the list says; false: no memory.
static bool row_take(struct import *im, struct row *r, const struct list_row *in)
{
    r->row = in->row;
    r->line = in->line;
    // rows of a further list without keys of its own are told apart by the list's number
    if (in->key_given || im->list_id == 0)
        r->key = strdup(in->key);
    else if (asprintf(&r->key, "%" PRId64 "-%s", im->list_id, in->key) < 0)
        r->key = NULL;
    if (in->bad) {
        row_bad(r, "row", in->bad);
        return r->key && r->detail;
    }
    r->url = strdup(in->path);
    r->path = path_join(list_dir(im->list), in->path);
    r->tags = strdup(in->tags);
    r->split = strdup(*in->split || !im->o->split ? in->split : im->o->split);
    r->caption = strdup(in->captions[0]);
    r->caption_count = in->caption_count;
    r->captions = captions_json(in);
    return r->key && r->url && r->path && r->tags && r->split && r->caption && r->captions;
}

// Is the row stored already? 1 yes: nothing to do. A bad one is tried again.
static int known(struct import *im, struct row *r)
{
    struct catalogue_sample old;
    int rc = catalogue_find(im->catalogue, im->list_id, r->row, &old);
    if (rc < 0)
        return rc;
    if (rc == 1)
        r->id = old.id;
    if (rc == 0 || !old.ok) {
        if (r->bad)
            return 0;
        if ((rc = catalogue_find_key(im->catalogue, r->key, &old)) < 0)
            return rc;
        // the same sample from a copy of the list?
        return rc == 1 && old.list != im->list_id && old.url && old.caption && strcmp(old.url, r->url) == 0 &&
               strcmp(old.caption, r->caption) == 0;
    }
    if (!r->bad && (!old.url || !old.caption || strcmp(old.url, r->url) != 0 || strcmp(old.caption, r->caption) != 0) &&
        im->changed++ == 0)
        log_warn("%s: line %" PRId64 ": the row was imported before with another caption or path: the stored one stays "
                 "(for the new one make a new dataset)", im->o->list, r->line);
    return 1;
}

// Rows that have something to do, until the window or its bytes are full. 1 more to come, 0 the list's end.
static int window_read(struct import *im)
{
    struct list_row in;
    int64_t bytes = 0;
    int rc = 1;
    for (im->n = 0; im->n < WINDOW && bytes < WINDOW_BYTES && (rc = list_next(im->list, &in)) == 1;) {
        struct row *r = &im->row[im->n];
        im->rows++;
        row_clear(r);
        if (!row_take(im, r, &in))
            return FAIL(EMEMORY_, "%s: line %" PRId64 ": out of memory", im->o->list, in.line);
        int done = known(im, r);
        if (done < 0)
            return done;
        if (done) {
            im->ok++;
            continue;
        }
        struct stat s;
        if (!r->bad && stat(r->path, &s) == 0)
            bytes += s.st_size;
        im->n++;
        if (stop_requested())
            break;
    }
    return rc;
}

static int commit(struct import *im)
{
    int rc = shard_sync(&im->shard);
    if (!rc && im->shard.fd >= 0)
        rc = catalogue_shard_put(im->catalogue, im->shard.number, im->shard.bytes, im->shard.samples);
    if (!rc)
        rc = catalogue_commit(im->catalogue);
    im->committed = clock_now();
    return rc;
}

static int next_shard(struct import *im)
{
    int rc = commit(im);
    int64_t number = im->shard.number + 1;
    if (rc)
        return rc;
    shard_close(&im->shard);
    return shard_open(&im->shard, im->o->out, number, 0, 0);
}

static char *row_json(const struct row *r)
{
    json_t *o = json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:i, s:i, s:s}", "key", r->key, "caption", r->caption, "row",
                          (json_int_t)r->row, "path", r->url, "tags", r->tags, "split", r->split, "width", r->width,
                          "height", r->height, "sha256", r->sha256);
    if (o && r->caption_count > 1)
        json_object_set_new(o, "captions", json_loads(r->captions, 0, NULL));
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    return text;
}

static int store(struct import *im, struct row *r)
{
    // Asked here, in the list's order and after all rows before it: the answer does not depend on windows or restarts.
    struct catalogue_sample other;
    int rc = r->bad ? 0 : catalogue_find_key(im->catalogue, r->key, &other);
    if (rc < 0)
        return rc;
    if (rc == 1)
        row_bad(r, "duplicate key", "another sample has this key");
    struct catalogue_sample s = {
        .id = r->id,
        .list = im->list_id,
        .row = r->row,
        .key = r->key,
        .url = r->url,
        .caption = r->caption,
        .captions = r->caption_count > 1 ? r->captions : NULL,
        .tags = r->tags,
        .split = r->split,
        .ok = !r->bad,
        .reason = r->reason,
        .detail = r->detail,
        .bytes = (int64_t)r->bytes.len,
        .sha256 = r->sha256,
        .format = r->format,
        .width = r->width,
        .height = r->height,
    };
    if (r->bad) {
        int64_t *count = map_slot(im->reasons, r->reason, strlen(r->reason), 0);
        if (!count)
            return EMEMORY_;
        ++*count;
        if (im->bad++ < 10)
            log_warn("%s: line %" PRId64 ": sample %s left out (%s): %s", im->o->list, r->line, r->key, r->reason,
                     r->detail ? r->detail : "");
        return catalogue_put(im->catalogue, &s);
    }
    rc = 0;
    if (im->shard.samples >= im->o->shard_samples || im->shard.bytes >= SHARD_BYTES)
        rc = next_shard(im);
    char *json = rc ? NULL : row_json(r);
    if (!rc && !json)
        rc = FAIL(EMEMORY_, "sample %s: out of memory", r->key);
    if (!rc)
        rc = shard_add(&im->shard, r->key, image_extension(r->format), r->bytes.at, r->bytes.len, r->caption, json,
                       &s.offset);
    s.shard = im->shard.number;
    if (!rc)
        rc = catalogue_put(im->catalogue, &s);
    free(json);
    im->ok += !rc;
    im->added += !rc;
    return rc;
}

static int open_all(struct import *im)
{
    const diht_import_options *o = im->o;
    int64_t shard, bytes, samples;
    int rc;
    if (o->shard_samples < 1)
        return FAIL(EUSAGE_, "--shard-samples %" PRId64 ": at least 1", o->shard_samples);
    if (file_is_dir(o->list))
        return FAIL(EUSAGE_, "%s: is a directory, a TSV, CSV or JSONL list was expected", o->list);
    if ((rc = list_open(&im->list, o->list)) != 0)
        return rc;
    char *shards = path_join(o->out, "shards");
    rc = shards ? dir_make(shards) : EMEMORY_;
    free(shards);
    if (rc || (rc = catalogue_open(&im->catalogue, o->out, true)) != 0 ||
        (rc = catalogue_list(im->catalogue, im->list, o->list, &im->list_id)) != 0 ||
        (rc = catalogue_shard(im->catalogue, &shard, &bytes, &samples)) != 0)
        return rc;
    im->pool = pool_new(o->threads, NULL);
    im->reasons = map_new();
    if (!im->pool || !im->reasons)
        return EMEMORY_;
    if ((rc = catalogue_commit(im->catalogue)) != 0)   // a whole, if empty, dataset from here on
        return rc;
    return shard_open(&im->shard, o->out, shard < 0 ? 0 : shard, bytes, samples);
}

static int run(struct import *im)
{
    int more = 1, rc = 0;
    double start = im->committed = clock_now();
    while (!rc && more == 1 && !stop_requested()) {
        if ((more = window_read(im)) < 0)
            return more;
        pool_run(im->pool, im->n, row_check, im);
        for (int i = 0; !rc && i < im->n; i++)
            rc = store(im, &im->row[i]);
        double now = clock_now();
        if (!rc && now - im->committed > 1)
            rc = commit(im);
        log_progress("import: %.0f %%, %" PRId64 " rows, %.0f a second, %" PRId64 " bad", 100 * list_share(im->list),
                     im->rows, (double)im->rows / (now - start + 1e-9), im->bad);
    }
    if (rc == EFULL_) {
        // what fitted is worth keeping, if the catalogue's own pages still fit
        char *why = strdup(error_last());
        if (commit(im) == 0)
            log_info("%" PRId64 " samples were stored before that", im->added);
        if (why)
            error_adopt(rc, why);
        free(why);
        return rc;
    }
    if (!rc)
        rc = commit(im);
    if (!rc && more == 1)
        rc = FAIL(ESTOPPED_,
                  "import stopped after row %" PRId64 ": everything up to there is kept; the same command goes on",
                  im->rows);
    if (!rc && im->rows == 0)
        rc = FAIL(EFORMAT_, "%s: no rows", im->o->list);
    return rc;
}

static int report(struct import *im, double seconds, char **result)
{
    int64_t shards = 0, bytes = 0, ok = 0, bad = 0;
    int rc = catalogue_totals(im->catalogue, &shards, &bytes, &ok, &bad);
    if (rc)
        return rc;
    struct buf b = {0};
    char size[32], time[32];
    format_bytes(size, (double)bytes);
    format_seconds(time, seconds);
    if (im->o->json)
        buf_fmt(&b, "{\"rows\":%" PRId64 ",\"ok\":%" PRId64 ",\"added\":%" PRId64 ",\"bad\":{", im->rows, im->ok,
                im->added);
    else
        buf_fmt(&b, "rows    %10" PRId64 "\nok      %10" PRId64 "  (%" PRId64 " added now)\nbad     %10" PRId64 "\n",
                im->rows, im->ok, im->added, im->bad);
    for (int64_t i = 0; i < map_count(im->reasons); i++) {
        size_t len;
        int64_t n;
        const char *name = map_key(im->reasons, i, &len, &n);
        if (im->o->json)
            buf_fmt(&b, "%s\"%.*s\":%" PRId64, i ? "," : "", (int)len, name, n);
        else
            buf_fmt(&b, "        %10" PRId64 "  %.*s\n", n, (int)len, name);
    }
    if (im->o->json)
        buf_fmt(&b, "},\"shards\":%" PRId64 ",\"bytes\":%" PRId64 ",\"seconds\":%.3f}\n", shards, bytes, seconds);
    else
        buf_fmt(&b, "shards  %10" PRId64 "  (%s)\ntime    %10s\n", shards, size, time);
    *result = buf_steal(&b);
    return *result ? 0 : FAIL(EMEMORY_, "out of memory");
}

int task_import(const diht_import_options *o, char **result)
{
    double start = clock_now();
    *result = NULL;
    struct import *im = calloc(1, sizeof *im);
    if (!im)
        return FAIL(EMEMORY_, "out of memory: the import did not start");
    im->o = o;
    im->shard.fd = -1;
    int rc = open_all(im);
    if (!rc)
        rc = run(im);
    if (!rc && im->ok == 0)
        log_warn("%s: none of its %" PRId64 " rows could be imported", o->list, im->rows);
    if (!rc)
        rc = report(im, clock_now() - start, result);
    for (int i = 0; i < WINDOW; i++) {
        row_clear(&im->row[i]);
        buf_free(&im->row[i].bytes);
    }
    shard_close(&im->shard);
    catalogue_close(im->catalogue);
    list_close(im->list);
    pool_free(im->pool);
    map_free(im->reasons);
    free(im);
    return rc;
}
