// SPDX-License-Identifier: Apache-2.0
#include "image/remake.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/encode.h"
#include "image/exif.h"
#include "image/resample.h"

static const struct { const char *name; enum fit fit; } fits[] = {
    {"shorter", FIT_SHORTER}, {"longer", FIT_LONGER}, {"border", FIT_BORDER}, {"crop", FIT_CROP},
    {"keep_ratio", FIT_SHORTER}, {"keep_ratio_largest", FIT_LONGER}, {"center_crop", FIT_CROP},
};

bool fit_parse(enum fit *out, const char *name)
{
    for (size_t i = 0; i < sizeof fits / sizeof *fits; i++)
        if (strcmp(fits[i].name, name) == 0) {
            *out = fits[i].fit;
            return true;
        }
    return false;
}

int format_quality(const char *format)
{
    return strcmp(format, "jpeg") == 0 ? 95 : strcmp(format, "webp") == 0 ? 90 : 6;
}

// Where a picture goes: scaled to width x height, of that the window at (x, y), put at (left, top) of w x h.
struct plan {
    int64_t width, height;
    int x, y, left, top, window_w, window_h;
    int64_t w, h;
};

static void plan_make(struct plan *p, const struct remake *r, int width, int height)
{
    bool longer = r->fit == FIT_LONGER || r->fit == FIT_BORDER;
    int side = (width < height) == longer ? height : width, size = r->size;
    bool scale = size > 0 && side != size && (side > size || r->enlarge);
    *p = (struct plan){.width = width, .height = height};
    if (scale) {
        double by = (double)size / side;
        p->width = (int64_t)fmax(1, rint(width * by));
        p->height = (int64_t)fmax(1, rint(height * by));
    }
    p->w = p->width;
    p->h = p->height;
    if (size > 0 && r->fit == FIT_BORDER) {
        p->w = p->h = size;
        p->left = (int)(size - p->width) / 2;
        p->top = (int)(size - p->height) / 2;
    }
    if (size > 0 && r->fit == FIT_CROP && p->width >= size && p->height >= size) {
        p->w = p->h = size;
        p->x = (int)(p->width - size) / 2;
        p->y = (int)(p->height - size) / 2;
    }
    p->window_w = (int)(p->w < p->width ? p->w : p->width);
    p->window_h = (int)(p->h < p->height ? p->h : p->height);
}

// The window into a canvas of its own, or into the middle of a white one.
static int draw(const struct plan *p, const struct image *from, struct image *to, int64_t max_pixels)
{
    if (p->w > max_pixels / p->h || p->width > INT32_MAX / 4 || p->height > INT32_MAX / 4)
        return FAIL(EUNSUPPORTED_, "it would become %" PRId64 "x%" PRId64 " pixels, more than allowed", p->w, p->h);
    bool border = p->w != p->window_w || p->h != p->window_h;
    size_t bytes = (size_t)p->w * (size_t)p->h * 3, row = (size_t)p->window_w * 3;
    unsigned char *scaled = border ? malloc((size_t)p->window_h * row) : NULL;
    *to = (struct image){(int)p->w, (int)p->h, malloc(bytes)};
    if (!to->rgb || (border && !scaled)) {
        free(scaled);
        return FAIL(EMEMORY_, "out of memory: no room for a picture of %dx%d pixels", to->width, to->height);
    }
    struct region all = {from->rgb, from->width, from->height, (size_t)from->width * 3};
    int rc = image_resample(&all, (int)p->width, (int)p->height, FILTER_BICUBIC, p->x, p->y, p->window_w, p->window_h,
                            border ? scaled : to->rgb);
    if (!rc && border) {
        memset(to->rgb, 255, bytes);
        for (int y = 0; y < p->window_h; y++)
            memcpy(to->rgb + ((size_t)(p->top + y) * (size_t)p->w + (size_t)p->left) * 3, scaled + (size_t)y * row, row);
    }
    free(scaled);
    return rc;
}

int image_remake(const struct remake *r, const void *bytes, size_t n, struct buf *out, const char **format, int *width,
                 int *height)
{
    struct image im = {0}, made = {0};
    struct image_meta meta = {0};
    struct plan p;
    const char *is = image_format(bytes, n);
    // an enlarged picture is decoded whole: its side is less than the size
    struct decoding how = {r->max_pixels, .shown = true, .side = r->size,
                         .longer = r->fit == FIT_LONGER || r->fit == FIT_BORDER};
    int rc = image_decode_as(&im, bytes, n, &how);
    if (rc)
        goto done;
    plan_make(&p, r, how.width, how.height);
    *format = r->format;
    *width = (int)p.w;
    *height = (int)p.h;
    bool same = p.w == how.width && p.h == how.height && p.width == p.w && p.height == p.h;
    if (same && strcmp(is, r->format) == 0)
        goto done;
    if (!same && (rc = draw(&p, &im, &made, how.max_pixels)) != 0)
        goto done;
    if ((rc = image_meta(&meta, bytes, n)) != 0)
        goto done;
    rc = image_encode(out, same ? &im : &made, r->format, r->quality, &meta);
done:
    image_meta_free(&meta);
    image_free(&im);
    image_free(&made);
    return rc;
}
