// SPDX-License-Identifier: Apache-2.0
// From a sequence's rows to one row: normalise and pick the pooled row, or normalise and average.
#ifndef NN_POOL_H
#define NN_POOL_H

#include "nn/norm.h"
#include "nn/seqs.h"

// POOLED: x is [n, w] already (pruned last block). PICK: x [rows, w], its pooled rows count. MEAN: x [rows, w], all do.
enum pool_how { POOL_POOLED, POOL_PICK, POOL_MEAN_ROWS };

struct pool_tape {
    view x;            // as above
    view picked;       // PICK: [n, w], the rows of x
    view mean, rstd;   // of the rows normalised; absent without a backward pass
};

// y [n, w]; scratch [rows, w] is used by MEAN only
void pool_forward(struct ctx *ctx, const struct norm *norm, enum pool_how how, view y, const struct pool_tape *t,
                  view scratch, const struct seqs *seqs);
// dx, shaped as x, = from dy [n, w]; scratch [rows, w]
void pool_backward(struct ctx *ctx, const struct norm *norm, enum pool_how how, view dx, view dy,
                   const struct pool_tape *t, view scratch, const struct seqs *seqs);

#endif
