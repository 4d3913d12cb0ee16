// SPDX-License-Identifier: Apache-2.0
// A model held open: pictures are decoded by all threads, then encoded by all threads, a batch at a time; both keep
// every core busy, so nothing is gained by doing them at once.
#include "task/held.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "task/compute.h"
#include "task/encode.h"
#include "task/input.h"

enum { BATCH = 64, TEXTS = 256, SIZE_MOST = 8192, CONTEXT_MOST = 1 << 16 };

struct diht_tokenizer {
    struct tokenizer *t;
};

struct diht_model {
    struct ctx *ctx;
    struct clip *clip;
    struct diht_tokenizer tokenizer;   // .t opened at its first use: features of pictures need none
    char *path, *vocab;
    const char *precision;
    int64_t max_pixels;
    struct transform transform;
    pthread_mutex_t lock;
    view images, raw, unit;            // [BATCH, 3, S, S], [TEXTS, embed] each
    float *pixels;                     // [BATCH, 3, S, S], made at its first use
};

// --- life ----------------------------------------------------------------------------------------------------------

int held_open(diht_model **out, const diht_model_options *o)
{
    *out = NULL;
    if (!o->path)
        return FAIL(EUSAGE_, "no model was named (path)");
    struct diht_model *m = calloc(1, sizeof *m);
    if (!m)
        return FAIL(EMEMORY_, "out of memory");
    pthread_mutex_init(&m->lock, NULL);
    m->max_pixels = o->max_pixels;
    m->path = strdup(o->path);
    m->vocab = o->vocab ? strdup(o->vocab) : NULL;
    int rc = m->path && (m->vocab || !o->vocab) ? 0 : FAIL(EMEMORY_, "out of memory");
    if (!rc)
        rc = compute_open(&m->ctx, &m->precision, o->threads, o->precision, false);
    if (!rc)
        rc = model_open(&m->clip, NULL, m->ctx, m->path, NULL, &o->as);
    if (!rc && m->vocab)   // what was asked for fails now, not later
        rc = model_tokenizer(&m->tokenizer.t, m->clip, m->path, m->vocab);
    if (!rc) {
        const struct config *c = clip_config(m->clip);
        int64_t side = c->vision.image_size;
        m->transform = (struct transform){.size = (int)side, .filter = (enum image_filter)c->vision.interpolation};
        memcpy(m->transform.mean, c->vision.mean, sizeof m->transform.mean);
        memcpy(m->transform.std, c->vision.std, sizeof m->transform.std);
        m->images = ctx_alloc(m->ctx, F32, BATCH * 3 * side * side);
        m->raw = ctx_alloc(m->ctx, F32, TEXTS * (int64_t)c->embed_dim);
        m->unit = ctx_alloc(m->ctx, F32, TEXTS * (int64_t)c->embed_dim);
        rc = m->images.at && m->raw.at && m->unit.at ? 0 : EMEMORY_;
    }
    if (rc)
        held_close(m);
    else
        *out = m;
    return rc;
}

void held_close(diht_model *m)
{
    if (!m)
        return;
    view all[] = {m->images, m->raw, m->unit};
    for (int i = 0; m->ctx && i < 3; i++)
        ctx_free(m->ctx, all[i]);
    tokenizer_close(m->tokenizer.t);
    clip_free(m->clip);
    ctx_close(m->ctx);
    pthread_mutex_destroy(&m->lock);
    free(m->pixels);
    free(m->path);
    free(m->vocab);
    free(m);
}

void held_describe(const diht_model *m, diht_model_facts *out)
{
    const struct config *c = clip_config(m->clip);
    *out = (diht_model_facts){
        .embed_dim = c->embed_dim, .image_size = c->vision.image_size, .context_length = c->text.context_length,
        .vocab_size = c->text.vocab_size, .parameters = clip_parameters(m->clip),
        .logit_scale = exp(clip_logit_scale(m->clip)), .name = c->name, .precision = m->precision,
    };
    memcpy(out->mean, c->vision.mean, sizeof out->mean);
    memcpy(out->std, c->vision.std, sizeof out->std);
}

int held_tokenizer(diht_model *m, const diht_tokenizer **out)
{
    pthread_mutex_lock(&m->lock);
    int rc = m->tokenizer.t ? 0 : model_tokenizer(&m->tokenizer.t, m->clip, m->path, m->vocab);
    pthread_mutex_unlock(&m->lock);
    *out = rc ? NULL : &m->tokenizer;
    return rc;
}

// --- pictures ------------------------------------------------------------------------------------------------------

struct decode {
    const struct transform *t;
    const diht_picture *pictures;
    int64_t max_pixels, floats;    // floats: of one picture
    float *out;                    // [BATCH, 3, S, S]
    int rc[BATCH];
    char why[BATCH][512];          // a failure's sentence belongs to the worker's thread
};

static int pixels_of(const struct decode *d, const diht_picture *p, float *out)
{
    if (p->path)
        return picture_from_file(d->t, p->path, d->max_pixels, out);
    if (p->bytes)
        return transform_load(d->t, p->bytes, p->size, d->max_pixels, out);
    if (!p->rgb || p->width < 1 || p->height < 1)
        return FAIL(EUSAGE_, "a file, bytes, or pixels [height, width, 3] of at least one row and column expected");
    struct image im = {p->width, p->height, (unsigned char *)p->rgb};   // read only
    return transform_apply(d->t, &im, out);
}

static void decode_one(void *arg, int64_t i, int worker)
{
    struct decode *d = arg;
    d->rc[i] = pixels_of(d, &d->pictures[i], d->out + i * d->floats);
    if (d->rc[i])
        snprintf(d->why[i], sizeof d->why[i], "%s", error_last());
}

// Pictures 0 .. n - 1 of the batch, the first of which is the call's `first`.
static int decode_batch(struct decode *d, struct pool *pool, int64_t n, int64_t first)
{
    pool_run(pool, n, decode_one, d);
    for (int64_t i = 0; i < n; i++)
        if (d->rc[i]) {
            error_adopt(d->rc[i], d->why[i]);
            return d->pictures[i].path ? d->rc[i] : error_prefix(d->rc[i], "picture %" PRId64 ": ", first + i);
        }
    return 0;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

int held_pictures(diht_model *m, const diht_picture *pictures, int64_t n, int size, int threads, float *pixels)
{
    struct transform t = transform_clip;
    if (!m && (size < 1 || size > SIZE_MOST))
        return FAIL(EUSAGE_, "%d pixels a side: 1 to %d expected", size, SIZE_MOST);
    t.size = size;
    struct decode *d = calloc(1, sizeof *d);
    struct pool *own = m || !d ? NULL : pool_new(threads, NULL);
    int rc = d && (m || own) ? 0 : FAIL(EMEMORY_, "out of memory");
    if (m)
        pthread_mutex_lock(&m->lock);
    if (!rc) {
        d->t = m ? &m->transform : &t;
        d->max_pixels = m ? m->max_pixels : 0;
        d->floats = 3 * (int64_t)d->t->size * d->t->size;
    }
    for (int64_t i = 0; i < n && !rc; i += BATCH) {
        d->pictures = pictures + i;
        d->out = pixels + i * d->floats;
        rc = decode_batch(d, m ? ctx_pool(m->ctx) : own, least(BATCH, n - i), i);
    }
    if (m)
        pthread_mutex_unlock(&m->lock);
    pool_free(own);
    free(d);
    return rc;
}

// --- features ------------------------------------------------------------------------------------------------------

// The features in m->raw to the caller, n rows from `first` on.
static void hand_over(diht_model *m, int64_t first, int64_t n, bool raw, float *features)
{
    int64_t d = clip_config(m->clip)->embed_dim;
    if (!raw)
        clip_unit(m->clip, m->unit, NO_VIEW, m->raw, n);
    ctx_get(m->ctx, features + first * d, raw ? m->raw : m->unit, n * d);
}

static int encode_batch(diht_model *m, const float *pixels, int64_t first, int64_t n, bool raw, float *features)
{
    int64_t side = m->transform.size;
    ctx_put(m->ctx, m->images, pixels, n * 3 * side * side);
    int rc = clip_encode_images(m->clip, m->images, n, m->raw, NULL);
    if (!rc)
        hand_over(m, first, n, raw, features);
    return rc;
}

int held_encode_pixels(diht_model *m, const float *pixels, int64_t n, bool raw, float *features)
{
    int64_t side = m->transform.size;
    int rc = 0;
    pthread_mutex_lock(&m->lock);
    for (int64_t i = 0; i < n && !rc; i += BATCH)
        rc = encode_batch(m, pixels + i * 3 * side * side, i, least(BATCH, n - i), raw, features);
    pthread_mutex_unlock(&m->lock);
    return rc;
}

int held_encode_pictures(diht_model *m, const diht_picture *pictures, int64_t n, bool raw, float *features)
{
    int64_t floats = 3 * (int64_t)m->transform.size * m->transform.size;
    struct decode *d = calloc(1, sizeof *d);
    pthread_mutex_lock(&m->lock);
    if (!m->pixels)
        m->pixels = malloc((size_t)(BATCH * floats) * sizeof *m->pixels);
    int rc = d && m->pixels ? 0 : FAIL(EMEMORY_, "out of memory: %d pictures of %d pixels", BATCH, m->transform.size);
    for (int64_t i = 0; i < n && !rc; i += BATCH) {
        int64_t count = least(BATCH, n - i);
        d->t = &m->transform;
        d->pictures = pictures + i;
        d->max_pixels = m->max_pixels;
        d->floats = floats;
        d->out = m->pixels;
        rc = decode_batch(d, ctx_pool(m->ctx), count, i);
        if (!rc)
            rc = encode_batch(m, m->pixels, i, count, raw, features);
    }
    pthread_mutex_unlock(&m->lock);
    free(d);
    return rc;
}

int held_encode_ids(diht_model *m, const int64_t *ids, int64_t n, int64_t width, bool raw, float *features)
{
    struct texts_packed packed = {0};
    int rc = 0;
    if (config_image_only(clip_config(m->clip)))
        return FAIL(EUSAGE_, "%s: an image tower alone, it takes no texts", m->path);
    pthread_mutex_lock(&m->lock);
    for (int64_t i = 0; i < n && !rc; i += TEXTS) {
        int64_t count = least(TEXTS, n - i);
        rc = texts_pack(&packed, clip_config(m->clip), ids + i * width, count, width);
        if (!rc)
            rc = clip_encode_texts(m->clip, &packed.t, m->raw, NULL);
        if (!rc)
            hand_over(m, i, count, raw, features);
    }
    pthread_mutex_unlock(&m->lock);
    texts_free(&packed);
    return rc;
}

int held_encode_texts(diht_model *m, const char *const *texts, const size_t *bytes, int64_t n, bool raw, float *features)
{
    const diht_tokenizer *t;
    int context = clip_config(m->clip)->text.context_length;
    int64_t d = clip_config(m->clip)->embed_dim, *ids = NULL;
    int rc = held_tokenizer(m, &t);
    if (!rc && !(ids = malloc((size_t)(TEXTS * context) * sizeof *ids)))
        rc = FAIL(EMEMORY_, "out of memory");
    for (int64_t i = 0; i < n && !rc; i += TEXTS) {
        int64_t count = least(TEXTS, n - i);
        rc = ids_of(t, texts + i, bytes ? bytes + i : NULL, count, context, ids);
        if (!rc)
            rc = held_encode_ids(m, ids, count, context, raw, features + i * d);
    }
    free(ids);
    return rc;
}

// --- token ids -----------------------------------------------------------------------------------------------------

int ids_open(diht_tokenizer **out, const char *vocab)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return FAIL(EMEMORY_, "out of memory");
    int rc = vocabulary_open(&(*out)->t, vocab, NULL);
    if (rc) {
        free(*out);
        *out = NULL;
    }
    return rc;
}

void ids_close(diht_tokenizer *t)
{
    if (t)
        tokenizer_close(t->t);
    free(t);
}

int ids_of(const diht_tokenizer *t, const char *const *texts, const size_t *bytes, int64_t n, int context, int64_t *ids)
{
    if (context < 2 || context > CONTEXT_MOST)
        return FAIL(EUSAGE_, "%d ids a text: 2 to %d expected", context, CONTEXT_MOST);
    struct token_scratch *s = token_scratch_new();
    int32_t *row = malloc((size_t)context * sizeof *row);
    int rc = s && row ? 0 : FAIL(EMEMORY_, "out of memory");
    for (int64_t i = 0; i < n && !rc; i++) {
        int got = tokenizer_encode(t->t, s, texts[i], bytes ? bytes[i] : strlen(texts[i]), row, context);
        if (got < 0)
            rc = error_prefix(got, "text %" PRId64 ": ", i);
        for (int k = 0; k < context && !rc; k++)
            ids[i * context + k] = k < got ? row[k] : 0;
    }
    token_scratch_free(s);
    free(row);
    return rc;
}
