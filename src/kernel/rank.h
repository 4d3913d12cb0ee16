// SPDX-License-Identifier: Apache-2.0
// Inside ranking: a tile of scores against both sides' thresholds, compiled once for every instruction set.
#ifndef KERNEL_RANK_H
#define KERNEL_RANK_H

#include <stdint.h>

struct rank_tile {
    const float *scores;           // [m, stride], lines aligned; past the last column -infinity up to a whole line
    int64_t m, stride;
    const float *threshold;        // [m]
    const float *col_threshold;    // [stride], past the last column infinity
    int64_t *above, *equal;        // [m] +=
    int32_t *col_above, *col_equal;   // [stride] +=
};

typedef void rank_count_fn(const struct rank_tile *);
rank_count_fn rank_count_plain, rank_count_avx2, rank_count_avx512;

#endif
