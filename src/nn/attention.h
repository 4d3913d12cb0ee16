// SPDX-License-Identifier: Apache-2.0
// The attention half of a block: y = x + out(attend(qkv(ln(x)))).
//
// Two forms. Whole: every row asks. Pooled: in the last block only the pooled row of each sequence is ever looked at
// again, so only it needs a query, an output projection and what follows; keys and values are still made for all rows.
#ifndef NN_ATTENTION_H
#define NN_ATTENTION_H

#include "nn/linear.h"
#include "nn/norm.h"
#include "nn/seqs.h"

struct attention {
    struct norm norm;
    struct linear qkv;      // [3 w, w]: queries, keys, values
    struct linear q, kv;    // its first w and its last 2 w rows, prepared apart; weight NULL: only the whole form
    struct linear out;      // [w, w]
    int heads, dim;         // w = heads * dim
    bool causal;
};

// What the backward pass needs. rows R, sequences N; the statistics are absent without one.
struct attention_tape {
    view x;              // [R, w] the half's input
    view mean, rstd;     // [R]
    view q;              // pooled: [N, w]
    view qkv;            // whole: [R, 3 w]; pooled: keys and values [R, 2 w]
    view att, lse;       // [R or N, w], [R or N, heads]
};

// Memory of one pass, for whatever layer is at work.
struct attention_scratch {
    view ln;             // [R, w]
    view ln_pooled;      // [N, w]
    view dln, datt;      // [R, w]: backward only, as all below
    view dln_pooled;     // [N, w]
    view dq;             // [N, w]
    view dqkv;           // [R, 3 w]
};

// y [R, w]; may be t->x itself when there is no backward pass.
void attention_forward(struct ctx *ctx, const struct attention *a, view y, const struct attention_tape *t,
                       const struct attention_scratch *s, const struct seqs *seqs);
// y [N, w]
void attention_forward_pooled(struct ctx *ctx, const struct attention *a, view y, const struct attention_tape *t,
                              const struct attention_scratch *s, const struct seqs *seqs);
// In place: d [R, w] comes in as dy and goes out as dx.
void attention_backward(struct ctx *ctx, const struct attention *a, view d, const struct attention_tape *t,
                        const struct attention_scratch *s, const struct seqs *seqs);
// dx [R, w] = from dy [N, w]
void attention_backward_pooled(struct ctx *ctx, const struct attention *a, view dx, view dy,
                               const struct attention_tape *t, const struct attention_scratch *s,
                               const struct seqs *seqs);

#endif
