// SPDX-License-Identifier: Apache-2.0
// What is timed, one row a figure. FLOPs are counted densely (docs/results/performance.md).
#ifndef BENCH_STAGES_H
#define BENCH_STAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/kernels.h"

struct stage {
    const char *name, *unit;
    bool only_when_named;
    // `work`: samples a run (for units a second); `flop` of a run.
    int (*open)(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop);
    int (*run)(void *state);
    void (*close)(void *state);   // accepts NULL
    const char *model;            // towers: configuration
    int64_t a, b, c;              // sizes, by kind
    enum dtype products;          // what linear maps multiply in; its peak is the share's denominator
    const char *of;               // a stage that does part of this one's work: measured before it, its share of the time shown
};

extern const struct stage stages[];   // ends with a NULL name

#endif
