// SPDX-License-Identifier: Apache-2.0
#include "data/source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
#include "data/catalogue.h"
#include "data/list.h"
#include "data/shard.h"

struct item {
    const char *key, *tags, *split;
    const char *const *captions;
    const char *path;          // list: the picture's file; dataset: NULL
    int64_t row;
    int64_t shard, offset, bytes;
    int caption_count;
};

enum { CHUNK = 1 << 20 };
struct chunk {
    struct chunk *next;
    char at[];
};

struct source {
    char *path, *split;
    struct item *item;         // [count]
    int64_t count, room;
    int64_t excluded, rows;
    struct chunk *texts;       // strings and caption arrays, freed together
    size_t used, size;         // of the newest chunk
    struct map *splits;        // every split met -> its samples
    const char *last_split;    // most samples share the one before them
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

// A place for one more sample of `split`, or none (0) when another split was asked for. Negative: no memory.
static int add(struct source *s, const char *split, const char *key, const char *tags, const char *const *captions,
               int n, struct item **out)
{
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
    const char **texts = take(s, (size_t)n * sizeof *texts);
    if (!s->last_split || strcmp(s->last_split, split) != 0)
        s->last_split = keep(s, split);
    struct item it = {
        .key = keep(s, key), .tags = keep(s, tags), .split = s->last_split, .captions = texts, .caption_count = n};
    for (int i = 0; texts && i < n; i++)
        if (!(texts[i] = keep(s, captions[i])))
            return EMEMORY_;
    if (!texts || !it.key || !it.tags || !it.split)
        return EMEMORY_;
    s->item[s->count] = it;
    *out = &s->item[s->count++];
    return 1;
}

static bool chosen(const struct source *s, const char *split) { return !s->split || strcmp(split, s->split) == 0; }

static int read_list(struct source *s)
{
    struct list *l = NULL;
    struct list_row row;
    int rc = list_open(&l, s->path);
    while (!rc && (rc = list_next(l, &row)) == 1) {
        s->rows = row.row + 1;
        rc = 0;
        if (row.bad) {
            if (s->excluded++ < 3)
                log_warn("%s: line %" PRId64 ": %s: row left out", s->path, row.line, row.bad);
            continue;
        }
        struct item *it = NULL;
        if ((rc = add(s, row.split, row.key, row.tags, row.captions, row.caption_count, &it)) != 1)
            continue;
        char *path = path_join(list_dir(l), row.path);
        it->row = row.row;
        it->path = path ? keep(s, path) : NULL;
        rc = it->path ? 0 : EMEMORY_;
        free(path);
    }
    list_close(l);
    return rc;
}

static int add_stored(void *user, const struct catalogue_sample *v)
{
    struct source *s = user;
    const char *split = v->split ? v->split : "";
    if (v->row >= s->rows)
        s->rows = v->row + 1;
    if (!v->ok || !v->key || !v->caption || v->shard < 0 || v->offset < 0 || v->bytes <= 0 || v->bytes > INT32_MAX) {
        s->excluded += chosen(s, split);
        return 0;
    }
    json_t *several = v->captions ? json_loads(v->captions, 0, NULL) : NULL;
    size_t n = json_is_array(several) && json_array_size(several) ? json_array_size(several) : 1;
    const char **captions = malloc(n * sizeof *captions);
    struct item *it = NULL;
    int rc = captions ? 0 : FAIL(EMEMORY_, "%s: out of memory", s->path);
    for (size_t i = 0; captions && i < n; i++) {
        const char *one = json_string_value(json_array_get(several, i));
        captions[i] = one ? one : v->caption;
    }
    if (!rc && (rc = add(s, split, v->key, v->tags ? v->tags : "", captions, (int)n, &it)) == 1) {
        it->row = v->row;
        it->shard = v->shard;
        it->offset = v->offset;
        it->bytes = v->bytes;
        rc = 0;
    }
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

int source_open(struct source **out, const char *path, const char *split)
{
    *out = NULL;
    struct source *s = calloc(1, sizeof *s);
    if (!s)
        return FAIL(EMEMORY_, "%s: out of memory", path);
    int rc = 0;
    s->path = strdup(path);
    s->split = split && *split ? strdup(split) : NULL;
    s->splits = map_new();
    if (!s->path || !s->splits || (split && *split && !s->split))
        rc = FAIL(EMEMORY_, "%s: out of memory", path);
    else
        rc = file_is_dir(path) ? read_dataset(s) : read_list(s);
    if (!rc && s->excluded)
        log_warn("%s: %" PRId64 " bad samples left out", path, s->excluded);
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
    free(s->path);
    free(s->split);
    free(s);
}

int64_t source_count(const struct source *s) { return s->count; }
int64_t source_excluded(const struct source *s) { return s->excluded; }
int64_t source_rows(const struct source *s) { return s->rows; }
const char *source_path(const struct source *s) { return s->path; }

void source_sample(const struct source *s, int64_t i, struct sample *out)
{
    const struct item *it = &s->item[i];
    *out = (struct sample){it->key, it->tags, it->split, it->captions, it->caption_count, it->row};
}

// The picture's bytes out of its shard. Opened anew each time: cheap beside decoding, and no limit on the number of
// shards.
static int read_stored(const struct source *s, const struct item *it, struct buf *out)
{
    char *path = shard_path(s->path, it->shard), block[1 << 15];
    if (!path)
        return EMEMORY_;
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
    int64_t left = it->bytes, at = it->offset;
    if (fd < 0)
        rc = FAIL(error_from_errno(errno), "%s: sample %s: cannot open: %s", path, it->key, strerror(errno));
    while (!rc && left > 0) {
        ssize_t got = pread(fd, block, left < (int64_t)sizeof block ? (size_t)left : sizeof block, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            rc = FAIL(EIO_, "%s: sample %s: %s", path, it->key,
                      got ? strerror(errno) : "the shard ends before its picture: it was cut off");
        else {
            buf_add(out, block, (size_t)got);
            left -= got;
            at += got;
        }
    }
    if (!rc && out->failed)
        rc = FAIL(EMEMORY_, "%s: sample %s: out of memory", path, it->key);
    if (fd >= 0)
        close(fd);
    free(path);
    return rc;
}

int source_image(const struct source *s, int64_t i, struct buf *out)
{
    const struct item *it = &s->item[i];
    buf_clear(out);
    if (!it->path)
        return read_stored(s, it, out);
    int rc = picture_read(it->path, out);
    return rc ? error_prefix(rc, "sample %s: ", it->key) : 0;
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
