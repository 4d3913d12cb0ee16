// SPDX-License-Identifier: Apache-2.0
#include "base/threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"

enum { SPINS = 4000 };   // a few microseconds: operators follow each other closely; then sleep, so a neighbour may run

// A worker's own stretch of the pieces. It takes these first and helps others out afterwards: neighbouring pieces work
// on neighbouring rows, so one call after another finds its data in the cache of the same core.
struct stretch {
    _Alignas(64) atomic_llong next;
    long long end;
};

struct pool {
    int threads;
    void (*start)(void);
    pthread_t *id;              // threads - 1
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    pthread_mutex_t one_run;    // a second caller waits for the first
    atomic_uint round;          // grows by one a run; workers wait for it to move
    struct stretch *stretch;    // [threads]
    atomic_int busy;            // workers still inside this round
    atomic_bool quit;
    void (*fn)(void *, int64_t, int);
    void *arg;
};

struct seat { struct pool *p; int worker; };

// Which pools this thread is running a piece of, innermost first.
struct place { const struct pool *pool; int worker; const struct place *outer; };
static _Thread_local const struct place *here;

static void pause_(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void work_off(struct pool *p, int worker)
{
    struct place place = {p, worker, here};
    here = &place;
    for (int i = 0; i < p->threads; i++) {
        struct stretch *s = &p->stretch[(worker + i) % p->threads];
        long long piece;
        while (atomic_load_explicit(&s->next, memory_order_relaxed) < s->end &&
               (piece = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed)) < s->end)
            p->fn(p->arg, piece, worker);
    }
    here = place.outer;
}

static void *worker_main(void *arg)
{
    struct seat seat = *(struct seat *)arg;
    free(arg);
    struct pool *p = seat.p;
    if (p->start)
        p->start();
    unsigned seen = 0;
    for (;;) {
        for (int i = 0; i < SPINS && atomic_load_explicit(&p->round, memory_order_acquire) == seen; i++)
            pause_();
        if (atomic_load_explicit(&p->round, memory_order_acquire) == seen) {
            pthread_mutex_lock(&p->lock);
            while (atomic_load_explicit(&p->round, memory_order_acquire) == seen)
                pthread_cond_wait(&p->work, &p->lock);
            pthread_mutex_unlock(&p->lock);
        }
        seen = atomic_load_explicit(&p->round, memory_order_acquire);
        if (atomic_load(&p->quit))
            return NULL;
        work_off(p, seat.worker);
        if (atomic_fetch_sub_explicit(&p->busy, 1, memory_order_acq_rel) == 1) {
            pthread_mutex_lock(&p->lock);
            pthread_cond_signal(&p->done);
            pthread_mutex_unlock(&p->lock);
        }
    }
}

static void announce(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add_explicit(&p->round, 1, memory_order_release);
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
}

struct pool *pool_new(int threads, void (*start)(void))
{
    if (threads <= 0)
        threads = cpu_count();
    struct pool *p = calloc(1, sizeof *p);
    if (p)
        p->id = calloc((size_t)threads, sizeof *p->id);
    if (p)
        p->stretch = aligned_alloc(_Alignof(struct stretch), (size_t)threads * sizeof *p->stretch);
    if (!p || !p->id || !p->stretch) {
        if (p) {
            free(p->id);
            free(p->stretch);
        }
        free(p);
        FAIL(EMEMORY_, "out of memory: no room for %d threads", threads);
        return NULL;
    }
    p->threads = 1;
    p->start = start;
    pthread_mutex_init(&p->lock, NULL);
    pthread_mutex_init(&p->one_run, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->done, NULL);
    if (start)
        start();
    for (int i = 1; i < threads; i++) {
        struct seat *seat = malloc(sizeof *seat);
        if (seat)
            *seat = (struct seat){p, i};
        if (!seat || pthread_create(&p->id[i - 1], NULL, worker_main, seat) != 0) {
            free(seat);
            pool_free(p);
            FAIL(EMEMORY_, "thread %d of %d could not be started: use fewer (--threads)", i + 1, threads);
            return NULL;
        }
        p->threads = i + 1;
    }
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    atomic_store(&p->quit, true);
    announce(p);
    for (int i = 0; i + 1 < p->threads; i++)
        pthread_join(p->id[i], NULL);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->lock);
    pthread_mutex_destroy(&p->one_run);
    free(p->id);
    free(p->stretch);
    free(p);
}

int pool_threads(const struct pool *p) { return p ? p->threads : 1; }

int pool_worker(const struct pool *p)
{
    const struct place *at = here;
    while (at && at->pool != p)
        at = at->outer;
    return at ? at->worker : -1;
}

void pool_run(struct pool *p, int64_t pieces, void (*fn)(void *, int64_t, int), void *arg)
{
    int nested = p ? pool_worker(p) : -1;
    if (!p || nested >= 0) {   // another pool's worker number means nothing to this one's scratch: only its own counts
        for (int64_t i = 0; i < pieces; i++)
            fn(arg, i, nested >= 0 ? nested : 0);
        return;
    }
    pthread_mutex_lock(&p->one_run);
    p->fn = fn;
    p->arg = arg;
    for (int i = 0; i < p->threads; i++) {
        atomic_store_explicit(&p->stretch[i].next, pieces * i / p->threads, memory_order_relaxed);
        p->stretch[i].end = pieces * (i + 1) / p->threads;
    }
    if (p->threads == 1 || pieces <= 1) {   // not worth waking anyone; still one caller at a time
        work_off(p, 0);
        pthread_mutex_unlock(&p->one_run);
        return;
    }
    atomic_store_explicit(&p->busy, p->threads - 1, memory_order_relaxed);
    announce(p);
    work_off(p, 0);
    for (int i = 0; i < SPINS && atomic_load_explicit(&p->busy, memory_order_acquire); i++)
        pause_();
    if (atomic_load_explicit(&p->busy, memory_order_acquire)) {
        pthread_mutex_lock(&p->lock);
        while (atomic_load_explicit(&p->busy, memory_order_acquire))
            pthread_cond_wait(&p->done, &p->lock);
        pthread_mutex_unlock(&p->lock);
    }
    pthread_mutex_unlock(&p->one_run);
}
