// SPDX-License-Identifier: Apache-2.0
// HN-NCE (hard-negative noise contrastive estimation, Radenovic et al. 2023) in closed form: O(n) memory, both
// directions from one pass over the scores' tiles, the backward pass recomputes each tile once. kernel/hn.h has the
// formula. alpha = 1, beta = 0 is InfoNCE.
//
// The pieces are resumable: a ring over machines is another driver of hn_begin / hn_tile / hn_finish / hn_backward_tile
// with the columns' side travelling along.
#ifndef NN_HN_NCE_H
#define NN_HN_NCE_H

#include "kernel/hn.h"

struct hn_options {
    double alpha;        // 0 .. 1: weight of the positive in the denominator
    double beta;         // >= 0: hardness
    double logit_scale;  // ln(1 / T), as the model keeps it
    bool stop_gradient;  // hold the negatives' weights constant
};

struct hn_result {
    double i2t, t2i;      // sums over the batch, unscaled
    double dlogit_scale;  // scale * d(i2t + t2i) / d ln(1/T); -that is d / d ln T. Only when dx is wanted
};

// The one call: x, t [n, d] (rows as they are; unit rows in training), n >= 2. dx, dt [n, d] = scale * gradients, each
// may be NO_VIEW. All of the context's type. EMEMORY_; EFORMAT_ when the loss is not a finite number.
int hn_nce(struct ctx *, view x, view t, int64_t n, int64_t d, const struct hn_options *, double scale, view dx, view dt,
           struct hn_result *);

// The same with its memory taken once, for batches of up to `n` pairs (a training loop).
struct hn_nce;
int hn_nce_open(struct hn_nce **, struct ctx *, int64_t n);
void hn_nce_close(struct hn_nce *);   // accepts NULL
int hn_nce_run(struct hn_nce *, view x, view t, int64_t n, int64_t d, const struct hn_options *, double scale, view dx,
               view dt, struct hn_result *);

// --- pieces --------------------------------------------------------------------------------------------------------
// One direction's anchors first .. first+count-1 of the whole batch.
struct hn_side {
    int64_t first, count;
    struct hn_stats stats;
};
int hn_side_open(struct hn_side *, int64_t first, int64_t count);
void hn_side_close(struct hn_side *);

void hn_begin(struct hn_side *);
// Every row of `rows` against every column of `cols`; each pair of the batch must be seen once.
void hn_tile(struct hn_nce *, view x /* rows x d */, view t /* cols x d */, int64_t d, const struct hn_options *,
             struct hn_side *rows, struct hn_side *cols);
// The side's losses added up; `n` pairs in the whole batch. The statistics turn into what the backward pass needs.
double hn_finish(struct hn_side *, int64_t n, const struct hn_options *);
// dx, dt += scale * gradients of this rectangle, with both sides finished.
void hn_backward_tile(struct hn_nce *, view x, view t, int64_t d, const struct hn_options *, const struct hn_side *rows,
                      const struct hn_side *cols, double scale, view dx, view dt);

#endif
