// SPDX-License-Identifier: Apache-2.0
// A ring of batches. Workers take places (step, number in the batch) in order; a batch whose places are all done is
// ready.
//
//      floor            next            fill
//   ---[lent]--[ready]--[being filled ...]----      slot of step s: ring[s % slots]
//
// A worker may take places of steps below floor + slots; floor is the step lent out, or else the next one.
#include "data/loader.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

enum { AHEAD = 3, RING_BYTES = 256 << 20, LOGGED = 10 };
enum stream { ORDER, MEMBER, PIXELS, CAPTIONS };   // independent random streams of one seed

struct cached {
    int width, height;
    unsigned char rgb[];
};

struct slot {
    int64_t step;
    int n, done;          // places, finished ones
    float *images;        // [batch, 3, S, S]
    int64_t *index;       // [batch]
    struct rng *rng;      // [batch]
    bool *good;           // [batch]
};

struct loader {
    struct loader_options o;
    struct augment augment;
    int64_t count;               // samples
    int64_t units;               // what an epoch permutes: samples, or groups of one caption
    int64_t *group_first;        // [units + 1] into members; NULL unless distinct
    int64_t *member;             // [count]
    int64_t steps;               // an epoch
    size_t image_floats;         // 3 x S x S
    _Atomic(struct cached *) *cache;   // [count], NULL: no cache
    atomic_llong cached_bytes;
    atomic_uchar *bad;           // [count]
    atomic_llong bad_count;

    pthread_mutex_t lock;
    pthread_cond_t work, ready;
    struct slot *ring;
    int slots, workers, busy;    // busy: workers with a place in hand
    pthread_t *id;
    int64_t next, floor, fill;
    int fill_place;
    bool quit, hold;             // hold: seeking, no place may be taken
    int failed;                  // EMEMORY_ of a worker, with its sentence
    char why[512];
    struct batch lent;
    int64_t delivered;
    double waited;
};

static int places(const struct loader *l, int64_t step)
{
    if (l->o.mode != LOADER_SEQUENTIAL)
        return l->o.batch;
    int64_t left = l->count - step * l->o.batch;
    return left < l->o.batch ? (int)left : l->o.batch;
}

static bool past_end(const struct loader *l, int64_t step)
{
    return l->o.mode == LOADER_SEQUENTIAL && step >= l->steps;
}

// The sample at a place: a function of the seed and the place alone.
static int64_t choose(const struct loader *l, int64_t step, int i)
{
    if (l->o.mode == LOADER_SEQUENTIAL)
        return step * l->o.batch + i;
    uint64_t epoch = (uint64_t)(step / l->steps), at = (uint64_t)(step % l->steps * l->o.batch + i);
    uint64_t unit = permute(rng_mix(rng_mix(l->o.seed, ORDER), epoch), (uint64_t)l->units, at);
    if (!l->member)
        return (int64_t)unit;
    int64_t first = l->group_first[unit], n = l->group_first[unit + 1] - first;
    struct rng r = rng_make(rng_mix(rng_mix(l->o.seed, MEMBER), epoch), unit);
    return l->member[first + (int64_t)rng_below(&r, (uint64_t)n)];
}

static void mark_bad(struct loader *l, int64_t index)
{
    if (atomic_exchange(&l->bad[index], 1))
        return;
    long long before = atomic_fetch_add(&l->bad_count, 1);
    struct sample s;
    source_sample(l->o.source, index, &s);
    if (before < LOGGED)
        log_warn("sample %s left out: %s", s.key, error_last());
    else if (before == LOGGED)
        log_warn("more samples are left out; the count comes at the end");
}

static void remember(struct loader *l, int64_t index, const struct image *im)
{
    long long bytes = (long long)sizeof(struct cached) + 3LL * im->width * im->height;
    if (atomic_fetch_add(&l->cached_bytes, bytes) + bytes > l->o.cache_bytes) {
        atomic_fetch_sub(&l->cached_bytes, bytes);
        return;
    }
    struct cached *c = malloc((size_t)bytes), *none = NULL;
    if (c) {
        c->width = im->width;
        c->height = im->height;
        memcpy(c->rgb, im->rgb, (size_t)bytes - sizeof *c);
    }
    // another worker may have been quicker with the same picture
    if (!c || !atomic_compare_exchange_strong(&l->cache[index], &none, c)) {
        atomic_fetch_sub(&l->cached_bytes, bytes);
        free(c);
    }
}

// Fill one place. 0, or EMEMORY_; a bad picture is not a failure.
static int fill(struct loader *l, struct slot *slot, int i, struct buf *bytes)
{
    int64_t index = slot->index[i] = choose(l, slot->step, i);
    slot->good[i] = false;
    slot->rng[i] = rng_make(rng_mix(rng_mix(l->o.seed, CAPTIONS), (uint64_t)slot->step), (uint64_t)i);
    if (atomic_load(&l->bad[index]))
        return 0;
    float *out = slot->images + (size_t)i * l->image_floats;
    struct image decoded = {0}, view = {0};
    struct cached *c = l->cache ? atomic_load(&l->cache[index]) : NULL;
    bool straight = !l->cache && !l->o.augment;   // nobody needs the whole picture
    int rc = 0;
    if (c) {
        view = (struct image){c->width, c->height, c->rgb};
    } else {
        rc = source_image(l->o.source, index, bytes);
        if (!rc && straight)
            rc = transform_load(&l->o.transform, bytes->at, bytes->len, l->o.max_pixels, out);
        else if (!rc)
            rc = image_decode(&decoded, bytes->at, bytes->len, l->o.max_pixels);
        if (!rc && l->cache)
            remember(l, index, &decoded);
        view = decoded;
    }
    if (!rc && !straight) {
        struct rng r = rng_make(rng_mix(rng_mix(l->o.seed, PIXELS), (uint64_t)slot->step), (uint64_t)i);
        rc = l->o.augment ? augment_apply(&l->augment, &l->o.transform, &view, &r, out)
                          : transform_apply(&l->o.transform, &view, out);
    }
    image_free(&decoded);
    slot->good[i] = rc == 0;
    if (rc && rc != EMEMORY_)
        mark_bad(l, index);
    return rc == EMEMORY_ ? rc : 0;
}

static void *worker_main(void *arg)
{
    struct loader *l = arg;
    struct buf bytes = {0};
    pthread_mutex_lock(&l->lock);
    while (!l->quit) {
        if (l->hold || l->failed || l->fill >= l->floor + l->slots || past_end(l, l->fill)) {
            pthread_cond_wait(&l->work, &l->lock);
            continue;
        }
        struct slot *slot = &l->ring[l->fill % l->slots];
        if (l->fill_place == 0) {
            slot->step = l->fill;
            slot->n = places(l, l->fill);
            slot->done = 0;
        }
        // a few places at once: less traffic on the lock
        int first = l->fill_place, most = slot->n - first, n = most < 4 ? most : 4;
        l->fill_place += n;
        if (l->fill_place == slot->n) {
            l->fill++;
            l->fill_place = 0;
        }
        l->busy++;
        pthread_mutex_unlock(&l->lock);
        int rc = 0;
        for (int i = first; !rc && i < first + n; i++)
            rc = fill(l, slot, i, &bytes);
        pthread_mutex_lock(&l->lock);
        l->busy--;
        if (rc && !l->failed) {
            l->failed = rc;
            snprintf(l->why, sizeof l->why, "%s", error_last());
        }
        slot->done += n;
        if (slot->done == slot->n || l->failed || (l->hold && l->busy == 0))
            pthread_cond_broadcast(&l->ready);
    }
    pthread_mutex_unlock(&l->lock);
    buf_free(&bytes);
    return NULL;
}

static int check(const struct loader *l)
{
    const struct loader_options *o = &l->o;
    if (o->batch < 1 || o->transform.size < 1 || o->transform.size > 8192)
        return FAIL(EUSAGE_, "loader: a batch of %d pictures of %d pixels a side: both must be positive", o->batch,
                    o->transform.size);
    if (o->mode != LOADER_SEQUENTIAL && o->batch > l->units)
        return FAIL(EUSAGE_, "%s: a batch of %d needs as many %s, there are %" PRId64 ": use a smaller --batch%s",
                    source_path(o->source), o->batch, l->member ? "distinct captions" : "samples", l->units,
                    l->member ? ", or leave out --distinct" : "");
    return 0;
}

// Members of each caption's group, one group behind the other (counting sort).
static int make_groups(struct loader *l)
{
    int64_t *group = NULL;
    int rc = source_groups(l->o.source, &group, &l->units);
    if (rc)
        return rc;
    l->group_first = calloc((size_t)l->units + 2, sizeof *l->group_first);
    l->member = malloc((size_t)l->count * sizeof *l->member);
    if (l->group_first && l->member) {
        int64_t *end = l->group_first + 1;   // moves from each group's start to its end while filling
        for (int64_t i = 0; i < l->count; i++)
            end[group[i] + 1]++;
        for (int64_t g = 0; g < l->units; g++)
            end[g + 1] += end[g];
        for (int64_t i = 0; i < l->count; i++)
            l->member[end[group[i]]++] = i;
    } else {
        rc = FAIL(EMEMORY_, "%s: out of memory: no room to group captions", source_path(l->o.source));
    }
    free(group);
    return rc;
}

static int make_ring(struct loader *l)
{
    size_t batch = (size_t)l->o.batch, bytes = batch * l->image_floats * sizeof(float);
    int ahead = l->o.ahead > 0 ? l->o.ahead : AHEAD;
    while (l->o.ahead <= 0 && ahead > 1 && (size_t)(ahead + 1) * bytes > RING_BYTES)
        ahead--;   // large pictures: memory counts more than evenness
    l->slots = ahead + 1;   // and the one lent out
    l->ring = calloc((size_t)l->slots, sizeof *l->ring);
    bool fine = l->ring != NULL;
    for (int i = 0; fine && i < l->slots; i++) {
        struct slot *s = &l->ring[i];
        s->step = -1;
        s->images = memory_take(bytes);
        s->index = malloc(batch * sizeof *s->index);
        s->rng = malloc(batch * sizeof *s->rng);
        s->good = malloc(batch * sizeof *s->good);
        fine = s->images && s->index && s->rng && s->good;
    }
    return fine ? 0
                : FAIL(EMEMORY_, "out of memory: no room for %d batches of %d pictures: use a smaller --batch",
                       l->slots, l->o.batch);
}

int loader_open(struct loader **out, const struct loader_options *o)
{
    *out = NULL;
    struct loader *l = calloc(1, sizeof *l);
    if (!l)
        return FAIL(EMEMORY_, "out of memory: the loader did not start");
    int rc, threads = o->threads > 0 ? o->threads : cpu_count();
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->ready, NULL);
    l->o = *o;
    if (o->augment)
        l->augment = *o->augment;
    l->count = l->units = source_count(o->source);
    l->image_floats = 3 * (size_t)o->transform.size * (size_t)o->transform.size;
    if (o->mode == LOADER_DISTINCT && (rc = make_groups(l)) != 0)
        goto done;
    if ((rc = check(l)) != 0)
        goto done;
    l->steps = o->mode == LOADER_SEQUENTIAL ? (l->count + o->batch - 1) / o->batch : l->units / o->batch;
    l->bad = calloc((size_t)l->count, sizeof *l->bad);
    l->cache = o->cache_bytes > 0 ? calloc((size_t)l->count, sizeof *l->cache) : NULL;
    l->id = calloc((size_t)threads, sizeof *l->id);
    if (!l->bad || !l->id || (o->cache_bytes > 0 && !l->cache)) {
        rc = FAIL(EMEMORY_, "%s: out of memory: no room for the state of %" PRId64 " samples", source_path(o->source),
                  l->count);
        goto done;
    }
    if ((rc = make_ring(l)) != 0)
        goto done;
    for (; l->workers < threads; l->workers++)
        if (pthread_create(&l->id[l->workers], NULL, worker_main, l) != 0) {
            rc = FAIL(EMEMORY_, "loader thread %d of %d could not be started: use fewer (--loaders)", l->workers + 1,
                      threads);
            goto done;
        }
done:
    if (rc)
        loader_close(l);
    else
        *out = l;
    return rc;
}

void loader_close(struct loader *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->quit = true;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->workers; i++)
        pthread_join(l->id[i], NULL);
    for (int i = 0; l->ring && i < l->slots; i++) {
        free(l->ring[i].images);
        free(l->ring[i].index);
        free(l->ring[i].rng);
        free(l->ring[i].good);
    }
    for (int64_t i = 0; l->cache && i < l->count; i++)
        free(atomic_load(&l->cache[i]));
    pthread_cond_destroy(&l->work);
    pthread_cond_destroy(&l->ready);
    pthread_mutex_destroy(&l->lock);
    free(l->ring);
    free(l->cache);
    free(l->bad);
    free(l->id);
    free(l->group_first);
    free(l->member);
    free(l);
}

// Close the gaps that bad samples left.
static int compact(struct loader *l, struct slot *s)
{
    int n = 0;
    for (int i = 0; i < s->n; i++) {
        if (!s->good[i])
            continue;
        if (n < i) {
            memcpy(s->images + (size_t)n * l->image_floats, s->images + (size_t)i * l->image_floats,
                   l->image_floats * sizeof(float));
            s->index[n] = s->index[i];
            s->rng[n] = s->rng[i];
        }
        n++;
    }
    return n;
}

int loader_next(struct loader *l, const struct batch **out)
{
    int rc = 0;
    *out = NULL;
    pthread_mutex_lock(&l->lock);
    l->floor = l->next;   // the batch lent before comes back
    pthread_cond_broadcast(&l->work);
    struct slot *s = &l->ring[l->next % l->slots];
    if (!past_end(l, l->next)) {
        double start = clock_now();
        while (!l->failed && !(s->step == l->next && s->done == s->n))
            pthread_cond_wait(&l->ready, &l->lock);
        l->waited += clock_now() - start;
        rc = l->failed ? error_adopt(l->failed, l->why) : 1;
    }
    if (rc == 1)
        l->next++;
    pthread_mutex_unlock(&l->lock);
    if (rc == 1) {
        l->lent = (struct batch){compact(l, s), s->step,  l->o.mode == LOADER_SEQUENTIAL ? 0 : s->step / l->steps,
                                 s->images,     s->index, s->rng};
        l->delivered += l->lent.n;
        *out = &l->lent;
    }
    return rc;
}

int loader_seek(struct loader *l, int64_t step)
{
    if (step < 0)
        return FAIL(EUSAGE_, "loader: step %" PRId64 " does not exist", step);
    pthread_mutex_lock(&l->lock);
    l->hold = true;
    while (l->busy > 0)
        pthread_cond_wait(&l->ready, &l->lock);
    for (int i = 0; i < l->slots; i++)
        l->ring[i].step = -1;
    l->next = l->floor = l->fill = step;
    l->fill_place = 0;
    l->hold = false;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    return 0;
}

int64_t loader_steps(const struct loader *l) { return l->steps; }

struct loader_stats loader_stats(const struct loader *l)
{
    return (struct loader_stats){l->delivered, atomic_load(&l->bad_count), l->waited, atomic_load(&l->cached_bytes)};
}
