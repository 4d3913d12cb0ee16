// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/error.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define GAP 64
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define GAP 0
#define POISON(p, n) ((void)0)
#define UNPOISON(p, n) ((void)0)
#endif

enum { HUGE_PAGE = 2 << 20, HUGE_LEAST = 4 << 20 };

static const size_t MOST = (size_t)1 << 46;   // bytes no machine has: a size beyond them is a mistake or an attack

static size_t round64(size_t n) { return (n + 63) & ~(size_t)63; }

void *arena_take(struct arena *a, size_t bytes)
{
    size_t at = a->used;
    if (at >= MOST || bytes > MOST - at) {   // an absurd plan stays absurd: arena_commit() refuses it
        assert(!a->block);
        a->used = MOST;
        return NULL;
    }
    a->used = at + round64(bytes) + GAP;
    if (!a->block)
        return NULL;
    assert(a->used <= a->size);   // the second carving must repeat the plan
    POISON(a->block + at + bytes, a->used - at - bytes);
    return a->block + at;
}

int arena_commit(struct arena *a)
{
    assert(!a->block);
    a->block = memory_take(a->used ? a->used : 64);
    if (!a->block)
        return EMEMORY_;
    a->size = a->used;
    a->used = 0;
    return 0;
}

void arena_free(struct arena *a)
{
    if (a->block) {
        UNPOISON(a->block, a->size);
        free(a->block);
    }
    memset(a, 0, sizeof *a);
}

void *memory_take(size_t bytes)
{
    void *p = NULL;
    size_t n = round64(bytes ? bytes : 1), align = n < HUGE_LEAST ? 64 : HUGE_PAGE;
    if (bytes >= MOST || posix_memalign(&p, align, n) != 0) {
        char text[32];
        format_bytes(text, (double)bytes);
        FAIL(EMEMORY_, "out of memory: %s could not be allocated (a smaller batch or fewer threads needs less)", text);
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    // Strided rows touch a page each: in small ones, products wait for addresses more than for numbers. A refusal is no error.
    if (n >= HUGE_LEAST)
        madvise(p, n / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return p;
}

void *memory_zero(size_t bytes)
{
    void *p = memory_take(bytes);
    if (p)
        memset(p, 0, bytes);
    return p;
}
