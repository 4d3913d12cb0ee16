// SPDX-License-Identifier: Apache-2.0
// AdamW (Loshchilov & Hutter 2019) over a list of parameters, with the gradients' global norm and clipping.
#ifndef NN_OPTIMIZER_H
#define NN_OPTIMIZER_H

#include "kernel/kernels.h"

struct parameter {
    view w, g, m, v;   // [n]: value, gradient, first and second moment
    int64_t n;
    bool decay;        // two or more dimensions
};

struct optimizer {
    double beta1, beta2, eps, weight_decay;
    double clip_norm;  // 0: none
};

// w *= 1 - lr decay;  w -= lr mhat / (sqrt(vhat) + eps).  t = 1 at the first step. Returns the global norm of the
// gradients before clipping; a norm that is not finite leaves everything as it was.
double optimizer_step(struct ctx *ctx, const struct optimizer *o, const struct parameter *p, int n, double lr,
                      int64_t t);

#endif
