// SPDX-License-Identifier: Apache-2.0
// What `diht bench` runs: peaks, kernels, stages.
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "diht.h"

int bench_run(const diht_bench_options *o, void (*line)(void *user, const char *text), void *user);

#endif
