// SPDX-License-Identifier: Apache-2.0
// What a sample of a list came to, and what that says of the whole.
#ifndef TASK_PLAN_H
#define TASK_PLAN_H

#include <stdint.h>

#include "base/map.h"

struct plan {
    int64_t rows, sampled, ok;      // of the list; asked; good
    double bytes, squares;          // sum of a row's bytes to be stored (bad: 0), and of their squares
    struct map *classes;            // class -> rows, "ok" not among them
    struct map *asked, *failed;     // host -> rows
    double seconds;                 // until all were done
    double rate;                    // rows a second, see plan.c
};

// An interval that holds a share with 95 % (Wilson 1927), from n of `all` drawn, k of them so.
void share_interval(int64_t k, int64_t n, int64_t all, double *low, double *high);
char *plan_text(const struct plan *p, int json);   // the caller frees; NULL: out of memory

#endif
