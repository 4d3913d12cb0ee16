// SPDX-License-Identifier: Apache-2.0
// From a decoded picture to what a tower reads: shorter side to S, centre crop, (v / 255 - mean) / std.
#ifndef IMAGE_TRANSFORM_H
#define IMAGE_TRANSFORM_H

#include "image/image.h"
#include "image/resample.h"

struct transform {
    int size;                    // S
    enum image_filter filter;    // same values as the model configuration's interpolation
    float mean[3], std[3];       // of values in 0 .. 1
};

// The 8-bit S x S crop, as torchvision's Resize + CenterCrop on a Pillow picture. EMEMORY_, EFORMAT_ (sides too
// unequal).
int transform_crop(const struct transform *t, const struct image *im, unsigned char *out /* S x S x 3 */);
// The same from a picture file's bytes, of which only what the crop needs is kept. Errors as image_decode, too.
int transform_decode(const struct transform *t, const void *bytes, size_t n, int64_t max_pixels,
                     unsigned char *out /* S x S x 3 */);
// Crop and normalise.
int transform_apply(const struct transform *t, const struct image *im, float *out /* 3 x S x S */);
// Decode, crop and normalise.
int transform_load(const struct transform *t, const void *bytes, size_t n, int64_t max_pixels,
                   float *out /* 3 x S x S */);
void transform_normalise(const struct transform *t, const unsigned char *rgb /* S x S x 3 */,
                         float *out /* 3 x S x S */);

#endif
