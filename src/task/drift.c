// SPDX-License-Identifier: Apache-2.0
// The same samples through the same model in every precision: how far do the features turn, what becomes of R@1?
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "task/compute.h"
#include "task/encode.h"
#include "task/recall.h"
#include "task/models.h"
#include "task/task.h"

struct turn { double mean, worst; };   // cosine to fp32's features

struct drift {
    const char *precision;
    struct turn images, texts;
    double i2t, t2i;        // R@1
};

enum { MOST = 8 };

static struct turn turn_of(const float *a, const float *b, int64_t n, int64_t d)
{
    struct turn t = {0, 1};
    for (int64_t i = 0; i < n; i++) {
        double ab = 0, aa = 0, bb = 0;
        for (int64_t k = 0; k < d; k++) {
            ab += (double)a[i * d + k] * b[i * d + k];
            aa += (double)a[i * d + k] * a[i * d + k];
            bb += (double)b[i * d + k] * b[i * d + k];
        }
        double cosine = ab / sqrt(aa * bb);   // of unit rows, but their floats' lengths are off by some 1e-7
        t.mean += cosine / (double)n;
        t.worst = fmin(t.worst, cosine);
    }
    return t;
}

// Features in one precision; `f` is theirs to free.
static int encode(const diht_drift_options *o, const struct precision *p, struct features *f, struct drift *d)
{
    struct ctx *ctx = NULL;
    struct clip *clip = NULL;
    struct tokenizer *t = NULL;
    struct source *s = NULL;
    struct recall_result r = {0};
    int rc = ctx_open(&ctx, F32, o->threads, NULL);
    bool there = !rc && ctx_products(ctx, p->type);
    if (!rc && !there)
        log_info("%s: this processor has no instructions for it", p->name);
    if (there)
        rc = source_open_with(&s, o->data, &(struct source_options){.split = o->split, .images = o->images, .last = o->rows});
    if (there && !rc)
        rc = model_open(&clip, &t, ctx, o->model, o->vocab, &o->as);
    if (there && !rc)
        rc = features_encode(f, clip, t, s, &(struct features_options){.prompt = o->prompt, .batch = o->batch,
                                             .loaders = o->loaders ? o->loaders : o->threads});
    if (there && !rc) {
        struct recall_input in = {.images = f->images, .texts = f->texts, .n = f->n, .m = f->m, .d = f->d, .txt2img = f->txt2img};
        rc = recall_measure(&r, ctx, &in);
    }
    if (there && !rc)
        *d = (struct drift){.precision = p->name, .i2t = r.rule[TIES_EXPECTED].i2t.r1, .t2i = r.rule[TIES_EXPECTED].t2i.r1};
    recall_free(&r);
    tokenizer_close(t);
    clip_free(clip);
    source_close(s);
    ctx_close(ctx);
    return rc;
}

static void json(struct buf *b, const struct drift *d, int n, int64_t images, int64_t texts)
{
    buf_fmt(b, "{\"images\": %" PRId64 ", \"texts\": %" PRId64 ", \"precisions\": {", images, texts);
    for (int i = 0; i < n; i++)
        buf_fmt(b,
                "%s\"%s\": {\"image_cosine_mean\": %.8f, \"image_cosine_worst\": %.8f, \"text_cosine_mean\": %.8f, "
                "\"text_cosine_worst\": %.8f, \"i2t_r1\": %.4f, \"t2i_r1\": %.4f}",
                i ? ", " : "", d[i].precision, d[i].images.mean, d[i].images.worst, d[i].texts.mean, d[i].texts.worst,
                100 * d[i].i2t, 100 * d[i].t2i);
    buf_str(b, "}}\n");
}

static void table(struct buf *b, const struct drift *d, int n, int64_t images, int64_t texts)
{
    buf_fmt(b, "%" PRId64 " images, %" PRId64 " captions; cosine of the features to fp32's, R@1 in percent\n\n", images, texts);
    buf_str(b, "          image cosine         text cosine             R@1\n");
    buf_str(b, "          mean      worst      mean      worst       i2t     t2i\n");
    for (int i = 0; i < n; i++)
        buf_fmt(b, "%-9s %.6f  %.6f   %.6f  %.6f   %6.2f  %6.2f\n", d[i].precision, d[i].images.mean, d[i].images.worst,
                d[i].texts.mean, d[i].texts.worst, 100 * d[i].i2t, 100 * d[i].t2i);
}

static int drift_model(const diht_drift_options *o, char **result)
{
    struct drift d[MOST];
    struct features fp32 = {0};
    struct buf out = {0};
    int rc = 0, n = 0;
    if (o->rows < 0)
        return FAIL(EUSAGE_, "--rows %" PRId64 ": a number of samples, or 0 for all", o->rows);
    stop_clear();
    for (const struct precision *p = precisions; p->name && !rc && n < MOST; p++) {
        struct features f = {0};
        rc = encode(o, p, n ? &f : &fp32, &d[n]);
        const struct features *now = n ? &f : &fp32;
        if (!rc && now->n) {
            d[n].images = turn_of(now->images, fp32.images, fp32.n, fp32.d);
            d[n].texts = turn_of(now->texts, fp32.texts, fp32.m, fp32.d);
            n++;
        }
        features_free(&f);
    }
    if (!rc) {
        (o->json ? json : table)(&out, d, n, fp32.n, fp32.m);
        rc = (*result = buf_steal(&out)) ? 0 : EMEMORY_;
    }
    features_free(&fp32);
    buf_free(&out);
    return rc;
}

int task_drift(const diht_drift_options *o, char **result)
{
    diht_drift_options found = *o;
    char *path;
    int rc = model_find(&path, o->model);
    found.model = path;
    if (!rc)
        rc = drift_model(&found, result);
    free(path);
    return rc;
}
