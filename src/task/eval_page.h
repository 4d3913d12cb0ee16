// SPDX-License-Identifier: Apache-2.0
// From an evaluation's ranks to what the report shows of them.
#ifndef TASK_EVAL_PAGE_H
#define TASK_EVAL_PAGE_H

#include "report/page.h"
#include "task/encode.h"
#include "task/recall.h"

// One evaluated split with everything the page borrows from it.
struct page_split {
    char name[128];
    struct report_split split;
    struct report_range *ranges;
    struct report_growth *growth;
    double *ranks[2];
    struct report_query *queries[2];   // hits, then misses
    struct report_answer *answers[2];
    struct buf *pictures;              // thumbnails, one an image that is shown
    int64_t *pictured, npictures;      // their image rows
};

// `s` and the features must outlive the page; `r` only this call.
int page_split_make(struct page_split *p, struct ctx *ctx, const struct source *s, const struct features *f,
                    const struct recall_result *r);
void page_split_free(struct page_split *p);   // accepts a zeroed one
struct report_recall page_recall(const struct recall *r);   // fractions to percent

#endif
