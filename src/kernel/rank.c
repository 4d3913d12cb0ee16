// SPDX-License-Identifier: Apache-2.0
// Ranks by counting. A product sums over k in order whatever the block, and rank_tile and rank_pairs cut k alike, so a
// pair's score has the same bits wherever it is formed: equal scores are ties, never rounding.
#include <math.h>

#include "kernel/engine.h"
#include "kernel/rank.h"

enum {
    VL = 16,                             // floats of a line
    // A tile of scores, counted while it is in the second-level cache. Rows come from farther off once for so many columns.
    ROWS = 112, COLUMNS_AT_ONCE = 768,
    WIDEST = 8192,                       // rows up to here are multiplied in one go; longer ones by the table's gemm
};

struct counts { int32_t above[COLUMNS_AT_ONCE], equal[COLUMNS_AT_ONCE]; } __attribute__((aligned(64)));

static rank_count_fn *count_of(const struct ctx *ctx)
{
#if defined(__x86_64__)
    if (strcmp(ctx->table.isa, "avx512") == 0)
        return rank_count_avx512;
    if (strcmp(ctx->table.isa, "avx2") == 0)
        return rank_count_avx2;
#endif
    return rank_count_plain;
}

// --- scores --------------------------------------------------------------------------------------------------------
// A thread's place for products of up to `m` rows by `n` columns: the columns packed once for many rows, which are read
// as they lie. Only rows 2 or 4 KiB apart, which push each other out of the cache, are copied a line apart.
struct desk {
    struct ctx *ctx;
    const struct engine *engine;
    int64_t d, m, n, stride;
    char *columns;
    float *rows;               // NULL: as they lie
};

static struct desk desk_of(struct ctx *ctx, int64_t d)
{
    int64_t room = WORKER_SCRATCH;
    struct desk k = {.ctx = ctx, .engine = &ctx->inner->engine, .d = d, .m = ROWS, .n = COLUMNS_AT_ONCE};
    int worker = pool_worker(ctx->pool);
    k.columns = worker < 0 ? ctx->shared : ctx_scratch(ctx, worker);
    if (d > WIDEST)
        return k;
    if (d % 512 == 0) {
        k.stride = d + LINE / (int64_t)sizeof(float);
        k.m = least(k.m, room / 2 / (k.stride * (int64_t)sizeof(float)));
        room -= k.m * k.stride * (int64_t)sizeof(float);
        k.rows = (float *)(k.columns + room);
    }
    if (k.engine->panel)
        k.n = least(k.n, room / engine_panel(k.engine, d) * k.engine->panel);
    return k;
}

static void lay_columns(const struct desk *k, const float *c, int64_t n)
{
    if (k->engine->panel && k->d <= WIDEST)
        k->engine->pack(k->columns, c, 1, k->d, k->d, n);
}

// scores [m, stride] = q c' with the columns that were laid last.
static void form(const struct desk *k, float *scores, int64_t stride, const float *q, int64_t m, const float *c, int64_t n)
{
    if (k->d > WIDEST) {
        k->ctx->table.gemm(k->ctx, false, true, m, n, k->d, 1, (view){(void *)q, F32}, k->d, (view){(void *)c, F32}, k->d, 0,
                           (view){scores, F32}, stride);
        return;
    }
    struct product p = {.m = m, .n = n, .k = k->d, .a = q, .a_row = k->d, .a_k = 1, .b = c, .b_k = 1, .b_col = k->d,
                        .packed = k->columns, .c = scores, .c_row = stride, .alpha = 1};
    if (k->rows && m > 1) {
        for (int64_t i = 0; i < m; i++)
            memcpy(k->rows + i * k->stride, q + i * k->d, (size_t)k->d * sizeof(float));
        p.a = k->rows;
        p.a_row = k->stride;
    }
    k->engine->product(&p);
}

void whole_rank_tile(struct ctx *ctx, const struct rank_block *b)
{
    float scores[ROWS * COLUMNS_AT_ONCE] __attribute__((aligned(64)));
    float threshold[COLUMNS_AT_ONCE] __attribute__((aligned(64)));
    struct counts col;
    struct desk desk = desk_of(ctx, b->d);
    rank_count_fn *count = count_of(ctx);
    assert(b->q.type == F32 && b->c.type == F32);
    for (int64_t j = 0; j < b->n; j += desk.n) {
        const float *c = (const float *)b->c.at + j * b->d;
        int64_t n = least(desk.n, b->n - j), stride = pieces_of(n, VL) * VL;
        memset(&col, 0, sizeof col);
        for (int64_t l = 0; l < stride; l++)
            threshold[l] = b->col_threshold && l < n ? b->col_threshold[j + l] : INFINITY;
        lay_columns(&desk, c, n);
        for (int64_t i = 0; i < b->m; i += desk.m) {
            int64_t m = least(desk.m, b->m - i);
            form(&desk, scores, stride, (const float *)b->q.at + i * b->d, m, c, n);
            for (int64_t r = 0; r < m; r++)
                for (int64_t l = n; l < stride; l++)
                    scores[r * stride + l] = -INFINITY;
            count(&(struct rank_tile){scores, m, stride, b->threshold + i, threshold, b->above + i, b->equal + i, col.above, col.equal});
        }
        for (int64_t l = 0; l < n && b->col_threshold; l++) {
            b->col_above[j + l] += col.above[l];
            b->col_equal[j + l] += col.equal[l];
        }
    }
}

struct pairs {
    struct ctx *ctx;
    float *out;
    const float *q, *c;
    const int32_t *qi, *ci;
    int64_t n, d;
};
enum { PAIRS = 1024, RUN = 32 };

// Candidates that follow each other are packed together, and every query of theirs multiplies them all.
static void piece_pairs(void *arg, int64_t p, int worker)
{
    const struct pairs *j = arg;
    struct desk desk = desk_of(j->ctx, j->d);
    float scores[RUN];
    int64_t end = least(j->n, (p + 1) * PAIRS), run;
    for (int64_t i = p * PAIRS; i < end; i += run) {
        const float *c = j->c + j->ci[i] * j->d;
        for (run = 1; run < least(RUN, desk.n) && i + run < end && j->ci[i + run] == j->ci[i] + run; run++)
            ;
        lay_columns(&desk, c, run);
        for (int64_t r = 0; r < run; r++) {
            form(&desk, scores, RUN, j->q + j->qi[i + r] * j->d, 1, c, run);
            j->out[i + r] = scores[r];
        }
    }
}

void whole_rank_pairs(struct ctx *ctx, float *out, view q, view c, const int32_t *qi, const int32_t *ci, int64_t n, int64_t d)
{
    struct pairs j = {ctx, out, q.at, c.at, qi, ci, n, d};
    pool_run(ctx->pool, pieces_of(n, PAIRS), piece_pairs, &j);
}
