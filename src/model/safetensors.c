// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/npy.h"

// The format's own limit, and far more than any model needs.
#define HEADER_MAX 100000000

static const struct {
    const char *name;
    int size;
} types[] = {
    [ST_F64] = {"F64", 8}, [ST_F32] = {"F32", 4}, [ST_F16] = {"F16", 2}, [ST_BF16] = {"BF16", 2}, [ST_I64] = {"I64", 8},
    [ST_I32] = {"I32", 4}, [ST_I16] = {"I16", 2}, [ST_I8] = {"I8", 1},   [ST_U8] = {"U8", 1},
    [ST_BOOL] = {"BOOL", 1},
};

const char *st_type_name(enum st_type type) { return types[type].name; }
int st_type_size(enum st_type type) { return types[type].size; }
bool st_is_real(enum st_type type) { return type <= ST_BF16; }

bool st_readable(const struct st_tensor *t) { return st_is_real(t->type) || t->scale; }

void st_describe(char out[128], enum st_type type, int ndim, const int64_t *shape)
{
    int at = snprintf(out, 128, "%s [", types[type].name);
    for (int i = 0; i < ndim && at < 100; i++)
        at += snprintf(out + at, 128 - (size_t)at, "%s%lld", i ? ", " : "", (long long)shape[i]);
    snprintf(out + at, 128 - (size_t)at, "]");
}

// --- reading -------------------------------------------------------------------------------------------------------

// One header entry into `t`; begin and end are its bytes within the data part of `size` bytes.
static int parse_entry(struct st_tensor *t, const char *path, const char *name, json_t *entry,
                       const unsigned char *data, uint64_t size)
{
    json_t *dtype = json_object_get(entry, "dtype"), *shape = json_object_get(entry, "shape");
    json_t *offsets = json_object_get(entry, "data_offsets");
    if (!json_is_string(dtype) || !json_is_array(shape) || !json_is_array(offsets) || json_array_size(offsets) != 2)
        return FAIL(EFORMAT_, "%s: tensor %.80s: expected dtype, shape and two data_offsets in the header", path, name);

    size_t type = 0;
    while (type < sizeof types / sizeof *types && strcmp(types[type].name, json_string_value(dtype)) != 0)
        type++;
    if (type == sizeof types / sizeof *types)
        return FAIL(EUNSUPPORTED_,
                    "%s: tensor %.80s: type %.16s is not one this program reads (F64 F32 F16 BF16 and integers)", path,
                    name, json_string_value(dtype));
    t->type = (enum st_type)type;

    if (json_array_size(shape) > ST_DIMS)
        return FAIL(EFORMAT_, "%s: tensor %.80s: %zu dimensions, at most %d are possible", path, name,
                    json_array_size(shape), ST_DIMS);
    t->ndim = (int)json_array_size(shape);
    t->count = 1;
    for (int i = 0; i < t->ndim; i++) {
        json_t *d = json_array_get(shape, (size_t)i);
        t->shape[i] = json_is_integer(d) ? (int64_t)json_integer_value(d) : -1;
        if (t->shape[i] < 0 || __builtin_mul_overflow(t->count, t->shape[i], &t->count))
            return FAIL(EFORMAT_, "%s: tensor %.80s: dimension %d of its shape is not a possible size", path, name, i);
    }

    json_t *from = json_array_get(offsets, 0), *to = json_array_get(offsets, 1);
    int64_t begin = json_is_integer(from) ? (int64_t)json_integer_value(from) : -1;
    int64_t end = json_is_integer(to) ? (int64_t)json_integer_value(to) : -1, bytes;
    if (begin < 0 || end < begin || (uint64_t)end > size)
        return FAIL(EFORMAT_,
                    "%s: tensor %.80s: bytes %lld to %lld lie outside the file's data of %llu bytes (a truncated copy?)",
                    path, name, (long long)begin, (long long)end, (unsigned long long)size);
    if (__builtin_mul_overflow(t->count, (int64_t)types[type].size, &bytes) || bytes != end - begin)
        return FAIL(EFORMAT_,
                    "%s: tensor %.80s: its shape needs %lld elements of %d bytes, its offsets hold %lld bytes", path,
                    name, (long long)t->count, types[type].size, (long long)(end - begin));
    t->data = data + begin;
    t->name = strdup(name);
    return t->name ? 0 : FAIL(EMEMORY_, "out of memory");
}

static int by_data(const void *a, const void *b)
{
    const struct st_tensor *x = a, *y = b;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    return x->count == 0 ? -1 : y->count == 0 ? 1 : 0;   // empty tensors before the one that starts where they lie
}

// After sorting, each tensor starts where the one before it ended.
static int check_layout(const struct st_file *f, const char *path, const unsigned char *data, uint64_t size)
{
    const unsigned char *at = data;
    for (int i = 0; i < f->n; i++) {
        const struct st_tensor *t = &f->tensors[i];
        if (t->data != at)
            return FAIL(EFORMAT_, "%s: tensor %.80s %s", path, t->name,
                        t->data < at ? "overlaps the one before it" : "leaves unused bytes before it");
        at += t->count * types[t->type].size;
    }
    if (at != data + size)
        return FAIL(EFORMAT_, "%s: %llu bytes after the last tensor", path, (unsigned long long)(data + size - at));
    return 0;
}

static int parse_meta(struct st_file *f, const char *path, json_t *meta)
{
    if (!json_is_object(meta))
        return FAIL(EFORMAT_, "%s: __metadata__ is not an object", path);
    f->meta = calloc(json_object_size(meta) + 1, sizeof *f->meta);
    if (!f->meta)
        return FAIL(EMEMORY_, "out of memory");
    const char *key;
    json_t *value;
    json_object_foreach(meta, key, value) {
        if (!json_is_string(value))
            return FAIL(EFORMAT_, "%s: __metadata__ entry %.80s is not a string", path, key);
        struct st_meta *m = &f->meta[f->nmeta++];
        m->key = strdup(key);
        m->value = strdup(json_string_value(value));
        if (!m->key || !m->value)
            return FAIL(EMEMORY_, "out of memory");
    }
    return 0;
}

static int parse_header(struct st_file *f, const char *path, json_t *header, const unsigned char *data, uint64_t size)
{
    f->tensors = calloc(json_object_size(header) + 1, sizeof *f->tensors);
    f->index = map_new();
    if (!f->tensors || !f->index)
        return FAIL(EMEMORY_, "out of memory");
    const char *name;
    json_t *entry;
    int rc = 0;
    json_object_foreach(header, name, entry) {
        if (strcmp(name, "__metadata__") == 0)
            rc = parse_meta(f, path, entry);
        else
            rc = parse_entry(&f->tensors[f->n++], path, name, entry, data, size);
        if (rc)
            return rc;
    }
    qsort(f->tensors, (size_t)f->n, sizeof *f->tensors, by_data);
    for (int i = 0; i < f->n; i++)
        if ((rc = map_put(f->index, f->tensors[i].name, strlen(f->tensors[i].name), i)))
            return rc;
    return check_layout(f, path, data, size);
}

int st_open(struct st_file *f, const char *path)
{
    memset(f, 0, sizeof *f);
    json_t *header = NULL;
    int rc = file_map(&f->map, path);
    if (rc)
        return rc;
    uint64_t len = 0, rest = f->map.size < 8 ? 0 : f->map.size - 8;
    for (int i = 0; i < 8 && f->map.size >= 8; i++)
        len |= (uint64_t)f->map.at[i] << (8 * i);
    if (f->map.size < 8 || len < 2 || len > rest || len > HEADER_MAX) {
        rc = FAIL(EFORMAT_, "%s: not a safetensors file: it has %zu bytes and its first 8 promise a header of %llu",
                  path, f->map.size, (unsigned long long)len);
        goto done;
    }
    json_error_t error;
    header = json_loadb((const char *)f->map.at + 8, len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(header)) {
        rc = FAIL(EFORMAT_, "%s: not a safetensors file: its header is not a JSON object (%s)", path,
                  header ? "another value" : error.text);
        goto done;
    }
    rc = parse_header(f, path, header, f->map.at + 8 + len, rest - len);
done:
    json_decref(header);
    if (rc)
        st_close(f);
    return rc;
}

void st_close(struct st_file *f)
{
    for (int i = 0; i < f->n; i++)
        free(f->tensors[i].name);
    for (int i = 0; i < f->nmeta; i++) {
        free(f->meta[i].key);
        free(f->meta[i].value);
    }
    free(f->tensors);
    free(f->meta);
    map_free(f->index);
    file_unmap(&f->map);
    memset(f, 0, sizeof *f);
}

const struct st_tensor *st_find(const struct st_file *f, const char *name)
{
    int64_t i = map_get(f->index, name, strlen(name), -1);
    return i < 0 ? NULL : &f->tensors[i];
}

const char *st_meta_get(const struct st_file *f, const char *key)
{
    for (int i = 0; i < f->nmeta; i++)
        if (strcmp(f->meta[i].key, key) == 0)
            return f->meta[i].value;
    return NULL;
}

int st_join_scales(struct st_file *f)
{
    char name[128];
    int kept = 0, rc = 0;
    bool *gone = calloc((size_t)f->n + 1, sizeof *gone);
    if (!gone)
        return FAIL(EMEMORY_, "out of memory");
    for (int i = 0; i < f->n; i++) {
        struct st_tensor *t = &f->tensors[i];
        if (t->type != ST_I8 || !t->ndim || !t->count || strlen(t->name) + sizeof ".scale" > sizeof name)
            continue;
        snprintf(name, sizeof name, "%s.scale", t->name);
        const struct st_tensor *s = st_find(f, name);
        if (!s || s->type != ST_F32 || s->ndim != 1 || s->shape[0] != t->shape[0])
            continue;
        t->scale = s->data;
        gone[s - f->tensors] = true;
    }
    map_free(f->index);
    f->index = map_new();
    for (int i = 0; i < f->n; i++) {
        struct st_tensor t = f->tensors[i];
        if (gone[i]) {
            free(t.name);
            continue;
        }
        if (!rc)
            rc = f->index ? map_put(f->index, t.name, strlen(t.name), kept) : FAIL(EMEMORY_, "out of memory");
        f->tensors[kept++] = t;
    }
    f->n = kept;
    free(gone);
    return rc;
}

// Where element i lies, counted in elements from the tensor's first.
static int64_t place(const struct st_tensor *t, int64_t i)
{
    if (!t->strided)
        return i;
    int64_t at = 0;
    for (int d = t->ndim - 1; d >= 0; d--) {
        at += i % t->shape[d] * t->stride[d];
        i /= t->shape[d];
    }
    return at;
}

static double element(const struct st_tensor *t, int64_t i)
{
    int64_t run = t->part ? i / t->part : 0, at = t->part ? i % t->part : place(t, i);
    const unsigned char *p = (run ? t->more[run - 1] : t->data) + at * types[t->type].size;
    uint16_t h;
    uint32_t bits;
    float f;
    double d;
    switch (t->type) {
    case ST_I8:
        memcpy(&f, t->scale + i / (t->count / t->shape[0]) * 4, sizeof f);
        return (double)((float)*(const signed char *)p * f);
    case ST_F64:
        memcpy(&d, p, sizeof d);
        return d;
    case ST_F32:
        memcpy(&f, p, sizeof f);
        return f;
    case ST_F16:
        memcpy(&h, p, sizeof h);
        return half_to_float(h);
    default:   // BF16: the upper half of a float
        memcpy(&h, p, sizeof h);
        bits = (uint32_t)h << 16;
        memcpy(&f, &bits, sizeof f);
        return f;
    }
}

// Elements that lie in order.
static void read_run(enum st_type type, const unsigned char *from, int64_t n, float *out)
{
    if (type == ST_F32) {   // also keeps the bits of a signalling NaN
        memcpy(out, from, (size_t)n * 4);
        return;
    }
    if (type == ST_F16) {
        halves_to_floats(out, from, n);
        return;
    }
    for (int64_t i = 0; i < n; i++) {   // BF16: the upper half of a float
        uint16_t h;
        memcpy(&h, from + 2 * i, sizeof h);
        uint32_t bits = (uint32_t)h << 16;
        memcpy(&out[i], &bits, sizeof bits);
    }
}

void st_read_f32(const struct st_tensor *t, int64_t first, int64_t n, float *out)
{
    if (t->strided || t->type == ST_F64 || t->type == ST_I8) {
        for (int64_t i = 0; i < n; i++)
            out[i] = (float)element(t, first + i);
        return;
    }
    for (int64_t done = 0; done < n;) {   // from run to run
        int64_t run = t->part ? (first + done) / t->part : 0, at = first + done - run * t->part;
        int64_t here = t->part && t->part - at < n - done ? t->part - at : n - done;
        read_run(t->type, (run ? t->more[run - 1] : t->data) + at * types[t->type].size, here, out + done);
        done += here;
    }
}

void st_forget(const struct st_tensor *t, int64_t first, int64_t n)
{
    if (!t->strided && !t->part)
        file_map_forget(t->data + first * types[t->type].size, (size_t)(n * types[t->type].size));
}

void st_read_f64(const struct st_tensor *t, int64_t first, int64_t n, double *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = element(t, first + i);
}

// --- writing -------------------------------------------------------------------------------------------------------

static json_t *entry_json(const struct st_entry *e, int64_t begin, int64_t *end)
{
    json_t *shape = json_array();
    int64_t count = 1;
    for (int d = 0; d < e->ndim; d++) {
        count *= e->shape[d];
        json_array_append_new(shape, json_integer((json_int_t)e->shape[d]));
    }
    *end = begin + count * types[e->type].size;
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", types[e->type].name, "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)*end);
}

static json_t *header_json(const struct st_entry *entries, int n, const struct st_pair *meta, int nmeta)
{
    json_t *header = json_object();
    int bad = 0;
    if (nmeta) {
        json_t *m = json_object();
        for (int i = 0; i < nmeta; i++)
            bad |= json_object_set_new(m, meta[i].key, json_string(meta[i].value));
        bad |= json_object_set_new(header, "__metadata__", m);
    }
    int64_t at = 0;
    for (int i = 0; i < n; i++)
        bad |= json_object_set_new(header, entries[i].name, entry_json(&entries[i], at, &at));
    if (bad) {   // out of memory, or a text that is not UTF-8
        json_decref(header);
        return NULL;
    }
    return header;
}

int st_begin(struct atomic_file *a, const char *path, const struct st_entry *entries, int n, const struct st_pair *meta,
             int nmeta)
{
    json_t *header = header_json(entries, n, meta, nmeta);
    char *text = header ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    if (!text)
        return FAIL(EFORMAT_, "%s: the header could not be made: out of memory, or a metadata text is not UTF-8", path);

    static const char blanks[9] = "        ";
    size_t len = strlen(text), pad = -len & 7;   // the data starts 8-byte aligned
    unsigned char size[8];
    for (int i = 0; i < 8; i++)
        size[i] = (unsigned char)((uint64_t)(len + pad) >> (8 * i));
    int rc = atomic_open(a, path);
    if (!rc) {
        rc = st_add(a, size, 8);
        if (!rc)
            rc = st_add(a, text, (int64_t)len);
        if (!rc)
            rc = st_add(a, blanks, (int64_t)pad);
        if (rc)
            atomic_abort(a);
    }
    free(text);
    return rc;
}

int st_add(struct atomic_file *a, const void *bytes, int64_t n)
{
    if (fwrite(bytes, 1, (size_t)n, a->f) != (size_t)n)
        return FAIL(error_from_errno(errno), "%s: writing failed: %s", a->path, strerror(errno));
    return 0;
}
