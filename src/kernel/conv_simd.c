// SPDX-License-Identifier: Apache-2.0
// A tile of outputs, some columns of one row by some blocks of channels, stays in registers while the weights that go
// with it are read once; each input is spread over the output channels.
#include <string.h>

#include "kernel/conv.h"
#include "kernel/simd.h"

#ifdef __AVX512F__
enum { WIDE = 14, THREE = 9, EACH = 12, MOST = 3 };   // columns by one or two blocks, by three, of a filter a channel
#else
enum { WIDE = 6, EACH = 6, MOST = 1 };
#endif
enum { PARTS = CONV_LANES / VL };

ALWAYS vf activate(const struct conv *c, vf x)
{
    switch (c->act) {
    case CONV_RELU: return v_max(x, v_all(0));
    case CONV_HARD_SWISH: return x * (v_min(v_max(x + 3, v_all(0)), v_all(6)) * (c->scale / 6)) + c->shift;
    case CONV_HARD_SIGMOID: return v_min(v_max(x * c->scale + c->shift, v_all(0)), v_all(1));
    default: return x;
    }
}

// n columns of one row from x on, `blocks` blocks of channels from `block` on; `filter` floats of weights a block.
ALWAYS void tile(const struct conv *c, const int n, const int blocks, int block, int y, int x, int64_t filter)
{
    vf sum[WIDE][MOST * PARTS], w[MOST * PARTS];
    const int64_t step = c->in_step * c->sx;
    const float *from = c->weights + block * filter, *corner = c->in + y * c->sy * c->in_row + x * step;
UNROLL
    for (int i = 0; i < n; i++)
UNROLL
        for (int p = 0; p < blocks * PARTS; p++)
            sum[i][p] = v_load(c->bias + block * CONV_LANES + p * VL);
    for (int u = 0; u < c->kh; u++)
        for (int v = 0; v < c->kw; v++)
            for (int k = 0; k < c->inputs; k += CONV_LANES) {
                const float *in = corner + u * c->in_row + v * c->in_step + k / CONV_LANES * c->in_block;
                const float *end = in + least(c->inputs - k, CONV_LANES);
                for (; in < end; in++, from += CONV_LANES) {
UNROLL
                    for (int p = 0; p < blocks * PARTS; p++)
                        w[p] = v_load(from + p / PARTS * filter + p % PARTS * VL);
UNROLL
                    for (int i = 0; i < n; i++) {
                        vf a = v_all(in[i * step]);
UNROLL
                        for (int p = 0; p < blocks * PARTS; p++)
                            sum[i][p] += a * w[p];
                    }
                }
            }
    float *out = c->out + block * c->out_block + y * c->out_row + x * c->out_step;
UNROLL
    for (int i = 0; i < n; i++)
UNROLL
        for (int p = 0; p < blocks * PARTS; p++)
            v_store(out + i * c->out_step + p / PARTS * c->out_block + p % PARTS * VL, activate(c, sum[i][p]));
}

// Rows cut into tiles as equal as can be.
ALWAYS void rows(const struct conv *c, const int widest, const int blocks, int block, int64_t filter)
{
    int tiles = (c->width + widest - 1) / widest;
    for (int y = 0; y < c->height; y++)
        for (int t = 0, x = 0, n; t < tiles; t++, x += n) {
            n = (c->width - x + tiles - t - 1) / (tiles - t);
            switch (n) {
#define COLUMNS(N) case N: tile(c, N <= widest ? N : 1, blocks, block, y, x, filter); break
            COLUMNS(1); COLUMNS(2); COLUMNS(3); COLUMNS(4); COLUMNS(5); COLUMNS(6);
#ifdef __AVX512F__
            COLUMNS(7); COLUMNS(8); COLUMNS(9); COLUMNS(10); COLUMNS(11); COLUMNS(12); COLUMNS(13); COLUMNS(14);
#endif
#undef COLUMNS
            }
        }
}

static void whole(const struct conv *c)
{
    int64_t filter = (int64_t)c->inputs * c->kh * c->kw * CONV_LANES;
    int block = 0;
#ifdef __AVX512F__
    if (c->blocks_out % 2 && c->blocks_out > 1) {
        rows(c, THREE, 3, 0, filter);
        block = 3;
    }
    for (; block + 1 < c->blocks_out; block += 2)
        rows(c, WIDE, 2, block, filter);
#endif
    for (; block < c->blocks_out; block++)
        rows(c, WIDE, 1, block, filter);
}

// n columns of one row of one block, a filter a channel.
ALWAYS void strip(const struct conv *c, const int n, const int side, const float *w, const float *bias, const float *in,
                  float *out)
{
    const int64_t step = c->in_step * c->sx;
    vf sum[EACH];
    for (int p = 0; p < CONV_LANES; p += VL) {
UNROLL
        for (int i = 0; i < n; i++)
            sum[i] = v_load(bias + p);
        for (int u = 0; u < side; u++)
UNROLL
            for (int v = 0; v < side; v++) {
                const float *from = in + u * c->in_row + v * c->in_step + p;
                vf f = v_load(w + (u * side + v) * CONV_LANES + p);
UNROLL
                for (int i = 0; i < n; i++)
                    sum[i] += v_load(from + i * step) * f;
            }
UNROLL
        for (int i = 0; i < n; i++)
            v_store(out + i * c->out_step + p, activate(c, sum[i]));
    }
}

ALWAYS void strips(const struct conv *c, const int side)
{
    const int64_t step = c->in_step * c->sx;
    for (int b = 0; b < c->blocks_out; b++) {
        const float *w = c->weights + (int64_t)b * side * side * CONV_LANES, *bias = c->bias + b * CONV_LANES;
        for (int y = 0; y < c->height; y++) {
            const float *in = c->in + b * c->in_block + y * c->sy * c->in_row;
            float *out = c->out + b * c->out_block + y * c->out_row;
            int x = 0;
            for (; x + EACH <= c->width; x += EACH)
                strip(c, EACH, side, w, bias, in + x * step, out + x * c->out_step);
            for (; x + 3 <= c->width; x += 3)
                strip(c, 3, side, w, bias, in + x * step, out + x * c->out_step);
            for (; x < c->width; x++)
                strip(c, 1, side, w, bias, in + x * step, out + x * c->out_step);
        }
    }
}

static void each(const struct conv *c)
{
    if (c->kh == 3)
        strips(c, 3);
    else
        strips(c, 5);
}

static void sigmoid(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i += VL)
        v_store_n(x + i, v_sigmoid(v_load_n(x + i, n - i)), n - i);
}

static void add(float *to, const float *first, const float *middle, const float *last, int n, int times)
{
    for (int x = 0; x < n * CONV_LANES; x += CONV_LANES)
        for (int i = 0; i < times; i++, to += CONV_LANES) {
            const float *from = (i == 0 ? first : i < times - 1 ? middle : last) + x;
UNROLL
            for (int p = 0; p < CONV_LANES; p += VL)
                v_store(to + p, v_load(to + p) + v_load(from + p));
        }
}

static void gate(float *to, const float *from, const float *by, int n)
{
    for (int x = 0; x < n * CONV_LANES; x += VL)
        v_store(to + x, v_load(from + x) * v_load(by + x % CONV_LANES));
}

static void relu(float *x, int n)
{
    for (int i = 0; i < n * CONV_LANES; i += VL)
        v_store(x + i, v_max(v_load(x + i), v_all(0)));
}

#ifdef __AVX512F__
const struct conv_kernels conv_avx512 = {"avx512", whole, each, sigmoid, add, gate, relu};
#else
const struct conv_kernels conv_avx2 = {"avx2", whole, each, sigmoid, add, gate, relu};
#endif
