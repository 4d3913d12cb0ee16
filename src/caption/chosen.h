// SPDX-License-Identifier: Apache-2.0
// A function's version for this CPU: what `best` says, asked at the first call.
#ifndef CAPTION_CHOSEN_H
#define CAPTION_CHOSEN_H

#include <stdatomic.h>

#include "base/clock.h"

#define CHOSEN(type, best) \
    ({ \
        static _Atomic(type *) chosen; \
        type *with = atomic_load_explicit(&chosen, memory_order_relaxed); \
        if (!with) \
            atomic_store_explicit(&chosen, with = best(), memory_order_relaxed); \
        with; \
    })

#endif
