// SPDX-License-Identifier: Apache-2.0
// A linear map and its parameters' places in the model's arenas.
#ifndef NN_LINEAR_H
#define NN_LINEAR_H

#include "kernel/kernels.h"

struct linear {
    struct weight *weight;   // prepared form of w; owned
    view w, bias;            // [out, in], [out]; w absent: not in memory, from `source` (for inference)
    const struct weight_source *source;   // borrowed until it is open; its element `first` is w's first
    int64_t first;
    view dw, dbias;          // their gradients; absent outside training
    int64_t out, in;
};
int linear_open(struct linear *l, struct ctx *ctx);   // makes `weight`; the rest is set by the owner
void linear_close(struct linear *l, struct ctx *ctx);

// y [rows, out] = tail(x [rows, in] w' + bias)
void linear_forward(struct ctx *ctx, const struct linear *l, view y, view x, int64_t rows, const struct tail *tail);
// dx [rows, in] = (or += when `add`) dy w, absent: skipped; dw, dbias += with dy [rows, out], x [rows, in]
void linear_backward(struct ctx *ctx, const struct linear *l, view dx, bool add, view dy, view x, int64_t rows);

// A bias-free map whose parameter is stored [in, out], as CLIP stores its projections: y [rows, out] = x w.
struct projection {
    view w, dw;
    int64_t in, out;
};
void projection_forward(struct ctx *ctx, const struct projection *p, view y, view x, int64_t rows);
void projection_backward(struct ctx *ctx, const struct projection *p, view dx, view dy, view x, int64_t rows);

#endif
