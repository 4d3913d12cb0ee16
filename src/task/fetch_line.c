// SPDX-License-Identifier: Apache-2.0
// Rows between the stages of a fetch.
#include <errno.h>
#include <time.h>

#include "task/fetch.h"

void line_init(struct line *l)
{
    pthread_condattr_t a;
    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->filled, &a);
    pthread_condattr_destroy(&a);
}

void line_free(struct line *l)
{
    pthread_cond_destroy(&l->filled);
    pthread_mutex_destroy(&l->lock);
}

void line_put(struct line *l, struct row *chain)
{
    struct row *last = chain;
    if (!chain)
        return;
    while (last->next)
        last = last->next;
    pthread_mutex_lock(&l->lock);
    *(l->head ? &l->tail->next : &l->head) = chain;
    l->tail = last;
    if (chain == last)
        pthread_cond_signal(&l->filled);
    else
        pthread_cond_broadcast(&l->filled);
    pthread_mutex_unlock(&l->lock);
}

struct row *line_take(struct line *l, int most)
{
    pthread_mutex_lock(&l->lock);
    while (!l->head && !l->closed)
        pthread_cond_wait(&l->filled, &l->lock);
    struct row *r = l->head, *last = r;
    for (int i = 1; i < most && last && last->next; i++)
        last = last->next;
    if (last) {
        l->head = last->next;
        last->next = NULL;
    }
    pthread_mutex_unlock(&l->lock);
    return r;
}

struct row *line_take_all(struct line *l, double seconds)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += (long)(1e9 * (seconds - (double)(time_t)seconds));
    t.tv_sec += (time_t)seconds + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    pthread_mutex_lock(&l->lock);
    while (!l->head && !l->closed && seconds > 0 && pthread_cond_timedwait(&l->filled, &l->lock, &t) != ETIMEDOUT)
        continue;
    struct row *r = l->head;
    l->head = l->tail = NULL;
    pthread_mutex_unlock(&l->lock);
    return r;
}

void line_close(struct line *l)
{
    pthread_mutex_lock(&l->lock);
    l->closed = true;
    pthread_cond_broadcast(&l->filled);
    pthread_mutex_unlock(&l->lock);
}
