// SPDX-License-Identifier: Apache-2.0
#include "nn/pool.h"

void pool_forward(struct ctx *ctx, const struct norm *norm, enum pool_how how, view y, const struct pool_tape *t,
                  view scratch, const struct seqs *seqs)
{
    const struct kernels *k = ctx_kernels(ctx);
    switch (how) {
    case POOL_POOLED:
        norm_forward(ctx, norm, y, t->mean, t->rstd, t->x, seqs->n);
        break;
    case POOL_PICK:
        k->gather(ctx, t->picked, t->x, seqs->pooled, seqs->n, norm->width);
        norm_forward(ctx, norm, y, t->mean, t->rstd, t->picked, seqs->n);
        break;
    case POOL_MEAN_ROWS:
        norm_forward(ctx, norm, scratch, t->mean, t->rstd, t->x, seqs->rows);
        k->mean_pool(ctx, y, scratch, seqs->starts, seqs->n, norm->width);
        break;
    }
}

void pool_backward(struct ctx *ctx, const struct norm *norm, enum pool_how how, view dx, view dy,
                   const struct pool_tape *t, view scratch, const struct seqs *seqs)
{
    const struct kernels *k = ctx_kernels(ctx);
    switch (how) {
    case POOL_POOLED:
        norm_backward(ctx, norm, dx, false, dy, t->x, t->mean, t->rstd, seqs->n);
        break;
    case POOL_PICK:
        norm_backward(ctx, norm, scratch, false, dy, t->picked, t->mean, t->rstd, seqs->n);
        k->scatter(ctx, dx, false, scratch, seqs->pooled, seqs->n, seqs->rows, norm->width);
        break;
    case POOL_MEAN_ROWS:
        k->mean_pool_backward(ctx, scratch, dy, seqs->starts, seqs->n, norm->width);
        norm_backward(ctx, norm, dx, false, scratch, t->x, t->mean, t->rstd, seqs->rows);
        break;
    }
}
