// SPDX-License-Identifier: Apache-2.0
// Ranking by counting and the matrix product inside it.
#ifndef BENCH_RANK_H
#define BENCH_RANK_H

#include "bench/stages.h"

int rank_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop);
int rank_run(void *state);
int rank_product_run(void *state);
void rank_close(void *state);

#endif
