// SPDX-License-Identifier: Apache-2.0
// What one core of this machine can do at best, by loops that do nothing else: the denominator of every share.
#ifndef KERNEL_PEAK_H
#define KERNEL_PEAK_H

#include <stdint.h>

#include "kernel/kernels.h"

struct peak {
    const char *name;       // "peak_fp32"
    const char *unit;       // "GFLOP/s", "GOP/s", "GB/s"
    // Run `rounds` rounds in the calling thread; returns the operations (or bytes) done. NULL: this CPU lacks the
    // instructions. `memory` (of "memory_triad" alone) holds PEAK_MEMORY bytes of its own for each thread.
    double (*run)(int64_t rounds, void *memory);
    enum dtype type;
    bool dots;              // shares of products in that type are of this one: multiply-adds of vectors, not of tiles
};
enum { PEAK_MEMORY = 96 << 20, PEAKS = 7 };

int peaks(struct peak out[PEAKS], const char *isa);   // how many; isa "avx2": what vectors of eight floats can do

#endif
