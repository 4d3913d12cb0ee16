// SPDX-License-Identifier: Apache-2.0
// The second half of a block: y = x + proj(act(fc(ln(x)))).
#ifndef NN_MLP_H
#define NN_MLP_H

#include "nn/linear.h"
#include "nn/norm.h"

struct mlp {
    struct norm norm;
    struct linear fc, proj;   // [h, w], [w, h]
    enum activation act;
};

struct mlp_tape {
    view x;            // [rows, w] the half's input
    view mean, rstd;   // [rows]
    view pre;          // [rows, h] before the activation; absent without a backward pass
};

struct mlp_scratch {
    view ln;           // [rows, w]
    view hidden;       // [rows, h]
    view dln;          // [rows, w]: backward only
    view dhidden;      // [rows, h]: backward only
};

// y [rows, w]; may be t->x itself when there is no backward pass.
void mlp_forward(struct ctx *ctx, const struct mlp *m, view y, const struct mlp_tape *t, const struct mlp_scratch *s,
                 int64_t rows);
// In place: d [rows, w] comes in as dy and goes out as dx.
void mlp_backward(struct ctx *ctx, const struct mlp *m, view d, const struct mlp_tape *t, const struct mlp_scratch *s,
                  int64_t rows);

#endif
