// SPDX-License-Identifier: Apache-2.0
#include "data/verdicts.h"

#include <string.h>

#include "data/catalogue_inner.h"

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS verdicts(sample INTEGER PRIMARY KEY REFERENCES samples, reason TEXT NOT NULL,"
    " complexity INTEGER, actions INTEGER, matched INTEGER, ratio REAL, spotted TEXT, spotter TEXT);"
    "CREATE TABLE IF NOT EXISTS filter(settings TEXT NOT NULL, after INTEGER NOT NULL, done INTEGER NOT NULL);";

int verdicts_begin(struct catalogue *c, const char *settings, int64_t *after)
{
    sqlite3_stmt *s = NULL;
    *after = 0;
    int rc = catalogue_run(c, tables);
    if (!rc)
        rc = catalogue_prepare(c, "SELECT after FROM filter WHERE settings = ?1 AND NOT done", &s);
    if (rc)
        return rc;
    catalogue_bind(s, 1, settings);
    if ((rc = catalogue_step(c, s)) == 1)
        *after = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    s = NULL;
    if (rc == 0 && (rc = catalogue_run(c, "DELETE FROM filter")) == 0 &&
        (rc = catalogue_prepare(c, "INSERT INTO filter VALUES(?1, 0, 0)", &s)) == 0) {
        catalogue_bind(s, 1, settings);
        rc = catalogue_step(c, s);
        sqlite3_finalize(s);
    }
    return rc < 0 ? rc : catalogue_commit(c);
}

int verdicts_next(struct catalogue *c, int64_t after, struct catalogue_sample *v, struct judged *known)
{
    sqlite3_stmt *s;
    // The statement stays open from sample to sample: only the first call, or one behind another id, seeks.
    bool going = c->ready[JUDGE] && c->judging == after;
    int rc = going ? 0 : catalogue_use(c, JUDGE, &s);
    if (rc)
        return rc;
    s = c->ready[JUDGE];
    if (!going)
        sqlite3_bind_int64(s, 1, after);
    memset(v, 0, sizeof *v);
    *known = (struct judged){.complexity = -1, .actions = -1, .matched = -1, .ratio = -1};
    c->judging = -1;
    if ((rc = catalogue_step(c, s)) != 1)
        return rc;
    *v = (struct catalogue_sample){
        .id = sqlite3_column_int64(s, 0), .list = sqlite3_column_int64(s, 2), .row = sqlite3_column_int64(s, 3),
        .bytes = sqlite3_column_int64(s, 9), .width = sqlite3_column_int(s, 10), .height = sqlite3_column_int(s, 11),
        .shard = sqlite3_column_int64(s, 12), .offset = sqlite3_column_int64(s, 13), .ok = true,
    };
    const struct { int column; const char **at; } texts[] = {
        {1, &v->key}, {4, &v->url}, {5, &v->caption}, {6, &v->captions}, {7, &v->tags}, {8, &v->split}, {14, &v->extra},
        {15, &known->reason}, {16, &known->spotted}, {17, &known->spotter}, {18, &v->format}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i].at = (const char *)sqlite3_column_text(s, texts[i].column);
    const struct { int column; int *at; } numbers[] = {
        {19, &known->complexity}, {20, &known->actions}, {21, &known->matched}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (sqlite3_column_type(s, numbers[i].column) != SQLITE_NULL)
            *numbers[i].at = sqlite3_column_int(s, numbers[i].column);
    if (sqlite3_column_type(s, 22) != SQLITE_NULL)
        known->ratio = sqlite3_column_double(s, 22);
    c->judging = v->id;
    return 1;
}

int verdicts_put(struct catalogue *c, int64_t id, const struct judged *j)
{
    sqlite3_stmt *s;
    int rc = catalogue_use(c, PUT_VERDICT, &s);
    if (rc)
        return rc;
    sqlite3_clear_bindings(s);
    sqlite3_bind_int64(s, 1, id);
    catalogue_bind(s, 2, j->reason);
    if (j->complexity >= 0) {
        sqlite3_bind_int(s, 3, j->complexity);
        sqlite3_bind_int(s, 4, j->actions);
    }
    if (j->matched >= 0)
        sqlite3_bind_int(s, 5, j->matched);
    if (j->ratio >= 0)
        sqlite3_bind_double(s, 6, j->ratio);
    catalogue_bind(s, 7, j->spotted);
    catalogue_bind(s, 8, j->spotted ? j->spotter : NULL);
    rc = catalogue_step(c, s);
    sqlite3_reset(s);
    return rc;
}

int verdicts_commit(struct catalogue *c, int64_t after, bool done)
{
    sqlite3_stmt *s = NULL;
    int rc = catalogue_prepare(c, "UPDATE filter SET after = ?1, done = ?2", &s);
    if (rc)
        return rc;
    sqlite3_bind_int64(s, 1, after);
    sqlite3_bind_int(s, 2, done);
    rc = catalogue_step(c, s);
    sqlite3_finalize(s);
    c->judging = -1;   // the commit ends the walk's statement; the next call seeks
    return rc ? rc : catalogue_commit(c);
}
