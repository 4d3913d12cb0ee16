// SPDX-License-Identifier: Apache-2.0
// The tail of a product, shared by the engines that form it in registers.
#ifndef KERNEL_SIMD_LEAVE_H
#define KERNEL_SIMD_LEAVE_H

#include "kernel/simd.h"

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

#endif
