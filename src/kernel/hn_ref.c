// SPDX-License-Identifier: Apache-2.0
// The specification of HN-NCE's elementwise part: plain loops, compiled for float and for double (REAL, ROWS come from
// the build), the sums in double.
#include <math.h>

#include "kernel/hn.h"

typedef REAL real;

// One anchor's negatives in this tile: `count` scores, `stride` apart.
static void forward_anchor(struct hn_stats to, int64_t i, const real *s, int64_t count, int64_t stride, double beta)
{
    double most = HN_LOWEST, hard = 0, soft = 0;
    for (int64_t j = 0; j < count; j++)
        most = s[j * stride] > most ? (double)s[j * stride] : most;
    for (int64_t j = 0; j < count; j++) {
        double z = s[j * stride] - most;
        if (z == -INFINITY)
            continue;   // the pair itself
        hard += exp((1 + beta) * z);
        soft += exp(beta * z);
    }
    hn_join(to, i, beta, most, hard, soft);
}

static void forward(const struct hn_block *b)
{
    const real *s = b->scores.at;
    int64_t stride = hn_stride(b->n);
    for (int64_t i = 0; i < b->m; i++)
        forward_anchor(b->row, i, s + i * stride, b->n, 1, b->beta);
    for (int64_t j = 0; j < b->n; j++)
        forward_anchor(b->col, j, s + j, b->m, stride, b->beta);
}

static double slope(struct hn_stats of, int64_t i, double s, double beta, bool stop)
{
    double hard = exp((1 + beta) * s - of.hard[i]);
    if (stop || beta == 0)
        return of.ref[i] * hard;
    return of.ref[i] * ((1 + beta) * hard - beta * exp(beta * s - of.soft[i]));
}

static void backward(const struct hn_block *b)
{
    real *s = b->scores.at;
    int64_t stride = hn_stride(b->n);
    for (int64_t i = 0; i < b->m; i++)
        for (int64_t j = 0; j < b->n; j++)
            s[i * stride + j] = (real)(slope(b->row, i, s[i * stride + j], b->beta, b->stop) +
                                       slope(b->col, j, s[i * stride + j], b->beta, b->stop));
}

const struct hn_rows ROWS = {forward, backward};
