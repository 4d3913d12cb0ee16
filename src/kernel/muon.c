// SPDX-License-Identifier: Apache-2.0
// Muon, whole: a piece is one matrix from its gradient to its new values; the products inside it run on its worker alone.
#include "kernel/inner.h"

#include <math.h>

enum { ROUNDS = 5, UNIT = 16 };   // UNIT: elements, so that every part of the scratch starts on a cache line

// x <- A x + B (x x') x + C (x x')^2 x drives every singular value from (0, 1] to about 0.7 .. 1.2: Jordan's quintic
// (2024), whose slope at zero is steep rather than its limit exact.
static const double quintic_a = 3.4445, quintic_b = -4.7750, quintic_c = 2.0315;

static int64_t up(int64_t n) { return (n + UNIT - 1) / UNIT * UNIT; }

int64_t muon_scratch(int64_t rows, int64_t columns)
{
    int64_t side = least(rows, columns);
    return 2 * up(rows * columns) + 2 * up(side * side);
}

struct job {
    struct ctx *ctx;
    const struct muon_matrix *list;
    const struct muon *o;
    view scratch;
    int64_t room;   // elements of scratch a worker has
};

static void piece_muon(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    const struct inner *in = j->ctx->inner;
    const struct muon *o = j->o;
    const struct muon_matrix *p = &j->list[piece];
    int64_t rows = p->rows, columns = p->columns, n = rows * columns, side = least(rows, columns);
    bool tall = rows > columns;
    view x = view_at(j->scratch, worker * j->room), y = view_at(x, up(n)), a = view_at(y, up(n));   // a, b [side, side]
    view b = view_at(a, up(side * side));

    // Nesterov: x = g + momentum m, with m already moved by g
    in->scale(p->m.at, o->momentum, n);
    in->add(p->m.at, p->g.at, o->scale, n);
    memset(x.at, 0, (size_t)n * j->ctx->size);
    in->add(x.at, p->g.at, o->scale, n);
    in->add(x.at, p->m.at, o->momentum, n);

    in->scale(x.at, 1 / (sqrt(in->sum_squares(x.at, n)) + 1e-7), n);   // singular values <= the Frobenius norm = 1
    for (int i = 0; i < ROUNDS; i++) {
        linear_gemm(j->ctx, tall, !tall, side, side, tall ? rows : columns, 1, x, columns, x, columns, 0, a, side);
        linear_gemm(j->ctx, false, false, side, side, side, quintic_c, a, side, a, side, 0, b, side);
        in->add(b.at, a.at, quintic_b, side * side);
        if (tall)
            linear_gemm(j->ctx, false, false, rows, columns, side, 1, x, columns, b, side, 0, y, columns);
        else
            linear_gemm(j->ctx, false, false, rows, columns, side, 1, b, side, x, columns, 0, y, columns);
        in->add(y.at, x.at, quintic_a, n);
        view t = x;
        x = y;
        y = t;
    }
    in->scale(p->w.at, 1 - o->lr * p->decay, n);
    in->add(p->w.at, x.at, -o->lr * .2 * sqrt((double)(tall ? rows : columns)), n);
}

void whole_muon(struct ctx *ctx, const struct muon_matrix *list, int64_t n, const struct muon *o, view scratch, int64_t room)
{
    struct job j = {ctx, list, o, scratch, room};
    pool_run(ctx->pool, n, piece_muon, &j);
}
