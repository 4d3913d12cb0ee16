// SPDX-License-Identifier: Apache-2.0
#include "report/svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/html.h"

enum { LABEL_SHOWN = 60 };

// The drawing's frame: data [x0, x1] x [y0, y1] (already logarithms on a log axis) to user units.
//
//     top  +--------------------+
//          |  legend            |
//          +--------------------+ y1
//      labels|                  |
//          +--------------------+ y0
//            x0  tick labels  x1
struct frame {
    const struct plot *p;
    double left, right, top, bottom;   // user units
    double x0, x1, y0, y1;
};

static double scaled(const struct plot_axis *a, double v) { return !a->log ? v : v > 0 ? log10(v) : NAN; }

static double series_x(const struct frame *f, const struct plot_series *s, int64_t i)
{
    double v = s->x ? s->x[i] : (double)i;
    return f->p->ncategories ? v : scaled(&f->p->x, v);
}

static double clamp(double v, double low, double high) { return v < low ? low : v > high ? high : v; }

static double across(const struct frame *f, double x)
{
    return f->left + (f->right - f->left) * clamp((x - f->x0) / (f->x1 - f->x0), 0, 1);
}

static double up(const struct frame *f, double y)
{
    return f->bottom - (f->bottom - f->top) * clamp((y - f->y0) / (f->y1 - f->y0), 0, 1);
}

static void stretch(double *low, double *high, double v)
{
    if (!isfinite(v))
        return;
    *low = fmin(*low, v);
    *high = fmax(*high, v);
}

static void settle(const struct plot_axis *a, double *low, double *high)
{
    if (a->fixed && a->to > a->from && isfinite(a->to - a->from) && (!a->log || a->from > 0)) {
        *low = scaled(a, a->from);
        *high = scaled(a, a->to);
        return;
    }
    if (a->zero && !a->log)
        stretch(low, high, 0);
    *low = fmax(*low, -1e300);
    *high = fmin(*high, 1e300);
    if (*high - *low <= 1e-9 * fmax(fabs(*low), fabs(*high))) {
        double room = a->log ? 0.3 : *low == 0 ? 1 : fabs(*low) * 0.1;
        *low -= a->zero && *low == 0 ? 0 : room;
        *high += room;
    }
}

// Ranges of the data. False: nothing to draw.
static bool measure(struct frame *f)
{
    const struct plot *p = f->p;
    double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
    bool bars = false;
    for (int k = 0; k < p->nseries; k++) {
        const struct plot_series *s = &p->series[k];
        bars |= s->kind == PLOT_BAR;
        for (int64_t i = 0; i < s->count; i++) {
            double x = series_x(f, s, i), y = scaled(&p->y, s->y[i]);
            if (!isfinite(x) || !isfinite(y))
                continue;
            stretch(&x0, &x1, x);
            stretch(&y0, &y1, y);
            if (s->low && s->high) {
                stretch(&y0, &y1, scaled(&p->y, s->low[i]));
                stretch(&y0, &y1, scaled(&p->y, s->high[i]));
            }
        }
    }
    if (!(x0 <= x1))
        return false;
    struct plot_axis y = p->y;
    y.zero |= bars;
    settle(&y, &y0, &y1);
    if (!y.fixed && !y.log) {   // round ends: the top tick stands on the frame
        double t[TICKS_MAX];
        int n = ticks_linear(y0, y1, 5, t);
        if (n >= 2) {
            double step = t[1] - t[0];
            y0 = floor(y0 / step + 1e-9) * step;
            y1 = ceil(y1 / step - 1e-9) * step;
        }
    }
    if (p->ncategories) {
        x0 = -0.5;
        x1 = p->ncategories - 0.5;
    } else {
        settle(&p->x, &x0, &x1);
    }
    f->x0 = x0, f->x1 = x1, f->y0 = y0, f->y1 = y1;
    return true;
}

static size_t characters(const char *text)   // as label() shows them
{
    size_t n = 0;
    for (; text && *text && n < LABEL_SHOWN; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

static void label(struct buf *b, double x, double y, const char *class, const char *anchor, const char *text)
{
    buf_fmt(b, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\">", x, y, class, anchor);
    html_text(b, text, LABEL_SHOWN);
    buf_str(b, "</text>");
}

static int axis_ticks(const struct plot_axis *a, double low, double high, int want, double out[TICKS_MAX])
{
    if (!a->log)
        return ticks_linear(low, high, want, out);
    return ticks_log(pow(10, low), pow(10, high), want, out);
}

static void draw_y_axis(struct buf *b, const struct frame *f)
{
    double t[TICKS_MAX];
    int n = axis_ticks(&f->p->y, f->y0, f->y1, 5, t);
    for (int i = 0; i < n; i++) {
        char text[32];
        double y = up(f, scaled(&f->p->y, t[i]));
        tick_text(text, t[i], f->p->y.log || n < 2 ? 0 : t[1] - t[0]);
        buf_fmt(b, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>", f->left, f->right, y, y);
        label(b, f->left - 7, y + 4, "tick", "end", text);
    }
    if (f->p->y.label)
        label(b, f->left, f->top - 9, "axis", "start", f->p->y.label);
}

static void draw_x_axis(struct buf *b, const struct frame *f)
{
    const struct plot *p = f->p;
    double t[TICKS_MAX];
    buf_fmt(b, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"base\"/>", f->left, f->right, f->bottom,
            f->bottom);
    if (p->ncategories) {
        size_t longest = 1;
        for (int i = 0; i < p->ncategories; i++) {
            size_t n = characters(p->categories[i]);
            longest = n > longest ? n : longest;
        }
        double room = (f->right - f->left) / p->ncategories;
        int every = (int)ceil((double)longest * 5.6 / room);   // leave names out rather than print one over another
        for (int i = 0; i < p->ncategories; i += every < 1 ? 1 : every)
            label(b, across(f, i), f->bottom + 17, "tick", "middle", p->categories[i]);
    } else {
        int n = axis_ticks(&p->x, f->x0, f->x1, 6, t);
        for (int i = 0; i < n; i++) {
            char text[32];
            double x = across(f, scaled(&p->x, t[i]));
            tick_text(text, t[i], p->x.log || n < 2 ? 0 : t[1] - t[0]);
            buf_fmt(b, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"base\"/>", x, x, f->bottom,
                    f->bottom + 4);
            label(b, x, f->bottom + 17, "tick", "middle", text);
        }
    }
    if (p->x.label)
        label(b, (f->left + f->right) / 2, f->bottom + 34, "axis", "middle", p->x.label);
}

static void point(struct buf *b, bool *pen, double x, double y)
{
    buf_fmt(b, "%c%.1f %.1f", *pen ? 'L' : 'M', x, y);
    *pen = true;
}

static bool drawable(const struct frame *f, const struct plot_series *s, int64_t i)
{
    return isfinite(series_x(f, s, i)) && isfinite(scaled(&f->p->y, s->y[i]));
}

// One polygon for each unbroken stretch of points with both ends: there along `high`, back along `low`.
static void draw_band(struct buf *b, const struct frame *f, const struct plot_series *s)
{
    const struct plot_axis *y = &f->p->y;
    for (int64_t from = 0, to; from < s->count; from = to + 1) {
        for (to = from;
             to < s->count && drawable(f, s, to) && isfinite(scaled(y, s->low[to])) && isfinite(scaled(y, s->high[to]));
             to++)
            ;
        if (to - from < 2)
            continue;
        bool pen = false;
        buf_fmt(b, "<path class=\"band c%d\" d=\"", s->colour);
        for (int64_t i = from; i < to; i++) {
            if (s->kind == PLOT_STEP && i > from)
                point(b, &pen, across(f, series_x(f, s, i)), up(f, scaled(y, s->high[i - 1])));
            point(b, &pen, across(f, series_x(f, s, i)), up(f, scaled(y, s->high[i])));
        }
        for (int64_t i = to - 1; i >= from; i--) {
            point(b, &pen, across(f, series_x(f, s, i)), up(f, scaled(y, s->low[i])));
            if (s->kind == PLOT_STEP && i > from)
                point(b, &pen, across(f, series_x(f, s, i)), up(f, scaled(y, s->low[i - 1])));
        }
        buf_str(b, "Z\"/>");
    }
}

static void draw_line(struct buf *b, const struct frame *f, const struct plot_series *s)
{
    bool pen = false;
    double last = 0;
    int64_t drawn = 0;
    if (s->low && s->high)
        draw_band(b, f, s);
    buf_fmt(b, "<path class=\"line c%d%s\" d=\"", s->colour, s->dashed ? " dashed" : "");
    for (int64_t i = 0; i < s->count; i++) {
        if (!drawable(f, s, i)) {
            pen = false;
            continue;
        }
        double x = across(f, series_x(f, s, i)), y = up(f, scaled(&f->p->y, s->y[i]));
        if (s->kind == PLOT_STEP && pen)
            point(b, &pen, x, last);
        point(b, &pen, x, y);
        last = y;
        drawn++;
    }
    buf_str(b, "\"/>");
    for (int64_t i = 0; i < s->count && (s->dots || drawn == 1); i++) {
        char x[32], y[32];
        if (!drawable(f, s, i))
            continue;
        tick_text(x, s->x ? s->x[i] : (double)i, 0);
        tick_text(y, s->y[i], 0);
        buf_fmt(b, "<circle class=\"dot c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>", s->colour,
                across(f, series_x(f, s, i)), up(f, scaled(&f->p->y, s->y[i])));
        if (s->name) {
            html_text(b, s->name, 40);
            buf_str(b, ", ");
        }
        buf_fmt(b, "%s: %s</title></circle>", x, y);
    }
}

// Bars of several series stand side by side around their x.
static void draw_bars(struct buf *b, const struct frame *f, const struct plot_series *s, int which, int of)
{
    double slots = f->p->ncategories ? f->p->ncategories : (double)(s->count > 1 ? s->count : 2);
    double group = (f->right - f->left) / slots * 0.78, width = group / of;
    for (int64_t i = 0; i < s->count; i++) {
        char y[32];
        if (!drawable(f, s, i))
            continue;
        double x = across(f, series_x(f, s, i)) - group / 2 + width * which;
        double top = up(f, scaled(&f->p->y, s->y[i])), foot = up(f, f->p->y.log ? f->y0 : 0);
        tick_text(y, s->y[i], 0);
        buf_fmt(b, "<rect class=\"bar c%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>", s->colour,
                x + 0.5, fmin(top, foot), fmax(width - 1, 0.5), fabs(foot - top));
        html_text(b, f->p->ncategories && i < f->p->ncategories ? f->p->categories[i] : s->name, 40);
        buf_fmt(b, ": %s</title></rect>", y);
        if (s->low && s->high && isfinite(scaled(&f->p->y, s->low[i])) && isfinite(scaled(&f->p->y, s->high[i])))
            buf_fmt(b, "<line class=\"base\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", x + width / 2,
                    x + width / 2, up(f, scaled(&f->p->y, s->low[i])), up(f, scaled(&f->p->y, s->high[i])));
    }
}

static void draw_legend(struct buf *b, const struct frame *f)
{
    double x = f->right;
    for (int k = f->p->nseries - 1; k >= 0; k--) {   // from the right edge: the axis' label keeps the left one
        const struct plot_series *s = &f->p->series[k];
        if (!s->name)
            continue;
        double width = 6.3 * (double)characters(s->name);
        label(b, x, f->top - 9, "key", "end", s->name);
        if (s->kind == PLOT_BAR)
            buf_fmt(b, "<rect class=\"bar c%d\" x=\"%.1f\" y=\"%.1f\" width=\"10\" height=\"10\"/>", s->colour,
                    x - width - 15, f->top - 18);
        else
            buf_fmt(b, "<path class=\"line c%d%s\" d=\"M%.1f %.1fh14\"/>", s->colour, s->dashed ? " dashed" : "",
                    x - width - 19, f->top - 13);
        x -= width + 32;
    }
}

void plot_svg(struct buf *b, const struct plot *p)
{
    int width = p->width > 0 ? p->width : 440, height = p->height > 0 ? p->height : 270;
    struct frame f = {p, 46, width - 12, 30, height - (p->x.label ? 42 : 24)};
    const char *id = p->id ? p->id : "plot";
    buf_fmt(b,
            "<svg class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s-t %s-d\"><title id=\"%s-t\">",
            width, height, id, id, id);
    html_text(b, p->title, 200);
    buf_fmt(b, "</title><desc id=\"%s-d\">", id);
    html_text(b, p->description, 600);
    buf_str(b, "</desc>");
    if (measure(&f)) {
        int bars = 0, bar = 0;
        draw_y_axis(b, &f);
        for (int k = 0; k < p->nseries; k++)
            bars += p->series[k].kind == PLOT_BAR;
        for (int k = 0; k < p->nseries; k++)
            if (p->series[k].kind == PLOT_BAR)
                draw_bars(b, &f, &p->series[k], bar++, bars);
        draw_x_axis(b, &f);
        for (int k = 0; k < p->nseries; k++)
            if (p->series[k].kind != PLOT_BAR)
                draw_line(b, &f, &p->series[k]);
        draw_legend(b, &f);
    } else {
        label(b, width / 2., height / 2., "axis", "middle", "no data");
    }
    buf_str(b, "</svg>\n");
}
