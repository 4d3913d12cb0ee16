// SPDX-License-Identifier: Apache-2.0
// How a pass's rows fall into sequences: packed one after another, no padding.
#ifndef NN_SEQS_H
#define NN_SEQS_H

#include <stdint.h>

#include "kernel/kernels.h"

//   starts   0        3          7    9      n = 3 sequences, 9 rows
//   rows     a a a  b b b b  c c
//   pooled       ^        ^    ^             the row of each that becomes its feature (pool class, end)
struct seqs {
    int64_t n, rows;
    const int32_t *starts;        // [n + 1], starts[0] = 0
    const int32_t *pooled;        // [n]
    const struct span *spans;     // [n] every row of a sequence against its own sequence
    const struct span *queries;   // [n] query row i of n (its pooled row alone) against its sequence
};

#endif
