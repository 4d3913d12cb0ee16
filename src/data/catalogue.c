// SPDX-License-Identifier: Apache-2.0
#include "data/catalogue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/list.h"

enum { VERSION = 1, HEAD = 65536 };

static const char schema[] =
    "CREATE TABLE lists(id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE,"
    " head_bytes INTEGER NOT NULL, head_sha256 TEXT NOT NULL);"
    "CREATE TABLE shards(id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, samples INTEGER NOT NULL);"
    "CREATE TABLE samples(id INTEGER PRIMARY KEY, key TEXT NOT NULL, list INTEGER NOT NULL REFERENCES lists,"
    " row INTEGER NOT NULL,"
    " url TEXT, caption TEXT, captions TEXT, tags TEXT, split TEXT,"
    " state TEXT NOT NULL CHECK(state IN ('ok', 'bad')), reason TEXT, detail TEXT, status INTEGER,"
    " bytes INTEGER, sha256 TEXT, format TEXT, width INTEGER, height INTEGER,"
    " shard INTEGER REFERENCES shards, offset INTEGER,"
    " UNIQUE(list, row));"
    "CREATE UNIQUE INDEX good_key ON samples(key) WHERE state = 'ok';"
    "PRAGMA user_version = 1;";

enum query { FIND, FIND_KEY, DROP, PUT, LAST_SHARD, PUT_SHARD, TOTALS, QUERIES };

static const char *const queries[QUERIES] = {
    [FIND] = "SELECT id, state, url, caption, list FROM samples WHERE list = ?1 AND row = ?2",
    [FIND_KEY] = "SELECT id, state, url, caption, list FROM samples WHERE key = ?1 AND state = 'ok'",
    [DROP] = "DELETE FROM samples WHERE id = ?1",
    [PUT] = ("INSERT INTO samples(id, key, list, row, url, caption, captions, tags, split, state, reason, detail,"
            " bytes, sha256, format, width, height, shard, offset)"
            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"),
    [LAST_SHARD] = "SELECT id, bytes, samples FROM shards ORDER BY id DESC LIMIT 1",
    [PUT_SHARD] = "INSERT OR REPLACE INTO shards(id, bytes, samples) VALUES(?1, ?2, ?3)",
    [TOTALS] = ("SELECT (SELECT count(*) FROM shards), (SELECT coalesce(sum(bytes), 0) FROM shards),"
               " (SELECT count(*) FROM samples WHERE state = 'ok'),"
               " (SELECT count(*) FROM samples WHERE state = 'bad')"),
};

struct catalogue {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *ready[QUERIES];
    int lock;    // of the dataset directory while writing, else -1
};

static int failed(struct catalogue *c, int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return FAIL(EFULL_, "%s: the disk is full: what was stored before is kept; make room and run it again",
                    c->path);
    case SQLITE_NOMEM:
        return FAIL(EMEMORY_, "%s: out of memory", c->path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return FAIL(EFORMAT_, "%s: is damaged or not a catalogue (%s)", c->path, sqlite3_errmsg(c->db));
    case SQLITE_BUSY:
        return FAIL(EIO_, "%s: another program is writing it", c->path);
    case SQLITE_CONSTRAINT:
        return FAIL(EFORMAT_, "%s: %s", c->path, sqlite3_errmsg(c->db));
    }
    return FAIL(EIO_, "%s: %s", c->path, c->db ? sqlite3_errmsg(c->db) : "out of memory");
}

static int run(struct catalogue *c, const char *sql)
{
    int code = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
    return code ? failed(c, code) : 0;
}

static int prepare(struct catalogue *c, const char *sql, sqlite3_stmt **out)
{
    int code = sqlite3_prepare_v2(c->db, sql, -1, out, NULL);
    return code ? failed(c, code) : 0;
}

static int use(struct catalogue *c, enum query q, sqlite3_stmt **out)
{
    int rc = c->ready[q] ? 0 : prepare(c, queries[q], &c->ready[q]);
    *out = c->ready[q];
    if (!rc)
        sqlite3_reset(*out);
    return rc;
}

// One step: 1 a row, 0 done.
static int step(struct catalogue *c, sqlite3_stmt *s)
{
    int code = sqlite3_step(s);
    return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : failed(c, code);
}

static int version(struct catalogue *c, int *out)
{
    sqlite3_stmt *s = NULL;
    int rc = prepare(c, "PRAGMA user_version", &s);
    if (!rc && (rc = step(c, s)) == 1) {
        *out = sqlite3_column_int(s, 0);
        rc = 0;
    }
    sqlite3_finalize(s);
    return rc;
}

static int open_at(struct catalogue **out, const char *path, const char *lock_dir)
{
    struct catalogue *c = calloc(1, sizeof *c);
    int rc, found = 0;
    *out = NULL;
    if (!c || !(c->path = strdup(path))) {
        free(c);
        return FAIL(EMEMORY_, "%s: out of memory", path);
    }
    c->lock = -1;
    if (lock_dir) {
        c->lock = open(lock_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (c->lock >= 0 && flock(c->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            rc = FAIL(EIO_, "%s: another import is writing it: wait for its end", lock_dir);
            goto done;
        }
    }
    // Read-write even for reading, if it may be: a journal left by a crash has to be rolled back.
    int flags = SQLITE_OPEN_READWRITE | (lock_dir ? SQLITE_OPEN_CREATE : 0);
    int code = sqlite3_open_v2(path, &c->db, flags, NULL);
    if (code && !lock_dir) {
        sqlite3_close(c->db);
        code = sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READONLY, NULL);
    }
    if (code) {
        rc = failed(c, code);
        goto done;
    }
    sqlite3_busy_timeout(c->db, 10000);
    if (lock_dir && ((rc = run(c, "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; BEGIN IMMEDIATE")) != 0))
        goto done;
    if ((rc = version(c, &found)) != 0)
        goto done;
    if (found == 0 && lock_dir)
        rc = run(c, schema);
    else if (found != VERSION)
        rc = FAIL(EFORMAT_, "%s: catalogue of version %d, this program knows version %d", path, found, VERSION);
done:
    if (rc)
        catalogue_close(c);
    else
        *out = c;
    return rc;
}

int catalogue_open(struct catalogue **out, const char *dataset, bool write)
{
    char *path = path_join(dataset, "catalog-0000.sqlite");
    int rc = path ? open_at(out, path, write ? dataset : NULL) : EMEMORY_;
    free(path);
    return rc;
}

int catalogue_open_file(struct catalogue **out, const char *path) { return open_at(out, path, NULL); }

void catalogue_close(struct catalogue *c)
{
    if (!c)
        return;
    for (int i = 0; i < QUERIES; i++)
        sqlite3_finalize(c->ready[i]);
    sqlite3_close(c->db);
    if (c->lock >= 0)
        close(c->lock);
    free(c->path);
    free(c);
}

int catalogue_commit(struct catalogue *c)
{
    for (int i = 0; i < QUERIES; i++)
        if (c->ready[i])
            sqlite3_reset(c->ready[i]);
    int rc = run(c, "COMMIT");
    return rc ? rc : run(c, "BEGIN IMMEDIATE");
}

static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
    if (text)
        sqlite3_bind_text(s, at, text, -1, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(s, at);
}

// Does the list on disk begin with the bytes that the list `sha` of `bytes` began with?
static bool same_head(const struct list *l, int64_t bytes, const char *sha)
{
    char found[SHA256_HEX];
    size_t n;
    const void *head = list_head(l, HEAD, &n);
    if (bytes <= 0 || (size_t)bytes > n)
        return false;
    sha256_hex(found, head, (size_t)bytes);
    return strcmp(found, sha) == 0;
}

int catalogue_list(struct catalogue *c, const struct list *l, const char *path, int64_t *id)
{
    sqlite3_stmt *s = NULL;
    char sha[SHA256_HEX], *real = realpath(path, NULL);
    size_t n;
    int rc;
    const void *head = list_head(l, HEAD, &n);
    *id = -1;
    if (!real)
        return FAIL(error_from_errno(errno), "%s: %s", path, strerror(errno));
    if ((rc = prepare(c, "SELECT id, path, head_bytes, head_sha256 FROM lists ORDER BY id", &s)) != 0)
        goto done;
    while ((rc = step(c, s)) == 1) {
        const char *known = (const char *)sqlite3_column_text(s, 1);
        const char *known_sha = (const char *)sqlite3_column_text(s, 3);
        // moved: it begins the same and the old place is empty
        bool moved = *id < 0 && known && known_sha && !file_exists(known) &&
                     same_head(l, sqlite3_column_int64(s, 2), known_sha);
        if (moved || (known && strcmp(known, real) == 0))
            *id = sqlite3_column_int64(s, 0);
    }
    sqlite3_finalize(s);
    s = NULL;
    if (rc)
        goto done;
    // SELECT max + 1 rather than SQLite's choice: the first list is number 0
    static const char add[] = "INSERT INTO lists(id, path, head_bytes, head_sha256)"
                              " VALUES((SELECT coalesce(max(id) + 1, 0) FROM lists), ?2, ?3, ?4) RETURNING id";
    static const char update[] = "UPDATE lists SET path = ?2, head_bytes = ?3, head_sha256 = ?4"
                                 " WHERE id = ?1 RETURNING id";
    rc = prepare(c, *id < 0 ? add : update, &s);
    if (rc)
        goto done;
    sha256_hex(sha, head ? head : "", n);
    if (*id >= 0)
        sqlite3_bind_int64(s, 1, *id);
    bind_text(s, 2, real);
    sqlite3_bind_int64(s, 3, (int64_t)n);
    bind_text(s, 4, sha);
    if ((rc = step(c, s)) == 1) {
        *id = sqlite3_column_int64(s, 0);
        rc = step(c, s);
    }
done:
    sqlite3_finalize(s);
    free(real);
    return rc;
}

static int found(struct catalogue *c, sqlite3_stmt *s, struct catalogue_sample *out)
{
    int rc = step(c, s);
    memset(out, 0, sizeof *out);
    if (rc != 1)
        return rc;
    out->id = sqlite3_column_int64(s, 0);
    out->ok = strcmp((const char *)sqlite3_column_text(s, 1), "ok") == 0;
    out->url = (const char *)sqlite3_column_text(s, 2);
    out->caption = (const char *)sqlite3_column_text(s, 3);
    out->list = sqlite3_column_int64(s, 4);
    return 1;
}

int catalogue_find(struct catalogue *c, int64_t list, int64_t row, struct catalogue_sample *out)
{
    sqlite3_stmt *s;
    int rc = use(c, FIND, &s);
    if (rc)
        return rc;
    sqlite3_bind_int64(s, 1, list);
    sqlite3_bind_int64(s, 2, row);
    return found(c, s, out);
}

int catalogue_find_key(struct catalogue *c, const char *key, struct catalogue_sample *out)
{
    sqlite3_stmt *s;
    int rc = use(c, FIND_KEY, &s);
    if (rc)
        return rc;
    bind_text(s, 1, key);
    return found(c, s, out);
}

int catalogue_put(struct catalogue *c, const struct catalogue_sample *v)
{
    sqlite3_stmt *s;
    int rc = use(c, DROP, &s);
    if (!rc && v->id) {
        sqlite3_bind_int64(s, 1, v->id);
        rc = step(c, s);
        sqlite3_reset(s);
    }
    if (!rc)
        rc = use(c, PUT, &s);
    if (rc)
        return rc;
    sqlite3_clear_bindings(s);
    if (v->id)
        sqlite3_bind_int64(s, 1, v->id);
    bind_text(s, 2, v->key);
    sqlite3_bind_int64(s, 3, v->list);
    sqlite3_bind_int64(s, 4, v->row);
    bind_text(s, 5, v->url);
    bind_text(s, 6, v->caption);
    bind_text(s, 7, v->captions);
    bind_text(s, 8, v->tags && *v->tags ? v->tags : NULL);
    bind_text(s, 9, v->split && *v->split ? v->split : NULL);
    bind_text(s, 10, v->ok ? "ok" : "bad");
    bind_text(s, 11, v->reason);
    bind_text(s, 12, v->detail);
    if (v->ok) {
        sqlite3_bind_int64(s, 13, v->bytes);
        bind_text(s, 14, v->sha256);
        bind_text(s, 15, v->format);
        sqlite3_bind_int(s, 16, v->width);
        sqlite3_bind_int(s, 17, v->height);
        sqlite3_bind_int64(s, 18, v->shard);
        sqlite3_bind_int64(s, 19, v->offset);
    }
    rc = step(c, s);
    sqlite3_reset(s);
    return rc;
}

int catalogue_shard(struct catalogue *c, int64_t *shard, int64_t *bytes, int64_t *samples)
{
    sqlite3_stmt *s;
    int rc = use(c, LAST_SHARD, &s);
    *shard = -1;
    *bytes = *samples = 0;
    if (rc || (rc = step(c, s)) != 1)
        return rc;
    *shard = sqlite3_column_int64(s, 0);
    *bytes = sqlite3_column_int64(s, 1);
    *samples = sqlite3_column_int64(s, 2);
    sqlite3_reset(s);
    return 0;
}

int catalogue_shard_put(struct catalogue *c, int64_t shard, int64_t bytes, int64_t samples)
{
    sqlite3_stmt *s;
    int rc = use(c, PUT_SHARD, &s);
    if (rc)
        return rc;
    sqlite3_bind_int64(s, 1, shard);
    sqlite3_bind_int64(s, 2, bytes);
    sqlite3_bind_int64(s, 3, samples);
    rc = step(c, s);
    sqlite3_reset(s);
    return rc;
}

int catalogue_totals(struct catalogue *c, int64_t *shards, int64_t *bytes, int64_t *ok, int64_t *bad)
{
    sqlite3_stmt *s;
    int rc = use(c, TOTALS, &s);
    if (rc || (rc = step(c, s)) != 1)
        return rc;
    int64_t *into[] = {shards, bytes, ok, bad};
    for (int i = 0; i < 4; i++)
        if (into[i])
            *into[i] = sqlite3_column_int64(s, i);
    sqlite3_reset(s);
    return 0;
}

int catalogue_walk(struct catalogue *c, int (*each)(void *, const struct catalogue_sample *), void *user)
{
    sqlite3_stmt *s = NULL;
    int rc = prepare(c, "SELECT id, key, list, row, url, caption, captions, tags, split, state, reason, detail,"
                        " bytes, sha256, format, width, height, shard, offset FROM samples ORDER BY list, row", &s);
    while (!rc && (rc = step(c, s)) == 1) {
        struct catalogue_sample v = {
            .id = sqlite3_column_int64(s, 0), .list = sqlite3_column_int64(s, 2), .row = sqlite3_column_int64(s, 3),
            .bytes = sqlite3_column_int64(s, 12), .width = sqlite3_column_int(s, 15),
            .height = sqlite3_column_int(s, 16), .shard = sqlite3_column_int64(s, 17),
            .offset = sqlite3_column_int64(s, 18),
        };
        static const struct { int column; size_t at; } texts[] = {
            {1, offsetof(struct catalogue_sample, key)}, {4, offsetof(struct catalogue_sample, url)},
            {5, offsetof(struct catalogue_sample, caption)}, {6, offsetof(struct catalogue_sample, captions)},
            {7, offsetof(struct catalogue_sample, tags)}, {8, offsetof(struct catalogue_sample, split)},
            {10, offsetof(struct catalogue_sample, reason)}, {11, offsetof(struct catalogue_sample, detail)},
            {13, offsetof(struct catalogue_sample, sha256)}, {14, offsetof(struct catalogue_sample, format)},
        };
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            *(const char **)((char *)&v + texts[i].at) = (const char *)sqlite3_column_text(s, texts[i].column);
        const char *state = (const char *)sqlite3_column_text(s, 9);
        v.ok = state && strcmp(state, "ok") == 0;
        rc = each(user, &v);
    }
    sqlite3_finalize(s);
    return rc;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int catalogue_paths(const char *dataset, char ***paths, int *count)
{
    *paths = NULL;
    *count = 0;
    DIR *d = opendir(dataset);
    if (!d)
        return FAIL(error_from_errno(errno), "%s: cannot open: %s", dataset, strerror(errno));
    int rc = 0;
    for (struct dirent *e; !rc && (e = readdir(d)) != NULL;) {
        if (fnmatch("catalog-[0-9][0-9][0-9][0-9].sqlite", e->d_name, 0) != 0)
            continue;
        char **more = realloc(*paths, ((size_t)*count + 1) * sizeof **paths);
        char *path = more ? path_join(dataset, e->d_name) : NULL;
        if (more)
            *paths = more;
        if (path)
            (*paths)[(*count)++] = path;
        else
            rc = FAIL(EMEMORY_, "%s: out of memory", dataset);
    }
    closedir(d);
    if (!rc && *count == 0)
        rc = FAIL(EMISSING_, "%s: no catalog-0000.sqlite in here: make a dataset with diht import LIST --out %s",
                  dataset, dataset);
    if (*count)
        qsort(*paths, (size_t)*count, sizeof **paths, by_name);
    return rc;
}
