// SPDX-License-Identifier: Apache-2.0
// Features where they lie, or in a file of which a band at a time is in memory.
#ifndef TASK_RECALL_ROWS_H
#define TASK_RECALL_ROWS_H

#include "base/npy.h"

struct rows {
    const float *at;           // [n, d] in memory, or NULL:
    const struct npy *file;    // [n, d], converted and, once read, no longer resident
    int64_t d;
};

// Rows from .. from+n-1: a place in memory, or `band` [n, d] after it was filled.
const float *rows_band(const struct rows *r, int64_t from, int64_t n, float *band);
// Row index[i] into out[i], d apart.
void rows_gather(const struct rows *r, const int64_t *index, int64_t n, float *out);
// EFORMAT_: a value that is not a finite number; the sentence names its row. `what`: "image", "text".
int rows_check(const struct rows *r, int64_t n, const char *what);

#endif
