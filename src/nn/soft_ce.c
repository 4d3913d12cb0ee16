// SPDX-License-Identifier: Apache-2.0
#include "nn/soft_ce.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"

void soft_ce_topk(int32_t *index, float *prob, const float *logits, int64_t rows, int64_t classes, int64_t k)
{
    for (int64_t r = 0; r < rows; r++) {
        const float *z = logits + r * classes;
        int32_t *best = index + r * k;
        float *p = prob + r * k;
        int64_t kept = 0;
        for (int64_t c = 0; c < classes; c++) {   // insertion: a later equal one stays behind
            int64_t at = kept < k ? kept : k;
            while (at > 0 && z[best[at - 1]] < z[c])
                at--;
            if (at == k)
                continue;
            kept += kept < k;
            for (int64_t i = kept - 1; i > at; i--)
                best[i] = best[i - 1];
            best[at] = (int32_t)c;
        }
        double sum = 0;
        for (int64_t i = 0; i < kept; i++)
            sum += exp((double)z[best[i]] - z[best[0]]);
        for (int64_t i = 0; i < k; i++) {
            p[i] = i < kept ? (float)(exp((double)z[best[i]] - z[best[0]]) / sum) : 0;
            if (i >= kept)
                best[i] = -1;
        }
    }
}

int soft_ce_head(struct ctx *ctx, const struct soft_ce *s, double *loss)
{
    const struct kernels *k = ctx_kernels(ctx);
    bool grad = s->dx.at || s->dw.at || s->db.at;
    double *row = memory_take((size_t)(s->rows + 1) * sizeof *row);
    if (!row)
        return EMEMORY_;
    k->linear(ctx, s->logits, s->x, s->w, s->bias, s->rows, NULL);
    k->soft_ce(ctx, row, s->logits, s->index, s->prob, s->rows, s->classes, s->k, grad, s->scale);
    *loss = 0;
    for (int64_t i = 0; i < s->rows; i++)
        *loss += s->scale * row[i];
    free(row);
    if (!isfinite(*loss))
        return FAIL(EFORMAT_, "the cross-entropy of a linear head is not a finite number: its logits overflow");
    if (s->dx.at)
        k->linear_dx(ctx, s->dx, s->logits, s->w, s->rows, s->add);
    if (s->dw.at)
        k->linear_dw(ctx, s->dw, s->db, s->logits, s->x, s->rows, s->classes, s->width);
    return 0;
}
