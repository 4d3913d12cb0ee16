// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "task/spot.h"

// A line two pixels thick and more on large pictures.
static void stroke(struct image *im, const float from[2], const float to[2], const unsigned char colour[3])
{
    int reach = 1 + (im->width > im->height ? im->width : im->height) / 1000;
    float dx = to[0] - from[0], dy = to[1] - from[1], length = fmaxf(fabsf(dx), fabsf(dy));
    float most = 2.f * (float)(im->width + im->height);
    int steps = length < most ? (int)length + 1 : 0;   // a box that lies nowhere near the picture is not painted
    for (int i = 0; i < steps; i++) {
        int x = (int)(from[0] + dx * (float)i / (float)steps), y = (int)(from[1] + dy * (float)i / (float)steps);
        for (int v = y; v <= y + reach; v++)
            for (int u = x; u <= x + reach; u++)
                for (int c = 0; c < 3 && u >= 0 && v >= 0 && u < im->width && v < im->height; c++)
                    im->rgb[((size_t)v * (size_t)im->width + (size_t)u) * 3 + (size_t)c] = colour[c];
    }
}

void spot_draw(struct image *im, const struct spot_lines *lines)
{
    static const unsigned char sure[3] = {0, 200, 60}, unsure[3] = {255, 140, 0};
    for (int i = 0; i < lines->n; i++)
        for (int c = 0; c < 4; c++)
            stroke(im, lines->line[i].box[c], lines->line[i].box[(c + 1) % 4],
                   lines->line[i].confidence >= .8 ? sure : unsure);
}
