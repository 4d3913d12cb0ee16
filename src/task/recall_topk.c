// SPDX-License-Identifier: Apache-2.0
// What was retrieved for a few chosen queries: blocks of scores, the best kept by insertion.
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "task/recall.h"

enum { AT_ONCE = 4096 };   // candidates

// A later candidate of the same score stays behind.
static void insert(int64_t *index, float *score, int64_t k, int64_t candidate, float s)
{
    if (index[k - 1] >= 0 && !(s > score[k - 1]))
        return;
    int64_t at = k - 1;
    for (; at > 0 && (index[at - 1] < 0 || s > score[at - 1]); at--) {
        index[at] = index[at - 1];
        score[at] = score[at - 1];
    }
    index[at] = candidate;
    score[at] = s;
}

int recall_topk(int64_t *index, float *score, struct ctx *ctx, const float *queries, const int64_t *chosen, int64_t nq,
                const float *candidates, int64_t n, int64_t d, int64_t k)
{
    if (nq < 1 || k < 1)
        return 0;
    float *rows = malloc((size_t)(nq * d) * sizeof *rows), *block = malloc((size_t)(nq * AT_ONCE) * sizeof *block);
    float *kept = malloc((size_t)(nq * k) * sizeof *kept);
    int rc = rows && block && kept ? 0 : FAIL(EMEMORY_, "out of memory: the best candidates of %" PRId64 " queries", nq);
    for (int64_t q = 0; !rc && q < nq; q++)
        memcpy(rows + q * d, queries + chosen[q] * d, (size_t)d * sizeof *rows);
    for (int64_t i = 0; !rc && i < nq * k; i++) {
        index[i] = -1;
        kept[i] = -INFINITY;
    }
    for (int64_t from = 0; !rc && from < n; from += AT_ONCE) {
        int64_t many = n - from < AT_ONCE ? n - from : AT_ONCE;
        ctx_kernels(ctx)->gemm(ctx, false, true, nq, many, d, 1, (view){rows, F32}, d, (view){(void *)(candidates + from * d), F32}, d,
                               0, (view){block, F32}, many);
        for (int64_t q = 0; q < nq; q++)
            for (int64_t c = 0; c < many; c++)
                insert(index + q * k, kept + q * k, k, from + c, block[q * many + c]);
    }
    if (!rc && score)
        memcpy(score, kept, (size_t)(nq * k) * sizeof *kept);
    free(rows);
    free(block);
    free(kept);
    return rc;
}
