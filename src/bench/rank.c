// SPDX-License-Identifier: Apache-2.0
// a pictures and a captions, b wide: every score counted in both directions, block by block in rounds that share neither
// rows nor columns. The product alone: c of the rows by all columns, prepared, into the same small place again and again.
#include "bench/rank.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/threads.h"

enum { SEED = 3, BLOCK = 1536, BAND = 16 };   // the product's blocks; blocks along a band

struct rank {
    struct ctx *ctx;
    view x, t, y;                     // [n, d] twice; [BLOCK, BLOCK]
    float *score;                     // [n] of the pairs
    int32_t *own;                     // [n]
    int64_t *counts;                  // [4, n]
    struct weight **weight;           // the product's: columns, a block each
    int64_t n, d, rows, blocks, side, row0, col0, round;   // side: of a block of scores, all about as long
};

void rank_close(void *state)
{
    struct rank *r = state;
    if (!r)
        return;
    for (int64_t i = 0; r->weight && i < r->blocks; i++)
        if (r->weight[i])
            ctx_kernels(r->ctx)->weight_free(r->weight[i]);
    ctx_free(r->ctx, r->x);
    ctx_free(r->ctx, r->t);
    ctx_free(r->ctx, r->y);
    free(r->weight);
    free(r->score);
    free(r->own);
    free(r->counts);
    free(r);
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

struct fill { struct rank *r; view v; };
enum { FILL = 4096 };

static void piece_fill(void *arg, int64_t p, int worker)
{
    struct fill *f = arg;
    struct rng g = rng_make(SEED, (uint64_t)p);
    float *v = (float *)f->v.at + p * FILL;
    for (int64_t i = 0, n = least(FILL, f->r->n * f->r->d - p * FILL); i < n; i++)
        v[i] = (float)rng_below(&g, 2001) / 1000 - 1;
}

int rank_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop)
{
    struct rank *r = *state = calloc(1, sizeof *r);
    if (!r)
        return FAIL(EMEMORY_, "out of memory");
    *r = (struct rank){.ctx = ctx, .n = s->a, .d = s->b, .rows = s->c ? s->c : s->a, .blocks = (s->a + BLOCK - 1) / BLOCK};
    r->side = (r->n + r->blocks - 1) / r->blocks;
    size_t n = (size_t)r->n;
    r->x = ctx_alloc(ctx, F32, r->n * r->d);
    r->t = ctx_alloc(ctx, F32, r->n * r->d);
    r->y = ctx_alloc(ctx, F32, BLOCK * BLOCK);
    r->score = malloc(n * sizeof *r->score);
    r->own = malloc(n * sizeof *r->own);
    r->counts = calloc(4 * n, sizeof *r->counts);
    if (!r->x.at || !r->t.at || !r->y.at || !r->score || !r->own || !r->counts)
        return FAIL(EMEMORY_, "out of memory: %s", s->name);
    struct fill fill[] = {{r, r->x}, {r, r->t}};
    for (int i = 0; i < 2; i++)
        pool_run(ctx_pool(ctx), (r->n * r->d + FILL - 1) / FILL, piece_fill, &fill[i]);
    for (int64_t i = 0; i < r->n; i++)
        r->own[i] = (int32_t)i;
    *work = (double)r->rows / (double)r->n;
    *flop = 2. * (double)r->rows * (double)r->n * (double)r->d;
    if (!s->c)
        return 0;
    r->weight = calloc((size_t)r->blocks, sizeof *r->weight);
    for (int64_t b = 0; r->weight && b < r->blocks; b++) {
        int64_t columns = least(BLOCK, r->n - b * BLOCK);
        r->weight[b] = ctx_kernels(ctx)->weight_new(ctx, view_at(r->t, b * BLOCK * r->d), columns, r->d);
        if (!r->weight[b])
            return EMEMORY_;
        ctx_kernels(ctx)->linear(ctx, r->y, r->x, r->weight[b], NO_VIEW, 1, NULL);   // prepares it
    }
    return r->weight ? 0 : FAIL(EMEMORY_, "out of memory");
}

int rank_product_run(void *state)
{
    struct rank *r = state;
    for (int64_t b = 0; b < r->blocks; b++)
        for (int64_t row = 0; row < r->rows; row += BLOCK)
            ctx_kernels(r->ctx)->linear(r->ctx, r->y, view_at(r->x, row * r->d), r->weight[b], NO_VIEW,
                                        least(BLOCK, r->rows - row), NULL);
    return 0;
}

static void piece_tile(void *arg, int64_t p, int worker)
{
    struct rank *r = arg;
    int64_t row = r->row0 + p * r->side, col = r->col0 + (p + r->round) % BAND * r->side;
    if (row >= r->n || col >= r->n)
        return;
    struct rank_block b = {
        .q = view_at(r->x, row * r->d), .c = view_at(r->t, col * r->d), .m = least(r->side, r->n - row),
        .n = least(r->side, r->n - col), .d = r->d, .threshold = r->score + row, .col_threshold = r->score + col,
        .above = r->counts + row, .equal = r->counts + r->n + row, .col_above = r->counts + 2 * r->n + col,
        .col_equal = r->counts + 3 * r->n + col,
    };
    ctx_kernels(r->ctx)->rank_tile(r->ctx, &b);
}

int rank_run(void *state)
{
    struct rank *r = state;
    ctx_kernels(r->ctx)->rank_pairs(r->ctx, r->score, r->x, r->t, r->own, r->own, r->n, r->d);
    for (r->row0 = 0; r->row0 < r->n; r->row0 += BAND * r->side)
        for (r->col0 = 0; r->col0 < r->n; r->col0 += BAND * r->side)
            for (r->round = 0; r->round < BAND; r->round++)
                pool_run(ctx_pool(r->ctx), BAND, piece_tile, r);
    for (int64_t i = 0; i < r->n; i++)
        if (r->counts[r->n + i] < 1)
            return FAIL(EUSAGE_, "picture %lld's own score was not met again", (long long)i);
    return 0;
}
