// SPDX-License-Identifier: Apache-2.0
// Learned positions of a square grid seen at another size.
#ifndef MODEL_POSITIONS_H
#define MODEL_POSITIONS_H

#include <stdint.h>

// in [first + from^2, width] -> out [first + to^2, width]: the first rows (a class token's) stay, the grid goes through
// bicubic interpolation with a = -0.75, its corners onto the corners, places past the edge taken from the edge: as SWAG
// does it (torch.nn.functional.interpolate, mode "bicubic", align_corners).
void positions_resize(float *out, const float *in, int64_t first, int64_t from, int64_t to, int64_t width);

#endif
