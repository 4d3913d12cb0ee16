// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "task/plan.h"

enum { WORST = 10 };
static const double z = 1.959963985;   // of 95 %

// A sample that is much of the whole says more: its size as if drawn from an endless list.
static double effective(int64_t n, int64_t all)
{
    return all > n ? (double)n * (double)(all - 1) / (double)(all - n) : INFINITY;
}

void share_interval(int64_t k, int64_t n, int64_t all, double *low, double *high)
{
    double p = n ? (double)k / (double)n : 0, e = effective(n, all);
    if (isinf(e)) {
        *low = *high = p;
        return;
    }
    double middle = (p + z * z / (2 * e)) / (1 + z * z / e);
    double half = z / (1 + z * z / e) * sqrt(p * (1 - p) / e + z * z / (4 * e * e));
    *low = k ? fmax(0, middle - half) : 0;
    *high = k < n ? fmin(1, middle + half) : 1;
}

struct estimate {
    double share, low, high, bytes, bytes_low, bytes_high, hours;
};

static struct estimate estimate(const struct plan *p)
{
    struct estimate e = {.share = (double)p->ok / (double)p->sampled};
    double n = (double)p->sampled, mean = p->bytes / n, all = (double)p->rows;
    double variance = n > 1 ? fmax(0, (p->squares - n * mean * mean) / (n - 1)) : 0;
    double half = z * sqrt(variance / effective(p->sampled, p->rows));
    share_interval(p->ok, p->sampled, p->rows, &e.low, &e.high);
    e.bytes = mean * all;
    e.bytes_low = fmax(0, mean - half) * all;
    e.bytes_high = (mean + half) * all;
    e.hours = p->rate > 0 ? all / p->rate / 3600 : 0;
    return e;
}

static json_t *real(double v) { return json_real(v); }

static char *as_json(const struct plan *p, const struct estimate *e, const struct map_entry *c, const struct map_entry *h)
{
    json_t *o = json_object(), *failed = json_object(), *classes = json_object(), *hosts = json_object();
    const struct { const char *name; json_t *v; } fields[] = {
        {"rows", json_integer(p->rows)}, {"sampled", json_integer(p->sampled)}, {"ok", json_integer(p->ok)},
        {"live_share", real(e->share)}, {"live_low", real(e->low)}, {"live_high", real(e->high)},
        {"bytes", real(rint(e->bytes))}, {"bytes_low", real(rint(e->bytes_low))}, {"bytes_high", real(rint(e->bytes_high))},
        {"hours", real(e->hours)}, {"rows_per_second", real(p->rate)}, {"images_per_second", real(p->rate * e->share)},
        {"failed", failed}, {"classes", classes}, {"worst_hosts", hosts}, {"seconds", real(p->seconds)}};
    for (int64_t i = 0; i < map_count(p->classes); i++) {
        double low, high;
        share_interval(c[i].n, p->sampled, p->rows, &low, &high);
        json_object_setn_new(failed, c[i].key, (size_t)c[i].len, json_integer(c[i].n));
        json_object_setn_new(classes, c[i].key, (size_t)c[i].len,
                             json_pack("{s:f,s:f,s:f}", "share", (double)c[i].n / (double)p->sampled, "low", low, "high",
                                       high));
    }
    for (int64_t i = 0; i < map_count(p->failed) && i < WORST; i++)
        json_object_setn_new(hosts, h[i].key, (size_t)h[i].len,
                             json_pack("{s:I,s:I}", "failed", (json_int_t)h[i].n, "asked",
                                       (json_int_t)map_get(p->asked, h[i].key, (size_t)h[i].len, 0)));
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        json_object_set_new(o, fields[i].name, fields[i].v);
    char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(o);
    struct buf b = {0};
    if (text)
        buf_fmt(&b, "%s\n", text);
    free(text);
    if (!text)
        buf_free(&b);
    return text ? buf_steal(&b) : NULL;
}

static char *as_table(const struct plan *p, const struct estimate *e, const struct map_entry *c, const struct map_entry *h)
{
    struct buf b = {0};
    char size[32], least[32], most[32], time[32];
    format_bytes(size, e->bytes);
    format_bytes(least, e->bytes_low);
    format_bytes(most, e->bytes_high);
    format_seconds(time, e->hours * 3600);
    buf_fmt(&b, "rows       %10" PRId64 "  of them %" PRId64 " asked\n", p->rows, p->sampled);
    buf_fmt(&b, "live       %10.1f %%  (95 %%: %.1f - %.1f)\n", 100 * e->share, 100 * e->low, 100 * e->high);
    buf_fmt(&b, "pictures   %10.0f  (%.0f - %.0f)\n", e->share * (double)p->rows, e->low * (double)p->rows,
            e->high * (double)p->rows);
    buf_fmt(&b, "to store   %10s  (%s - %s)\n", size, least, most);
    buf_fmt(&b, "time       %10s  at %.1f rows a second, as here\n", time, p->rate);
    for (int64_t i = 0; i < map_count(p->classes); i++) {
        double low, high;
        share_interval(c[i].n, p->sampled, p->rows, &low, &high);
        buf_fmt(&b, "%-10s %10.1f %%  (%.1f - %.1f)  %.*s\n", i ? "" : "failed", 100. * (double)c[i].n / (double)p->sampled,
                100 * low, 100 * high, c[i].len, c[i].key);
    }
    for (int64_t i = 0; i < map_count(p->failed) && i < WORST; i++)
        buf_fmt(&b, "%-10s %10" PRId64 "  of %" PRId64 "  %.*s\n", i ? "" : "worst", h[i].n,
                map_get(p->asked, h[i].key, (size_t)h[i].len, 0), h[i].len, h[i].key);
    return buf_steal(&b);
}

char *plan_text(const struct plan *p, int json)
{
    struct estimate e = estimate(p);
    struct map_entry *c = map_by_value(p->classes), *h = map_by_value(p->failed);
    char *text = !c || !h ? NULL : (json ? as_json : as_table)(p, &e, c, h);
    free(c);
    free(h);
    return text;
}
