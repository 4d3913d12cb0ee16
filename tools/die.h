// SPDX-License-Identifier: Apache-2.0
// How the tools that make data end when something fails.
#ifndef TOOLS_DIE_H
#define TOOLS_DIE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

static inline void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
    exit(1);
}

static inline void check(int rc)
{
    if (rc)
        die(error_last());
}

#endif
