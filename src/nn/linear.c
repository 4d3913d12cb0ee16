// SPDX-License-Identifier: Apache-2.0
#include "nn/linear.h"

#include "base/error.h"

int linear_open(struct linear *l, struct ctx *ctx)
{
    const struct kernels *k = ctx_kernels(ctx);
    l->weight = l->source ? k->weight_new_from(ctx, l->source, l->first, l->out, l->in)
                          : k->weight_new(ctx, l->w, l->out, l->in);
    if (!l->weight)
        return FAIL(EMEMORY_, "out of memory: no room to prepare a layer of %lld x %lld weights", (long long)l->out,
                    (long long)l->in);
    return 0;
}

void linear_close(struct linear *l, struct ctx *ctx)
{
    if (l->weight)
        ctx_kernels(ctx)->weight_free(l->weight);
    l->weight = NULL;
}

void linear_forward(struct ctx *ctx, const struct linear *l, view y, view x, int64_t rows, const struct tail *tail)
{
    ctx_kernels(ctx)->linear(ctx, y, x, l->weight, l->bias, rows, tail);
}

void linear_backward(struct ctx *ctx, const struct linear *l, view dx, bool add, view dy, view x, int64_t rows)
{
    const struct kernels *k = ctx_kernels(ctx);
    k->linear_dw(ctx, l->dw, l->dbias, dy, x, rows, l->out, l->in);
    if (dx.at)
        k->linear_dx(ctx, dx, dy, l->weight, rows, add);
}

void projection_forward(struct ctx *ctx, const struct projection *p, view y, view x, int64_t rows)
{
    ctx_kernels(ctx)->gemm(ctx, false, false, rows, p->out, p->in, 1, x, p->in, p->w, p->out, 0, y, p->out);
}

void projection_backward(struct ctx *ctx, const struct projection *p, view dx, view dy, view x, int64_t rows)
{
    const struct kernels *k = ctx_kernels(ctx);
    k->gemm(ctx, true, false, p->in, p->out, rows, 1, x, p->in, dy, p->out, 1, p->dw, p->out);    // dw += x' dy
    k->gemm(ctx, false, true, rows, p->in, p->out, 1, dy, p->out, p->w, p->out, 0, dx, p->in);    // dx = dy w'
}
