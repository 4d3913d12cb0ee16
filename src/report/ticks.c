// SPDX-License-Identifier: Apache-2.0
// Where axes carry marks, and how the marks read.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/svg.h"

static void sane(double *from, double *to)
{
    if (!isfinite(*from) || !isfinite(*to)) {
        *from = 0;
        *to = 1;
    }
    *from = fmax(-1e300, fmin(1e300, *from));   // their difference stays finite
    *to = fmax(-1e300, fmin(1e300, *to));
    if (*to < *from) {
        double t = *from;
        *from = *to;
        *to = t;
    }
    if (*to - *from <= 1e-12 * fmax(fabs(*from), fabs(*to))) {   // one value: room around it
        double room = *from == 0 ? 1 : fabs(*from) * 0.1;
        *from -= room;
        *to += room;
    }
}

int ticks_linear(double from, double to, int want, double out[TICKS_MAX])
{
    sane(&from, &to);
    want = want < 2 ? 2 : want > TICKS_MAX - 4 ? TICKS_MAX - 4 : want;
    double raw = (to - from) / want, decade = pow(10, floor(log10(raw))), step = decade;
    static const double nice[] = {1, 2, 5, 10};
    for (int i = 0; i < 4; i++) {   // the round step nearest on a log scale
        if (fabs(log(nice[i] * decade / raw)) < fabs(log(step / raw)))
            step = nice[i] * decade;
    }
    double first = ceil(from / step - 1e-9);
    int n = 0;
    for (int i = 0; n < TICKS_MAX; i++) {
        double v = (first + i) * step;
        if (v > to + 1e-9 * step)
            break;
        out[n++] = v == 0 ? 0 : v;   // no minus zero
    }
    return n;
}

int ticks_log(double from, double to, int want, double out[TICKS_MAX])
{
    if (!(from > 0) || !isfinite(from) || !isfinite(to) || !(to > from * 1.0001))
        return ticks_linear(from, to, want, out);
    want = want < 2 ? 2 : want > TICKS_MAX ? TICKS_MAX : want;
    double decades = log10(to / from);
    int stride = (int)ceil(decades / want), n = 0;
    stride = stride < 1 ? 1 : stride;
    static const double fine[] = {1, 2, 5};
    int per = decades * 3 <= want ? 3 : 1;
    for (int e = (int)floor(log10(from)); e <= (int)ceil(log10(to)); e++) {
        if (e % stride)
            continue;
        for (int i = 0; i < per && n < TICKS_MAX; i++) {
            double v = fine[i] * pow(10, e);
            if (v >= from * (1 - 1e-9) && v <= to * (1 + 1e-9))
                out[n++] = v;
        }
    }
    return n >= 2 ? n : ticks_linear(from, to, want, out);
}

void tick_text(char out[32], double value, double step)
{
    static const struct { double at; const char *mark; } scales[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
    double size = fabs(value);
    if (!isfinite(value)) {
        strcpy(out, "–");
        return;
    }
    if (size >= 1e15 || (size > 0 && size < 1e-4)) {
        char text[32];
        snprintf(text, sizeof text, "%.3g", value);
        char *e = strchr(text, 'e');   // 2e-06 reads better as 2e-6
        int power = 0;
        if (e && sscanf(e + 1, "%d", &power) == 1)
            snprintf(out, 32, "%.*se%d", (int)(e - text), text, power);
        else
            snprintf(out, 32, "%s", text);
        return;
    }
    for (int i = 0; i < 4; i++)
        if (size >= scales[i].at && (size >= 1e4 || step >= 1e3 || (!(step > 0) && fmod(size, 1e3) == 0))) {
            snprintf(out, 32, "%.4g%s", value / scales[i].at, scales[i].mark);
            return;
        }
    int digits = step > 0 && step < 1 && step > 1e-9 ? (int)ceil(-log10(step) - 1e-9) : 0;
    if (step > 0)
        snprintf(out, 32, "%.*f", digits, value);
    else
        snprintf(out, 32, "%.4g", value);
}
