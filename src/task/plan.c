// SPDX-License-Identifier: Apache-2.0
// A few rows stand for a list: drawn evenly while it streams past (reservoir, Waterman's algorithm R), asked by the same
// engine and rules as a fetch, counted and dropped. What is fetched waits in a journal of its own in a temporary directory.
#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/rng.h"
#include "data/journal.h"
#include "task/fetch.h"
#include "task/plan.h"
#include "task/task.h"

enum { MOST_SAMPLE = 1000000, DIRECTORIES = 8 };

struct pick {
    int64_t row;
    char *url, *hash;   // url NULL: a row that cannot be used
};

struct drawing {
    const diht_plan_options *o;
    struct pick *pick;
    struct plan plan;
    double *ended;      // when each row was done, in order
    int64_t count;
};

static void pick_free(struct pick *p)
{
    free(p->url);
    free(p->hash);
    *p = (struct pick){0};
}

static int pick_take(struct pick *p, const struct list_row *in)
{
    pick_free(p);
    p->row = in->row;
    p->url = in->bad ? NULL : strdup(in->path);
    p->hash = in->bad || !in->hash ? NULL : strdup(in->hash);
    return (!in->bad && !p->url) || (!in->bad && in->hash && !p->hash) ? FAIL(EMEMORY_, "out of memory: no room for a sample")
                                                                       : 0;
}

static int draw(struct drawing *j)
{
    struct list *l = NULL;
    struct list_row in;
    struct rng r = rng_make(j->o->seed, 0);
    int64_t n = 0, most = j->o->sample;
    int rc = fetch_open_list(&l, &j->o->fetch);
    while (!rc && !stop_requested() && (rc = list_next(l, &in)) == 1) {
        int64_t at = n < most ? n : (int64_t)rng_below(&r, (uint64_t)n + 1);
        rc = at < most ? pick_take(&j->pick[at], &in) : 0;
        n++;
        if ((n & 0xffff) == 0)
            log_progress("plan: %" PRId64 " rows read, %.0f %% of the list", n, 100 * list_share(l));
    }
    list_close(l);
    j->plan.rows = n;
    j->plan.sampled = n < most ? n : most;
    if (!rc && n == 0)
        return FAIL(EFORMAT_, "%s: no rows in it", j->o->fetch.list);
    return rc;
}

static int add_one(struct map *m, const char *key, size_t n)
{
    int64_t *at = map_slot(m, key, n, 0);
    if (!at)
        return FAIL(EMEMORY_, "out of memory");
    ++*at;
    return 0;
}

static int seen(void *user, const struct row *r, double seconds)
{
    struct drawing *j = user;
    const char *host = r->address ? strstr(r->address, "://") : NULL;
    size_t len = host ? strcspn(host + 3, "/?#") : 0;
    int rc = host ? add_one(j->plan.asked, host + 3, len) : 0;
    j->ended[j->count++] = seconds;
    if (r->ok) {
        double bytes = (double)(r->made.len ? r->made.len : r->t.body.len);
        j->plan.ok++;
        j->plan.bytes += bytes;
        j->plan.squares += bytes * bytes;
        return rc;
    }
    rc = rc ? rc : add_one(j->plan.classes, r->class, strlen(r->class));
    return rc || !host ? rc : add_one(j->plan.failed, host + 3, len);
}

// The sample as rows that wait in a journal; what could not be used counts at once.
static int put(struct drawing *j, const char *dir)
{
    struct catalogue *c = NULL;
    char key[32];
    int rc = catalogue_open_journal(&c, dir, 0);
    for (int64_t i = 0; !rc && i < j->plan.sampled; i++) {
        const struct pick *p = &j->pick[i];
        snprintf(key, sizeof key, "%08" PRId64, p->row);
        struct catalogue_sample s = {.list = 1, .row = p->row, .key = key, .url = p->url, .caption = ""};
        rc = p->url ? journal_wait(c, &s, p->hash) : add_one(j->plan.classes, "bad-row", 7);
    }
    if (!rc)
        rc = journal_end(c);
    catalogue_close(c);
    return rc;
}

static int drop(const char *path, const struct stat *s, int kind, struct FTW *at) { return remove(path); }

static int ask(struct drawing *j)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = NULL;
    diht_fetch_options o = j->o->fetch;
    struct fetch_look look = {seen, j};
    char *none = NULL;
    if (asprintf(&dir, "%s/diht-plan-XXXXXX", tmp && *tmp ? tmp : "/tmp") < 0)
        return FAIL(EMEMORY_, "out of memory");
    if (!mkdtemp(dir)) {
        int rc = FAIL(EIO_, "%s: no temporary directory can be made (TMPDIR says where)", dir);
        free(dir);
        return rc;
    }
    o.list = NULL;
    o.out = dir;
    o.rank = 0;
    o.ranks = 1;
    int rc = put(j, dir);
    if (!rc)
        rc = fetch_run(&o, &look, &none);
    nftw(dir, drop, DIRECTORIES, FTW_DEPTH | FTW_PHYS);
    free(dir);
    return rc == ESTOPPED_ ? FAIL(ESTOPPED_, "plan stopped: nothing is kept") : rc;
}

// The rate at which most rows went: the last twentieth, whose deadlines a whole list waits for only once, is left out.
static void measure(struct drawing *j)
{
    struct plan *p = &j->plan;
    int64_t most = (int64_t)ceil(.95 * (double)j->count);
    if (j->count == 0)
        return;
    p->seconds = j->ended[j->count - 1];
    p->rate = (double)most / fmax(j->ended[most - 1], 1e-3);
}

int task_plan(const diht_plan_options *o, char **result)
{
    struct drawing j = {.o = o, .plan = {.classes = map_new(), .asked = map_new(), .failed = map_new()}};
    *result = NULL;
    int rc = 0;
    if (o->sample < 1 || o->sample > MOST_SAMPLE)
        rc = FAIL(EUSAGE_, "--sample %" PRId64 ": from 1 to %d", o->sample, MOST_SAMPLE);
    if (!rc) {
        j.pick = calloc((size_t)o->sample, sizeof *j.pick);
        j.ended = calloc((size_t)o->sample, sizeof *j.ended);
        if (!j.pick || !j.ended || !j.plan.classes || !j.plan.asked || !j.plan.failed)
            rc = FAIL(EMEMORY_, "out of memory: no room for a sample of %" PRId64, o->sample);
    }
    if (!rc)
        rc = draw(&j);
    if (!rc)
        rc = stop_requested() ? FAIL(ESTOPPED_, "plan stopped: nothing is kept") : ask(&j);
    if (!rc) {
        measure(&j);
        *result = plan_text(&j.plan, o->fetch.json);
        rc = *result ? 0 : FAIL(EMEMORY_, "out of memory");
    }
    for (int64_t i = 0; j.pick && i < o->sample; i++)
        pick_free(&j.pick[i]);
    free(j.pick);
    free(j.ended);
    map_free(j.plan.classes);
    map_free(j.plan.asked);
    map_free(j.plan.failed);
    return rc;
}
