// SPDX-License-Identifier: Apache-2.0
// From ranks to figures. With g right and w wrong candidates tied behind lo better ones, the first right one comes m
// places later with probability C(w+g-m-1, g-1) / C(w+g, g): p_0 = g / (w+g), p_{m+1} = p_m (w-m) / (w+g-m-1).
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/rng.h"
#include "task/recall.h"

double recall_expected_rank(const struct recall_rank *r) { return (double)r->lo + 1 + (double)r->wrong / (r->right + 1.0); }

static double rank_by(const struct recall_rank *r, enum tie_rule rule)
{
    if (rule == TIES_EXPECTED)
        return recall_expected_rank(r);
    return (double)(r->lo + 1 + (rule == TIES_PESSIMISTIC ? r->wrong : 0));
}

// p_{m+1} from p_m
static double later(double p, const struct recall_rank *r, int64_t m)
{
    return m >= r->wrong ? 0 : p * (double)(r->wrong - m) / (double)(r->wrong + r->right - m - 1);
}

double recall_at(const struct recall_rank *r, int64_t k, enum tie_rule rule)
{
    if (rule != TIES_EXPECTED)
        return rank_by(r, rule) <= (double)k;
    double sum = 0, p = (double)r->right / (double)(r->wrong + r->right);
    for (int64_t m = 0; m < k - r->lo && m <= r->wrong; m++) {
        sum += p;
        p = later(p, r, m);
    }
    return sum;
}

static double reciprocal(const struct recall_rank *r, enum tie_rule rule)
{
    if (rule != TIES_EXPECTED)
        return 1 / rank_by(r, rule);
    double sum = 0, p = (double)r->right / (double)(r->wrong + r->right);
    for (int64_t m = 0; m <= r->wrong && p > 0; m++) {
        sum += p / (double)(r->lo + m + 1);
        p = later(p, r, m);
    }
    return sum;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool same_place(const struct recall_rank *a, const struct recall_rank *b)
{
    return a->lo == b->lo && a->wrong == b->wrong && a->right == b->right;
}

int recall_metrics(struct recall *out, const struct recall_rank *r, int64_t n, int64_t candidates, enum tie_rule rule)
{
    double *ranks = malloc((size_t)(n > 0 ? n : 1) * sizeof *ranks), inverse = 0;
    if (!ranks)
        return FAIL(EMEMORY_, "out of memory: the ranks of %lld queries", (long long)n);
    *out = (struct recall){.n = n, .candidates = candidates, .r1_low = NAN, .r1_high = NAN};
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || !same_place(&r[i], &r[i - 1]))   // long ties cost a loop: often the neighbour's is the same
            inverse = reciprocal(&r[i], rule);
        ranks[i] = rank_by(&r[i], rule);
        out->r1 += recall_at(&r[i], 1, rule);
        out->r5 += recall_at(&r[i], 5, rule);
        out->r10 += recall_at(&r[i], 10, rule);
        out->mean_rank += ranks[i];
        out->mrr += inverse;
    }
    if (n > 0) {
        double *sums[] = {&out->r1, &out->r5, &out->r10, &out->mean_rank, &out->mrr};
        for (int i = 0; i < 5; i++)
            *sums[i] /= (double)n;
        qsort(ranks, (size_t)n, sizeof *ranks, by_value);
        out->median_rank = (ranks[(n - 1) / 2] + ranks[n / 2]) / 2;
    }
    free(ranks);
    return 0;
}

// --- the interval --------------------------------------------------------------------------------------------------
static double percentile(const double *sorted, int n, double p)
{
    double at = p * (n - 1);
    int i = (int)at;
    return i + 1 < n ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

int recall_interval(double *low, double *high, const struct recall_rank *r, int64_t n, int resamples, uint64_t seed)
{
    // Past this many queries a resample's mean is drawn from the normal law it follows by then, not query by query.
    enum { NORMAL = 50000 };
    *low = *high = NAN;
    if (n < 1 || resamples < 1)
        return 0;
    double *hit = malloc((size_t)n * sizeof *hit), *mean = malloc((size_t)resamples * sizeof *mean), all = 0, squares = 0;
    int rc = hit && mean ? 0 : FAIL(EMEMORY_, "out of memory: %d resamples of %lld queries", resamples, (long long)n);
    for (int64_t i = 0; !rc && i < n; i++) {
        hit[i] = recall_at(&r[i], 1, TIES_EXPECTED);
        all += hit[i];
        squares += hit[i] * hit[i];
    }
    all /= (double)n;
    double spread = sqrt(fmax(0, squares / (double)n - all * all) / (double)n);
    for (int b = 0; !rc && b < resamples; b++) {
        struct rng g = rng_make(seed, (uint64_t)b);
        double sum = 0;
        if (n > NORMAL)
            sum = (double)n * fmin(1, fmax(0, all + spread * rng_normal(&g)));
        else
            for (int64_t i = 0; i < n; i++)
                sum += hit[(rng_next(&g) >> 32) * (uint64_t)n >> 32];
        mean[b] = sum / (double)n;
    }
    if (!rc) {
        qsort(mean, (size_t)resamples, sizeof *mean, by_value);
        *low = percentile(mean, resamples, .025);
        *high = percentile(mean, resamples, .975);
    }
    free(hit);
    free(mean);
    return rc;
}

int recall_paired(double *diff, double *low, double *high, const struct recall_rank *a, const struct recall_rank *b,
                  int64_t n, int resamples, uint64_t seed)
{
    double *gain = malloc((size_t)(n > 0 ? n : 1) * sizeof *gain),
           *mean = malloc((size_t)(resamples > 0 ? resamples : 1) * sizeof *mean);
    int rc = gain && mean ? 0 : FAIL(EMEMORY_, "out of memory: %d resamples of %lld queries", resamples, (long long)n);
    *diff = 0;
    *low = *high = NAN;
    for (int64_t i = 0; i < n && !rc; i++) {
        gain[i] = recall_at(&b[i], 1, TIES_EXPECTED) - recall_at(&a[i], 1, TIES_EXPECTED);
        *diff += gain[i] / (double)n;
    }
    for (int r = 0; r < resamples && n > 0 && !rc; r++) {
        struct rng g = rng_make(seed, (uint64_t)r);
        mean[r] = 0;
        for (int64_t i = 0; i < n; i++)
            mean[r] += gain[(rng_next(&g) >> 32) * (uint64_t)n >> 32] / (double)n;
    }
    if (!rc && resamples > 0 && n > 0) {
        qsort(mean, (size_t)resamples, sizeof *mean, by_value);
        *low = percentile(mean, resamples, .025);
        *high = percentile(mean, resamples, .975);
    }
    free(gain);
    free(mean);
    return rc;
}

// --- smaller galleries ---------------------------------------------------------------------------------------------
static double log_choose(double n, double k) { return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1); }

// `drawn` of `all` wrong candidates are there: none of the better ones may be, and of the t equal ones that are, the
// right ones come first with probability right / (right + t).
static double first_of_drawn(const struct recall_rank *r, int64_t all, int64_t drawn)
{
    if (r->lo + drawn > all || (double)r->lo * (double)drawn > 60 * (double)all)   // impossible, or below e^-60
        return 0;
    double ways = log_choose((double)all, (double)drawn), sum = 0;
    int64_t below = all - r->lo - r->wrong;
    for (int64_t t = drawn > below ? drawn - below : 0; t <= r->wrong && t <= drawn; t++)
        sum += exp(log_choose((double)r->wrong, (double)t) + log_choose((double)below, (double)(drawn - t)) - ways) *
               r->right / (double)(r->right + t);
    return sum;
}

double recall_at_size(const struct recall_rank *r, int64_t n, int64_t candidates, int64_t size)
{
    double sum = 0, p = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t drawn = size > r[i].among ? size - r[i].among : 0;
        if (i == 0 || !same_place(&r[i], &r[i - 1]) || r[i].among != r[i - 1].among)
            p = first_of_drawn(&r[i], candidates - r[i].among, drawn);
        sum += p;
    }
    return n > 0 ? sum / (double)n : NAN;
}
