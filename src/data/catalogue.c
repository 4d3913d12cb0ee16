// SPDX-License-Identifier: Apache-2.0
#include "data/catalogue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/catalogue_inner.h"
#include "data/list.h"

enum { VERSION = 2, HEAD = 65536 };

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

// What fetching needs: columns of the list that mean nothing to us, whose bytes a sample repeats, rows put off.
static const char second[] =
    "ALTER TABLE samples ADD COLUMN extra TEXT;"
    "ALTER TABLE samples ADD COLUMN duplicate TEXT;"
    "ALTER TABLE lists ADD COLUMN rows INTEGER;"
    "CREATE TABLE waiting(id INTEGER PRIMARY KEY, key TEXT NOT NULL, list INTEGER NOT NULL REFERENCES lists,"
    " row INTEGER NOT NULL, url TEXT NOT NULL, caption TEXT, captions TEXT, tags TEXT, split TEXT, extra TEXT,"
    " hash TEXT, UNIQUE(list, row));"
    "PRAGMA user_version = 2;";

static const char *const queries[QUERIES] = {
    [FIND] = "SELECT id, state, url, caption, list FROM samples WHERE list = ?1 AND row = ?2",
    [FIND_KEY] = "SELECT id, state, url, caption, list FROM samples WHERE key = ?1 AND state = 'ok'",
    [DROP] = "DELETE FROM samples WHERE id = ?1",
    [PUT] = ("INSERT INTO samples(id, key, list, row, url, caption, captions, tags, split, state, reason, detail,"
            " bytes, sha256, format, width, height, shard, offset, extra, duplicate, status)"
            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)"),
    [LAST_SHARD] = "SELECT id, bytes, samples FROM shards ORDER BY id DESC LIMIT 1",
    [PUT_SHARD] = "INSERT OR REPLACE INTO shards(id, bytes, samples) VALUES(?1, ?2, ?3)",
    [TOTALS] = ("SELECT (SELECT count(*) FROM shards), (SELECT coalesce(sum(bytes), 0) FROM shards),"
               " (SELECT count(*) FROM samples WHERE state = 'ok'),"
               " (SELECT count(*) FROM samples WHERE state = 'bad')"),
    [DONE] = ("SELECT row FROM samples WHERE list = ?1 AND row >= ?2 UNION ALL"
              " SELECT row FROM waiting WHERE list = ?1 AND row >= ?2 ORDER BY 1 LIMIT ?3"),
    [WAIT] = ("INSERT INTO waiting(key, list, row, url, caption, captions, tags, split, extra, hash)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"),
    [WAITING] = ("SELECT id, key, list, row, url, caption, captions, tags, split, extra, hash FROM waiting"
                 " WHERE id > ?1 ORDER BY id LIMIT 1"),
    [UNWAIT] = "DELETE FROM waiting WHERE list = ?1 AND row = ?2",
    [SAME_BYTES] = ("SELECT key FROM samples WHERE substr(sha256, 1, 16) = substr(?1, 1, 16) AND +sha256 = ?1"
                    " AND state = 'ok' ORDER BY id LIMIT 1"),
    [LIST_ROWS] = "UPDATE lists SET rows = ?2 WHERE id = ?1",
    [JUDGE] = ("SELECT s.id, s.key, s.list, s.row, s.url, s.caption, s.captions, s.tags, s.split, s.bytes, s.width, s.height,"
               " s.shard, s.offset, s.extra, v.reason, v.spotted, v.spotter, s.format, v.complexity, v.actions, v.matched,"
               " v.ratio FROM samples s LEFT JOIN verdicts v ON v.sample = s.id WHERE s.id > ?1 AND s.state = 'ok' ORDER BY s.id"),
    [PUT_VERDICT] = ("INSERT OR REPLACE INTO verdicts(sample, reason, complexity, actions, matched, ratio, spotted, spotter)"
                     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
};

int catalogue_failed(struct catalogue *c, int code)
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

int catalogue_run(struct catalogue *c, const char *sql)
{
    int code = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
    return code ? catalogue_failed(c, code) : 0;
}

int catalogue_prepare(struct catalogue *c, const char *sql, sqlite3_stmt **out)
{
    int code = sqlite3_prepare_v2(c->db, sql, -1, out, NULL);
    return code ? catalogue_failed(c, code) : 0;
}

int catalogue_use(struct catalogue *c, enum query q, sqlite3_stmt **out)
{
    int rc = c->ready[q] ? 0 : catalogue_prepare(c, queries[q], &c->ready[q]);
    *out = c->ready[q];
    if (!rc)
        sqlite3_reset(*out);
    return rc;
}

// One step: 1 a row, 0 done.
int catalogue_step(struct catalogue *c, sqlite3_stmt *s)
{
    int code = sqlite3_step(s);
    return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : catalogue_failed(c, code);
}

static int version(struct catalogue *c, int *out)
{
    sqlite3_stmt *s = NULL;
    int rc = catalogue_prepare(c, "PRAGMA user_version", &s);
    if (!rc && (rc = catalogue_step(c, s)) == 1) {
        *out = sqlite3_column_int(s, 0);
        rc = 0;
    }
    sqlite3_finalize(s);
    return rc;
}

enum { MAKING_WAITS = 100, MAKING_WAIT_US = 20000 };

static int open_at(struct catalogue **out, const char *path, const char *lock, bool journal)
{
    struct catalogue *c = calloc(1, sizeof *c);
    int rc;
    *out = NULL;
    if (!c || !(c->path = strdup(path))) {
        free(c);
        return FAIL(EMEMORY_, "%s: out of memory", path);
    }
    c->lock = -1;
    if (lock) {
        c->lock = file_is_dir(lock) ? open(lock, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                                    : open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (c->lock >= 0 && flock(c->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            rc = FAIL(EIO_, "%s: another import or fetch is writing it: wait for its end", path);
            goto done;
        }
    }
    // Read-write even for reading, if it may be: a journal left by a crash has to be rolled back.
    int flags = SQLITE_OPEN_READWRITE | (lock ? SQLITE_OPEN_CREATE : 0);
    int code = sqlite3_open_v2(path, &c->db, flags, NULL);
    if (code && !lock) {
        sqlite3_close(c->db);
        code = sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READONLY, NULL);
    }
    if (code) {
        rc = catalogue_failed(c, code);
        goto done;
    }
    sqlite3_busy_timeout(c->db, 10000);
    // A fetch commits many times a second and is watched while it runs: a log beside the file, brought in now and then.
    if (journal && (rc = catalogue_run(c, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                                          "PRAGMA wal_autocheckpoint = 0; BEGIN IMMEDIATE")) != 0)
        goto done;
    if (lock && !journal &&
        (rc = catalogue_run(c, "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; BEGIN IMMEDIATE")) != 0)
        goto done;
    if ((rc = version(c, &c->version)) != 0)
        goto done;
    // another rank may be making it just now: the file is there before its tables are
    for (int i = 0; !rc && c->version == 0 && !lock && i < MAKING_WAITS; i++) {
        usleep(MAKING_WAIT_US);
        rc = version(c, &c->version);
    }
    if (rc)
        goto done;
    if (c->version > VERSION || (c->version == 0 && !lock))
        rc = FAIL(EFORMAT_, "%s: catalogue of version %d, this program knows version %d", path, c->version, VERSION);
    if (!rc && lock && c->version < 1)
        rc = catalogue_run(c, schema);
    if (!rc && lock && c->version < 2)
        rc = catalogue_run(c, second);
    if (!rc && lock)
        c->version = VERSION;
    if (!rc && journal)
        rc = catalogue_run(c, "CREATE INDEX IF NOT EXISTS by_bytes ON samples(substr(sha256, 1, 16)) WHERE state = 'ok'");
    if (!rc && journal)   // other ranks may read it from now on
        rc = catalogue_commit(c);
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
    int rc = path ? open_at(out, path, write ? dataset : NULL, false) : EMEMORY_;
    free(path);
    return rc;
}

int catalogue_open_file(struct catalogue **out, const char *path) { return open_at(out, path, NULL, false); }

int catalogue_open_journal(struct catalogue **out, const char *dataset, int rank)
{
    char *path = NULL, *lock = NULL;
    int rc = 0;
    *out = NULL;
    if (asprintf(&path, "%s/catalog-%04d.sqlite", dataset, rank) < 0)
        path = NULL;
    if (rank > 0 && asprintf(&lock, "%s/catalog-%04d.lock", dataset, rank) < 0)
        lock = NULL;
    if (!path || (rank > 0 && !lock))
        rc = FAIL(EMEMORY_, "%s: out of memory", dataset);
    else   // the first is an importer's too, which locks the directory
        rc = open_at(out, path, rank > 0 ? lock : dataset, true);
    free(path);
    free(lock);
    return rc;
}

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
    int rc = catalogue_run(c, "COMMIT");
    return rc ? rc : catalogue_run(c, "BEGIN IMMEDIATE");
}

void catalogue_bind(sqlite3_stmt *s, int at, const char *text)
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
    if ((rc = catalogue_prepare(c, "SELECT id, path, head_bytes, head_sha256 FROM lists ORDER BY id", &s)) != 0)
        goto done;
    while ((rc = catalogue_step(c, s)) == 1) {
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
    rc = catalogue_prepare(c, *id < 0 ? add : update, &s);
    if (rc)
        goto done;
    sha256_hex(sha, head ? head : "", n);
    if (*id >= 0)
        sqlite3_bind_int64(s, 1, *id);
    catalogue_bind(s, 2, real);
    sqlite3_bind_int64(s, 3, (int64_t)n);
    catalogue_bind(s, 4, sha);
    if ((rc = catalogue_step(c, s)) == 1) {
        *id = sqlite3_column_int64(s, 0);
        rc = catalogue_step(c, s);
    }
done:
    sqlite3_finalize(s);
    free(real);
    return rc;
}

static int found(struct catalogue *c, sqlite3_stmt *s, struct catalogue_sample *out)
{
    int rc = catalogue_step(c, s);
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
    int rc = catalogue_use(c, FIND, &s);
    if (rc)
        return rc;
    sqlite3_bind_int64(s, 1, list);
    sqlite3_bind_int64(s, 2, row);
    return found(c, s, out);
}

int catalogue_find_key(struct catalogue *c, const char *key, struct catalogue_sample *out)
{
    sqlite3_stmt *s;
    int rc = catalogue_use(c, FIND_KEY, &s);
    if (rc)
        return rc;
    catalogue_bind(s, 1, key);
    return found(c, s, out);
}

int catalogue_put(struct catalogue *c, const struct catalogue_sample *v)
{
    sqlite3_stmt *s;
    int rc = catalogue_use(c, DROP, &s);
    if (!rc && v->id) {
        sqlite3_bind_int64(s, 1, v->id);
        rc = catalogue_step(c, s);
        sqlite3_reset(s);
    }
    if (!rc)
        rc = catalogue_use(c, PUT, &s);
    if (rc)
        return rc;
    sqlite3_clear_bindings(s);
    if (v->id)
        sqlite3_bind_int64(s, 1, v->id);
    catalogue_bind(s, 2, v->key);
    sqlite3_bind_int64(s, 3, v->list);
    sqlite3_bind_int64(s, 4, v->row);
    catalogue_bind(s, 5, v->url);
    catalogue_bind(s, 6, v->caption);
    catalogue_bind(s, 7, v->captions);
    catalogue_bind(s, 8, v->tags && *v->tags ? v->tags : NULL);
    catalogue_bind(s, 9, v->split && *v->split ? v->split : NULL);
    catalogue_bind(s, 10, v->ok ? "ok" : "bad");
    catalogue_bind(s, 11, v->reason);
    catalogue_bind(s, 12, v->detail);
    if (v->ok) {
        sqlite3_bind_int64(s, 13, v->bytes);
        catalogue_bind(s, 14, v->sha256);
        catalogue_bind(s, 15, v->format);
        sqlite3_bind_int(s, 16, v->width);
        sqlite3_bind_int(s, 17, v->height);
        sqlite3_bind_int64(s, 18, v->shard);
        sqlite3_bind_int64(s, 19, v->offset);
        catalogue_bind(s, 21, v->duplicate);
    }
    catalogue_bind(s, 20, v->extra);
    if (v->status)
        sqlite3_bind_int(s, 22, v->status);
    rc = catalogue_step(c, s);
    sqlite3_reset(s);
    return rc;
}

int catalogue_shard(struct catalogue *c, int64_t *shard, int64_t *bytes, int64_t *samples)
{
    sqlite3_stmt *s;
    int rc = catalogue_use(c, LAST_SHARD, &s);
    *shard = -1;
    *bytes = *samples = 0;
    if (rc || (rc = catalogue_step(c, s)) != 1)
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
    int rc = catalogue_use(c, PUT_SHARD, &s);
    if (rc)
        return rc;
    sqlite3_bind_int64(s, 1, shard);
    sqlite3_bind_int64(s, 2, bytes);
    sqlite3_bind_int64(s, 3, samples);
    rc = catalogue_step(c, s);
    sqlite3_reset(s);
    return rc;
}

int catalogue_totals(struct catalogue *c, int64_t *shards, int64_t *bytes, int64_t *ok, int64_t *bad)
{
    sqlite3_stmt *s;
    int rc = catalogue_use(c, TOTALS, &s);
    if (rc || (rc = catalogue_step(c, s)) != 1)
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
    static const char all[] = "SELECT id, key, list, row, url, caption, captions, tags, split, state, s.reason, detail,"
                              " bytes, sha256, format, width, height, shard, offset, NULL FROM samples s ORDER BY list, row";
    static const char judged[] = "SELECT id, key, list, row, url, caption, captions, tags, split, state, s.reason, detail,"
                                 " bytes, sha256, format, width, height, shard, offset, v.reason"
                                 " FROM samples s LEFT JOIN verdicts v ON v.sample = s.id ORDER BY list, row";
    sqlite3_stmt *s = NULL;
    int rc = catalogue_prepare(c, "SELECT 1 FROM sqlite_master WHERE name = 'verdicts'", &s);
    int filtered = rc ? rc : catalogue_step(c, s);
    sqlite3_finalize(s);
    s = NULL;
    rc = filtered < 0 ? filtered : catalogue_prepare(c, filtered ? judged : all, &s);
    while (!rc && (rc = catalogue_step(c, s)) == 1) {
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
            {19, offsetof(struct catalogue_sample, verdict)},
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
