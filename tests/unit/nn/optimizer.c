// SPDX-License-Identifier: Apache-2.0
#include "nn/optimizer.h"

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
        CHECK_CLOSE(optimizer_step(ctx, &o, p, 2, .01, t + 1), hypot(g[t][0], g[t][1]), 1e-12);
    }
    for (int i = 0; i < 2; i++) {
        double w;
        ctx_get64(ctx, &w, p[i].w, 1);
        CHECK_CLOSE(w, by_hand(start[i], clipped[i], 3, &o, .01, i ? 0 : .2), 1e-12);
    }
    ctx_free(ctx, all);
    ctx_close(ctx);
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
    CASE(schedule);
    return check_done();
}
