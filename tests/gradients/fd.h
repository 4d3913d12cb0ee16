// SPDX-License-Identifier: Apache-2.0
// Finite differences in double: a gradient that a backward pass wrote against central differences of its forward pass.
#ifndef TESTS_FD_H
#define TESTS_FD_H

#include "base/rng.h"
#include "check.h"
#include "kernel/kernels.h"

static struct ctx *fd_ctx;
static struct rng fd_rng;

static view fd_kept[2048];
static int fd_nkept;

// Zeroed, freed by fd_close.
static inline view fd_zero(int64_t n)
{
    view v = ctx_alloc(fd_ctx, F64, n);
    if (!v.at || fd_nkept == 2048) {
        printf("Bail out! out of memory\n");
        exit(1);
    }
    return fd_kept[fd_nkept++] = v;
}

// [n] drawn from N(0, 1), or 1 + N(0, 1) / 4 when `around_one`.
static inline view fd_random(int64_t n, int around_one)
{
    view v = fd_zero(n);
    for (int64_t i = 0; i < n; i++) {
        double x = rng_normal(&fd_rng);
        x = around_one ? 1 + x / 4 : x;
        ctx_put64(fd_ctx, view_at(v, i), &x, 1);
    }
    return v;
}

static inline double fd_at(view v, int64_t i)
{
    double x;
    ctx_get64(fd_ctx, &x, view_at(v, i), 1);
    return x;
}

static inline double fd_dot(view a, view b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += fd_at(a, i) * fd_at(b, i);
    return sum;
}

// loss(arg) as a function of w [n] has gradient g [n]: compare up to 48 entries, spread over the tensor.
static inline void fd_check(const char *name, view w, view g, int64_t n, double (*loss)(void *), void *arg)
{
    double most = 1e-3;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs(fd_at(g, i)));
    int64_t step = n / 48 + 1;
    for (int64_t i = 0; i < n; i += step) {
        double x = fd_at(w, i), h = 1e-5 * fmax(1, fabs(x)), up = x + h, down = x - h;
        ctx_put64(fd_ctx, view_at(w, i), &up, 1);
        double above = loss(arg);
        ctx_put64(fd_ctx, view_at(w, i), &down, 1);
        double below = loss(arg), expected = (above - below) / (up - down), found = fd_at(g, i);
        ctx_put64(fd_ctx, view_at(w, i), &x, 1);
        char text[160];
        snprintf(text, sizeof text, "d loss / d %s[%lld]", name, (long long)i);
        check_close(__FILE__, __LINE__, text, found, expected, 2e-7 * most);
    }
    (void)loss(arg);   // leaves everything as computed from the true values
}

static inline void fd_open(void)
{
    fd_rng = rng_make(7, 0);
    if (ctx_open(&fd_ctx, F64, 2, NULL) != 0) {
        printf("Bail out! no double-precision context\n");
        exit(1);
    }
}

static inline void fd_close(void)
{
    while (fd_nkept > 0)
        ctx_free(fd_ctx, fd_kept[--fd_nkept]);
    ctx_close(fd_ctx);
}

#endif
