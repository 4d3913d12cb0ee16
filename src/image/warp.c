// SPDX-License-Identifier: Apache-2.0
#include "image/warp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

typedef float f4 __attribute__((vector_size(16)));   // red, green, blue, unused
typedef int i4 __attribute__((vector_size(16)));

// Output place (x, y) reads the source at (ax x + bx y + cx, ay x + by y + cy), in pixels from the first one's centre.
struct affine {
    double ax, bx, cx, ay, by, cy;
};

static struct affine invert(const struct warp *w, int size, int width, int height)
{
    double side = width < height ? width : height, unit = side / size;   // source pixels an output pixel
    double c = cos(w->angle), s = sin(w->angle), half = size / 2.;
    struct affine m = {.ax = c * unit / w->sx, .bx = s * unit / w->sx, .ay = -s * unit / w->sy, .by = c * unit / w->sy};
    double ox = .5 - half - w->dx * half, oy = .5 - half - w->dy * half; // of output place (0, 0) from the moved middle
    m.cx = m.ax * ox + m.bx * oy + width / 2. - .5;
    m.cy = m.ay * ox + m.by * oy + height / 2. - .5;
    return m;
}

// The stretch of an axis of `n` source pixels that values between a x + b y + c for x, y in 0 .. last can touch.
static void reach(double a, double b, double c, int last, int n, int *from, int *to)
{
    double lo = c + (a < 0 ? a : 0) * last + (b < 0 ? b : 0) * last,
           hi = c + (a > 0 ? a : 0) * last + (b > 0 ? b : 0) * last;
    lo = floor(lo);
    hi = floor(hi) + 2;
    *from = lo < 0 ? 0 : lo > n ? n : (int)lo;
    *to = hi < *from ? *from : hi > n ? n : (int)hi;
}

// Fill, the part of the picture, fill: reading outside needs no test.
static f4 *pad(const struct region *v, float fill)
{
    size_t row = (size_t)v->width + 2, rows = (size_t)v->height + 2;
    f4 *p = aligned_alloc(16, row * rows * sizeof *p), paper = {fill, fill, fill, 0};
    if (!p) {
        FAIL(EMEMORY_, "out of memory: no room for a picture of %dx%d pixels", v->width, v->height);
        return NULL;
    }
    for (size_t x = 0; x < row; x++)
        p[x] = p[(rows - 1) * row + x] = paper;
    for (int y = 0; y < v->height; y++) {
        f4 *to = p + ((size_t)y + 1) * row;
        const unsigned char *in = v->rgb + (size_t)y * v->stride;
        to[0] = to[row - 1] = paper;
        for (int x = 0; x < v->width; x++, in += 3)
            to[x + 1] = __builtin_convertvector((i4){in[0], in[1], in[2], 0}, f4);
    }
    return p;
}

static inline float within(float v, float most) { return v < 0 ? 0 : v > most ? most : v; }

int warp_apply(const struct warp *w, const struct transform *t, const struct image *im, unsigned char *out)
{
    int size = t->size, side = im->width < im->height ? im->width : im->height, rc = 0;
    struct image small = {0};
    f4 *p = NULL;
    // Reading single points of a picture much finer than the result would make noise: shrink it properly first.
    if (2 * side > 3 * size) {
        double factor = 4. * size / (3. * side);
        small.width = (int)(im->width * factor + .5);
        small.height = (int)(im->height * factor + .5);
        small.rgb = malloc((size_t)small.width * (size_t)small.height * 3);
        if (!small.rgb)
            return FAIL(EMEMORY_, "out of memory: no room for a picture of %dx%d", small.width, small.height);
        struct region all = {im->rgb, im->width, im->height, (size_t)im->width * 3};
        rc = image_resample(&all, small.width, small.height, t->filter, 0, 0, small.width, small.height, small.rgb);
        if (rc)
            goto done;
        im = &small;
    }
    struct affine m = invert(w, size, im->width, im->height);
    int x0, x1, y0, y1;
    reach(m.ax, m.bx, m.cx, size - 1, im->width, &x0, &x1);
    reach(m.ay, m.by, m.cy, size - 1, im->height, &y0, &y1);
    struct region part = {im->rgb + ((size_t)y0 * (size_t)im->width + (size_t)x0) * 3, x1 - x0, y1 - y0,
                        (size_t)im->width * 3};
    p = pad(&part, (float)w->fill);
    if (!p) {
        rc = EMEMORY_;
        goto done;
    }
    int row = part.width + 2;
    float most_x = (float)part.width + .999f, most_y = (float)part.height + .999f;
    for (int y = 0; y < size; y++) {
        // places inside the padded part, whose first pixel is one left of x0 and one above y0
        float px = (float)(m.bx * y + m.cx - x0 + 1), py = (float)(m.by * y + m.cy - y0 + 1), dx = (float)m.ax,
              dy = (float)m.ay;
        for (int x = 0; x < size; x++, out += 3) {
            float fx = within(px + dx * (float)x, most_x), fy = within(py + dy * (float)x, most_y);
            int ix = (int)fx, iy = (int)fy;
            const f4 *q = p + (size_t)iy * (size_t)row + (size_t)ix;
            float u = fx - (float)ix, v = fy - (float)iy;
            f4 top = q[0] + u * (q[1] - q[0]), bottom = q[row] + u * (q[row + 1] - q[row]);
            i4 level = __builtin_convertvector(top + v * (bottom - top) + .5f, i4);
            out[0] = (unsigned char)level[0];
            out[1] = (unsigned char)level[1];
            out[2] = (unsigned char)level[2];
        }
    }
done:
    free(p);
    image_free(&small);
    return rc;
}
