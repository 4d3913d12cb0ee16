// SPDX-License-Identifier: Apache-2.0
// Cards: a query, what it brought back, which of it was right.
#include <math.h>
#include <string.h>

#include "report/html.h"
#include "report/parts.h"

enum { ANSWERS_SHOWN = 5, CARDS = 12, PAGE_BYTES = 1750 * 1024 };

static const char empty[] = "no picture", large[] = "too large";

static bool fits(const struct report_picture *p) { return p->size <= REPORT_PICTURE_MAX; }

static void picture(struct buf *b, const struct report_picture *p, const char *alt)
{
    html_picture(b, p->bytes, fits(p) ? p->size : 0, alt, fits(p) ? empty : large);
}

// --- how many cards ------------------------------------------------------------------------------------------------

static size_t picture_cost(const struct report_picture *p)
{
    return html_picture_type(p->bytes, fits(p) ? p->size : 0) ? (p->size + 2) / 3 * 4 : 0;
}

static size_t text_cost(const char *text)   // escaped text of CAPTION_SHOWN characters, at worst
{
    size_t n = text ? strnlen(text, 4 * CAPTION_SHOWN) : 0;
    return n < CAPTION_SHOWN ? 3 * n : 3 * CAPTION_SHOWN;
}

static size_t card_cost(const struct report_query *q, bool i2t)
{
    size_t cost = 600 + picture_cost(&q->picture) + 2 * text_cost(q->caption);
    for (int i = 0; q->answers && i < q->nanswers && i < ANSWERS_SHOWN; i++)
        cost += 200 + 2 * text_cost(q->answers[i].caption) + (i2t ? 0 : picture_cost(&q->answers[i].picture));
    return cost;
}

static size_t list_cost(const struct report_query *q, int n, int cards, bool i2t)
{
    size_t cost = 0;
    for (int i = 0; q && i < n && i < cards; i++)
        cost += card_cost(&q[i], i2t);
    return cost;
}

int gallery_cards(const struct report *r)
{
    for (int cards = CARDS; cards > 0; cards--) {
        size_t cost = 0;
        for (int i = 0; i < r->nsplits; i++) {
            const struct report_gallery *g[2] = {&r->splits[i].i2t_gallery, &r->splits[i].t2i_gallery};
            for (int d = 0; d < 2; d++)
                cost += list_cost(g[d]->hits, g[d]->nhits, cards, d == 0) +
                        list_cost(g[d]->misses, g[d]->nmisses, cards, d == 0);
        }
        if (cost <= PAGE_BYTES)
            return cards;
    }
    return 0;
}

// --- cards ---------------------------------------------------------------------------------------------------------

static void verdict(struct buf *b, const struct report_query *q)
{
    if (q->rank <= 1) {
        buf_str(b, "<p class=\"verdict hit\">right answer first</p>");
        return;
    }
    buf_str(b, "<p class=\"verdict miss\">right answer at rank <b>");
    html_number(b, q->rank, isfinite(q->rank) && q->rank != floor(q->rank) ? 1 : 0);
    buf_str(b, "</b>");
    if (isfinite(q->right_score)) {
        buf_str(b, ", score ");
        html_number(b, q->right_score, 3);
    }
    buf_str(b, "</p>");
}

static void caption(struct buf *b, const char *text)
{
    buf_str(b, "<bdi>");
    html_text(b, text && *text ? text : "(no caption)", CAPTION_SHOWN);
    buf_str(b, "</bdi>");
}

static void key(struct buf *b, const struct report_query *q)
{
    if (!q->key)
        return;
    buf_str(b, "<span class=\"id\"><bdi>");
    html_text(b, q->key, NAME_SHOWN);
    buf_str(b, "</bdi></span>");
}

static void i2t_card(struct buf *b, const struct report_query *q)
{
    buf_str(b, "<article class=\"card\"><div class=\"query\">");
    picture(b, &q->picture, q->caption);
    buf_str(b, "<div><p class=\"truth\">");
    caption(b, q->caption);
    buf_str(b, "</p>");
    key(b, q);
    verdict(b, q);
    buf_str(b, "</div></div><ol class=\"captions\">");
    for (int i = 0; q->answers && i < q->nanswers && i < ANSWERS_SHOWN; i++) {
        const struct report_answer *a = &q->answers[i];
        buf_str(b, a->right ? "<li class=\"right\">" : "<li>");
        caption(b, a->caption);
        buf_str(b, a->right ? "<span class=\"ok\" title=\"right\">✓</span>" : "");
        buf_str(b, "<span class=\"score\">");
        html_number(b, a->score, 3);
        buf_str(b, "</span></li>");
    }
    buf_str(b, "</ol></article>\n");
}

static void t2i_card(struct buf *b, const struct report_query *q)
{
    bool shown = false;   // the right picture is among the answers
    buf_str(b, "<article class=\"card\"><div class=\"ask\"><p class=\"truth\">");
    caption(b, q->caption);
    buf_str(b, "</p>");
    key(b, q);
    verdict(b, q);
    buf_str(b, "</div><ol class=\"pictures\">");
    for (int i = 0; q->answers && i < q->nanswers && i < ANSWERS_SHOWN; i++) {
        const struct report_answer *a = &q->answers[i];
        shown |= a->right;
        buf_str(b, a->right ? "<li class=\"right\"" : "<li");
        buf_str(b, " title=\"");
        html_text(b, a->caption, CAPTION_SHOWN);
        buf_str(b, "\">");
        picture(b, &a->picture, a->caption);
        buf_str(b, "<span class=\"score\">");
        buf_str(b, a->right ? "<span class=\"ok\">✓</span> " : "");
        html_number(b, a->score, 3);
        buf_str(b, "</span></li>");
    }
    if (!shown) {
        buf_str(b, "<li class=\"wanted\" title=\"the right picture\">");
        picture(b, &q->picture, q->caption);
        buf_str(b, "<span class=\"score\">wanted</span></li>");
    }
    buf_str(b, "</ol></article>\n");
}

static void list(struct buf *b, const char *title, const struct report_query *q, int n, int cards, bool i2t)
{
    int shown = !q || n < 0 ? 0 : n < cards ? n : cards;
    if (!shown)
        return;
    buf_str(b, "<h5>");
    html_text(b, title, 0);
    if (shown < n)
        buf_fmt(b, " <span class=\"soft\">(%d of %d)</span>", shown, n);
    buf_str(b, "</h5><div class=\"cards\">\n");
    for (int i = 0; i < shown; i++)
        (i2t ? i2t_card : t2i_card)(b, &q[i]);
    buf_str(b, "</div>\n");
}

static void direction(struct buf *b, const char *title, const struct report_gallery *g, int cards, bool i2t)
{
    if (!(g->hits && g->nhits > 0) && !(g->misses && g->nmisses > 0))
        return;
    buf_fmt(b, "<section class=\"gallery %s\"><h4>%s</h4>\n", i2t ? "i2t" : "t2i", title);
    if (cards < 1)
        buf_str(b, "<p class=\"soft\">The pictures are too large for one page.</p>");
    list(b, "Hits", g->hits, g->nhits, cards, i2t);
    list(b, "Worst misses", g->misses, g->nmisses, cards, i2t);
    buf_str(b, "</section>\n");
}

void gallery_write(struct buf *b, const struct report_split *s, int cards)
{
    direction(b, "Image → text: a picture asks for its caption", &s->i2t_gallery, cards, true);
    direction(b, "Text → image: a caption asks for its picture", &s->t2i_gallery, cards, false);
}
