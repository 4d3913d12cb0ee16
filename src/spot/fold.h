// SPDX-License-Identifier: Apache-2.0
// An ONNX file, rewritten so that the runtime's fast path for convolutions reaches through it.
#ifndef SPOT_FOLD_H
#define SPOT_FOLD_H

#include "base/buf.h"

// Same function, fewer passes over memory: numbers that multiply or shift what a convolution gives, or what a pointwise
// one reads, go into its weights; x * clip(x + 3, 0, 6) / 6 becomes x times a depthwise convolution of one weight with a
// hard sigmoid, which the runtime computes in the convolutions' own memory layout. Returns how many convolutions changed;
// 0 leaves `out` empty: nothing to do, or the file is not ONNX (the runtime says so better). EMEMORY_.
int onnx_fold(struct buf *out, const struct buf *in);

#endif
