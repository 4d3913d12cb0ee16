// SPDX-License-Identifier: Apache-2.0
// Spotted lines for people.
#ifndef TASK_SPOT_H
#define TASK_SPOT_H

#include "image/image.h"
#include "spot/lines.h"

void spot_draw(struct image *im, const struct spot_lines *lines);   // paints the boxes: green from a confidence of .8 on

#endif
