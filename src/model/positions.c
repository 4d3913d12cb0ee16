// SPDX-License-Identifier: Apache-2.0
#include "model/positions.h"

#include <math.h>
#include <string.h>

enum { TAPS = 4 };

// Keys' cubic kernel at a distance.
static double cubic(double x)
{
    const double a = -.75;
    x = fabs(x);
    if (x <= 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
}

// The four places among 0 .. from - 1 that place i of `to` is made of, and their weights.
static void taps(int64_t place[TAPS], double weight[TAPS], int64_t i, int64_t from, int64_t to)
{
    double at = to > 1 ? (double)i * (double)(from - 1) / (double)(to - 1) : 0, whole = floor(at);
    for (int k = 0; k < TAPS; k++) {
        int64_t p = (int64_t)whole + k - 1;
        place[k] = p < 0 ? 0 : p >= from ? from - 1 : p;
        weight[k] = cubic(at - whole - (k - 1));
    }
}

void positions_resize(float *out, const float *in, int64_t first, int64_t from, int64_t to, int64_t width)
{
    int64_t rows[TAPS], columns[TAPS];
    double down[TAPS], across[TAPS];
    memcpy(out, in, (size_t)(first * width) * sizeof *out);
    in += first * width;
    out += first * width;
    for (int64_t y = 0; y < to; y++) {
        taps(rows, down, y, from, to);
        for (int64_t x = 0; x < to; x++, out += width) {
            taps(columns, across, x, from, to);
            for (int64_t c = 0; c < width; c++) {
                double sum = 0;
                for (int i = 0; i < TAPS; i++)
                    for (int j = 0; j < TAPS; j++)
                        sum += down[i] * across[j] * in[(rows[i] * from + columns[j]) * width + c];
                out[c] = (float)sum;
            }
        }
    }
}
