// SPDX-License-Identifier: Apache-2.0
// What a checkpoint, a training state, a dataset, a caption list or a .npy file holds. One JSON object is built; people
// see it as a table.
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/npy.h"
#include "data/source.h"
#include "model/config.h"
#include "model/infer.h"
#include "model/released.h"
#include "model/torch.h"
#include "task/encode.h"
#include "task/models.h"
#include "task/task.h"

static void set(json_t *o, const char *key, json_t *value) { (void)json_object_set_new(o, key, value); }

static json_t *shape_json(int ndim, const int64_t *shape)
{
    json_t *a = json_array();
    for (int i = 0; i < ndim; i++)
        (void)json_array_append_new(a, json_integer((json_int_t)shape[i]));
    return a;
}

// --- .npy ----------------------------------------------------------------------------------------------------------

static int info_npy(json_t *o, const char *path)
{
    struct npy a;
    int rc = npy_open(&a, path);
    if (rc)
        return rc;
    set(o, "kind", json_string("npy"));
    set(o, "type", json_string(npy_type_name(a.type)));
    set(o, "shape", shape_json(a.ndim, a.shape));
    set(o, "bytes", json_integer((json_int_t)a.map.size));
    npy_close(&a);
    return 0;
}

// --- weights -------------------------------------------------------------------------------------------------------

static json_t *tensors_json(const struct st_file *f)
{
    json_t *list = json_array();
    for (int i = 0; i < f->n; i++) {
        const struct st_tensor *t = &f->tensors[i];
        json_t *e = json_object();
        set(e, "name", json_string(t->name));
        set(e, "type", json_string(st_type_name(t->type)));
        set(e, "shape", shape_json(t->ndim, t->shape));
        (void)json_array_append_new(list, e);
    }
    return list;
}

static void sizes(json_t *o, const struct st_file *f)
{
    json_t *types = json_object();
    int64_t total = 0, image = 0;
    for (int i = 0; i < f->n; i++) {
        const struct st_tensor *t = &f->tensors[i];
        const char *type = st_type_name(t->type);
        set(types, type, json_integer(json_integer_value(json_object_get(types, type)) + (json_int_t)t->count));
        total += t->count;
        image += strncmp(t->name, "visual.", 7) == 0 ? t->count : 0;
    }
    set(o, "tensors", json_integer(f->n));
    set(o, "parameters", json_integer((json_int_t)total));
    if (image)
        set(o, "image_parameters", json_integer((json_int_t)image));
    set(o, "types", types);
}

static int64_t lines(const char *text)
{
    int64_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

// Released files carry their SHA-256 in their names (SWAG's its first digits): which ones these are, if they are whole.
static const char *licence_of(const char *path, const char *sum)
{
    const char *name = path_name(path), *dash = strrchr(name, '-');
    for (int i = 0; released_names[i]; i++)
        if (strncmp(name, released_names[i], strlen(released_names[i])) == 0 && strstr(name, sum))
            return "released DiHT weights: " RELEASED_LICENCE;
    if ((strncmp(name, "vit_", 4) == 0 || strstr(name, "swag")) && dash &&
        strlen(dash + 1) >= 8 && strncmp(dash + 1, sum, 8) == 0)
        return "released SWAG weights: " RELEASED_LICENCE;
    return NULL;
}

static int info_weights(json_t *o, const char *path, const diht_info_options *options)
{
    const struct model_as as = model_as(&options->as);
    struct st_file f;
    struct config c;
    char sum[SHA256_HEX];
    int rc = weights_open(&f, path);
    if (rc)
        return rc;
    bool model = st_find(&f, "visual.conv1.weight") != NULL;
    int known = model ? config_of_file(&c, &f, path, &as) : 0;
    if (known == EUSAGE_ || known == EMEMORY_) {
        st_close(&f);
        return known;
    }
    set(o, "kind", json_string(model ? "checkpoint" : st_meta_get(&f, "diht.steps") ? "training state"
                               : "tensors"));
    set(o, "bytes", json_integer((json_int_t)f.map.size));
    sha256_hex(sum, f.map.at, f.map.size);
    set(o, "sha256", json_string(sum));
    const char *licence = licence_of(path, sum);
    if (licence)
        set(o, "licence", json_string(licence));
    sizes(o, &f);
    const char *merges = st_meta_get(&f, "diht.merges"), *steps = st_meta_get(&f, "diht.steps");
    if (model && !known) {
        char *text = config_json(&c);
        set(o, "image_gflop", json_real(config_image_flop(&c) / 1e9));
        double rows = c.text.context_length;
        if (!config_image_only(&c))
            set(o, "text_gflop", json_real(config_text_flop(&c, rows, rows * rows) / 1e9));
        set(o, "config", text ? json_loads(text, 0, NULL) : NULL);
        free(text);
    } else if (model) {
        set(o, "config", json_null());
        set(o, "config_unknown", json_string(error_last()));   // which flags settle it
    }
    if (merges)
        set(o, "merge_lines", json_integer((json_int_t)lines(merges)));
    if (steps)
        set(o, "steps", json_integer((json_int_t)strtoll(steps, NULL, 10)));
    json_t *keys = json_array();
    for (int i = 0; i < f.nmeta; i++)
        (void)json_array_append_new(keys, json_string(f.meta[i].key));
    set(o, "metadata", keys);
    if (options->tensors)
        set(o, "tensor_list", tensors_json(&f));
    st_close(&f);
    return 0;
}

// --- datasets and lists --------------------------------------------------------------------------------------------

static int info_data(json_t *o, const char *path)
{
    struct source *s;
    int rc = source_open(&s, path, NULL);
    if (rc)
        return rc;
    struct map *splits = map_new();
    int64_t captions = 0, tagged = 0, n = source_count(s);
    for (int64_t i = 0; i < n && splits; i++) {
        struct sample one;
        source_sample(s, i, &one);
        captions += one.caption_count;
        tagged += *one.tags != 0;
        int64_t *count = map_slot(splits, one.split, strlen(one.split), 0);
        if (!count) {
            map_free(splits);
            splits = NULL;
            break;
        }
        ++*count;
    }
    if (splits) {
        json_t *by = json_object();
        for (int64_t i = 0; i < map_count(splits); i++) {
            size_t len;
            int64_t count;
            const char *name = map_key(splits, i, &len, &count);
            char text[128];
            snprintf(text, sizeof text, "%.*s", (int)(len < 120 ? len : 120), len ? name : "(none)");
            set(by, len ? text : "(none)", json_integer((json_int_t)count));
        }
        set(o, "kind", json_string(file_is_dir(path) ? "dataset" : "list"));
        set(o, "samples", json_integer((json_int_t)n));
        set(o, "captions", json_integer((json_int_t)captions));
        set(o, "tagged", json_integer((json_int_t)tagged));
        set(o, "left_out", json_integer((json_int_t)source_excluded(s)));
        set(o, "rows", json_integer((json_int_t)source_rows(s)));
        set(o, "splits", by);
    } else {
        rc = FAIL(EMEMORY_, "out of memory");
    }
    map_free(splits);
    source_close(s);
    return rc;
}

// --- printing ------------------------------------------------------------------------------------------------------

static void table(struct buf *b, json_t *o, int depth);

static void table_value(struct buf *b, const char *key, json_t *v)
{
    char size[32];
    if (json_is_integer(v) && strcmp(key, "bytes") == 0) {
        format_bytes(size, (double)json_integer_value(v));
        buf_str(b, size);
    } else if (json_is_string(v)) {
        buf_str(b, json_string_value(v));
    } else if (json_is_real(v)) {
        buf_fmt(b, "%.6g", json_real_value(v));
    } else {
        char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
        buf_str(b, text ? text : "");
        free(text);
    }
}

static void tensor_table(struct buf *b, json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *t = json_array_get(list, i);
        char *shape = json_dumps(json_object_get(t, "shape"), 0);
        buf_fmt(b, "  %-60s %-5s %s\n", json_string_value(json_object_get(t, "name")),
                json_string_value(json_object_get(t, "type")), shape ? shape : "");
        free(shape);
    }
}

static void table(struct buf *b, json_t *o, int depth)
{
    const char *key;
    json_t *v;
    json_object_foreach(o, key, v) {
        buf_fmt(b, "%*s%-*s", 2 * depth, "", 20 - 2 * depth, key);
        if (json_is_object(v)) {
            buf_char(b, '\n');
            table(b, v, depth + 1);
        } else if (strcmp(key, "tensor_list") == 0) {
            buf_char(b, '\n');
            tensor_table(b, v);
        } else {
            buf_char(b, ' ');
            table_value(b, key, v);
            buf_char(b, '\n');
        }
    }
}

static int info_file(const diht_info_options *o, char **result)
{
    *result = NULL;
    json_t *all = json_object();
    const char *ext = path_ext(o->path);
    set(all, "path", json_string(o->path));
    int rc;
    if (!file_exists(o->path))
        rc = FAIL(EMISSING_, "%s: no such file or directory", o->path);
    else if (strcmp(ext, ".npy") == 0)
        rc = info_npy(all, o->path);
    else if (weights_name(o->path))
        rc = info_weights(all, o->path, o);
    else
        rc = info_data(all, o->path);
    struct buf b = {0};
    if (!rc && o->json) {
        char *text = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(15));
        buf_str(&b, text ? text : "");
        buf_char(&b, '\n');
        free(text);
    } else if (!rc) {
        table(&b, all, 0);
    }
    if (!rc && !(*result = buf_steal(&b)))
        rc = FAIL(EMEMORY_, "out of memory");
    buf_free(&b);
    json_decref(all);
    return rc;
}

int task_info(const diht_info_options *o, char **result)
{
    diht_info_options found = *o;
    char *path;
    int rc = model_find(&path, o->path);
    found.path = path;
    if (!rc)
        rc = info_file(&found, result);
    free(path);
    return rc;
}
