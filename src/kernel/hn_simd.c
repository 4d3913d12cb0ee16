// SPDX-License-Identifier: Apache-2.0
// HN-NCE's elementwise part on vectors of 16 floats, compiled once for AVX2 and once for AVX-512.
//
// Where the anchors of a tile lie close to each other (nearly always), all of them share one reference score R, so that
// e^{(1+beta)(s-R)} and e^{beta(s-R)} serve rows and columns alike: two exponentials a score instead of four. Where
// they do not, each anchor has its own: slower, never wrong.
#include <math.h>
#include <string.h>

#include "kernel/hn.h"

typedef float vf __attribute__((vector_size(64)));
typedef float vf_any __attribute__((vector_size(64), aligned(4), may_alias));
typedef int vi __attribute__((vector_size(64)));

enum { VL = 16 };
static const double CLOSE = 40;   // e^-40 of the largest still sums to full precision, e^40 does not overflow

#define ALWAYS static inline __attribute__((always_inline))
ALWAYS vf load(const float *p) { return *(const vf_any *)p; }
ALWAYS void store(float *p, vf v) { *(vf_any *)p = v; }
ALWAYS vf all(float x) { return x - (vf){0}; }
ALWAYS vf pick(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
ALWAYS vf most(vf a, vf b) { return pick(a > b, a, b); }

ALWAYS float sum(vf v)
{
    float x[VL];
    store(x, v);
    for (int half = VL / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            x[i] += x[i + half];
    return x[0];
}

ALWAYS float top(vf v)
{
    float x[VL], best = -INFINITY;
    store(x, v);
    for (int i = 0; i < VL; i++)
        best = x[i] > best ? x[i] : best;
    return best;
}

// e^x for x <= 0 and a little above, to 2 ulp (Cephes' polynomial); the smallest normal number below -87.3.
ALWAYS vf expv(vf x)
{
    x = most(x, all(-87.3f));
    vf shifted = x * 1.44269504f + 12582912.f;   // 1.5 * 2^23: the nearest integer ends in the low bits
    vf n = shifted - 12582912.f, r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    vf p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1;
    return (vf)((vi)p + ((vi)shifted << 23));
}

struct tile {
    float *s;
    int64_t m, n, stride;
    float beta, hard;   // beta, 1 + beta
};

ALWAYS void forward_shared(const struct tile *t, float ref, float *row_hard, float *row_soft, float *col_hard, float *col_soft,
                           bool soft)
{
    for (int64_t i = 0; i < t->m; i++) {
        vf hard_sum = {0}, soft_sum = {0};
        for (int64_t j = 0; j < t->stride; j += VL) {
            vf z = load(t->s + i * t->stride + j) - ref, h = expv(t->hard * z);
            hard_sum += h;
            store(col_hard + j, load(col_hard + j) + h);
            if (soft) {
                vf e = expv(t->beta * z);
                soft_sum += e;
                store(col_soft + j, load(col_soft + j) + e);
            }
        }
        row_hard[i] = sum(hard_sum);
        row_soft[i] = sum(soft_sum);
    }
}

ALWAYS void forward_own(const struct tile *t, const float *row_ref, const float *col_ref, float *row_hard, float *row_soft,
                        float *col_hard, float *col_soft, bool soft)
{
    for (int64_t i = 0; i < t->m; i++) {
        vf hard_sum = {0}, soft_sum = {0};
        for (int64_t j = 0; j < t->stride; j += VL) {
            vf s = load(t->s + i * t->stride + j), zr = s - row_ref[i], zc = s - load(col_ref + j);
            hard_sum += expv(t->hard * zr);
            store(col_hard + j, load(col_hard + j) + expv(t->hard * zc));
            if (soft) {
                soft_sum += expv(t->beta * zr);
                store(col_soft + j, load(col_soft + j) + expv(t->beta * zc));
            }
        }
        row_hard[i] = sum(hard_sum);
        row_soft[i] = sum(soft_sum);
    }
}

static void forward(const struct hn_block *b)
{
    struct tile t = {b->scores.at, b->m, b->n, hn_stride(b->n), (float)b->beta, (float)(1 + b->beta)};
    float row_ref[HN_TILE], col_ref[HN_TILE], row_hard[HN_TILE], row_soft[HN_TILE], col_hard[HN_TILE], col_soft[HN_TILE];
    float highest = (float)HN_LOWEST, lowest = INFINITY;
    bool soft = b->beta > 0;   // at beta 0 the soft sum is the count of negatives: hn_finish knows it
    for (int64_t j = 0; j < t.stride; j++) {
        col_ref[j] = (float)HN_LOWEST;
        col_hard[j] = col_soft[j] = 0;
    }
    for (int64_t i = 0; i < t.m; i++) {
        vf best = all((float)HN_LOWEST);
        for (int64_t j = 0; j < t.stride; j += VL) {
            vf s = load(t.s + i * t.stride + j);
            best = most(best, s);
            store(col_ref + j, most(load(col_ref + j), s));
        }
        row_ref[i] = top(best);
        highest = row_ref[i] > highest ? row_ref[i] : highest;
        lowest = row_ref[i] < lowest ? row_ref[i] : lowest;
    }
    for (int64_t j = 0; j < t.n; j++)
        lowest = col_ref[j] < lowest ? col_ref[j] : lowest;
    bool shared = t.hard * (highest - lowest) <= CLOSE;
    if (shared && soft)
        forward_shared(&t, highest, row_hard, row_soft, col_hard, col_soft, true);
    else if (shared)
        forward_shared(&t, highest, row_hard, row_soft, col_hard, col_soft, false);
    else
        forward_own(&t, row_ref, col_ref, row_hard, row_soft, col_hard, col_soft, soft);
    for (int64_t i = 0; i < t.m; i++)
        hn_join(b->row, i, b->beta, shared ? highest : row_ref[i], row_hard[i], row_soft[i]);
    for (int64_t j = 0; j < t.n; j++)
        hn_join(b->col, j, b->beta, shared ? highest : col_ref[j], col_hard[j], col_soft[j]);
}

// An anchor's two weights: share (1+beta) e^{(1+beta) R - lse_hard} and share beta e^{beta R - lse_soft}.
static void weights(float *hard, float *soft, struct hn_stats of, int64_t count, const struct hn_block *b, double ref)
{
    for (int64_t i = 0; i < count; i++) {
        hard[i] = (float)(of.ref[i] * (b->stop ? 1 : 1 + b->beta) * exp((1 + b->beta) * ref - of.hard[i]));
        soft[i] = b->stop || b->beta == 0 ? 0 : (float)(of.ref[i] * b->beta * exp(b->beta * ref - of.soft[i]));
    }
}

static void range(struct hn_stats of, int64_t count, double beta, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (int64_t i = 0; i < count; i++) {
        double hard = of.hard[i] / (1 + beta), soft = beta > 0 ? of.soft[i] / beta : hard;
        *low = fmin(*low, fmin(hard, soft));
        *high = fmax(*high, hard);
    }
}

ALWAYS void backward_shared(const struct tile *t, float ref, const float *row_hard, const float *row_soft,
                            const float *col_hard, const float *col_soft, bool soft)
{
    for (int64_t i = 0; i < t->m; i++)
        for (int64_t j = 0; j < t->stride; j += VL) {
            float *at = t->s + i * t->stride + j;
            vf z = load(at) - ref, g = expv(t->hard * z) * (row_hard[i] + load(col_hard + j));
            if (soft)
                g -= expv(t->beta * z) * (row_soft[i] + load(col_soft + j));
            store(at, g);
        }
}

// Each anchor with its own references, in units of the score: lse_hard / (1+beta), lse_soft / beta.
struct own { float hard[HN_TILE], soft[HN_TILE], share_hard[HN_TILE], share_soft[HN_TILE]; };

static void own_references(struct own *o, struct hn_stats of, int64_t count, const struct hn_block *b, bool soft)
{
    for (int64_t i = 0; i < count; i++) {
        o->hard[i] = (float)(of.hard[i] / (1 + b->beta));
        o->soft[i] = soft ? (float)of.soft[i] : 0;
        o->share_hard[i] = (float)(of.ref[i] * (b->stop ? 1 : 1 + b->beta));
        o->share_soft[i] = soft ? (float)(of.ref[i] * b->beta) : 0;
    }
    for (int64_t i = count; i < hn_stride(count); i++)
        o->hard[i] = o->soft[i] = o->share_hard[i] = o->share_soft[i] = 0;
}

static void backward_own(const struct tile *t, const struct hn_block *b, bool soft)
{
    struct own row, col;
    own_references(&row, b->row, t->m, b, soft);
    own_references(&col, b->col, t->n, b, soft);
    for (int64_t i = 0; i < t->m; i++)
        for (int64_t j = 0; j < t->stride; j += VL) {
            float *at = t->s + i * t->stride + j;
            vf s = load(at);
            vf g = row.share_hard[i] * expv(t->hard * (s - row.hard[i])) +
                   load(col.share_hard + j) * expv(t->hard * (s - load(col.hard + j)));
            if (soft)
                g -= row.share_soft[i] * expv(t->beta * s - row.soft[i]) +
                     load(col.share_soft + j) * expv(t->beta * s - load(col.soft + j));
            store(at, g);
        }
}

static void backward(const struct hn_block *b)
{
    struct tile t = {b->scores.at, b->m, b->n, hn_stride(b->n), (float)b->beta, (float)(1 + b->beta)};
    bool soft = b->beta > 0 && !b->stop;
    double low, high, col_low, col_high;
    range(b->row, t.m, b->beta, &low, &high);
    range(b->col, t.n, b->beta, &col_low, &col_high);
    double ref = fmin(high, col_high);   // no negative of the tile scores higher
    if ((1 + b->beta) * (ref - fmin(low, col_low)) > CLOSE) {
        backward_own(&t, b, soft);
        return;
    }
    float row_hard[HN_TILE], row_soft[HN_TILE], col_hard[HN_TILE] = {0}, col_soft[HN_TILE] = {0};
    float near = (float)ref;
    weights(row_hard, row_soft, b->row, t.m, b, near);
    weights(col_hard, col_soft, b->col, t.n, b, near);
    if (soft)
        backward_shared(&t, near, row_hard, row_soft, col_hard, col_soft, true);
    else
        backward_shared(&t, near, row_hard, row_soft, col_hard, col_soft, false);
}

const struct hn_rows ROWS = {forward, backward};
