// SPDX-License-Identifier: Apache-2.0
#include "image/augment.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "image/colour.h"
#include "image/warp.h"

struct parameter {
    const char *name;
    size_t lo, hi;       // offsets; equal for a single value
    double least, most;  // what is accepted
};

#define AT(field) offsetof(struct augment, field)
static const struct parameter parameters[] = {
    {"crop", AT(crop_lo), AT(crop_hi), 0, 1},
    {"ratio", AT(ratio_lo), AT(ratio_hi), .01, 100},
    {"flip", AT(flip), AT(flip), 0, 1},
    {"scale", AT(scale_lo), AT(scale_hi), -3, 3},
    {"aspect", AT(aspect), AT(aspect), 0, 2},
    {"rotate", AT(rotate), AT(rotate), 0, 180},
    {"shift", AT(shift), AT(shift), 0, 2},
    {"fill", AT(fill), AT(fill), 0, 255},
    {"outline", AT(outline), AT(outline), 0, 1},
    {"saturation", AT(saturation), AT(saturation), 0, 1},
    {"grey", AT(grey), AT(grey), 0, 1},
    {"matrix", AT(matrix), AT(matrix), 0, 1},
    {"ink", AT(ink), AT(ink), 0, 1},
    {"gamma", AT(gamma), AT(gamma), 0, 2},
};
enum { PARAMETERS = sizeof parameters / sizeof *parameters };

#define NOTHING .ratio_lo = 3. / 4, .ratio_hi = 4. / 3, .fill = 255
static const struct { const char *name; struct augment value; } presets[] = {
    {"none", {NOTHING}},
    {"reference", {NOTHING, .crop_lo = .9, .crop_hi = 1}},
    {"drawing", {NOTHING, .scale_lo = -.3, .scale_hi = .25, .aspect = .12, .rotate = 12, .shift = .15, .outline = .3,
                 .saturation = .4, .grey = .1, .matrix = .07, .ink = .25, .gamma = .3}},
};
enum { PRESETS = sizeof presets / sizeof *presets };

static int unknown(const char *word, size_t len)
{
    struct buf names = {0};
    for (int i = 0; i < PRESETS; i++)
        buf_fmt(&names, "%s, ", presets[i].name);
    for (int i = 0; i < PARAMETERS; i++)
        buf_fmt(&names, "%s=%s%s", parameters[i].name, parameters[i].lo == parameters[i].hi ? "N" : "LO:HI",
                i + 1 < PARAMETERS ? ", " : "");
    int rc =
        FAIL(EUSAGE_, "augmentation: \"%.*s\" is not known; there are %s", (int)len, word, names.at ? names.at : "");
    buf_free(&names);
    return rc;
}

// "name=value" or "name=lo:hi"
static int set(struct augment *a, const char *word, size_t len)
{
    const char *equals = memchr(word, '=', len), *end = word + len;
    const struct parameter *p = NULL;
    for (int i = 0; equals && i < PARAMETERS; i++)
        if (strlen(parameters[i].name) == (size_t)(equals - word) &&
            memcmp(parameters[i].name, word, (size_t)(equals - word)) == 0)
            p = &parameters[i];
    if (!p)
        return unknown(word, len);
    char *stop;
    double lo = strtod(equals + 1, &stop), hi = lo;
    bool fine = stop != equals + 1, range = p->lo != p->hi;
    if (fine && range) {
        const char *second = stop + 1;
        fine = stop < end && *stop == ':';
        if (fine) {
            hi = strtod(second, &stop);
            fine = stop != second;
        }
    }
    // written so that NaN fails
    if (!fine || stop != end || !(lo >= p->least && lo <= hi && hi <= p->most))
        return FAIL(EUSAGE_, "augmentation: \"%.*s\": %s expects %s, from %g to %g", (int)len, word, p->name,
                    range ? "two numbers LO:HI" : "one number", p->least, p->most);
    *(double *)((char *)a + p->lo) = lo;
    *(double *)((char *)a + p->hi) = hi;
    return 0;
}

int augment_parse(struct augment *a, const char *spec)
{
    *a = presets[0].value;
    for (const char *word = spec ? spec : ""; *word;) {
        size_t len = strcspn(word, ",");
        int rc = 0, preset = -1;
        for (int i = 0; i < PRESETS; i++)
            if (strlen(presets[i].name) == len && memcmp(presets[i].name, word, len) == 0)
                preset = i;
        if (preset >= 0)
            *a = presets[preset].value;
        else
            rc = set(a, word, len);
        if (rc)
            return rc;
        word += len + (word[len] == ',');
    }
    return 0;
}

static bool warps(const struct augment *a)
{
    return a->scale_lo != 0 || a->scale_hi != 0 || a->aspect != 0 || a->rotate != 0 || a->shift != 0;
}

static bool colours(const struct augment *a)
{
    return a->outline > 0 || a->saturation > 0 || a->grey > 0 || a->matrix > 0 || a->ink > 0 || a->gamma > 0;
}

bool augment_is_none(const struct augment *a) { return a->crop_hi <= 0 && a->flip <= 0 && !warps(a) && !colours(a); }

// torchvision's RandomResizedCrop: ten tries for an area and a shape that fit, else the largest central crop of an
// allowed shape.
static int random_crop(const struct augment *a, const struct transform *t, const struct image *im, struct rng *rng,
                       unsigned char *out /* S x S x 3 */)
{
    double area = (double)im->width * im->height;
    int w = 0, h = 0, x = 0, y = 0, tries = 0;
    for (; tries < 10; tries++) {
        double part = area * rng_range(rng, a->crop_lo, a->crop_hi);
        double ratio = exp(rng_range(rng, log(a->ratio_lo), log(a->ratio_hi)));
        double fw = rint(sqrt(part * ratio)), fh = rint(sqrt(part / ratio));
        if (fw >= 1 && fw <= im->width && fh >= 1 && fh <= im->height) {
            w = (int)fw;
            h = (int)fh;
            y = (int)rng_below(rng, (uint64_t)(im->height - h + 1));
            x = (int)rng_below(rng, (uint64_t)(im->width - w + 1));
            break;
        }
    }
    if (tries == 10) {
        double ratio = (double)im->width / im->height;
        w = im->width;
        h = im->height;
        if (ratio < a->ratio_lo)
            h = (int)rint(w / a->ratio_lo);
        else if (ratio > a->ratio_hi)
            w = (int)rint(h * a->ratio_hi);
        h = h < 1 ? 1 : h > im->height ? im->height : h;
        w = w < 1 ? 1 : w > im->width ? im->width : w;
        y = (im->height - h) / 2;
        x = (im->width - w) / 2;
    }
    struct region part = {im->rgb + ((size_t)y * (size_t)im->width + (size_t)x) * 3, w, h, (size_t)im->width * 3};
    return image_resample(&part, t->size, t->size, t->filter, 0, 0, t->size, t->size, out);
}

static void mirror(unsigned char *rgb, int size)
{
    for (int y = 0; y < size; y++) {
        unsigned char *row = rgb + (size_t)y * (size_t)size * 3;
        for (int i = 0, k = size - 1; i < k; i++, k--)
            for (int c = 0; c < 3; c++) {
                unsigned char keep = row[3 * i + c];
                row[3 * i + c] = row[3 * k + c];
                row[3 * k + c] = keep;
            }
    }
}

static struct warp draw_warp(const struct augment *a, struct rng *rng, bool flip)
{
    double size = exp(rng_range(rng, a->scale_lo, a->scale_hi));
    double aspect = exp(rng_range(rng, -a->aspect, a->aspect) / 2);
    double angle = rng_range(rng, -a->rotate, a->rotate) * (3.14159265358979323846 / 180);
    double dx = rng_range(rng, -a->shift, a->shift), dy = rng_range(rng, -a->shift, a->shift);
    return (struct warp){.sx = size * aspect * (flip ? -1 : 1),
                         .sy = size / aspect,
                         .angle = angle,
                         .dx = dx,
                         .dy = dy,
                         .fill = a->fill};
}

static struct colour draw_colour(const struct augment *a, struct rng *rng)
{
    struct colour c = {0};
    double strength = rng_range(rng, .5, 1);
    c.outline = rng_uniform(rng) < a->outline ? strength : 0;
    c.saturation = rng_range(rng, 1 - a->saturation, 1 + a->saturation);
    c.saturation = rng_uniform(rng) < a->grey ? 0 : c.saturation;
    for (int i = 0; i < 9; i++)
        c.matrix[i / 3][i % 3] = (i % 4 == 0) + a->matrix * rng_normal(rng);
    c.ink = rng_range(rng, 1 - a->ink, 1 + a->ink);
    c.gamma = exp(rng_range(rng, -a->gamma, a->gamma));
    return c;
}

int augment_apply(const struct augment *a, const struct transform *t, const struct image *im, struct rng *rng,
                  float *out)
{
    bool flip = rng_uniform(rng) < a->flip, crop = a->crop_hi > 0, warp = !crop && warps(a);
    size_t n = (size_t)t->size * (size_t)t->size;
    unsigned char *rgb = malloc(3 * n);   // S x S x 3
    if (!rgb)
        return FAIL(EMEMORY_, "out of memory: no room for a picture of %dx%d", t->size, t->size);
    int rc = 0;
    if (warp) {
        struct warp w = draw_warp(a, rng, flip);
        rc = warp_apply(&w, t, im, rgb);
    } else {
        rc = crop ? random_crop(a, t, im, rng, rgb) : transform_crop(t, im, rgb);
        if (!rc && flip)
            mirror(rgb, t->size);
    }
    if (!rc && colours(a)) {
        struct colour c = draw_colour(a, rng);
        rc = colour_apply(&c, t, rgb, out);
    } else if (!rc) {
        transform_normalise(t, rgb, out);
    }
    free(rgb);
    return rc;
}
