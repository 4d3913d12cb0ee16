// SPDX-License-Identifier: Apache-2.0
// A list of addresses becomes a dataset. This thread reads rows, asks the net and hands on what came; see fetch.h for
// the stages, net/ for how a host is treated.
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rng.h"
#include "data/journal.h"
#include "image/image.h"
#include "task/fetch.h"
#include "task/task.h"

enum { WINDOW = 32768, AHEAD = 4096, FIRST_LIMIT = 64, HOSTS = 20000, BATCH = 512 };
#define MEMORY ((int64_t)64 << 20)

static int check_options(const diht_fetch_options *o)
{
    if (strcmp(o->robots, "obey") != 0 && strcmp(o->robots, "ignore") != 0)
        return FAIL(EUSAGE_, "--robots %s: obey or ignore", o->robots);
    const struct { const char *name; double value, least, most; } numbers[] = {
        {"--deadline", o->deadline, 0.1, 86400}, {"--retries", o->retries, 0, 100}, {"--redirects", o->redirects, 0, 100},
        {"--per-host", o->per_host, 1, 100000}, {"--concurrency", o->concurrency, 1, 100000},
        {"--delay", o->delay, 0, 3600}, {"--connect-timeout", o->connect_timeout, 0.01, 3600},
        {"--min-rate", o->min_rate, 0, 1e12}, {"--max-bytes", (double)o->max_bytes, 1, 1 << 30},
        {"--max-pixels", (double)o->max_pixels, 1, 1 << 30}, {"--min-size", (double)o->min_size, 0, 1 << 30},
        {"--max-aspect", o->max_aspect, 0, 1e9}, {"--shard-samples", (double)o->shard_samples, 1, 1 << 30},
        {"--ranks", o->ranks, 1, 10000}, {"--rank", o->rank, 0, o->ranks - 1},
    };
    for (const char *p = o->contact; p && *p; p++)
        if ((unsigned char)*p < ' ')
            return FAIL(EUSAGE_, "--contact: has a line break or the like in it, it goes into a header of one line");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!(numbers[i].value >= numbers[i].least && numbers[i].value <= numbers[i].most))
            return FAIL(EUSAGE_, "%s %g: from %g to %g", numbers[i].name, numbers[i].value, numbers[i].least,
                        numbers[i].most);
    return 0;
}

static int check_certificates(const char *path)
{
    struct buf b = {0};
    int rc = file_read(path, &b);
    if (!rc && (!b.len || !memmem(b.at, b.len, "-----BEGIN ", 11)))
        rc = FAIL(EFORMAT_, "--ca-file %s: has no certificates in it: PEM was expected (-----BEGIN CERTIFICATE-----)", path);
    buf_free(&b);
    return rc;
}

// As many file descriptors as the system gives; transfers keep to what there are.
static int transfers_possible(int asked)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return asked;
    rlim_t need = 2 * (rlim_t)asked + 128;
    if (r.rlim_cur < need) {
        r.rlim_cur = r.rlim_max < need ? r.rlim_max : need;
        setrlimit(RLIMIT_NOFILE, &r);
        getrlimit(RLIMIT_NOFILE, &r);
    }
    int most = r.rlim_cur > 256 ? (int)((r.rlim_cur - 128) / 2) : 64;
    return asked < most ? asked : most;
}

static bool wanted(const void *bytes, size_t n) { return image_format(bytes, n) != NULL; }

int fetch_open_list(struct list **out, const diht_fetch_options *o)
{
    if (file_is_dir(o->list))
        return FAIL(EUSAGE_, "%s: is a directory, a TSV, CSV, JSONL or Parquet list was expected", o->list);
    struct list_columns columns = {
        .web = true, .url = o->url_column, .caption = o->caption_column, .hash = o->hash_column};
    return list_open_columns(out, o->list, &columns);
}

static int start_threads(struct fetch *f)
{
    int n = f->o->threads > 0 ? f->o->threads : cpu_count();
    f->worker = calloc((size_t)n, sizeof *f->worker);
    if (!f->worker)
        return FAIL(EMEMORY_, "out of memory");
    f->storing = pthread_create(&f->store, NULL, store_run, f) == 0;
    while (f->storing && f->workers < n && pthread_create(&f->worker[f->workers], NULL, fetch_worker, f) == 0)
        f->workers++;
    return f->storing && f->workers ? 0 : FAIL(EMEMORY_, "no threads are to be had");
}

static int open_all(struct fetch *f)
{
    const diht_fetch_options *o = f->o;
    char *path = NULL;
    int rc = check_options(o);
    if (!rc && o->ca_file)
        rc = check_certificates(o->ca_file);
    if (!rc)
        rc = fetch_remake_open(f);
    if (rc || (rc = guard_new(&f->guard, o->allow_net)) != 0)
        return rc;
    if (o->list && (rc = fetch_open_list(&f->list, o)) != 0)
        return rc;
    if ((rc = store_open(f)) != 0 || (rc = file_write_in(o->out, "fetch.conf", o->effective)) != 0)
        return rc;
    if (!o->list && !f->look && (rc = journal_again(f->journal, o->classes, &f->again)) != 0)
        return rc;
    if (asprintf(&path, "%s/catalog-%04d.sqlite", o->out, o->rank) < 0)
        return FAIL(EMEMORY_, "out of memory");
    rc = catalogue_open_file(&f->reader, path);
    free(path);
    if (rc)
        return rc;
    snprintf(f->agent, sizeof f->agent, "diht/%s (dataset fetcher%s%s)", DIHT_VERSION, o->contact ? "; " : "",
             o->contact ? o->contact : "");
    f->done = malloc(AHEAD * sizeof *f->done);
    f->rng = malloc(sizeof *f->rng);
    f->tally.classes = map_new();
    if (!f->done || !f->rng || !f->tally.classes)
        return FAIL(EMEMORY_, "out of memory");
    *f->rng = rng_make(1, 0);   // jitter only
    struct hosts_options h = {.per_host = o->per_host, .delay = o->delay, .budget = o->deadline, .most = HOSTS};
    if ((rc = hosts_new(&f->hosts, &h)) != 0)
        return rc;
    struct client_options c = {
        .guard = f->guard, .agent = f->agent, .token = "diht", .connect_timeout = o->connect_timeout,
        .ca_file = o->ca_file, .min_rate = o->min_rate, .memory = MEMORY, .most = transfers_possible(o->concurrency), .wanted = wanted,
        .done = fetch_done, .still = fetch_still, .user = f,
    };
    f->limit = FIRST_LIMIT < c.most ? FIRST_LIMIT : c.most;
    f->seats = c.most;
    if ((rc = client_new(&f->client, &c)) != 0)
        return rc;
    return start_threads(f);
}

// Rows that are stored: their memory is free again.
static void reclaim(struct fetch *f)
{
    for (struct row *r = line_take_all(&f->spent, 0), *next; r; r = next) {
        next = r->next;
        client_release(f->client, r->t.held);
        f->putting_off -= r->put_off;
        row_free(r);
        f->finished++;
    }
}

// Read on while there is room for more rows; a batch at a time, so that the net is looked after.
static int admit(struct fetch *f)
{
    int rc = 1;
    for (int i = 0; rc == 1 && i < BATCH && f->admitted - f->finished < WINDOW && !(f->waiting_over && f->list_over); i++) {
        struct row *r;
        if ((rc = fetch_admit(f, &r)) == 1 && fetch_queue(f, r) < 0)
            return f->rc ? f->rc : EMEMORY_;
    }
    return rc < 0 ? rc : 0;
}

static int loop(struct fetch *f)
{
    int rc = 0;
    double said = 0;
    f->looked = clock_now();
    while (!rc && !f->rc && !stop_requested()) {
        bool reading = !(f->waiting_over && f->list_over);
        if (reading && (rc = admit(f)) != 0)
            break;
        reading = reading && f->admitted - f->finished < WINDOW && !(f->waiting_over && f->list_over);
        if ((rc = fetch_start(f)) != 0)
            break;
        double now = clock_now(), due = hosts_due(f->hosts) - now;
        bool free = fetch_may_start(f);
        // all that may be held in memory waits for slow hosts: the rest of the list may know others
        if (!reading && !f->list_over && free && due > 0 && f->putting_off == 0)
            fetch_put_off(f);
        double wait = reading ? 0 : due > 0.2 || !free ? 0.2 : due > 0 ? due : 0;
        rc = client_wait(f->client, wait);
        line_put(&f->checks, f->fresh);
        f->fresh = NULL;
        f->fresh_end = &f->fresh;
        if (rc)
            break;
        reclaim(f);
        now = clock_now();
        fetch_adapt(f, now);
        if (now - said > (f->o->metrics ? 2 : 0.2)) {
            fetch_progress(f, now);
            said = now;
        }
        if (f->waiting_over && f->list_over && f->finished == f->admitted)
            return f->list_rc ? error_adopt(f->list_rc, f->list_why) : 0;
    }
    return rc ? rc : f->rc ? f->rc : ESTOPPED_;
}

static void close_all(struct fetch *f)
{
    line_close(&f->checks);
    for (int i = 0; i < f->workers; i++)
        pthread_join(f->worker[i], NULL);
    line_close(&f->stores);
    if (f->storing)
        pthread_join(f->store, NULL);
    f->storing = false;
}

static void free_all(struct fetch *f)
{
    client_free(f->client);
    fetch_drop_asks(f);
    while (f->living)
        row_free(f->living);
    hosts_free(f->hosts);
    guard_free(f->guard);
    list_close(f->list);
    catalogue_close(f->reader);
    map_free(f->tally.classes);
    line_free(&f->checks);
    line_free(&f->stores);
    line_free(&f->spent);
    pthread_mutex_destroy(&f->tally.lock);
    pthread_mutex_destroy(&f->big);
    free(f->done);
    free(f->rng);
    free(f->worker);
    free(f->why);
    free(f);
}

int fetch_run(const diht_fetch_options *o, const struct fetch_look *look, char **result)
{
    struct fetch *f = calloc(1, sizeof *f);
    *result = NULL;
    if (!f)
        return FAIL(EMEMORY_, "out of memory: the fetch did not start");
    f->o = o;
    f->look = look;
    f->fresh_end = &f->fresh;
    f->shard.fd = -1;
    line_init(&f->checks);
    line_init(&f->stores);
    line_init(&f->spent);
    pthread_mutex_init(&f->tally.lock, NULL);
    pthread_mutex_init(&f->big, NULL);
    double start = f->started = clock_now();
    int rc = open_all(f);
    if (!rc && f->again)
        log_info("%" PRId64 " rows are tried again", f->again);
    if (!rc)
        rc = loop(f);
    close_all(f);
    if (f->why)
        rc = error_adopt(f->rc, f->why);
    char *why = rc ? strdup(error_last()) : NULL;
    int64_t added = f->tally.ok, rows = f->tally.ok + f->tally.failed;
    catalogue_close(f->reader);
    f->reader = NULL;
    int closed = store_close(f);
    if (rc == ESTOPPED_ && !closed)
        rc = FAIL(ESTOPPED_, "fetch stopped after %" PRId64 " rows: they are kept; the same command goes on", rows);
    else if (rc && why)
        error_adopt(rc, why);
    else if (!rc)
        rc = closed;
    free(why);
    free_all(f);
    return rc || look ? rc : fetch_result(o->out, clock_now() - start, added, o->json, false, result);
}

int task_fetch(const diht_fetch_options *o, char **result) { return fetch_run(o, NULL, result); }

int task_refetch(const diht_fetch_options *o, char **result)
{
    diht_fetch_options again = *o;
    again.list = NULL;
    *result = NULL;
    if (!file_is_dir(o->out))
        return FAIL(EMISSING_, "%s: no dataset is there", o->out);
    return fetch_run(&again, NULL, result);
}

int task_status(const diht_status_options *o, char **result)
{
    *result = NULL;
    return fetch_result(o->dataset, 0, 0, o->json, true, result);
}
