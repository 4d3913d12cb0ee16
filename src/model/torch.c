// SPDX-License-Identifier: Apache-2.0
#include "model/torch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/names.h"
#include "model/pickle.h"
#include "model/zip.h"

struct reader {
    struct st_file *f;
    const char *path;
    struct zip zip;
    struct pickle pickle;
    char prefix[256];            // "archive/": the folder that all entries lie in
};

static bool ends_with(const struct zip_entry *e, const char *end)
{
    size_t n = strlen(end);
    return e->name_len >= n && memcmp(e->name + e->name_len - n, end, n) == 0;
}

// The pickle among the entries; sets the prefix.
static int find_pickle(struct reader *r, const struct zip_entry **out)
{
    *out = NULL;
    for (int64_t i = 0; i < r->zip.n && !*out; i++)
        if (ends_with(&r->zip.entries[i], "/data.pkl"))
            *out = &r->zip.entries[i];
    if (!*out || (*out)->name_len >= sizeof r->prefix)
        return FAIL(EFORMAT_, "%s: a zip file without NAME/data.pkl: not a checkpoint saved by torch.save", r->path);
    snprintf(r->prefix, sizeof r->prefix, "%.*s", (int)((*out)->name_len - strlen("data.pkl")), (*out)->name);
    char name[sizeof r->prefix + 16];
    snprintf(name, sizeof name, "%sbyteorder", r->prefix);
    const struct zip_entry *order = zip_find(&r->zip, name);
    if (order && (order->size != 6 || memcmp(order->at, "little", 6) != 0))
        return FAIL(EUNSUPPORTED_, "%s: its numbers are not little-endian; save it on an ordinary machine", r->path);
    return zip_check(*out, r->path);
}

// Where the storage's bytes lie: an entry of exactly the promised size.
static int find_storage(const struct reader *r, const struct pickle_value *s, const char *tensor,
                        const unsigned char **out)
{
    char name[sizeof r->prefix + 64];
    const struct zip_entry *e = NULL;
    if (s->len < 32) {
        snprintf(name, sizeof name, "%sdata/%.*s", r->prefix, (int)s->len, s->text);
        e = zip_find(&r->zip, name);
    }
    if (!e)
        return FAIL(EFORMAT_, "%s: tensor %.80s: its storage %.*s is not in the file", r->path, tensor,
                    (int)(s->len < 32 ? s->len : 32), s->text);
    int64_t bytes;
    if (__builtin_mul_overflow(s->number, (int64_t)st_type_size(s->type), &bytes) || (uint64_t)bytes != e->size)
        return FAIL(EFORMAT_, "%s: tensor %.80s: storage %s has %llu bytes, %lld elements of %s are promised", r->path,
                    tensor, name, (unsigned long long)e->size, (long long)s->number, st_type_name(s->type));
    *out = e->at;
    return 0;
}

// Shape, strides and offset stay inside the storage of `room` elements.
static int check_view(const struct reader *r, const struct pickle_tensor *t, int64_t room, struct st_tensor *out)
{
    int64_t last = t->offset, count = 1, packed = 1;
    bool fits = true;
    for (int d = 0; d < t->ndim; d++) {
        int64_t step;
        fits = fits && !__builtin_mul_overflow(count, t->shape[d], &count);
        if (t->shape[d] > 1)
            fits = fits && !__builtin_mul_overflow(t->shape[d] - 1, t->stride[d], &step) &&
                   !__builtin_add_overflow(last, step, &last);
    }
    if (!fits || count > room || (count ? last >= room : t->offset > room))
        return FAIL(EFORMAT_, "%s: tensor %.80s: its shape and strides reach past its storage of %lld elements",
                    r->path, out->name, (long long)room);
    for (int d = t->ndim - 1; d >= 0; d--) {
        out->shape[d] = t->shape[d];
        out->stride[d] = t->stride[d];
        out->strided |= t->shape[d] > 1 && t->stride[d] != packed;
        packed *= t->shape[d];
    }
    out->strided &= count > 0;
    out->ndim = t->ndim;
    out->count = count;
    return 0;
}

static int add_tensor(struct reader *r, const struct pickle_value *key, const struct pickle_tensor *t)
{
    const struct pickle_value *s = &r->pickle.values[t->storage];
    if (!key->len || key->len > 4096 || memchr(key->text, 0, key->len))
        return FAIL(EFORMAT_, "%s: a tensor without a possible name", r->path);
    struct st_tensor *out = &r->f->tensors[r->f->n];
    if (!(out->name = strndup(key->text, key->len)))
        return FAIL(EMEMORY_, "out of memory");
    r->f->n++;
    const unsigned char *at = NULL;
    int rc = find_storage(r, s, out->name, &at);
    if (!rc)
        rc = check_view(r, t, s->number, out);
    if (rc)
        return rc;
    out->type = s->type;
    out->data = at + t->offset * st_type_size(s->type);
    if (map_get(r->f->index, out->name, key->len, -1) >= 0)
        return FAIL(EFORMAT_, "%s: two tensors named %.80s", r->path, out->name);
    return map_put(r->f->index, out->name, key->len, r->f->n - 1);
}

static int add_tensors(struct reader *r)
{
    const struct pickle *p = &r->pickle;
    static const char *const nests[] = {"state_dict", "model"};   // training loops' files: one within the other at times
    int dict = p->root;
    for (int depth = 0, nested = dict; depth < 4 && nested >= 0; depth++) {   // a dictionary may hold itself
        nested = -1;
        for (int i = 0; i < 2 && nested < 0; i++) {
            nested = pickle_get(p, dict, nests[i]);
            nested = nested >= 0 && p->values[nested].kind == PICKLE_DICT ? nested : -1;
        }
        dict = nested >= 0 ? nested : dict;
    }
    if (p->values[dict].kind != PICKLE_DICT)
        return FAIL(EFORMAT_, "%s: it holds no dictionary of tensors (a whole model? save its state_dict())", r->path);
    r->f->tensors = calloc((size_t)p->values[dict].n + 1, sizeof *r->f->tensors);
    r->f->index = map_new();
    int rc = r->f->tensors && r->f->index ? 0 : FAIL(EMEMORY_, "out of memory");
    for (int c = p->values[dict].first; c >= 0 && !rc; c = p->cells[c].next) {
        const struct pickle_value *key = &p->values[p->cells[c].key], *value = &p->values[p->cells[c].value];
        if (key->kind == PICKLE_TEXT && value->kind == PICKLE_TENSOR)
            rc = add_tensor(r, key, &p->tensors[value->tensor]);
    }
    if (!rc && !r->f->n)
        rc = FAIL(EFORMAT_, "%s: its dictionary holds no tensors", r->path);
    return rc;
}

int torch_open(struct st_file *f, const char *path)
{
    struct reader r = {.f = f, .path = path};
    const struct zip_entry *pickle = NULL;
    memset(f, 0, sizeof *f);
    int rc = file_map(&f->map, path);
    if (rc)
        return rc;
    if ((rc = zip_open(&r.zip, f->map.at, f->map.size, path)))
        goto done;
    if (!(rc = find_pickle(&r, &pickle)) && !(rc = pickle_parse(&r.pickle, pickle->at, pickle->size, path)))
        rc = add_tensors(&r);
    pickle_free(&r.pickle);
    zip_close(&r.zip);
done:
    if (rc)
        st_close(f);
    return rc;
}

// --- either kind ---------------------------------------------------------------------------------------------------

// Take `prefix` off every name that has it; the index follows.
static int strip(struct st_file *f, const char *prefix, const char *path)
{
    size_t n = strlen(prefix);
    int rc = 0;
    map_free(f->index);
    if (!(f->index = map_new()))
        return FAIL(EMEMORY_, "out of memory");
    for (int i = 0; i < f->n && !rc; i++) {
        char *name = f->tensors[i].name;
        if (strncmp(name, prefix, n) == 0 && name[n])
            memmove(name, name + n, strlen(name + n) + 1);
        if (map_get(f->index, name, strlen(name), -1) >= 0)
            rc = FAIL(EFORMAT_, "%s: two tensors are named %.80s once \"%s\" is taken off", path, name, prefix);
        else
            rc = map_put(f->index, name, strlen(name), i);
    }
    return rc;
}

static bool all_begin(const struct st_file *f, const char *prefix)
{
    for (int i = 0; i < f->n; i++)
        if (strncmp(f->tensors[i].name, prefix, strlen(prefix)) != 0)
            return false;
    return f->n > 0;
}

bool weights_name(const char *path)
{
    static const char *const endings[] = {".safetensors", ".pt", ".pth", ".ckpt", ".bin", ".torch", NULL};
    for (int i = 0; endings[i]; i++)
        if (strcmp(path_ext(path), endings[i]) == 0)
            return true;
    return false;
}

int weights_open(struct st_file *f, const char *path)
{
    memset(f, 0, sizeof *f);
    unsigned char first[4] = {0};
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(first, 1, sizeof first, file) : 0;   // a file that cannot be read: st_open says why
    if (file)
        fclose(file);
    if (n == 4 && first[0] == 0x80 && first[1] >= 2 && first[1] <= 5 && first[2] && first[3])
        return FAIL(EUNSUPPORTED_, "%s: PyTorch's form from before version 1.6 (a bare pickle); load it there and save "
                    "the state_dict again", path);
    bool torch = n == 4 && memcmp(first, "PK\3\4", 4) == 0;
    int rc = torch ? torch_open(f, path) : st_open(f, path);
    if (rc)
        return rc;
    if (!torch)
        rc = st_join_scales(f);
    static const char *const wrappers[] = {"module.", "model."};   // DataParallel's, a training loop's
    for (int i = 0; i < 2 && !rc; i++)
        if (all_begin(f, wrappers[i]))
            rc = strip(f, wrappers[i], path);
    if (!rc && st_find(f, "visual.conv1.weight") && st_find(f, "text.ln_final.weight"))
        rc = strip(f, "text.", path);
    if (!rc && names_hugging_face(f))
        rc = names_translate(f, path);
    if (!rc && names_vit(f))
        rc = names_translate_vit(f, path);
    if (rc)
        st_close(f);
    return rc;
}
