// SPDX-License-Identifier: Apache-2.0
#ifndef NN_SCHEDULE_H
#define NN_SCHEDULE_H

#include <stdint.h>

// Learning rate of step s = 0 .. steps-1: base (s + 1) / warmup while s < warmup, then half a cosine from base down to
// `least`, which step `steps` would reach.
double schedule_rate(double base, double least, int64_t s, int64_t warmup, int64_t steps);

#endif
