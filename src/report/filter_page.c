// SPDX-License-Identifier: Apache-2.0
#include "report/filter_page.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/file.h"
#include "report/html.h"
#include "report/parts.h"
#include "report/svg.h"

static const char own_style[] =
    ".reading{margin:8px 0 0;white-space:pre-wrap;overflow-wrap:anywhere;font:12px/1.45 ui-monospace,'DejaVu Sans Mono',monospace;"
    "color:var(--soft)}\n"
    ".pic{display:block;width:100%;height:auto;max-height:300px;background:#fff;border:1px solid var(--line);border-radius:6px;"
    "margin-bottom:10px}\n"
    ".pic polygon{fill:var(--c1);fill-opacity:.12;stroke:var(--c1);stroke-width:2;vector-effect:non-scaling-stroke}\n"
    ".card .nopic{aspect-ratio:3;margin-bottom:10px}.card p{font-size:14px}\n"
    "tbody a{color:inherit;text-decoration-color:var(--line)}\n"
    ".spotted{color:var(--c1);font-size:13px}\n";

static void percent(struct buf *b, int64_t part, int64_t all)
{
    html_number(b, all ? 100. * (double)part / (double)all : 0, 1);
    buf_str(b, " %");
}

static void funnel(struct buf *b, const struct filter_page *p)
{
    static const char *const columns[] = {"step", "#dropped", "#of all", "#left", "#of all", NULL};
    html_table_open(b, "What each step drops, in the order in which they are asked", columns);
    buf_str(b, "<tbody><tr><th scope=\"row\">all rows<td class=\"n\"><td class=\"n\"><td class=\"n\">");
    html_count(b, p->rows);
    buf_str(b, "<td class=\"n\">100.0 %</tr>\n");
    for (int i = 0; i < p->nsteps; i++) {
        const struct filter_page_step *s = &p->steps[i];
        bool last = i == p->nsteps - 1;
        buf_fmt(b, "%s<tr><th scope=\"row\"><a href=\"#step-%d\">", last ? "</tbody><tbody class=\"sum\">" : "", i);
        html_text(b, s->name, NAME_SHOWN);
        buf_str(b, "</a><td class=\"n\">");
        if (!last) {
            html_count(b, s->dropped);
            buf_str(b, "<td class=\"n\">");
            percent(b, s->dropped, p->rows);
        } else {
            buf_str(b, "<td class=\"n\">");
        }
        buf_str(b, "<td class=\"n key\">");
        html_count(b, s->left);
        buf_str(b, "<td class=\"n\">");
        percent(b, s->left, p->rows);
        buf_str(b, "</tr>\n");
    }
    buf_str(b, "</tbody>");
    html_table_close(b);
}

static void complexity(struct buf *b, const struct filter_page *p)
{
    enum { MOST = 32 };
    char names[MOST][8];
    const char *categories[MOST];
    double y[MOST];
    int n = p->ncomplexity < MOST ? p->ncomplexity : MOST;
    for (int i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "%d%s", i, i == n - 1 ? "+" : "");
        categories[i] = names[i];
        y[i] = (double)p->complexity[i];
    }
    struct plot_series s = {.kind = PLOT_BAR, .y = y, .count = n};
    struct plot plot = {
        .id = "complexity", .title = "Complexity of the captions", .width = 560, .height = 260,
        .description = "How many captions have which highest number of relations of one object",
        .x = {.label = "relations of the busiest object"}, .y = {.label = "rows", .zero = true},
        .categories = categories, .ncategories = n, .series = &s, .nseries = 1,
    };
    buf_str(b, "<div class=\"plots\"><figure><figcaption>Complexity: the highest number of relations of any one object, of all "
               "captions that were read</figcaption>");
    plot_svg(b, &plot);
    buf_str(b, "</figure></div>\n");
}

static void picture(struct buf *b, const struct filter_example *e)
{
    const char *type = html_picture_type(e->picture.bytes, e->picture.size);
    if (!type) {
        buf_str(b, "<span class=\"nopic\">no picture</span>");
        return;
    }
    int w = e->width > 0 ? e->width : 100, h = e->height > 0 ? e->height : 100;
    buf_fmt(b, "<svg class=\"pic\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", w, h);
    html_text(b, e->caption, 120);
    buf_fmt(b, "\"><image width=\"%d\" height=\"%d\" href=\"data:%s;base64,", w, h, type);
    html_base64(b, e->picture.bytes, e->picture.size);
    buf_str(b, "\"/>");
    for (int i = 0; e->width > 0 && i < e->nboxes; i++) {
        buf_str(b, "<polygon points=\"");
        for (int c = 0; c < 4; c++)
            buf_fmt(b, "%s%.1f,%.1f", c ? " " : "", (double)e->boxes[i].corner[c][0], (double)e->boxes[i].corner[c][1]);
        buf_str(b, "\"/>");
    }
    buf_str(b, "</svg>");
}

static void card(struct buf *b, const struct filter_example *e)
{
    buf_str(b, "<article class=\"card\">");
    picture(b, e);
    buf_str(b, "<p class=\"truth\"><bdi>");
    html_text(b, e->caption && *e->caption ? e->caption : "(no caption)", CAPTION_SHOWN);
    buf_str(b, "</bdi></p><span class=\"id\"><bdi>");
    html_text(b, e->key, NAME_SHOWN);
    buf_str(b, "</bdi></span>");
    if (e->note) {
        buf_str(b, "<p class=\"verdict\">");
        html_text(b, e->note, 200);
        buf_str(b, "</p>");
    }
    for (int i = 0; i < e->nboxes && i < 8; i++) {
        buf_str(b, "<p class=\"spotted\"><bdi>");
        html_text(b, e->boxes[i].text, 80);
        buf_str(b, "</bdi> <span class=\"score\">");
        html_number(b, e->boxes[i].confidence, 2);
        buf_str(b, "</span></p>");
    }
    if (e->reading) {
        buf_str(b, "<pre class=\"reading\">");
        for (const char *at = e->reading; *at;) {   // html_text would make blanks of line breaks
            char line[512];
            size_t n = 0;
            while (at[n] && at[n] != '\n')
                n++;
            snprintf(line, sizeof line, "%.*s", (int)(n < sizeof line ? n : sizeof line - 1), at);
            html_text(b, line, 0);
            at += n;
            buf_str(b, *at ? "\n" : "");
            at += *at != 0;
        }
        buf_str(b, "</pre>");
    }
    buf_str(b, "</article>\n");
}

static void step(struct buf *b, const struct filter_page_step *s, int number, bool last)
{
    buf_fmt(b, "<section class=\"split\" id=\"step-%d\"><h2>", number);
    html_text(b, s->name, NAME_SHOWN);
    buf_str(b, " <span class=\"soft\">");
    html_count(b, last ? s->left : s->dropped);
    buf_str(b, "</span></h2><p class=\"note\">");
    html_text(b, s->what, 600);
    buf_str(b, "</p>\n");
    if (s->nexamples) {
        buf_fmt(b, "<h5>%d drawn at random</h5><div class=\"cards\">\n", s->nexamples);
        for (int i = 0; i < s->nexamples; i++)
            card(b, &s->examples[i]);
        buf_str(b, "</div>\n");
    }
    buf_str(b, "</section>\n");
}

static void page(struct buf *b, const struct filter_page *p)
{
    html_page_open(b, "Filter", p->data, own_style);
    buf_str(b, "<p class=\"over\">Caption complexity, action, text in pictures</p><h1><bdi>");
    html_text(b, p->data, 200);
    buf_str(b, "</bdi></h1>\n<dl class=\"facts\"><div><dt>Settings</dt><dd><bdi>");
    html_text(b, p->settings, 400);
    buf_str(b, "</bdi></dd></div><div><dt>Program</dt><dd>diht ");
    html_text(b, p->version, 40);
    buf_str(b, "</dd></div></dl>\n");
    funnel(b, p);
    if (p->ncomplexity)
        complexity(b, p);
    for (int i = 0; i < p->nsteps; i++)
        if (p->steps[i].nexamples || p->steps[i].dropped || i == p->nsteps - 1)
            step(b, &p->steps[i], i, i == p->nsteps - 1);
    buf_str(b, "<footer><p>A row falls at the first step that drops it. Boxes: text found in the picture, with the spotter's "
               "confidence.</p></footer>\n</main></body></html>\n");
}

int filter_page_write(const struct filter_page *p, const char *path)
{
    struct buf b = {0};
    page(&b, p);
    int rc = b.failed ? FAIL(EMEMORY_, "%s: out of memory while the page was built", path) : file_write(path, b.at, b.len);
    buf_free(&b);
    return rc;
}
