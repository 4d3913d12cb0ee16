// SPDX-License-Identifier: Apache-2.0
// Ranks by counting. The table's product sums over k in order whatever the block, so a pair's score has the same bits
// here, in any other block and in rank_pairs: equal scores are ties, never rounding.
#include <math.h>

#include "kernel/inner.h"

typedef float vf __attribute__((vector_size(64)));
typedef int vi __attribute__((vector_size(64)));

enum { VL = 16, ROWS = 128, COLUMNS_AT_ONCE = 384 };

struct counts { int32_t above[COLUMNS_AT_ONCE], equal[COLUMNS_AT_ONCE]; } __attribute__((aligned(64)));

static int64_t lanes(vi v)
{
    int64_t sum = 0;
    for (int i = 0; i < VL; i++)
        sum += v[i];
    return sum;
}

// scores [m, stride]: whole vectors, the columns past the last at -infinity.
static void count(const struct rank_block *b, int64_t row, int64_t m, int64_t stride, const float *scores,
                  const float *col_threshold, struct counts *col)
{
    for (int64_t i = 0; i < m; i++) {
        const vf *s = (const vf *)(scores + i * stride), *ct = (const vf *)col_threshold;
        vi *ca = (vi *)col->above, *ce = (vi *)col->equal, above = {0}, equal = {0};
        float threshold = b->threshold[row + i];
        for (int64_t j = 0; j < stride / VL; j++) {
            above -= s[j] > threshold;
            equal -= s[j] == threshold;
            ca[j] -= s[j] > ct[j];
            ce[j] -= s[j] == ct[j];
        }
        b->above[row + i] += lanes(above);
        b->equal[row + i] += lanes(equal);
    }
}

void whole_rank_tile(struct ctx *ctx, const struct rank_block *b)
{
    float scores[ROWS * COLUMNS_AT_ONCE] __attribute__((aligned(64)));
    float threshold[COLUMNS_AT_ONCE] __attribute__((aligned(64)));
    struct counts col;
    assert(b->q.type == F32 && b->c.type == F32);
    for (int64_t j = 0; j < b->n; j += COLUMNS_AT_ONCE) {
        int64_t n = least(COLUMNS_AT_ONCE, b->n - j), stride = pieces_of(n, VL) * VL;
        memset(&col, 0, sizeof col);
        for (int64_t l = 0; l < stride; l++)
            threshold[l] = b->col_threshold && l < n ? b->col_threshold[j + l] : INFINITY;
        for (int64_t i = 0; i < b->m; i += ROWS) {
            int64_t m = least(ROWS, b->m - i);
            ctx->table.gemm(ctx, false, true, m, n, b->d, 1, view_at(b->q, i * b->d), b->d, view_at(b->c, j * b->d), b->d, 0,
                            (view){scores, F32}, stride);
            for (int64_t r = 0; r < m; r++)
                for (int64_t l = n; l < stride; l++)
                    scores[r * stride + l] = -INFINITY;
            count(b, i, m, stride, scores, threshold, &col);
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
    view q, c;
    const int32_t *qi, *ci;
    int64_t n, d;
};
enum { PAIRS = 1024 };

static void piece_pairs(void *arg, int64_t p, int worker)
{
    const struct pairs *j = arg;
    for (int64_t i = p * PAIRS; i < least(j->n, (p + 1) * PAIRS); i++)
        j->ctx->table.gemm(j->ctx, false, true, 1, 1, j->d, 1, view_at(j->q, j->qi[i] * j->d), j->d,
                           view_at(j->c, j->ci[i] * j->d), j->d, 0, (view){j->out + i, F32}, 1);
}

void whole_rank_pairs(struct ctx *ctx, float *out, view q, view c, const int32_t *qi, const int32_t *ci, int64_t n, int64_t d)
{
    struct pairs j = {ctx, out, q, c, qi, ci, n, d};
    pool_run(ctx->pool, pieces_of(n, PAIRS), piece_pairs, &j);
}
