// SPDX-License-Identifier: Apache-2.0
// Reading what lies in tests/golden ($DIHT_GOLDEN) and comparing with it.
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include "base/error.h"
#include "base/npy.h"
#include "check.h"
#include "kernel/kernels.h"

static inline void golden_die(void)
{
    printf("Bail out! %s\n", error_last());
    exit(1);
}

static inline const char *golden_path(const char *name)
{
    static char paths[8][1024];   // a few at a time stay valid
    static int turn;
    const char *root = getenv("DIHT_GOLDEN");
    char *path = paths[turn = (turn + 1) % 8];
    snprintf(path, sizeof paths[0], "%s/%s", root ? root : "tests/golden", name);
    return path;
}

// All values of a file, with their count and first dimensions; freed by the caller.
static inline float *golden_f32(const char *name, int64_t shape[4])
{
    struct npy a;
    if (npy_open(&a, golden_path(name)) != 0)
        golden_die();
    for (int i = 0; i < 4; i++)
        shape[i] = i < a.ndim ? a.shape[i] : 1;
    float *x = npy_all_f32(&a);
    if (!x)
        golden_die();
    npy_close(&a);
    return x;
}

static inline int64_t *golden_i64(const char *name, int64_t shape[4])
{
    struct npy a;
    if (npy_open(&a, golden_path(name)) != 0)
        golden_die();
    for (int i = 0; i < 4; i++)
        shape[i] = i < a.ndim ? a.shape[i] : 1;
    int64_t *x = npy_all_i64(&a);
    if (!x)
        golden_die();
    npy_close(&a);
    return x;
}

// The file's n values against `found`; one check for the whole, with the largest difference.
static inline void golden_compare(const char *name, const float *found, int64_t n, double tolerance)
{
    int64_t shape[4];
    float *expected = golden_f32(name, shape);
    CHECK(shape[0] * shape[1] * shape[2] * shape[3] == n);
    double most = 0;
    for (int64_t i = 0; i < n && shape[0] * shape[1] * shape[2] * shape[3] == n; i++) {
        double d = fabs((double)found[i] - expected[i]);
        if (!(d <= most))
            most = d;   // NaN stays
    }
    check_close(__FILE__, __LINE__, name, most, 0, tolerance);
    free(expected);
}

static inline void golden_compare_view(struct ctx *ctx, const char *name, view found, int64_t n, double tolerance)
{
    float *x = malloc((size_t)n * sizeof *x);
    ctx_get(ctx, x, found, n);
    golden_compare(name, x, n, tolerance);
    free(x);
}

#endif
