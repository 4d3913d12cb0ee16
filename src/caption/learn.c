// SPDX-License-Identifier: Apache-2.0
// Features are rows of 16 weights: those of `struct weights`, numbered as they lie in it, then three a word. A token's
// score is the sum of its rows; a mistake adds one to the right tag's weights and takes one from the wrong one's.
#include "caption/learn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "base/rng.h"
#include "caption/format.h"
#include "caption/lexicon.h"

#define ROW(member) ((int32_t)(offsetof(struct weights, member) / TAGS))
enum { FIXED_ROWS = sizeof(struct weights) / TAGS, FEATURES = 40, MARGIN = 80 };


struct perceptron {
    float (*weight)[TAGS];   // rows x TAGS
    double (*total)[TAGS];   // of weight x time, for the average
    int64_t rows, time;
};

struct learner {
    const struct treebank *b;
    struct lexicon lex;
    struct perceptron p;
    int32_t *spelling;       // types x SPELLING_MAX
    uint8_t *spelled;        // how many of them
};

static int class_at(const struct learner *l, const struct token *k, int n, int i)
{
    return i < 0 || i >= n ? 0 : l->lex.type[k[i].type].class;
}

static int features(const struct learner *l, const struct token *k, const uint8_t *shape, const uint8_t *tag, int n, int i,
                    int32_t out[FEATURES])
{
    const struct lexicon_type *types = l->lex.type;
    int count = 0, a2 = class_at(l, k, n, i - 2), a = class_at(l, k, n, i - 1), c = class_at(l, k, n, i);
    int b = class_at(l, k, n, i + 1), b2 = class_at(l, k, n, i + 2);
    int before = i > 0 ? tag[i - 1] : NO_TAG, before2 = i > 1 ? tag[i - 2] : NO_TAG;
    int32_t word = types[k[i].type].row, left = i > 0 ? types[k[i - 1].type].row : -1;
    int32_t right = i + 1 < n ? types[k[i + 1].type].row : -1;
    if (word >= 0)
        out[count++] = FIXED_ROWS + 3 * word;
    if (left >= 0)
        out[count++] = FIXED_ROWS + 3 * left + 1;
    if (right >= 0)
        out[count++] = FIXED_ROWS + 3 * right + 2;
    for (int j = 0; j < l->spelled[k[i].type]; j++)
        out[count++] = ROW(suffix) + l->spelling[k[i].type * SPELLING_MAX + j];
    out[count++] = ROW(class_self) + c;
    if (i > 0)
        out[count++] = ROW(class_before) + a;
    if (i + 1 < n)
        out[count++] = ROW(class_after) + b;
    out[count++] = ROW(shape) + shape[i] * CLASSES + c;
    out[count++] = ROW(shape_after) + (i + 1 < n ? shape[i + 1] : LOWER);
    out[count++] = ROW(shape_before) + (i > 0 ? shape[i - 1] : LOWER);
    out[count++] = ROW(pair_before) + a * CLASSES + c;
    out[count++] = ROW(pair_after) + c * CLASSES + b;
    out[count++] = ROW(pair_around) + a * CLASSES + b;
    out[count++] = ROW(pair_ahead) + b * CLASSES + b2;
    out[count++] = ROW(pair_behind) + a2 * CLASSES + a;
    out[count++] = ROW(tags) + before2 * HISTORY + before;
    out[count++] = ROW(tag_class) + before * CLASSES + c;
    out[count++] = ROW(tag_after) + before * CLASSES + b;
    out[count++] = ROW(triple) + (int32_t)triple_row(before, c, b);
    return count;
}

// The best tag, and the best of those that are not `right`: where the right one leads by less than MARGIN it is taught too.
static int predict(const struct perceptron *p, const int32_t *rows, int count, int right, int *rival)
{
    float sum[TAGS] = {0};
    int best = 0;
    for (int j = 0; j < count; j++)
        for (int t = 0; t < TAGS; t++)
            sum[t] += p->weight[rows[j]][t];
    for (int t = 1; t < TAGS; t++)
        best = sum[t] > sum[best] ? t : best;
    *rival = right == 0;
    for (int t = 0; t < TAGS; t++)
        if (t != right && sum[t] > sum[*rival])
            *rival = t;
    if (right >= TAGS || sum[right] - sum[*rival] >= MARGIN)
        *rival = -1;
    return best;
}

static void correct(struct perceptron *p, const int32_t *rows, int count, int right, int wrong)
{
    for (int j = 0; j < count; j++) {
        p->weight[rows[j]][right] += 1;
        p->weight[rows[j]][wrong] -= 1;
        p->total[rows[j]][right] -= (double)p->time;   // total + weight * time at the end
        p->total[rows[j]][wrong] += (double)p->time;
    }
}

static double epoch(struct learner *l, const struct learn_options *o, int number)
{
    enum { LONGEST = 1024 };
    uint8_t tag[LONGEST], shape[LONGEST];
    int64_t wrong = 0, all = 0;
    struct rng rng = rng_make(o->seed, (uint64_t)number);
    for (int64_t at = 0; at < l->b->sentences; at++) {
        int64_t s = (int64_t)permute(rng_mix(o->seed, (uint64_t)number), (uint64_t)l->b->sentences, (uint64_t)at);
        const struct token *k = l->b->token + l->b->start[s];
        int n = (int)(l->b->start[s + 1] - l->b->start[s]);
        if (n > LONGEST)
            continue;
        bool lower = rng_uniform(&rng) < o->lower;
        for (int i = 0; i < n; i++)
            shape[i] = lower ? LOWER : k[i].shape;
        for (int i = 0; i < n; i++) {
            int32_t rows[FEATURES];
            int fixed = l->lex.type[k[i].type].tag, rival;
            l->p.time++;
            if (fixed != NO_TAG) {
                tag[i] = (uint8_t)fixed;
                continue;
            }
            int count = features(l, k, shape, tag, n, i, rows);
            tag[i] = (uint8_t)predict(&l->p, rows, count, k[i].tag, &rival);
            all++;
            wrong += tag[i] != k[i].tag;
            if (rival >= 0)
                correct(&l->p, rows, count, k[i].tag, rival);
        }
    }
    return all ? (double)wrong / (double)all : 0;
}

static void average(struct perceptron *p)
{
    for (int64_t r = 0; r < p->rows; r++)
        for (int t = 0; t < TAGS; t++)
            p->weight[r][t] = (float)(p->weight[r][t] + p->total[r][t] / (double)p->time);
}

// Several perceptrons that saw the sentences in other orders: their mean errs less than any.
static int learn(struct learner *l, const struct learn_options *o)
{
    struct perceptron *p = &l->p;
    size_t size = (size_t)p->rows * sizeof *p->weight;
    float (*sum)[TAGS] = memory_zero(size);
    if (!sum)
        return EMEMORY_;
    for (int k = 0; k < o->rounds; k++) {
        memset(p->weight, 0, size);
        memset(p->total, 0, (size_t)p->rows * sizeof *p->total);
        p->time = 0;
        for (int e = 0; e < o->epochs; e++)
            log_info("epoch %d: %.2f %% wrong", e + 1, 100 * epoch(l, o, k * o->epochs + e));
        average(p);
        for (int64_t r = 0; r < p->rows; r++)
            for (int t = 0; t < TAGS; t++)
                sum[r][t] += p->weight[r][t];
    }
    memcpy(p->weight, sum, size);
    free(sum);
    return 0;
}

// --- to int8 -----------------------------------------------------------------------------------------------------------

// What all of a row's tags share decides nothing: the middle of its range is put to zero.
static void centre(float *row)
{
    float lo = row[0], hi = row[0];
    for (int t = 1; t < TAGS; t++) {
        lo = row[t] < lo ? row[t] : lo;
        hi = row[t] > hi ? row[t] : hi;
    }
    for (int t = 0; t < TAGS; t++)
        row[t] -= (lo + hi) / 2;
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// The scale at which all but one in a thousand rows fit.
static int find_scale(const struct perceptron *p, float *scale)
{
    float *widest = malloc((size_t)p->rows * sizeof *widest);
    int64_t n = 0;
    if (!widest)
        return FAIL(EMEMORY_, "out of memory for the weights' scale");
    for (int64_t r = 0; r < p->rows; r++) {
        float w = 0;
        for (int t = 0; t < TAGS; t++)
            w = fabsf(p->weight[r][t]) > w ? fabsf(p->weight[r][t]) : w;
        if (w > 0)
            widest[n++] = w;
    }
    qsort(widest, (size_t)n, sizeof *widest, compare);
    *scale = n ? 127 / widest[n - 1 - n / 1000] : 1;
    free(widest);
    return 0;
}

static void quantise(int8_t *out, const float *row, float scale)
{
    for (int t = 0; t < TAGS; t++) {
        float v = roundf(row[t] * scale);
        out[t] = (int8_t)(v > 127 ? 127 : v < -127 ? -127 : v);
    }
}

// A word's own rows take in its spelling and class, as table.c does for words without rows.
static void fold_words(struct learner *l)
{
    for (int64_t type = 0; type < l->lex.types; type++) {
        int32_t row = l->lex.type[type].row;
        if (row < 0)
            continue;
        float (*w)[TAGS] = l->p.weight + FIXED_ROWS + 3 * row;
        int c = l->lex.type[type].class;
        for (int t = 0; t < TAGS; t++) {
            w[0][t] += l->p.weight[ROW(class_self) + c][t];
            w[1][t] += l->p.weight[ROW(class_before) + c][t];
            w[2][t] += l->p.weight[ROW(class_after) + c][t];
            for (int j = 0; j < l->spelled[type]; j++)
                w[0][t] += l->p.weight[ROW(suffix) + l->spelling[type * SPELLING_MAX + j]][t];
        }
    }
}

static int write(struct learner *l, const char *path)
{
    float scale = 1;
    int8_t (*rows)[TAGS] = memory_take((size_t)l->p.rows * TAGS);
    if (!rows)
        return EMEMORY_;
    fold_words(l);
    for (int64_t r = 0; r < l->p.rows; r++)
        centre(l->p.weight[r]);
    int rc = find_scale(&l->p, &scale);
    for (int64_t r = 0; !rc && r < l->p.rows; r++)
        quantise(rows[r], l->p.weight[r], scale);
    if (!rc)
        rc = lexicon_write(&l->lex, path, (const struct weights *)(const void *)rows, (const int8_t *)(rows + FIXED_ROWS));
    free(rows);
    return rc;
}

int learn_table(const struct treebank *b, const struct learn_options *o, const char *out)
{
    struct learner l = {.b = b};
    int rc = lexicon_make(&l.lex, b, o->wordnet);
    if (!rc) {
        l.p.rows = FIXED_ROWS + 3 * l.lex.rows;
        l.p.weight = memory_zero((size_t)l.p.rows * sizeof *l.p.weight);
        l.p.total = memory_zero((size_t)l.p.rows * sizeof *l.p.total);
        l.spelling = calloc((size_t)l.lex.types * SPELLING_MAX + 1, sizeof *l.spelling);
        l.spelled = calloc((size_t)l.lex.types + 1, 1);
        if (!l.p.weight || !l.p.total || !l.spelling || !l.spelled)
            rc = FAIL(EMEMORY_, "out of memory for %lld rows of weights", (long long)l.p.rows);
    }
    for (int64_t type = 0; !rc && type < l.lex.types; type++) {
        size_t len;
        const char *text = map_key(b->types, type, &len, NULL);
        l.spelled[type] = (uint8_t)spelling_rows(text, len, l.spelling + type * SPELLING_MAX);
    }
    if (!rc)
        rc = learn(&l, o);
    if (!rc)
        rc = write(&l, out);
    free(l.p.weight);
    free(l.p.total);
    free(l.spelling);
    free(l.spelled);
    lexicon_free(&l.lex);
    return rc;
}
