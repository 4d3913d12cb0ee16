// SPDX-License-Identifier: Apache-2.0
// What an engine's packed sides look like.
//
//   b, k x n, in panels of `panel` columns:         a, m x k, by rows (float: panels of `height` rows, inner.h):
//     [k / g][panel][g]   g = 4 bytes / element       [k] elements of a row, filled to whole lines, and a line more
//     bytes and words: scale [panel] float; bytes: sum [panel] float
#ifndef KERNEL_ENGINE_H
#define KERNEL_ENGINE_H

#include "kernel/inner.h"

enum { LINE = 64 };   // bytes of k that a row's dot products take at a time; a row's padding too

// Elements of k with the filling.
static inline int64_t engine_k(const struct engine *e, int64_t k)
{
    int64_t unit = e->holds == F32 || e->holds == F64 ? 1 : LINE / (int64_t)dtype_size(e->holds);
    return pieces_of(k, unit) * unit;
}

// From a packed row to the next. The extra line keeps rows of a power of two bytes out of each other's cache sets.
static inline int64_t engine_row(const struct engine *e, int64_t k)
{
    return engine_k(e, k) * (int64_t)dtype_size(e->holds) + (e->holds == F32 || e->holds == F64 ? 0 : LINE);
}

static inline int64_t engine_panel(const struct engine *e, int64_t k)
{
    int64_t tail = (int64_t)sizeof(float) * (e->holds == S8 ? 2 : e->holds == S16 ? 1 : 0);
    return e->panel * (engine_k(e, k) * (int64_t)dtype_size(e->holds) + tail);
}

// Bytes of n columns, of m rows as a narrow engine takes them.
static inline int64_t engine_columns(const struct engine *e, int64_t k, int64_t n) { return pieces_of(n, e->panel) * engine_panel(e, k); }
static inline int64_t engine_rows(const struct engine *e, int64_t k, int64_t m)
{
    return pieces_of(m, e->height) * e->height * engine_row(e, k);
}

#endif
