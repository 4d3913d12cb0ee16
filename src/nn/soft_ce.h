// SPDX-License-Identifier: Apache-2.0
// Concept distillation: a linear head's cross-entropy against the teacher's kept classes.
#ifndef NN_SOFT_CE_H
#define NN_SOFT_CE_H

#include "kernel/kernels.h"

// The k highest logits of each row, best first, ties to the lower index, and the softmax over those kept.
void soft_ce_topk(int32_t *index /* rows x k */, float *prob /* rows x k */, const float *logits /* rows x classes */,
                  int64_t rows, int64_t classes, int64_t k);

// *loss = scale * sum over rows of -sum_k prob log softmax(x w' + b). logits [rows, classes] is scratch that ends as
// scale * d loss / d logits when a gradient is wanted (dx, dw or db given): dx [rows, width] (= or += when `add`),
// dw [classes, width] +=, db [classes] +=. EFORMAT_ when the loss is not a finite number, EMEMORY_.
struct soft_ce {
    view x;                   // [rows, width]
    struct weight *w;         // [classes, width]
    view bias;                // [classes] or absent
    int64_t rows, width, classes, k;
    const int32_t *index;     // [rows, k], -1 = unused
    const float *prob;        // [rows, k]
    view logits;              // [rows, classes]
    view dx, dw, db;
    bool add;
    double scale;             // 1 / rows for a mean
};
int soft_ce_head(struct ctx *, const struct soft_ce *, double *loss);

#endif
