// SPDX-License-Identifier: Apache-2.0
#include "net/hosts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "net/robots.h"

enum { BUCKETS = 1 << 14, STALLED = 4, TROUBLE = 4, FAR = 2048, TURN = 64 };
static const double first_patience = 2.5, first_gap = 1.5, greeting_least = 0.5;

struct timer {
    double when;
    struct job *job;      // or
    struct host *host;
};

struct hosts {
    struct hosts_options o;
    int count, idle;
    struct host *bucket[BUCKETS];
    struct host *oldest, *newest;      // those that nothing holds
    struct host *first, *last;         // the ring of those that may be asked
    struct timer *heap;
    int timers, room;
};

int hosts_new(struct hosts **out, const struct hosts_options *o)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return FAIL(EMEMORY_, "out of memory");
    (*out)->o = *o;
    return 0;
}

static void host_free(struct host *host)
{
    robots_free(host->rules);
    free(host->name);
    free(host);
}

void hosts_free(struct hosts *h)
{
    if (!h)
        return;
    for (int i = 0; i < BUCKETS; i++)
        for (struct host *p = h->bucket[i], *next; p; p = next) {
            next = p->chain;
            host_free(p);
        }
    free(h->heap);
    free(h);
}

static struct host **place_of(struct hosts *h, const char *name)
{
    uint32_t x = 2166136261u;   // FNV-1a
    for (const char *p = name; *p; p++)
        x = (x ^ (unsigned char)*p) * 16777619u;
    struct host **at = &h->bucket[(x ^ x >> 15) % BUCKETS];
    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->chain;
    return at;
}

static void idle_out(struct hosts *h, struct host *p)
{
    *(p->older ? &p->older->newer : &h->oldest) = p->newer;
    *(p->newer ? &p->newer->older : &h->newest) = p->older;
    p->older = p->newer = NULL;
    h->idle--;
}

static void idle_in(struct hosts *h, struct host *p)
{
    p->older = h->newest;
    *(h->newest ? &h->newest->newer : &h->oldest) = p;
    h->newest = p;
    h->idle++;
    while (h->idle > h->o.most) {
        struct host *gone = h->oldest, **at = place_of(h, gone->name);
        if (gone->slept || gone->ready)
            return;   // still in the ring or the timers: another time
        idle_out(h, gone);
        *at = gone->chain;
        h->count--;
        host_free(gone);
    }
}

// An answer that has begun may well pause, and one may be longer than others; the more of a host's hang, the less.
static void patience_of(const struct hosts *h, struct host *p)
{
    double least = fmin(first_gap, h->o.budget / 4) * h->o.per_host / (h->o.per_host + 4 * p->stalled);
    p->patience.first = usual_most(&p->usual, p->patience.first);
    p->patience.gap = least;
    p->patience.whole = fmax(least, usual_most(&p->whole, HUGE_VAL));
}

struct host *hosts_get(struct hosts *h, const char *name)
{
    struct host **at = place_of(h, name), *p = *at;
    if (p)
        return p;
    p = calloc(1, sizeof *p);
    if (!p || !(p->name = strdup(name))) {
        free(p);
        return NULL;
    }
    p->delay = h->o.delay;
    p->most = h->o.per_host;
    p->patience = (struct patience){.first = fmin(first_patience, h->o.budget / 4), .whole = HUGE_VAL};
    patience_of(h, p);
    *at = p;
    h->count++;
    idle_in(h, p);
    return p;
}

void hosts_keep(struct hosts *h, struct host *p)
{
    if (p->refs++ == 0)
        idle_out(h, p);
}

void hosts_drop(struct hosts *h, struct host *p)
{
    if (--p->refs == 0)
        idle_in(h, p);
}

static int later(struct hosts *h, struct timer t)
{
    if (h->timers == h->room) {
        int room = h->room ? 2 * h->room : 256;
        struct timer *more = realloc(h->heap, (size_t)room * sizeof *more);
        if (!more)
            return FAIL(EMEMORY_, "out of memory");
        h->heap = more;
        h->room = room;
    }
    int i = h->timers++;
    while (i > 0 && h->heap[(i - 1) / 2].when > t.when) {
        h->heap[i] = h->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->heap[i] = t;
    return 0;
}

static struct timer earliest(struct hosts *h)
{
    struct timer top = h->heap[0], t = h->heap[--h->timers];
    int i = 0;
    for (int k; (k = 2 * i + 1) < h->timers; i = k) {
        if (k + 1 < h->timers && h->heap[k + 1].when < h->heap[k].when)
            k++;
        if (h->heap[k].when >= t.when)
            break;
        h->heap[i] = h->heap[k];
    }
    h->heap[i] = t;
    return top;
}

static bool may_start(const struct hosts *h, const struct host *p)
{
    return p->head && p->active < (int)p->most && p->stalled < STALLED * h->o.per_host + p->answers &&
           p->robots != ROBOTS_ASKED;
}

void hosts_wake(struct hosts *h, struct host *p)
{
    if (p->ready || p->slept || !may_start(h, p))
        return;
    p->ready = true;
    p->ring = NULL;
    *(h->last ? &h->last->ring : &h->first) = p;
    h->last = p;
}

void hosts_add(struct hosts *h, struct job *j, bool front)
{
    struct host *p = j->host;
    j->begun = front;
    j->next = front ? p->head : NULL;
    if (front) {
        p->head = j;
        p->tail = p->tail ? p->tail : j;
    } else {
        *(p->tail ? &p->tail->next : &p->head) = j;
        p->tail = j;
    }
    p->queued++;
    hosts_wake(h, p);
}

int hosts_later(struct hosts *h, struct job *j, double when)
{
    j->again = true;
    return later(h, (struct timer){when, j, NULL});
}

static void ring_timers(struct hosts *h, double now)
{
    while (h->timers && h->heap[0].when <= now) {
        struct timer t = earliest(h);
        if (t.job) {
            hosts_add(h, t.job, true);
        } else {
            t.host->slept = false;
            hosts_wake(h, t.host);
        }
    }
}

// The job behind `before` (NULL: the first) leaves the queue.
static struct job *unlink_job(struct host *p, struct job *before)
{
    struct job **at = before ? &before->next : &p->head, *j = *at;
    *at = j->next;
    if (p->tail == j)
        p->tail = before;
    if (p->finger == j)
        p->finger = before;
    p->queued--;
    return j;
}

// From a place some way behind the last one, round and round: a list in order of what hangs or is refused is no trap.
static struct job *take_sample(struct host *p)
{
    int steps = (int)fmin(0.6180339887 * p->queued, FAR);
    struct job *before = p->finger;
    for (int i = 0; i < p->queued + steps; i++) {
        struct job *j = before ? before->next : p->head;
        if (j && i >= steps && !(busy_probes(&p->busy) && j->again))
            break;
        before = j;
    }
    before = before == p->tail ? NULL : before;
    p->finger = before;
    return unlink_job(p, before);
}

// The next of its jobs. When the first ones tell only that they hang or that the host is busy, others may be answered.
static struct job *take(struct host *p)
{
    bool waits = p->head->begun && !(busy_probes(&p->busy) && p->head->again);
    bool sample = !waits && (p->busy.since > 0 || p->trouble >= TROUBLE);
    struct job *j = sample ? take_sample(p) : unlink_job(p, NULL);
    j->sample = sample;
    j->again = false;
    return j;
}

struct job *hosts_next(struct hosts *h, double now)
{
    ring_timers(h, now);
    for (struct host *p; (p = h->first) != NULL;) {
        h->first = p->ring;
        if (!h->first)
            h->last = NULL;
        p->ready = false;
        if (!may_start(h, p))
            continue;
        if (p->next_start > now) {
            if (later(h, (struct timer){p->next_start, NULL, p}) == 0)
                p->slept = true;
            continue;
        }
        struct job *j = take(p);
        p->active++;
        p->next_start = p->delay > 0 ? now + p->delay : 0;
        if (++p->turn <= p->queued / TURN && p->next_start <= now && may_start(h, p)) {
            p->ready = true;
            p->ring = h->first;
            h->first = p;
            h->last = h->last ? h->last : p;
        } else {
            p->turn = 0;
            hosts_wake(h, p);
        }
        return j;
    }
    return NULL;
}

void hosts_done(struct hosts *h, struct host *p)
{
    p->active--;
    hosts_wake(h, p);
}

void hosts_undone(struct hosts *h, struct host *p)
{
    p->next_start = 0;
    hosts_done(h, p);
}

void hosts_stalled(struct hosts *h, struct host *p, bool still, double started)
{
    if (still && p->stalled == 0)
        p->hung_since = started;
    p->trouble += still;
    p->stalled += still ? 1 : -1;
    p->active += still ? -1 : 1;
    patience_of(h, p);
    hosts_wake(h, p);
}

void hosts_greeted(struct hosts *h, struct host *p, double waited)
{
    p->answers++;
    if (waited > 0 && p->usual.seconds == 0)   // a file, where pictures may have to be made first
        p->patience.first = fmin(p->patience.first, fmax(greeting_least, 10 * waited));
}

bool hosts_answered(struct hosts *h, struct host *p, const struct answer *a, double now)
{
    p->answers++;
    if (a->waited > 0 && !a->cut) {
        usual_add(&p->usual, a->waited);
        usual_add(&p->whole, a->seconds);
        p->slowest = fmax(p->slowest, a->seconds);
        patience_of(h, p);
    }
    if (!a->busy) {
        p->fine++;
        p->trouble = a->cut ? p->trouble : 0;
        busy_answered(&p->busy, a, now);
        p->most = fmin(p->most + 1 / p->most, h->o.per_host);
        if (p->most >= h->o.per_host)
            p->busy.since = 0;
        hosts_wake(h, p);
        return false;
    }
    p->trouble++;
    struct busy_of of = {p->fine > 0, p->queued, h->o.budget};
    double until = busy_refused(&p->busy, a, &of, now);
    if (until == HUGE_VAL) {
        p->busy = (struct busy){0};
        return true;
    }
    if (until > 0) {
        p->most = 1;
        p->next_start = fmax(p->next_start, until);
    }
    return false;
}

struct job *hosts_take_rest(struct hosts *h, int keep)
{
    struct host *most = NULL;
    for (int i = 0; i < BUCKETS; i++)
        for (struct host *p = h->bucket[i]; p; p = p->chain)
            if (p->queued > (most ? most->queued : keep))
                most = p;
    if (!most)
        return NULL;
    struct job *last = most->head;
    for (int i = 1; i < keep; i++)
        last = last->next;
    struct job *rest = last->next;
    last->next = NULL;
    most->tail = last;
    most->finger = NULL;
    most->queued = keep;
    return rest;
}

double hosts_due(const struct hosts *h) { return h->first ? 0 : h->timers ? h->heap[0].when : HUGE_VAL; }
