// SPDX-License-Identifier: Apache-2.0
#include "task/eval_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "image/encode.h"

enum { SHOWN = 8, ANSWERS = 5, SIDE = 96 };   // hits and misses of a direction; what came back; pixels of a thumbnail

struct report_recall page_recall(const struct recall *r)
{
    return (struct report_recall){100 * r->r1, 100 * r->r5, 100 * r->r10, 100 * r->r1_low, 100 * r->r1_high,
                                  r->median_rank, r->mean_rank, r->mrr, r->n, r->candidates};
}

// The thumbnail of an image row, made at first use; an empty picture where it cannot be made.
static struct report_picture picture(struct page_split *p, const struct source *s, const struct features *f,
                                     int64_t row)
{
    int64_t i = 0;
    while (i < p->npictures && p->pictured[i] != row)
        i++;
    if (i == p->npictures) {
        struct buf bytes = {0};
        const char *mime;
        p->pictured[p->npictures++] = row;
        if (source_image(s, f->index[row], &bytes) ||
            image_thumbnail(&p->pictures[i], &mime, bytes.at, bytes.len, SIDE)) {
            log_debug("the page shows an empty frame: %s", error_last());
            buf_free(&p->pictures[i]);
        }
        buf_free(&bytes);
    }
    return (struct report_picture){p->pictures[i].at, p->pictures[i].len};
}

struct ranked { double rank; int64_t query; };

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->rank != y->rank ? (x->rank < y->rank ? -1 : 1) : (x->query > y->query) - (x->query < y->query);
}

// Hits spread evenly over those found first, misses from the worst on.
static int choose(const double *ranks, int64_t n, int64_t *chosen, int *nhits, int *nmisses)
{
    struct ranked *all = malloc((size_t)n * sizeof *all);
    if (!all)
        return FAIL(EMEMORY_, "out of memory: %lld queries", (long long)n);
    int64_t hits = 0;
    for (int64_t i = 0; i < n; i++) {
        all[i] = (struct ranked){ranks[i], i};
        hits += ranks[i] == 1;
    }
    qsort(all, (size_t)n, sizeof *all, by_rank);
    *nhits = (int)(hits < SHOWN ? hits : SHOWN);
    *nmisses = (int)(n - hits < SHOWN ? n - hits : SHOWN);
    for (int i = 0; i < *nhits; i++)
        chosen[i] = all[i * hits / *nhits].query;
    for (int i = 0; i < *nmisses; i++)
        chosen[*nhits + i] = all[n - 1 - i].query;
    free(all);
    return 0;
}

static const char *caption_of(const struct source *s, const struct features *f, int64_t text)
{
    struct sample sample;
    int64_t row = f->txt2img[text], first = text;
    while (first > 0 && f->txt2img[first - 1] == row)
        first--;
    source_sample(s, f->index[row], &sample);
    return sample.captions[text - first];
}

static float score(const struct features *f, int64_t image, int64_t text)
{
    float sum = 0;
    for (int64_t i = 0; i < f->d; i++)
        sum += f->images[image * f->d + i] * f->texts[text * f->d + i];
    return sum;
}

// Galleries of one direction (0: a picture asks for its caption).
static int make_gallery(struct page_split *p, int dir, struct ctx *ctx, const struct source *s,
                        const struct features *f)
{
    int64_t chosen[2 * SHOWN], index[2 * SHOWN * ANSWERS];
    float scores[2 * SHOWN * ANSWERS];
    int nhits = 0, nmisses = 0;
    int rc = choose(p->ranks[dir], dir ? f->m : f->n, chosen, &nhits, &nmisses);
    if (rc)
        return rc;
    int total = nhits + nmisses;
    rc = recall_topk(index, scores, ctx, dir ? f->texts : f->images, chosen, total, dir ? f->images : f->texts,
                     dir ? f->n : f->m, f->d, ANSWERS);
    p->queries[dir] = calloc((size_t)total + 1, sizeof **p->queries);
    p->answers[dir] = calloc((size_t)total * ANSWERS + 1, sizeof **p->answers);
    if (!rc && (!p->queries[dir] || !p->answers[dir]))
        rc = FAIL(EMEMORY_, "out of memory: the page's gallery");
    for (int q = 0; q < total && !rc; q++) {
        struct report_query *query = &p->queries[dir][q];
        struct sample sample;
        int64_t image = dir ? f->txt2img[chosen[q]] : chosen[q], best = dir ? chosen[q] : -1;
        for (int64_t t = 0; !dir && t < f->m; t++)   // the picture's own caption that fits best
            if (f->txt2img[t] == image && (best < 0 || score(f, image, t) > score(f, image, best)))
                best = t;
        source_sample(s, f->index[image], &sample);
        query->key = sample.key;
        query->caption = caption_of(s, f, best);
        query->picture = picture(p, s, f, image);
        query->rank = p->ranks[dir][chosen[q]];
        query->right_score = score(f, image, best);
        query->answers = p->answers[dir] + q * ANSWERS;
        for (int k = 0; k < ANSWERS && index[q * ANSWERS + k] >= 0; k++) {
            int64_t found = index[q * ANSWERS + k], found_image = dir ? found : f->txt2img[found];
            struct report_answer *a = &p->answers[dir][q * ANSWERS + k];
            source_sample(s, f->index[found_image], &sample);
            a->caption = dir ? sample.captions[0] : caption_of(s, f, found);
            if (dir)
                a->picture = picture(p, s, f, found);
            a->score = scores[q * ANSWERS + k];
            a->right = found_image == image;
            query->nanswers++;
        }
    }
    struct report_gallery *g = dir ? &p->split.t2i_gallery : &p->split.i2t_gallery;
    *g = (struct report_gallery){p->queries[dir], p->queries[dir] ? p->queries[dir] + nhits : NULL, nhits, nmisses};
    return rc;
}

int page_split_make(struct page_split *p, struct ctx *ctx, const struct source *s, const struct features *f,
                    const struct recall_result *r)
{
    // at most every query and every answer of both directions has its own picture
    enum { PICTURES = 2 * 2 * SHOWN * (ANSWERS + 1) };
    p->split.name = p->name;
    p->split.i2t = page_recall(&r->rule[TIES_EXPECTED].i2t);
    p->split.t2i = page_recall(&r->rule[TIES_EXPECTED].t2i);
    p->pictures = calloc(PICTURES, sizeof *p->pictures);
    p->pictured = calloc(PICTURES, sizeof *p->pictured);
    p->ranges = calloc((size_t)r->galleries + 1, sizeof *p->ranges);
    p->growth = calloc((size_t)r->growth_n + 1, sizeof *p->growth);
    p->ranks[0] = calloc((size_t)r->n + 1, sizeof **p->ranks);
    p->ranks[1] = calloc((size_t)r->m + 1, sizeof **p->ranks);
    if (!p->pictures || !p->pictured || !p->ranges || !p->growth || !p->ranks[0] || !p->ranks[1])
        return FAIL(EMEMORY_, "out of memory: the page of %lld pictures", (long long)r->n);
    for (int64_t g = 0; r->range && g < r->galleries; g++)
        p->ranges[g] = (struct report_range){r->range[g].from, r->range[g].to, page_recall(&r->range[g].recall.i2t),
                                             page_recall(&r->range[g].recall.t2i)};
    for (int64_t g = 0; g < r->growth_n; g++)
        p->growth[g] = (struct report_growth){
            (double)r->growth[g].size, 100 * r->growth[g].i2t, NAN, NAN, 100 * r->growth[g].t2i, NAN, NAN};
    for (int64_t i = 0; i < r->n; i++)
        p->ranks[0][i] = recall_expected_rank(&r->i2t[i]);
    for (int64_t i = 0; i < r->m; i++)
        p->ranks[1][i] = recall_expected_rank(&r->t2i[i]);
    p->split.ranges = p->ranges;
    p->split.nranges = r->range ? (int)r->galleries : 0;
    p->split.growth = p->growth;
    p->split.ngrowth = (int)r->growth_n;
    p->split.i2t_ranks = p->ranks[0];
    p->split.ni2t_ranks = r->n;
    p->split.t2i_ranks = p->ranks[1];
    p->split.nt2i_ranks = r->m;
    int rc = make_gallery(p, 0, ctx, s, f);
    return rc ? rc : make_gallery(p, 1, ctx, s, f);
}

void page_split_free(struct page_split *p)
{
    for (int64_t i = 0; i < p->npictures; i++)
        buf_free(&p->pictures[i]);
    free(p->pictures);
    free(p->pictured);
    free(p->ranges);
    free(p->growth);
    for (int i = 0; i < 2; i++) {
        free(p->ranks[i]);
        free(p->queries[i]);
        free(p->answers[i]);
    }
    memset(p, 0, sizeof *p);
}
