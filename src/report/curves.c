// SPDX-License-Identifier: Apache-2.0
// The page's plots: what a split's figures and a training's metrics look like.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "report/parts.h"
#include "report/svg.h"

static void figure(struct buf *b, const struct plot *p, const char *caption)
{
    buf_str(b, "<figure><h4>");
    html_text(b, p->title, 0);
    buf_str(b, "</h4>");
    plot_svg(b, p);
    buf_str(b, "<figcaption>");
    html_text(b, caption, 0);
    buf_str(b, "</figcaption></figure>\n");
}

static void growth_plot(struct buf *b, const struct report_split *s, int number)
{
    enum { X, I2T, I2T_LOW, I2T_HIGH, T2I, T2I_LOW, T2I_HIGH, COLUMNS };
    char id[32];
    size_t n = s->growth && s->ngrowth > 0 ? (size_t)s->ngrowth : 0;
    double *v = calloc(n * COLUMNS + 1, sizeof *v), *col[COLUMNS];
    if (!v) {
        b->failed = -4;
        return;
    }
    for (int k = 0; k < COLUMNS; k++)
        col[k] = v + n * (size_t)k;
    bool band = false;   // intervals may be known for none of the sizes, or only for the whole gallery
    for (size_t i = 0; i < n; i++) {
        const struct report_growth *g = &s->growth[i];
        band |= i > 0 && (g->i2t_low < g->i2t_high || g->t2i_low < g->t2i_high);
        const double row[COLUMNS] = {g->candidates, g->i2t, g->i2t_low, g->i2t_high, g->t2i, g->t2i_low, g->t2i_high};
        for (int k = 0; k < COLUMNS; k++)
            col[k][i] = row[k];
    }
    const struct plot_series series[] = {
        {"image → text", PLOT_LINE, col[X], col[I2T], col[I2T_LOW], col[I2T_HIGH], (int64_t)n, 0, true},
        {"text → image", PLOT_LINE, col[X], col[T2I], col[T2I_LOW], col[T2I_HIGH], (int64_t)n, 1, true},
    };
    snprintf(id, sizeof id, "growth-%d", number);
    const struct plot p = {
        .id = id,
        .title = "R@1 against gallery size",
        .description = "Recall at 1 in percent for galleries of growing size, both directions.",
        .x = {.label = "candidates in the gallery", .log = true},
        .y = {.label = "R@1, %", .zero = true},
        .series = series,
        .nseries = 2,
    };
    figure(b, &p, band ? "The same queries against random galleries of each size; shaded: 95 % interval."
                       : "The same queries against random galleries of each size.");
    free(v);
}

// Ranks 1, 2-5, 6-10, 11-20, 21-50, 51-100, ... : a rank of 1.5 (tied with one rival) is not a hit, it goes up.
enum { BINS = 32 };
static int rank_bins(double last[BINS], double most)
{
    static const double step[] = {2.5, 2, 2};   // 2 5 | 10 20 50 | 100 200 500 ...
    int n = 0;
    last[n++] = 1;
    double v = 5;
    for (int i = 0; n < BINS; i++) {
        last[n++] = v;
        if (v >= most)
            break;
        v *= step[(i + 2) % 3];
    }
    return n;
}

static void rank_shares(const double *ranks, int64_t n, const double last[BINS], int bins, double share[BINS])
{
    for (int k = 0; k < bins; k++)
        share[k] = n > 0 ? 0 : NAN;
    for (int64_t i = 0; i < n; i++) {
        int k = 0;
        while (k < bins - 1 && !(ranks[i] <= last[k]))   // a NaN counts as the worst
            k++;
        share[k] += 100. / (double)n;
    }
}

static void rank_plot(struct buf *b, const struct report_split *s, int number)
{
    double last[BINS], share[2][BINS], most = 0;
    char names[BINS][32], id[32];
    const char *categories[BINS];
    int64_t n[2] = {s->i2t_ranks ? s->ni2t_ranks : 0, s->t2i_ranks ? s->nt2i_ranks : 0};
    const double *ranks[2] = {s->i2t_ranks, s->t2i_ranks};
    for (int d = 0; d < 2; d++)
        for (int64_t i = 0; i < n[d]; i++)
            most = ranks[d][i] > most && isfinite(ranks[d][i]) ? ranks[d][i] : most;
    int bins = rank_bins(last, most);
    for (int d = 0; d < 2; d++)
        rank_shares(ranks[d], n[d], last, bins, share[d]);
    for (int k = 0; k < bins; k++) {
        char from[32], to[32];
        tick_text(from, k ? last[k - 1] + 1 : 1, 0);
        tick_text(to, last[k], 0);
        if (k)
            snprintf(names[k], sizeof names[k], "≤%.20s", to);
        else
            snprintf(names[k], sizeof names[k], "%.20s", from);
        categories[k] = names[k];
    }
    const struct plot_series series[] = {
        {"image → text", PLOT_BAR, NULL, share[0], NULL, NULL, bins, 0},
        {"text → image", PLOT_BAR, NULL, share[1], NULL, NULL, bins, 1},
    };
    snprintf(id, sizeof id, "ranks-%d", number);
    const struct plot p = {
        .id = id,
        .title = "Ranks of the right answers",
        .description = "Share of the queries whose right answer has a rank within each bin, both directions.",
        .x = {.label = "rank of the right answer"},
        .y = {.label = "% of queries", .zero = true},
        .categories = categories,
        .ncategories = bins,
        .series = series,
        .nseries = 2,
    };
    figure(b, &p, "Each bar: from the bin before it up to its own rank. The first bar is R@1.");
}

void split_plots(struct buf *b, const struct report_split *s, int number)
{
    if (s->ngrowth <= 0 && s->ni2t_ranks <= 0 && s->nt2i_ranks <= 0)
        return;
    buf_str(b, "<div class=\"plots\">");
    if (s->growth && s->ngrowth > 0)
        growth_plot(b, s, number);
    if (s->ni2t_ranks > 0 || s->nt2i_ranks > 0)
        rank_plot(b, s, number);
    buf_str(b, "</div>\n");
}

// --- training ------------------------------------------------------------------------------------------------------

enum { POINTS = 160 };   // of a curve: what the eye can tell apart at this width
struct curve {
    double x[POINTS], mean[POINTS], low[POINTS], high[POINTS];
    int64_t count;
    bool binned;         // a point stands for several steps
};

// Neighbouring steps in one point: their mean, least and greatest.
static void curve_of(struct curve *c, const struct report_training *t, size_t field)
{
    int64_t per = (t->count + POINTS - 1) / POINTS;
    memset(c, 0, sizeof *c);
    c->binned = per > 1;
    for (int64_t from = 0; from < t->count; from += per) {
        double x = 0, y = 0, low = INFINITY, high = -INFINITY;
        int64_t n = 0;
        for (int64_t i = from; i < from + per && i < t->count; i++) {
            double v;
            memcpy(&v, (const char *)&t->steps[i] + field, sizeof v);
            if (!isfinite(v) || !isfinite(t->steps[i].step))
                continue;
            x += t->steps[i].step;
            y += v;
            low = fmin(low, v);
            high = fmax(high, v);
            n++;
        }
        c->x[c->count] = n ? x / (double)n : NAN;
        c->mean[c->count] = n ? y / (double)n : NAN;
        c->low[c->count] = n ? low : NAN;
        c->high[c->count] = n ? high : NAN;
        c->count++;
    }
}

static bool curve_known(const struct curve *c)
{
    for (int64_t i = 0; i < c->count; i++)
        if (isfinite(c->mean[i]))
            return true;
    return false;
}

struct curve_kind {
    const char *id, *title, *unit, *caption;
    bool zero;
    struct { const char *name; size_t field; } series[3];
};

#define FIELD(name) offsetof(struct report_step, name)
static const struct curve_kind kinds[] = {
    {"loss", "Loss", "nats a pair", "Contrastive: both directions added; tags: the concept head's soft cross-entropy.",
     false, {{"total", FIELD(loss)}, {"contrastive", FIELD(contrastive)}, {"tags", FIELD(tags)}}},
    {"temperature", "Temperature", "1 / logit scale", "Learnt; it falls as the scores spread.",
     false, {{NULL, FIELD(temperature)}}},
    {"gradient", "Gradient norm", "before clipping", "Of all parameters together.", true, {{NULL, FIELD(grad_norm)}}},
    {"rate", "Learning rate", "", "Warm-up, then cosine.", true, {{NULL, FIELD(lr)}}},
    {"speed", "Throughput", "samples / s", "Pairs trained a second.", true, {{NULL, FIELD(samples_per_second)}}},
    {"loader", "Waiting for data", "share of the time", "Time the trainer waited for the loader.",
     true, {{NULL, FIELD(loader_share)}}},
};
#undef FIELD

void training_plots(struct buf *b, const struct report_training *t)
{
    struct curve *c = calloc(3, sizeof *c);
    if (!c) {
        b->failed = -4;
        return;
    }
    buf_str(b, "<div class=\"plots\">");
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const struct curve_kind *kind = &kinds[k];
        struct plot_series series[3] = {0};
        int n = 0;
        for (int i = 0; i < 3 && (i == 0 || kind->series[i].name); i++) {
            curve_of(&c[i], t, kind->series[i].field);
            if (!curve_known(&c[i]))
                continue;
            bool band = c[i].binned;
            series[n++] = (struct plot_series){
                kind->series[i].name, PLOT_LINE, c[i].x, c[i].mean, band ? c[i].low : NULL, band ? c[i].high : NULL,
                c[i].count, i};
        }
        if (!n)
            continue;
        const struct plot p = {
            .id = kind->id,
            .width = 360,
            .height = 230,
            .title = kind->title,
            .description = kind->caption,
            .x = {.label = "step"},
            .y = {.label = kind->unit, .zero = kind->zero},
            .series = series,
            .nseries = n,
        };
        char caption[256];
        snprintf(caption, sizeof caption, "%s%s", kind->caption,
                 c[0].binned ? " Shaded: range within neighbouring steps." : "");
        figure(b, &p, caption);
    }
    buf_str(b, "</div>\n");
    free(c);
}
