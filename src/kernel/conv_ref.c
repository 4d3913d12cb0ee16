// SPDX-License-Identifier: Apache-2.0
// Plain loops: what the other instruction sets' convolutions answer to.
#include <math.h>

#include "kernel/conv.h"

static float activate(const struct conv *c, float x)
{
    switch (c->act) {
    case CONV_RELU: return fmaxf(x, 0);
    case CONV_HARD_SWISH: return c->scale * x * fminf(fmaxf(x + 3, 0), 6) / 6 + c->shift;
    case CONV_HARD_SIGMOID: return fminf(fmaxf(x * c->scale + c->shift, 0), 1);
    default: return x;
    }
}

static void whole(const struct conv *c)
{
    const float *w = c->weights;
    for (int b = 0; b < c->blocks_out; b++) {
        const float *filter = w;
        for (int y = 0; y < c->height; y++)
            for (int x = 0; x < c->width; x++) {
                float sum[CONV_LANES];
                for (int l = 0; l < CONV_LANES; l++)
                    sum[l] = c->bias[b * CONV_LANES + l];
                w = filter;
                for (int u = 0; u < c->kh; u++)
                    for (int v = 0; v < c->kw; v++)
                        for (int i = 0; i < c->inputs; i++, w += CONV_LANES) {
                            const float *in = c->in + i / CONV_LANES * c->in_block + (y * c->sy + u) * c->in_row +
                                              (x * c->sx + v) * c->in_step;
                            for (int l = 0; l < CONV_LANES; l++)
                                sum[l] += in[i % CONV_LANES] * w[l];
                        }
                float *out = c->out + b * c->out_block + y * c->out_row + x * c->out_step;
                for (int l = 0; l < CONV_LANES; l++)
                    out[l] = activate(c, sum[l]);
            }
    }
}

static void each(const struct conv *c)
{
    for (int b = 0; b < c->blocks_out; b++)
        for (int y = 0; y < c->height; y++)
            for (int x = 0; x < c->width; x++) {
                const float *in = c->in + b * c->in_block + y * c->sy * c->in_row + x * c->sx * c->in_step;
                float *out = c->out + b * c->out_block + y * c->out_row + x * c->out_step;
                const float *w = c->weights + (int64_t)b * c->kh * c->kw * CONV_LANES;
                for (int l = 0; l < CONV_LANES; l++) {
                    float sum = c->bias[b * CONV_LANES + l];
                    for (int u = 0; u < c->kh; u++)
                        for (int v = 0; v < c->kw; v++)
                            sum += in[u * c->in_row + v * c->in_step + l] * w[(u * c->kw + v) * CONV_LANES + l];
                    out[l] = activate(c, sum);
                }
            }
}

static void sigmoid(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = 1 / (1 + expf(-x[i]));
}

static void add(float *to, const float *first, const float *middle, const float *last, int n, int times)
{
    for (int x = 0; x < n; x++)
        for (int i = 0; i < times; i++)
            for (int l = 0; l < CONV_LANES; l++)
                *to++ += (i == 0 ? first : i < times - 1 ? middle : last)[x * CONV_LANES + l];
}

static void gate(float *to, const float *from, const float *by, int n)
{
    for (int x = 0; x < n * CONV_LANES; x++)
        to[x] = from[x] * by[x % CONV_LANES];
}

static void relu(float *x, int n)
{
    for (int i = 0; i < n * CONV_LANES; i++)
        x[i] = fmaxf(x[i], 0);
}

const struct conv_kernels conv_ref = {"ref", whole, each, sigmoid, add, gate, relu};
