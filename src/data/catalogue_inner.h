// SPDX-License-Identifier: Apache-2.0
// What the files of the catalogue share.
#ifndef DATA_CATALOGUE_INNER_H
#define DATA_CATALOGUE_INNER_H

#include <sqlite3.h>

#include "data/catalogue.h"

enum query { FIND, FIND_KEY, DROP, PUT, LAST_SHARD, PUT_SHARD, TOTALS, DONE, WAIT, WAITING, UNWAIT, SAME_BYTES, LIST_ROWS,
             JUDGE, PUT_VERDICT, QUERIES };

struct catalogue {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *ready[QUERIES];
    int version;
    int64_t judging;   // the sample that JUDGE stands at, -1: none
    int lock;    // while writing, else -1
};

int catalogue_failed(struct catalogue *c, int code);                           // SQLite's code to ours, with a sentence
int catalogue_run(struct catalogue *c, const char *sql);
int catalogue_prepare(struct catalogue *c, const char *sql, sqlite3_stmt **out);
int catalogue_use(struct catalogue *c, enum query q, sqlite3_stmt **out);      // prepared once, kept
int catalogue_step(struct catalogue *c, sqlite3_stmt *s);                      // 1 a row, 0 done
void catalogue_bind(sqlite3_stmt *s, int at, const char *text);                // NULL: no value

#endif
