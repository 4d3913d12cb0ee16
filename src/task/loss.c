// SPDX-License-Identifier: Apache-2.0
// diht loss: HN-NCE and its gradients for two feature files.
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/npy.h"
#include "nn/hn_nce.h"
#include "task/task.h"

static int check_options(const diht_loss_options *o)
{
    if (!o->images || !o->texts)
        return FAIL(EUSAGE_, "two feature files are needed: --images X.npy --texts T.npy");
    if (!(o->alpha >= 0 && o->alpha <= 1))
        return FAIL(EUSAGE_, "--alpha %g: 0 to 1 expected", o->alpha);
    if (!(o->beta >= 0 && isfinite(o->beta)))
        return FAIL(EUSAGE_, "--beta %g: 0 or more expected", o->beta);
    if (!(o->temperature > 0 && isfinite(o->temperature)))
        return FAIL(EUSAGE_, "--temperature %g: a positive number expected (0.07, say)", o->temperature);
    return 0;
}

static int check_shapes(const diht_loss_options *o, const struct npy *x, const struct npy *t)
{
    const struct npy *file[] = {x, t};
    const char *name[] = {o->images, o->texts};
    char a[96], b[96];
    npy_describe(x, a);
    npy_describe(t, b);
    for (int i = 0; i < 2; i++) {
        if (file[i]->ndim != 2)
            return FAIL(EFORMAT_, "%s: features [n, d] expected, it holds %s", name[i], i ? b : a);
        if (file[i]->type != NPY_F32 && file[i]->type != NPY_F64 && file[i]->type != NPY_F16)
            return FAIL(EFORMAT_, "%s: float16, float32 or float64 expected, it holds %s", name[i], i ? b : a);
    }
    if (x->shape[0] != t->shape[0] || x->shape[1] != t->shape[1])
        return FAIL(EFORMAT_, "%s holds %s and %s holds %s: pairs need the same shape", o->images, a, o->texts, b);
    if (x->shape[0] < 2 || x->shape[1] < 1)
        return FAIL(EFORMAT_, "%s: %s: at least 2 rows of 1 or more columns are needed, there are no negatives otherwise", o->images, a);
    return 0;
}

// The file's rows on the backend; a value that is not a number is named.
static int load(struct ctx *ctx, view *out, const struct npy *a, const char *path)
{
    enum { AT_ONCE = 4096 };
    double part[AT_ONCE];
    *out = ctx_alloc(ctx, ctx_real(ctx), a->count);
    if (!out->at)
        return EMEMORY_;
    for (int64_t at = 0; at < a->count; at += AT_ONCE) {
        int64_t n = a->count - at < AT_ONCE ? a->count - at : AT_ONCE;
        npy_read_f64(a, at, n, part);
        for (int64_t i = 0; i < n; i++)
            if (!isfinite(part[i]))
                return FAIL(EFORMAT_, "%s: row %" PRId64 ", column %" PRId64 " is %g: features must be finite numbers", path,
                            (at + i) / a->shape[1], (at + i) % a->shape[1], part[i]);
        ctx_put64(ctx, view_at(*out, at), part, n);
    }
    return 0;
}

static int save(struct ctx *ctx, view v, const struct npy *like, const char *dir, const char *name)
{
    char *path = path_join(dir, name);
    int rc = path ? 0 : FAIL(EMEMORY_, "out of memory");
    void *host = NULL;
    enum npy_type type = like->type == NPY_F64 ? NPY_F64 : NPY_F32;   // half precision cannot hold gradients
    if (!rc && !(host = malloc((size_t)like->count * (size_t)npy_type_size(type))))
        rc = FAIL(EMEMORY_, "out of memory: %s", path);
    if (!rc) {
        if (type == NPY_F64)
            ctx_get64(ctx, host, v, like->count);
        else
            ctx_get(ctx, host, v, like->count);
        rc = npy_write(path, type, 2, like->shape, host);
    }
    free(host);
    free(path);
    return rc;
}

static void describe(struct buf *out, const diht_loss_options *o, int64_t n, const struct hn_result *r, double seconds)
{
    int64_t peak = memory_peak();
    if (o->json) {
        buf_fmt(out, "{\"n\": %" PRId64 ", \"i2t\": %.17g, \"t2i\": %.17g, \"loss\": %.17g, \"dloss_dlogtemp\": %.17g, "
                     "\"seconds\": %.6g, \"peak_bytes\": %" PRId64 "}", n, r->i2t, r->t2i, r->i2t + r->t2i, -r->dlogit_scale,
                seconds, peak);
        return;
    }
    char memory[32];
    format_bytes(memory, (double)peak);
    buf_fmt(out, "HN-NCE of %" PRId64 " pairs (alpha %g, beta %g, temperature %g%s)\n\n", n, o->alpha, o->beta, o->temperature,
            o->stop_gradient ? ", weights held constant" : "");
    buf_fmt(out, "                        sum       mean\n");
    buf_fmt(out, "image to text  %12.6g %10.5g\n", r->i2t, r->i2t / (double)n);
    buf_fmt(out, "text to image  %12.6g %10.5g\n", r->t2i, r->t2i / (double)n);
    buf_fmt(out, "together       %12.6g %10.5g\n", r->i2t + r->t2i, (r->i2t + r->t2i) / (double)n);
    buf_fmt(out, "d / d ln T     %12.6g %10.5g\n\n", -r->dlogit_scale, -r->dlogit_scale / (double)n);
    buf_fmt(out, "%.3g s, %s of memory\n", seconds, memory);
}

int task_loss(const diht_loss_options *o, char **result)
{
    struct npy x = {0}, t = {0};
    struct ctx *ctx = NULL;
    view vx = NO_VIEW, vt = NO_VIEW, dx = NO_VIEW, dt = NO_VIEW;
    struct buf out = {0};
    struct hn_result r;
    int rc = check_options(o);
    if (rc || (rc = npy_open(&x, o->images)) || (rc = npy_open(&t, o->texts)) || (rc = check_shapes(o, &x, &t)))
        goto done;
    enum dtype real = x.type == NPY_F64 || t.type == NPY_F64 ? F64 : F32;
    if ((rc = ctx_open(&ctx, real, o->threads, NULL)) || (rc = load(ctx, &vx, &x, o->images)) ||
        (rc = load(ctx, &vt, &t, o->texts)))
        goto done;
    dx = ctx_alloc(ctx, real, x.count);
    if (dx.at && o->grad)
        dt = ctx_alloc(ctx, real, x.count);
    if (!dx.at || (o->grad && !dt.at)) {
        rc = EMEMORY_;
        goto done;
    }
    struct hn_options hn = {o->alpha, o->beta, -log(o->temperature), o->stop_gradient};
    double start = clock_now();
    if ((rc = hn_nce(ctx, vx, vt, x.shape[0], x.shape[1], &hn, 1, dx, dt, &r)))
        goto done;
    double seconds = clock_now() - start;
    if (o->grad && ((rc = dir_make(o->grad)) || (rc = save(ctx, dx, &x, o->grad, "dx.npy")) ||
                    (rc = save(ctx, dt, &t, o->grad, "dt.npy"))))
        goto done;
    describe(&out, o, x.shape[0], &r, seconds);
    *result = buf_steal(&out);
    rc = *result ? 0 : FAIL(EMEMORY_, "out of memory");
done:
    if (ctx) {
        view all[] = {vx, vt, dx, dt};
        for (int i = 0; i < 4; i++)
            if (all[i].at)
                ctx_free(ctx, all[i]);
        ctx_close(ctx);
    }
    npy_close(&x);
    npy_close(&t);
    buf_free(&out);
    return rc;
}
