// SPDX-License-Identifier: Apache-2.0
// A comparison's lanes are 0 or -1: subtracting them counts. A few rows at a time share the loads of the columns' side.
#include "kernel/rank.h"

#if defined(__AVX512F__)
enum { VL = 16, GROUP = 4 };
#elif defined(__AVX2__)
enum { VL = 8, GROUP = 2 };
#else
enum { VL = 4, GROUP = 2 };
#endif
typedef float vf __attribute__((vector_size(VL * 4)));
typedef int vi __attribute__((vector_size(VL * 4)));

static inline int64_t lanes(vi v)
{
    int64_t sum = 0;
    for (int i = 0; i < VL; i++)
        sum += v[i];
    return sum;
}

static inline __attribute__((always_inline)) void rows(const struct rank_tile *t, int64_t row, const int group)
{
    const vf *ct = (const vf *)t->col_threshold;
    vi *ca = (vi *)t->col_above, *ce = (vi *)t->col_equal, above[GROUP], equal[GROUP];
    vf threshold[GROUP];
    for (int r = 0; r < group; r++) {
        above[r] = equal[r] = (vi){0};
        threshold[r] = t->threshold[row + r] - (vf){0};
    }
    for (int64_t j = 0; j < t->stride / VL; j++) {
        vi a = ca[j], e = ce[j];
        vf column = ct[j];
        for (int r = 0; r < group; r++) {
            vf s = ((const vf *)(t->scores + (row + r) * t->stride))[j];
            above[r] -= s > threshold[r];
            equal[r] -= s == threshold[r];
            a -= s > column;
            e -= s == column;
        }
        ca[j] = a;
        ce[j] = e;
    }
    for (int r = 0; r < group; r++) {
        t->above[row + r] += lanes(above[r]);
        t->equal[row + r] += lanes(equal[r]);
    }
}

void COUNT(const struct rank_tile *t)
{
    int64_t row = 0;
    for (; row + GROUP <= t->m; row += GROUP)
        rows(t, row, GROUP);
    for (; row < t->m; row++)
        rows(t, row, 1);
}
