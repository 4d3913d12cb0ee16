// SPDX-License-Identifier: Apache-2.0
#include "nn/block.h"

#include <assert.h>

void block_forward(struct ctx *ctx, const struct block *b, view y, const struct block_tape *t,
                   const struct block_scratch *s, const struct seqs *seqs, bool pooled)
{
    if (pooled)
        attention_forward_pooled(ctx, &b->attention, t->mlp.x, &t->attention, &s->attention, seqs);
    else
        attention_forward(ctx, &b->attention, t->mlp.x, &t->attention, &s->attention, seqs);
    mlp_forward(ctx, &b->mlp, y, &t->mlp, &s->mlp, pooled ? seqs->n : seqs->rows);
}

void block_backward(struct ctx *ctx, const struct block *b, view dx, view dy, const struct block_tape *t,
                    const struct block_scratch *s, const struct seqs *seqs, bool pooled)
{
    assert(pooled == (dx.at != dy.at));
    mlp_backward(ctx, &b->mlp, dy, &t->mlp, &s->mlp, pooled ? seqs->n : seqs->rows);
    if (pooled)
        attention_backward_pooled(ctx, &b->attention, dx, dy, &t->attention, &s->attention, seqs);
    else
        attention_backward(ctx, &b->attention, dx, &t->attention, &s->attention, seqs);
}
