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

enum { BITS = 22 };

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

struct taps {
    int most;          // weights a place
    int *first;        // [n] first input place
    int *count;        // [n]
    int32_t *weight;   // [n, most]
    void *memory;
};

// Taps of the places [x, x + n) of an axis of `in` places made `out` long.
static int taps_make(struct taps *t, int in, int out, enum image_filter filter, int x, int n)
{
    double scale = (double)in / out, stretch = scale < 1 ? 1 : scale, support = filters[filter].support * stretch;
    t->most = (int)ceil(support) * 2 + 1;
    size_t most = (size_t)t->most, places = (size_t)n;
    t->memory = malloc(places * (2 * sizeof(int) + most * sizeof(int32_t)) + most * sizeof(double));
    if (!t->memory)
        return FAIL(EMEMORY_, "out of memory: no room for resampling weights");
    double *w = t->memory;
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
            double v = (sum != 0 ? w[k - lo] / sum : w[k - lo]) * (1 << BITS);
            t->weight[(size_t)i * most + (size_t)(k - lo)] = (int32_t)(v < 0 ? v - .5 : v + .5);
        }
        t->first[i] = lo;
        t->count[i] = hi - lo;
    }
    return 0;
}

static inline unsigned char clamp8(int32_t sum)
{
    int32_t v = sum >> BITS;
    return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
}

// One row of `n` places from a row of RGB.
static void across(const struct taps *t, const unsigned char *restrict in, unsigned char *restrict out, int n)
{
    for (int i = 0; i < n; i++) {
        const unsigned char *p = in + (size_t)t->first[i] * 3;
        const int32_t *w = t->weight + (size_t)i * (size_t)t->most;
        int32_t r = 1 << (BITS - 1), g = r, b = r;
        for (int k = 0; k < t->count[i]; k++, p += 3) {
            r += p[0] * w[k];
            g += p[1] * w[k];
            b += p[2] * w[k];
        }
        out[3 * i] = clamp8(r);
        out[3 * i + 1] = clamp8(g);
        out[3 * i + 2] = clamp8(b);
    }
}

// One output row from `count` input rows; `bytes` a row. Blocks of sums stay in registers or the first cache.
static void down(const int32_t *w, int count, const unsigned char *restrict in, size_t stride,
                 unsigned char *restrict out, size_t bytes)
{
    enum { BLOCK = 64 };
    for (size_t x = 0; x < bytes; x += BLOCK) {
        int32_t sum[BLOCK];
        size_t n = bytes - x < BLOCK ? bytes - x : BLOCK;
        for (size_t i = 0; i < BLOCK; i++)
            sum[i] = 1 << (BITS - 1);
        const unsigned char *p = in + x;
        if (n == BLOCK)
            for (int k = 0; k < count; k++, p += stride)
                for (size_t i = 0; i < BLOCK; i++)
                    sum[i] += p[i] * w[k];
        else
            for (int k = 0; k < count; k++, p += stride)
                for (size_t i = 0; i < n; i++)
                    sum[i] += p[i] * w[k];
        for (size_t i = 0; i < n; i++)
            out[x + i] = clamp8(sum[i]);
    }
}

int image_resample(const struct region *src, int width, int height, enum image_filter filter,
                   int x, int y, int w, int h, unsigned char *out)
{
    assert(src->width > 0 && src->height > 0 && width > 0 && height > 0);
    assert(x >= 0 && y >= 0 && w > 0 && h > 0 && w <= width - x && h <= height - y);
    struct taps tx = {0}, ty = {0};
    unsigned char *middle = NULL;
    const unsigned char *from = src->rgb;
    size_t stride = src->stride, out_row = (size_t)w * 3;
    int rc, top = y, rows = h;
    // The rows that the window needs of the source. A pass that would not change the size is left out.
    if (height != src->height) {
        if ((rc = taps_make(&ty, src->height, height, filter, y, h)) != 0)
            goto done;
        top = ty.first[0];
        rows = ty.first[h - 1] + ty.count[h - 1] - top;
    }
    from += (size_t)top * stride;
    if (width != src->width) {
        if ((rc = taps_make(&tx, src->width, width, filter, x, w)) != 0)
            goto done;
        unsigned char *to = out;
        if (ty.memory) {
            to = middle = malloc((size_t)rows * out_row);
            if (!middle) {
                rc = FAIL(EMEMORY_, "out of memory: no room to resample %d rows of %d pixels", rows, w);
                goto done;
            }
        }
        for (int i = 0; i < rows; i++)
            across(&tx, from + (size_t)i * stride, to + (size_t)i * out_row, w);
        from = middle;
        stride = out_row;
    } else {
        from += (size_t)x * 3;
    }
    if (ty.memory)
        for (int i = 0; i < h; i++)
            down(ty.weight + (size_t)i * (size_t)ty.most, ty.count[i], from + (size_t)(ty.first[i] - top) * stride,
                 stride, out + (size_t)i * out_row, out_row);
    else if (!tx.memory)
        for (int i = 0; i < h; i++)
            memcpy(out + (size_t)i * out_row, from + (size_t)i * stride, out_row);
    rc = 0;
done:
    free(tx.memory);
    free(ty.memory);
    free(middle);
    return rc;
}
