// SPDX-License-Identifier: Apache-2.0
#include "data/source.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
#include "data/catalogue.h"
#include "data/list.h"
#include "data/shard.h"
#include "data/source_inner.h"

enum { LISTED = 100000, LOGGED = 3 };   // rows left out that are remembered; that are logged

struct item {
    const char *key, *tags, *split;
    const char *const *captions;
    const char *path;          // the file that holds the picture; dataset: NULL, it is the shard's
    int64_t row, label;
    int64_t shard, offset, bytes;   // offset -1: the whole file
    int caption_count;
};

struct left_out {
    int64_t row;
    const char *why;
};

enum { CHUNK = 1 << 20 };
struct chunk {
    struct chunk *next;
    char at[];
};

struct source {
    char *path, *split, *images;
    int64_t first, last;       // rows wanted
    bool kept;                 // only what the filter kept
    int64_t judged, dropped;   // with a verdict; left out by it
    struct item *item;         // [count]
    int64_t count, room;
    int64_t excluded, rows;
    struct left_out *out;      // [listed]
    int64_t listed;
    int nowhere;               // 1: paths start from the working directory, -1: from the list's; 0: not looked yet
    struct chunk *texts;       // strings and caption arrays, freed together
    size_t used, size;         // of the newest chunk
    struct map *splits;        // every split met -> its samples
    const char *last_split, *last_path;   // most samples share the one before them
};

static void *take(struct source *s, size_t n)
{
    n = (n + 7) & ~(size_t)7;
    if (!s->texts || s->size - s->used < n) {
        size_t size = n > CHUNK ? n : CHUNK;
        struct chunk *c = malloc(sizeof *c + size);
        if (!c) {
            FAIL(EMEMORY_, "%s: out of memory: no room for its captions", s->path);
            return NULL;
        }
        c->next = s->texts;
        s->texts = c;
        s->used = 0;
        s->size = size;
    }
    void *p = s->texts->at + s->used;
    s->used += n;
    return p;
}

static const char *keep(struct source *s, const char *text)
{
    size_t n = strlen(text) + 1;
    char *p = n > 1 ? take(s, n) : "";
    if (p && n > 1)
        memcpy(p, text, n);
    return p;
}

static bool wanted(const struct source *s, int64_t row)
{
    return row >= s->first && (s->last == 0 || row < s->last);
}

int source_put(struct source *s, const struct source_row *r)
{
    const char *split = r->split ? r->split : "";
    char number[24];
    if (r->row >= s->rows)
        s->rows = r->row + 1;
    if (!wanted(s, r->row))
        return 0;
    int64_t *met = map_slot(s->splits, split, strlen(split), 0);
    if (!met)
        return FAIL(EMEMORY_, "%s: out of memory", s->path);
    ++*met;
    if (s->split && strcmp(split, s->split) != 0)
        return 0;
    if (s->count == s->room) {
        int64_t room = s->room ? 2 * s->room : 1024;
        struct item *more = realloc(s->item, (size_t)room * sizeof *more);
        if (!more)
            return FAIL(EMEMORY_, "%s: out of memory: no room for %" PRId64 " samples", s->path, room);
        s->item = more;
        s->room = room;
    }
    const char **texts = take(s, (size_t)r->caption_count * sizeof *texts);
    if (!s->last_split || strcmp(s->last_split, split) != 0)
        s->last_split = keep(s, split);
    if (r->path && (!s->last_path || strcmp(s->last_path, r->path) != 0))
        s->last_path = keep(s, r->path);
    snprintf(number, sizeof number, "%08" PRId64, r->row);
    struct item it = {.key = keep(s, r->key && *r->key ? r->key : number), .tags = keep(s, r->tags ? r->tags : ""),
                      .split = s->last_split, .captions = texts, .caption_count = r->caption_count, .row = r->row,
                      .label = r->label, .path = r->path ? s->last_path : NULL, .offset = r->offset, .bytes = r->bytes};
    for (int i = 0; texts && i < r->caption_count; i++)
        if (!(texts[i] = keep(s, r->captions[i])))
            return EMEMORY_;
    if (!texts || !it.key || !it.tags || !it.split || (r->path && !it.path))
        return EMEMORY_;
    s->item[s->count++] = it;
    return 0;
}

int64_t source_key_row(const char *key, int64_t *last, int64_t row)
{
    const char *name = path_name(key);
    size_t n = strlen(name);
    if ((n != 8 && n != 9) || strspn(name, "0123456789") != n || atoll(name) <= *last)
        return row;
    return *last = atoll(name);
}

int source_leave_out(struct source *s, int64_t row, const char *fmt, ...)
{
    char why[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    if (row >= s->rows)
        s->rows = row + 1;
    if (!wanted(s, row))
        return 0;
    if (s->excluded++ < LOGGED)
        log_warn("%s: left out", why);
    if (s->listed == LISTED)
        return 0;
    if ((s->listed & (s->listed - 1)) == 0) {   // full at powers of two
        struct left_out *more = realloc(s->out, (size_t)(s->listed ? 2 * s->listed : 1) * sizeof *more);
        if (!more)
            return FAIL(EMEMORY_, "%s: out of memory", s->path);
        s->out = more;
    }
    const char *kept = keep(s, why);
    s->out[s->listed++] = (struct left_out){row, kept};
    return kept ? 0 : EMEMORY_;
}

const char *source_images(const struct source *s) { return s->images; }

char *source_locate(struct source *s, const char *dir, const char *path)
{
    if (s->images)
        return path_join(s->images, path);
    char *here = path_join(dir, path);
    // as open_clip writes them, paths may start from where its program ran: the first one decides
    if (here && s->nowhere == 0)
        s->nowhere = !file_exists(here) && file_exists(path) ? 1 : -1;
    if (here && s->nowhere > 0) {
        free(here);
        return strdup(path);
    }
    return here;
}

// A web address has a file when the pictures lie in a directory: ROW, as the list's key has it or plain, .jpg or so.
static char *find_fetched(const struct source *s, const struct list_row *row)
{
    static const char *const endings[] = {"jpg", "jpeg", "png", "webp", "gif"};
    char name[64];
    for (int plain = 0; plain < 2; plain++)
        for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
            snprintf(name, sizeof name, plain ? "%" PRId64 ".%s" : "%08" PRId64 ".%s", row->row, endings[i]);
            char *path = path_join(s->images, name);
            if (!path || file_exists(path))
                return path;
            free(path);
        }
    return strdup("");
}

static int add_row(struct source *s, struct list *l, const struct list_row *row)
{
    bool web = row->path && strstr(row->path, "://");
    if (row->bad && !(web && s->images))
        return source_leave_out(s, row->row, "%s: line %" PRId64 ": %s", s->path, row->line, row->bad);
    char *path = web ? find_fetched(s, row) : source_locate(s, list_dir(l), row->path);
    int rc = !path ? FAIL(EMEMORY_, "%s: out of memory", s->path)
             : !*path ? source_leave_out(s, row->row, "%s: line %" PRId64 ": %s/%08" PRId64 ".jpg is not there",
                                         s->path, row->line, s->images, row->row)
                      : source_put(s, &(struct source_row){row->key, row->split, row->tags, row->captions,
                                                           row->caption_count, row->row, -1, path, -1, 0});
    free(path);
    return rc;
}

static int read_list(struct source *s)
{
    struct list *l = NULL;
    struct list_row row;
    int rc = list_open(&l, s->path);
    while (!rc && (rc = list_next(l, &row)) == 1)
        rc = add_row(s, l, &row);
    list_close(l);
    return rc;
}

static int add_stored(void *user, const struct catalogue_sample *v)
{
    struct source *s = user;
    const char *split = v->split ? v->split : "";
    if (!v->ok || !v->key || !v->caption || v->shard < 0 || v->offset < 0 || v->bytes <= 0 || v->bytes > INT32_MAX) {
        if (!s->split || strcmp(split, s->split) == 0)
            return source_leave_out(s, v->row, "%s: row %" PRId64 ": %s", s->path, v->row,
                                    v->detail ? v->detail : v->reason ? v->reason : "not usable");
        s->rows = v->row >= s->rows ? v->row + 1 : s->rows;
        return 0;
    }
    s->judged += v->verdict != NULL;
    if (s->kept && (!v->verdict || strcmp(v->verdict, "kept") != 0)) {
        s->dropped++;
        s->rows = v->row >= s->rows ? v->row + 1 : s->rows;
        return 0;
    }
    json_t *several = v->captions ? json_loads(v->captions, 0, NULL) : NULL;
    size_t n = json_is_array(several) && json_array_size(several) ? json_array_size(several) : 1;
    const char **captions = malloc(n * sizeof *captions);
    int64_t before = s->count;
    int rc = captions ? 0 : FAIL(EMEMORY_, "%s: out of memory", s->path);
    for (size_t i = 0; captions && i < n; i++) {
        const char *one = json_string_value(json_array_get(several, i));
        captions[i] = one ? one : v->caption;
    }
    if (!rc)
        rc = source_put(s, &(struct source_row){v->key, split, v->tags, captions, (int)n, v->row, -1, NULL, v->offset,
                                                v->bytes});
    if (!rc && s->count > before)
        s->item[before].shard = v->shard;
    free(captions);
    json_decref(several);
    return rc;
}

static int read_dataset(struct source *s)
{
    char **paths = NULL;
    int count = 0, rc = catalogue_paths(s->path, &paths, &count);
    for (int i = 0; i < count; i++) {
        struct catalogue *c = NULL;
        if (!rc)
            rc = catalogue_open_file(&c, paths[i]);
        if (!rc)
            rc = catalogue_walk(c, add_stored, s);
        catalogue_close(c);
        free(paths[i]);
    }
    free(paths);
    return rc;
}

static int nothing_left(const struct source *s)
{
    if (s->kept && s->judged == 0)
        return FAIL(EMISSING_, "%s: no sample has a filter's verdict: diht filter %s", s->path, s->path);
    if (s->first > 0)
        return FAIL(EMISSING_, "%s: no sample that can be used from row %" PRId64 " on (%" PRId64 " left out as bad): are "
                    "there so many rows?", s->path, s->first, s->excluded);
    if (!s->split || map_count(s->splits) == 0)
        return FAIL(EMISSING_, "%s: no sample that can be used (%" PRId64 " left out as bad)", s->path, s->excluded);
    struct buf names = {0};
    for (int64_t i = 0; i < map_count(s->splits) && i < 20; i++) {
        size_t len;
        int64_t n;
        const char *name = map_key(s->splits, i, &len, &n);
        buf_fmt(&names, "%s%.*s (%" PRId64 ")", i ? ", " : "", len ? (int)len : 6, len ? name : "(none)", n);
    }
    int rc =
        FAIL(EMISSING_, "%s: no sample in split \"%s\"; there are %s", s->path, s->split, names.at ? names.at : "none");
    buf_free(&names);
    return rc;
}

// A directory that holds a catalogue is a dataset even when tars lie in it.
static int read_directory(struct source *s)
{
    char **paths = NULL;
    int count = 0, rc = catalogue_paths(s->path, &paths, &count);
    for (int i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
    if (rc != EMISSING_)
        return rc ? rc : read_dataset(s);
    rc = has_tars(s->path);
    return rc < 0 ? rc : rc ? read_tars(s, s->path) : read_folders(s, s->path);
}

static int read_any(struct source *s)
{
    if (s->kept && !file_is_dir(s->path))
        return FAIL(EUSAGE_, "%s: only a dataset holds what the filter kept; diht filter LIST --out KEPT writes a list of it", s->path);
    if (file_is_dir(s->path))
        return read_directory(s);
    if (strcasecmp(path_ext(s->path), ".tar") == 0)
        return read_tars(s, s->path);
    return strcasecmp(path_ext(s->path), ".json") == 0 ? read_json(s, s->path) : read_list(s);
}

int source_open(struct source **out, const char *path, const char *split)
{
    return source_open_with(out, path, &(struct source_options){.split = split});
}

int source_open_with(struct source **out, const char *path, const struct source_options *o)
{
    *out = NULL;
    struct source *s = calloc(1, sizeof *s);
    if (!s)
        return FAIL(EMEMORY_, "%s: out of memory", path);
    int rc = 0;
    bool split = o->split && *o->split;
    s->path = strdup(path);
    s->split = split ? strdup(o->split) : NULL;
    s->images = o->images ? strdup(o->images) : NULL;
    s->first = o->first;
    s->last = o->last;
    s->kept = o->kept;
    s->splits = map_new();
    if (!s->path || !s->splits || (split && !s->split) || (o->images && !s->images))
        rc = FAIL(EMEMORY_, "%s: out of memory", path);
    else
        rc = read_any(s);
    if (!rc && s->excluded)
        log_warn("%s: %" PRId64 " bad samples left out", path, s->excluded);
    if (!rc && s->dropped)
        log_info("%s: %" PRId64 " samples that the filter did not keep left out", path, s->dropped);
    if (!rc && s->count == 0)
        rc = nothing_left(s);
    if (rc)
        source_close(s);
    else
        *out = s;
    return rc;
}

void source_close(struct source *s)
{
    if (!s)
        return;
    for (struct chunk *c = s->texts, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    map_free(s->splits);
    free(s->item);
    free(s->out);
    free(s->path);
    free(s->split);
    free(s->images);
    free(s);
}

int64_t source_count(const struct source *s) { return s->count; }
int64_t source_excluded(const struct source *s) { return s->excluded; }
int64_t source_excluded_listed(const struct source *s) { return s->listed; }
const char *source_excluded_at(const struct source *s, int64_t i, int64_t *row)
{
    *row = s->out[i].row;
    return s->out[i].why;
}
int64_t source_rows(const struct source *s) { return s->last && s->last < s->rows ? s->last : s->rows; }
const char *source_path(const struct source *s) { return s->path; }

void source_sample(const struct source *s, int64_t i, struct sample *out)
{
    const struct item *it = &s->item[i];
    *out = (struct sample){it->key, it->tags, it->split, it->captions, it->caption_count, it->row, it->label};
}

static int read_stored(const struct source *s, const struct item *it, struct buf *out)
{
    char *path = it->path ? strdup(it->path) : shard_path(s->path, it->shard);
    int rc = path ? shard_read(path, it->offset, it->bytes, out) : FAIL(EMEMORY_, "%s: out of memory", s->path);
    free(path);
    return rc ? error_prefix(rc, "sample %s: ", it->key) : 0;
}

int source_image(const struct source *s, int64_t i, struct buf *out)
{
    const struct item *it = &s->item[i];
    buf_clear(out);
    if (!it->path || it->offset >= 0)
        return read_stored(s, it, out);
    int rc = picture_read(it->path, out);
    return rc ? error_prefix(rc, "sample %s: ", it->key) : 0;
}

const char *source_place(const struct source *s, int64_t i, int64_t *offset, int64_t *bytes)
{
    *offset = s->item[i].offset;
    *bytes = s->item[i].bytes;
    return s->item[i].path;
}

void source_identity(const struct source *s, int64_t i, struct buf *out)
{
    const struct item *it = &s->item[i];
    struct stat st = {0};
    char *path = it->path ? strdup(it->path) : shard_path(s->path, it->shard);
    if (path && !it->path)   // a shard grows: only the place in it tells
        buf_fmt(out, "%s %" PRId64 " %" PRId64 "\n", path_name(path), it->offset, it->bytes);
    else if (path)
        buf_fmt(out, "%s %" PRId64 " %" PRId64 " %lld %lld.%09ld\n", path, it->offset, it->bytes,
                stat(path, &st) == 0 ? (long long)st.st_size : -1, (long long)st.st_mtim.tv_sec,
                (long)st.st_mtim.tv_nsec);
    else
        out->failed = FAIL(EMEMORY_, "%s: out of memory", s->path);
    free(path);
}

int source_groups(const struct source *s, int64_t **group, int64_t *groups)
{
    struct map *m = map_new();
    *group = malloc((size_t)s->count * sizeof **group);
    int rc = m && *group ? 0 : FAIL(EMEMORY_, "%s: out of memory", s->path);
    for (int64_t i = 0; !rc && i < s->count; i++) {
        const char *caption = s->item[i].captions[0];
        int64_t *at = map_slot(m, caption, strlen(caption), map_count(m));
        if (at)
            (*group)[i] = *at;
        else
            rc = FAIL(EMEMORY_, "%s: out of memory: no room to group captions", s->path);
    }
    *groups = m ? map_count(m) : 0;
    map_free(m);
    if (rc) {
        free(*group);
        *group = NULL;
    }
    return rc;
}
