// SPDX-License-Identifier: Apache-2.0
// DuckDB's C interface, as its documentation describes it. The query turns every column into a text, so that only texts
// cross it; the order of the file's rows is kept, because a row's number is what a fetch's journal knows it by.
#include "data/parquet.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"

typedef void *handle;

struct answer {                  // duckdb_result: handed over by value, its fields are DuckDB's
    uint64_t deprecated[3];
    void *columns;
    char *message;
    void *inner;
};

union text {                     // duckdb_string_t
    struct {
        uint32_t length;
        char here[12];           // when it fits
    };
    struct {
        uint32_t long_length;
        char start[4];
        const char *at;
    };
};
_Static_assert(sizeof(union text) == 16 && sizeof(struct answer) == 48, "as DuckDB lays them out");

static struct {
    void *library;
    int (*create_config)(handle *);
    int (*set_config)(handle, const char *, const char *);
    void (*destroy_config)(handle *);
    int (*open_ext)(const char *, handle *, handle, char **);
    int (*connect)(handle, handle *);
    int (*prepare)(handle, const char *, handle *);
    const char *(*prepare_error)(handle);
    int (*pending_prepared_streaming)(handle, handle *);
    const char *(*pending_error)(handle);
    int (*execute_pending)(handle, struct answer *);
    const char *(*result_error)(struct answer *);
    uint64_t (*column_count)(struct answer *);
    const char *(*column_name)(struct answer *, uint64_t);
    int (*column_type)(struct answer *, uint64_t);
    handle (*fetch_chunk)(struct answer);
    uint64_t (*data_chunk_get_size)(handle);
    handle (*data_chunk_get_vector)(handle, uint64_t);
    void *(*vector_get_data)(handle);
    uint64_t *(*vector_get_validity)(handle);
    void (*destroy_data_chunk)(handle *);
    void (*destroy_result)(struct answer *);
    void (*destroy_pending)(handle *);
    void (*destroy_prepare)(handle *);
    void (*disconnect)(handle *);
    void (*close)(handle *);
    void (*free)(void *);
} db;

enum { BOOLEAN = 1, BIGINT = 5, UTINYINT = 6, UINTEGER = 8, FLOAT = 10, DOUBLE = 11, BLOB = 18, DECIMAL = 19, VARCHAR = 17,
       LIST = 24, MAP = 26, ARRAY = 33 };
enum { MOST_COLUMNS = 1000 };

struct parquet {
    char *path;
    handle base, connection;
    struct answer answer;
    bool open, ended;
    uint64_t columns, row, rows;       // of the chunk
    handle chunk;
    bool *plain;                       // [columns] its text is JSON already
    char **name;                       // [columns] as JSON text
    struct buf lines;                  // made and not yet handed out, from `at` on
    size_t at;
    double total, done;
};

static const char *const names[] = {"libduckdb.so", "libduckdb.so.1", "/usr/local/lib/libduckdb.so"};

static void *find_library(void)
{
    const char *given = getenv("DIHT_DUCKDB"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    char path[4096];
    if (given && *given)
        return dlopen(given, RTLD_NOW | RTLD_LOCAL);
    void *library = NULL;
    for (size_t i = 0; !library && i < sizeof names / sizeof *names; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    snprintf(path, sizeof path, "%s%s/diht/libduckdb.so", data && *data ? data : home ? home : "",
             data && *data ? "" : "/.local/share");
    return library ? library : dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

// Once; the library stays.
static int load(const char *path)
{
    const struct { const char *name; void *into; } calls[] = {
        {"create_config", &db.create_config}, {"set_config", &db.set_config}, {"destroy_config", &db.destroy_config},
        {"open_ext", &db.open_ext}, {"connect", &db.connect}, {"prepare", &db.prepare},
        {"prepare_error", &db.prepare_error}, {"pending_prepared_streaming", &db.pending_prepared_streaming},
        {"pending_error", &db.pending_error}, {"execute_pending", &db.execute_pending},
        {"result_error", &db.result_error}, {"column_count", &db.column_count}, {"column_name", &db.column_name},
        {"column_type", &db.column_type}, {"fetch_chunk", &db.fetch_chunk},
        {"data_chunk_get_size", &db.data_chunk_get_size}, {"data_chunk_get_vector", &db.data_chunk_get_vector},
        {"vector_get_data", &db.vector_get_data}, {"vector_get_validity", &db.vector_get_validity},
        {"destroy_data_chunk", &db.destroy_data_chunk}, {"destroy_result", &db.destroy_result},
        {"destroy_pending", &db.destroy_pending}, {"destroy_prepare", &db.destroy_prepare},
        {"disconnect", &db.disconnect}, {"close", &db.close}, {"free", &db.free}};
    if (db.library)
        return 0;
    void *library = find_library();
    if (!library)
        return FAIL(EUNSUPPORTED_, "%s: Parquet is read with DuckDB's library, which is not there (DIHT_DUCKDB=/path/of/"
                    "libduckdb.so); or convert the file: duckdb -c \"COPY (SELECT * FROM '%s') TO 'list.csv' (HEADER)\"",
                    path, path);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        char name[64];
        snprintf(name, sizeof name, "duckdb_%s", calls[i].name);
        void *at = dlsym(library, name);
        if (!at) {
            dlclose(library);
            return FAIL(EUNSUPPORTED_, "%s: the DuckDB library that was found has no %s: another version is needed", path,
                        name);
        }
        memcpy(calls[i].into, &at, sizeof at);
    }
    db.library = library;
    return 0;
}

bool parquet_is(const void *bytes, size_t n) { return n >= 4 && memcmp(bytes, "PAR1", 4) == 0; }

// The first line of what DuckDB says; the others draw the query.
static int broken(const struct parquet *p, const char *why)
{
    int n = why ? (int)strcspn(why, "\n") : 0;
    return FAIL(EFORMAT_, "%s: DuckDB cannot read it: %.*s", p->path, n < 400 ? n : 400, why ? why : "");
}

static int ask(struct parquet *p, const char *sql, struct answer *out)
{
    handle statement = NULL, pending = NULL;
    int rc = db.prepare(p->connection, sql, &statement) ? broken(p, db.prepare_error(statement)) : 0;
    if (!rc && db.pending_prepared_streaming(statement, &pending))
        rc = broken(p, db.pending_error(pending));
    if (!rc && db.execute_pending(pending, out)) {
        rc = broken(p, db.result_error(out));
        db.destroy_result(out);
    }
    db.destroy_pending(&pending);
    db.destroy_prepare(&statement);
    return rc;
}

static void add_quoted(struct buf *b, const char *text, char quote)
{
    buf_char(b, quote);
    for (; *text; text++) {
        if (*text == quote)
            buf_char(b, quote);
        buf_char(b, *text);
    }
    buf_char(b, quote);
}

// FROM the file; what would be a pattern in its name is put in brackets, which make it itself.
static void add_file(struct buf *b, const char *path)
{
    struct buf name = {0};
    for (; *path; path++)
        if (strchr("*?[", *path))
            buf_fmt(&name, "[%c]", *path);
        else
            buf_char(&name, *path);
    buf_str(b, " FROM read_parquet(");
    add_quoted(b, name.at ? name.at : "", '\'');
    buf_char(b, ')');
    b->failed = b->failed ? b->failed : name.failed;
    buf_free(&name);
}

static void add_json(struct buf *b, const char *text, size_t n)
{
    buf_char(b, '"');
    for (size_t i = 0, from = 0; i <= n; i++) {
        unsigned char c = i < n ? (unsigned char)text[i] : '"';
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(b, text + from, i - from);
        from = i + 1;
        if (i < n)
            buf_fmt(b, c < 0x20 ? "\\u%04x" : "\\%c", c);
    }
    buf_char(b, '"');
}

static bool is_number(int type)
{
    return (type > BOOLEAN && type <= BIGINT) || (type >= UTINYINT && type <= UINTEGER) || type == FLOAT || type == DOUBLE ||
           type == DECIMAL;
}

// The columns as texts. `fine`: nested ones as JSON, bytes as the text they may be; older libraries know neither.
static int select_all(struct parquet *p, struct answer *look, bool fine)
{
    struct buf sql = {0};
    buf_str(&sql, "SELECT ");
    for (uint64_t i = 0; i < p->columns; i++) {
        int type = db.column_type(look, i);
        bool nested = (type >= LIST && type <= MAP) || type == ARRAY;
        struct buf name = {0};
        add_quoted(&name, db.column_name(look, i), '"');
        p->plain[i] = type == BOOLEAN || is_number(type) || (fine && nested);
        buf_fmt(&sql, i ? ", " : "");
        if (fine && nested)
            buf_fmt(&sql, "CAST(to_json(%s) AS VARCHAR)", name.at);
        else if (fine && type == BLOB)
            buf_fmt(&sql, "coalesce(TRY(decode(%s)), CAST(%s AS VARCHAR))", name.at, name.at);
        else
            buf_fmt(&sql, "CAST(%s AS VARCHAR)", name.at);
        buf_free(&name);
    }
    add_file(&sql, p->path);
    int rc = sql.failed ? FAIL(EMEMORY_, "%s: out of memory", p->path) : ask(p, sql.at, &p->answer);
    p->open = !rc;
    buf_free(&sql);
    return rc;
}

static const union text *cell(handle chunk, uint64_t column, uint64_t row)
{
    handle v = db.data_chunk_get_vector(chunk, column);
    uint64_t *valid = db.vector_get_validity(v);
    if (valid && !(valid[row / 64] >> row % 64 & 1))
        return NULL;
    return (const union text *)db.vector_get_data(v) + row;
}

static int count(struct parquet *p)
{
    struct buf sql = {0};
    struct answer a = {0};
    buf_str(&sql, "SELECT CAST(count(*) AS VARCHAR)");
    add_file(&sql, p->path);
    int rc = sql.failed ? FAIL(EMEMORY_, "%s: out of memory", p->path) : ask(p, sql.at, &a);
    buf_free(&sql);
    if (rc)
        return rc;
    handle chunk = db.fetch_chunk(a);
    const union text *t = chunk && db.data_chunk_get_size(chunk) ? cell(chunk, 0, 0) : NULL;
    if (t && t->length <= sizeof t->here)
        for (uint32_t i = 0; i < t->length; i++)
            p->total = 10 * p->total + (t->here[i] - '0');
    db.destroy_data_chunk(&chunk);
    db.destroy_result(&a);
    return 0;
}

static int start(struct parquet *p)
{
    // nothing is fetched or written by DuckDB itself
    static const struct { const char *name, *value; } settings[] = {
        {"threads", "1"}, {"memory_limit", "1GB"}, {"temp_directory", ""}, {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"}};
    handle config = NULL;
    char *why = NULL;
    int rc = db.create_config(&config) ? FAIL(EMEMORY_, "%s: DuckDB did not start", p->path) : 0;
    for (size_t i = 0; !rc && i < sizeof settings / sizeof *settings; i++)
        db.set_config(config, settings[i].name, settings[i].value);   // one that a version lacks is none of ours
    if (!rc && db.open_ext(NULL, &p->base, config, &why))
        rc = broken(p, why);
    db.free(why);
    db.destroy_config(&config);
    if (!rc && db.connect(p->base, &p->connection))
        rc = broken(p, NULL);
    return rc;
}

static int look(struct parquet *p)
{
    struct buf sql = {0};
    struct answer a = {0};
    buf_str(&sql, "SELECT *");
    add_file(&sql, p->path);
    buf_str(&sql, " LIMIT 0");
    int rc = sql.failed ? FAIL(EMEMORY_, "%s: out of memory", p->path) : ask(p, sql.at, &a);
    buf_free(&sql);
    if (rc)
        return rc;
    p->columns = db.column_count(&a);
    if (p->columns > MOST_COLUMNS)
        rc = FAIL(EUNSUPPORTED_, "%s: more than %d columns", p->path, MOST_COLUMNS);
    else if (!(p->plain = calloc(p->columns + 1, sizeof *p->plain)) || !(p->name = calloc(p->columns + 1, sizeof *p->name)))
        rc = FAIL(EMEMORY_, "%s: out of memory", p->path);
    for (uint64_t i = 0; !rc && i < p->columns; i++) {
        struct buf b = {0};
        const char *name = db.column_name(&a, i);
        add_json(&b, name, strlen(name));
        if (!(p->name[i] = buf_steal(&b)))
            rc = FAIL(EMEMORY_, "%s: out of memory", p->path);
    }
    if (!rc && (rc = select_all(p, &a, true)) != 0)
        rc = select_all(p, &a, false);
    db.destroy_result(&a);
    return rc;
}

int parquet_open(struct parquet **out, const char *path)
{
    *out = NULL;
    int rc = load(path);
    if (rc)
        return rc;
    struct parquet *p = calloc(1, sizeof *p);
    if (!p || !(p->path = strdup(path)))
        rc = FAIL(EMEMORY_, "%s: out of memory", path);
    if (!rc)
        rc = start(p);
    if (!rc)
        rc = count(p);
    if (!rc)
        rc = look(p);
    if (rc)
        parquet_close(p);
    else
        *out = p;
    return rc;
}

// The row as a line: {"name":value,...}
static void add_row(struct parquet *p)
{
    for (uint64_t i = 0; i < p->columns; i++) {
        const union text *t = cell(p->chunk, i, p->row);
        const char *at = !t ? "null" : t->length <= sizeof t->here ? t->here : t->at;
        size_t n = t ? t->length : 4;
        // what JSON has no number for (nan, inf) is a text
        bool plain = !t || (p->plain[i] && n && !memchr("niNI", at[*at == '-' && n > 1], 4));
        buf_fmt(&p->lines, "%s%s:", i ? "," : "{", p->name[i]);
        if (plain)
            buf_add(&p->lines, at, n);
        else
            add_json(&p->lines, at, n);
    }
    buf_str(&p->lines, "}\n");
    p->row++;
    p->done++;
}

ssize_t parquet_read(struct parquet *p, void *to, size_t n)
{
    while (p->at == p->lines.len) {
        p->at = 0;
        buf_clear(&p->lines);
        if (p->ended)
            return 0;
        if (p->row == p->rows) {
            db.destroy_data_chunk(&p->chunk);
            p->row = p->rows = 0;
            p->chunk = db.fetch_chunk(p->answer);
            const char *why = p->chunk ? NULL : db.result_error(&p->answer);
            if (why && *why)
                return broken(p, why);
            p->ended = !p->chunk;
            p->rows = p->chunk ? db.data_chunk_get_size(p->chunk) : 0;
        }
        while (p->row < p->rows && p->lines.len < n && !p->lines.failed)
            add_row(p);
        if (p->lines.failed)
            return FAIL(EMEMORY_, "%s: out of memory", p->path);
    }
    size_t left = p->lines.len - p->at, take = left < n ? left : n;
    memcpy(to, p->lines.at + p->at, take);
    p->at += take;
    return (ssize_t)take;
}

double parquet_share(const struct parquet *p) { return p->ended || p->total <= p->done ? 1 : p->done / p->total; }

void parquet_close(struct parquet *p)
{
    if (!p)
        return;
    if (p->chunk)
        db.destroy_data_chunk(&p->chunk);
    if (p->open)
        db.destroy_result(&p->answer);
    if (p->connection)
        db.disconnect(&p->connection);
    if (p->base)
        db.close(&p->base);
    for (uint64_t i = 0; p->name && i < p->columns; i++)
        free(p->name[i]);
    free(p->name);
    free(p->plain);
    buf_free(&p->lines);
    free(p->path);
    free(p);
}
