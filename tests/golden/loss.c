// SPDX-License-Identifier: Apache-2.0
// HN-NCE and soft-label cross-entropy against the reference: values and gradients, double and float, every row.
#include <jansson.h>

#include "base/error.h"
#include "base/npy.h"
#include "check.h"
#include "nn/hn_nce.h"
#include "nn/soft_ce.h"

static const char *at(const char *fmt, const char *name)
{
    static char path[4][1024];
    static int next;
    char *p = path[next++ % 4];
    int n = snprintf(p, 1024, "%s/loss/", getenv("DIHT_GOLDEN"));
    snprintf(p + n, 1024 - (size_t)n, fmt, name);
    return p;
}

static double *read_all(const char *path, int64_t *count)
{
    struct npy a;
    if (npy_open(&a, path)) {
        printf("# %s\n", error_last());
        CHECK(!"the golden file opens");
        return NULL;
    }
    double *v = npy_all_f64(&a);
    *count = a.count;
    npy_close(&a);
    return v;
}

static view to_view(struct ctx *ctx, const double *v, int64_t n)
{
    view out = ctx_alloc(ctx, ctx_real(ctx), n);
    ctx_put64(ctx, out, v, n);
    return out;
}

static double largest(const double *v, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs(v[i]));
    return most;
}

static void compare(struct ctx *ctx, view got, const char *path, double tolerance)
{
    int64_t n;
    double *want = read_all(path, &n), *have = malloc((size_t)(n + 1) * sizeof *have), off = 0;
    if (!want)
        return;
    ctx_get64(ctx, have, got, n);
    for (int64_t i = 0; i < n; i++)
        off = fmax(off, isnan(have[i]) ? INFINITY : fabs(have[i] - want[i]));
    double limit = tolerance * largest(want, n);
    if (!(off <= limit))
        printf("# %s: off by %g, largest entry %g\n", path, off, largest(want, n));
    CHECK(off <= limit);
    free(want);
    free(have);
}

static double number(json_t *o, const char *key) { return json_number_value(json_object_get(o, key)); }

static void hn_case(struct ctx *ctx, json_t *c, double loss_tolerance, double grad_tolerance)
{
    const char *name = json_string_value(json_object_get(c, "name"));
    const char *features = json_string_value(json_object_get(c, "features"));
    const char *variant = json_string_value(json_object_get(c, "variant"));
    int64_t count, n = (int64_t)number(c, "n"), d = (int64_t)number(c, "d");
    double *x = read_all(at("hn_nce/%s.x.npy", features), &count), *t = read_all(at("hn_nce/%s.t.npy", features), &count);
    if (!x || !t)
        return;
    view vx = to_view(ctx, x, n * d), vt = to_view(ctx, t, n * d);
    view dx = ctx_alloc(ctx, ctx_real(ctx), n * d), dt = ctx_alloc(ctx, ctx_real(ctx), n * d);
    struct hn_options o = {number(c, "alpha"), number(c, "beta"), -log(number(c, "temperature")), strcmp(variant, "detached") == 0};
    struct hn_result r;
    CHECK(hn_nce(ctx, vx, vt, n, d, &o, 1, dx, dt, &r) == 0);
    // Losses of alpha < 1 may cancel: the tolerance is relative to their two parts, and to n at least in float.
    double size = fabs(number(c, "i2t")) + fabs(number(c, "t2i")) + (ctx_real(ctx) == F32 ? (double)n : 0);
    int bad = check_bad;
    CHECK_CLOSE(r.i2t, number(c, "i2t"), loss_tolerance * size);
    CHECK_CLOSE(r.t2i, number(c, "t2i"), loss_tolerance * size);
    CHECK_CLOSE(r.i2t + r.t2i, number(c, "loss"), loss_tolerance * size);
    CHECK_CLOSE(-r.dlogit_scale, number(c, "dloss_dlogtemp"), grad_tolerance * (fabs(number(c, "dloss_dlogtemp")) + size));
    if (json_is_true(json_object_get(c, "gradients_stored"))) {
        double single = n == 257 ? 1e-7 : 0;   // those are stored in float32
        compare(ctx, dx, at("hn_nce/%s.dx.npy", name), fmax(grad_tolerance, single));
        compare(ctx, dt, at("hn_nce/%s.dt.npy", name), fmax(grad_tolerance, single));
    }
    if (check_bad > bad)
        printf("# in %s (%s)\n", name, ctx_kernels(ctx)->isa);
    ctx_free(ctx, vx);
    ctx_free(ctx, vt);
    ctx_free(ctx, dx);
    ctx_free(ctx, dt);
    free(x);
    free(t);
}

static void all_cases(enum dtype real, const char *isa, double loss_tolerance, double grad_tolerance)
{
    struct ctx *ctx;
    if (ctx_open(&ctx, real, 2, isa))
        SKIP("this processor lacks the instruction set");
    json_t *cases = json_load_file(at("%s", "hn_nce/index.json"), 0, NULL);
    CHECK(json_array_size(cases) == 88);
    for (size_t i = 0; i < json_array_size(cases); i++)
        hn_case(ctx, json_array_get(cases, i), loss_tolerance, grad_tolerance);
    json_decref(cases);
    ctx_close(ctx);
}

static void hn_nce_double(void) { all_cases(F64, "ref", 1e-10, 1e-10); }
static void hn_nce_float_ref(void) { all_cases(F32, "ref", 1e-5, 1e-4); }
static void hn_nce_float_avx2(void) { all_cases(F32, "avx2", 1e-5, 1e-4); }
static void hn_nce_float_avx512(void) { all_cases(F32, "avx512", 1e-5, 1e-4); }

static void soft_case(const char *name)
{
    struct ctx *ctx;
    CHECK(ctx_open(&ctx, F64, 2, "ref") == 0);
    int64_t count, classes, rows, kn;
    double *x = read_all(at("soft_ce/%s.x.npy", name), &count), *w = read_all(at("soft_ce/%s.w.npy", name), &count), *b = read_all(at("soft_ce/%s.b.npy", name), &classes);
    double *teacher = read_all(at("soft_ce/%s.teacher_logits.npy", name), &rows), *want_index = read_all(at("soft_ce/%s.topk_index.npy", name), &kn);
    double *want_prob = read_all(at("soft_ce/%s.topk_prob.npy", name), &kn);
    if (!x || !w || !b || !teacher || !want_index || !want_prob)
        return;
    int64_t width = count / classes, k, n = rows / classes;
    k = kn / n;
    float *logits = malloc((size_t)rows * sizeof *logits), *prob = malloc((size_t)kn * sizeof *prob);
    int32_t *index = malloc((size_t)kn * sizeof *index);
    for (int64_t i = 0; i < rows; i++)
        logits[i] = (float)teacher[i];
    soft_ce_topk(index, prob, logits, n, classes, k);
    for (int64_t i = 0; i < kn; i++) {
        CHECK(index[i] == (int32_t)want_index[i]);
        CHECK_CLOSE(prob[i], want_prob[i], 2e-7);
    }
    view vx = to_view(ctx, x, n * width), vw = to_view(ctx, w, count), vb = to_view(ctx, b, classes);
    view z = ctx_alloc(ctx, F64, rows), dx = ctx_alloc(ctx, F64, n * width), dw = ctx_alloc(ctx, F64, count), db = ctx_alloc(ctx, F64, classes);
    struct weight *weight = ctx_kernels(ctx)->weight_new(ctx, vw, classes, width);
    // Probabilities are floats in the interface; a class may be named twice, so two floats carry a double here.
    int32_t *twice = malloc((size_t)kn * 2 * sizeof *twice);
    float *halves = malloc((size_t)kn * 2 * sizeof *halves);
    for (int64_t i = 0; i < kn; i++) {
        twice[2 * i] = twice[2 * i + 1] = index[i];
        halves[2 * i] = (float)want_prob[i];
        halves[2 * i + 1] = (float)(want_prob[i] - halves[2 * i]);
    }
    struct soft_ce s = {.x = vx, .w = weight, .bias = vb, .rows = n, .width = width, .classes = classes, .k = 2 * k,
                        .index = twice, .prob = halves, .logits = z, .dx = dx, .dw = dw, .db = db, .scale = 1. / (double)n};
    double loss;
    CHECK(soft_ce_head(ctx, &s, &loss) == 0);
    json_t *list = json_load_file(at("%s", "soft_ce/index.json"), 0, NULL), *of_case = NULL;
    for (size_t i = 0; i < json_array_size(list) && !of_case; i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(list, i), "name")), name) == 0)
            of_case = json_array_get(list, i);
    CHECK_CLOSE(loss, number(of_case, "loss"), 1e-12 * fmax(1, fabs(loss)));
    json_decref(list);
    compare(ctx, z, at("soft_ce/%s.dlogits.npy", name), 1e-12);
    compare(ctx, dx, at("soft_ce/%s.dx.npy", name), 1e-12);
    compare(ctx, dw, at("soft_ce/%s.dw.npy", name), 1e-12);
    compare(ctx, db, at("soft_ce/%s.db.npy", name), 1e-12);
    ctx_kernels(ctx)->linear(ctx, z, vx, weight, vb, n, NULL);
    compare(ctx, z, at("soft_ce/%s.logits.npy", name), 1e-12);
    ctx_kernels(ctx)->weight_free(weight);
    view views[] = {vx, vw, vb, z, dx, dw, db};
    for (int i = 0; i < 7; i++)
        ctx_free(ctx, views[i]);
    void *host[] = {x, w, b, teacher, want_index, want_prob, logits, prob, index, twice, halves};
    for (int i = 0; i < 11; i++)
        free(host[i]);
    ctx_close(ctx);
}

static void soft_ce_object(void) { soft_case("object"); }
static void soft_ce_attribute(void) { soft_case("attribute"); }
static void soft_ce_narrow(void) { soft_case("narrow"); }

int main(void)
{
    CASE(hn_nce_double);
    CASE(hn_nce_float_ref);
    CASE(hn_nce_float_avx2);
    CASE(hn_nce_float_avx512);
    CASE(soft_ce_object);
    CASE(soft_ce_attribute);
    CASE(soft_ce_narrow);
    return check_done();
}
