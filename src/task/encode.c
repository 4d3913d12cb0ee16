// SPDX-License-Identifier: Apache-2.0
#include "task/encode_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "data/loader.h"
#include "task/forecast.h"

struct model_as model_as(const diht_model_as *as)
{
    return (struct model_as){as->config, as->head_width, as->text_head_width, as->activation, as->image_size};
}

int model_identity(char out[SHA256_HEX], const char file_hash[SHA256_HEX], const struct clip *clip)
{
    char *config = config_json(clip_config(clip));
    struct buf both = {0};
    buf_fmt(&both, "%s %s", file_hash, config ? config : "");
    int rc = config ? both.failed : EMEMORY_;
    if (!rc)
        sha256_hex(out, both.at, both.len);
    buf_free(&both);
    free(config);
    return rc;
}

int model_open(struct clip **clip, struct tokenizer **tokenizer, struct ctx *ctx, const char *path, const char *vocab,
               const diht_model_as *as)
{
    struct model_as said = model_as(as);
    int rc = clip_open_frozen(clip, ctx, path, &said);
    return rc || !tokenizer ? rc : model_tokenizer(tokenizer, *clip, path, vocab);
}

int model_tokenizer(struct tokenizer **out, const struct clip *clip, const char *path, const char *vocab)
{
    enum { CLIP_VOCABULARY = 49408 };
    if (config_image_only(clip_config(clip)))
        return FAIL(EUSAGE_, "%s: an image tower alone; this needs a model of images and texts", path);
    const char *merges = clip_meta(clip, "diht.merges");
    int rows = clip_config(clip)->text.vocab_size, rc;
    if (vocab)
        rc = tokenizer_open(out, vocab);
    else if (merges)
        rc = tokenizer_parse(out, merges, strlen(merges), path);
    else if (rows == CLIP_VOCABULARY)
        rc = tokenizer_open_installed(out);
    else
        rc = FAIL(EMISSING_, "%s: no vocabulary inside (diht.merges): give its merges file as --vocab", path);
    if (!rc && tokenizer_vocab(*out) != rows) {
        rc = FAIL(EFORMAT_, "%s: its token embedding has %d rows, the vocabulary%s%s %d token ids", path, rows,
                  vocab ? " of " : "", vocab ? vocab : "", tokenizer_vocab(*out));
        tokenizer_close(*out);
        *out = NULL;
    }
    return rc;
}

void features_take(struct clip *clip, view raw, view unit, int64_t n, bool keep_raw, float *to)
{
    struct ctx *ctx = clip_ctx(clip);
    if (!keep_raw)
        clip_unit(clip, unit, NO_VIEW, raw, n);
    ctx_get(ctx, to, keep_raw ? raw : unit, n * clip_config(clip)->embed_dim);
}

// What was kept of an earlier run, whole batches only; *done: how many samples it covers.
static int take_kept(struct features *f, struct feature_file *file, int batch, int64_t n, int64_t *done)
{
    int64_t rows = feature_file_rows(file);
    rows = rows < n ? rows / batch * batch : rows;
    int rc = feature_file_cut(file, rows);
    for (int64_t i = 0; i < rows && !rc; i++) {
        bool good;
        rc = feature_file_read(file, i, &good, f->images + f->n * f->d);
        if (!rc && good)
            f->index[f->n++] = i;
    }
    *done = rows;
    return rc ? rc : feature_file_cut(file, rows);
}

// Rows of samples [from, to): those of the batch are good, the others could not be used.
static int keep_batch(struct feature_file *file, const struct batch *b, int64_t from, int64_t to, const float *rows,
                      int64_t d)
{
    int rc = 0;
    for (int64_t i = from, k = 0; i < to && !rc; i++) {
        bool good = k < b->n && b->index[k] == i;
        rc = feature_file_add(file, good, rows + k * d);
        k += good;
    }
    return rc ? rc : feature_file_flush(file);
}

static int encode_images(struct features *f, struct clip *clip, const struct source *s,
                         const struct features_options *o, struct feature_file *file)
{
    const struct config *c = clip_config(clip);
    struct ctx *ctx = clip_ctx(clip);
    int64_t side = c->vision.image_size, pixels = 3 * side * side, count = source_count(s), done;
    struct loader *loader = NULL;
    struct loader_options lo = {.source = s, .mode = LOADER_SEQUENTIAL, .batch = o->batch, .threads = o->loaders,
                                .transform = {.size = (int)side, .filter = (enum image_filter)c->vision.interpolation}};
    memcpy(lo.transform.mean, c->vision.mean, sizeof lo.transform.mean);
    memcpy(lo.transform.std, c->vision.std, sizeof lo.transform.std);
    int rc = take_kept(f, file, o->batch, count, &done);
    if (rc || done == count)
        return rc ? rc : o->each ? o->each(o->user, f) : 0;
    if (done)
        log_info("%" PRId64 " of %" PRId64 " pictures are done already: going on", done, count);
    view images = ctx_alloc(ctx, F32, o->batch * pixels), raw = ctx_alloc(ctx, F32, o->batch * f->d),
         unit = ctx_alloc(ctx, F32, o->batch * f->d);
    rc = images.at && raw.at && unit.at ? loader_open(&loader, &lo) : EMEMORY_;
    if (!rc && done)
        rc = loader_seek(loader, done / o->batch);
    const struct batch *b;
    int64_t before = done;
    double start = clock_now();
    while (!rc && (rc = loader_next(loader, &b)) > 0) {
        rc = 0;
        if (b->n > 0) {
            ctx_put(ctx, images, b->images, b->n * pixels);
            rc = clip_encode_images(clip, images, b->n, raw, NULL);
        }
        if (rc)
            break;
        float *rows = f->images + f->n * f->d;
        if (b->n > 0)
            features_take(clip, raw, unit, b->n, o->raw, rows);
        memcpy(f->index + f->n, b->index, (size_t)b->n * sizeof *f->index);
        f->n += b->n;
        int64_t to = done + o->batch < count ? done + o->batch : count;
        rc = keep_batch(file, b, done, to, rows, f->d);
        done = to;
        if (!rc && o->each)
            rc = o->each(o->user, f);
        f->image_rate = (double)(done - before) / (clock_now() - start);
        char left[32];
        format_seconds(left, (double)(count - done) / f->image_rate);
        log_progress("%" PRId64 "/%" PRId64 " pictures  %.0f a second  %s left", done, count, f->image_rate, left);
        if (!rc && stop_requested())
            rc = FAIL(ESTOPPED_, "stopped after %" PRId64 " of %" PRId64 " pictures; %s", done, count,
                      file ? "the same command goes on from there" : "nothing was written");
    }
    loader_close(loader);
    ctx_free(ctx, images);
    ctx_free(ctx, raw);
    ctx_free(ctx, unit);
    return rc;
}

// The texts of the images that are there, in their order.
static void select_texts(struct features *f)
{
    int64_t m = 0;
    for (int64_t i = 0; i < f->n; i++)
        for (int64_t k = f->first_text[f->index[i]]; k < f->first_text[f->index[i] + 1]; k++) {
            memmove(f->texts + m * f->d, f->texts + k * f->d, (size_t)f->d * sizeof *f->texts);
            f->txt2img[m++] = i;
        }
    f->m = m;
}

// What rows depend on, as a hash: the samples, and for texts the prompt and the vocabulary.
static int hash_samples(char out[SHA256_HEX], const struct source *s, const struct features_options *o, bool images)
{
    struct sha256 *h = sha256_new();
    struct buf line = {0};
    if (!h)
        return FAIL(EMEMORY_, "out of memory");
    if (!images) {
        sha256_add(h, o->prompt ? o->prompt : "{}", strlen(o->prompt ? o->prompt : "{}") + 1);
        sha256_add(h, o->vocabulary, strlen(o->vocabulary) + 1);
    }
    for (int64_t i = 0; i < source_count(s); i++) {
        struct sample x;
        source_sample(s, i, &x);
        buf_clear(&line);
        if (images)
            source_identity(s, i, &line);
        for (int k = 0; k < x.caption_count && !images; k++)
            buf_fmt(&line, "%s%c", x.captions[k], k + 1 < x.caption_count ? 1 : 2);
        sha256_add(h, line.at, line.len);
    }
    sha256_end(h, out);
    int rc = line.failed;
    buf_free(&line);
    return rc;
}

static int open_kept(struct feature_file **out, const struct source *s, const struct features_options *o, bool images,
                     int64_t d, int64_t n)
{
    char hash[SHA256_HEX], name[64], what[192];
    *out = NULL;
    if (!o->keep)
        return 0;
    int rc = hash_samples(hash, s, o, images);
    if (rc)
        return rc;
    const char *precision = o->precision ? o->precision : "fp32", *kind = images ? "images" : "texts";
    snprintf(name, sizeof name, "%.16s-%.16s-%.8s.%s%s", o->model_hash, hash, precision, o->raw ? "raw-" : "", kind);
    snprintf(what, sizeof what, "%s%s of model %s, samples %s, %.8s", o->raw ? "raw " : "", kind, o->model_hash, hash,
             precision);
    return feature_file_open(out, o->keep, name, what, d, n);
}

int features_place(char **out, const char *keep, const char *data)
{
    struct buf b = {0};
    size_t n = strlen(data);
    *out = NULL;
    if (keep && strcmp(keep, "none") == 0)
        return 0;
    while (n > 1 && data[n - 1] == '/')
        n--;
    if (keep) {
        buf_str(&b, keep);
    } else {
        buf_fmt(&b, "%.*s/catalog-0000.sqlite", (int)n, data);
        bool ours = b.at && file_exists(b.at);
        buf_clear(&b);
        buf_fmt(&b, "%.*s%s", (int)n, data, ours ? "/features" : ".features");
    }
    return (*out = buf_steal(&b)) ? 0 : FAIL(EMEMORY_, "out of memory");
}

int features_encode(struct features *f, struct clip *clip, const struct tokenizer *t, const struct source *s,
                    const struct features_options *o)
{
    memset(f, 0, sizeof *f);
    if (o->batch < 1)
        return FAIL(EUSAGE_, "--batch %d: 1 or more expected", o->batch);
    int rc = prompt_check(o->prompt);
    if (rc)
        return rc;
    struct feature_file *images = NULL, *texts = NULL;
    int64_t n = source_count(s);
    f->d = clip_config(clip)->embed_dim;
    f->first_text = malloc((size_t)(n + 1) * sizeof *f->first_text);
    for (int64_t i = 0; i < n && f->first_text; i++) {
        struct sample sample;
        source_sample(s, i, &sample);
        f->first_text[i] = f->m;
        f->m += o->images_only ? 0 : sample.caption_count;
    }
    if (f->first_text)
        f->first_text[n] = f->m;
    f->images = malloc((size_t)(n * f->d) * sizeof *f->images);
    f->texts = malloc((size_t)(f->m * f->d + 1) * sizeof *f->texts);
    f->txt2img = malloc((size_t)(f->m + 1) * sizeof *f->txt2img);
    f->index = malloc((size_t)n * sizeof *f->index);
    if (!f->images || !f->texts || !f->txt2img || !f->index || !f->first_text)
        rc = FAIL(EMEMORY_, "out of memory: features of %" PRId64 " pictures and %" PRId64 " captions", n, f->m);
    if (!rc)
        forecast(clip, n, f->m);
    if (!rc && !o->images_only)
        rc = open_kept(&texts, s, o, false, f->d, f->m);
    if (!rc && !o->images_only)
        rc = encode_texts(f, clip, t, s, o, texts);
    if (!rc)
        rc = open_kept(&images, s, o, true, f->d, n);
    if (!rc)
        rc = encode_images(f, clip, s, o, images);
    if (!rc && f->n == 0)
        rc = FAIL(EFORMAT_, "%s: none of the %" PRId64 " pictures could be used, for the reasons told above; --images DIR says "
                             "where a list's pictures lie", source_path(s), n);
    f->bad = n - f->n;
    if (!rc)
        select_texts(f);
    feature_file_close(images);
    feature_file_close(texts);
    if (rc)
        features_free(f);
    return rc;
}

void features_keep(struct features *f, const struct source *s,
                   bool (*keep)(const void *user, const struct sample *sample), const void *user)
{
    int64_t n = 0, m = 0, text = 0;
    for (int64_t i = 0; i < f->n; i++) {
        struct sample sample;
        source_sample(s, f->index[i], &sample);
        bool kept = keep(user, &sample);
        for (; text < f->m && f->txt2img[text] == i; text++)   // texts lie in the order of their images
            if (kept) {
                memmove(f->texts + m * f->d, f->texts + text * f->d, (size_t)f->d * sizeof *f->texts);
                f->txt2img[m++] = n;
            }
        if (kept) {
            memmove(f->images + n * f->d, f->images + i * f->d, (size_t)f->d * sizeof *f->images);
            f->index[n++] = f->index[i];
        }
    }
    f->n = n;
    f->m = m;
}

void features_free(struct features *f)
{
    free(f->images);
    free(f->texts);
    free(f->txt2img);
    free(f->index);
    free(f->first_text);
    memset(f, 0, sizeof *f);
}
