// SPDX-License-Identifier: Apache-2.0
#include "image/transform.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "image/rows.h"

int transform_crop(const struct transform *t, const struct image *im, unsigned char *out)
{
    int s = t->size;
    int64_t w = im->width, h = im->height, width = s, height = s;
    if (w <= h)
        height = (int64_t)((double)s * (double)h / (double)w);   // truncated, as torchvision's int(size * long / short)
    else
        width = (int64_t)((double)s * (double)w / (double)h);
    if (width > INT32_MAX / 4 || height > INT32_MAX / 4)
        return FAIL(EFORMAT_, "a picture of %dx%d pixels is too narrow to be scaled to %d", im->width, im->height, s);
    // rint rounds halves to even, as Python's round
    int left = (int)rint((double)(width - s) / 2), top = (int)rint((double)(height - s) / 2);
    struct region all = {im->rgb, im->width, im->height, (size_t)im->width * 3};
    return image_resample(&all, (int)width, (int)height, t->filter, left, top, s, s, out);
}

void transform_normalise(const struct transform *t, const unsigned char *rgb, float *out)
{
    rows_best()->normalise(rgb, out, (size_t)t->size * (size_t)t->size, t->mean, t->std);
}

int transform_apply(const struct transform *t, const struct image *im, float *out)
{
    unsigned char *rgb = malloc((size_t)t->size * (size_t)t->size * 3);
    if (!rgb)
        return FAIL(EMEMORY_, "out of memory: no room for a picture of %dx%d", t->size, t->size);
    int rc = transform_crop(t, im, rgb);
    if (!rc)
        transform_normalise(t, rgb, out);
    free(rgb);
    return rc;
}
