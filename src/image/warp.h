// SPDX-License-Identifier: Apache-2.0
// An affine view of a picture, read bilinearly, paper around it.
#ifndef IMAGE_WARP_H
#define IMAGE_WARP_H

#include "image/image.h"
#include "image/transform.h"

// The plain transform's square (shorter side = S), then: stretch by sx, sy, turn by angle, move by dx, dy half-sides.
struct warp {
    double sx, sy;     // not 0; negative mirrors
    double angle;      // radians
    double dx, dy;     // in halves of the side
    double fill;       // level outside the picture, 0 .. 255
};

int warp_apply(const struct warp *w, const struct transform *t, const struct image *im,
               unsigned char *out /* S x S x 3 */);

#endif
