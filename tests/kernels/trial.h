// SPDX-License-Identifier: Apache-2.0
// One kernel, one shape: run by the double reference and by a row of an instruction set on the same numbers, compared.
// Every argument lies between guard words at an odd place; outputs start as NaN, so that what is not written shows.
#ifndef TESTS_KERNELS_TRIAL_H
#define TESTS_KERNELS_TRIAL_H

#include "kernel/kernels.h"

enum { TRIAL_ARGS = 12 };
enum role { IN, OUT, BOTH };

struct trial_arg {
    const char *name;
    enum role role;
    int64_t n;          // elements; 0: absent
    double lo, hi;      // what is drawn
};

struct trial {
    const char *name;
    // `sizes`: once more on absolute values, where results become the sums of |a b| that rounding is judged by; an
    // activation is left out then
    void (*call)(struct ctx *, const view *v, const int64_t *shape, bool sizes);
    const int64_t *shape;
    bool products;      // judge by sums of |a b|; otherwise by the argument's largest entry, or `least` if that is smaller
    double tolerance;   // of that, in units of 2^-24
    struct trial_arg arg[TRIAL_ARGS];
    enum dtype narrow;  // BF16, S8: products in it, judged by their own plain loops; 0: float, judged by double
    double least;       // where an argument may cancel to nothing: the size of what cancels
};

// Are there products in that type on this instruction set?
bool trial_has(const char *isa, enum dtype type);
bool trial_words(const char *isa, enum dtype type);   // its products in the type are of 16-bit words
// Runs and compares; CHECK fails with the kernel, the argument and the element. threads: of the row.
void trial_run(const struct trial *t, const char *isa, int threads, uint64_t seed);
// Seconds a call takes on this row, best of several.
double trial_seconds(const struct trial *t, const char *isa, int threads);

#endif
