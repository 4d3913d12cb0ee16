// SPDX-License-Identifier: Apache-2.0
// Pictures to the lines of text in them, a JSON line a picture, in the order given.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/threads.h"
#include "image/encode.h"
#include "image/image.h"
#include "spot/spot.h"
#include "task/spot.h"
#include "task/task.h"

enum { BATCH = 64 };   // pictures whose lines are held until those before them are there

struct picture {
    struct spot_lines lines;
    int rc;
    char why[512];
};

struct work {
    const diht_spot_options *o;
    struct spotter *s;
    int64_t from;
    struct picture picture[BATCH];
};

static void one(void *arg, int64_t i, int worker)
{
    struct work *w = arg;
    struct picture *p = &w->picture[i];
    const char *path = w->o->images[w->from + i];
    struct buf bytes = {0};
    struct image im = {0};
    struct decoding how = {.shown = true};   // black letters on nothing are black on white to who sees them
    spot_lines_free(&p->lines);
    p->rc = file_read(path, &bytes);
    if (!p->rc && (p->rc = image_decode_as(&im, bytes.at, bytes.len, &how)))
        error_prefix(p->rc, "%s: ", path);
    if (!p->rc)
        p->rc = spot_picture(w->s, worker, &im, &p->lines);
    if (!p->rc && w->o->draw) {
        buf_clear(&bytes);
        spot_draw(&im, &p->lines);
        if (!(p->rc = image_png(&bytes, &im)))
            p->rc = file_write(w->o->draw, bytes.at, bytes.len);
    }
    if (p->rc)
        snprintf(p->why, sizeof p->why, "%s", error_last());
    image_free(&im);
    buf_free(&bytes);
}

static void put(struct buf *out, const char *path, const struct picture *p, bool json)
{
    if (json && !p->rc) {
        spot_lines_write(out, path, &p->lines);
    } else if (json) {
        buf_str(out, "{\"file\":");
        json_text(out, path, strlen(path));
        buf_str(out, ",\"lines\":[],\"error\":");
        json_text(out, p->why, strlen(p->why));
        buf_str(out, "}\n");
    } else if (p->rc) {
        buf_fmt(out, "%s\n", p->why);
    } else {
        buf_fmt(out, "%s: %d line%s\n", path, p->lines.n, p->lines.n == 1 ? "" : "s");
        for (int i = 0; i < p->lines.n; i++)
            buf_fmt(out, "  %.3f  %s\n", p->lines.line[i].confidence, p->lines.line[i].text);
    }
}

static int run(struct work *w, struct pool *pool, int64_t n, void (*write)(void *, const char *, size_t), void *user)
{
    struct buf out = {0};
    int64_t bad = 0;
    int rc = 0, first_rc = 0;
    char first[512] = "";
    for (w->from = 0; w->from < n && !rc; w->from += BATCH) {
        int64_t count = n - w->from < BATCH ? n - w->from : BATCH;
        if (stop_requested()) {
            rc = FAIL(ESTOPPED_, "stopped after %" PRId64 " of %" PRId64 " pictures", w->from, n);
            break;
        }
        pool_run(pool, count, one, w);
        buf_clear(&out);
        for (int64_t i = 0; i < count; i++) {
            const struct picture *p = &w->picture[i];
            put(&out, w->o->images[w->from + i], p, w->o->json);
            if (p->rc && !bad++) {
                first_rc = p->rc;
                snprintf(first, sizeof first, "%s", p->why);
            }
        }
        if (!(rc = out.failed))
            write(user, out.at, out.len);
        if (n > BATCH)
            log_progress("%" PRId64 " of %" PRId64 " pictures", w->from + count, n);
    }
    buf_free(&out);
    if (!rc && bad == 1)
        return error_adopt(first_rc, first);
    return !rc && bad ? FAIL(first_rc, "%" PRId64 " of %" PRId64 " pictures were not read; the first: %s", bad, n, first) : rc;
}

int task_spot(const diht_spot_options *o, void (*write)(void *user, const char *text, size_t n), void *user)
{
    int64_t n = 0;
    while (o->images && o->images[n])
        n++;
    if (o->draw && n != 1)
        return FAIL(EUSAGE_, "--draw paints one picture, not %" PRId64, n);
    stop_clear();
    struct spot_options so;
    spot_defaults(&so);
    so.models = o->spot_models;
    so.side = o->spot_side;
    so.threads = o->threads;
    if (n < cpu_count() && !so.threads)
        so.threads = n ? (int)n : 1;
    struct pool *pool = NULL;
    struct work *w = calloc(1, sizeof *w);
    int rc = w ? 0 : FAIL(EMEMORY_, "out of memory");
    if (!rc) {
        w->o = o;
        rc = spot_open(&w->s, &so);
    }
    if (!rc && !(pool = pool_new(spot_threads(w->s), NULL)))
        rc = FAIL(EMEMORY_, "no threads to be had");
    if (!rc)
        rc = run(w, pool, n, write, user);
    pool_free(pool);
    if (w) {
        spot_close(w->s);
        for (int i = 0; i < BATCH; i++)
            spot_lines_free(&w->picture[i].lines);
    }
    free(w);
    return rc;
}
