// SPDX-License-Identifier: Apache-2.0
// Colours of a drawing changed on its ink (1 - value): white paper stays white.
#ifndef IMAGE_COLOUR_H
#define IMAGE_COLOUR_H

#include "image/transform.h"

struct colour {
    double outline;        // value *= 1 - outline * (max - min of brightness over 3x3); 0: none
    double saturation;     // 0 grey, 1 as it is
    double matrix[3][3];   // of the ink
    double ink;            // factor of the ink
    double gamma;          // value to this power, last
};

// Change and normalise. EMEMORY_.
int colour_apply(const struct colour *c, const struct transform *t, const unsigned char *rgb /* S x S x 3 */,
                 float *out /* 3 x S x S */);

#endif
