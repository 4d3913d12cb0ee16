// SPDX-License-Identifier: Apache-2.0
// Figures of a retrieval as one JSON object or as a table.
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "task/recall.h"

static void number(struct buf *b, const char *name, double v, const char *before)
{
    if (isfinite(v))
        buf_fmt(b, "%s\"%s\": %.17g", before, name, v);
    else
        buf_fmt(b, "%s\"%s\": null", before, name);
}

static void direction(struct buf *b, const char *name, const struct recall *r)
{
    buf_fmt(b, "\"%s\": {", name);
    number(b, "r1", 100 * r->r1, "");
    number(b, "r5", 100 * r->r5, ", ");
    number(b, "r10", 100 * r->r10, ", ");
    number(b, "median_rank", r->median_rank, ", ");
    number(b, "mean_rank", r->mean_rank, ", ");
    number(b, "mrr", r->mrr, ", ");
    number(b, "r1_low", 100 * r->r1_low, ", ");
    number(b, "r1_high", 100 * r->r1_high, ", ");
    buf_fmt(b, ", \"n\": %lld, \"candidates\": %lld}", (long long)r->n, (long long)r->candidates);
}

static void both(struct buf *b, const struct recall_pair *p)
{
    direction(b, "i2t", &p->i2t);
    buf_str(b, ", ");
    direction(b, "t2i", &p->t2i);
}

// Plain means over the ranges: each counts the same, however many pictures it has left.
static void means(struct recall_pair *mean, const struct recall_range *range, int64_t n)
{
    *mean = (struct recall_pair){0};
    for (int64_t g = 0; g < n; g++)
        for (int d = 0; d < 2; d++) {
            const struct recall *from = d ? &range[g].recall.t2i : &range[g].recall.i2t;
            struct recall *to = d ? &mean->t2i : &mean->i2t;
            to->r1 += from->r1 / (double)n;
            to->r5 += from->r5 / (double)n;
            to->r10 += from->r10 / (double)n;
        }
}

static void mean_json(struct buf *b, const char *name, const struct recall *r, const char *after)
{
    buf_fmt(b, "\"%s\": {", name);
    number(b, "r1", 100 * r->r1, "");
    number(b, "r5", 100 * r->r5, ", ");
    number(b, "r10", 100 * r->r10, ", ");
    buf_fmt(b, "}%s", after);
}

int recall_json(struct buf *b, const struct recall_result *r)
{
    buf_char(b, '{');
    recall_json_members(b, r);
    buf_str(b, "}\n");
    return b->failed;
}

int recall_json_members(struct buf *b, const struct recall_result *r)
{
    both(b, &r->rule[TIES_EXPECTED]);
    buf_str(b, ", \"optimistic\": {");
    both(b, &r->rule[TIES_OPTIMISTIC]);
    buf_str(b, "}, \"pessimistic\": {");
    both(b, &r->rule[TIES_PESSIMISTIC]);
    buf_str(b, "}, \"ranges\": [");
    for (int64_t g = 0; r->range && g < r->galleries; g++) {
        buf_fmt(b, "%s{\"from\": %lld, \"to\": %lld, ", g ? ", " : "", (long long)r->range[g].from,
                (long long)r->range[g].to);
        both(b, &r->range[g].recall);
        buf_char(b, '}');
    }
    buf_char(b, ']');
    if (r->range) {
        struct recall_pair mean;
        means(&mean, r->range, r->galleries);
        buf_str(b, ", \"range_means\": {");
        mean_json(b, "i2t", &mean.i2t, ", ");
        mean_json(b, "t2i", &mean.t2i, "}");
    }
    return b->failed;
}

static void row(struct buf *b, const char *name, const struct recall *r)
{
    buf_fmt(b, "%-16s %6.1f", name, 100 * r->r1);
    if (isfinite(r->r1_low))
        buf_fmt(b, " (%5.1f -%5.1f)", 100 * r->r1_low, 100 * r->r1_high);
    else
        buf_fmt(b, " %15s", "");
    buf_fmt(b, " %6.1f %6.1f %9.4g %9.4g %7.4f %9lld %11lld\n", 100 * r->r5, 100 * r->r10, r->median_rank, r->mean_rank,
            r->mrr, (long long)r->n, (long long)r->candidates);
}

void recall_table(struct buf *b, const struct recall_result *r)
{
    const struct recall_pair *p = r->rule;
    buf_fmt(b, "%-16s %6s %15s %6s %6s %9s %9s %7s %9s %11s\n", "", "R@1 %", "(95 %)", "R@5", "R@10", "median", "mean rank",
            "MRR", "queries", "candidates");
    row(b, "image to text", &p[TIES_EXPECTED].i2t);
    row(b, "text to image", &p[TIES_EXPECTED].t2i);
    for (int64_t g = 0; r->range && g < r->galleries; g++) {
        char name[64];
        snprintf(name, sizeof name, "%lld-%lld i2t", (long long)r->range[g].from, (long long)r->range[g].to);
        row(b, name, &r->range[g].recall.i2t);
        snprintf(name, sizeof name, "%lld-%lld t2i", (long long)r->range[g].from, (long long)r->range[g].to);
        row(b, name, &r->range[g].recall.t2i);
    }
    if (p[TIES_OPTIMISTIC].i2t.r1 != p[TIES_PESSIMISTIC].i2t.r1 || p[TIES_OPTIMISTIC].t2i.r1 != p[TIES_PESSIMISTIC].t2i.r1)
        buf_fmt(b, "ties: R@1 from %.1f to %.1f (image to text), %.1f to %.1f (text to image), by their order\n",
                100 * p[TIES_PESSIMISTIC].i2t.r1, 100 * p[TIES_OPTIMISTIC].i2t.r1, 100 * p[TIES_PESSIMISTIC].t2i.r1,
                100 * p[TIES_OPTIMISTIC].t2i.r1);
}

// Published for diht_vitl14_336px: ranges of 2000 rows of Conceptual Captions' validation list, about a fifth of whose
// addresses were dead by then.
static const struct { double t2i, i2t; } published_rows[] = {
    {62.8, 64.1}, {64.6, 65.0}, {63.3, 65.9}, {62.8, 65.1}, {63.4, 66.3}, {62.5, 65.0}, {61.7, 64.3},
};
enum { PUBLISHED = sizeof published_rows / sizeof *published_rows, PUBLISHED_RANGE = 2000 };

void recall_report_table(struct buf *b, const struct recall_range *range, int64_t n, bool published)
{
    struct recall_pair mean;
    means(&mean, range, n);
    buf_fmt(b, "%-15s %7s %7s %7s%s\n", "rows", "live", "T2I", "I2T", published ? "   published T2I   I2T" : "");
    for (int64_t g = 0; g < n; g++) {
        char name[48];
        int64_t row = range[g].from / PUBLISHED_RANGE;
        snprintf(name, sizeof name, "%lld-%lld", (long long)range[g].from, (long long)range[g].to);
        buf_fmt(b, "%-15s %7lld %7.1f %7.1f", name, (long long)range[g].recall.i2t.n, 100 * range[g].recall.t2i.r1,
                100 * range[g].recall.i2t.r1);
        if (published && row < PUBLISHED && range[g].from == row * PUBLISHED_RANGE)
            buf_fmt(b, "%16.1f %5.1f", published_rows[row].t2i, published_rows[row].i2t);
        buf_char(b, '\n');
    }
    buf_fmt(b, "%-15s %7s %7.2f %7.2f%s\n", "mean", "", 100 * mean.t2i.r1, 100 * mean.i2t.r1,
            published ? "           63.01 65.1" : "");
    buf_str(b, "R@1 in percent; live: pictures left of a range, its gallery; mean: plain, over the ranges\n");
}
