// SPDX-License-Identifier: Apache-2.0
#include "sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/rng.h"

enum { SIDE = 64, SHAPES = 8, INKS = 8, PICTURES = SHAPES * INKS };
enum { SPLITS = 4, CARDS = 6, ANSWERS = 5, SIZES = 9, STEPS = 3400 };

struct sample {
    struct report page;
    struct report_split splits[SPLITS];
    struct report_growth growth[SPLITS][SIZES];
    struct report_range ranges[7];
    struct report_query queries[SPLITS][4][CARDS];
    struct report_answer answers[SPLITS][4][CARDS][ANSWERS];
    double *ranks[SPLITS][2];
    struct buf pictures[PICTURES];
    char names[PICTURES][48];
    struct report_training training;
};

static const char *const shapes[SHAPES] = {"circle",        "square", "ring", "diamond", "cross", "flag with stripes",
                                           "crescent moon", "star"};
static const char *const inks[INKS] = {"red", "orange", "yellow", "green", "blue", "violet", "brown", "black"};
static const unsigned char palette[16][3] = {
    {255, 255, 255}, {215, 48, 39},  {244, 135, 37}, {250, 208, 44}, {60, 160, 70},
    {50, 100, 200},  {130, 70, 170}, {120, 75, 40},  {35, 35, 40},
};

static bool inside(int shape, double x, double y)   // x, y in [-1, 1]
{
    double r = hypot(x, y), a = atan2(y, x);
    switch (shape) {
    case 0: return r < 0.8;
    case 1: return fabs(x) < 0.7 && fabs(y) < 0.7;
    case 2: return r < 0.8 && r > 0.45;
    case 3: return fabs(x) + fabs(y) < 0.85;
    case 4: return (fabs(x) < 0.25 && fabs(y) < 0.8) || (fabs(y) < 0.25 && fabs(x) < 0.8);
    case 5: return fabs(x) < 0.85 && fabs(y) < 0.55 && (int)floor((y + 0.55) * 4.5) % 2 == 0;
    case 6: return r < 0.8 && hypot(x - 0.3, y + 0.15) > 0.62;
    default: return r < 0.45 + 0.35 * cos(5 * (a + 1.5708));
    }
}

static void big_endian(struct buf *b, uint32_t v)
{
    for (int i = 24; i >= 0; i -= 8)
        buf_char(b, (char)(v >> i));
}

static void chunk(struct buf *b, const char *type, const void *bytes, size_t n)
{
    big_endian(b, (uint32_t)n);
    size_t at = b->len;
    buf_add(b, type, 4);
    buf_add(b, bytes, n);
    uint32_t crc = ~0u;
    for (size_t i = at; i < b->len; i++) {
        crc ^= (unsigned char)b->at[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    big_endian(b, ~crc);
}

// A 4-bit palette PNG, its pixels in one stored deflate block.
static void draw(struct buf *b, int shape, int ink)
{
    unsigned char head[13] = {0, 0, 0, SIDE, 0, 0, 0, SIDE, 4, 3, 0, 0, 0}, row[SIDE / 2 + 1];
    struct buf data = {0};
    uint16_t n = SIDE * (SIDE / 2 + 1);
    unsigned char low = n & 255, high = n >> 8, open[] = {0x78, 0x01, 1, low, high, (unsigned char)~low, (unsigned char)~high};
    uint32_t s1 = 1, s2 = 0;
    buf_add(&data, open, sizeof open);
    for (int y = 0; y < SIDE; y++) {
        memset(row, 0, sizeof row);
        for (int x = 0; x < SIDE; x++)
            if (inside(shape, (x + 0.5) * 2 / SIDE - 1, (y + 0.5) * 2 / SIDE - 1))
                row[1 + x / 2] |= (unsigned char)((ink + 1) << (x % 2 ? 0 : 4));
        for (size_t i = 0; i < sizeof row; i++) {
            s1 = (s1 + row[i]) % 65521;
            s2 = (s2 + s1) % 65521;
        }
        buf_add(&data, row, sizeof row);
    }
    big_endian(&data, s2 << 16 | s1);
    buf_add(b, "\x89PNG\r\n\x1a\n", 8);
    chunk(b, "IHDR", head, sizeof head);
    chunk(b, "PLTE", palette, sizeof palette);
    chunk(b, "IDAT", data.at, data.len);
    chunk(b, "IEND", "", 0);
    buf_free(&data);
}

static struct report_recall recall(double r1, int64_t n)
{
    double half = 196 * sqrt(r1 / 100 * (1 - r1 / 100) / (double)n);
    return (struct report_recall){
        .r1 = r1,
        .r5 = 100 - (100 - r1) * 0.55,
        .r10 = 100 - (100 - r1) * 0.42,
        .r1_low = r1 - half,
        .r1_high = r1 + half,
        .median_rank = r1 > 30 ? 3 : 14.5,
        .mean_rank = (double)n / 30,
        .mrr = r1 / 100 * 1.3,
        .n = n,
        .candidates = n,
    };
}

static void fill_ranks(double *ranks, int64_t n, double r1, struct rng *rng)
{
    for (int64_t i = 0; i < n; i++) {
        double u = rng_uniform(rng);
        ranks[i] = u * 100 < r1 ? 1 : fmin((double)n, floor(1 + exp(rng_uniform(rng) * log((double)n))));
    }
}

static void fill_queries(struct sample *s, int split, int list, struct rng *rng)
{
    bool i2t = list < 2, hit = list % 2 == 0;
    for (int c = 0; c < CARDS; c++) {
        struct report_query *q = &s->queries[split][list][c];
        int me = (int)(rng_uniform(rng) * PICTURES), place = hit ? 0 : c % 2 ? ANSWERS : 1 + c % 4;
        *q = (struct report_query){
            .key = "000001713",
            .caption = s->names[me],
            .picture = {s->pictures[me].at, s->pictures[me].len},
            .rank = hit ? 1 : place < ANSWERS ? place + 1 : 964.5 - 61 * c,
            .right_score = hit ? 0.52 : 0.52 - 0.04 * (place + 1),
            .answers = s->answers[split][list][c],
            .nanswers = ANSWERS,
        };
        for (int a = 0; a < ANSWERS; a++) {
            int other = a == place ? me : (me + (a % 2 ? SHAPES * (a + 1) : a + 1)) % PICTURES;
            s->answers[split][list][c][a] = (struct report_answer){
                .caption = s->names[other], .score = 0.52 - 0.04 * (a + 1) + 0.04 * hit, .right = a == place,
                .picture = {i2t ? NULL : s->pictures[other].at, i2t ? 0 : s->pictures[other].len},
            };
        }
    }
}

static int fill_split(struct sample *s, int k, const char *name, const char *note, double i2t, double t2i, int64_t n,
                      struct rng *rng)
{
    struct report_split *p = &s->splits[k];
    *p = (struct report_split){
        .name = name, .note = note, .i2t = recall(i2t, n), .t2i = recall(t2i, n), .growth = s->growth[k]};
    for (double size = 10; p->ngrowth < SIZES; size *= 2.5) {
        double at = fmin(size, (double)n), gain = log((double)n / at) / log((double)n);
        struct report_growth *g = &s->growth[k][p->ngrowth++];
        *g = (struct report_growth){
            .candidates = at, .i2t = i2t + (97 - i2t) * gain * gain, .t2i = t2i + (95 - t2i) * gain * gain};
        g->i2t_low = g->i2t - 3.5, g->i2t_high = fmin(100, g->i2t + 3.5);
        g->t2i_low = g->t2i - 3.5, g->t2i_high = fmin(100, g->t2i + 3.5);
        if (at == (double)n)
            break;
    }
    for (int d = 0; d < 2; d++) {
        s->ranks[k][d] = malloc((size_t)n * sizeof(double));
        if (!s->ranks[k][d])
            return -1;
        fill_ranks(s->ranks[k][d], n, d ? t2i : i2t, rng);
    }
    p->i2t_ranks = s->ranks[k][0], p->t2i_ranks = s->ranks[k][1];
    p->ni2t_ranks = p->nt2i_ranks = n;
    for (int list = 0; list < 4; list++)
        fill_queries(s, k, list, rng);
    p->i2t_gallery = (struct report_gallery){s->queries[k][0], s->queries[k][1], CARDS, CARDS};
    p->t2i_gallery = (struct report_gallery){s->queries[k][2], s->queries[k][3], CARDS, CARDS};
    return 0;
}

static int fill_training(struct sample *s, struct rng *rng)
{
    struct report_step *steps = calloc(STEPS, sizeof *steps);
    if (!steps)
        return -1;
    for (int i = 0; i < STEPS; i++) {
        double t = (double)(i + 1) / STEPS, noise = rng_uniform(rng) - 0.5;
        steps[i] = (struct report_step){
            .step = i + 1,
            .contrastive = 1.4 + 8.3 * exp(-4 * t) + noise * 0.7,
            .tags = 3.1 + 3.5 * exp(-3 * t) + noise * 0.3,
            .logit_scale = 14.3 + 38 * t * t,
            .temperature = 1 / (14.3 + 38 * t * t),
            .grad_norm = 0.8 + t + noise * 0.4,
            .lr = 2.5e-3 * (t < 0.05 ? t / 0.05 : 0.505 + 0.495 * cos(3.14159 * (t - 0.05) / 0.95)),
            .samples_per_second = 1540 + 120 * noise,
            .loader_share = 0.03 + 0.02 * noise,
        };
        steps[i].loss = steps[i].contrastive + steps[i].tags;
    }
    s->training = (struct report_training){steps, STEPS, 0};
    return 0;
}

struct report *sample_page(void)
{
    static const struct report_fact facts[] = {
        {"Trained", "3,400 steps of 128 pairs, HN-NCE alpha 1, beta 1, 4 min 41 s on 2 cores"},
        {"Tokenizer", "1,500 merges"}};
    struct sample *s = calloc(1, sizeof *s);
    struct rng rng = rng_make(7, 0);
    if (!s)
        return NULL;
    for (int i = 0; i < PICTURES; i++) {
        draw(&s->pictures[i], i % SHAPES, i / SHAPES);
        snprintf(s->names[i], sizeof s->names[i], "%s %s", inks[i / SHAPES], shapes[i % SHAPES]);
    }
    snprintf(s->names[5], sizeof s->names[5], "flag: S&atilde;o <Tomé> & \"Príncipe\"");
    int bad = fill_split(s, 0, "val_style", "A drawing style that was never seen, concepts that were.", 37.4, 41.2,
                         1064, &rng);
    bad |= fill_split(s, 1, "val_style without flags", NULL, 26.1, 29.7, 862, &rng);
    bad |= fill_split(s, 2, "val_concept", "Concepts never seen, in a style that was.", 10.1, 11.2, 268, &rng);
    bad |= fill_split(s, 3, "val_both", "Neither the concepts nor the style were seen.", 3.0, 4.0, 268, &rng);
    bad |= fill_training(s, &rng);
    for (int i = 0; i < 7; i++)
        s->ranges[i] = (struct report_range){i * 2000, (i + 1) * 2000, recall(62 + i % 3, 1607 - 7 * i),
                                             recall(64 + i % 2, 1607 - 7 * i)};
    s->splits[0].ranges = s->ranges;
    s->splits[0].nranges = 7;
    s->page = (struct report){
        .title = "Zero-shot retrieval",
        .model = "demo/run/model.safetensors",
        .model_summary =
            "ViT 48 px / 8, 96 wide x 3, mean pool; text 96 x 2, 24 positions, mean pool; embed 128; 0.87 M parameters",
        .dataset = "demo/dataset",
        .split = "val_style, val_concept, val_both",
        .date = "2026-11-23",
        .version = "0.1.0",
        .facts = facts,
        .nfacts = 2,
        .splits = s->splits,
        .nsplits = SPLITS,
        .training = &s->training,
    };
    if (bad) {
        sample_free(&s->page);
        return NULL;
    }
    return &s->page;
}

void sample_free(struct report *r)
{
    struct sample *s = (struct sample *)r;   // the page is its first member
    if (!s)
        return;
    for (int i = 0; i < PICTURES; i++)
        buf_free(&s->pictures[i]);
    for (int k = 0; k < SPLITS; k++)
        for (int d = 0; d < 2; d++)
            free(s->ranks[k][d]);
    report_training_free(&s->training);
    free(s);
}
