// SPDX-License-Identifier: Apache-2.0
// What one core of this machine can do at best, by loops that do nothing else: the denominator of every share.
#ifndef KERNEL_PEAK_H
#define KERNEL_PEAK_H

#include <stdint.h>

struct peak {
    const char *name;       // "peak_fp32"
    const char *unit;       // "GFLOP/s", "GOP/s", "GB/s"
    // Run `rounds` rounds in the calling thread; returns the operations (or bytes) done. NULL: this CPU lacks the
    // instructions. `memory` holds PEAK_MEMORY bytes of its own for each thread.
    double (*run)(int64_t rounds, void *memory);
};
enum { PEAK_MEMORY = 96 << 20 };

int peaks(struct peak out[4]);   // how many

#endif
