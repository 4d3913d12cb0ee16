// SPDX-License-Identifier: Apache-2.0
// Corrected scores as inner products of longer rows, against the formulas written out.
#include <math.h>

#include "base/rng.h"
#include "check.h"
#include "kernel/kernels.h"
#include "task/hubness.h"

enum { N = 37, M = 53, D = 8 };

static struct ctx *ctx;

static void make(struct features *f)
{
    struct rng r = rng_make(5, 1);
    *f = (struct features){.n = N, .m = M, .d = D, .images = malloc(sizeof(float) * N * D),
                           .texts = malloc(sizeof(float) * M * D), .txt2img = malloc(sizeof(int64_t) * M)};
    for (int i = 0; i < N * D; i++)
        f->images[i] = (float)rng_normal(&r) / 3;
    for (int i = 0; i < M * D; i++)
        f->texts[i] = (float)rng_normal(&r) / 3;
    for (int j = 0; j < M; j++)
        f->txt2img[j] = j * N / M;
}

static double dot(const float *a, const float *b, int64_t d)
{
    double sum = 0;
    for (int64_t k = 0; k < d; k++)
        sum += (double)a[k] * b[k];
    return sum;
}

static int down(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

// Over one gallery's scores of one row: the mean of the ten highest, or log sum e^(s / t).
static double expected(double *s, int n, double t)
{
    double sum = 0;
    if (t > 0) {
        for (int i = 0; i < n; i++)
            sum += exp(s[i] / t);
        return log(sum);
    }
    qsort(s, (size_t)n, sizeof *s, down);
    int k = n < 10 ? n : 10;
    for (int i = 0; i < k; i++)
        sum += s[i];
    return sum / k;
}

static void check(const char *kind, double t, const int64_t *cut, int galleries)
{
    struct features plain, f;
    double row[M > N ? M : N];
    int64_t whole[] = {0, N};
    make(&plain);
    make(&f);
    CHECK(hubness_apply(&f, ctx, kind, t, cut, galleries) == 0 && f.d == D + 2 && f.n == N && f.m == M);
    cut = cut ? cut : whole;
    bool csls = t == 0 || strcmp(kind, "csls") == 0;
    for (int g = 0, from = 0; g < galleries; g++) {
        int to = from;
        while (to < M && f.txt2img[to] < cut[g + 1])
            to++;
        for (int64_t i = cut[g]; i < cut[g + 1]; i++)
            for (int j = from; j < to; j++) {
                int n = 0;
                for (int k = from; k < to; k++)
                    row[n++] = dot(plain.images + i * D, plain.texts + k * D, D);
                double a = expected(row, n, csls ? 0 : t), s = dot(plain.images + i * D, plain.texts + j * D, D);
                n = 0;
                for (int64_t k = cut[g]; k < cut[g + 1]; k++)
                    row[n++] = dot(plain.images + k * D, plain.texts + j * D, D);
                double b = expected(row, n, csls ? 0 : t);
                CHECK_CLOSE(dot(f.images + i * (D + 2), f.texts + j * (D + 2), D + 2), (csls ? 2 * s : 2 * s / t) - a - b, 1e-4);
            }
        from = to;
    }
    features_free(&plain);
    features_free(&f);
}

static void csls_is_its_formula(void) { check("csls", 0, NULL, 1); }
static void dual_softmax_is_its_formula(void) { check("dual-softmax", .05, NULL, 1); }
static void galleries_stand_alone(void)
{
    static const int64_t cut[] = {0, 3, 20, N};
    check("csls", 0, cut, 3);
    check("dual-softmax", .1, cut, 3);
}

static void kinds_are_checked(void)
{
    CHECK(hubness_check(NULL) == 0 && hubness_check("csls") == 0 && hubness_check("hub") != 0);
}

int main(void)
{
    if (ctx_open(&ctx, F32, 1, NULL))
        return 1;
    CASE(csls_is_its_formula);
    CASE(dual_softmax_is_its_formula);
    CASE(galleries_stand_alone);
    CASE(kinds_are_checked);
    ctx_close(ctx);
    return check_done();
}
