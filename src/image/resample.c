// SPDX-License-Identifier: Apache-2.0
// Pillow's Resample.c, restated: per output place a run of input places ("taps") with weights of the stretched kernel,
// normalised, rounded to 22 fractional bits, summed in int32 with half added, shifted, clamped.
#include "image/resample.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { BAND = 16 };   // rows that go through both passes together

static double bicubic(double x)
{
    x = fabs(x);
    return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * -.5 : 0;
}

static double triangle(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

static const struct { double (*at)(double); double support; } filters[] = {
    [FILTER_BICUBIC] = {bicubic, 2},
    [FILTER_BILINEAR] = {triangle, 1},
};

// Taps of the places [x, x + n) of an axis of `in` places made `out` long.
static int taps_make(struct taps *t, int in, int out, enum image_filter filter, int x, int n)
{
    double scale = (double)in / out, stretch = scale < 1 ? 1 : scale, support = filters[filter].support * stretch;
    t->most = (int)ceil(support) * 2 + 1;
    size_t most = (size_t)t->most, places = (size_t)n;
    double *w = malloc(places * (2 * sizeof(int) + most * sizeof(int32_t)) + most * sizeof(double));
    if (!w)
        return FAIL(EMEMORY_, "out of memory: no room for resampling weights");
    t->n = n;
    t->in = in;
    t->scratch = w;
    t->weight = (int32_t *)(w + most);
    t->first = (int *)(t->weight + places * most);
    t->count = t->first + places;
    for (int i = 0; i < n; i++) {
        double centre = (x + i + .5) * scale, sum = 0;
        int lo = (int)(centre - support + .5), hi = (int)(centre + support + .5);
        lo = lo < 0 ? 0 : lo;
        hi = hi > in ? in : hi;
        for (int k = lo; k < hi; k++)
            sum += w[k - lo] = filters[filter].at((k - centre + .5) * (1 / stretch));
        for (int k = lo; k < hi; k++) {
            double v = (sum != 0 ? w[k - lo] / sum : w[k - lo]) * (1 << WEIGHT_BITS);
            t->weight[(size_t)i * most + (size_t)(k - lo)] = (int32_t)(v < 0 ? v - .5 : v + .5);
        }
        t->first[i] = lo;
        t->count[i] = hi - lo;
    }
    return 0;
}

// The places of the source that the taps need, which then count from the first of them.
static void taps_span(struct taps *t, int *from, int *n)
{
    *from = t->first[0];
    *n = t->in = t->first[t->n - 1] + t->count[t->n - 1] - *from;
    for (int i = 0; i < t->n; i++)
        t->first[i] -= *from;
}

static void taps_free(struct taps *t)
{
    free(t->scratch);
    free(t->packed);
}

int resampler_open(struct resampler *r)
{
    const struct rect *w = &r->window;
    assert(r->from_width > 0 && r->from_height > 0 && r->width > 0 && r->height > 0);
    assert(w->x >= 0 && w->y >= 0 && w->w > 0 && w->h > 0 && w->w <= r->width - w->x && w->h <= r->height - w->y);
    int rc;
    r->table = rows_best();
    r->need = *w;
    if (r->width != r->from_width) {
        if ((rc = taps_make(&r->tx, r->from_width, r->width, r->filter, w->x, w->w)) != 0)
            return rc;
        taps_span(&r->tx, &r->need.x, &r->need.w);
        r->table->pack(&r->tx);
    }
    if (r->height != r->from_height) {
        if ((rc = taps_make(&r->ty, r->from_height, r->height, r->filter, w->y, w->h)) != 0)
            return rc;
        taps_span(&r->ty, &r->need.y, &r->need.h);
        r->room = r->ty.most + BAND;
        r->middle = malloc((size_t)r->room * (size_t)w->w * 3);
        if (!r->middle)
            return FAIL(EMEMORY_, "out of memory: no room to resample %d rows of %d pixels", r->room, w->w);
    }
    return 0;
}

static void across(struct resampler *r, const unsigned char *rgb, size_t stride, unsigned char *to, int n)
{
    size_t row = (size_t)r->window.w * 3;
    if (r->tx.n)
        r->table->across(&r->tx, rgb, stride, to, row, n);
    else
        for (int i = 0; i < n; i++)
            memcpy(to + (size_t)i * row, rgb + (size_t)i * stride, row);
}

void resampler_rows(struct resampler *r, const unsigned char *rgb, size_t stride, int y, int n)
{
    size_t row = (size_t)r->window.w * 3;
    if (!r->ty.n) {
        across(r, rgb, stride, r->out + (size_t)(y - r->need.y) * row, n);
        return;
    }
    for (int done = 0, take; done < n; done += take) {
        // rows stay in the first cache: no more of them are held than the result's next row can need
        int keep = r->made < r->ty.n ? r->ty.first[r->made] : r->first + r->held;
        if (r->held + BAND > r->room && keep > r->first) {
            int past = keep - r->first < r->held ? keep - r->first : r->held;
            memmove(r->middle, r->middle + (size_t)past * row, (size_t)(r->held - past) * row);
            r->first += past;
            r->held -= past;
        }
        take = n - done < r->room - r->held ? n - done : r->room - r->held;
        across(r, rgb + (size_t)done * stride, stride, r->middle + (size_t)r->held * row, take);
        r->held += take;
        for (; r->made < r->ty.n && r->ty.first[r->made] + r->ty.count[r->made] <= r->first + r->held; r->made++)
            r->table->down(r->ty.weight + (size_t)r->made * (size_t)r->ty.most, r->ty.count[r->made],
                           r->middle + (size_t)(r->ty.first[r->made] - r->first) * row, row,
                           r->out + (size_t)r->made * row, row);
    }
}

void resampler_close(struct resampler *r)
{
    taps_free(&r->tx);
    taps_free(&r->ty);
    free(r->middle);
}

int image_resample(const struct region *src, int width, int height, enum image_filter filter,
                   int x, int y, int w, int h, unsigned char *out)
{
    struct resampler r = {filter, src->width, src->height, width, height, {x, y, w, h}, out};
    int rc = resampler_open(&r);
    if (!rc) {
        const unsigned char *from = src->rgb + (size_t)r.need.y * src->stride + (size_t)r.need.x * 3;
        resampler_rows(&r, from, src->stride, r.need.y, r.need.h);
    }
    resampler_close(&r);
    return rc;
}
