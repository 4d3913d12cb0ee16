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
#include "image/rows.h"

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

static void taps_free(struct taps *t)
{
    free(t->scratch);
    free(t->packed);
}

int image_resample(const struct region *src, int width, int height, enum image_filter filter,
                   int x, int y, int w, int h, unsigned char *out)
{
    assert(src->width > 0 && src->height > 0 && width > 0 && height > 0);
    assert(x >= 0 && y >= 0 && w > 0 && h > 0 && w <= width - x && h <= height - y);
    const struct row_table *table = rows_best();
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
        table->pack(&tx);
        unsigned char *to = out;
        if (ty.n) {
            to = middle = malloc((size_t)rows * out_row);
            if (!middle) {
                rc = FAIL(EMEMORY_, "out of memory: no room to resample %d rows of %d pixels", rows, w);
                goto done;
            }
        }
        table->across(&tx, from, stride, to, out_row, rows);
        from = middle;
        stride = out_row;
    } else {
        from += (size_t)x * 3;
    }
    if (ty.n)
        for (int i = 0; i < h; i++)
            table->down(ty.weight + (size_t)i * (size_t)ty.most, ty.count[i], from + (size_t)(ty.first[i] - top) * stride,
                 stride, out + (size_t)i * out_row, out_row);
    else if (!tx.n)
        for (int i = 0; i < h; i++)
            memcpy(out + (size_t)i * out_row, from + (size_t)i * stride, out_row);
    rc = 0;
done:
    taps_free(&tx);
    taps_free(&ty);
    free(middle);
    return rc;
}
