// SPDX-License-Identifier: Apache-2.0
#include "task/forecast.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "task/compute.h"

enum { ROWS = 1024, SHORT_SECONDS = 10, REPEATS = 3, CAPTION_ROWS = 14 };
#define SHARE .85   // of the bare product's rate that a whole tower reaches

// Operations a second of a product [ROWS, w] x [w, 4 w]; 0: not here.
static double rate_of(const struct precision *p, int threads, int64_t w)
{
    struct ctx *ctx = NULL;
    double best = 0;
    if (ctx_open(&ctx, F32, threads, NULL) != 0)
        return 0;
    const struct kernels *k = ctx_kernels(ctx);
    view x = ctx_alloc(ctx, F32, ROWS * w), m = ctx_alloc(ctx, F32, 4 * w * w), y = ctx_alloc(ctx, F32, ROWS * 4 * w);
    bool there = x.at && m.at && y.at && ctx_products(ctx, p->type);
    struct weight *weight = there ? k->weight_new(ctx, m, 4 * w, w) : NULL;
    for (int i = 0; i <= REPEATS && weight; i++) {   // the first one packs
        double start = clock_now();
        k->linear(ctx, y, x, weight, NO_VIEW, ROWS, NULL);
        double rate = 2. * ROWS * (double)w * 4 * (double)w / (clock_now() - start + 1e-9);
        best = i && rate > best ? rate : best;
    }
    if (weight)
        k->weight_free(weight);
    ctx_free(ctx, x);
    ctx_free(ctx, m);
    ctx_free(ctx, y);
    ctx_close(ctx);
    return best;
}

void forecast(const struct clip *clip, int64_t images, int64_t texts)
{
    const struct config *c = clip_config(clip);
    double rows = CAPTION_ROWS;
    double work = (double)images * config_image_flop(c) + (texts ? (double)texts * config_text_flop(c, rows, rows * rows) : 0);
    struct buf b = {0};
    double first = 0;
    for (const struct precision *p = precisions; p->name; p++) {
        double rate = SHARE * rate_of(p, ctx_threads(clip_ctx(clip)), c->vision.width);
        char seconds[32];
        if (p == precisions && (rate <= 0 || (first = work / rate) < SHORT_SECONDS))
            return;
        if (rate <= 0)
            continue;
        format_seconds(seconds, work / rate);
        buf_fmt(&b, "%s%s in %s", b.len ? ", " : "", seconds, p->name);
    }
    if (b.at)
        log_info("%lld pictures of %.3g GFLOP%s: about %s", (long long)images, config_image_flop(c) / 1e9,
                 texts ? " and their captions" : "", b.at);
    buf_free(&b);
}
