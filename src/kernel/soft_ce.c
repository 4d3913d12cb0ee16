// SPDX-License-Identifier: Apache-2.0
// Soft-label cross-entropy: a row's loss is mass * log(sum e^z) - sum of prob * z over the kept classes.
#include <math.h>

#include "kernel/inner.h"

enum { PIECE_ROWS = 16 };

struct job {
    double *loss;
    view logits;
    const int32_t *index;
    const float *prob;
    int64_t rows, classes, k;
    bool grad;
    double scale;
};

static double row_f32(const struct job *j, float *z, const int32_t *index, const float *prob)
{
    double most = -INFINITY, sum = 0, mass = 0, kept = 0;
    for (int64_t c = 0; c < j->classes; c++)
        most = z[c] > most ? z[c] : most;
    for (int64_t c = 0; c < j->classes; c++)
        sum += exp(z[c] - most);
    double all = most + log(sum);
    for (int64_t i = 0; i < j->k; i++)
        if (index[i] >= 0) {
            mass += prob[i];
            kept += prob[i] * (z[index[i]] - all);
        }
    if (j->grad) {
        for (int64_t c = 0; c < j->classes; c++)
            z[c] = (float)(j->scale * mass * exp(z[c] - all));
        for (int64_t i = 0; i < j->k; i++)
            if (index[i] >= 0)
                z[index[i]] -= (float)(j->scale * prob[i]);
    }
    return -kept;
}

static double row_f64(const struct job *j, double *z, const int32_t *index, const float *prob)
{
    double most = -INFINITY, sum = 0, mass = 0, kept = 0;
    for (int64_t c = 0; c < j->classes; c++)
        most = z[c] > most ? z[c] : most;
    for (int64_t c = 0; c < j->classes; c++)
        sum += exp(z[c] - most);
    double all = most + log(sum);
    for (int64_t i = 0; i < j->k; i++)
        if (index[i] >= 0) {
            mass += prob[i];
            kept += prob[i] * (z[index[i]] - all);
        }
    if (j->grad) {
        for (int64_t c = 0; c < j->classes; c++)
            z[c] = j->scale * mass * exp(z[c] - all);
        for (int64_t i = 0; i < j->k; i++)
            if (index[i] >= 0)
                z[index[i]] -= j->scale * prob[i];
    }
    return -kept;
}

static void piece(void *arg, int64_t p, int worker)
{
    const struct job *j = arg;
    for (int64_t r = p * PIECE_ROWS; r < least(j->rows, (p + 1) * PIECE_ROWS); r++) {
        const int32_t *index = j->index + r * j->k;
        const float *prob = j->prob + r * j->k;
        if (j->logits.type == F64)
            j->loss[r] = row_f64(j, (double *)j->logits.at + r * j->classes, index, prob);
        else
            j->loss[r] = row_f32(j, (float *)j->logits.at + r * j->classes, index, prob);
    }
}

void whole_soft_ce(struct ctx *ctx, double *loss, view logits, const int32_t *index, const float *prob, int64_t rows,
                   int64_t classes, int64_t k, bool grad, double scale)
{
    struct job j = {loss, logits, index, prob, rows, classes, k, grad, scale};
    pool_run(ctx->pool, pieces_of(rows, PIECE_ROWS), piece, &j);
}
