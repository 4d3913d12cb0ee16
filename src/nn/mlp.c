// SPDX-License-Identifier: Apache-2.0
#include "nn/mlp.h"

void mlp_forward(struct ctx *ctx, const struct mlp *m, view y, const struct mlp_tape *t, const struct mlp_scratch *s,
                 int64_t rows)
{
    norm_forward(ctx, &m->norm, s->ln, t->mean, t->rstd, t->x, rows);
    linear_forward(ctx, &m->fc, s->hidden, s->ln, rows, &(struct tail){.act = m->act, .pre = t->pre});
    linear_forward(ctx, &m->proj, y, s->hidden, rows, &(struct tail){.residual = t->x});
}

void mlp_backward(struct ctx *ctx, const struct mlp *m, view d, const struct mlp_tape *t, const struct mlp_scratch *s,
                  int64_t rows)
{
    const struct kernels *k = ctx_kernels(ctx);
    // The hidden rows are made again from `pre` beside the activation's derivative, so dw of proj comes after.
    k->linear_dx(ctx, s->dhidden, d, m->proj.weight, rows, false);
    k->act_backward(ctx, s->dhidden, s->hidden, s->dhidden, t->pre, m->act, rows * m->fc.out);
    linear_backward(ctx, &m->proj, NO_VIEW, false, d, s->hidden, rows);
    norm_forward(ctx, &m->norm, s->ln, NO_VIEW, NO_VIEW, t->x, rows);
    linear_backward(ctx, &m->fc, s->dln, false, s->dhidden, s->ln, rows);
    norm_backward(ctx, &m->norm, d, true, s->dln, t->x, t->mean, t->rstd, rows);
}
