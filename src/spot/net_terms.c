// SPDX-License-Identifier: Apache-2.0
// A 3 x 3 convolution of a map whose pixels are repeated t x t times gives, at the first, the inner and the last of the
// repeated columns (and rows), what smaller filters give on the map itself: with taps a b c, at the first a on the column
// before and b + c on its own, inside a + b + c, at the last a + b and c on the next. A t-th of the columns, up to nine
// filters of at most 2 x 2, and what they give is laid out by copying.
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "spot/net_inner.h"

enum { LANES = CONV_LANES, TAPS = 3 };

// Taps along one side: from column `from` on `n` columns, which of them each tap falls on.
struct taps {
    int from, n, on[TAPS];
};

static const struct taps alone = {-1, 3, {0, 1, 2}};
static const struct taps first = {-1, 2, {0, 1, 1}}, inner = {0, 1, {0, 0, 0}}, last = {0, 2, {0, 0, 1}};

static int classes(int times) { return times == 1 ? 1 : times == 2 ? 2 : 3; }

static const struct taps *class_of(int times, int k)
{
    return times == 1 ? &alone : k == 0 ? &first : k == classes(times) - 1 ? &last : &inner;
}

// All filters' taps together.
static int taps_of(int times)
{
    int side = 0;
    for (int k = 0; k < classes(times); k++)
        side += class_of(times, k)->n;
    return side * side;
}

int net_term_make(struct net_term *t, const float *filter, const float *scale, int outputs, int of_all)
{
    int blocks = (outputs + LANES - 1) / LANES, n = classes(t->times);
    int64_t each = (int64_t)t->channels * LANES;
    t->weights = memory_zero((size_t)(taps_of(t->times) * blocks * each) * sizeof *t->weights);
    if (!t->weights)
        return EMEMORY_;
    float *to = t->weights;
    for (int k = 0; k < n * n; k++) {
        const struct taps *y = class_of(t->times, k / n), *x = class_of(t->times, k % n);
        for (int o = 0; o < outputs; o++)
            for (int tap = 0; tap < TAPS * TAPS; tap++) {
                int on = y->on[tap / TAPS] * x->n + x->on[tap % TAPS];
                float *w = to + (o / LANES * y->n * x->n + on) * each + o % LANES;
                const float *from = filter + ((int64_t)o * of_all + t->first) * TAPS * TAPS + tap;
                for (int c = 0; c < t->channels; c++)
                    w[c * LANES] += scale[o] * from[c * TAPS * TAPS];
            }
        to += blocks * y->n * x->n * each;
    }
    return 0;
}

int64_t net_term_scratch(const struct net_term *t, int inputs, int blocks_out, int height, int width)
{
    int n = classes(t->times);
    return inputs * net_whole_lines(t->channels) + (int64_t)taps_of(t->times) * blocks_out * inputs * LANES +
           (int64_t)n * n * blocks_out * height * width * LANES;
}

// The weights with the gate, and the linear map, in them; `turned` holds inputs x channels.
static const float *effective(const struct net *n, const struct net_term *t, const struct net_map *gate, int blocks_out,
                              float *turned, float *to)
{
    int inputs = n->value[t->in].channels;
    int64_t filters = (int64_t)taps_of(t->times) * blocks_out, stride = net_whole_lines(t->channels);
    float by[NET_BLOCKS * LANES];
    for (int c = 0; c < t->channels; c++)
        by[c] = gate ? 1 + gate->at[c / LANES * gate->block + c % LANES] : 1;
    if (!t->linear && !gate)
        return t->weights;
    if (!t->linear) {
        for (int64_t i = 0; i < filters * t->channels; i++)
            for (int l = 0; l < LANES; l++)
                to[i * LANES + l] = t->weights[i * LANES + l] * by[i % t->channels];
        return to;
    }
    static const float nothing[LANES];
    for (int i = 0; i < inputs; i++)
        for (int c = 0; c < t->channels; c++)
            turned[i * stride + c] = t->linear[(int64_t)c * inputs + i] * by[c];
    struct conv c = {.in = turned, .in_block = LANES, .in_step = stride, .out_step = LANES, .inputs = t->channels,
                     .blocks_out = 1, .height = 1, .width = inputs, .kh = 1, .kw = 1, .sy = 1, .sx = 1, .bias = nothing};
    for (int64_t i = 0; i < filters; i++) {
        c.out = to + i * inputs * LANES;
        c.weights = t->weights + i * t->channels * LANES;
        n->kernels->whole(&c);
    }
    return to;
}

static void fill(const struct net_map *out, int blocks, const float *bias)
{
    for (int b = 0; b < blocks; b++)
        for (int y = 0; y < out->height; y++)
            for (int x = 0; x < out->width; x++)
                memcpy(out->at + b * out->block + y * out->row + x * LANES, bias + b * LANES, LANES * sizeof *bias);
}

void net_term_run(const struct net *n, const struct net_term *t, const struct net_map *in, const struct net_map *gate,
                  const struct net_map *out, int blocks_out, const float *bias, bool add, float *scratch)
{
    static const float nothing[NET_BLOCKS * LANES];
    int inputs = n->value[t->in].channels, k = classes(t->times);
    bool direct = t->times == 1 && !add;
    int64_t row = (int64_t)in->width * LANES, block = in->height * row, map = blocks_out * block;
    float *weights = scratch + inputs * net_whole_lines(t->channels);
    float *maps = weights + (int64_t)taps_of(t->times) * blocks_out * inputs * LANES;
    struct conv c = {.in_block = in->block, .in_row = in->row, .in_step = in->step, .out_block = block, .out_row = row,
                     .out_step = LANES, .inputs = inputs, .blocks_out = blocks_out, .height = in->height,
                     .width = in->width, .sy = 1, .sx = 1, .bias = nothing,
                     .weights = effective(n, t, gate, blocks_out, scratch, weights)};
    if (direct) {
        c.out_block = out->block;
        c.out_row = out->row;
        c.bias = bias;
    } else if (!add) {
        fill(out, blocks_out, bias);
    }
    for (int i = 0; i < k * k; i++) {
        const struct taps *y = class_of(t->times, i / k), *x = class_of(t->times, i % k);
        c.in = in->at + y->from * in->row + x->from * in->step;
        c.kh = y->n;
        c.kw = x->n;
        c.out = direct ? out->at : maps + i * map;
        n->kernels->whole(&c);
        c.weights += (int64_t)blocks_out * y->n * x->n * inputs * LANES;
    }
    for (int b = 0; b < blocks_out && !direct; b++)
        for (int y = 0; y < out->height; y++) {
            int part = y % t->times, line = part == 0 ? 0 : part == t->times - 1 ? k - 1 : 1;
            const float *from = maps + line * k * map + b * block + y / t->times * row;
            n->kernels->add(out->at + b * out->block + y * out->row, from, from + map, from + (k - 1) * map, in->width,
                            t->times);
        }
}
