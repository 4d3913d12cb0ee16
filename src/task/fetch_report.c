// SPDX-License-Identifier: Apache-2.0
// What a fetch says: its live line, its metrics file, its result; and how many transfers it dares.
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "data/journal.h"
#include "task/fetch.h"

enum { LEAST = 16, WORST = 10 };

// Grow while goodput grows: half as much again after a better second, a fifth less after a worse one.
void fetch_adapt(struct fetch *f, double now)
{
    double span = now - f->looked;
    if (span < 0.5)
        return;
    int64_t rows = f->finished, bytes = client_received(f->client);
    // rows count as well as bytes: lists of small pictures and of dead links are work too
    double goodput = ((double)(bytes - f->look_bytes) + 20000. * (double)(rows - f->look_rows)) / span;
    bool busy = client_moving(f->client) >= (int)f->limit;
    if (busy && (goodput > 1.05 * f->goodput || f->goodput == 0))
        f->limit *= 1.5;
    else if (busy && f->limit > LEAST && goodput < 0.9 * f->goodput)
        f->limit /= 1.25;
    if (f->limit < LEAST)
        f->limit = LEAST;
    if (f->limit > f->o->concurrency)
        f->limit = f->o->concurrency;
    f->goodput = f->goodput == 0 ? goodput : 0.5 * (f->goodput + goodput);
    f->look_rows = rows;
    f->look_bytes = bytes;
    f->looked = now;
}

static void write_metrics(struct fetch *f, double seconds)
{
    struct buf b = {0};
    buf_str(&b, "# HELP diht_fetch_rows Rows finished by this run, by class.\n# TYPE diht_fetch_rows counter\n");
    for (int64_t i = 0; i < map_count(f->tally.classes); i++) {
        size_t len;
        int64_t n;
        const char *name = map_key(f->tally.classes, i, &len, &n);
        buf_fmt(&b, "diht_fetch_rows{class=\"%.*s\"} %" PRId64 "\n", (int)len, name, n);
    }
    buf_fmt(&b, "# TYPE diht_fetch_stored_bytes counter\ndiht_fetch_stored_bytes %" PRId64 "\n", f->tally.bytes);
    buf_fmt(&b, "# TYPE diht_fetch_received_bytes counter\ndiht_fetch_received_bytes %" PRId64 "\n",
            client_received(f->client));
    buf_fmt(&b, "# TYPE diht_fetch_transfers gauge\ndiht_fetch_transfers %d\n", client_active(f->client));
    buf_fmt(&b, "# TYPE diht_fetch_seconds counter\ndiht_fetch_seconds %.3f\n", seconds);
    buf_fmt(&b, "# TYPE diht_fetch_list_share gauge\ndiht_fetch_list_share %.6f\n", f->list ? list_share(f->list) : 1);
    if (b.failed || file_write(f->o->metrics, b.at, b.len) != 0)
        log_warn("%s: the metrics could not be written", f->o->metrics);
    buf_free(&b);
}

void fetch_progress(struct fetch *f, double now)
{
    double seconds = now - f->started;
    struct tally *t = &f->tally;
    pthread_mutex_lock(&t->lock);
    struct map_entry *c = map_by_value(t->classes);
    int64_t done = t->ok + t->failed;
    struct buf b = {0};
    int shown = 0;
    for (int64_t i = 0; c && i < map_count(t->classes) && shown < 3; i++)
        if (c[i].len != 2 || memcmp(c[i].key, "ok", 2) != 0)
            buf_fmt(&b, "%s%.*s %" PRId64, shown++ ? ", " : "", c[i].len, c[i].key, c[i].n);
    char rate[32], left[32] = "";
    format_bytes(rate, (double)client_received(f->client) / (seconds + 1e-9));
    // rows still under way are behind what was read of the list
    double share = f->list ? list_share(f->list) : 1;
    if (share > 0 && f->admitted > 0 && done > 0 && (!f->list_over || f->admitted > f->finished)) {
        double all = (double)f->admitted / share;
        format_seconds(left, seconds * (all - (double)done) / (double)done);
    }
    log_progress("fetch: %" PRId64 " rows, %.0f a second, %s/s, %.1f %% ok%s%s%s%s%s, %d under way", done,
                 (double)done / (seconds + 1e-9), rate, done ? 100. * (double)t->ok / (double)done : 0,
                 b.len ? " (" : "", b.len ? b.at : "", b.len ? ")" : "", *left ? ", left " : "", left,
                 client_active(f->client));
    if (f->o->metrics)
        write_metrics(f, seconds);
    pthread_mutex_unlock(&t->lock);
    buf_free(&b);
    free(c);
}

struct sums {
    struct map *classes, *hosts;
    int64_t ok, bad, waiting, duplicates, bytes;
};

static int add_class(void *user, const char *class, int64_t n, int64_t bytes)
{
    struct sums *s = user;
    if (strcmp(class, "ok") == 0) {
        s->ok += n;
        s->bytes += bytes;
    } else if (strcmp(class, "waiting") == 0)
        s->waiting += n;
    else if (strcmp(class, "repeats") == 0)
        s->duplicates += n;
    else {
        s->bad += n;
        int64_t *at = map_slot(s->classes, class, strlen(class), 0);
        if (!at)
            return FAIL(EMEMORY_, "out of memory");
        *at += n;
    }
    return 0;
}

static int add_host(void *user, const char *url, const char *class)
{
    struct sums *s = user;
    const char *at = strstr(url, "://");
    at = at ? at + 3 : url;
    size_t n = strcspn(at, "/?#");
    int64_t *count = map_slot(s->hosts, at, n < 200 ? n : 200, 0);
    if (!count)
        return FAIL(EMEMORY_, "out of memory");
    ++*count;
    return 0;
}

static int collect(struct sums *s, const char *dataset, bool hosts)
{
    char **paths = NULL;
    int count = 0, rc = catalogue_paths(dataset, &paths, &count);
    for (int i = 0; i < count; i++) {
        struct catalogue *c = NULL;
        if (!rc)
            rc = catalogue_open_file(&c, paths[i]);
        if (!rc)
            rc = journal_classes(c, add_class, s);
        if (!rc && hosts)
            rc = journal_bad(c, add_host, s);
        catalogue_close(c);
        free(paths[i]);
    }
    free(paths);
    return rc;
}

static void as_json(struct buf *b, const struct sums *s, const struct map_entry *c, const struct map_entry *h,
                    double seconds, int64_t added)
{
    buf_fmt(b, "{\"rows\":%" PRId64 ",\"ok\":%" PRId64 ",\"failed\":{", s->ok + s->bad, s->ok);
    for (int64_t i = 0; i < map_count(s->classes); i++)
        buf_fmt(b, "%s\"%.*s\":%" PRId64, i ? "," : "", c[i].len, c[i].key, c[i].n);
    buf_fmt(b, "},\"bytes\":%" PRId64 ",\"seconds\":%.3f,\"images_per_second\":%.1f,\"added\":%" PRId64
            ",\"waiting\":%" PRId64 ",\"duplicates\":%" PRId64, s->bytes, seconds,
            seconds > 0 ? (double)added / seconds : 0, added, s->waiting, s->duplicates);
    if (h) {
        buf_str(b, ",\"worst_hosts\":{");
        for (int64_t i = 0; i < map_count(s->hosts) && i < WORST; i++) {
            buf_str(b, i ? ",\"" : "\"");
            for (const char *p = h[i].key; p < h[i].key + h[i].len; p++)
                buf_char(b, *p == '"' || *p == '\\' || (unsigned char)*p < 0x20 ? '_' : *p);
            buf_fmt(b, "\":%" PRId64, h[i].n);
        }
        buf_char(b, '}');
    }
    buf_str(b, "}\n");
}

static void as_table(struct buf *b, const struct sums *s, const struct map_entry *c, const struct map_entry *h,
                     double seconds, int64_t added)
{
    char size[32], time[32];
    int64_t rows = s->ok + s->bad;
    double percent = rows ? 100. / (double)rows : 0;
    format_bytes(size, (double)s->bytes);
    format_seconds(time, seconds);
    buf_fmt(b, "rows       %10" PRId64 "\nok         %10" PRId64 "  %5.1f %%  (%s)\n", rows, s->ok,
            percent * (double)s->ok, size);
    if (s->duplicates)
        buf_fmt(b, "           %10" PRId64 "  of them repeat another's bytes\n", s->duplicates);
    if (s->waiting)
        buf_fmt(b, "waiting    %10" PRId64 "\n", s->waiting);
    buf_fmt(b, "failed     %10" PRId64 "  %5.1f %%\n", s->bad, percent * (double)s->bad);
    for (int64_t i = 0; i < map_count(s->classes); i++)
        buf_fmt(b, "           %10" PRId64 "  %5.1f %%  %.*s\n", c[i].n, percent * (double)c[i].n, c[i].len,
                c[i].key);
    for (int64_t i = 0; h && i < map_count(s->hosts) && i < WORST; i++)
        buf_fmt(b, "%-10s %10" PRId64 "           %.*s\n", i ? "" : "worst", h[i].n, h[i].len, h[i].key);
    if (seconds > 0)
        buf_fmt(b, "time       %10s  (%" PRId64 " added, %.1f a second)\n", time, added, (double)added / seconds);
}

int fetch_result(const char *dataset, double seconds, int64_t added, bool json, bool hosts, char **result)
{
    struct sums s = {.classes = map_new(), .hosts = map_new()};
    struct map_entry *c = NULL, *h = NULL;
    struct buf b = {0};
    int rc = s.classes && s.hosts ? collect(&s, dataset, hosts) : FAIL(EMEMORY_, "out of memory");
    if (rc)
        goto done;
    c = map_by_value(s.classes);
    h = hosts ? map_by_value(s.hosts) : NULL;
    rc = FAIL(EMEMORY_, "out of memory");
    if (!c || (hosts && !h))
        goto done;
    (json ? as_json : as_table)(&b, &s, c, h, seconds, added);
    *result = buf_steal(&b);
    rc = *result ? 0 : FAIL(EMEMORY_, "out of memory");
done:
    free(c);
    free(h);
    map_free(s.classes);
    map_free(s.hosts);
    return rc;
}
