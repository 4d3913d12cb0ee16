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
#include "task/recall_rows.h"

enum { SMALLEST = 128, LARGEST = 1536, SIDE = 8, BAND = 16 };   // a block's side; blocks along a band

// One gallery: images [n, d] from row `first` on, its texts gathered when they lie apart. A band of each is in memory.
struct gallery {
    struct ctx *ctx;
    struct rows images, texts;
    int64_t first, n, m, d;
    const int32_t *image_of;          // [m]
    float *image_best, *text_score;   // [n], [m]: thresholds
    int64_t *image_above, *image_equal, *text_above, *text_equal;
    int64_t block, band;
    const float *image_band, *text_band;
    int64_t row0, col0, row_end, col_end, rows, cols, round;   // the bands: from .. to, in blocks; which diagonal
};

// The memory of the largest gallery, and texts sorted by image.
struct room {
    int64_t *start, *text;            // texts text[start[i]] .. of image i
    float *gathered;                  // NULL: texts are used where they lie
    int32_t *image_of, *own;
    float *image_best, *text_score;
    float *image_band, *text_band;    // NULL: in memory already
    int64_t *counts;
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static view host(const float *p) { return (view){(void *)p, F32}; }
static struct rows images_of(const struct recall_input *in) { return (struct rows){in->images, in->image_file, in->d}; }
static struct rows texts_of(const struct recall_input *in) { return (struct rows){in->texts, in->text_file, in->d}; }

static void piece(void *arg, int64_t p, int worker)
{
    const struct gallery *g = arg;
    bool wide = g->cols >= g->rows;
    int64_t row = (wide ? p : (p + g->round) % g->rows) * g->block, col = (wide ? (p + g->round) % g->cols : p) * g->block;
    struct rank_block b = {.q = host(g->image_band + row * g->d), .c = host(g->text_band + col * g->d), .d = g->d};
    row += g->row0;
    col += g->col0;
    b.m = least(g->block, g->row_end - row);
    b.n = least(g->block, g->col_end - col);
    b.threshold = g->image_best + row;
    b.col_threshold = g->text_score + col;
    b.above = g->image_above + row;
    b.equal = g->image_equal + row;
    b.col_above = g->text_above + col;
    b.col_equal = g->text_equal + col;
    ctx_kernels(g->ctx)->rank_tile(g->ctx, &b);
}

static int64_t block_of(int64_t n, int64_t m)
{
    int64_t side = (n > m ? n : m) / SIDE;
    if (side > LARGEST) {   // blocks about as long as each other: a short last one would leave threads without work
        int64_t most = n > m ? n : m, blocks = (most + LARGEST - 1) / LARGEST;
        side = (most + blocks - 1) / blocks;
    }
    return side < SMALLEST ? SMALLEST : side;
}

// A band of images against a band of texts: as many rounds as the longer one has blocks.
static int count_bands(struct gallery *g)
{
    g->rows = (g->row_end - g->row0 + g->block - 1) / g->block;
    g->cols = (g->col_end - g->col0 + g->block - 1) / g->block;
    int64_t rounds = g->rows > g->cols ? g->rows : g->cols;
    for (g->round = 0; g->round < rounds; g->round++) {
        if (stop_requested())
            return FAIL(ESTOPPED_, "stopped while ranking: image %" PRId64 " of %" PRId64, g->row0, g->n);
        pool_run(ctx_pool(g->ctx), least(g->rows, g->cols), piece, g);
    }
    return 0;
}

// Whole blocks.
static int64_t band_of(const struct recall_input *in, int64_t n, int64_t m)
{
    int64_t block = block_of(n, m), blocks = in->band / block;
    return block * (!in->band ? BAND : blocks < 1 ? 1 : blocks);
}

static int count(struct gallery *g, const struct room *room)
{
    int64_t band = g->band;
    for (g->row0 = 0; g->row0 < g->n; g->row0 = g->row_end) {
        g->row_end = least(g->n, g->row0 + band);
        g->image_band = rows_band(&g->images, g->first + g->row0, g->row_end - g->row0, room->image_band);
        for (g->col0 = 0; g->col0 < g->m; g->col0 = g->col_end) {
            g->col_end = least(g->m, g->col0 + band);
            g->text_band = rows_band(&g->texts, g->col0, g->col_end - g->col0, room->text_band);
            int rc = count_bands(g);
            if (rc)
                return rc;
            if (g->n > band || g->m > band)
                log_progress("ranking %" PRId64 " x %" PRId64 ": %.1f %%", g->n, g->m,
                             100 * ((double)g->row0 + (double)(g->row_end - g->row0) * (double)g->col_end / (double)g->m) / (double)g->n);
        }
    }
    return 0;
}

// Every text's score with its own image. Of files, the texts of a chunk and their images are brought together.
static void score_pairs(struct gallery *g, const struct room *room)
{
    const struct kernels *k = ctx_kernels(g->ctx);
    if (g->images.at && g->texts.at) {
        k->rank_pairs(g->ctx, room->text_score, host(g->images.at + g->first * g->d), host(g->texts.at), room->image_of, room->own,
                      g->m, g->d);
        return;
    }
    enum { CHUNK = 2048 };
    int64_t index[CHUNK];
    for (int64_t from = 0, n; from < g->m; from += n) {
        n = least(least(CHUNK, g->band), g->m - from);
        for (int64_t j = 0; j < n; j++)
            index[j] = g->first + room->image_of[from + j];
        rows_gather(&g->images, index, n, room->image_band);
        const float *texts = rows_band(&g->texts, from, n, room->text_band);
        k->rank_pairs(g->ctx, room->text_score + from, host(room->image_band), host(texts), room->own, room->own, n, g->d);
    }
}

// Images from .. to-1 and their texts: the ranks land in r.
static int rank_gallery(struct recall_result *r, struct ctx *ctx, const struct recall_input *in, struct room *room, int64_t from,
                        int64_t to)
{
    int64_t first = room->start[from], n = to - from, m = room->start[to] - first;
    struct gallery g = {
        .ctx = ctx, .images = images_of(in), .texts = texts_of(in), .first = from, .n = n, .m = m, .d = in->d,
        .block = block_of(n, m), .band = band_of(in, n, m),
        .image_of = room->image_of, .image_best = room->image_best, .text_score = room->text_score,
        .image_above = room->counts, .image_equal = room->counts + n, .text_above = room->counts + 2 * n,
        .text_equal = room->counts + 2 * n + m,
    };
    const int64_t *text = room->text + first;
    if (room->gathered) {
        rows_gather(&g.texts, text, m, room->gathered);
        g.texts.at = room->gathered;
    }
    // Column j of this gallery is text at[j]: in the gathered order, or as they lie.
    for (int64_t j = 0; j < m; j++)
        room->own[j] = (int32_t)j;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = room->start[from + i]; k < room->start[from + i + 1]; k++)
            room->image_of[room->gathered ? k - first : room->text[k]] = (int32_t)i;
    score_pairs(&g, room);
    for (int64_t i = 0; i < n; i++)
        room->image_best[i] = -INFINITY;
    for (int64_t j = 0; j < m; j++) {
        float *best = &room->image_best[room->image_of[j]];
        *best = room->text_score[j] > *best ? room->text_score[j] : *best;
    }
    memset(room->counts, 0, (size_t)(2 * (n + m)) * sizeof *room->counts);
    int rc = count(&g, room);
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
    struct rows images = images_of(in), texts = texts_of(in);
    int rc = rows_check(&images, in->n, "image");
    return rc ? rc : rows_check(&texts, in->m, "text");
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
    size_t band = (size_t)(in->band > BAND * block_of(in->n, in->m) ? in->band : BAND * block_of(in->n, in->m));
    if (!rc && !in->images && !(room->image_band = malloc(band * (size_t)in->d * sizeof(float))))
        rc = FAIL(EMEMORY_, "out of memory: a band of %zu rows of features", band);
    if (!rc && !in->texts && !(room->text_band = malloc(band * (size_t)in->d * sizeof(float))))
        rc = FAIL(EMEMORY_, "out of memory: a band of %zu rows of features", band);
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
    void *all[] = {r->start, r->text, r->gathered, r->image_of, r->own, r->image_best, r->text_score, r->image_band,
                   r->text_band, r->counts};
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
