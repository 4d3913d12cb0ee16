// SPDX-License-Identifier: Apache-2.0
// Plots as inline SVG: lines, steps and bars, confidence bands, linear and logarithmic axes, legend, text for screen
// readers. Colours are the page's CSS (classes c0..c5), so one drawing serves light, dark and paper.
#ifndef REPORT_SVG_H
#define REPORT_SVG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum plot_kind { PLOT_LINE, PLOT_STEP, PLOT_BAR };

struct plot_series {
    const char *name;           // legend; NULL: not in it
    enum plot_kind kind;
    const double *x, *y;        /* count */   // x NULL: 0, 1, 2...
    const double *low, *high;   /* count */   // band (lines, steps) or whisker (bars); NULL: none
    int64_t count;              // points that are not finite (or not positive on a log axis) interrupt the line
    int colour;                 // 0..5
    bool dots;                  // mark the points, each with its values as a tooltip
    bool dashed;
};

struct plot_axis {
    const char *label;          // NULL: none
    bool log;
    bool fixed;                 // from..to as given; else what the data needs
    double from, to;
    bool zero;                  // linear: let it start at 0
};

struct plot {
    const char *id;             // unique in the page, letters, digits, '-'
    const char *title, *description;   // for screen readers; the page prints its own heading
    int width, height;          // user units; 0: 440 x 270
    struct plot_axis x, y;
    const char *const *categories;     // names of x = 0, 1, 2...: bars (x.log and x.fixed are not looked at then)
    int ncategories;
    const struct plot_series *series;
    int nseries;
};

// Appends one <svg>; a plot without a drawable point says "no data".
void plot_svg(struct buf *b, const struct plot *p);

enum { TICKS_MAX = 24 };
// Round values within [from, to], about `want` of them, rising; widened or sane when the range is empty or not finite.
int ticks_linear(double from, double to, int want, double out[TICKS_MAX]);
// 1, 10, 100... or 1, 2, 5, 10... within [from, to], 0 < from; linear ones where a decade holds too few.
int ticks_log(double from, double to, int want, double out[TICKS_MAX]);
// "250", "15k", "2M", "0.05", "2e-6": a tick's text, `step` the distance to the next one (0: unknown).
void tick_text(char out[32], double value, double step);

#endif
