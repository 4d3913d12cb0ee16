// SPDX-License-Identifier: Apache-2.0
#include "bench/stages.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/rng.h"
#include "bench/captions.h"
#include "bench/input.h"
#include "bench/rank.h"
#include "model/clip.h"
#include "nn/hn_nce.h"

enum { SEED = 1 };

// `count` normal numbers times `scale`; NO_VIEW: no memory.
static view noise(struct ctx *ctx, int64_t count, double scale)
{
    view v = ctx_alloc(ctx, F32, count);
    struct rng rng = rng_make(SEED, (uint64_t)count);
    float row[256];
    for (int64_t i = 0; v.at && i < count; i += 256) {
        int64_t n = count - i < 256 ? count - i : 256;
        for (int64_t k = 0; k < n; k++)
            row[k] = (float)(scale * rng_normal(&rng));
        ctx_put(ctx, view_at(v, i), row, n);
    }
    return v;
}

// --- a matrix product: a = rows, b = inputs, c = outputs ---------------------------------------------------------------
struct product {
    struct ctx *ctx;
    view x, w, y;
    struct weight *weight;
    int64_t rows;
};

static void product_close(void *state)
{
    struct product *p = state;
    if (!p)
        return;
    ctx_kernels(p->ctx)->weight_free(p->weight);
    ctx_free(p->ctx, p->x);
    ctx_free(p->ctx, p->w);
    ctx_free(p->ctx, p->y);
    free(p);
}

static int product_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop)
{
    struct product *p = *state = calloc(1, sizeof *p);
    if (!p)
        return FAIL(EMEMORY_, "out of memory");
    p->ctx = ctx;
    p->rows = s->a;
    p->x = noise(ctx, s->a * s->b, 1);
    p->w = noise(ctx, s->b * s->c, 1);
    p->y = ctx_alloc(ctx, F32, s->a * s->c);
    p->weight = p->w.at ? ctx_kernels(ctx)->weight_new(ctx, p->w, s->c, s->b) : NULL;
    *work = 1;
    *flop = 2. * (double)s->a * (double)s->b * (double)s->c;
    return p->x.at && p->y.at && p->weight ? 0 : EMEMORY_;
}

static int product_run(void *state)
{
    struct product *p = state;
    ctx_kernels(p->ctx)->linear(p->ctx, p->y, p->x, p->weight, NO_VIEW, p->rows, NULL);
    return 0;
}

// --- towers and training steps: a = batch, b = rows of a text (0: 5 to 30, mean 12) -----------------------------------
struct step {
    struct ctx *ctx;
    struct clip *clip;
    struct tape *tape[2];
    struct hn_nce *loss;
    view images, raw[2], unit[2], norm[2], dunit[2], draw[2];
    struct texts texts;
    int32_t *ids, *starts;
    int64_t n;
    bool image, text, train;
};

static void step_close(void *state)
{
    struct step *s = state;
    if (!s)
        return;
    tape_free(s->tape[0]);
    tape_free(s->tape[1]);
    hn_nce_close(s->loss);
    clip_free(s->clip);
    ctx_free(s->ctx, s->images);
    for (int i = 0; i < 2; i++) {
        ctx_free(s->ctx, s->raw[i]);
        ctx_free(s->ctx, s->unit[i]);
        ctx_free(s->ctx, s->norm[i]);
        ctx_free(s->ctx, s->dunit[i]);
        ctx_free(s->ctx, s->draw[i]);
    }
    free(s->ids);
    free(s->starts);
    free(s);
}

// Lengths as captions have them: many short, few long; 5 + 25 u^2.571 over u in 0 .. 1 has mean 12.
static int64_t length_of(int64_t i, int64_t n, int64_t fixed)
{
    return fixed ? fixed : 5 + (int64_t)lround(25 * pow(((double)i + .5) / (double)n, 2.571));
}

static int make_texts(struct step *s, const struct config *c, int64_t fixed, double *flop)
{
    struct rng rng = rng_make(SEED, 7);
    s->ids = malloc((size_t)(s->n * c->text.context_length) * sizeof *s->ids);
    s->starts = malloc((size_t)(s->n + 1) * sizeof *s->starts);
    if (!s->ids || !s->starts)
        return FAIL(EMEMORY_, "out of memory");
    s->starts[0] = 0;
    for (int64_t i = 0; i < s->n; i++) {
        int64_t len = length_of((int64_t)permute(SEED, (uint64_t)s->n, (uint64_t)i), s->n, fixed), at = s->starts[i];
        for (int64_t k = 0; k < len; k++)
            s->ids[at + k] = (int32_t)rng_below(&rng, (uint64_t)c->text.vocab_size - 2);
        s->ids[at + len - 1] = c->text.vocab_size - 1;
        s->starts[i + 1] = (int32_t)(at + len);
        *flop += config_text_flop(c, (double)len, (double)(len * len));
    }
    s->texts = (struct texts){.n = s->n, .ids = s->ids, .starts = s->starts};
    return 0;
}

static int step_make(void **state, struct ctx *ctx, const struct stage *stage, double *work, double *flop, bool image,
                     bool text, bool train)
{
    struct config c;
    struct step *s = *state = calloc(1, sizeof *s);
    if (!s)
        return FAIL(EMEMORY_, "out of memory");
    *s = (struct step){.ctx = ctx, .n = stage->a, .image = image, .text = text, .train = train};
    int rc = config_named(&c, stage->model);
    if (!rc)
        rc = clip_new(&s->clip, ctx, &c, SEED);
    if (rc)
        return rc;
    int64_t n = s->n, e = c.embed_dim, side = c.vision.image_size;
    *work = (double)n;
    *flop = 0;
    if (image) {
        *flop += (double)n * config_image_flop(&c);
        s->images = noise(ctx, n * 3 * side * side, 1);
        rc = s->images.at ? 0 : EMEMORY_;
    }
    if (!rc && text)
        rc = make_texts(s, &c, stage->b, flop);
    for (int i = 0; i < 2 && !rc; i++) {
        s->raw[i] = ctx_alloc(ctx, F32, n * e);
        s->unit[i] = ctx_alloc(ctx, F32, n * e);
        s->norm[i] = ctx_alloc(ctx, F32, n);
        s->dunit[i] = ctx_alloc(ctx, F32, n * e);
        s->draw[i] = ctx_alloc(ctx, F32, n * e);
        rc = s->raw[i].at && s->unit[i].at && s->norm[i].at && s->dunit[i].at && s->draw[i].at ? 0 : EMEMORY_;
    }
    if (rc || !train)
        return rc;
    *flop *= 3;   // the backward pass computes twice the forward's products
    rc = clip_train_begin(s->clip);
    if (!rc)
        rc = tape_new(&s->tape[0], s->clip, TOWER_IMAGE, n, 0);
    if (!rc)
        rc = tape_new(&s->tape[1], s->clip, TOWER_TEXT, n, s->starts[n]);
    return rc ? rc : hn_nce_open(&s->loss, ctx, n);
}

static int image_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop)
{
    return step_make(state, ctx, s, work, flop, true, false, false);
}

static int text_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop)
{
    return step_make(state, ctx, s, work, flop, false, true, false);
}

static int train_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop)
{
    return step_make(state, ctx, s, work, flop, true, true, true);
}

static int step_run(void *state)
{
    struct step *s = state;
    int64_t e = clip_config(s->clip)->embed_dim;
    int rc = s->image ? clip_encode_images(s->clip, s->images, s->n, s->raw[0], s->tape[0]) : 0;
    if (!rc && s->text)
        rc = clip_encode_texts(s->clip, &s->texts, s->raw[1], s->tape[1]);
    if (rc || !s->train)
        return rc;
    struct hn_options ho = {1, .25, clip_logit_scale(s->clip), false};
    struct hn_result r;
    clip_zero_grad(s->clip);
    for (int i = 0; i < 2; i++)
        clip_unit(s->clip, s->unit[i], s->norm[i], s->raw[i], s->n);
    rc = hn_nce_run(s->loss, s->unit[0], s->unit[1], s->n, e, &ho, 1. / (double)s->n, s->dunit[0], s->dunit[1], &r);
    if (rc)
        return rc;
    clip_add_logit_scale_grad(s->clip, r.dlogit_scale);
    for (int i = 0; i < 2; i++)
        clip_unit_backward(s->clip, s->draw[i], s->dunit[i], s->unit[i], s->norm[i], s->n);
    rc = clip_backward_images(s->clip, s->tape[0], s->draw[0]);
    if (!rc)
        rc = clip_backward_texts(s->clip, s->tape[1], s->draw[1]);
    if (!rc)
        clip_step(s->clip, &(struct step_options){.lr = 1e-5, .beta1 = .9, .beta2 = .98, .eps = 1e-6, .weight_decay = .2,
                                                  .max_logit_scale = log(100)});
    return rc;
}

// --- the loss alone, forward and backward: a = pairs, b = width ---------------------------------------------------------
struct loss {
    struct ctx *ctx;
    struct hn_nce *h;
    view x, t, dx, dt;
    int64_t n, d;
};

static void loss_close(void *state)
{
    struct loss *l = state;
    if (!l)
        return;
    hn_nce_close(l->h);
    ctx_free(l->ctx, l->x);
    ctx_free(l->ctx, l->t);
    ctx_free(l->ctx, l->dx);
    ctx_free(l->ctx, l->dt);
    free(l);
}

static int loss_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop)
{
    struct loss *l = *state = calloc(1, sizeof *l);
    if (!l)
        return FAIL(EMEMORY_, "out of memory");
    *l = (struct loss){.ctx = ctx, .n = s->a, .d = s->b};
    l->x = noise(ctx, s->a * s->b, 1);
    l->t = noise(ctx, s->a * s->b, 1.5);
    l->dx = ctx_alloc(ctx, F32, s->a * s->b);
    l->dt = ctx_alloc(ctx, F32, s->a * s->b);
    if (!l->x.at || !l->t.at || !l->dx.at || !l->dt.at)
        return EMEMORY_;
    ctx_kernels(ctx)->l2norm(ctx, l->x, NO_VIEW, l->x, l->n, l->d, 1e-12);
    ctx_kernels(ctx)->l2norm(ctx, l->t, NO_VIEW, l->t, l->n, l->d, 1e-12);
    *work = 1;
    *flop = 8. * (double)s->a * (double)s->a * (double)s->b;   // two products forward-shaped, two of the gradient
    return hn_nce_open(&l->h, ctx, s->a);
}

static int loss_run(void *state)
{
    struct loss *l = state;
    struct hn_options o = {1, .25, log(1 / .07), false};
    struct hn_result r;
    return hn_nce_run(l->h, l->x, l->t, l->n, l->d, &o, 1. / (double)l->n, l->dx, l->dt, &r);
}

#define PRODUCT product_open, product_run, product_close
#define IMAGE image_open, step_run, step_close
#define TEXT text_open, step_run, step_close
#define TRAIN train_open, step_run, step_close
#define LOSS loss_open, loss_run, loss_close
#define RANK rank_open, rank_run, rank_close
#define PICTURES pictures_open, pictures_run, pictures_close
#define SPOT signs_open, signs_run, signs_close
#define CAPTIONS captions_open, captions_run, captions_close
#define FILTER captions_filter_open, captions_filter_run, captions_filter_close
#define TAG captions_tag_open, captions_tag_run, captions_filter_close

const struct stage stages[] = {
    {"gemm_fp32_1600x768x3072", "GFLOP/s", false, PRODUCT, NULL, 1600, 768, 3072},
    {"gemm_fp32_1600x3072x768", "GFLOP/s", false, PRODUCT, NULL, 1600, 3072, 768},
    {"gemm_fp32_577x1024x4096", "GFLOP/s", false, PRODUCT, NULL, 577, 1024, 4096},
    {"gemm_fp32_50x768x3072", "GFLOP/s", false, PRODUCT, NULL, 50, 768, 3072},
    {"gemm_fp32_8192x192x768", "GFLOP/s", false, PRODUCT, NULL, 8192, 192, 768},
    {"gemm_bf16_1600x768x3072", "GFLOP/s", false, PRODUCT, NULL, 1600, 768, 3072, BF16},
    {"gemm_int8_1600x768x3072", "GFLOP/s", false, PRODUCT, NULL, 1600, 768, 3072, S8},
    {"encode_image_vitb32_fp32", "images/s", false, IMAGE, "diht_vitb32_224px", 32},
    {"encode_image_vitb32_bf16", "images/s", false, IMAGE, "diht_vitb32_224px", 32, .products = BF16},
    {"encode_image_vitb32_int8", "images/s", false, IMAGE, "diht_vitb32_224px", 32, .products = S8},
    {"encode_image_vitl14_336_fp32", "images/s", false, IMAGE, "diht_vitl14_336px", 1},
    {"encode_image_vitl14_336_bf16", "images/s", false, IMAGE, "diht_vitl14_336px", 1, .products = BF16},
    {"encode_image_vitl14_336_int8", "images/s", false, IMAGE, "diht_vitl14_336px", 1, .products = S8},
    {"encode_text_vitb32_fp32", "texts/s", false, TEXT, "diht_vitb32_224px", 256},
    {"encode_text_vitb32_bf16", "texts/s", false, TEXT, "diht_vitb32_224px", 256, .products = BF16},
    {"encode_text_vitb32_int8", "texts/s", false, TEXT, "diht_vitb32_224px", 256, .products = S8},
    {"encode_text_vitb32_77_fp32", "texts/s", false, TEXT, "diht_vitb32_224px", 64, 77},
    {"train_tiny_fp32", "samples/s", false, TRAIN, "tiny", 256, 32},
    {"train_tiny_bf16", "samples/s", false, TRAIN, "tiny", 256, 32, .products = BF16},
    {"train_tiny_packed_fp32", "samples/s", false, TRAIN, "tiny", 256},
    {"train_vitb32_fp32", "samples/s", false, TRAIN, "diht_vitb32_224px", 32},
    {"train_vitb32_bf16", "samples/s", false, TRAIN, "diht_vitb32_224px", 32, .products = BF16},
    {"loss_hnnce_8192", "runs/s", false, LOSS, NULL, 8192, 512},
    {"loss_hnnce_65536", "runs/s", true, LOSS, NULL, 65536, 512},
    {"rank_100k_product", "runs/s", true, rank_open, rank_product_run, rank_close, NULL, 100000, 768, 4608},
    {"rank_100k", "runs/s", true, RANK, NULL, 100000, 768, .of = "rank_100k_product"},
    {"decode_jpeg_640x480", "images/s/core", false, PICTURES, NULL, 640, 480, -1},
    {"preprocess_jpeg_224", "images/s/core", false, PICTURES, NULL, 640, 480},
    {"augment_48", "images/s/core", false, PICTURES, NULL, 72, 72, 48},
    {"spot_640x480", "images/s/core", false, SPOT, NULL, 640, 480},
    {"tokenize", "captions/s/core", false, CAPTIONS, NULL},
    {"filter_text", "captions/s/core", false, FILTER, NULL, 120},
    {"filter_text_short", "captions/s/core", false, FILTER, NULL, 75},
    {"tag_tokens", "tokens/s/core", false, TAG, NULL, 120},
    {NULL},
};
