// SPDX-License-Identifier: Apache-2.0
// The one thread that writes: pictures into the shard, rows into the journal. A shard's bytes are written before the
// rows that point to them are committed, so that a kill costs at most the rows since the last commit, and those are
// fetched again; what the shard has beyond them is cut off at the next start.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "data/journal.h"
#include "image/image.h"
#include "task/fetch.h"

static const double commit_every = 0.1;
enum { SHARD_BYTES = 1 << 30, RANK_SHARDS = 1000000, COMMIT_ROWS = 4096 };

int store_open(struct fetch *f)
{
    int64_t shard, bytes, samples;
    char *shards = path_join(f->o->out, "shards");
    int rc = shards ? dir_make(shards) : EMEMORY_;
    free(shards);
    if (rc || (rc = catalogue_open_journal(&f->journal, f->o->out, f->o->rank)) != 0)
        return rc;
    if (f->list && (rc = catalogue_list(f->journal, f->list, f->o->list, &f->list_id)) != 0)
        return rc;
    if ((rc = catalogue_commit(f->journal)) != 0 ||
        (rc = catalogue_shard(f->journal, &shard, &bytes, &samples)) != 0)
        return rc;
    if (f->o->log && !(f->log = fopen(f->o->log, "ae")))
        return FAIL(error_from_errno(errno), "%s: cannot be written: %s", f->o->log, strerror(errno));
    // every rank has shards of its own
    return shard_open(&f->shard, f->o->out, shard < 0 ? (int64_t)f->o->rank * RANK_SHARDS : shard, bytes, samples);
}

static int commit(struct fetch *f)
{
    int rc = catalogue_shard_put(f->journal, f->shard.number, f->shard.bytes, f->shard.samples);
    if (!rc)
        rc = catalogue_commit(f->journal);
    f->committed = clock_now();
    f->since = 0;
    return rc;
}

static int next_shard(struct fetch *f)
{
    int64_t number = f->shard.number + 1;
    int rc = sync_shard(f);
    if (!rc)
        rc = commit(f);
    if (rc)
        return rc;
    shard_close(&f->shard);
    return shard_open(&f->shard, f->o->out, number, 0, 0);
}

static json_t *text_or_null(const char *text) { return text ? json_string(text) : json_null(); }

static void log_row(struct fetch *f, const struct row *r)
{
    json_t *o = json_object();
    json_object_set_new(o, "key", json_string(r->key));
    json_object_set_new(o, "row", json_integer(r->row));
    json_object_set_new(o, "url", text_or_null(r->address));
    json_object_set_new(o, "class", json_string(r->ok ? "ok" : r->class));
    json_object_set_new(o, "status", json_integer(r->t.status));
    json_object_set_new(o, "tries", json_integer(r->tries));
    json_object_set_new(o, "bytes", json_integer((json_int_t)r->t.bytes));
    if (!r->ok)
        json_object_set_new(o, "detail", json_string(r->detail));
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    if (text)
        fprintf(f->log, "%s\n", text);
    free(text);
    json_decref(o);
}

static int count(struct fetch *f, const struct row *r)
{
    struct tally *t = &f->tally;
    pthread_mutex_lock(&t->lock);
    if (r->ok) {
        t->ok++;
        t->bytes += (int64_t)(r->made.len ? r->made.len : r->t.body.len);
    } else
        t->failed++;
    int64_t *n = map_slot(t->classes, r->ok ? "ok" : r->class, strlen(r->ok ? "ok" : r->class), 0);
    if (n)
        ++*n;
    pthread_mutex_unlock(&t->lock);
    return n ? 0 : FAIL(EMEMORY_, "out of memory");
}

static int put(struct fetch *f, struct row *r)
{
    struct catalogue_sample other;
    char same[1100] = "";
    int rc = 0;
    const struct buf *picture = r->made.len ? &r->made : &r->t.body;
    if (f->look) {
        if (f->log)
            log_row(f, r);
        rc = f->look->seen(f->look->user, r, clock_now() - f->started);
        return rc ? rc : count(f, r);
    }
    if (r->ok && r->key_given && (rc = catalogue_find_key(f->journal, r->key, &other)) == 1) {
        r->ok = false;
        snprintf(r->class, sizeof r->class, "duplicate-key");
        snprintf(r->detail, sizeof r->detail, "another sample has this key");
        rc = 0;
    }
    if (!rc && r->ok && (rc = journal_same_bytes(f->journal, r->sha256, same, sizeof same)) == 1) {
        rc = 0;
        if (f->o->dedup) {
            r->ok = false;
            snprintf(r->class, sizeof r->class, "duplicate");
            snprintf(r->detail, sizeof r->detail, "the same bytes as sample %.100s", same);
        }
    }
    struct catalogue_sample s = {
        .list = r->list, .row = r->row, .key = r->key, .url = r->address, .caption = r->caption, .captions = r->captions,
        .tags = r->tags, .split = r->split, .ok = r->ok, .extra = r->extra, .status = r->t.status,
        .bytes = (int64_t)picture->len, .sha256 = r->sha256, .format = r->format, .width = r->width, .height = r->height,
        .duplicate = *same ? same : NULL, .reason = r->ok ? NULL : r->class, .detail = r->ok ? NULL : r->detail,
    };
    if (!rc && r->ok) {
        if (f->shard.samples >= f->o->shard_samples || f->shard.bytes >= SHARD_BYTES)
            rc = next_shard(f);
        if (!rc && !r->json)
            rc = FAIL(EMEMORY_, "sample %s: out of memory", r->key);
        if (!rc)
            rc = shard_add(&f->shard, r->key, image_extension(r->format), picture->at, picture->len,
                           r->caption ? r->caption : "", r->json, &s.offset);
        s.shard = f->shard.number;
    }
    if (!rc && r->waited)
        rc = journal_waited(f->journal, r->list, r->row);
    if (!rc)
        rc = catalogue_put(f->journal, &s);
    if (!rc)
        rc = count(f, r);
    if (!rc && f->log)
        log_row(f, r);
    f->since++;
    return rc;
}

static int put_off(struct fetch *f, const struct row *r)
{
    struct catalogue_sample s = {.list = r->list, .row = r->row, .key = r->key, .url = r->address, .caption = r->caption,
                                 .captions = r->captions, .tags = r->tags, .split = r->split, .extra = r->extra};
    f->since++;
    return journal_wait(f->journal, &s, r->hash);
}

static void give_up(struct fetch *f, int rc)
{
    f->rc = rc;
    f->why = strdup(error_last());
    if (rc == EFULL_ && commit(f) == 0)   // what fitted is worth keeping
        log_info("%" PRId64 " samples were stored before that", f->tally.ok);
    __atomic_store_n(&f->failed, true, __ATOMIC_RELEASE);
    client_wake(f->client);
}

void *store_run(void *arg)
{
    struct fetch *f = arg;
    f->committed = clock_now();
    for (;;) {
        struct row *r = line_take_all(&f->stores, f->since ? commit_every : 1);
        struct row *chain = r;
        bool end = !r && f->stores.closed, later = false;
        for (; r; r = r->next) {
            int rc = f->failed ? 0 : r->put_off ? put_off(f, r) : put(f, r);
            later |= r->put_off;
            double now = clock_now();
            if (!rc && !f->failed && (now - f->committed > commit_every || f->since >= COMMIT_ROWS))
                rc = commit(f);
            if (rc)
                give_up(f, rc);
        }
        // what was put off is read again once it is spent
        int rc = later && !f->failed ? commit(f) : 0;
        line_put(&f->spent, chain);
        if (!rc && !f->failed && f->since && clock_now() - f->committed > commit_every)
            rc = commit(f);
        if (!f->failed && !rc)
            rc = sync_now_and_then(f, clock_now());
        if (rc)
            give_up(f, rc);
        client_wake(f->client);
        if (end)
            return NULL;
    }
}

int store_close(struct fetch *f)
{
    int rc = 0;
    if (f->journal && f->shard.fd >= 0 && !f->failed) {
        if (f->list_over && !f->list_rc && f->list)
            rc = journal_list_rows(f->journal, f->list_id, f->list_rows);
        if (!rc)
            rc = commit(f);
    }
    int synced = f->journal ? sync_end(f, clock_now() - f->started) : 0;
    rc = rc ? rc : synced;
    if (f->journal && f->shard.fd >= 0 && !f->failed && !rc)
        rc = journal_end(f->journal);
    if (f->log && fclose(f->log) != 0 && !rc)
        rc = FAIL(EIO_, "%s: writing failed: %s", f->o->log, strerror(errno));
    f->log = NULL;
    shard_close(&f->shard);
    catalogue_close(f->journal);
    f->journal = NULL;
    return rc;
}
