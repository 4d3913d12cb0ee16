// SPDX-License-Identifier: Apache-2.0
#include "nn/schedule.h"

#include <math.h>

double schedule_rate(double base, double least, int64_t s, int64_t warmup, int64_t steps)
{
    if (s < warmup)
        return base * (double)(s + 1) / (double)warmup;
    if (s >= steps)
        return least;
    return least + (base - least) / 2 * (1 + cos(M_PI * (double)(s - warmup) / (double)(steps - warmup)));
}
