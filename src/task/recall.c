// SPDX-License-Identifier: Apache-2.0
// Counting: the best right candidate's score of every query first, then every score of the gallery against it, block by
// block in rounds whose blocks share neither rows nor columns (as in nn/hn_nce.c): each counter has one writer.
#include "task/recall.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/threads.h"

// One gallery: images [n, d] where they lie, its texts gathered when they lie apart.
struct gallery {
    struct ctx *ctx;
    const float *images, *texts;
    int64_t n, m, d;
    const int32_t *image_of;          // [m]
    float *image_best, *text_score;   // [n], [m]: thresholds
    int64_t *image_above, *image_equal, *text_above, *text_equal;
    int64_t block, rows, cols, round;
};

// The memory of the largest gallery, and texts sorted by image.
struct room {
    int64_t *start, *text;            // texts text[start[i]] .. of image i
    float *gathered;                  // NULL: texts are used where they lie
    int32_t *image_of, *own;
    float *image_best, *text_score;
    int64_t *counts;
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static view host(const float *p) { return (view){(void *)p, F32}; }

static void piece(void *arg, int64_t p, int worker)
{
    const struct gallery *g = arg;
    bool wide = g->cols >= g->rows;
    int64_t row = (wide ? p : (p + g->round) % g->rows) * g->block, col = (wide ? (p + g->round) % g->cols : p) * g->block;
    struct rank_block b = {
        .q = host(g->images + row * g->d), .c = host(g->texts + col * g->d), .m = least(g->block, g->n - row),
        .n = least(g->block, g->m - col), .d = g->d, .threshold = g->image_best + row, .col_threshold = g->text_score + col,
        .above = g->image_above + row, .equal = g->image_equal + row, .col_above = g->text_above + col,
        .col_equal = g->text_equal + col,
    };
    ctx_kernels(g->ctx)->rank_tile(g->ctx, &b);
}

static int count(struct gallery *g)
{
    enum { SMALLEST = 128, LARGEST = 1536, SIDE = 8 };
    int64_t side = (g->n > g->m ? g->n : g->m) / SIDE;
    g->block = side < SMALLEST ? SMALLEST : side > LARGEST ? LARGEST : side;
    g->rows = (g->n + g->block - 1) / g->block;
    g->cols = (g->m + g->block - 1) / g->block;
    int64_t rounds = g->rows > g->cols ? g->rows : g->cols;
    for (g->round = 0; g->round < rounds; g->round++) {
        if (stop_requested())
            return FAIL(ESTOPPED_, "stopped while ranking: round %" PRId64 " of %" PRId64, g->round, rounds);
        pool_run(ctx_pool(g->ctx), least(g->rows, g->cols), piece, g);
        if (rounds > 16)
            log_progress("ranking %" PRId64 " x %" PRId64 ": %" PRId64 " %%", g->n, g->m, 100 * (g->round + 1) / rounds);
    }
    return 0;
}

// Images from .. to-1 and their texts: the ranks land in r.
static int rank_gallery(struct recall_result *r, struct ctx *ctx, const struct recall_input *in, struct room *room, int64_t from,
                        int64_t to)
{
    int64_t first = room->start[from], n = to - from, m = room->start[to] - first;
    struct gallery g = {
        .ctx = ctx, .images = in->images + from * in->d, .texts = in->texts, .n = n, .m = m, .d = in->d,
        .image_of = room->image_of, .image_best = room->image_best, .text_score = room->text_score,
        .image_above = room->counts, .image_equal = room->counts + n, .text_above = room->counts + 2 * n,
        .text_equal = room->counts + 2 * n + m,
    };
    const int64_t *text = room->text + first;
    if (room->gathered) {
        g.texts = room->gathered;
        for (int64_t j = 0; j < m; j++)
            memcpy(room->gathered + j * in->d, in->texts + text[j] * in->d, (size_t)in->d * sizeof(float));
    }
    // Column j of this gallery is text at[j]: in the gathered order, or as they lie.
    for (int64_t j = 0; j < m; j++)
        room->own[j] = (int32_t)j;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = room->start[from + i]; k < room->start[from + i + 1]; k++)
            room->image_of[room->gathered ? k - first : room->text[k]] = (int32_t)i;
    ctx_kernels(ctx)->rank_pairs(ctx, room->text_score, host(g.images), host(g.texts), room->image_of, room->own, m, in->d);
    for (int64_t i = 0; i < n; i++)
        room->image_best[i] = -INFINITY;
    for (int64_t j = 0; j < m; j++) {
        float *best = &room->image_best[room->image_of[j]];
        *best = room->text_score[j] > *best ? room->text_score[j] : *best;
    }
    memset(room->counts, 0, (size_t)(2 * (n + m)) * sizeof *room->counts);
    int rc = count(&g);
    if (rc)
        return rc;
    for (int64_t i = 0; i < n; i++) {
        struct recall_rank *q = &r->i2t[from + i];
        *q = (struct recall_rank){.lo = g.image_above[i], .among = (int32_t)(room->start[from + i + 1] - room->start[from + i])};
        for (int64_t k = room->start[from + i]; k < room->start[from + i + 1]; k++)
            q->right += room->text_score[room->gathered ? k - first : room->text[k]] == room->image_best[i];
        q->wrong = g.image_equal[i] - q->right;
        assert(q->wrong >= 0);   // a pair's score is the same in every block
    }
    for (int64_t j = 0; j < m; j++) {
        struct recall_rank *q = &r->t2i[room->gathered ? text[j] : j];
        *q = (struct recall_rank){g.text_above[j], g.text_equal[j] - 1, 1, 1};
        assert(q->wrong >= 0);
    }
    return 0;
}

// --- checks --------------------------------------------------------------------------------------------------------
static int check_features(const float *v, int64_t rows, int64_t d, const char *what)
{
    for (int64_t i = 0; i < rows * d; i++)
        if (!isfinite(v[i]))
            return FAIL(EFORMAT_, "%s features: row %" PRId64 ", column %" PRId64 " is %g: every value must be a finite number", what,
                        i / d, i % d, (double)v[i]);
    return 0;
}

static int check(const struct recall_input *in)
{
    if (in->n < 1 || in->m < 1 || in->d < 1)
        return FAIL(EFORMAT_, "%" PRId64 " images, %" PRId64 " texts of %" PRId64 " columns: at least one of each is needed", in->n,
                    in->m, in->d);
    if (in->n > INT32_MAX || in->m > INT32_MAX)
        return FAIL(EUNSUPPORTED_, "%" PRId64 " images, %" PRId64 " texts: galleries of more than 2,147,483,647 are not supported", in->n,
                    in->m);
    if (!in->txt2img && in->n != in->m)
        return FAIL(EUSAGE_, "%" PRId64 " images but %" PRId64 " texts: say which text belongs to which image (--txt2img MAP.npy)", in->n,
                    in->m);
    for (int64_t j = 0; in->txt2img && j < in->m; j++)
        if (in->txt2img[j] < 0 || in->txt2img[j] >= in->n)
            return FAIL(EFORMAT_, "text %" PRId64 " belongs to image %" PRId64 ", but the images are 0 to %" PRId64, j, in->txt2img[j],
                        in->n - 1);
    for (int64_t g = 0; in->cut && g < in->galleries; g++)
        if (in->cut[0] != 0 || in->cut[g + 1] <= in->cut[g] || in->cut[in->galleries] != in->n)
            return FAIL(EUSAGE_, "the ranges do not cut images 0 to %" PRId64 " into whole, non-empty parts", in->n - 1);
    int rc = check_features(in->images, in->n, in->d, "image");
    return rc ? rc : check_features(in->texts, in->m, in->d, "text");
}

// Counting sort: texts by image, in their order.
static int sort_texts(struct room *room, const struct recall_input *in)
{
    for (int64_t j = 0; j < in->m; j++)
        room->start[(in->txt2img ? in->txt2img[j] : j) + 1]++;
    for (int64_t i = 0; i < in->n; i++) {
        if (!room->start[i + 1])
            return FAIL(EFORMAT_, "image %" PRId64 " has no caption in the map: leave it out of the images or give it one", i);
        room->start[i + 1] += room->start[i];
    }
    for (int64_t j = 0; j < in->m; j++)
        room->text[room->start[in->txt2img ? in->txt2img[j] : j]++] = j;
    memmove(room->start + 1, room->start, (size_t)in->n * sizeof *room->start);
    room->start[0] = 0;
    return 0;
}

static int make_room(struct room *room, struct recall_result *r, const struct recall_input *in)
{
    size_t n = (size_t)in->n, m = (size_t)in->m, most = m;
    r->n = in->n;
    r->m = in->m;
    r->galleries = in->cut ? in->galleries : 1;
    room->start = calloc(n + 1, sizeof *room->start);
    room->text = malloc(m * sizeof *room->text);
    room->image_of = malloc(m * sizeof *room->image_of);
    room->own = malloc(m * sizeof *room->own);
    room->image_best = malloc(n * sizeof *room->image_best);
    room->text_score = malloc(m * sizeof *room->text_score);
    room->counts = malloc(2 * (n + m) * sizeof *room->counts);
    r->i2t = calloc(n, sizeof *r->i2t);
    r->t2i = calloc(m, sizeof *r->t2i);
    r->range = in->cut ? calloc((size_t)in->galleries, sizeof *r->range) : NULL;
    if (!room->start || !room->text || !room->image_of || !room->own || !room->image_best || !room->text_score || !room->counts ||
        !r->i2t || !r->t2i || (in->cut && !r->range))
        return FAIL(EMEMORY_, "out of memory: ranks of %zu images and %zu texts", n, m);
    int rc = sort_texts(room, in);
    if (rc || r->galleries == 1)
        return rc;
    most = 0;
    for (int64_t g = 0; g < in->galleries; g++) {
        size_t texts = (size_t)(room->start[in->cut[g + 1]] - room->start[in->cut[g]]);
        most = texts > most ? texts : most;
    }
    room->gathered = malloc(most * (size_t)in->d * sizeof *room->gathered);
    return room->gathered ? 0 : FAIL(EMEMORY_, "out of memory: a range of %zu texts", most);
}

static void free_room(struct room *r)
{
    void *all[] = {r->start, r->text, r->gathered, r->image_of, r->own, r->image_best, r->text_score, r->counts};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

// --- figures -------------------------------------------------------------------------------------------------------
// One range's figures: its texts are gathered by image, so their ranks are too.
static int range_figures(struct recall_range *out, const struct recall_result *r, const struct recall_input *in,
                         const struct room *room, struct recall_rank *texts, int64_t g)
{
    int64_t from = in->cut[g], to = in->cut[g + 1], first = room->start[from], m = room->start[to] - first;
    const int64_t *label = in->cut_label ? in->cut_label : in->cut;
    *out = (struct recall_range){.from = label[g], .to = label[g + 1]};
    for (int64_t j = 0; j < m; j++)
        texts[j] = r->t2i[room->text[first + j]];
    struct recall *i2t = &out->recall.i2t, *t2i = &out->recall.t2i;
    int rc = recall_metrics(i2t, r->i2t + from, to - from, m, TIES_EXPECTED);
    if (!rc)
        rc = recall_metrics(t2i, texts, m, to - from, TIES_EXPECTED);
    if (!rc)
        rc = recall_interval(&i2t->r1_low, &i2t->r1_high, r->i2t + from, to - from, in->resamples, in->seed);
    return rc ? rc : recall_interval(&t2i->r1_low, &t2i->r1_high, texts, m, in->resamples, in->seed + 1);
}

static int growth(struct recall_result *r, int64_t points)
{
    enum { FIRST = 10 };
    int64_t last = least(r->n, r->m);
    if (points < 2 || last <= FIRST)
        return 0;
    r->growth = calloc((size_t)points, sizeof *r->growth);
    if (!r->growth)
        return FAIL(EMEMORY_, "out of memory: a curve of %" PRId64 " points", points);
    for (int64_t p = 0; p < points; p++) {
        double share = (double)p / (double)(points - 1);
        int64_t size = p + 1 == points ? last : llround(FIRST * pow((double)last / FIRST, share));
        if (r->growth_n && size <= r->growth[r->growth_n - 1].size)
            continue;
        r->growth[r->growth_n++] = (struct recall_growth){size, recall_at_size(r->i2t, r->n, r->m, size),
                                                          recall_at_size(r->t2i, r->m, r->n, size)};
    }
    return 0;
}

static int figures(struct recall_result *r, const struct recall_input *in, const struct room *room)
{
    int64_t galleries = r->galleries;
    int rc = 0;
    for (int rule = 0; !rc && rule < TIE_RULES; rule++) {
        rc = recall_metrics(&r->rule[rule].i2t, r->i2t, r->n, r->m / galleries, rule);
        if (!rc)
            rc = recall_metrics(&r->rule[rule].t2i, r->t2i, r->m, r->n / galleries, rule);
    }
    struct recall_pair *p = &r->rule[TIES_EXPECTED];
    if (!rc)
        rc = recall_interval(&p->i2t.r1_low, &p->i2t.r1_high, r->i2t, r->n, in->resamples, in->seed);
    if (!rc)
        rc = recall_interval(&p->t2i.r1_low, &p->t2i.r1_high, r->t2i, r->m, in->resamples, in->seed + 1);
    if (!rc && in->growth && galleries == 1)
        rc = growth(r, in->growth);
    if (rc || !in->cut)
        return rc;
    struct recall_rank *texts = malloc((size_t)r->m * sizeof *texts);
    if (!texts)
        return FAIL(EMEMORY_, "out of memory: the ranks of %" PRId64 " texts", r->m);
    for (int64_t g = 0; !rc && g < galleries; g++)
        rc = range_figures(&r->range[g], r, in, room, texts, g);
    free(texts);
    return rc;
}

int recall_measure(struct recall_result *r, struct ctx *ctx, const struct recall_input *in)
{
    struct room room = {0};
    *r = (struct recall_result){0};
    int rc = check(in);
    if (!rc)
        rc = make_room(&room, r, in);
    for (int64_t g = 0; !rc && g < r->galleries; g++)
        rc = rank_gallery(r, ctx, in, &room, in->cut ? in->cut[g] : 0, in->cut ? in->cut[g + 1] : in->n);
    if (!rc)
        rc = figures(r, in, &room);
    free_room(&room);
    if (rc)
        recall_free(r);
    return rc;
}

void recall_free(struct recall_result *r)
{
    free(r->range);
    free(r->i2t);
    free(r->t2i);
    free(r->growth);
    *r = (struct recall_result){0};
}
