// SPDX-License-Identifier: Apache-2.0
// Attention, whole: a piece is one sequence and one head.
#include <math.h>

#include "kernel/engine.h"

// Fewer keys are packed in more time than narrow scores save.
enum { NARROW_KEYS = 128 };

struct job {
    struct ctx *ctx;
    struct attend base;        // pointers to row 0, head 0
    const struct span *spans;
    int heads;
    const struct engine *narrow;
};

static struct attend one(const struct job *j, int64_t piece, int worker)
{
    const struct span *s = &j->spans[piece / j->heads];
    int64_t head = piece % j->heads, column = head * j->base.dim;
    size_t size = j->ctx->size;
    struct attend a = j->base;
    a.q = step(a.q, s->q0 * a.ldq + column, size);
    a.k = step(a.k, s->k0 * a.ldk + column, size);
    a.v = step(a.v, s->k0 * a.ldv + column, size);
    a.dq = step(a.dq, s->q0 * a.ldq + column, size);
    a.dk = step(a.dk, s->k0 * a.ldk + column, size);
    a.dv = step(a.dv, s->k0 * a.ldv + column, size);
    a.out = step(a.out, s->q0 * a.ldo + column, size);
    a.dout = step(a.dout, s->q0 * a.ldo + column, size);
    a.lse = step(a.lse, s->q0 * a.ld_lse + head, size);
    a.nq = s->nq;
    a.nk = s->nk;
    a.pos = s->pos;
    a.narrow = s->nk >= NARROW_KEYS ? j->narrow : NULL;
    a.scratch = ctx_scratch(j->ctx, worker);
    return a;
}

static void piece_forward(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    struct attend a = one(j, piece, worker);
    j->ctx->inner->attention(&a);
}

static void piece_backward(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    struct attend a = one(j, piece, worker);
    j->ctx->inner->attention_backward(&a);
}

void whole_attention(struct ctx *ctx, view out, view lse, view q, int64_t ldq, view k, int64_t ldk, view v, int64_t ldv,
                     const struct span *spans, int64_t nspans, int heads, int dim, bool causal)
{
    assert(dim > 0 && dim <= ATTENTION_DIM);
    struct job j = {.ctx = ctx, .spans = spans, .heads = heads, .base = {
        .q = q.at, .k = k.at, .v = v.at, .ldq = ldq, .ldk = ldk, .ldv = ldv, .out = out.at, .lse = lse.at,
        .ldo = (int64_t)heads * dim, .ld_lse = heads, .dim = dim, .causal = causal, .factor = 1 / sqrt(dim)}};
    // pictures, and not in training: its backward pass makes the scores again, in float
    if (ctx->engine->holds != ctx->real && !lse.at && !causal)
        j.narrow = ctx->engine;
    pool_run(ctx->pool, nspans * heads, piece_forward, &j);
}

void whole_attention_backward(struct ctx *ctx, view dq, view dk, view dv, view dout, view out, view lse, view q, int64_t ldq,
                              view k, int64_t ldk, view v, int64_t ldv, const struct span *spans, int64_t nspans, int heads,
                              int dim, bool causal)
{
    assert(dim > 0 && dim <= ATTENTION_DIM);
    struct job j = {.ctx = ctx, .spans = spans, .heads = heads, .base = {
        .q = q.at, .k = k.at, .v = v.at, .ldq = ldq, .ldk = ldk, .ldv = ldv, .out = out.at, .lse = lse.at, .dq = dq.at,
        .dk = dk.at, .dv = dv.at, .dout = dout.at, .ldo = (int64_t)heads * dim, .ld_lse = heads, .dim = dim,
        .causal = causal, .factor = 1 / sqrt(dim)}};
    pool_run(ctx->pool, nspans * heads, piece_backward, &j);
}
