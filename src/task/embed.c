// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/npy.h"
#include "task/compute.h"
#include "task/encode.h"
#include "task/forecast.h"
#include "task/models.h"
#include "task/task.h"

static int write_rows(const char *dir, const char *name, const float *rows, int64_t n, int64_t d)
{
    char *path = path_join(dir, name);
    int rc = path ? npy_write(path, NPY_F32, 2, (int64_t[]){n, d}, rows) : EMEMORY_;
    free(path);
    return rc;
}

// What a killed run has done is kept as diht eval keeps it, and found again by either.
static int keep_features(struct features_options *f, char **place, char identity[SHA256_HEX], char vocabulary[SHA256_HEX],
                         const diht_embed_options *o, const struct clip *clip, const struct tokenizer *t)
{
    const char *merges = t ? tokenizer_merges(t) : "";
    int rc = features_place(place, o->keep, o->data);
    if (rc || !*place)
        return rc;
    sha256_hex(vocabulary, merges, strlen(merges));
    rc = sha256_file(identity, o->model);
    if (!rc)
        rc = model_identity(identity, identity, clip);
    f->keep = *place;
    f->model_hash = identity;
    f->vocabulary = vocabulary;
    return rc;
}

static int embed_data(const diht_embed_options *o, struct clip *clip, const struct tokenizer *t, const char *precision,
                      int64_t *n, int64_t *m, int64_t *bad, double *rate)
{
    char *place = NULL, identity[SHA256_HEX], vocabulary[SHA256_HEX];
    struct source *s = NULL;
    struct features f = {0};
    struct buf keys = {0};
    bool alone = config_image_only(clip_config(clip));
    int rc = source_open_with(&s, o->data, &(struct source_options){.split = o->split, .images = o->images, .kept = o->kept});
    struct features_options fo = {.prompt = o->prompt, .raw = o->raw, .batch = o->batch, .images_only = alone,
                                  .precision = precision, .loaders = o->loaders ? o->loaders : o->threads};
    if (!rc)
        rc = keep_features(&fo, &place, identity, vocabulary, o, clip, t);
    if (!rc)
        rc = features_encode(&f, clip, t, s, &fo);
    for (int64_t i = 0; i < f.n && !rc; i++) {
        struct sample sample;
        source_sample(s, f.index[i], &sample);
        buf_str(&keys, sample.key);
        buf_char(&keys, '\n');
        rc = keys.failed;
    }
    if (!rc)
        rc = write_rows(o->out, "images.npy", f.images, f.n, f.d);
    if (!rc && !alone)
        rc = write_rows(o->out, "texts.npy", f.texts, f.m, f.d);
    char *path = rc ? NULL : path_join(o->out, "txt2img.npy");
    if (!rc && !alone)
        rc = path ? npy_write(path, NPY_I64, 1, &f.m, f.txt2img) : EMEMORY_;
    free(path);
    path = rc ? NULL : path_join(o->out, "keys.txt");
    if (!rc)
        rc = path ? file_write(path, keys.at, keys.len) : EMEMORY_;
    free(path);
    *n = f.n;
    *m = f.m;
    *rate = f.image_rate;
    *bad = f.bad + (s ? source_excluded(s) : 0);
    buf_free(&keys);
    free(place);
    features_free(&f);
    source_close(s);
    return rc;
}

// Rows of an array pass through in batches; rows are written as they come.
static int embed_array(const diht_embed_options *o, struct clip *clip, const char *path, bool images, int64_t *count)
{
    const struct config *c = clip_config(clip);
    struct ctx *ctx = clip_ctx(clip);
    int64_t side = c->vision.image_size, d = c->embed_dim;
    struct npy a;
    struct atomic_file out = {0};
    struct texts_packed packed = {0};
    view in = NO_VIEW, raw = NO_VIEW, unit = NO_VIEW;
    char what[96], *name = NULL;
    int rc = npy_open(&a, path);
    if (rc)
        return rc;
    npy_describe(&a, what);
    int64_t width = images ? 3 * side * side : a.ndim == 2 ? a.shape[1] : 0;
    if (images && (a.type != NPY_F32 || a.ndim != 4 || a.shape[1] != 3 || a.shape[2] != side || a.shape[3] != side))
        rc = FAIL(EFORMAT_, "%s: float32 [n, 3, %" PRId64 ", %" PRId64 "] expected for this model, %s found", path,
                  side, side, what);
    else if (!images && (a.type != NPY_I64 || a.ndim != 2 || width < 1 || width > c->text.context_length))
        rc = FAIL(EFORMAT_, "%s: int64 [m, %d] expected for this model, %s found", path, c->text.context_length, what);
    float *host = malloc((size_t)(o->batch * (images && width > d ? width : d)) * sizeof *host);
    int64_t *ids = images ? NULL : malloc((size_t)(o->batch * (width ? width : 1)) * sizeof *ids);
    if (!rc) {
        in = images ? ctx_alloc(ctx, F32, o->batch * width) : raw;
        raw = ctx_alloc(ctx, F32, o->batch * d);
        unit = ctx_alloc(ctx, F32, o->batch * d);
        rc = (!images || in.at) && raw.at && unit.at && host && (images || ids)
                 ? 0
                 : FAIL(EMEMORY_, "out of memory: --batch %d", o->batch);
    }
    if (!rc)
        rc = (name = path_join(o->out, images ? "images.npy" : "texts.npy"))
                 ? npy_begin(&out, name, NPY_F32, 2, (int64_t[]){a.shape[0], d})
                 : EMEMORY_;
    if (!rc)
        forecast(clip, images ? a.shape[0] : 0, images ? 0 : a.shape[0]);
    for (int64_t i = 0; !rc && i < a.shape[0]; i += o->batch) {
        int64_t n = a.shape[0] - i < o->batch ? a.shape[0] - i : o->batch;
        if (images) {
            npy_read_f32(&a, i * width, n * width, host);
            ctx_put(ctx, in, host, n * width);
            rc = clip_encode_images(clip, in, n, raw, NULL);
        } else {
            npy_read_i64(&a, i * width, n * width, ids);
            rc = texts_pack(&packed, c, ids, n, width);
            if (rc)
                error_prefix(rc, "%s: ", path);
            else
                rc = clip_encode_texts(clip, &packed.t, raw, NULL);
        }
        if (rc)
            break;
        if (!o->raw)
            clip_unit(clip, unit, NO_VIEW, raw, n);
        ctx_get(ctx, host, o->raw ? raw : unit, n * d);
        fwrite(host, sizeof *host, (size_t)(n * d), out.f);   // a short write shows at the commit
        log_progress("%" PRId64 "/%" PRId64 " rows of %s", i + n, a.shape[0], path);
    }
    if (!rc)
        rc = atomic_commit(&out);
    else if (out.f)
        atomic_abort(&out);
    *count = a.shape[0];
    texts_free(&packed);
    free(host);
    free(ids);
    free(name);
    ctx_free(ctx, in);
    ctx_free(ctx, raw);
    ctx_free(ctx, unit);
    npy_close(&a);
    return rc;
}

static int embed_model(const diht_embed_options *o, char **result)
{
    struct ctx *ctx = NULL;
    struct clip *clip = NULL;
    struct tokenizer *t = NULL;
    int64_t n = 0, m = 0, bad = 0;
    double start = clock_now(), rate = 0;
    const char *precision = NULL;
    stop_clear();
    int rc = 0;
    if (!o->data && !o->images_npy && !o->ids_npy)
        rc = FAIL(EUSAGE_, "nothing to embed: give --data, --images-npy or --ids-npy");
    else if (o->data && (o->images_npy || o->ids_npy))
        rc = FAIL(EUSAGE_, "--data and --images-npy or --ids-npy write the same files: give one or the other");
    else if (o->batch < 1)
        rc = FAIL(EUSAGE_, "--batch %d: 1 or more expected", o->batch);
    if (!rc)
        rc = prompt_check(o->prompt);
    if (!rc)
        rc = compute_open(&ctx, &precision, o->threads, o->precision, false);
    if (!rc)
        rc = model_open(&clip, NULL, ctx, o->model, NULL, &o->as);
    if (!rc && o->data && !config_image_only(clip_config(clip)))
        rc = model_tokenizer(&t, clip, o->model, o->vocab);
    if (!rc && o->ids_npy && config_image_only(clip_config(clip)))
        rc = FAIL(EUSAGE_, "--ids-npy: %s is an image tower alone, it takes no texts", o->model);
    if (!rc)
        rc = dir_make(o->out);
    if (!rc && o->data)
        rc = embed_data(o, clip, t, precision, &n, &m, &bad, &rate);
    if (!rc && o->images_npy)
        rc = embed_array(o, clip, o->images_npy, true, &n);
    if (!rc && o->ids_npy)
        rc = embed_array(o, clip, o->ids_npy, false, &m);
    if (!rc) {
        struct buf b = {0};
        char memory[32];
        double seconds = clock_now() - start;
        format_bytes(memory, (double)memory_peak());
        if (o->json)
            buf_fmt(&b,
                    "{\"images\": %" PRId64 ", \"texts\": %" PRId64 ", \"embed_dim\": %d, \"bad_samples\": %" PRId64
                    ", \"images_per_second\": %.4g, \"seconds\": %.4g, \"peak_bytes\": %" PRId64 "}\n",
                    n, m, clip_config(clip)->embed_dim, bad, rate, seconds, memory_peak());
        else
            buf_fmt(&b,
                    "%" PRId64 " images and %" PRId64 " texts, %d wide, in %s (%.1f s, at most %s of memory); %" PRId64
                    " samples could not be used\n",
                    n, m, clip_config(clip)->embed_dim, o->out, seconds, memory, bad);
        rc = (*result = buf_steal(&b)) ? 0 : EMEMORY_;
    }
    tokenizer_close(t);
    clip_free(clip);
    ctx_close(ctx);
    return rc;
}

int task_embed(const diht_embed_options *o, char **result)
{
    diht_embed_options found = *o;
    char *path;
    int rc = model_find(&path, o->model);
    found.model = path;
    if (!rc)
        rc = embed_model(&found, result);
    free(path);
    return rc;
}
