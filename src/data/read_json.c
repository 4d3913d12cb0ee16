// SPDX-License-Identifier: Apache-2.0
// Captions kept in one JSON value:
//   ALBEF      [{"image": path, "caption": text | [texts]}, ...]; rows of one image are one sample
//   COCO       {"images": [{"id", "file_name"}], "annotations": [{"image_id", "caption"}]}
//   Karpathy   {"images": [{"filename", "filepath", "split", "sentences": [{"raw"}]}]}
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/map.h"
#include "data/source_inner.h"

enum { MOST_CAPTIONS = 1024 };

struct captions {
    const char *text[MOST_CAPTIONS];
    int n;
};

static void add_caption(struct captions *c, const json_t *v)
{
    const char *text = json_string_value(v);
    if (text && text[strspn(text, " \t\r\n")] && c->n < MOST_CAPTIONS)
        c->text[c->n++] = text;
}

static void add_captions(struct captions *c, const json_t *v)
{
    add_caption(c, v);
    for (size_t i = 0; i < json_array_size(v); i++)
        add_caption(c, json_array_get(v, i));
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static int put(struct source *s, const char *dir, const char *image, const char *split, const struct captions *c,
               int64_t row)
{
    if (!image || !*image)
        return source_leave_out(s, row, "%s: entry %" PRId64 ": no image is named", source_path(s), row);
    if (c->n == 0)
        return source_leave_out(s, row, "%s: entry %" PRId64 " (%s): no caption", source_path(s), row, image);
    char *path = source_locate(s, dir, image);
    int rc = path ? source_put(s, &(struct source_row){NULL, split, NULL, c->text, c->n, row, -1, path, -1, 0})
                  : FAIL(EMEMORY_, "%s: out of memory", source_path(s));
    free(path);
    return rc;
}

// next[i]: the next entry of the same image as entry i, -1: none; first[i]: entry i is an image's first.
static int read_albef(struct source *s, const json_t *all, const char *dir)
{
    int64_t n = (int64_t)json_array_size(all);
    struct map *last = map_new();
    int64_t *next = malloc((size_t)(n + 1) * sizeof *next);
    bool *first = calloc((size_t)n + 1, sizeof *first);
    int rc = last && next && first ? 0 : FAIL(EMEMORY_, "%s: out of memory", source_path(s));
    for (int64_t i = 0; i < n && !rc; i++) {
        const char *image = text_of(json_array_get(all, (size_t)i), "image");
        int64_t *at = image ? map_slot(last, image, strlen(image), -1) : NULL;
        next[i] = -1;
        first[i] = !at || *at < 0;
        if (image && !at)
            rc = FAIL(EMEMORY_, "%s: out of memory", source_path(s));
        if (at && *at >= 0)
            next[*at] = i;
        if (at)
            *at = i;
    }
    for (int64_t i = 0, row = 0; i < n && !rc; i++) {
        struct captions c = {.n = 0};
        if (!first[i])
            continue;
        for (int64_t k = i; k >= 0; k = next[k])
            add_captions(&c, json_object_get(json_array_get(all, (size_t)k), "caption"));
        const json_t *entry = json_array_get(all, (size_t)i);
        rc = put(s, dir, text_of(entry, "image"), text_of(entry, "split"), &c, row++);
    }
    map_free(last);
    free(next);
    free(first);
    return rc;
}

static int read_karpathy(struct source *s, const json_t *images, const char *dir)
{
    int rc = 0;
    for (size_t i = 0; i < json_array_size(images) && !rc; i++) {
        const json_t *image = json_array_get(images, i), *sentences = json_object_get(image, "sentences");
        const char *name = text_of(image, "filename"), *folder = text_of(image, "filepath");
        char *path = name && folder ? path_join(folder, name) : strdup(name ? name : "");
        struct captions c = {.n = 0};
        for (size_t k = 0; k < json_array_size(sentences); k++)
            add_caption(&c, json_object_get(json_array_get(sentences, k), "raw"));
        rc = path ? put(s, dir, path, text_of(image, "split"), &c, (int64_t)i)
                  : FAIL(EMEMORY_, "%s: out of memory", source_path(s));
        free(path);
    }
    return rc;
}

// COCO's are numbers, sets made after it may have texts. "": neither.
static void id_text(char out[256], const json_t *id)
{
    out[0] = 0;
    if (json_is_integer(id))
        snprintf(out, 256, "%" JSON_INTEGER_FORMAT, json_integer_value(id));
    else if (json_is_string(id))
        snprintf(out, 256, "%s", json_string_value(id));
}

static int read_coco(struct source *s, const json_t *images, const json_t *notes, const char *dir)
{
    int64_t n = (int64_t)json_array_size(notes);
    char id[256];
    struct map *last = map_new();   // image -> its last annotation; walked backwards
    int64_t *before = malloc((size_t)(n + 1) * sizeof *before);
    int rc = last && before ? 0 : FAIL(EMEMORY_, "%s: out of memory", source_path(s));
    for (int64_t i = 0; i < n && !rc; i++) {
        id_text(id, json_object_get(json_array_get(notes, (size_t)i), "image_id"));
        int64_t *at = map_slot(last, id, strlen(id), -1);
        rc = at ? 0 : FAIL(EMEMORY_, "%s: out of memory", source_path(s));
        before[i] = at ? *at : -1;
        if (at)
            *at = i;
    }
    for (size_t i = 0; i < json_array_size(images) && !rc; i++) {
        const json_t *image = json_array_get(images, i);
        struct captions c = {.n = 0};
        id_text(id, json_object_get(image, "id"));
        for (int64_t k = *id ? map_get(last, id, strlen(id), -1) : -1; k >= 0; k = before[k])
            add_caption(&c, json_object_get(json_array_get(notes, (size_t)k), "caption"));
        for (int a = 0, b = c.n - 1; a < b; a++, b--) {
            const char *t = c.text[a];
            c.text[a] = c.text[b];
            c.text[b] = t;
        }
        rc = put(s, dir, text_of(image, "file_name"), NULL, &c, (int64_t)i);
    }
    map_free(last);
    free(before);
    return rc;
}

int read_json(struct source *s, const char *path)
{
    json_error_t why;
    struct file_map m;
    char *dir = path_dir(path);
    int rc = dir ? file_map(&m, path) : FAIL(EMEMORY_, "%s: out of memory", path);
    if (rc) {
        free(dir);
        return rc;
    }
    json_t *all = json_loadb((const char *)m.at, m.size, 0, &why);
    const json_t *images = json_object_get(all, "images"), *notes = json_object_get(all, "annotations");
    if (!all)
        rc = FAIL(EFORMAT_, "%s: line %d: not JSON: %s (a list of JSON lines is called .jsonl)", path, why.line,
                  why.text);
    else if (json_is_array(all))
        rc = read_albef(s, all, dir);
    else if (json_is_array(images) && json_is_array(notes))
        rc = read_coco(s, images, notes, dir);
    else if (json_is_array(images))
        rc = read_karpathy(s, images, dir);
    else
        rc = FAIL(EFORMAT_, "%s: expected [{\"image\", \"caption\"}], or an object with \"images\" (COCO, "
                  "Karpathy)", path);
    json_decref(all);
    file_unmap(&m);
    free(dir);
    return rc;
}
