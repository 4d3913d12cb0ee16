// SPDX-License-Identifier: Apache-2.0
// Elementwise work and normalisation in vectors, and the table of one instruction set.
#include "kernel/simd.h"

static void act_backward(void *dpre_, void *act_out_, const void *dact_, const void *pre_, enum activation act, int64_t n)
{
    float *dpre = dpre_, *act_out = act_out_;
    const float *dact = dact_, *pre = pre_;
    for (int64_t i = 0; i < n; i += VL) {
        vf x = v_load_n(pre + i, n - i), d = v_load_n(dact + i, n - i), value = x;
        if (act == ACT_GELU)
            d *= v_gelu_slope(x, &value);
        else if (act == ACT_QUICK_GELU)
            d *= v_quick_gelu_slope(x, &value);
        v_store_n(dpre + i, d, n - i);
        if (act_out)
            v_store_n(act_out + i, value, n - i);
    }
}

static void add(void *y_, const void *x_, double scale, int64_t n)
{
    float *y = y_, s = (float)scale;
    const float *x = x_;
    int64_t i = 0;
    for (; i + VL <= n; i += VL)
        v_store(y + i, v_load(y + i) + s * v_load(x + i));
    if (i < n)
        v_store_n(y + i, v_load_n(y + i, n - i) + s * v_load_n(x + i, n - i), n - i);
}

static void sum(void *y_, const void *a_, const void *b_, int64_t n)
{
    float *y = y_;
    const float *a = a_, *b = b_;
    int64_t i = 0;
    for (; i + VL <= n; i += VL)
        v_store(y + i, v_load(a + i) + v_load(b + i));
    if (i < n)
        v_store_n(y + i, v_load_n(a + i, n - i) + v_load_n(b + i, n - i), n - i);
}

static void scale(void *y_, double factor, int64_t n)
{
    float *y = y_;
    for (int64_t i = 0; i < n; i += VL)
        v_store_n(y + i, v_load_n(y + i, n - i) * (float)factor, n - i);
}

// Blocks of 4 vectors' floats in float, their sums in double.
static double sum_squares(const void *x_, int64_t n)
{
    enum { BLOCK = 16 * VL };
    const float *x = x_;
    double total = 0;
    for (int64_t from = 0; from < n; from += BLOCK) {
        int64_t end = least(n, from + BLOCK);
        vf s[4] = {0};
        int64_t i = from;
        for (; i + 4 * VL <= end; i += 4 * VL)
            for (int u = 0; u < 4; u++) {
                vf v = v_load(x + i + u * VL);
                s[u] += v * v;
            }
        for (; i < end; i += VL) {
            vf v = v_load_n(x + i, end - i);
            s[0] += v * v;
        }
        total += v_sum((s[0] + s[1]) + (s[2] + s[3]));
    }
    return total;
}

static void column_sums(void *out_, const void *x_, int64_t rows, int64_t ld, int64_t columns)
{
    float *out = out_;
    const float *x = x_;
    int64_t j = 0;
    for (; j + 4 * VL <= columns; j += 4 * VL) {
        vf s[4] = {0};
        for (int64_t i = 0; i < rows; i++)
            for (int u = 0; u < 4; u++)
                s[u] += v_load(x + i * ld + j + u * VL);
        for (int u = 0; u < 4; u++)
            v_store(out + j + u * VL, v_load(out + j + u * VL) + s[u]);
    }
    for (; j < columns; j += VL) {
        vf s = {0};
        for (int64_t i = 0; i < rows; i++)
            s += v_load_n(x + i * ld + j, columns - j);
        v_store_n(out + j, v_load_n(out + j, columns - j) + s, columns - j);
    }
}

static void adamw(void *w_, void *m_, void *v_, const void *g_, int64_t n, const struct adamw *o)
{
    float *w = w_, *m = m_, *v = v_;
    const float *g = g_;
    double c1 = 1 - pow(o->beta1, (double)o->t), c2 = 1 - pow(o->beta2, (double)o->t);
    float b1 = (float)o->beta1, b2 = (float)o->beta2, a1 = (float)(1 - o->beta1), a2 = (float)(1 - o->beta2);
    float rate = (float)(o->lr / c1), root = (float)(1 / sqrt(c2)), keep = (float)(o->lr * o->decay);
    float eps = (float)o->eps, factor = (float)o->scale;
    for (int64_t i = 0; i < n; i += VL) {
        vf gi = v_load_n(g + i, n - i) * factor, wi = v_load_n(w + i, n - i);
        vf mi = b1 * v_load_n(m + i, n - i) + a1 * gi, vi_ = b2 * v_load_n(v + i, n - i) + a2 * (gi * gi);
        wi = wi - keep * wi - rate * mi / (v_sqrt(vi_) * root + eps);
        v_store_n(m + i, mi, n - i);
        v_store_n(v + i, vi_, n - i);
        v_store_n(w + i, wi, n - i);
    }
}

// --- normalisation -------------------------------------------------------------------------------------------------
static float row_sum(const float *x, int64_t width)
{
    vf s[4] = {0};
    int64_t j = 0;
    for (; j + 4 * VL <= width; j += 4 * VL)
        for (int u = 0; u < 4; u++)
            s[u] += v_load(x + j + u * VL);
    for (; j < width; j += VL)
        s[0] += v_load_n(x + j, width - j);
    return v_sum((s[0] + s[1]) + (s[2] + s[3]));
}

// Sum of x - m.
static float row_offset(const float *x, float m, int64_t width)
{
    vf s = {0};
    float rest = 0;
    int64_t j = 0;
    for (; j + VL <= width; j += VL)
        s += v_load(x + j) - m;
    for (; j < width; j++)
        rest += x[j] - m;
    return v_sum(s) + rest;
}

// Sum of (x - m)^2; lanes past the row are kept out of it.
static float row_spread(const float *x, float m, int64_t width)
{
    vf s[4] = {0};
    int64_t j = 0;
    for (; j + 4 * VL <= width; j += 4 * VL)
        for (int u = 0; u < 4; u++) {
            vf d = v_load(x + j + u * VL) - m;
            s[u] += d * d;
        }
    for (; j + VL <= width; j += VL) {
        vf d = v_load(x + j) - m;
        s[0] += d * d;
    }
    float rest = 0;
    for (; j < width; j++)
        rest += (x[j] - m) * (x[j] - m);
    return v_sum((s[0] + s[1]) + (s[2] + s[3])) + rest;
}

static float row_dot(const float *a, const float *b, int64_t width)
{
    vf s[2] = {0};
    int64_t j = 0;
    for (; j + 2 * VL <= width; j += 2 * VL)
        for (int u = 0; u < 2; u++)
            s[u] += v_load(a + j + u * VL) * v_load(b + j + u * VL);
    for (; j < width; j += VL)
        s[0] += v_load_n(a + j, width - j) * v_load_n(b + j, width - j);
    return v_sum(s[0] + s[1]);
}

static void layernorm(void *y_, void *mean_, void *rstd_, const void *x_, const void *gamma_, const void *beta_, int64_t rows,
                      int64_t width, double eps)
{
    const float *gamma = gamma_, *beta = beta_;
    float *mean = mean_, *rstd = rstd_;
    for (int64_t i = 0; i < rows; i++) {
        const float *x = (const float *)x_ + i * width;
        float *y = (float *)y_ + i * width;
        float m = row_sum(x, width) / (float)width;
        // what rounding took from the mean would shift the whole row one way: a second look gives it back
        float low = row_offset(x, m, width) / (float)width;
        float r = (float)(1 / sqrt((double)row_spread(x, m, width) / (double)width + eps));
        int64_t j = 0;
        for (; j + VL <= width; j += VL)
            v_store(y + j, (v_load(x + j) - m - low) * r * v_load(gamma + j) + v_load(beta + j));
        if (j < width) {
            int64_t n = width - j;
            v_store_n(y + j, (v_load_n(x + j, n) - m - low) * r * v_load_n(gamma + j, n) + v_load_n(beta + j, n), n);
        }
        if (mean)
            mean[i] = m;
        if (rstd)
            rstd[i] = r;
    }
}

static void layernorm_backward(void *dx_, bool add_, void *dgamma_, void *dbeta_, const void *dy_, const void *x_,
                               const void *gamma_, const void *mean_, const void *rstd_, int64_t rows, int64_t width)
{
    const float *gamma = gamma_, *mean = mean_, *rstd = rstd_;
    float *dgamma = dgamma_, *dbeta = dbeta_;
    for (int64_t i = 0; i < rows; i++) {
        const float *x = (const float *)x_ + i * width, *dy = (const float *)dy_ + i * width;
        float *dx = (float *)dx_ + i * width;
        float m = mean[i], r = rstd[i];
        vf sg[2] = {0}, sgh[2] = {0};
        int64_t j = 0;
        for (; j + 2 * VL <= width; j += 2 * VL)
            for (int u = 0; u < 2; u++) {
                vf g = v_load(dy + j + u * VL) * v_load(gamma + j + u * VL);
                sg[u] += g;
                sgh[u] += g * ((v_load(x + j + u * VL) - m) * r);
            }
        for (; j < width; j += VL) {   // g is 0 past the row
            vf g = v_load_n(dy + j, width - j) * v_load_n(gamma + j, width - j);
            sg[0] += g;
            sgh[0] += g * ((v_load_n(x + j, width - j) - m) * r);
        }
        float mg = v_sum(sg[0] + sg[1]) / (float)width, mgh = v_sum(sgh[0] + sgh[1]) / (float)width;
        for (j = 0; j < width; j += VL) {
            int64_t n = width - j;
            vf d = v_load_n(dy + j, n), h = (v_load_n(x + j, n) - m) * r;
            vf out = r * (d * v_load_n(gamma + j, n) - mg - h * mgh);
            if (add_)
                out += v_load_n(dx + j, n);
            v_store_n(dgamma + j, v_load_n(dgamma + j, n) + d * h, n);
            v_store_n(dbeta + j, v_load_n(dbeta + j, n) + d, n);
            v_store_n(dx + j, out, n);
        }
    }
}

static void l2norm(void *y_, void *norm_, const void *x_, int64_t rows, int64_t width, double eps)
{
    float *norm = norm_;
    for (int64_t i = 0; i < rows; i++) {
        const float *x = (const float *)x_ + i * width;
        float *y = (float *)y_ + i * width;
        double s = sqrt(sum_squares(x, width));
        float inverse = (float)(1 / fmax(s, eps));
        for (int64_t j = 0; j < width; j += VL)
            v_store_n(y + j, v_load_n(x + j, width - j) * inverse, width - j);
        if (norm)
            norm[i] = (float)s;
    }
}

static void l2norm_backward(void *dx_, const void *dy_, const void *y_, const void *norm_, int64_t rows, int64_t width,
                            double eps)
{
    const float *norm = norm_;
    for (int64_t i = 0; i < rows; i++) {
        const float *dy = (const float *)dy_ + i * width, *y = (const float *)y_ + i * width;
        float *dx = (float *)dx_ + i * width;
        float dot = norm[i] > eps ? row_dot(y, dy, width) : 0, inverse = (float)(1 / fmax(norm[i], eps));
        for (int64_t j = 0; j < width; j += VL)
            v_store_n(dx + j, (v_load_n(dy + j, width - j) - v_load_n(y + j, width - j) * dot) * inverse, width - j);
    }
}

const struct inner NAMED(inner) = {
    .engine = {
#ifdef __AVX512F__
        .isa = "avx512",
#else
        .isa = "avx2",
#endif
        .type = F32,
        .holds = F32,
        .height = HEIGHT,
        .panel = PANEL,
        .pack = NAMED(pack),
        .pack_rows = NAMED(pack_rows),
        .product = NAMED(product),
    },
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
    .attention = NAMED(attention),
    .attention_backward = NAMED(attention_backward),
};
