// SPDX-License-Identifier: Apache-2.0
// Random variants of a training picture, drawn from one random stream only: same stream, same pixels.
#ifndef IMAGE_AUGMENT_H
#define IMAGE_AUGMENT_H

#include <stdbool.h>

#include "base/rng.h"
#include "image/image.h"
#include "image/transform.h"

struct augment {
    // Geometry. crop > 0: torchvision's RandomResizedCrop; else, when a warp is asked for, an affine warp with bilinear
    // reading and `fill` outside; else the plain transform.
    double crop_lo, crop_hi;       // share of the area kept
    double ratio_lo, ratio_hi;     // width / height of the crop, drawn evenly in its logarithm
    double flip;                   // chance of a mirror image
    double scale_lo, scale_hi;     // the drawing's size times exp(u), u in lo .. hi
    double aspect;                 // width / height times exp(+-aspect)
    double rotate;                 // +- degrees
    double shift;                  // +- share of half the side, each axis
    double fill;                   // level outside the picture, 0 .. 255
    // Colour, on the ink (1 - value), so that white paper stays white.
    double outline;                // chance to darken where the 3x3 neighbourhood's max - min is large
    double saturation;             // factor 1 +- this
    double grey;                   // chance of no colour at all
    double matrix;                 // a 3x3 colour matrix: identity + N(0, this)
    double ink;                    // amount of ink times 1 +- this
    double gamma;                  // value to the power exp(+-this)
};

// "none", "reference" (RandomResizedCrop 0.9-1.0), "drawing", then any `name=value` or `name=lo:hi`, separated by
// commas: "drawing,rotate=5,crop=.8:1". NULL or "": none. EUSAGE_ names the unknown word and lists the known ones.
int augment_parse(struct augment *a, const char *spec);
bool augment_is_none(const struct augment *a);

// Geometry to t->size, colour, normalise. EMEMORY_, EFORMAT_.
int augment_apply(const struct augment *a, const struct transform *t, const struct image *im, struct rng *rng,
                  float *out /* 3 x S x S */);

#endif
