// SPDX-License-Identifier: Apache-2.0
// WebDataset tars: members KEY.jpg, KEY.txt, KEY.json, KEY.cls lie one after the other, KEY up to the first dot of the
// name. A directory with nshards.txt is laid out as CLIP_benchmark does: one caption a line of KEY.txt.
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"
#include "data/source_inner.h"
#include "data/tar.h"

enum { MOST_TEXT = 1 << 20, MOST_CAPTIONS = 1024 };

struct group {                   // the members of one key
    struct buf key, text, json;
    bool any, has_text, has_json, too_long;
    int64_t offset, bytes;       // of the picture; bytes 0: none
    int64_t label;
};

struct reader {
    struct source *s;
    const char *tar, *split;
    bool lines;                  // a caption a line
    int64_t row, number;         // next running row; the last key's number
};

static bool is_text(const char *ending)
{
    return strcasecmp(ending, "txt") == 0 || strcasecmp(ending, "text") == 0 || strcasecmp(ending, "caption") == 0;
}

static char *trim(char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    size_t n = strlen(p);
    while (n > 0 && isspace((unsigned char)p[n - 1]))
        p[--n] = 0;
    return p;
}

static int put(struct reader *r, struct group *g)
{
    const char *captions[MOST_CAPTIONS], *tags = NULL, *split = r->split;
    int n = 0;
    if (!g->any)
        return 0;
    int64_t row = source_key_row(g->key.at, &r->number, r->row);
    r->row = row + 1;
    json_t *json = g->has_json ? json_loadb(g->json.at ? g->json.at : "", g->json.len, 0, NULL) : NULL;
    const json_t *said = json_object_get(json, "caption");
    said = said ? said : json_object_get(json, "captions");
    for (size_t i = 0; i < json_array_size(said) && n < MOST_CAPTIONS; i++)
        if (json_string_value(json_array_get(said, i)))
            captions[n++] = json_string_value(json_array_get(said, i));
    if (n == 0 && g->has_text && g->text.at) {
        char *save = NULL, *whole = r->lines ? strtok_r(g->text.at, "\n", &save) : g->text.at;
        for (; whole && n < MOST_CAPTIONS; whole = r->lines ? strtok_r(NULL, "\n", &save) : NULL)
            if (*trim(whole))
                captions[n++] = trim(whole);
    }
    if (n == 0 && json_string_value(said) && *json_string_value(said))
        captions[n++] = json_string_value(said);
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, g->label);
    if (n == 0 && g->label >= 0)
        captions[n++] = number;
    if (json_string_value(json_object_get(json, "tags")))
        tags = json_string_value(json_object_get(json, "tags"));
    if (json_string_value(json_object_get(json, "split")))
        split = json_string_value(json_object_get(json, "split"));
    int rc;
    if (g->too_long)
        rc = source_leave_out(r->s, row, "%s: %s: a caption of more than 1 MiB", r->tar, g->key.at);
    else if (g->bytes <= 0)
        rc = source_leave_out(r->s, row, "%s: %s: no picture", r->tar, g->key.at);
    else if (n == 0)
        rc = source_leave_out(r->s, row, "%s: %s: no caption", r->tar, g->key.at);
    else
        rc = source_put(r->s, &(struct source_row){g->key.at, split, tags, captions, n, row, g->label, r->tar,
                                                   g->offset, g->bytes});
    json_decref(json);
    return rc;
}

static int add_member(struct tar *t, struct group *g, const struct tar_member *m, const char *ending)
{
    struct buf *to = is_text(ending) ? &g->text : strcasecmp(ending, "json") == 0 ? &g->json : NULL;
    if (is_picture_name(m->name) && !strchr(ending, '.') && g->bytes == 0) {
        g->offset = m->offset;
        g->bytes = m->bytes;
    } else if (to && m->bytes > MOST_TEXT) {
        g->too_long = true;
    } else if (to) {
        g->has_text |= to == &g->text;
        g->has_json |= to == &g->json;
        return tar_read(t, m, to);
    } else if (strcasecmp(ending, "cls") == 0 && m->bytes < 20) {
        struct buf digits = {0};
        int rc = tar_read(t, m, &digits);
        char *end = NULL;
        g->label = digits.at ? strtoll(digits.at, &end, 10) : -1;
        if (!digits.at || end == digits.at || g->label < 0)
            g->label = -1;
        buf_free(&digits);
        return rc;
    }
    return 0;
}

static void clear(struct group *g)
{
    buf_clear(&g->key);
    buf_clear(&g->text);
    buf_clear(&g->json);
    g->any = g->has_text = g->has_json = g->too_long = false;
    g->offset = g->bytes = 0;
    g->label = -1;
}

static int read_one(struct reader *r)
{
    struct tar *t;
    struct tar_member m;
    struct group g = {.label = -1};
    int rc = tar_open(&t, r->tar);
    while (!rc && (rc = tar_next(t, &m)) == 1) {
        const char *name = path_name(m.name), *dot = strchr(name, '.');
        rc = 0;
        if (!dot || dot == name)
            continue;
        size_t n = (size_t)(dot - m.name);
        if (!g.any || g.key.len != n || memcmp(g.key.at, m.name, n) != 0) {
            rc = put(r, &g);
            clear(&g);
            buf_add(&g.key, m.name, n);
            g.any = true;
        }
        if (!rc)
            rc = g.key.failed ? EMEMORY_ : add_member(t, &g, &m, dot + 1);
    }
    // what is whole before a damaged place counts
    int last = rc == 0 || rc == EFORMAT_ ? put(r, &g) : 0;
    if (rc == EFORMAT_ && !last)
        rc = source_leave_out(r->s, r->row, "%s; what lies behind is lost", error_last());
    tar_close(t);
    buf_free(&g.key);
    buf_free(&g.text);
    buf_free(&g.json);
    return rc ? rc : last;
}

static bool is_tar(const char *name) { return strcasecmp(path_ext(name), ".tar") == 0; }

// 1 or 0, or a failure.
static int tars_in(const char *dir)
{
    char **names;
    int64_t n;
    int rc = directory_names(dir, &names, &n), found = 0;
    for (int64_t i = 0; i < n; i++)
        found |= is_tar(names[i]);
    names_free(names, n);
    return rc ? rc : found;
}

// In the directory itself or, as CLIP_benchmark has it, in a folder of it: train/0.tar, test/0.tar.
int has_tars(const char *dir)
{
    char **names;
    int64_t n;
    int found = tars_in(dir);
    if (found)
        return found;
    int rc = directory_names(dir, &names, &n);
    for (int64_t i = 0; i < n && !rc && !found; i++) {
        char *path = path_join(dir, names[i]);
        found = !path ? FAIL(EMEMORY_, "%s: out of memory", dir) : file_is_dir(path) ? tars_in(path) : 0;
        found = found == EMISSING_ || found == EIO_ ? 0 : found;   // a folder that may not be read holds nothing for us
        free(path);
    }
    names_free(names, n);
    return rc ? rc : found;
}

// "2.tar" before "10.tar".
static int by_number(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int read_dir(struct reader *r, const char *dir)
{
    char **names, *counts = path_join(dir, "nshards.txt");
    int64_t n;
    if (!counts)
        return FAIL(EMEMORY_, "%s: out of memory", dir);
    r->lines = file_exists(counts);
    free(counts);
    int rc = directory_names(dir, &names, &n);
    if (!rc && n)
        qsort(names, (size_t)n, sizeof *names, by_number);
    for (int64_t i = 0; i < n && !rc; i++) {
        char *path = is_tar(names[i]) ? path_join(dir, names[i]) : NULL;
        r->tar = path;
        if (path)
            rc = read_one(r);
        else if (is_tar(names[i]))
            rc = FAIL(EMEMORY_, "%s: out of memory", dir);
        free(path);
    }
    names_free(names, n);
    return rc;
}

int read_tars(struct source *s, const char *path)
{
    struct reader r = {.s = s, .number = -1, .tar = path};
    if (!file_is_dir(path))
        return read_one(&r);
    int rc = tars_in(path);
    if (rc)
        return rc < 0 ? rc : read_dir(&r, path);
    char **names;
    int64_t n;
    rc = directory_names(path, &names, &n);
    for (int64_t i = 0; i < n && !rc; i++) {
        char *dir = path_join(path, names[i]);
        r.split = names[i];
        r.number = -1;
        rc = !dir ? FAIL(EMEMORY_, "%s: out of memory", path) : file_is_dir(dir) ? read_dir(&r, dir) : 0;
        free(dir);
    }
    names_free(names, n);
    return rc;
}
