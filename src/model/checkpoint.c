// SPDX-License-Identifier: Apache-2.0
// Models and training states in safetensors files; models also in PyTorch's.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "model/clip_inner.h"
#include "model/infer.h"
#include "model/positions.h"
#include "model/torch.h"

// Scalars in OpenAI's own files that repeat the configuration.
static const char *const harmless[] = {"input_resolution", "context_length", "vocab_size", "attn_mask"};

enum { CHUNK = 1 << 16 };

// Elements of the file's tensor into `to`, converted.
int checkpoint_read_tensor(struct ctx *ctx, view to, const struct st_tensor *from)
{
    bool wide = to.type == F64;
    void *x = malloc(CHUNK * (wide ? sizeof(double) : sizeof(float)));
    if (!x)
        return FAIL(EMEMORY_, "out of memory");
    for (int64_t at = 0; at < from->count; at += CHUNK) {
        int64_t n = from->count - at < CHUNK ? from->count - at : CHUNK;
        if (wide) {
            st_read_f64(from, at, n, x);
            ctx_put64(ctx, view_at(to, at), x, n);
        } else {
            st_read_f32(from, at, n, x);
            ctx_put(ctx, view_at(to, at), x, n);
        }
    }
    free(x);
    return 0;
}

static int write_tensor(struct atomic_file *a, struct ctx *ctx, view from, int64_t count)
{
    bool wide = from.type == F64;
    void *x = malloc(CHUNK * (wide ? sizeof(double) : sizeof(float)));
    if (!x)
        return FAIL(EMEMORY_, "out of memory");
    int rc = 0;
    for (int64_t at = 0; at < count && !rc; at += CHUNK) {
        int64_t n = count - at < CHUNK ? count - at : CHUNK;
        if (wide)
            ctx_get64(ctx, x, view_at(from, at), n);
        else
            ctx_get(ctx, x, view_at(from, at), n);
        rc = st_add(a, x, n * (int64_t)dtype_size(from.type));
    }
    free(x);
    return rc;
}

// Patches a side where there are so many; 0: they are not a square.
static int64_t side_of(int64_t patches)
{
    int64_t side = patches > 0 && patches < 1 << 21 ? (int64_t)lround(sqrt((double)patches)) : 0;
    return side * side == patches ? side : 0;
}

// Image positions of another grid than ours, with or without a class token as ours.
bool checkpoint_other_grid(const struct tensor *t, const struct st_tensor *f)
{
    if (strcmp(t->name, "visual.positional_embedding") != 0 || f->ndim != 2 || f->shape[1] != t->shape[1] ||
        f->shape[0] == t->shape[0] || !st_readable(f))
        return false;
    return (side_of(t->shape[0]) && side_of(f->shape[0])) || (side_of(t->shape[0] - 1) && side_of(f->shape[0] - 1));
}

// Does the file's tensor fit ours? Sentence if not.
static int check_tensor(const struct tensor *t, const struct st_tensor *f, const char *path)
{
    bool same = f->ndim == t->ndim && st_readable(f);
    for (int d = 0; d < t->ndim && same; d++)
        same = f->shape[d] == t->shape[d];
    if (same)
        return 0;
    char found[128], expected[128];
    st_describe(found, f->type, f->ndim, f->shape);
    st_describe(expected, ST_F32, t->ndim, t->shape);
    return FAIL(EFORMAT_, "%s: tensor %s is %s, this model's configuration needs %s", path, t->name, found, expected);
}

// All tensors of the file are ours and have our shapes, and none is absent (unless `partial`); positions may be of another
// grid when `resized`.
static int check_tensors(const struct params *p, const struct st_file *f, const char *path, bool partial, bool resized)
{
    for (int i = 0; i < p->n; i++) {
        const struct st_tensor *t = st_find(f, p->tensors[i].name);
        if (!t && !partial)
            return FAIL(EMISSING_,
                        "%s: tensor %s is missing (the file has %d tensors, this model's configuration needs %d)",
                        path, p->tensors[i].name, f->n, p->n);
        int rc = t && !(resized && checkpoint_other_grid(&p->tensors[i], t)) ? check_tensor(&p->tensors[i], t, path) : 0;
        if (rc)
            return rc;
    }
    for (int k = 0; k < f->n; k++) {
        bool ours = false;
        for (int i = 0; i < p->n && !ours; i++)
            ours = strcmp(p->tensors[i].name, f->tensors[k].name) == 0;
        for (size_t i = 0; i < sizeof harmless / sizeof *harmless && !ours; i++)
            ours = strcmp(harmless[i], f->tensors[k].name) == 0;
        char text[128];
        st_describe(text, f->tensors[k].type, f->tensors[k].ndim, f->tensors[k].shape);
        if (!ours)
            return FAIL(EFORMAT_,
                        "%s: tensor %.80s %s has no place in a model of this configuration (more layers, or another kind "
                        "of model?)", path, f->tensors[k].name, text);
    }
    return 0;
}

int checkpoint_read_positions(struct ctx *ctx, view to, const struct st_tensor *from, const struct config *c, const char *path)
{
    int64_t first = config_class_token(c), w = c->vision.width, grid = side_of(from->shape[0] - first), wanted = config_grid(c);
    int64_t count = (first + wanted * wanted) * w;
    float *in = malloc((size_t)from->count * sizeof *in), *out = malloc((size_t)count * sizeof *out);
    int rc = in && out ? 0 : FAIL(EMEMORY_, "out of memory");
    if (!rc) {
        st_read_f32(from, 0, from->count, in);
        positions_resize(out, in, first, grid, wanted, w);
        ctx_put(ctx, to, out, count);
        log_info("%s: positions of %lld x %lld patches interpolated (bicubic) to %lld x %lld", path, (long long)grid,
                 (long long)grid, (long long)wanted, (long long)wanted);
    }
    free(in);
    free(out);
    return rc;
}

static int load_tensors(struct clip *c, const struct st_file *f, const char *path)
{
    int rc = 0;
    for (int i = 0; i < c->params.n && !rc; i++) {
        const struct st_tensor *t = st_find(f, c->params.tensors[i].name);
        if (t && checkpoint_other_grid(&c->params.tensors[i], t))
            rc = checkpoint_read_positions(c->ctx, clip_param(c, i), t, &c->config, path);
        else if (t)
            rc = checkpoint_read_tensor(c->ctx, clip_param(c, i), t);
    }
    clip_changed(c);
    return rc;
}

int clip_load(struct clip *c, const char *path, bool partial)
{
    struct st_file f;
    int rc = c->frozen ? FAIL(EUSAGE_, "%s: a model opened for inference alone takes no other weights", path)
                       : weights_open(&f, path);
    if (rc)
        return rc;
    if (!(rc = check_tensors(&c->params, &f, path, partial, c->config.vision.resized)))
        rc = load_tensors(c, &f, path);
    st_close(&f);
    return rc;
}

// The sizes agree with the file before memory for them is taken.
static int check_file(const struct config *config, const struct st_file *f, const char *path)
{
    struct params p;
    int rc = params_build(&p, config);
    if (!rc)
        rc = check_tensors(&p, f, path, false, config->vision.resized);
    params_free(&p);
    return rc;
}

int clip_open(struct clip **out, struct ctx *ctx, const char *path) { return clip_open_as(out, ctx, path, NULL); }

static int open_file(struct clip **out, struct ctx *ctx, const char *path, const struct model_as *as, bool freeze)
{
    *out = NULL;
    struct clip *c = NULL;
    struct st_file f;
    struct config config;
    int rc = weights_open(&f, path);
    if (rc)
        return rc;
    if ((rc = config_of_file(&config, &f, path, as)) || (rc = check_file(&config, &f, path)))
        goto done;
    struct st_meta *meta = f.meta;   // moves
    int nmeta = f.nmeta;
    f.meta = NULL;
    f.nmeta = 0;
    rc = clip_make(&c, ctx, &config, freeze ? &f : NULL, path);
    if (!rc && !freeze)
        rc = load_tensors(c, &f, path);
    f.meta = c ? NULL : meta;
    f.nmeta = c ? 0 : nmeta;
    if (c) {
        c->meta = meta;
        c->nmeta = nmeta;
    }
done:
    if (rc)
        clip_free(c);
    else
        *out = c;
    st_close(&f);
    return rc;
}

int clip_open_as(struct clip **out, struct ctx *ctx, const char *path, const struct model_as *as)
{
    return open_file(out, ctx, path, as, false);
}

int clip_open_frozen(struct clip **out, struct ctx *ctx, const char *path, const struct model_as *as)
{
    return open_file(out, ctx, path, as, ctx_real(ctx) == F32);
}

// --- writing -------------------------------------------------------------------------------------------------------

static enum st_type file_type(const struct clip *c) { return ctx_real(c->ctx) == F64 ? ST_F64 : ST_F32; }

// Metadata: ours first, then the caller's. Fresh array, texts borrowed.
static struct st_pair *pairs(const char *key, const char *value, const struct meta *meta, int nmeta)
{
    struct st_pair *p = calloc((size_t)nmeta + 1, sizeof *p);
    if (!p) {
        (void)FAIL(EMEMORY_, "out of memory");
        return NULL;
    }
    p[0] = (struct st_pair){key, value};
    for (int i = 0; i < nmeta; i++)
        p[i + 1] = (struct st_pair){meta[i].key, meta[i].value};
    return p;
}

// One file of all tensors from each of the arenas, named prefix + tensor.
static int save(const struct clip *c, const char *path, const view *arenas, const char *const *prefixes, int narenas,
                const struct st_pair *meta, int nmeta)
{
    int n = c->params.n * narenas, rc = 0;
    struct st_entry *entries = calloc((size_t)n, sizeof *entries);
    char (*names)[96] = calloc((size_t)n, sizeof *names);
    struct atomic_file file = {0};
    if (!entries || !names) {
        rc = FAIL(EMEMORY_, "out of memory");
        goto done;
    }
    for (int i = 0; i < n; i++) {
        const struct tensor *t = &c->params.tensors[i % c->params.n];
        snprintf(names[i], sizeof names[i], "%s%s", prefixes[i / c->params.n], t->name);
        entries[i] = (struct st_entry){names[i], file_type(c), t->ndim, t->shape};
    }
    if ((rc = st_begin(&file, path, entries, n, meta, nmeta)))
        goto done;
    for (int i = 0; i < n && !rc; i++) {
        const struct tensor *t = &c->params.tensors[i % c->params.n];
        rc = write_tensor(&file, c->ctx, view_at(arenas[i / c->params.n], t->at), t->count);
    }
    if (rc)
        atomic_abort(&file);
    else
        rc = atomic_commit(&file);
done:
    free(entries);
    free(names);
    return rc;
}

int clip_save(const struct clip *c, const char *path, const struct meta *meta, int nmeta)
{
    if (c->frozen)
        return FAIL(EUSAGE_, "%s: a model opened for inference alone is not written: convert its file", path);
    char *config = config_json(&c->config);
    struct st_pair *all = config ? pairs("diht.config", config, meta, nmeta) : NULL;
    int rc = all ? save(c, path, &c->w, (const char *const[]){""}, 1, all, nmeta + 1) : EMEMORY_;
    free(all);
    free(config);
    return rc;
}

static const char *const moments[] = {"adam.m.", "adam.v."};

int clip_save_state(const struct clip *c, const char *path, const struct meta *meta, int nmeta)
{
    if (!c->m.at)
        return FAIL(EUSAGE_, "%s: no training state to save", path);
    char steps[32];
    snprintf(steps, sizeof steps, "%lld", (long long)c->steps);
    struct st_pair *all = pairs("diht.steps", steps, meta, nmeta);
    int rc = all ? save(c, path, (view[]){c->m, c->v}, moments, 2, all, nmeta + 1) : EMEMORY_;
    free(all);
    return rc;
}

static int find_moment(const struct clip *c, const struct st_file *f, const char *path, int arena, int i,
                       const struct st_tensor **out)
{
    const struct tensor *t = &c->params.tensors[i];
    char name[96];
    snprintf(name, sizeof name, "%s%s", moments[arena], t->name);
    *out = st_find(f, name);
    if (!*out)
        return FAIL(EMISSING_, "%s: tensor %s is missing: not the training state of this model", path, name);
    return check_tensor(t, *out, path);
}

int clip_load_state(struct clip *c, const char *path, void (*want)(void *user, const char *key, const char *value),
                    void *user)
{
    if (!c->m.at)
        return FAIL(EUSAGE_, "%s: a training state is loaded after clip_train_begin", path);
    struct st_file f;
    int rc = st_open(&f, path);
    if (rc)
        return rc;
    const struct st_tensor *t;
    const char *steps = st_meta_get(&f, "diht.steps");
    char *end = NULL;
    long long count = steps ? strtoll(steps, &end, 10) : -1;
    if (count < 0 || *end) {
        rc = FAIL(EFORMAT_, "%s: not a training state: its metadata lacks diht.steps", path);
        goto done;
    }
    for (int i = 0; i < 2 * c->params.n && !rc; i++)   // all of it is right before any of it is used
        rc = find_moment(c, &f, path, i % 2, i / 2, &t);
    for (int i = 0; i < 2 * c->params.n && !rc; i++)
        if (!(rc = find_moment(c, &f, path, i % 2, i / 2, &t)))
            rc = checkpoint_read_tensor(c->ctx, view_at(i % 2 ? c->v : c->m, c->params.tensors[i / 2].at), t);
    if (rc)
        goto done;
    c->steps = count;
    for (int i = 0; i < f.nmeta && want; i++)
        want(user, f.meta[i].key, f.meta[i].value);
done:
    st_close(&f);
    return rc;
}
