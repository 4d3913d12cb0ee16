// SPDX-License-Identifier: Apache-2.0
// A network as steps over maps (kernel/conv.h): net_build.c makes them, net.c runs them.
#ifndef SPOT_NET_INNER_H
#define SPOT_NET_INNER_H

#include <stdbool.h>

#include "kernel/conv.h"
#include "spot/net.h"

enum { NET_EDGE = 2, NET_VALUES = 256, NET_STEPS = 256, NET_PARTS = 4, NET_BLOCKS = 64, NET_LINEARS = 16 };

enum net_kind {
    NET_WHOLE, NET_EACH,   // convolutions
    NET_SPREAD,            // transposed, 2 x 2 at stride 2: four convolutions, one for each place
    NET_PLANE,             // the same to a single channel, through a sigmoid: the output
    NET_MEAN,              // of every channel
    NET_WINDOW,            // mean of windows
    NET_GATE,              // in * b, b one number a channel
    NET_TERMS,             // 3 x 3 convolution of a value that is no map
};

// Part of a value: linear (a map's channels, each gated), every pixel of it `times` x `times` times. gated: x (1 + g).
struct net_term {
    int in, times;
    int gate;                         // a value of one pixel; -1: none
    float *linear;                    // [out][in], no bias; NULL: the channels as they are
    int channels, first;              // how many it gives, and the first of them in a join
    float *weights;                   // of NET_TERMS (net_terms.c)
};

// A map; or terms, added (a sum) or side by side (a join), that are never laid out: a 3 x 3 convolution of what is enlarged
// is one of the small map with other weights, and a linear map before it is in the weights too.
struct net_value {
    int channels, blocks;
    struct net_term term[NET_PARTS];
    int terms;                        // 0: a map
    int last;                         // step that reads it last
    bool edged;                       // somebody looks over its edge
};

struct net_step {
    enum net_kind kind;
    int in, b, out;
    struct net_term term[NET_PARTS];  // NET_TERMS
    int terms;
    int kh, kw, sy, sx, py, px;
    float *weights, *bias;
    enum conv_act act;
    float scale, shift;
};

struct net {
    const struct conv_kernels *kernels;
    float *linear[NET_LINEARS];       // what terms point to
    int linears;
    struct net_value value[NET_VALUES];   // value 0: the input
    struct net_step step[NET_STEPS];
    int values, steps;
};

struct net_map {
    float *at;                        // row 0, column 0 of block 0
    int height, width, slot;
    int64_t block, row, step;
};

static inline int64_t net_whole_lines(int64_t floats) { return (floats + CONV_LANES - 1) / CONV_LANES * CONV_LANES; }

// Weights of a term for a filter [outputs][of_all inputs][3][3], its outputs scaled. EMEMORY_.
int net_term_make(struct net_term *t, const float *filter, const float *scale, int outputs, int of_all);
// Floats that running a term takes, its map of such a size.
int64_t net_term_scratch(const struct net_term *t, int inputs, int blocks_out, int height, int width);
// out = (or +=, when `add`) the convolution of a term; without `add` with the bias.
void net_term_run(const struct net *n, const struct net_term *t, const struct net_map *in, const struct net_map *gate,
                  const struct net_map *out, int blocks_out, const float *bias, bool add, float *scratch);

#endif
