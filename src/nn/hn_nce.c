// SPDX-License-Identifier: Apache-2.0
// A rectangle of the score matrix is cut in K x L blocks and done in rounds: in round r, block row p meets block column
// (p + r) mod L. The blocks of a round share neither rows nor columns, so every worker writes where no other does, each
// sum grows in an order that the shape alone fixes, and nothing but one block of scores a worker is needed.
//
//     columns  0 1 2 3
//     row 0    a b c d       round a: four blocks at once, then b, then c, then d
//     row 1    d a b c
//     row 2    c d a b
//     row 3    b c d a
#include "nn/hn_nce.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/threads.h"

struct hn_nce {
    struct ctx *ctx;
    int64_t most;              // pairs
    view scores;               // threads x HN_TILE x HN_TILE
    struct hn_side rows, cols;
};

int hn_side_open(struct hn_side *s, int64_t first, int64_t count)
{
    *s = (struct hn_side){.first = first, .count = count};
    double *all = memory_zero((size_t)count * 4 * sizeof *all);
    if (!all)
        return EMEMORY_;
    s->stats = (struct hn_stats){all, all + count, all + 2 * count, all + 3 * count};
    return 0;
}

void hn_side_close(struct hn_side *s)
{
    if (s)
        free(s->stats.pos);
}

int hn_nce_open(struct hn_nce **out, struct ctx *ctx, int64_t n)
{
    *out = NULL;
    struct hn_nce *h = calloc(1, sizeof *h);
    if (!h)
        return FAIL(EMEMORY_, "out of memory: no room for the loss");
    h->ctx = ctx;
    h->most = n;
    h->scores = ctx_alloc(ctx, ctx_real(ctx), (int64_t)ctx_threads(ctx) * HN_TILE * HN_TILE);
    if (!h->scores.at || hn_side_open(&h->rows, 0, n) || hn_side_open(&h->cols, 0, n)) {
        hn_nce_close(h);
        return EMEMORY_;
    }
    *out = h;
    return 0;
}

void hn_nce_close(struct hn_nce *h)
{
    if (!h)
        return;
    if (h->scores.at)
        ctx_free(h->ctx, h->scores);
    hn_side_close(&h->rows);
    hn_side_close(&h->cols);
    free(h);
}

void hn_begin(struct hn_side *s)
{
    for (int64_t i = 0; i < s->count; i++) {
        s->stats.pos[i] = s->stats.hard[i] = s->stats.soft[i] = 0;
        s->stats.ref[i] = HN_LOWEST;
    }
}

// --- rounds --------------------------------------------------------------------------------------------------------
struct job {
    struct hn_nce *h;
    struct hn_block whole;     // the rectangle; a piece takes its block out of it
    int64_t block, row_blocks, col_blocks, round;
    void (*tile)(struct ctx *, const struct hn_block *);
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static void piece(void *arg, int64_t p, int worker)
{
    const struct job *j = arg;
    bool wide = j->col_blocks >= j->row_blocks;
    int64_t row = (wide ? p : (p + j->round) % j->row_blocks) * j->block;
    int64_t col = (wide ? (p + j->round) % j->col_blocks : p) * j->block;
    struct hn_block b = j->whole;
    b.x = view_at(b.x, row * b.d);
    b.dx = view_at(b.dx, row * b.d);
    b.t = view_at(b.t, col * b.d);
    b.dt = view_at(b.dt, col * b.d);
    b.row = hn_stats_at(b.row, row);
    b.col = hn_stats_at(b.col, col);
    b.row0 += row;
    b.col0 += col;
    b.m = least(j->block, b.m - row);
    b.n = least(j->block, b.n - col);
    b.scores = view_at(j->h->scores, (int64_t)worker * HN_TILE * HN_TILE);
    j->tile(j->h->ctx, &b);
}

// Small batches in 16 blocks a side, so that there is work for all; big ones in blocks that the cache holds.
static int64_t block_of(int64_t count)
{
    enum { SIDE = 16, SMALLEST = 64 };
    int64_t block = (count / SIDE + 15) / 16 * 16;
    return block < SMALLEST ? SMALLEST : block > HN_TILE ? HN_TILE : block;
}

static void run(struct job *j)
{
    const struct hn_block *w = &j->whole;
    j->block = block_of(w->m > w->n ? w->m : w->n);
    j->row_blocks = (w->m + j->block - 1) / j->block;
    j->col_blocks = (w->n + j->block - 1) / j->block;
    bool wide = j->col_blocks >= j->row_blocks;
    int64_t rounds = wide ? j->col_blocks : j->row_blocks, pieces = wide ? j->row_blocks : j->col_blocks;
    for (j->round = 0; j->round < rounds; j->round++)
        pool_run(ctx_pool(j->h->ctx), pieces, piece, j);
}

static struct hn_block rectangle(view x, view t, int64_t d, const struct hn_options *o, const struct hn_side *rows,
                                 const struct hn_side *cols)
{
    return (struct hn_block){
        .x = x, .t = t, .row0 = rows->first, .col0 = cols->first, .m = rows->count, .n = cols->count, .d = d,
        .factor = exp(o->logit_scale), .beta = o->beta, .row = rows->stats, .col = cols->stats, .stop = o->stop_gradient,
    };
}

void hn_tile(struct hn_nce *h, view x, view t, int64_t d, const struct hn_options *o, struct hn_side *rows,
             struct hn_side *cols)
{
    struct job j = {.h = h, .whole = rectangle(x, t, d, o, rows, cols), .tile = ctx_kernels(h->ctx)->hn_tile};
    run(&j);
}

void hn_backward_tile(struct hn_nce *h, view x, view t, int64_t d, const struct hn_options *o, const struct hn_side *rows,
                      const struct hn_side *cols, double scale, view dx, view dt)
{
    struct job j = {.h = h, .whole = rectangle(x, t, d, o, rows, cols), .tile = ctx_kernels(h->ctx)->hn_tile_backward};
    j.whole.dx = dx;
    j.whole.dt = dt;
    j.whole.scale = scale;
    run(&j);
}

double hn_finish(struct hn_side *s, int64_t n, const struct hn_options *o)
{
    struct hn_stats *st = &s->stats;
    double loss = 0, others = log((double)(n - 1));
    for (int64_t i = 0; i < s->count; i++) {
        double hard = (1 + o->beta) * st->ref[i] + log(st->hard[i]);
        double soft = o->beta == 0 ? others : o->beta * st->ref[i] + log(st->soft[i]);
        double negatives = others + hard - soft, positive = o->alpha > 0 ? log(o->alpha) + st->pos[i] : -INFINITY;
        // log(e^negatives + e^positive), and the negatives' share of it
        double apart = positive - negatives, all = fmax(negatives, positive) + log1p(exp(-fabs(apart)));
        loss += all - st->pos[i];
        st->hard[i] = hard;
        st->soft[i] = soft;
        st->ref[i] = 1 / (1 + exp(apart));
    }
    return loss;
}

// --- the drivers ---------------------------------------------------------------------------------------------------
// sum_i x_i . dx_i: the scores' gradient times the scores.
struct dot {
    view a, b;
    int64_t n;
    double *part;
};
enum { DOT = 1 << 16 };

static void piece_dot(void *arg, int64_t p, int worker)
{
    struct dot *j = arg;
    int64_t to = least(j->n, (p + 1) * DOT);
    double sum = 0;
    if (j->a.type == F64)
        for (int64_t i = p * DOT; i < to; i++)
            sum += ((const double *)j->a.at)[i] * ((const double *)j->b.at)[i];
    else
        for (int64_t i = p * DOT; i < to; i++)
            sum += (double)((const float *)j->a.at)[i] * ((const float *)j->b.at)[i];
    j->part[p] = sum;
}

static int dot(double *out, struct ctx *ctx, view a, view b, int64_t n)
{
    int64_t parts = (n + DOT - 1) / DOT;
    struct dot j = {a, b, n, memory_take((size_t)parts * sizeof *j.part)};
    if (!j.part)
        return EMEMORY_;
    pool_run(ctx_pool(ctx), parts, piece_dot, &j);
    *out = 0;
    for (int64_t i = 0; i < parts; i++)
        *out += j.part[i];
    free(j.part);
    return 0;
}

int hn_nce_run(struct hn_nce *h, view x, view t, int64_t n, int64_t d, const struct hn_options *o, double scale, view dx,
               view dt, struct hn_result *r)
{
    const struct kernels *k = ctx_kernels(h->ctx);
    struct hn_side *rows = &h->rows, *cols = &h->cols;
    if (n < 2 || n > h->most)
        return FAIL(EUSAGE_, "the loss was opened for 2 to %lld pairs, %lld were given", (long long)h->most, (long long)n);
    rows->count = cols->count = n;
    *r = (struct hn_result){0};
    hn_begin(rows);
    hn_begin(cols);
    hn_tile(h, x, t, d, o, rows, cols);
    r->i2t = hn_finish(rows, n, o);
    r->t2i = hn_finish(cols, n, o);
    if (!isfinite(r->i2t + r->t2i))
        return FAIL(EFORMAT_, "the loss is not a finite number (image-to-text %g, text-to-image %g): the features hold NaN or "
                              "infinite values, or the temperature %g is too small for them", r->i2t, r->t2i, exp(-o->logit_scale));
    if (!dx.at && !dt.at)
        return 0;
    if (dx.at)
        k->zero(h->ctx, dx, n * d);
    if (dt.at)
        k->zero(h->ctx, dt, n * d);
    hn_backward_tile(h, x, t, d, o, rows, cols, scale, dx, dt);
    return dx.at ? dot(&r->dlogit_scale, h->ctx, x, dx, n * d) : 0;
}

int hn_nce(struct ctx *ctx, view x, view t, int64_t n, int64_t d, const struct hn_options *o, double scale, view dx, view dt,
           struct hn_result *r)
{
    struct hn_nce *h;
    int rc = hn_nce_open(&h, ctx, n);
    if (!rc)
        rc = hn_nce_run(h, x, t, n, d, o, scale, dx, dt, r);
    hn_nce_close(h);
    return rc;
}
