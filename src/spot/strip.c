// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "spot/read.h"

#define TURN_AT 1.5f   // boxes this much taller than wide hold text that runs upwards

int strip_width(const struct box *b, int *turned)
{
    float w = b->width, h = b->height;
    *turned = h >= TURN_AT * w;
    float ratio = *turned ? h / w : w / h;
    float width = roundf(ratio * STRIP_HEIGHT);
    return width > STRIP_MOST ? STRIP_MOST : width < 8 ? 8 : (int)width;
}

static void sample(const struct image *im, float x, float y, float sum[3])
{
    x = x < 0 ? 0 : x > (float)im->width - 1 ? (float)im->width - 1 : x;
    y = y < 0 ? 0 : y > (float)im->height - 1 ? (float)im->height - 1 : y;
    int x0 = (int)x, y0 = (int)y, right = x0 + 1 < im->width ? 3 : 0;
    const unsigned char *p = im->rgb + ((size_t)y0 * (size_t)im->width + (size_t)x0) * 3;
    const unsigned char *q = y0 + 1 < im->height ? p + (size_t)im->width * 3 : p;
    float fx = x - (float)x0, fy = y - (float)y0;
    for (int c = 0; c < 3; c++) {
        float top = p[c] + fx * (float)(p[c + right] - p[c]), bottom = q[c] + fx * (float)(q[c + right] - q[c]);
        sum[c] += top + fy * (bottom - top);
    }
}

void strip_cut(const struct box *b, int turned, const struct image *im, int width, float *out, int64_t row)
{
    // origin, a step along the strip and one down it, in the picture
    const float *o = b->corner[turned ? 3 : 0], *a = b->corner[turned ? 0 : 1], *d = b->corner[turned ? 2 : 3];
    float ux = (a[0] - o[0]) / (float)width, uy = (a[1] - o[1]) / (float)width;
    float vx = (d[0] - o[0]) / STRIP_HEIGHT, vy = (d[1] - o[1]) / STRIP_HEIGHT;
    // larger text is averaged, or thin strokes fall between the samples
    float step = sqrtf(vx * vx + vy * vy);
    int fine = step <= 1.25f ? 1 : step > 4 ? 4 : (int)ceilf(step);
    float scale = 2 / (255.f * (float)(fine * fine));
    for (int y = 0; y < STRIP_HEIGHT; y++) {
        float *to = out + y * row;
        for (int x = 0; x < width; x++, to += NET_STEP) {
            float sum[3] = {0};
            for (int i = 0; i < fine * fine; i++) {
                float s = (float)x + ((float)(i % fine) + .5f) / (float)fine, t = (float)y + ((float)(i / fine) + .5f) / (float)fine;
                sample(im, o[0] + s * ux + t * vx - .5f, o[1] + s * uy + t * vy - .5f, sum);
            }
            for (int c = 0; c < 3; c++)
                to[2 - c] = sum[c] * scale - 1;
        }
    }
}
