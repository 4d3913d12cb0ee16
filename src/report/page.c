// SPDX-License-Identifier: Apache-2.0
// The evaluation page, top to bottom: header, headline figures, table, each split's plots and pictures, training, notes.
#include "report/page.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "report/html.h"
#include "report/parts.h"

enum { RANGES_SHOWN = 200 };

static const char *const directions[2] = {"image → text", "text → image"};

static void fact(struct buf *b, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    buf_str(b, "<div><dt>");
    html_text(b, name, NAME_SHOWN);
    buf_str(b, "</dt><dd><bdi>");
    html_text(b, value, 400);
    buf_str(b, "</bdi></dd></div>");
}

static void header(struct buf *b, const struct report *r)
{
    buf_str(b, "<header><p class=\"over\">diht ");
    html_text(b, r->version, 40);
    buf_str(b, "</p><h1>");
    html_text(b, r->title ? r->title : "Zero-shot retrieval", 200);
    buf_str(b, "</h1><dl class=\"facts\">");
    fact(b, "Model", r->model);
    fact(b, "Configuration", r->model_summary);
    fact(b, "Dataset", r->dataset);
    fact(b, "Split", r->split);
    fact(b, "Prompt", r->prompt ? r->prompt : "none: the caption alone");
    fact(b, "Date", r->date);
    for (int i = 0; r->facts && i < r->nfacts; i++)
        fact(b, r->facts[i].name, r->facts[i].value);
    buf_str(b, "</dl></header>\n");
}

// --- headline ------------------------------------------------------------------------------------------------------

static bool measured(const struct report_recall *r) { return r->n > 0 && isfinite(r->r1); }

static double percent(double v) { return v < 0 ? 0 : v > 100 ? 100 : v; }

static void interval(struct buf *b, const struct report_recall *r)
{
    if (!isfinite(r->r1_low) || !isfinite(r->r1_high))
        return;
    html_number(b, r->r1_low, 1);
    buf_str(b, " – ");
    html_number(b, r->r1_high, 1);
}

// A ruler 0-100 %: the bar is R@1, the whisker its interval.
static void ruler(struct buf *b, const struct report_recall *r, int colour)
{
    double value = percent(r->r1);
    buf_fmt(b,
            "<svg class=\"ruler\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
            "<rect class=\"rail\" x=\"0\" y=\"1\" width=\"100\" height=\"4\"/><rect class=\"bar c%d\" x=\"0\" y=\"1\" "
            "width=\"%.2f\" height=\"4\"/>",
            colour, value);
    if (isfinite(r->r1_low) && isfinite(r->r1_high))
        buf_fmt(b, "<rect class=\"span\" x=\"%.2f\" y=\"2.4\" width=\"%.2f\" height=\"1.2\"/>", percent(r->r1_low),
                fmax(percent(r->r1_high) - percent(r->r1_low), 0.2));
    buf_str(b, "</svg>");
}

static void headline_direction(struct buf *b, const struct report_recall *r, int d)
{
    buf_fmt(b, "<div class=\"figure\"><p class=\"dir d%d\">%s</p><p class=\"big\">", d, directions[d]);
    html_number(b, measured(r) ? r->r1 : NAN, 1);
    buf_str(b, "<span class=\"unit\">% R@1</span></p>");
    if (measured(r)) {
        ruler(b, r, d);
        buf_str(b, "<p class=\"soft\">");
        interval(b, r);
        buf_str(b, "<br>of ");
        html_count(b, r->candidates);
        buf_str(b, ", chance ");
        double chance = r->candidates > 0 ? 100. / (double)r->candidates : NAN;
        html_number(b, chance, chance < 0.01 ? 4 : chance < 1 ? 2 : 1);
        buf_str(b, " %</p>");
    }
    buf_str(b, "</div>");
}

static void headline(struct buf *b, const struct report *r)
{
    bool even = r->nsplits == 2 || r->nsplits == 4;   // two a row: no lonely last one
    buf_fmt(b, "<section class=\"heads%s\" aria-label=\"Headline figures\">\n", even ? " even" : "");
    for (int i = 0; i < r->nsplits; i++) {
        const struct report_split *s = &r->splits[i];
        buf_fmt(b, "<a class=\"head\" href=\"#split-%d\"><h2><bdi>", i);
        html_text(b, s->name ? s->name : "all", NAME_SHOWN);
        buf_str(b, "</bdi></h2><div class=\"pair\">");
        headline_direction(b, &s->i2t, 0);
        headline_direction(b, &s->t2i, 1);
        buf_str(b, "</div></a>\n");
    }
    buf_str(b, "</section>\n");
}

// --- table ---------------------------------------------------------------------------------------------------------

static void cell(struct buf *b, double v, int digits)
{
    buf_str(b, "<td class=\"n\">");
    html_number(b, v, digits);
    buf_str(b, "</td>");
}

// R@1 with its interval, R@5, R@10.
static void recall_at(struct buf *b, const struct report_recall *r, bool known)
{
    buf_str(b, "<td class=\"n key\">");
    html_number(b, known ? r->r1 : NAN, 1);
    buf_str(b, "</td><td class=\"n soft\">");
    if (known)
        interval(b, r);
    buf_str(b, "</td>");
    cell(b, known ? r->r5 : NAN, 1);
    cell(b, known ? r->r10 : NAN, 1);
}

static void recall_cells(struct buf *b, const struct report_recall *r, int d)
{
    bool known = measured(r);
    buf_fmt(b, "<td class=\"dir d%d\">%s</td><td class=\"n\">", d, directions[d]);
    html_count(b, r->n);
    buf_str(b, "</td><td class=\"n\">");
    html_count(b, r->candidates);
    buf_str(b, "</td>");
    recall_at(b, r, known);
    cell(b, known ? r->median_rank : NAN, 1);
    cell(b, known ? r->mean_rank : NAN, 1);
    cell(b, known ? r->mrr : NAN, 3);
}

static void recall_row(struct buf *b, const struct report_recall *i2t, const struct report_recall *t2i)
{
    buf_str(b, "</th>");
    recall_cells(b, i2t, 0);
    buf_str(b, "</tr>\n<tr>");
    recall_cells(b, t2i, 1);
    buf_str(b, "</tr></tbody>\n");
}

static const char row_open[] = "<tbody><tr><th scope=\"rowgroup\" rowspan=\"2\">";

static void recall_table(struct buf *b, const struct report *r)
{
    static const char *const columns[] = {"Split", "Direction", "#Queries",     "#Gallery",   "#R@1", "#95 % interval",
                                          "#R@5",  "#R@10",     "#Median rank", "#Mean rank", "#MRR", NULL};
    html_table_open(b, "Recall in percent, both directions, with the size of the gallery", columns);
    for (int i = 0; i < r->nsplits; i++) {
        buf_str(b, row_open);
        buf_str(b, "<bdi>");
        html_text(b, r->splits[i].name ? r->splits[i].name : "all", NAME_SHOWN);
        buf_str(b, "</bdi>");
        recall_row(b, &r->splits[i].i2t, &r->splits[i].t2i);
    }
    html_table_close(b);
}

static void signed_number(struct buf *b, double v)
{
    if (v > 0)
        buf_char(b, '+');
    html_number(b, v, 1);
}

static void rival_cells(struct buf *b, const struct report_recall *r, const struct report_rival *v, int d)
{
    bool known = measured(r);
    buf_fmt(b, "<td class=\"dir d%d\">%s</td>", d, directions[d]);
    recall_at(b, r, known);
    buf_str(b, "<td class=\"n key\">");
    signed_number(b, v->gain[d]);
    buf_str(b, "</td><td class=\"n soft\">");
    if (isfinite(v->low[d]) && isfinite(v->high[d])) {
        signed_number(b, v->low[d]);
        buf_str(b, " to ");
        signed_number(b, v->high[d]);
    }
    buf_str(b, "</td></tr>\n");
}

// Every split's models, one below the other.
static void rival_table(struct buf *b, const struct report *r)
{
    static const char *const columns[] = {"Split", "Model", "Direction", "#R@1", "#95 % interval", "#R@5", "#R@10",
                                          "#To the first", "#95 % interval", NULL};
    if (!r->rivals || r->nrivals < 2)
        return;
    html_table_open(b, "Models on the same samples; differences of R@1 to the first one in points, query by query", columns);
    for (int i = 0; i < r->nrivals; i++) {
        const struct report_rival *v = &r->rivals[i];
        buf_fmt(b, "%s<bdi>", row_open);
        html_text(b, v->split ? v->split : "all", NAME_SHOWN);
        buf_str(b, "</bdi></th><td rowspan=\"2\"><bdi>");
        html_text(b, v->model, NAME_SHOWN);
        buf_str(b, "</bdi></td>");
        rival_cells(b, &v->i2t, v, 0);
        buf_str(b, "<tr>");
        rival_cells(b, &v->t2i, v, 1);
        buf_str(b, "</tbody>\n");
    }
    html_table_close(b);
    buf_str(b, "<p class=\"soft\">All else on this page is of the first model.</p>\n");
}

static void add(struct report_recall *sum, const struct report_recall *r, int of)
{
    sum->r1 += r->r1 / of;
    sum->r5 += r->r5 / of;
    sum->r10 += r->r10 / of;
    sum->median_rank += r->median_rank / of;
    sum->mean_rank += r->mean_rank / of;
    sum->mrr += r->mrr / of;
    sum->n += r->n;
}

static void range_table(struct buf *b, const struct report_split *s)
{
    static const char *const columns[] = {"Rows", "Direction", "#Queries", "#Gallery", "#R@1", "#95 % interval", "#R@5",
                                          "#R@10", "#Median rank", "#Mean rank", "#MRR", NULL};
    struct report_recall mean[2] = {{.r1_low = NAN, .r1_high = NAN, .candidates = -1},
                                    {.r1_low = NAN, .r1_high = NAN, .candidates = -1}};
    int shown = s->nranges < RANGES_SHOWN ? s->nranges : RANGES_SHOWN;
    if (!s->ranges || shown < 1)
        return;
    html_table_open(b, "Ranges of the source list, each a gallery of its own", columns);
    for (int i = 0; i < s->nranges; i++) {
        const struct report_range *g = &s->ranges[i];
        add(&mean[0], &g->i2t, s->nranges);
        add(&mean[1], &g->t2i, s->nranges);
        if (i >= shown)
            continue;
        buf_str(b, row_open);
        html_count(b, g->from);
        buf_str(b, " – ");
        html_count(b, g->to);
        recall_row(b, &g->i2t, &g->t2i);
    }
    if (s->nranges > 1) {
        buf_fmt(b, "<tbody class=\"sum\"><tr><th scope=\"rowgroup\" rowspan=\"2\">mean of %d", s->nranges);
        recall_row(b, &mean[0], &mean[1]);
    }
    html_table_close(b);
    if (shown < s->nranges)
        buf_fmt(b, "<p class=\"soft\">The first %d of %d ranges are listed; the mean is of all.</p>\n", shown,
                s->nranges);
}

// --- the page ------------------------------------------------------------------------------------------------------

static void split(struct buf *b, const struct report_split *s, int number, int cards)
{
    buf_fmt(b, "<section class=\"split\" id=\"split-%d\"><h2><bdi>", number);
    html_text(b, s->name ? s->name : "all", NAME_SHOWN);
    buf_str(b, "</bdi></h2>\n");
    if (s->note && *s->note) {
        buf_str(b, "<p class=\"note\">");
        html_text(b, s->note, 600);
        buf_str(b, "</p>\n");
    }
    split_plots(b, s, number);
    range_table(b, s);
    gallery_write(b, s, cards);
    buf_str(b, "</section>\n");
}

static void training(struct buf *b, const struct report_training *t)
{
    if (!t || !t->steps || t->count < 1)
        return;
    buf_str(b, "<section class=\"split\"><h2>Training</h2>\n<p class=\"note\">");
    html_number(b, t->steps[t->count - 1].step, 0);
    buf_str(b, " steps");
    if (isfinite(t->steps[t->count - 1].loss)) {
        buf_str(b, ", last loss ");
        html_number(b, t->steps[t->count - 1].loss, 3);
    }
    if (isfinite(t->steps[t->count - 1].temperature)) {
        buf_str(b, ", last temperature ");
        html_number(b, t->steps[t->count - 1].temperature, 4);
    }
    if (t->skipped > 0) {
        buf_str(b, "; lines that could not be read: ");
        html_count(b, t->skipped);
    }
    buf_str(b, ".</p>\n");
    training_plots(b, t);
    buf_str(b, "</section>\n");
}

static void page(struct buf *b, const struct report *r)
{
    int cards = gallery_cards(r);
    html_page_open(b, r->title ? r->title : "Zero-shot retrieval", r->model, "");
    header(b, r);
    if (r->splits && r->nsplits > 0) {
        headline(b, r);
        recall_table(b, r);
        rival_table(b, r);
        for (int i = 0; i < r->nsplits; i++)
            split(b, &r->splits[i], i, cards);
    } else {
        buf_str(b, "<p class=\"note\">Nothing was evaluated.</p>\n");
    }
    training(b, r->training);
    buf_str(
        b, "<footer><p>R@k: share of queries whose right answer is among the first k of the gallery. Ranks start at 1; "
           "where candidates tie, the expected rank over their orders counts. Intervals: 95 %, bootstrap over queries. "
           "Several captions of one image: the best placed counts.</p></footer>\n</main></body></html>\n");
}

int report_write(const struct report *r, const char *path)
{
    struct buf b = {0};
    page(&b, r);
    int rc = b.failed ? FAIL(EMEMORY_, "%s: out of memory while the page was built", path)
                      : file_write(path, b.at, b.len);
    buf_free(&b);
    return rc;
}
