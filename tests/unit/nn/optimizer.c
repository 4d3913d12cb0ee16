// SPDX-License-Identifier: Apache-2.0
#include "nn/optimizer.h"

#include "base/rng.h"
#include "check.h"
#include "nn/schedule.h"

// AdamW written out for one number.
static double by_hand(double w, const double *g, int steps, const struct optimizer *o, double lr, double decay)
{
    double m = 0, v = 0;
    for (int t = 1; t <= steps; t++) {
        m = o->beta1 * m + (1 - o->beta1) * g[t - 1];
        v = o->beta2 * v + (1 - o->beta2) * g[t - 1] * g[t - 1];
        w -= lr * decay * w;
        w -= lr * (m / (1 - pow(o->beta1, t))) / (sqrt(v / (1 - pow(o->beta2, t))) + o->eps);
    }
    return w;
}

static void adamw_and_clipping(void)
{
    struct ctx *ctx;
    CHECK(ctx_open(&ctx, F64, 1, NULL) == 0);
    view all = ctx_alloc(ctx, F64, 8);
    struct parameter p[2];
    for (int i = 0; i < 2; i++)
        p[i] = (struct parameter){view_at(all, i), view_at(all, 2 + i), view_at(all, 4 + i), view_at(all, 6 + i), 1,
                                  i == 0};
    struct optimizer o = {.9, .98, 1e-6, .2, 2};
    const double start[2] = {1.5, -2}, g[3][2] = {{.3, .4}, {3, 4}, {-1, 0}};
    const double clipped[2][3] = {{.3, 1.2, -1}, {.4, 1.6, 0}};   // (3, 4) has norm 5 and is held to 2
    ctx_put64(ctx, p[0].w, &start[0], 1);
    ctx_put64(ctx, p[1].w, &start[1], 1);
    for (int t = 0; t < 3; t++) {
        ctx_put64(ctx, p[0].g, &g[t][0], 1);
        ctx_put64(ctx, p[1].g, &g[t][1], 1);
        CHECK_CLOSE(optimizer_step(ctx, &o, p, 2, NULL, .01, t + 1), hypot(g[t][0], g[t][1]), 1e-12);
    }
    for (int i = 0; i < 2; i++) {
        double w;
        ctx_get64(ctx, &w, p[i].w, 1);
        CHECK_CLOSE(w, by_hand(start[i], clipped[i], 3, &o, .01, i ? 0 : .2), 1e-12);
    }
    ctx_free(ctx, all);
    ctx_close(ctx);
}

enum { MOST = 7 * 12 };

// a [m, n] = x y, or x y' (ty), in the plainest way
static void times(double *a, const double *x, const double *y, int m, int k, int n, bool ty)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            a[i * n + j] = 0;
            for (int l = 0; l < k; l++)
                a[i * n + j] += x[i * k + l] * (ty ? y[j * k + l] : y[l * n + j]);
        }
}

// Muon's step of one matrix written out: w [r, c] after `steps` gradients g.
static void muon_by_hand(double *w, const double *g, int steps, int r, int c, double lr, double momentum, double decay)
{
    double m[MOST] = {0}, x[MOST], s[12 * 12], s2[12 * 12], p[MOST], q[MOST];
    for (int t = 0; t < steps; t++, g += r * c) {
        double norm = 0;
        for (int i = 0; i < r * c; i++) {
            m[i] = momentum * m[i] + g[i];
            x[i] = g[i] + momentum * m[i];
            norm += x[i] * x[i];
        }
        for (int i = 0; i < r * c; i++)
            x[i] /= sqrt(norm) + 1e-7;
        for (int round = 0; round < 5; round++) {
            times(s, x, x, r, c, r, true);
            times(s2, s, s, r, r, r, false);
            times(p, s, x, r, r, c, false);
            times(q, s2, x, r, r, c, false);
            for (int i = 0; i < r * c; i++)
                x[i] = 3.4445 * x[i] - 4.7750 * p[i] + 2.0315 * q[i];
        }
        for (int i = 0; i < r * c; i++)
            w[i] = w[i] * (1 - lr * decay) - lr * .2 * sqrt(r > c ? r : c) * x[i];
    }
}

// Two matrices, wide and tall, beside a vector that AdamW keeps; the step's own singular values are near 1.
static void muon_moves_matrices(enum dtype type, int threads, double tolerance)
{
    enum { STEPS = 3, N = 2 * MOST };
    const int rows[2] = {7, 12}, columns[2] = {12, 7};
    struct ctx *ctx;
    CHECK(ctx_open(&ctx, type, threads, NULL) == 0);
    view all = ctx_alloc(ctx, type, 4 * N);
    int64_t room = muon_scratch(7, 12);
    view scratch = ctx_alloc(ctx, type, room * threads);
    CHECK(all.at && scratch.at && room == muon_scratch(12, 7));
    struct rng r = rng_make(7, 1);
    double w[N], expected[N], g[2][STEPS * MOST], step[N], zero[4 * N] = {0};
    for (int i = 0; i < N; i++)
        expected[i] = w[i] = rng_normal(&r);
    ctx_put64(ctx, all, zero, 4 * N);
    ctx_put64(ctx, all, w, N);
    struct muon_matrix list[2];
    struct parameter p[2];
    for (int i = 0; i < 2; i++) {
        view at = view_at(all, i * MOST);
        p[i] = (struct parameter){at, view_at(at, N), view_at(at, 2 * N), view_at(at, 3 * N), MOST, true, true};
        list[i] = (struct muon_matrix){.w = p[i].w, .g = p[i].g, .m = p[i].m, .rows = rows[i], .columns = columns[i]};
        for (int k = 0; k < STEPS * MOST; k++)
            g[i][k] = rng_normal(&r);
        muon_by_hand(expected + i * MOST, g[i], STEPS, rows[i], columns[i], .02, .9, .1);
    }
    struct matrices muon = {list, 2, scratch, room};
    struct optimizer o = {.beta1 = .9, .beta2 = .98, .eps = 1e-6, .weight_decay = .1, .momentum = .9};
    for (int t = 0; t < STEPS; t++) {
        for (int i = 0; i < 2; i++)
            ctx_put64(ctx, p[i].g, g[i] + t * MOST, MOST);
        optimizer_step(ctx, &o, p, 2, &muon, .02, t + 1);
        if (t == 0)
            ctx_get64(ctx, step, all, N);
    }
    double got[N], away = 0;
    ctx_get64(ctx, got, all, N);
    for (int i = 0; i < N; i++)
        away = fmax(away, fabs(got[i] - expected[i]));
    CHECK(away < tolerance);
    // the first step of the wide one, taken apart: rows of length about 1
    for (int i = 0; i < 7; i++) {
        double length = 0;
        for (int k = 0; k < 12; k++) {
            double x = (w[i * 12 + k] * (1 - .02 * .1) - step[i * 12 + k]) / (.02 * .2 * sqrt(12));
            length += x * x;
        }
        CHECK(length > .4 && length < 1.5);
    }
    ctx_free(ctx, all);
    ctx_free(ctx, scratch);
    ctx_close(ctx);
}

static void muon(void)
{
    muon_moves_matrices(F64, 1, 1e-12);
    muon_moves_matrices(F64, 3, 1e-12);
    muon_moves_matrices(F32, 1, 1e-5);
    muon_moves_matrices(F32, 2, 1e-5);
}

static void schedule(void)
{
    CHECK_CLOSE(schedule_rate(1, 0, 0, 4, 20), .25, 1e-15);
    CHECK_CLOSE(schedule_rate(1, 0, 3, 4, 20), 1, 1e-15);
    CHECK_CLOSE(schedule_rate(1, 0, 4, 4, 20), 1, 1e-15);
    CHECK_CLOSE(schedule_rate(1, 0, 12, 4, 20), .5, 1e-15);
    CHECK_CLOSE(schedule_rate(1, .1, 12, 4, 20), .55, 1e-15);
    CHECK_CLOSE(schedule_rate(1, .1, 20, 4, 20), .1, 1e-15);
    CHECK_CLOSE(schedule_rate(1, .1, 0, 0, 1), 1, 1e-15);
}

int main(void)
{
    CASE(adamw_and_clipping);
    CASE(muon);
    CASE(schedule);
    return check_done();
}
