// SPDX-License-Identifier: Apache-2.0
// The tail of a product, shared by the engines that form it in registers.
#ifndef KERNEL_SIMD_LEAVE_H
#define KERNEL_SIMD_LEAVE_H

#include "kernel/simd.h"

// What is added to a row of c, besides the bias, where that is all the tail there is (NULL: nothing); false: there is more.
ALWAYS bool only_sums(const struct product *p, const float **more)
{
    *more = p->beta == 1 ? p->c : p->residual;
    return !p->act && !p->pre && (p->beta == 0 || (p->beta == 1 && !p->residual));
}

// One vector of c = alpha sum + bias + more.
ALWAYS void leave_sum(float *c, vf sum, float alpha, vf bias, const float *more)
{
    vf y = sum * alpha + bias;
    v_store(c, more ? y + v_load(more) : y);
}

ALWAYS vf v_gelu_coarse(vf x)
{
    vf z = v_max(v_min(x, v_all(GELU_END)), v_all(-GELU_END)), t = z * z - GELU_MIDDLE, q = v_all(gelu_coarse[GELU_TERMS - 1]);
UNROLL
    for (int i = GELU_TERMS - 2; i >= 0; i--)
        q = q * t + gelu_coarse[i];
    return x * (z * q + .5f);
}

// What becomes of one vector of sums on its way to c. n: lanes that exist.
ALWAYS void leave(const struct product *p, vf sum, int64_t row, int64_t column, int64_t n)
{
    int64_t at = row * p->c_row + column;
    float *c = (float *)p->c + at;
    vf y = sum * (float)p->alpha;
    if (p->beta != 0)
        y += (float)p->beta * v_load_n(c, n);
    if (p->bias)
        y += v_load_n((const float *)p->bias + column, n);
    if (p->pre)
        v_store_n((float *)p->pre + at, y, n);
    if (p->act == ACT_GELU)
        y = p->coarse ? v_gelu_coarse(y) : v_gelu(y);
    else if (p->act == ACT_QUICK_GELU)
        y = v_quick_gelu(y);
    if (p->residual)
        y += v_load_n((const float *)p->residual + at, n);
    v_store_n(c, y, n);
}

// The same for `rows` rows of a panel's sums, by way of memory: its code once, not for every register.
static __attribute__((noinline)) void leave_rows(const struct product *p, const vf (*block)[2], int64_t rows, int64_t row, int64_t column)
{
    int64_t n = p->n - column;
    for (int64_t r = 0; r < rows && n >= PANEL; r++) {   // whole vectors need no mask
        leave(p, block[r][0], row + r, column, VL);
        leave(p, block[r][1], row + r, column + VL, VL);
    }
    for (int64_t r = 0; r < rows && n < PANEL; r++) {
        leave(p, block[r][0], row + r, column, n);
        if (n > VL)
            leave(p, block[r][1], row + r, column + VL, n - VL);
    }
}

// Rows two at a time: their long chains of steps overlap.
ALWAYS void activate_by(vf fn(vf), float *to, const float *from, int64_t stride, int64_t rows)
{
    for (; rows > 0; rows -= 2, to += 2 * stride, from += 2 * stride) {
        int64_t other = rows > 1 ? stride : 0;
        vf a = fn(v_load(from)), b = fn(v_load(from + VL)), c = fn(v_load(from + other)), d = fn(v_load(from + other + VL));
        v_store(to, a);
        v_store(to + VL, b);
        v_store(to + other, other ? c : a);
        v_store(to + other + VL, other ? d : b);
    }
}

// What a panel's rows at `from` become by the activation, at `to`; rows p->c_row apart.
static __attribute__((noinline)) void activate(const struct product *p, float *to, const float *from, int64_t rows)
{
    if (p->act == ACT_QUICK_GELU)
        activate_by(v_quick_gelu, to, from, p->c_row, rows);
    else if (p->coarse)
        activate_by(v_gelu_coarse, to, from, p->c_row, rows);
    else
        activate_by(v_gelu, to, from, p->c_row, rows);
}

// A block's sums, already in units of the product, on their way to c: straight from the registers where the tail is sums,
// and then an activation on what has just been written.
ALWAYS void leave_block(const struct product *p, const vf (*sum)[2], int64_t row, int64_t column, const int height)
{
    bool whole = p->n - column >= PANEL, last = p->act && p->beta == 0 && !p->residual;
    const float *more;
    if (whole && (only_sums(p, &more) || last)) {
        int64_t at = row * p->c_row + column;
        float *c = (float *)(p->pre ? p->pre : p->c) + at, alpha = (float)p->alpha;
        more = more && !last ? more + at : NULL;
        const float *bias = p->bias ? (const float *)p->bias + column : NULL;
        vf bias0 = bias ? v_load(bias) : v_all(0), bias1 = bias ? v_load(bias + VL) : v_all(0);
UNROLL
        for (int r = 0; r < height; r++) {
            leave_sum(c + r * p->c_row, sum[r][0], alpha, bias0, more ? more + r * p->c_row : NULL);
            leave_sum(c + r * p->c_row + VL, sum[r][1], alpha, bias1, more ? more + r * p->c_row + VL : NULL);
        }
        if (last)
            activate(p, (float *)p->c + at, c, height);
        return;
    }
    vf block[HEIGHT][2];
UNROLL
    for (int r = 0; r < height; r++) {
        block[r][0] = sum[r][0];
        block[r][1] = sum[r][1];
    }
    leave_rows(p, (const vf (*)[2])block, height, row, column);
}

#endif
