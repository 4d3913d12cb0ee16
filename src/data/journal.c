// SPDX-License-Identifier: Apache-2.0
#include "data/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "data/catalogue_inner.h"

int journal_done(struct catalogue *c, int64_t list, int64_t from, int64_t most, int64_t *rows, int64_t *n)
{
    sqlite3_stmt *s;
    int rc = catalogue_use(c, DONE, &s);
    *n = 0;
    if (rc)
        return rc;
    sqlite3_bind_int64(s, 1, list);
    sqlite3_bind_int64(s, 2, from);
    sqlite3_bind_int64(s, 3, most);
    while (*n < most && (rc = catalogue_step(c, s)) == 1)
        rows[(*n)++] = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return rc < 0 ? rc : 0;
}

int journal_wait(struct catalogue *c, const struct catalogue_sample *v, const char *hash)
{
    sqlite3_stmt *s;
    int rc = catalogue_use(c, WAIT, &s);
    if (rc)
        return rc;
    catalogue_bind(s, 1, v->key);
    sqlite3_bind_int64(s, 2, v->list);
    sqlite3_bind_int64(s, 3, v->row);
    const char *const texts[] = {v->url, v->caption, v->captions, v->tags, v->split, v->extra, hash};
    for (int i = 0; i < 7; i++)
        catalogue_bind(s, 4 + i, texts[i]);
    rc = catalogue_step(c, s);
    sqlite3_reset(s);
    return rc;
}

int journal_waiting(struct catalogue *c, int64_t after, struct catalogue_sample *out, const char **hash)
{
    sqlite3_stmt *s;
    int rc = catalogue_use(c, WAITING, &s);
    memset(out, 0, sizeof *out);
    if (rc)
        return rc;
    sqlite3_bind_int64(s, 1, after);
    if ((rc = catalogue_step(c, s)) != 1)
        return rc;
    out->id = sqlite3_column_int64(s, 0);
    out->list = sqlite3_column_int64(s, 2);
    out->row = sqlite3_column_int64(s, 3);
    const struct { int column; const char **at; } texts[] = {
        {1, &out->key}, {4, &out->url}, {5, &out->caption}, {6, &out->captions}, {7, &out->tags}, {8, &out->split},
        {9, &out->extra}, {10, hash}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i].at = (const char *)sqlite3_column_text(s, texts[i].column);
    return 1;
}

int journal_waited(struct catalogue *c, int64_t list, int64_t row)
{
    sqlite3_stmt *s;
    int rc = catalogue_use(c, UNWAIT, &s);
    if (rc)
        return rc;
    sqlite3_bind_int64(s, 1, list);
    sqlite3_bind_int64(s, 2, row);
    rc = catalogue_step(c, s);
    sqlite3_reset(s);
    return rc;
}

int journal_again(struct catalogue *c, const char *classes, int64_t *n)
{
    // one transaction: a kill leaves every row either bad or waiting
    static const char where[] = " FROM samples WHERE state = 'bad' AND url IS NOT NULL AND url <> '' AND"
                                " (?1 = 'all' OR instr(',' || ?1 || ',', ',' || reason || ',') > 0)";
    const char *const verb[] = {
        "INSERT OR IGNORE INTO waiting(key, list, row, url, caption, captions, tags, split, extra)"
        " SELECT key, list, row, url, caption, captions, tags, split, extra",
        "DELETE"};
    int rc = 0;
    for (int i = 0; !rc && i < 2; i++) {
        sqlite3_stmt *s = NULL;
        struct buf sql = {0};
        buf_fmt(&sql, "%s%s", verb[i], where);
        rc = sql.failed ? FAIL(EMEMORY_, "%s: out of memory", c->path) : catalogue_prepare(c, sql.at, &s);
        if (!rc) {
            catalogue_bind(s, 1, classes);
            rc = catalogue_step(c, s);
            *n = sqlite3_changes64(c->db);
        }
        sqlite3_finalize(s);
        buf_free(&sql);
    }
    return rc ? rc : catalogue_commit(c);
}

int journal_same_bytes(struct catalogue *c, const char *sha256, char *key, size_t room)
{
    sqlite3_stmt *s;
    int rc = catalogue_use(c, SAME_BYTES, &s);
    if (rc)
        return rc;
    catalogue_bind(s, 1, sha256);
    if ((rc = catalogue_step(c, s)) == 1)
        snprintf(key, room, "%s", (const char *)sqlite3_column_text(s, 0));
    sqlite3_reset(s);
    return rc;
}

int journal_list_rows(struct catalogue *c, int64_t list, int64_t rows)
{
    sqlite3_stmt *s;
    int rc = catalogue_use(c, LIST_ROWS, &s);
    if (rc)
        return rc;
    sqlite3_bind_int64(s, 1, list);
    sqlite3_bind_int64(s, 2, rows);
    rc = catalogue_step(c, s);
    sqlite3_reset(s);
    return rc;
}

int journal_checkpoint(struct catalogue *c)
{
    int rc = catalogue_run(c, "COMMIT");
    if (!rc)
        sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);   // a reader may hold it up: later
    return rc ? rc : catalogue_run(c, "BEGIN IMMEDIATE");
}

int journal_end(struct catalogue *c)
{
    int rc = catalogue_commit(c);
    if (!rc)
        rc = catalogue_run(c, "COMMIT");
    // while somebody reads, it stays as it is: nothing is lost by that
    if (!rc && sqlite3_exec(c->db, "PRAGMA busy_timeout = 200; PRAGMA journal_mode = DELETE", NULL, NULL, NULL) != SQLITE_OK)
        sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return rc;
}

int journal_classes(struct catalogue *c, int (*each)(void *, const char *, int64_t, int64_t), void *user)
{
    static const char *const sql[] = {
        "SELECT CASE state WHEN 'ok' THEN 'ok' ELSE reason END, count(*), coalesce(sum(bytes), 0) FROM samples GROUP BY 1",
        "SELECT 'repeats', count(*), coalesce(sum(bytes), 0) FROM samples WHERE duplicate IS NOT NULL",
        "SELECT 'waiting', count(*), 0 FROM waiting",
    };
    int rc = 0;
    for (int i = 0; !rc && i < (c->version >= 2 ? 3 : 1); i++) {
        sqlite3_stmt *s = NULL;
        rc = catalogue_prepare(c, sql[i], &s);
        while (!rc && (rc = catalogue_step(c, s)) == 1) {
            const char *class = (const char *)sqlite3_column_text(s, 0);
            int64_t n = sqlite3_column_int64(s, 1);
            rc = n ? each(user, class ? class : "unknown", n, sqlite3_column_int64(s, 2)) : 0;
        }
        sqlite3_finalize(s);
    }
    return rc;
}

int journal_bad(struct catalogue *c, int (*each)(void *, const char *, const char *), void *user)
{
    sqlite3_stmt *s = NULL;
    int rc = catalogue_prepare(c, "SELECT url, reason FROM samples WHERE state = 'bad' AND url IS NOT NULL", &s);
    while (!rc && (rc = catalogue_step(c, s)) == 1) {
        const char *class = (const char *)sqlite3_column_text(s, 1);
        rc = each(user, (const char *)sqlite3_column_text(s, 0), class ? class : "unknown");
    }
    sqlite3_finalize(s);
    return rc;
}
