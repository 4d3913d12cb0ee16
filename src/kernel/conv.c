// SPDX-License-Identifier: Apache-2.0
#include "kernel/conv.h"

#include <string.h>

#include "kernel/inner.h"

const struct conv_kernels *conv_kernels_find(void)
{
    const char *isa = ctx_best_isa();
#if defined(__x86_64__)
    if (isa && strcmp(isa, "avx512") == 0)
        return &conv_avx512;
    if (isa && strcmp(isa, "avx2") == 0)
        return &conv_avx2;
#endif
    return isa ? &conv_ref : NULL;
}
