// SPDX-License-Identifier: Apache-2.0
// A pre-norm transformer block: attention half, MLP half.
#ifndef NN_BLOCK_H
#define NN_BLOCK_H

#include "nn/attention.h"
#include "nn/mlp.h"

struct block {
    struct attention attention;
    struct mlp mlp;
};

struct block_tape {
    struct attention_tape attention;
    struct mlp_tape mlp;      // mlp.x is where the attention half's result goes
};

struct block_scratch {
    struct attention_scratch attention;
    struct mlp_scratch mlp;   // may share memory with the attention's: the halves take turns
};

// y [rows, w], or with `pooled` [n, w]
void block_forward(struct ctx *ctx, const struct block *b, view y, const struct block_tape *t,
                   const struct block_scratch *s, const struct seqs *seqs, bool pooled);
// dy comes in and is used up. Whole: dx is dy's memory. Pooled: dx [rows, w], dy [n, w] lie apart.
void block_backward(struct ctx *ctx, const struct block *b, view dx, view dy, const struct block_tape *t,
                    const struct block_scratch *s, const struct seqs *seqs, bool pooled);

#endif
