// SPDX-License-Identifier: Apache-2.0
// AdamW (Loshchilov & Hutter 2019) over a list of parameters, with the gradients' global norm and clipping; hidden
// matrices may be given to Muon instead (Jordan 2024), whose step is the momentum made orthogonal, scaled by
// 0.2 sqrt(max(rows, columns)) to the size of an AdamW step (Liu et al. 2025), so that both share rate and decay.
#ifndef NN_OPTIMIZER_H
#define NN_OPTIMIZER_H

#include "kernel/kernels.h"

struct parameter {
    view w, g, m, v;   // [n]: value, gradient, first and second moment
    int64_t n;
    bool decay;        // two or more dimensions
    bool muon;         // moved as one of the matrices below; v stays unused
};

struct optimizer {
    double beta1, beta2, eps, weight_decay;
    double clip_norm;  // 0: none
    double momentum;   // Muon's
};

struct matrices {
    struct muon_matrix *list;   // their decay is set by the step
    int64_t n;
    view scratch;               // threads x room
    int64_t room;               // largest muon_scratch
};

// w *= 1 - lr decay;  w -= lr mhat / (sqrt(vhat) + eps).  t = 1 at the first step. Returns the global norm of the
// gradients before clipping; a norm that is not finite leaves everything as it was. muon: NULL for none.
double optimizer_step(struct ctx *ctx, const struct optimizer *o, const struct parameter *p, int n,
                      const struct matrices *muon, double lr, int64_t t);

#endif
