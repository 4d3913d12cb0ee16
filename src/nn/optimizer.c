// SPDX-License-Identifier: Apache-2.0
#include "nn/optimizer.h"

#include <math.h>

double optimizer_step(struct ctx *ctx, const struct optimizer *o, const struct parameter *p, int n,
                      const struct matrices *muon, double lr, int64_t t)
{
    const struct kernels *k = ctx_kernels(ctx);
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += k->sum_squares(ctx, p[i].g, p[i].n);
    double norm = sqrt(sum);
    if (!isfinite(norm))
        return norm;

    struct adamw a = {.lr = lr, .beta1 = o->beta1, .beta2 = o->beta2, .eps = o->eps, .t = t, .scale = 1};
    if (o->clip_norm > 0 && norm > o->clip_norm)
        a.scale = o->clip_norm / norm;
    for (int i = 0; i < n; i++) {
        a.decay = p[i].decay ? o->weight_decay : 0;
        if (!p[i].muon)
            k->adamw(ctx, p[i].w, p[i].m, p[i].v, p[i].g, p[i].n, &a);
    }
    if (muon) {
        const struct muon m = {.lr = lr, .momentum = o->momentum, .scale = a.scale};
        for (int64_t i = 0; i < muon->n; i++)
            muon->list[i].decay = o->weight_decay;
        k->muon(ctx, muon->list, muon->n, &m, muon->scratch, muon->room);
    }
    return norm;
}
