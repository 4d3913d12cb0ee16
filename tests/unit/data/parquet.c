// SPDX-License-Identifier: Apache-2.0
// Parquet lists through DuckDB's library; without it, what is said instead.
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "check.h"
#include "data/list.h"
#include "data/stream.h"
#include "scratch.h"

static const char golden_name[] = "lists/types.parquet";
static bool there;

static char *golden(const char *name)
{
    const char *dir = getenv("DIHT_GOLDEN");
    return path_join(dir ? dir : "tests/golden", name);
}

static void without_the_library(void)
{
    const char *old = getenv("DIHT_DUCKDB");
    char *keep = old ? strdup(old) : NULL, *path = golden(golden_name);
    struct list *l = NULL;
    setenv("DIHT_DUCKDB", "/nowhere/libduckdb.so", 1);
    CHECK(list_open(&l, path) == EUNSUPPORTED_ && strstr(error_last(), "DIHT_DUCKDB") && strstr(error_last(), "convert"));
    if (keep)
        setenv("DIHT_DUCKDB", keep, 1);
    else
        unsetenv("DIHT_DUCKDB");
    there = list_open(&l, path) == 0 || !strstr(error_last(), "DIHT_DUCKDB");
    list_close(l);
    free(keep);
    free(path);
}

#define ABSENT "DuckDB's library is not there; run tools/npm-duckdb.sh"

static void every_column_is_kept(void)
{
    if (!there)
        SKIP(ABSENT);
    char *path = golden(golden_name);
    struct list *l = NULL;
    struct list_row row;
    CHECK(list_open_columns(&l, path, &(struct list_columns){.web = true}) == 0);
    CHECK(list_next(l, &row) == 1 && !row.bad && row.caption_count == 2);
    CHECK_STR(row.path, "http://h.test/0");
    CHECK_STR(row.captions[1], "two");
    CHECK_STR(row.extra, "{\"n\":0,\"score\":0.0,\"bad\":\"nan\",\"st\":{\"a\":0},\"d\":\"2020-01-01\",\"bl\":\"héé\","
                         "\"bin\":\"\\\\xFF\\\\xFE\",\"yes\":true,\"de\":0.0,\"phash\":\"18446744073709551615\"}");
    CHECK(list_next(l, &row) == 1 && !row.bad && row.row == 1);
    CHECK_STR(row.captions[0], "a \"cat\" é\nsits");
    CHECK(list_next(l, &row) == 1 && !row.bad && !*row.captions[0]);   // no caption
    CHECK(list_next(l, &row) == 1 && list_next(l, &row) == 0 && list_share(l) == 1);
    list_close(l);
    free(path);
}

static void rows_stay_in_order(void)
{
    if (!there)
        SKIP(ABSENT);
    char *path = golden("lists/laion.parquet"), want[64];
    struct list *l = NULL;
    struct list_row row;
    int64_t n = 0;
    CHECK(list_open_columns(&l, path, &(struct list_columns){.web = true}) == 0);   // named URL and TEXT, as others do
    while (list_next(l, &row) == 1) {
        snprintf(want, sizeof want, "http://h.test/%lld", (long long)n);
        if (row.bad || row.row != n || strcmp(row.path, want) != 0 || strcmp(row.captions[0] + 8, want + 14) != 0)
            break;
        n++;
    }
    CHECK(n == 20000);
    list_close(l);
    free(path);
}

// Cut, damaged, or something else under that name: DuckDB's sentence with the file's name, never a crash.
static void damaged_files_are_told(void)
{
    char *path = golden(golden_name);
    const char *bad = strdupa(scratch("bad[1]*.parquet"));
    struct buf b = {0};
    struct list *l = NULL;
    CHECK(file_read(path, &b) == 0);
    CHECK(file_write(bad, "url\tcaption\n", 12) == 0);
    CHECK(list_open(&l, bad) == EFORMAT_ && strstr(error_last(), "does not begin as Parquet does"));
    for (size_t n = 4; there && n < b.len; n += 257) {
        CHECK(file_write(bad, b.at, n) == 0);
        CHECK(list_open(&l, bad) == EFORMAT_ && strstr(error_last(), "DuckDB") && strstr(error_last(), "bad[1]*"));
    }
    if (there) {
        CHECK(file_write(bad, b.at, b.len) == 0);   // what would be a pattern in a query is a name here
        CHECK(list_open_columns(&l, bad, &(struct list_columns){.web = true}) == 0);
        list_close(l);
        memset(b.at + b.len / 3, 0, b.len / 3);
        CHECK(file_write(bad, b.at, b.len) == 0);
        CHECK(list_open(&l, bad) == EFORMAT_ && strstr(error_last(), "DuckDB"));
    }
    buf_free(&b);
    free(path);
}

int main(void)
{
    scratch_begin();
    CASE(without_the_library);
    CASE(every_column_is_kept);
    CASE(rows_stay_in_order);
    CASE(damaged_files_are_told);
    scratch_end();
    return check_done();
}
