// SPDX-License-Identifier: Apache-2.0
// One block of HN-NCE: the scores by the table's product, then the statistics or the gradient.
#include "kernel/hn.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernel/inner.h"

static const struct hn_rows *rows_of(const struct ctx *ctx)
{
    if (ctx->real == F64)
        return &hn_rows_f64;
#if defined(__x86_64__)
    static const struct {
        const char *isa;
        const struct hn_rows *rows;
    } variants[] = {{"avx2", &hn_rows_avx2}, {"avx512", &hn_rows_avx512}};
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        if (strcmp(ctx->table.isa, variants[i].isa) == 0)
            return variants[i].rows;
#endif
    return &hn_rows_f32;
}

void hn_join(struct hn_stats to, int64_t i, double beta, double ref, double hard, double soft)
{
    double old = to.ref[i];
    if (ref > old) {
        to.hard[i] = to.hard[i] * exp((1 + beta) * (old - ref)) + hard;
        to.soft[i] = to.soft[i] * exp(beta * (old - ref)) + soft;
        to.ref[i] = ref;
    } else {
        to.hard[i] += hard * exp((1 + beta) * (ref - old));
        to.soft[i] += soft * exp(beta * (ref - old));
    }
}

static double get(view v, int64_t i) { return v.type == F64 ? ((const double *)v.at)[i] : ((const float *)v.at)[i]; }

static void put(view v, int64_t i, double x)
{
    if (v.type == F64)
        ((double *)v.at)[i] = x;
    else
        ((float *)v.at)[i] = (float)x;
}

// The pairs that lie in this block, rows from .. to-1; row i's partner is column i + *shift.
static void pairs(const struct hn_block *b, int64_t *from, int64_t *to, int64_t *shift)
{
    *shift = b->row0 - b->col0;
    *from = *shift < 0 ? -*shift : 0;
    *to = least(b->m, b->n - *shift);
}

// scores = factor x t', the pairs themselves and the columns past n at -infinity; their scores kept when `keep`.
static void fill_scores(struct ctx *ctx, const struct hn_block *b, bool keep)
{
    int64_t stride = hn_stride(b->n), from, to, shift;
    assert(b->m <= HN_TILE && b->n <= HN_TILE);
    ctx->table.gemm(ctx, false, true, b->m, b->n, b->d, b->factor, b->x, b->d, b->t, b->d, 0, b->scores, stride);
    for (int64_t i = 0; i < b->m; i++)
        for (int64_t j = b->n; j < stride; j++)
            put(b->scores, i * stride + j, -INFINITY);
    pairs(b, &from, &to, &shift);
    for (int64_t i = from; i < to; i++) {
        int64_t at = i * stride + i + shift;
        if (keep)
            b->row.pos[i] = b->col.pos[i + shift] = get(b->scores, at);
        put(b->scores, at, -INFINITY);
    }
}

void whole_hn_tile(struct ctx *ctx, const struct hn_block *b)
{
    fill_scores(ctx, b, true);
    rows_of(ctx)->forward(b);
}

void whole_hn_tile_backward(struct ctx *ctx, const struct hn_block *b)
{
    int64_t stride = hn_stride(b->n), from, to, shift;
    fill_scores(ctx, b, false);
    rows_of(ctx)->backward(b);
    pairs(b, &from, &to, &shift);
    for (int64_t i = from; i < to; i++)
        put(b->scores, i * stride + i + shift, -b->row.ref[i] - b->col.ref[i + shift]);
    double scale = b->scale * b->factor;
    if (b->dx.at)
        ctx->table.gemm(ctx, false, false, b->m, b->d, b->n, scale, b->scores, stride, b->t, b->d, 1, b->dx, b->d);
    if (b->dt.at)
        ctx->table.gemm(ctx, true, false, b->n, b->d, b->m, scale, b->scores, stride, b->x, b->d, 1, b->dt, b->d);
}
