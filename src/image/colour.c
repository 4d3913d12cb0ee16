// SPDX-License-Identifier: Apache-2.0
#include "image/colour.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const float luma[3] = {.299f, .587f, .114f};   // ITU-R 601, as Pillow's convert("L")

static inline float least(float a, float b) { return a < b ? a : b; }
static inline float most(float a, float b) { return a > b ? a : b; }

// value *= 1 - strength * (max - min over 3x3), brightness of the ink; borders repeat their last pixel.
static void outline(float *r, float *g, float *b, int size, float strength, float *work /* 3 x size x size */)
{
    size_t n = (size_t)size * (size_t)size;
    float *y = work, *hi = work + n, *lo = work + 2 * n;
    for (size_t i = 0; i < n; i++)
        y[i] = luma[0] * r[i] + luma[1] * g[i] + luma[2] * b[i];
    for (int row = 0; row < size; row++) {
        const float *in = y + (size_t)row * (size_t)size;
        float *h = hi + (size_t)row * (size_t)size, *l = lo + (size_t)row * (size_t)size;
        int last = size - 1, before = last > 0 ? last - 1 : 0, after = last > 0 ? 1 : 0;
        for (int x = 1; x < last; x++) {
            h[x] = most(most(in[x - 1], in[x]), in[x + 1]);
            l[x] = least(least(in[x - 1], in[x]), in[x + 1]);
        }
        h[0] = most(in[0], in[after]);
        l[0] = least(in[0], in[after]);
        h[last] = most(in[last], in[before]);
        l[last] = least(in[last], in[before]);
    }
    for (int row = 0; row < size; row++) {
        size_t here = (size_t)row * (size_t)size, up = row > 0 ? here - (size_t)size : here,
               dn = row + 1 < size ? here + (size_t)size : here;
        for (size_t x = 0; x < (size_t)size; x++) {
            float edge =
                most(most(hi[up + x], hi[here + x]), hi[dn + x]) - least(least(lo[up + x], lo[here + x]), lo[dn + x]);
            float keep = 1 - strength * edge;
            r[here + x] = 1 - (1 - r[here + x]) * keep;
            g[here + x] = 1 - (1 - g[here + x]) * keep;
            b[here + x] = 1 - (1 - b[here + x]) * keep;
        }
    }
}

// saturation, matrix and amount of ink in one matrix: all of them are linear in the ink
static void combine(const struct colour *c, float m[3][3])
{
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            double sum = 0;
            for (int j = 0; j < 3; j++)
                sum += c->matrix[i][j] * ((1 - c->saturation) * (double)luma[k] + (j == k ? c->saturation : 0));
            m[i][k] = (float)(c->ink * sum);
        }
}

enum { LEVELS = 1024 };   // steps of the power's table: four times finer than the pixels themselves

int colour_apply(const struct colour *c, const struct transform *t, const unsigned char *rgb, float *out)
{
    size_t n = (size_t)t->size * (size_t)t->size;
    float *r = out, *g = out + n, *b = out + 2 * n, m[3][3], power[LEVELS];
    for (size_t i = 0; i < n; i++) {
        r[i] = 1 - (float)rgb[3 * i] * (1 / 255.f);
        g[i] = 1 - (float)rgb[3 * i + 1] * (1 / 255.f);
        b[i] = 1 - (float)rgb[3 * i + 2] * (1 / 255.f);
    }
    if (c->outline > 0) {
        float *work = malloc(3 * n * sizeof *work);
        if (!work)
            return FAIL(EMEMORY_, "out of memory: no room for an outline of %dx%d", t->size, t->size);
        outline(r, g, b, t->size, (float)c->outline, work);
        free(work);
    }
    combine(c, m);
    for (size_t i = 0; i < n; i++) {
        float x = r[i], y = g[i], z = b[i];
        float u = 1 - (m[0][0] * x + m[0][1] * y + m[0][2] * z);
        float v = 1 - (m[1][0] * x + m[1][1] * y + m[1][2] * z);
        float w = 1 - (m[2][0] * x + m[2][1] * y + m[2][2] * z);
        r[i] = least(most(u, 0), 1);
        g[i] = least(most(v, 0), 1);
        b[i] = least(most(w, 0), 1);
    }
    if (c->gamma != 1) {
        for (int i = 0; i < LEVELS; i++)
            power[i] = powf((float)i / (LEVELS - 1), (float)c->gamma);
        for (size_t i = 0; i < 3 * n; i++)
            out[i] = power[(int)(out[i] * (LEVELS - 1) + .5f)];
    }
    for (int k = 0; k < 3; k++) {
        float scale = 1 / t->std[k], shift = -t->mean[k] / t->std[k];
        for (size_t i = 0; i < n; i++)
            out[(size_t)k * n + i] = out[(size_t)k * n + i] * scale + shift;
    }
    return 0;
}
