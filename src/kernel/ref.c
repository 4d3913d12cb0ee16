// SPDX-License-Identifier: Apache-2.0
// The specification: plain loops, compiled for float and for double (REAL, TABLE come from the build). Every faster row
// answers to this one in tests/kernels.
#include <math.h>

#include "kernel/engine.h"

typedef REAL real;

// --- activations ---------------------------------------------------------------------------------------------------
static double act_value(enum activation act, double x)
{
    if (act == ACT_GELU)
        return 0.5 * x * (1 + erf(x * M_SQRT1_2));
    if (act == ACT_QUICK_GELU)
        return x / (1 + exp(-1.702 * x));
    return x;
}

static double gelu_coarsely(double x)
{
    double z = fmin(fmax(x, -GELU_END), GELU_END), q = 0;
    for (int i = GELU_TERMS - 1; i >= 0; i--)
        q = q * (z * z - GELU_MIDDLE) + gelu_coarse[i];
    return x * (z * q + .5);
}

static double act_slope(enum activation act, double x)
{
    if (act == ACT_GELU)
        return 0.5 * (1 + erf(x * M_SQRT1_2)) + x * exp(-0.5 * x * x) * (0.5 * M_2_SQRTPI * M_SQRT1_2);
    if (act == ACT_QUICK_GELU) {
        double s = 1 / (1 + exp(-1.702 * x));
        return s + 1.702 * x * s * (1 - s);
    }
    return 1;
}

static void act_backward(void *dpre_, void *act_out_, const void *dact_, const void *pre_, enum activation act, int64_t n)
{
    real *dpre = dpre_, *act_out = act_out_;
    const real *dact = dact_, *pre = pre_;
    for (int64_t i = 0; i < n; i++) {
        double x = pre[i], d = dact[i];   // the outputs may lie where the inputs do
        dpre[i] = (real)(d * act_slope(act, x));
        if (act_out)
            act_out[i] = (real)act_value(act, x);
    }
}

// --- products ------------------------------------------------------------------------------------------------------
static void product(const struct product *p)
{
    const real *a = p->a, *b = p->b, *bias = p->bias, *residual = p->residual;
    real *c = p->c, *pre = p->pre;
    for (int64_t i = 0; i < p->m; i++) {
        for (int64_t j = 0; j < p->n; j++) {
            const real *ai = a + i * p->a_row, *bj = b + j * p->b_col;
            real sum = 0;
            for (int64_t l = 0; l < p->k; l++)
                sum += ai[l * p->a_k] * bj[l * p->b_k];
            int64_t at = i * p->c_row + j;
            real y = (real)p->alpha * sum;
            if (p->beta != 0)   // c may be uninitialised otherwise
                y += (real)p->beta * c[at];
            if (bias)
                y += bias[j];
            if (pre)
                pre[at] = y;
            if (p->act != ACT_NONE)
                y = (real)(p->coarse && p->act == ACT_GELU ? gelu_coarsely(y) : act_value(p->act, y));
            if (residual)
                y += residual[at];
            c[at] = y;
        }
    }
}

// --- elementwise ---------------------------------------------------------------------------------------------------
static void add(void *y_, const void *x_, double scale, int64_t n)
{
    real *y = y_;
    const real *x = x_;
    for (int64_t i = 0; i < n; i++)
        y[i] += (real)scale * x[i];
}

static void sum(void *y_, const void *a_, const void *b_, int64_t n)
{
    real *y = y_;
    const real *a = a_, *b = b_;
    for (int64_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

static void scale(void *y_, double factor, int64_t n)
{
    real *y = y_;
    for (int64_t i = 0; i < n; i++)
        y[i] *= (real)factor;
}

static double sum_squares(const void *x_, int64_t n)
{
    const real *x = x_;
    double s = 0;
    for (int64_t i = 0; i < n; i++)
        s += (double)x[i] * x[i];
    return s;
}

static void column_sums(void *out_, const void *x_, int64_t rows, int64_t ld, int64_t columns)
{
    real *out = out_;
    const real *x = x_;
    for (int64_t j = 0; j < columns; j++) {
        real s = 0;
        for (int64_t i = 0; i < rows; i++)
            s += x[i * ld + j];
        out[j] += s;
    }
}

static void adamw(void *w_, void *m_, void *v_, const void *g_, int64_t n, const struct adamw *o)
{
    real *w = w_, *m = m_, *v = v_;
    const real *g = g_;
    double c1 = 1 - pow(o->beta1, (double)o->t), c2 = 1 - pow(o->beta2, (double)o->t);
    for (int64_t i = 0; i < n; i++) {
        double gi = o->scale * g[i];
        m[i] = (real)(o->beta1 * m[i] + (1 - o->beta1) * gi);
        v[i] = (real)(o->beta2 * v[i] + (1 - o->beta2) * gi * gi);
        double wi = w[i] * (1 - o->lr * o->decay);
        w[i] = (real)(wi - o->lr / c1 * m[i] / (sqrt(v[i] / c2) + o->eps));
    }
}

// --- normalisation -------------------------------------------------------------------------------------------------
static void layernorm(void *y_, void *mean_, void *rstd_, const void *x_, const void *gamma_, const void *beta_, int64_t rows,
                      int64_t width, double eps)
{
    const real *gamma = gamma_, *beta = beta_;
    real *mean = mean_, *rstd = rstd_;
    for (int64_t i = 0; i < rows; i++) {
        const real *x = (const real *)x_ + i * width;
        real *y = (real *)y_ + i * width;
        double m = 0, s = 0;
        for (int64_t j = 0; j < width; j++)
            m += x[j];
        m /= (double)width;
        for (int64_t j = 0; j < width; j++)
            s += (x[j] - m) * (x[j] - m);
        double r = 1 / sqrt(s / (double)width + eps);
        for (int64_t j = 0; j < width; j++)
            y[j] = (real)((x[j] - m) * r * gamma[j] + beta[j]);
        if (mean)
            mean[i] = (real)m;
        if (rstd)
            rstd[i] = (real)r;
    }
}

// With h = (x - mean) rstd and g = dy gamma: dx = rstd (g - mean(g) - h mean(g h)).
static void layernorm_backward(void *dx_, bool add_, void *dgamma_, void *dbeta_, const void *dy_, const void *x_,
                               const void *gamma_, const void *mean_, const void *rstd_, int64_t rows, int64_t width)
{
    const real *gamma = gamma_, *mean = mean_, *rstd = rstd_;
    real *dgamma = dgamma_, *dbeta = dbeta_;
    for (int64_t i = 0; i < rows; i++) {
        const real *x = (const real *)x_ + i * width, *dy = (const real *)dy_ + i * width;
        real *dx = (real *)dx_ + i * width;
        double m = mean[i], r = rstd[i], sg = 0, sgh = 0;
        for (int64_t j = 0; j < width; j++) {
            double g = (double)dy[j] * gamma[j];
            sg += g;
            sgh += g * (x[j] - m) * r;
        }
        sg /= (double)width;
        sgh /= (double)width;
        for (int64_t j = 0; j < width; j++) {
            double h = (x[j] - m) * r, d = dy[j];   // dx may be dy
            double out = r * (d * gamma[j] - sg - h * sgh);
            dgamma[j] += (real)(d * h);
            dbeta[j] += (real)d;
            dx[j] = (real)(add_ ? dx[j] + out : out);
        }
    }
}

static void l2norm(void *y_, void *norm_, const void *x_, int64_t rows, int64_t width, double eps)
{
    real *norm = norm_;
    for (int64_t i = 0; i < rows; i++) {
        const real *x = (const real *)x_ + i * width;
        real *y = (real *)y_ + i * width;
        double s = sqrt(sum_squares(x, width));
        double inverse = 1 / fmax(s, eps);
        for (int64_t j = 0; j < width; j++)
            y[j] = (real)(x[j] * inverse);
        if (norm)
            norm[i] = (real)s;
    }
}

// dx = (dy - y (y . dy)) / |x|; where eps took |x|'s place the map is linear: dx = dy / eps.
static void l2norm_backward(void *dx_, const void *dy_, const void *y_, const void *norm_, int64_t rows, int64_t width,
                            double eps)
{
    const real *norm = norm_;
    for (int64_t i = 0; i < rows; i++) {
        const real *dy = (const real *)dy_ + i * width, *y = (const real *)y_ + i * width;
        real *dx = (real *)dx_ + i * width;
        double dot = 0;
        if (norm[i] > eps)
            for (int64_t j = 0; j < width; j++)
                dot += (double)y[j] * dy[j];
        double inverse = 1 / fmax(norm[i], eps);
        for (int64_t j = 0; j < width; j++)
            dx[j] = (real)((dy[j] - y[j] * dot) * inverse);
    }
}

// --- attention -----------------------------------------------------------------------------------------------------
static int64_t keys_seen(const struct attend *p, int64_t i)
{
    return p->causal ? least(p->nk, p->pos + i + 1) : p->nk;
}

static double score(const struct attend *p, const real *q, int64_t j)
{
    const real *k = (const real *)p->k + j * p->ldk;
    double s = 0;
    for (int d = 0; d < p->dim; d++)
        s += (double)q[d] * k[d];
    return s * p->factor;
}

// A query's scores by a narrow engine, in the scratch behind its keys.
static const real *narrow_scores(const struct attend *p, const real *q)
{
    const struct engine *e = p->narrow;
    struct quant quant;
    char *rows = (char *)p->scratch + engine_columns(e, p->dim, p->nk), *scores = rows + engine_rows(e, p->dim, 1);
    assert(scores + p->nk * (int64_t)sizeof(real) <= (char *)p->scratch + WORKER_SCRATCH);
    e->pack_rows(rows, &quant, q, p->ldq, 1, 1, p->dim);
    e->product(&(struct product){.m = 1, .n = p->nk, .k = p->dim, .packed_rows = rows, .quant = &quant, .packed = p->scratch,
                                 .c = scores, .c_row = p->nk, .alpha = p->factor});
    return (const real *)scores;
}

// Two passes over the keys (denominator, then values), so that no row of scores need be kept.
static void attention(const struct attend *p)
{
    real *lse = p->lse;
    if (p->narrow)
        p->narrow->pack(p->scratch, p->k, 1, p->ldk, p->dim, p->nk);
    for (int64_t i = 0; i < p->nq; i++) {
        const real *q = (const real *)p->q + i * p->ldq, *v = p->v;
        real *out = (real *)p->out + i * p->ldo;
        int64_t nk = keys_seen(p, i);
        const real *ready = p->narrow ? narrow_scores(p, q) : NULL;
        double max = -INFINITY, sum_ = 0;
        for (int64_t j = 0; j < nk; j++)
            max = fmax(max, (ready ? (double)ready[j] : score(p, q, j)));
        for (int64_t j = 0; j < nk; j++)
            sum_ += exp((ready ? (double)ready[j] : score(p, q, j)) - max);
        double log_sum = max + log(sum_);
        if (lse)
            lse[i * p->ld_lse] = (real)log_sum;
        double acc[ATTENTION_DIM];
        memset(acc, 0, (size_t)p->dim * sizeof *acc);
        for (int64_t j = 0; j < nk; j++) {
            double w = exp((ready ? (double)ready[j] : score(p, q, j)) - log_sum);
            for (int d = 0; d < p->dim; d++)
                acc[d] += w * v[j * p->ldv + d];
        }
        for (int d = 0; d < p->dim; d++)
            out[d] = (real)acc[d];
    }
}

// With w = softmax(s): dv_j = sum_i w_ij dout_i; ds_ij = w_ij (dout_i . v_j - dout_i . out_i); dq, dk from s = q k' factor.
static void attention_backward(const struct attend *p)
{
    const real *lse = p->lse;
    int dim = p->dim;
    for (int64_t j = 0; j < p->nk; j++)
        for (int d = 0; d < dim; d++)
            ((real *)p->dk)[j * p->ldk + d] = ((real *)p->dv)[j * p->ldv + d] = 0;
    for (int64_t i = 0; i < p->nq; i++) {
        const real *q = (const real *)p->q + i * p->ldq, *dout = (const real *)p->dout + i * p->ldo;
        const real *out = (const real *)p->out + i * p->ldo;
        real *dq = (real *)p->dq + i * p->ldq;
        double delta = 0;
        for (int d = 0; d < dim; d++) {
            delta += (double)dout[d] * out[d];
            dq[d] = 0;
        }
        int64_t nk = keys_seen(p, i);
        for (int64_t j = 0; j < nk; j++) {
            const real *k = (const real *)p->k + j * p->ldk, *v = (const real *)p->v + j * p->ldv;
            real *dk = (real *)p->dk + j * p->ldk, *dv = (real *)p->dv + j * p->ldv;
            double w = exp(score(p, q, j) - lse[i * p->ld_lse]), dw = 0;
            for (int d = 0; d < dim; d++)
                dw += (double)dout[d] * v[d];
            double ds = w * (dw - delta) * p->factor;
            for (int d = 0; d < dim; d++) {
                dv[d] += (real)(w * dout[d]);
                dk[d] += (real)(ds * q[d]);
                dq[d] += (real)(ds * k[d]);
            }
        }
    }
}

const struct inner TABLE = {
    .engine = {.isa = "ref", .type = sizeof(real) == sizeof(float) ? F32 : F64, .holds = sizeof(real) == sizeof(float) ? F32 : F64,
               .product = product},
    .act_backward = act_backward,
    .add = add,
    .sum = sum,
    .scale = scale,
    .sum_squares = sum_squares,
    .column_sums = column_sums,
    .adamw = adamw,
    .layernorm = layernorm,
    .layernorm_backward = layernorm_backward,
    .l2norm = l2norm,
    .l2norm_backward = l2norm_backward,
    .attention = attention,
    .attention_backward = attention_backward,
};
