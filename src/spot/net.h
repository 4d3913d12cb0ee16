// SPDX-License-Identifier: Apache-2.0
// Convolutional networks run by our own kernels: what the text detector and the recogniser's eyes are made of (whole and
// depthwise convolutions, gates from means, nearest enlargement, sums, joins, 2 x 2 transposed convolutions). Scales, shifts,
// normalisations and activations behind a convolution become part of it.
#ifndef SPOT_NET_H
#define SPOT_NET_H

#include <stdint.h>

#include "base/buf.h"

struct net;        // read-only once open: several threads may run it
struct net_desk;   // memory of one worker for one network

// The network in `file` from its input of three channels to the value named `output`; `name` is for sentences.
// EFORMAT_: it is not of this kind; EMEMORY_; EUSAGE_ (DIHT_ISA).
int net_open(struct net **out, const struct buf *file, const char *name, const char *input, const char *output);
void net_close(struct net *n);           // accepts NULL
int net_channels(const struct net *n);   // of the output

struct net_desk *net_desk_new(void);     // NULL: out of memory
void net_desk_free(struct net_desk *d);  // accepts NULL

// Room for an input: channel c of pixel (y, x) belongs at in[y * *row + x * NET_STEP + c], whose fourth is not read.
enum { NET_STEP = 4 };
int net_begin(const struct net *n, struct net_desk *d, int height, int width, float **in, int64_t *row);   // EMEMORY_, EFORMAT_
// The output of that input, channels x height x width, valid until the next net_begin.
const float *net_run(const struct net *n, struct net_desk *d, int *height, int *width);

#endif
