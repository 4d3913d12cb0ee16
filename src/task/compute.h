// SPDX-License-Identifier: Apache-2.0
// The processor as the options ask for it.
#ifndef TASK_COMPUTE_H
#define TASK_COMPUTE_H

#include <stdbool.h>

#include "kernel/kernels.h"

// "fp32", "bf16", "int8", in this order; NULL ends.
struct precision {
    const char *name;
    enum dtype type;
    bool trains;
};
extern const struct precision precisions[];

// precision NULL: fp32. One that this processor lacks becomes fp32 with a warning; *used (may be NULL) says what it is.
int compute_open(struct ctx **ctx, const char **used, int threads, const char *precision, bool train);

#endif
