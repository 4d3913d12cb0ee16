// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "spot/net_inner.h"

enum { LANES = CONV_LANES, SIDE_MOST = 1 << 14, FLOATS_MOST = 1 << 28 };

struct slot {
    int64_t floats, at;
    bool taken;
};

struct net_desk {
    struct net_map map[NET_VALUES];
    struct slot slot[NET_VALUES];
    int slots;
    float *memory;
    int64_t room;                 // floats
    float *plane, *scratch;       // in there too: what net_run gives; what terms take
};

struct net_desk *net_desk_new(void)
{
    struct net_desk *d = calloc(1, sizeof *d);
    if (!d)
        (void)FAIL(EMEMORY_, "out of memory");
    return d;
}

void net_desk_free(struct net_desk *d)
{
    if (!d)
        return;
    free(d->memory);
    free(d);
}

void net_close(struct net *n)
{
    if (!n)
        return;
    for (int i = 0; i < n->steps; i++) {
        free(n->step[i].weights);
        free(n->step[i].bias);
        for (int k = 0; k < n->step[i].terms; k++)
            free(n->step[i].term[k].weights);
    }
    for (int i = 0; i < n->linears; i++)
        free(n->linear[i]);
    free(n);
}

// Rows and columns of the output for one of the last map.
static int fineness(const struct net *n) { return n->step[n->steps - 1].kind == NET_PLANE ? 2 : 1; }

int net_channels(const struct net *n) { return n->value[n->step[n->steps - 1].out].channels; }

// The smallest free slot that is large enough, else the largest, which grows.
static int take_slot(struct net_desk *d, int64_t floats)
{
    int best = -1;
    for (int i = 0; i < d->slots; i++) {
        const struct slot *s = &d->slot[i], *b = &d->slot[best < 0 ? i : best];
        if (s->taken)
            continue;
        bool better = b->floats < floats ? s->floats > b->floats : s->floats >= floats && s->floats < b->floats;
        if (best < 0 || better)
            best = i;
    }
    if (best < 0)
        d->slot[best = d->slots++] = (struct slot){0};
    if (d->slot[best].floats < floats)
        d->slot[best].floats = floats;
    d->slot[best].taken = true;
    return best;
}

static int place(const struct net *n, struct net_desk *d, int value, int height, int width)
{
    const struct net_value *v = &n->value[value];
    struct net_map *m = &d->map[value];
    if (height < 1 || width < 1 || height > SIDE_MOST || width > SIDE_MOST)
        return FAIL(EFORMAT_, "a picture of this size leaves nothing for the network's later layers");
    *m = (struct net_map){.height = height, .width = width, .step = value ? LANES : NET_STEP};
    m->row = (int64_t)(width + 2 * NET_EDGE) * m->step;
    m->block = (height + 2 * NET_EDGE) * m->row;
    int64_t floats = v->blocks * m->block;
    if (floats > FLOATS_MOST)
        return FAIL(EMEMORY_, "a picture too large for the network");
    m->slot = take_slot(d, floats);
    return 0;
}

static void let_go(const struct net *n, struct net_desk *d, int step)
{
    for (int i = 0; i < n->values; i++)
        if (n->value[i].last == step && !n->value[i].terms)
            d->slot[d->map[i].slot].taken = false;
}

// How large what a step gives is; false: it does not fit what it reads.
static bool size_of(const struct net_step *s, const struct net_desk *d, int *height, int *width)
{
    const struct net_map *in = &d->map[s->in];
    *height = in->height;
    *width = in->width;
    switch (s->kind) {
    case NET_WHOLE: case NET_EACH: case NET_WINDOW:
        *height = (in->height + 2 * s->py - s->kh) / s->sy + 1;
        *width = (in->width + 2 * s->px - s->kw) / s->sx + 1;
        return in->height + 2 * s->py >= s->kh && in->width + 2 * s->px >= s->kw;
    case NET_SPREAD:
        *height *= 2;
        *width *= 2;
        return true;
    case NET_MEAN:
        *height = *width = 1;
        return true;
    case NET_TERMS:
        *height *= s->term[0].times;
        *width *= s->term[0].times;
        for (int i = 1; i < s->terms; i++) {
            const struct net_map *m = &d->map[s->term[i].in];
            if (m->height * s->term[i].times != *height || m->width * s->term[i].times != *width)
                return false;
        }
        return true;
    default:
        return true;
    }
}

static int64_t scratch_of(const struct net *n, const struct net_desk *d, const struct net_step *s)
{
    int64_t most = 0;
    for (int i = 0; i < s->terms; i++) {
        const struct net_term *t = &s->term[i];
        const struct net_map *m = &d->map[t->in];
        int64_t floats = net_term_scratch(t, n->value[t->in].channels, n->value[s->out].blocks, m->height, m->width);
        most = floats > most ? floats : most;
    }
    return most;
}

int net_begin(const struct net *n, struct net_desk *d, int height, int width, float **in, int64_t *row)
{
    d->slots = 0;
    int rc = place(n, d, 0, height, width), h = 0, w = 0;
    int64_t total = 0, scratch = 0;
    for (int i = 0; i < n->steps && !rc; i++) {
        const struct net_step *s = &n->step[i];
        if (!size_of(s, d, &h, &w))
            rc = FAIL(EFORMAT_, "the network's layers do not fit a picture of %d x %d", width, height);
        else
            rc = place(n, d, s->out, h, w);
        if (rc)
            return rc;
        let_go(n, d, i);
        int64_t floats = scratch_of(n, d, s);
        scratch = floats > scratch ? floats : scratch;
    }
    if (rc)
        return rc;
    for (int i = 0; i < d->slots; i++) {
        d->slot[i].at = total;
        total += net_whole_lines(d->slot[i].floats);
    }
    int64_t plane = net_whole_lines((int64_t)net_channels(n) * h * w * fineness(n) * fineness(n));
    if (total + scratch + plane > d->room) {
        free(d->memory);
        d->room = 0;
        if (!(d->memory = memory_take((size_t)(total + scratch + plane) * sizeof *d->memory)))
            return EMEMORY_;
        d->room = total + scratch + plane;
    }
    d->plane = d->memory + total;
    d->scratch = d->plane + plane;
    for (int i = 0; i < n->values; i++) {
        struct net_map *m = &d->map[i];
        if (!n->value[i].terms)
            m->at = d->memory + d->slot[m->slot].at + NET_EDGE * (m->row + m->step);
    }
    struct net_map *first = &d->map[0];
    memset(first->at - NET_EDGE * (first->row + first->step), 0, (size_t)first->block * sizeof *first->at);
    *in = first->at;
    *row = first->row;
    return 0;
}

static void clear_edge(const struct net_map *m, int blocks)
{
    size_t side = (size_t)(NET_EDGE * m->step) * sizeof *m->at, line = (size_t)m->row * sizeof *m->at;
    for (int b = 0; b < blocks; b++) {
        float *at = m->at + b * m->block - NET_EDGE * m->step;
        memset(at - NET_EDGE * m->row, 0, NET_EDGE * line);
        memset(at + m->height * m->row, 0, NET_EDGE * line);
        for (int y = 0; y < m->height; y++) {
            memset(at + y * m->row, 0, side);
            memset(at + (y + 1) * m->row - NET_EDGE * m->step, 0, side);
        }
    }
}

static struct conv conv_of(const struct net *n, const struct net_step *s, const struct net_map *in, const struct net_map *out)
{
    return (struct conv){
        .in = in->at - s->py * in->row - s->px * in->step, .in_block = in->block, .in_row = in->row, .in_step = in->step,
        .out = out->at, .out_block = out->block, .out_row = out->row, .out_step = out->step,
        .inputs = n->value[s->in].channels, .blocks_out = n->value[s->out].blocks, .height = out->height, .width = out->width,
        .kh = s->kh, .kw = s->kw, .sy = s->sy, .sx = s->sx,
        .weights = s->weights, .bias = s->bias, .act = s->act, .scale = s->scale, .shift = s->shift};
}

// One convolution for each of the four places an input pixel goes to.
static void spread(const struct net *n, const struct net_step *s, const struct net_map *in, const struct net_map *out)
{
    struct conv c = conv_of(n, s, in, out);
    int64_t each = (int64_t)n->value[s->in].channels * c.blocks_out * LANES;
    c.height = in->height;
    c.width = in->width;
    c.out_row = 2 * out->row;
    c.out_step = 2 * out->step;
    for (int i = 0; i < 4; i++) {
        c.out = out->at + i / 2 * out->row + i % 2 * out->step;
        c.weights = s->weights + i * each;
        n->kernels->whole(&c);
    }
}

static void mean(int blocks, const struct net_map *in, const struct net_map *out)
{
    for (int b = 0; b < blocks; b++) {
        double sum[LANES] = {0};
        for (int y = 0; y < in->height; y++) {
            float line[LANES] = {0};
            const float *p = in->at + b * in->block + y * in->row;
            for (int x = 0; x < in->width; x++, p += LANES)
                for (int l = 0; l < LANES; l++)
                    line[l] += p[l];
            for (int l = 0; l < LANES; l++)
                sum[l] += line[l];
        }
        for (int l = 0; l < LANES; l++)
            out->at[b * out->block + l] = (float)(sum[l] / ((double)in->height * in->width));
    }
}

static void window(const struct net_step *s, int blocks, const struct net_map *in, const struct net_map *out)
{
    float share = 1 / (float)(s->kh * s->kw);
    for (int b = 0; b < blocks; b++)
        for (int y = 0; y < out->height; y++)
            for (int x = 0; x < out->width; x++) {
                float sum[LANES] = {0}, *to = out->at + b * out->block + y * out->row + x * LANES;
                for (int u = 0; u < s->kh * s->kw; u++) {
                    const float *p = in->at + b * in->block + (y * s->sy + u / s->kw) * in->row +
                                     (x * s->sx + u % s->kw) * LANES;
                    for (int l = 0; l < LANES; l++)
                        sum[l] += p[l];
                }
                for (int l = 0; l < LANES; l++)
                    to[l] = sum[l] * share;
            }
}

static void gate(const struct net *n, int blocks, const struct net_map *in, const struct net_map *by,
                 const struct net_map *out)
{
    for (int b = 0; b < blocks; b++)
        for (int y = 0; y < in->height; y++)
            n->kernels->gate(out->at + b * out->block + y * out->row, in->at + b * in->block + y * in->row,
                             by->at + b * by->block, in->width);
}

static void terms(const struct net *n, struct net_desk *d, const struct net_step *s, const struct net_map *out)
{
    int blocks = n->value[s->out].blocks;
    for (int i = 0; i < s->terms; i++) {
        const struct net_term *t = &s->term[i];
        net_term_run(n, t, &d->map[t->in], t->gate < 0 ? NULL : &d->map[t->gate], out, blocks, s->bias, i > 0, d->scratch);
    }
    for (int y = 0; y < out->height * blocks && s->act == CONV_RELU; y++)
        n->kernels->relu(out->at + y / out->height * out->block + y % out->height * out->row, out->width);
}

// Lanes 0 .. 3 of each pixel are the four of a square twice as fine.
static void unfold(const struct net_map *m, float *plane)
{
    int64_t width = 2 * m->width;
    for (int y = 0; y < m->height; y++)
        for (int x = 0; x < m->width; x++) {
            const float *p = m->at + y * m->row + x * LANES;
            float *q = plane + 2 * y * width + 2 * x;
            q[0] = p[0];
            q[1] = p[1];
            q[width] = p[2];
            q[width + 1] = p[3];
        }
}

static void planes(const struct net_map *m, int channels, float *plane)
{
    for (int c = 0; c < channels; c++)
        for (int y = 0; y < m->height; y++)
            for (int x = 0; x < m->width; x++)
                *plane++ = m->at[c / LANES * m->block + y * m->row + x * LANES + c % LANES];
}

static void run_step(const struct net *n, struct net_desk *d, const struct net_step *s)
{
    int blocks = n->value[s->in].blocks;
    const struct net_map *in = &d->map[s->in], *out = &d->map[s->out];
    switch (s->kind) {
    case NET_WHOLE: case NET_EACH: case NET_PLANE: {
        struct conv c = conv_of(n, s, in, out);
        (s->kind == NET_EACH ? n->kernels->each : n->kernels->whole)(&c);
        break;
    }
    case NET_SPREAD: spread(n, s, in, out); break;
    case NET_MEAN: mean(blocks, in, out); break;
    case NET_WINDOW: window(s, blocks, in, out); break;
    case NET_GATE: gate(n, blocks, in, &d->map[s->b], out); break;
    case NET_TERMS: terms(n, d, s, out); break;
    }
    if (n->value[s->out].edged)
        clear_edge(out, n->value[s->out].blocks);
}

const float *net_run(const struct net *n, struct net_desk *d, int *height, int *width)
{
    const struct net_map *m = &d->map[n->step[n->steps - 1].out];
    int fine = fineness(n);
    *height = fine * m->height;
    *width = fine * m->width;
    for (int i = 0; i < n->steps; i++)
        run_step(n, d, &n->step[i]);
    if (fine > 1) {
        unfold(m, d->plane);
        n->kernels->sigmoid(d->plane, (int64_t)*height * *width);
    } else {
        planes(m, net_channels(n), d->plane);
    }
    return d->plane;
}
