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

int recall_json(struct buf *b, const struct recall_result *r)
{
    buf_char(b, '{');
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
    buf_str(b, "]}\n");
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
