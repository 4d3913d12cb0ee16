// SPDX-License-Identifier: Apache-2.0
// The caption filter's stages; a of a stage: words a caption, in tenths.
#ifndef BENCH_CAPTIONS_H
#define BENCH_CAPTIONS_H

#include "bench/stages.h"

int captions_filter_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop);
int captions_filter_run(void *state);
void captions_filter_close(void *state);
int captions_tag_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop);
int captions_tag_run(void *state);

#endif
