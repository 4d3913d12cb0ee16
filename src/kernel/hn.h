// SPDX-License-Identifier: Apache-2.0
// HN-NCE over one block of the score matrix, with streaming statistics: no block is ever kept.
//
//   s_ij = x_i . t_j / T          loss_i = -s_ii + log(alpha e^{s_ii} + e^{N_i})
//   N_i  = log(n-1) + LSE_{j != i}((1+beta) s_ij) - LSE_{j != i}(beta s_ij)
//
// The normaliser of the negatives' weights runs over k != i in both directions (a course report on the paper prints
// k != j for text-to-image; its PDF and the mathematics say k != i), so the weights of an anchor's negatives average 1.
#ifndef KERNEL_HN_H
#define KERNEL_HN_H

#include "kernel/kernels.h"

enum { HN_TILE = 512 };
static inline int64_t hn_stride(int64_t n) { return (n + 15) / 16 * 16; }   // whole vectors: the rest scores -infinity

// One direction's state, an entry an anchor. While tiles come in: both sums are relative to `ref`, at least every
// negative score seen. After hn_finish (nn/hn_nce.h): share, lse_hard, lse_soft.
struct hn_stats {
    double *pos;    // s_ii                      [count]
    double *ref;    // reference score           -> P_i, the negatives' share of the denominator
    double *hard;   // sum e^{(1+beta)(s - ref)} -> LSE((1+beta) s)
    double *soft;   // sum e^{beta (s - ref)}    -> LSE(beta s)
};
static inline struct hn_stats hn_stats_at(struct hn_stats s, int64_t i)
{
    return (struct hn_stats){s.pos + i, s.ref + i, s.hard + i, s.soft + i};
}

// Rows row0 .. row0+m-1 of the images against columns col0 .. col0+n-1 of the texts, as numbered in the whole batch:
// pair i is row i with column i, everything else is a negative.
struct hn_block {
    view x, t;               // [m, d], [n, d]
    int64_t row0, col0, m, n, d;
    double factor, beta;     // factor = 1 / T
    struct hn_stats row, col;   // [m], [n]: of these rows and columns
    view scores;             // [m, hn_stride(n)] scratch, m and n at most HN_TILE
    // Backward only: dx += scale / T * G t, dt += scale / T * G' x, G the gradient with respect to the scores of both
    // directions together. Absent dx or dt: skipped.
    view dx, dt;             // [m, d], [n, d]
    double scale;
    bool stop;               // hold the negatives' weights constant
};

// The elementwise part, on scores already there with the pairs themselves at -infinity.
struct hn_rows {
    void (*forward)(const struct hn_block *);    // into the statistics
    void (*backward)(const struct hn_block *);   // scores become G, but for the pairs themselves
};
extern const struct hn_rows hn_rows_f64, hn_rows_f32;        // hn_ref.c
extern const struct hn_rows hn_rows_avx2, hn_rows_avx512;    // hn_simd.c

// Room for a tile's sums to grow from: no score, but a number.
#define HN_LOWEST (-1e30)

// Statistics (hard, soft relative to ref) of some more negatives join those of an anchor.
void hn_join(struct hn_stats to, int64_t i, double beta, double ref, double hard, double soft);

#endif
