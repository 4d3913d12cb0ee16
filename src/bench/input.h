// SPDX-License-Identifier: Apache-2.0
// Stages that happen before the towers.
#ifndef BENCH_INPUT_H
#define BENCH_INPUT_H

#include "bench/stages.h"

int pictures_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop);
int pictures_run(void *state);
void pictures_close(void *state);
int captions_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop);
int captions_run(void *state);
void captions_close(void *state);
int signs_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop);   // EMISSING_: no models
int signs_run(void *state);
void signs_close(void *state);

#endif
