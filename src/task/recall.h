// SPDX-License-Identifier: Apache-2.0
// Retrieval by counting: for every query, how many candidates score higher than its best right one and how many tie
// with it. No sorting, no matrix of scores: tiles, both directions in one pass, memory O(images + texts).
// Features may be larger than memory: recall_input.
#ifndef TASK_RECALL_H
#define TASK_RECALL_H

#include "base/buf.h"
#include "base/npy.h"
#include "kernel/kernels.h"

#include <stdbool.h>

// A query's place among its candidates.
struct recall_rank {
    int64_t lo;      // wrong candidates above the best right one
    int64_t wrong;   // wrong candidates that score the same
    int32_t right;   // right candidates that score the same, >= 1
    int32_t among;   // right candidates in all
};

enum tie_rule { TIES_EXPECTED, TIES_OPTIMISTIC, TIES_PESSIMISTIC, TIE_RULES };

struct recall {
    double r1, r5, r10;              // fractions 0 .. 1
    double median_rank, mean_rank;   // 1-based
    double mrr;
    double r1_low, r1_high;          // 95 % bootstrap interval of r1 (TIES_EXPECTED; NAN else)
    int64_t n, candidates;           // queries, gallery size
};

struct recall_pair { struct recall i2t, t2i; };
struct recall_range { int64_t from, to; struct recall_pair recall; };   // images from .. to-1, `to` exclusive

// What is evaluated. Borrowed. Features are used as given: from host memory, or (the pointer NULL) from a file, of which
// two bands of rows are in memory at a time; the rest of the memory is O(n + m).
struct recall_input {
    const float *images, *texts;   // [n, d], [m, d]
    const struct npy *image_file, *text_file;
    int64_t band;                  // rows of a band, about; 0: 24,576 at most
    int64_t n, m, d;
    const int64_t *txt2img;        // [m], 0 .. n-1; NULL: text i belongs to image i
    // Galleries: images [cut[g], cut[g+1]) with their texts, each one by itself. NULL: one gallery of all.
    const int64_t *cut;            // [galleries + 1], cut[0] = 0, cut[galleries] = n
    int64_t galleries;
    const int64_t *cut_label;      // [galleries + 1]: what the ends are called (rows of the source list); NULL: cut itself
    int resamples;                 // bootstrap; 0: no interval
    uint64_t seed;
    int64_t growth;                // points of R@1 against gallery size; 0: none
};

struct recall_growth { int64_t size; double i2t, t2i; };   // R@1 expected in a random gallery of `size`

struct recall_result {
    struct recall_pair rule[TIE_RULES];   // over all queries; with several galleries `candidates` is their mean size
    int64_t galleries;
    struct recall_range *range;           // [galleries] when the input was cut, else NULL
    struct recall_rank *i2t, *t2i;        // [n], [m]: every query
    int64_t n, m;
    struct recall_growth *growth;         // [growth_n], one gallery only
    int64_t growth_n;
};
// EUSAGE_/EFORMAT_: an image without a caption, a map out of range, a value that is not a number.
int recall_measure(struct recall_result *, struct ctx *, const struct recall_input *);
void recall_free(struct recall_result *);   // accepts a zeroed one

// Metrics of ranks already counted.
int recall_metrics(struct recall *, const struct recall_rank *, int64_t n, int64_t candidates, enum tie_rule);
double recall_expected_rank(const struct recall_rank *);              // 1-based
double recall_at(const struct recall_rank *, int64_t k, enum tie_rule);   // probability of being among the first k
int recall_interval(double *low, double *high, const struct recall_rank *, int64_t n, int resamples, uint64_t seed);
// R@1 expected when the query's gallery is a random one of `size` out of `candidates` that keeps its right ones.
double recall_at_size(const struct recall_rank *, int64_t n, int64_t candidates, int64_t size);

// The k best candidates of chosen queries, best first, ties to the lower index; fewer candidates leave -1.
int recall_topk(int64_t *index /* nq x k */, float *score /* nq x k, or NULL */, struct ctx *, const float *queries /* rows of d */,
                const int64_t *chosen /* nq rows of queries */, int64_t nq, const float *candidates /* n x d */, int64_t n,
                int64_t d, int64_t k);

// By how much b's R@1 is above a's over the same queries, with its 95 % bootstrap interval: fractions.
int recall_paired(double *diff, double *low, double *high, const struct recall_rank *a, const struct recall_rank *b,
                  int64_t n, int resamples, uint64_t seed);

// The contract's JSON object (one line), or a table for people.
int recall_json(struct buf *, const struct recall_result *);
int recall_json_members(struct buf *, const struct recall_result *);   // without the braces
void recall_table(struct buf *, const struct recall_result *);

// The course report's table: a line a range with its live pictures and R@1 in both directions, then their plain means.
// With the published figures of diht_vitl14_336px beside them where the ranges are those.
void recall_report_table(struct buf *, const struct recall_range *, int64_t galleries, bool published);

#endif
