// SPDX-License-Identifier: Apache-2.0
#include "nn/norm.h"

void norm_forward(struct ctx *ctx, const struct norm *l, view y, view mean, view rstd, view x, int64_t rows)
{
    ctx_kernels(ctx)->layernorm(ctx, y, mean, rstd, x, l->gamma, l->beta, rows, l->width, l->eps);
}

void norm_backward(struct ctx *ctx, const struct norm *l, view dx, bool add, view dy, view x, view mean, view rstd,
                   int64_t rows)
{
    ctx_kernels(ctx)->layernorm_backward(ctx, dx, add, l->dgamma, l->dbeta, dy, x, l->gamma, mean, rstd, rows,
                                         l->width);
}
