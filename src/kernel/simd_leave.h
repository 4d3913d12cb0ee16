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
        y = v_gelu(y);
    else if (p->act == ACT_QUICK_GELU)
        y = v_quick_gelu(y);
    if (p->residual)
        y += v_load_n((const float *)p->residual + at, n);
    v_store_n(c, y, n);
}

// The same for `rows` rows of a panel's sums, by way of memory: its code once, not for every register.
static __attribute__((noinline)) void leave_rows(const struct product *p, const float (*sums)[PANEL], int64_t rows, int64_t row,
                                                 int64_t column)
{
    int64_t n = p->n - column;
    for (int64_t r = 0; r < rows; r++) {
        leave(p, v_load(sums[r]), row + r, column, n);
        if (n > VL)
            leave(p, v_load(sums[r] + VL), row + r, column + VL, n - VL);
    }
}

#endif
