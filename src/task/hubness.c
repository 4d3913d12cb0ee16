// SPDX-License-Identifier: Apache-2.0
#include "task/hubness.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "kernel/kernels.h"

enum { NEAREST = 10, ROWS = 256, COLUMNS = 2048 };

// What is known of one image's or text's scores so far.
struct tally {
    float best[NEAREST];   // highest first; csls
    int n;
    double most, sum;      // of e^(s / T - most); dual-softmax
};

static void add(struct tally *t, float s, double over_t)
{
    if (!over_t) {
        if (t->n == NEAREST && s <= t->best[NEAREST - 1])
            return;
        int at = t->n < NEAREST ? t->n++ : NEAREST - 1;
        for (; at > 0 && t->best[at - 1] < s; at--)
            t->best[at] = t->best[at - 1];
        t->best[at] = s;
        return;
    }
    double v = s * over_t;
    if (t->n++ == 0) {
        t->most = v;
        t->sum = 1;
    } else if (v > t->most) {
        t->sum = t->sum * exp(t->most - v) + 1;
        t->most = v;
    } else {
        t->sum += exp(v - t->most);
    }
}

static double correction(const struct tally *t, double over_t)
{
    double sum = 0;
    if (over_t)
        return t->most + log(t->sum);
    for (int i = 0; i < t->n; i++)
        sum += t->best[i];
    return sum / (t->n ? t->n : 1);
}

// One gallery: images [n, d], texts [m, d].
static void tally_all(struct tally *image, struct tally *text, struct ctx *ctx, const float *images, int64_t n,
                      const float *texts, int64_t m, int64_t d, double over_t, float *score)
{
    for (int64_t i = 0; i < n; i += ROWS)
        for (int64_t j = 0; j < m; j += COLUMNS) {
            int64_t rows = n - i < ROWS ? n - i : ROWS, columns = m - j < COLUMNS ? m - j : COLUMNS;
            ctx_kernels(ctx)->gemm(ctx, false, true, rows, columns, d, 1, (view){(void *)(images + i * d), F32}, d,
                                   (view){(void *)(texts + j * d), F32}, d, 0, (view){score, F32}, columns);
            for (int64_t a = 0; a < rows; a++)
                for (int64_t b = 0; b < columns; b++) {
                    add(&image[i + a], score[a * columns + b], over_t);
                    add(&text[j + b], score[a * columns + b], over_t);
                }
        }
}

static void extend(float *to, const float *from, int64_t d, double factor, double first, double second)
{
    for (int64_t k = 0; k < d; k++)
        to[k] = (float)(factor * from[k]);
    to[d] = (float)first;
    to[d + 1] = (float)second;
}

int hubness_check(const char *kind)
{
    if (!kind || strcmp(kind, "csls") == 0 || strcmp(kind, "dual-softmax") == 0)
        return 0;
    return FAIL(EUSAGE_, "--hubness %s: csls or dual-softmax expected", kind);
}

int hubness_apply(struct features *f, struct ctx *ctx, const char *kind, double temperature, const int64_t *cut,
                  int64_t galleries)
{
    int64_t d = f->d, whole[2] = {0, f->n}, text = 0;
    double over_t = strcmp(kind, "csls") == 0 ? 0 : 1 / temperature, factor = over_t ? 2 * over_t : 2;
    struct tally *image = calloc((size_t)f->n, sizeof *image), *caption = calloc((size_t)f->m, sizeof *caption);
    float *images = malloc((size_t)(f->n * (d + 2)) * sizeof *images), *texts = malloc((size_t)(f->m * (d + 2)) * sizeof *texts);
    float *score = malloc(sizeof(float) * ROWS * COLUMNS);
    int rc = image && caption && images && texts && score ? 0 : FAIL(EMEMORY_, "out of memory: --hubness %s", kind);
    cut = cut ? cut : whole;
    galleries = cut == whole ? 1 : galleries;
    for (int64_t g = 0; g < galleries && !rc; g++) {
        int64_t first = text;
        while (text < f->m && f->txt2img[text] < cut[g + 1])
            text++;
        tally_all(image + cut[g], caption + first, ctx, f->images + cut[g] * d, cut[g + 1] - cut[g], f->texts + first * d,
                  text - first, d, over_t, score);
    }
    for (int64_t i = 0; i < f->n && !rc; i++)
        extend(images + i * (d + 2), f->images + i * d, d, factor, -correction(&image[i], over_t), 1);
    for (int64_t j = 0; j < f->m && !rc; j++)
        extend(texts + j * (d + 2), f->texts + j * d, d, 1, 1, -correction(&caption[j], over_t));
    free(image);
    free(caption);
    free(score);
    if (rc) {
        free(images);
        free(texts);
        return rc;
    }
    free(f->images);
    free(f->texts);
    f->images = images;
    f->texts = texts;
    f->d = d + 2;
    return 0;
}
