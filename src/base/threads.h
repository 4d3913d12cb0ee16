// SPDX-License-Identifier: Apache-2.0
// One pool of workers: a job list cut in pieces, taken in turn by whoever is free.
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

#include <stdint.h>

struct pool;

// threads <= 0: one a processor. The calling thread works too: `threads - 1` are started.
// `start` (may be NULL) runs once in every worker before its first job, and in the caller now.
struct pool *pool_new(int threads, void (*start)(void));   // NULL: out of memory or no threads to be had
void pool_free(struct pool *p);
int pool_threads(const struct pool *p);                    // 1 for NULL

// Run fn(arg, piece, worker) for every piece in 0 .. pieces-1, worker in 0 .. threads-1; returns when all are done.
// Which worker gets a piece is not fixed: results may depend on the piece only. p NULL: runs here, in order, as worker
// 0. From inside a piece of the same pool: runs here, in order, as the worker that called.
void pool_run(struct pool *p, int64_t pieces, void (*fn)(void *arg, int64_t piece, int worker), void *arg);

// The calling thread's worker number while it runs a piece of this pool; -1 outside.
int pool_worker(const struct pool *p);

#endif
