// SPDX-License-Identifier: Apache-2.0
#include "task/recall_rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { AT_ONCE = 4096 };   // rows of a check

const float *rows_band(const struct rows *r, int64_t from, int64_t n, float *band)
{
    if (r->at)
        return r->at + from * r->d;
    npy_read_f32(r->file, from * r->d, n * r->d, band);
    npy_forget(r->file, from * r->d, n * r->d);
    return band;
}

void rows_gather(const struct rows *r, const int64_t *index, int64_t n, float *out)
{
    int64_t lowest = INT64_MAX, highest = -1;
    for (int64_t i = 0; i < n; i++) {
        if (r->at)
            memcpy(out + i * r->d, r->at + index[i] * r->d, (size_t)r->d * sizeof *out);
        else
            npy_read_f32(r->file, index[i] * r->d, r->d, out + i * r->d);
        lowest = index[i] < lowest ? index[i] : lowest;
        highest = index[i] > highest ? index[i] : highest;
    }
    if (!r->at && n > 0)
        npy_forget(r->file, lowest * r->d, (highest - lowest + 1) * r->d);
}

int rows_check(const struct rows *r, int64_t n, const char *what)
{
    int64_t step = AT_ONCE < n ? AT_ONCE : n, d = r->d;
    float *band = r->at ? NULL : malloc((size_t)(step * d) * sizeof *band);
    int rc = r->at || band ? 0 : FAIL(EMEMORY_, "out of memory: %" PRId64 " rows of features", step);
    for (int64_t from = 0; from < n && !rc; from += step) {
        int64_t rows = step < n - from ? step : n - from;
        const float *v = rows_band(r, from, rows, band);
        for (int64_t i = 0; i < rows * d && !rc; i++)
            if (!isfinite(v[i]))
                rc = FAIL(EFORMAT_, "%s features: row %" PRId64 ", column %" PRId64 " is %g: every value must be a finite number",
                          what, from + i / d, i % d, (double)v[i]);
    }
    free(band);
    return rc;
}
