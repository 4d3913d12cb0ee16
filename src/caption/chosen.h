// SPDX-License-Identifier: Apache-2.0
// A function's version for this CPU: what `best` gives, asked at the first call. Said as AVX512_OR(wide, AVX2_OR(narrower, plain)).
#ifndef CAPTION_CHOSEN_H
#define CAPTION_CHOSEN_H

#include <stdatomic.h>

#include "base/clock.h"

#ifdef __x86_64__
#define AVX512_OR(with, without) (cpu_avx512_bytes() ? (with) : (without))
#define AVX2_OR(with, without) (cpu_avx2() ? (with) : (without))
#define BMI2_OR(with, without) (cpu_avx2() && __builtin_cpu_supports("bmi2") ? (with) : (without))   // and AVX2
#else
#define AVX512_OR(with, without) (without)
#define AVX2_OR(with, without) (without)
#define BMI2_OR(with, without) (without)
#endif

#define CHOSEN(type, best) \
    ({ \
        static _Atomic(type *) chosen; \
        type *with = atomic_load_explicit(&chosen, memory_order_relaxed); \
        if (!with) \
            atomic_store_explicit(&chosen, with = (best), memory_order_relaxed); \
        with; \
    })

#endif
