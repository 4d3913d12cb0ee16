// SPDX-License-Identifier: Apache-2.0
// Layer normalisation and its parameters' places.
#ifndef NN_NORM_H
#define NN_NORM_H

#include "kernel/kernels.h"

struct norm {
    view gamma, beta;     // [width]
    view dgamma, dbeta;   // gradients; absent outside training
    int64_t width;
    double eps;
};

// y [rows, width]; mean, rstd [rows] kept when given
void norm_forward(struct ctx *ctx, const struct norm *l, view y, view mean, view rstd, view x, int64_t rows);
// dx [rows, width] = (or += when `add`); dgamma, dbeta +=
void norm_backward(struct ctx *ctx, const struct norm *l, view dx, bool add, view dy, view x, view mean, view rstd,
                   int64_t rows);

#endif
