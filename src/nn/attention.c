// SPDX-License-Identifier: Apache-2.0
#include "nn/attention.h"

void attention_forward(struct ctx *ctx, const struct attention *a, view y, const struct attention_tape *t,
                       const struct attention_scratch *s, const struct seqs *seqs)
{
    int64_t rows = seqs->rows, w = a->norm.width;
    norm_forward(ctx, &a->norm, s->ln, t->mean, t->rstd, t->x, rows);
    linear_forward(ctx, &a->qkv, t->qkv, s->ln, rows, NULL);
    ctx_kernels(ctx)->attention(ctx, t->att, t->lse, t->qkv, 3 * w, view_at(t->qkv, w), 3 * w, view_at(t->qkv, 2 * w),
                                3 * w, seqs->spans, seqs->n, a->heads, a->dim, a->causal);
    linear_forward(ctx, &a->out, y, t->att, rows, &(struct tail){.residual = t->x});
}

void attention_forward_pooled(struct ctx *ctx, const struct attention *a, view y, const struct attention_tape *t,
                              const struct attention_scratch *s, const struct seqs *seqs)
{
    const struct kernels *k = ctx_kernels(ctx);
    int64_t n = seqs->n, w = a->norm.width;
    norm_forward(ctx, &a->norm, s->ln, t->mean, t->rstd, t->x, seqs->rows);
    k->gather(ctx, s->ln_pooled, s->ln, seqs->pooled, n, w);
    linear_forward(ctx, &a->q, t->q, s->ln_pooled, n, NULL);
    linear_forward(ctx, &a->kv, t->qkv, s->ln, seqs->rows, NULL);
    k->attention(ctx, t->att, t->lse, t->q, w, t->qkv, 2 * w, view_at(t->qkv, w), 2 * w, seqs->queries, n, a->heads,
                 a->dim, a->causal);
    k->gather(ctx, y, t->x, seqs->pooled, n, w);
    linear_forward(ctx, &a->out, y, t->att, n, &(struct tail){.residual = y});
}

void attention_backward(struct ctx *ctx, const struct attention *a, view d, const struct attention_tape *t,
                        const struct attention_scratch *s, const struct seqs *seqs)
{
    int64_t rows = seqs->rows, w = a->norm.width;
    linear_backward(ctx, &a->out, s->datt, false, d, t->att, rows);
    ctx_kernels(ctx)->attention_backward(ctx, s->dqkv, view_at(s->dqkv, w), view_at(s->dqkv, 2 * w), s->datt, t->att,
                                         t->lse, t->qkv, 3 * w, view_at(t->qkv, w), 3 * w, view_at(t->qkv, 2 * w),
                                         3 * w, seqs->spans, seqs->n, a->heads, a->dim, a->causal);
    norm_forward(ctx, &a->norm, s->ln, NO_VIEW, NO_VIEW, t->x, rows);   // made again: cheaper than keeping it
    linear_backward(ctx, &a->qkv, s->dln, false, s->dqkv, s->ln, rows);
    norm_backward(ctx, &a->norm, d, true, s->dln, t->x, t->mean, t->rstd, rows);
}

void attention_backward_pooled(struct ctx *ctx, const struct attention *a, view dx, view dy,
                               const struct attention_tape *t, const struct attention_scratch *s,
                               const struct seqs *seqs)
{
    const struct kernels *k = ctx_kernels(ctx);
    int64_t n = seqs->n, rows = seqs->rows, w = a->norm.width;
    linear_backward(ctx, &a->out, s->datt, false, dy, t->att, n);
    k->attention_backward(ctx, s->dq, s->dqkv, view_at(s->dqkv, w), s->datt, t->att, t->lse, t->q, w, t->qkv, 2 * w,
                          view_at(t->qkv, w), 2 * w, seqs->queries, n, a->heads, a->dim, a->causal);
    norm_forward(ctx, &a->norm, s->ln, NO_VIEW, NO_VIEW, t->x, rows);
    k->gather(ctx, s->ln_pooled, s->ln, seqs->pooled, n, w);
    linear_backward(ctx, &a->kv, s->dln, false, s->dqkv, s->ln, rows);
    linear_backward(ctx, &a->q, s->dln_pooled, false, s->dq, s->ln_pooled, n);
    k->scatter(ctx, s->dln, true, s->dln_pooled, seqs->pooled, n, rows, w);
    norm_backward(ctx, &a->norm, dx, false, s->dln, t->x, t->mean, t->rstd, rows);
    k->scatter(ctx, dx, true, dy, seqs->pooled, n, rows, w);   // the residual way around
}
