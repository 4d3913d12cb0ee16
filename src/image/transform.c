// SPDX-License-Identifier: Apache-2.0
#include "image/transform.h"

#include <math.h>

#include "base/error.h"
#include "image/rows.h"

// A resampler for a picture of w x h pixels.
static int plan(const struct transform *t, int w, int h, unsigned char *out, struct resampler *r)
{
    int s = t->size;
    int64_t width = s, height = s;
    if (w <= h)
        height = (int64_t)((double)s * (double)h / (double)w);   // truncated, as torchvision's int(size * long / short)
    else
        width = (int64_t)((double)s * (double)w / (double)h);
    if (width > INT32_MAX / 4 || height > INT32_MAX / 4)
        return FAIL(EFORMAT_, "a picture of %dx%d pixels is too narrow to be scaled to %d", w, h, s);
    // rint rounds halves to even, as Python's round
    int left = (int)rint((double)(width - s) / 2), top = (int)rint((double)(height - s) / 2);
    *r = (struct resampler){t->filter, w, h, (int)width, (int)height, {left, top, s, s}, out};
    return 0;
}

// Decoded rows to a crop.
struct cropper {
    struct row_sink sink;
    const struct transform *t;
    unsigned char *out;
    struct resampler r;
};

static int crop_size(struct row_sink *s, int width, int height, struct rect *want)
{
    struct cropper *c = (struct cropper *)s;
    resampler_close(&c->r);   // another reader may have begun
    int rc = plan(c->t, width, height, c->out, &c->r);
    if (!rc && (rc = resampler_open(&c->r)) == 0)
        *want = c->r.need;
    return rc;
}

static void crop_rows(struct row_sink *s, const unsigned char *rgb, size_t stride, int y, int n)
{
    resampler_rows(&((struct cropper *)s)->r, rgb, stride, y, n);
}

int transform_decode(const struct transform *t, const void *bytes, size_t n, int64_t max_pixels, unsigned char *out)
{
    struct cropper c = {{crop_size, crop_rows}, t, out};
    struct image none;
    struct decoding how = {.max_pixels = max_pixels, .sink = &c.sink};
    int rc = image_decode_as(&none, bytes, n, &how);
    resampler_close(&c.r);
    return rc;
}

int transform_crop(const struct transform *t, const struct image *im, unsigned char *out)
{
    struct resampler r = {0};
    int rc = plan(t, im->width, im->height, out, &r);
    if (rc)
        return rc;
    struct region all = {im->rgb, im->width, im->height, (size_t)im->width * 3};
    const struct rect *w = &r.window;
    return image_resample(&all, r.width, r.height, r.filter, w->x, w->y, w->w, w->h, out);
}

void transform_normalise(const struct transform *t, const unsigned char *rgb, float *out)
{
    rows_best()->normalise(rgb, out, (size_t)t->size * (size_t)t->size, t->mean, t->std);
}

// The crop of a picture, or of a file's bytes, as floats.
static int floats(const struct transform *t, const struct image *im, const void *bytes, size_t n, int64_t max_pixels,
                  float *out)
{
    // The bytes lie in the last quarter of the floats: made in order, none reaches a byte that is still to be read.
    unsigned char *rgb = (unsigned char *)out + (size_t)t->size * (size_t)t->size * 9;
    int rc = im ? transform_crop(t, im, rgb) : transform_decode(t, bytes, n, max_pixels, rgb);
    if (!rc)
        transform_normalise(t, rgb, out);
    return rc;
}

int transform_apply(const struct transform *t, const struct image *im, float *out)
{
    return floats(t, im, NULL, 0, 0, out);
}

int transform_load(const struct transform *t, const void *bytes, size_t n, int64_t max_pixels, float *out)
{
    return floats(t, NULL, bytes, n, max_pixels, out);
}
