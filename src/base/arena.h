// SPDX-License-Identifier: Apache-2.0
// One block carved at open: planned with a NULL block, then carved again for real. No allocation in a loop.
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena {
    char *block;   // NULL while planning
    size_t size;   // bytes of block
    size_t used;   // bytes handed out, 64-byte aligned
};

// Plan: `struct arena a = {0};` carve everything (pointers come back NULL), then arena_commit(), carve again.
void *arena_take(struct arena *a, size_t bytes);   // 64-byte aligned; under ASan a poisoned gap follows
int arena_commit(struct arena *a);                 // allocates what the plan used and rewinds; EMEMORY_
void arena_free(struct arena *a);

// 64-byte aligned memory that free() releases; EMEMORY_ sentence recorded and NULL when there is none.
void *memory_take(size_t bytes);
void *memory_zero(size_t bytes);

#endif
