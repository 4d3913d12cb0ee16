// SPDX-License-Identifier: Apache-2.0
// Linear maps and matrix products, whole.
//
// A weight is packed once for y = x w' (columns = outputs) and once, when a backward pass first asks, for dx = dy w
// (columns = inputs). A piece is a block of rows by a block of columns; every entry's sum runs over k in order, so
// neither the cut, nor the batch, nor the thread count shows in the bits.
#include "kernel/inner.h"

#include <stdlib.h>

#include "base/arena.h"

struct packed {
    void *at;          // NULL: not packed (no memory for it, or the table does not pack)
    bool fresh;
};

struct weight {
    view w;            // [out, in], borrowed
    int64_t out, in;
    struct packed forward, backward;
};

enum {
    CHUNK_BYTES = 512 << 10,   // of x that a piece holds in the second-level cache
    CHUNK_ROWS = 112,
    GRAIN = 28,                // rows come in multiples of this (but the last): whole register blocks
    TILE_ROWS = 112, TILE_COLUMNS = 384,   // of a piece of a general product
};

struct weight *linear_weight_new(struct ctx *ctx, view w, int64_t out, int64_t in)
{
    struct weight *weight = calloc(1, sizeof *weight);
    if (weight) {
        weight->w = w;
        weight->out = out;
        weight->in = in;
    }
    return weight;
}

void linear_weight_free(struct weight *w)
{
    if (!w)
        return;
    free(w->forward.at);
    free(w->backward.at);
    free(w);
}

void linear_weight_touch(struct weight *w)
{
    w->forward.fresh = w->backward.fresh = false;
}

struct job {
    struct ctx *ctx;
    struct product base;
    int64_t rows, columns;     // of a piece
    int64_t row_pieces;
};

// --- preparing -----------------------------------------------------------------------------------------------------
static void piece_pack(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    const struct product *b = &j->base;
    int64_t from = piece * j->columns;
    j->ctx->inner->pack(step(b->c, from * b->k, j->ctx->size), step(b->b, from * b->b_col, j->ctx->size), b->b_k, b->b_col,
                        b->k, least(j->columns, b->n - from));
}

// b [k, n] as the table likes it; NULL when it is to be used as it lies.
static const void *prepare(struct ctx *ctx, struct packed *p, const void *b, int64_t b_k, int64_t b_col, int64_t k, int64_t n)
{
    int64_t panel = ctx->inner->panel;
    if (!panel)
        return NULL;
    if (!p->at)
        p->at = memory_take((size_t)(pieces_of(n, panel) * panel * k) * ctx->size);
    if (p->at && !p->fresh) {
        struct job j = {.ctx = ctx, .columns = panel * 2, .base = {.c = p->at, .b = b, .b_k = b_k, .b_col = b_col, .k = k, .n = n}};
        pool_run(ctx->pool, pieces_of(n, j.columns), piece_pack, &j);
        p->fresh = true;
    }
    return p->at;
}

// --- products ------------------------------------------------------------------------------------------------------
static void piece_product(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    struct product p = j->base;
    size_t size = j->ctx->size;
    int64_t row = piece % j->row_pieces * j->rows, column = piece / j->row_pieces * j->columns;
    p.m = least(j->rows, p.m - row);
    p.n = least(j->columns, p.n - column);
    p.a = step(p.a, row * p.a_row, size);
    p.b = step(p.b, column * p.b_col, size);
    p.packed = step(p.packed, column * p.k, size);
    p.c = step(p.c, row * p.c_row + column, size);
    p.pre = step(p.pre, row * p.c_row + column, size);
    p.residual = step(p.residual, row * p.c_row + column, size);
    p.bias = step(p.bias, column, size);
    p.scratch = ctx_scratch(j->ctx, worker);
    j->ctx->inner->product(&p);
}

static void run(struct ctx *ctx, const struct product *p, int64_t rows, int64_t columns)
{
    struct job j = {.ctx = ctx, .base = *p, .rows = rows, .columns = columns, .row_pieces = pieces_of(p->m, rows)};
    if (p->m > 0 && p->n > 0)
        pool_run(ctx->pool, j.row_pieces * pieces_of(p->n, columns), piece_product, &j);
}

// Rows by a packed weight: long chunks of rows, and columns cut only where the rows alone do not fill the machine.
static void run_rows(struct ctx *ctx, const struct product *p)
{
    enum { PIECES = 32 };   // wished for; by the shape, not by the threads, but no harm if it were
    int64_t rows = least(CHUNK_ROWS, CHUNK_BYTES / (p->k * (int64_t)ctx->size)) / GRAIN * GRAIN;
    rows = rows < GRAIN ? GRAIN : rows;
    int64_t pieces = pieces_of(p->m, rows), panel = ctx->inner->panel ? ctx->inner->panel : 16;
    int64_t cuts = pieces_of(PIECES, pieces), columns = pieces_of(pieces_of(p->n, cuts), panel) * panel;
    columns = columns < 4 * panel ? 4 * panel : columns;
    run(ctx, p, rows, columns);
}

void linear_y(struct ctx *ctx, view y, view x, struct weight *w, view bias, int64_t rows, const struct tail *tail)
{
    struct product p = {.m = rows, .n = w->out, .k = w->in, .a = x.at, .a_row = w->in, .a_k = 1, .b = w->w.at, .b_k = 1,
                        .b_col = w->in, .c = y.at, .c_row = w->out, .alpha = 1, .bias = bias.at};
    if (tail) {
        p.act = tail->act;
        p.pre = tail->pre.at;
        p.residual = tail->residual.at;
    }
    p.packed = prepare(ctx, &w->forward, p.b, p.b_k, p.b_col, p.k, p.n);
    run_rows(ctx, &p);
}

void linear_dx(struct ctx *ctx, view dx, view dy, struct weight *w, int64_t rows, bool add)
{
    struct product p = {.m = rows, .n = w->in, .k = w->out, .a = dy.at, .a_row = w->out, .a_k = 1, .b = w->w.at, .b_k = w->in,
                        .b_col = 1, .c = dx.at, .c_row = w->in, .alpha = 1, .residual = add ? dx.at : NULL};
    p.packed = prepare(ctx, &w->backward, p.b, p.b_k, p.b_col, p.k, p.n);
    run_rows(ctx, &p);
}

void linear_gemm(struct ctx *ctx, bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, view a, int64_t lda, view b,
                 int64_t ldb, double beta, view c, int64_t ldc)
{
    struct product p = {.m = m, .n = n, .k = k, .a = a.at, .a_row = ta ? 1 : lda, .a_k = ta ? lda : 1, .b = b.at,
                        .b_k = tb ? 1 : ldb, .b_col = tb ? ldb : 1, .c = c.at, .c_row = ldc, .alpha = alpha, .beta = beta};
    run(ctx, &p, TILE_ROWS, TILE_COLUMNS);
}

static void piece_column_sums(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    int64_t from = piece * COLUMNS, n = least(COLUMNS, j->base.n - from);
    j->ctx->inner->column_sums(step(j->base.c, from, j->ctx->size), step(j->base.a, from, j->ctx->size), j->base.m, j->base.n, n);
}

void linear_dw(struct ctx *ctx, view dw, view dbias, view dy, view x, int64_t rows, int64_t out, int64_t in)
{
    linear_gemm(ctx, true, false, out, in, rows, 1, dy, out, x, in, 1, dw, in);
    if (dbias.at) {
        struct job j = {.ctx = ctx, .base = {.c = dbias.at, .a = dy.at, .m = rows, .n = out}};
        pool_run(ctx->pool, pieces_of(out, COLUMNS), piece_column_sums, &j);
    }
}
