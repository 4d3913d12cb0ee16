// SPDX-License-Identifier: Apache-2.0
// Picture files to one array, as the reference preprocesses them for CLIP.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/npy.h"
#include "base/threads.h"
#include "image/transform.h"
#include "task/input.h"
#include "task/task.h"

enum { BATCH = 64, SIZE_MAX_ = 8192 };

const struct transform transform_clip = {
    0, FILTER_BICUBIC, {.48145466f, .4578275f, .40821073f}, {.26862954f, .26130258f, .27577711f}};

int picture_from_file(const struct transform *t, const char *path, int64_t max_pixels, float *out)
{
    struct buf bytes = {0};
    int rc = file_read(path, &bytes);
    if (!rc && (rc = transform_load(t, bytes.at, bytes.len, max_pixels, out)) != 0)
        error_prefix(rc, "%s: ", path);
    buf_free(&bytes);
    return rc;
}

struct work {
    const diht_preprocess_options *o;
    struct transform t;
    int64_t from;
    size_t floats;             // of one picture
    float *out;                // [BATCH, 3, S, S]
    int rc[BATCH];
    char why[BATCH][512];      // a failure's sentence belongs to the worker's thread
};

static void one(void *arg, int64_t i, int worker)
{
    struct work *w = arg;
    w->rc[i] = picture_from_file(&w->t, w->o->images[w->from + i], w->o->max_pixels, w->out + (size_t)i * w->floats);
    if (w->rc[i])
        snprintf(w->why[i], sizeof w->why[i], "%s", error_last());
}

static int run(struct work *w, struct pool *pool, int64_t n, struct atomic_file *out)
{
    for (w->from = 0; w->from < n; w->from += BATCH) {
        int64_t count = n - w->from < BATCH ? n - w->from : BATCH;
        if (stop_requested())
            return FAIL(ESTOPPED_, "stopped after %" PRId64 " pictures; nothing was written", w->from);
        pool_run(pool, count, one, w);
        for (int64_t i = 0; i < count; i++)
            if (w->rc[i])
                return error_adopt(w->rc[i], w->why[i]);
        fwrite(w->out, w->floats * sizeof(float), (size_t)count, out->f);   // a short write shows at the commit
        log_progress("%" PRId64 " of %" PRId64 " pictures", w->from + count, n);
    }
    return 0;
}

int task_preprocess(const diht_preprocess_options *o, char **result)
{
    int64_t n = 0, s = o->size;
    double start = clock_now();
    stop_clear();
    if (s < 1 || s > SIZE_MAX_)
        return FAIL(EUSAGE_, "--size %" PRId64 ": 1 to %d expected", s, SIZE_MAX_);
    while (o->images && o->images[n])
        n++;
    struct atomic_file out = {0};
    struct pool *pool = NULL;
    struct work *w = calloc(1, sizeof *w);
    int rc = w ? 0 : FAIL(EMEMORY_, "out of memory");
    if (!rc) {
        *w = (struct work){.o = o, .t = transform_clip, .floats = (size_t)(3 * s * s)};
        w->t.size = o->size;
        w->out = malloc((size_t)(n < BATCH ? n : BATCH) * w->floats * sizeof(float) + 1);
        pool = pool_new(o->threads, NULL);
        rc = w->out && pool ? 0 : FAIL(EMEMORY_, "out of memory: no room for pictures of %dx%d", o->size, o->size);
    }
    if (!rc)
        rc = npy_begin(&out, o->out, NPY_F32, 4, (int64_t[]){n, 3, s, s});
    if (!rc) {
        rc = run(w, pool, n, &out);
        if (rc)
            atomic_abort(&out);
        else
            rc = atomic_commit(&out);
    }
    if (!rc) {
        struct buf b = {0};
        double seconds = clock_now() - start;
        buf_fmt(&b, o->json ? "{\"images\": %" PRId64 ", \"size\": %d, \"seconds\": %.4g}\n"
                            : "%" PRId64 " pictures of %d pixels a side in %.2f s\n", n, o->size, seconds);
        rc = (*result = buf_steal(&b)) ? 0 : EMEMORY_;
    }
    pool_free(pool);
    if (w)
        free(w->out);
    free(w);
    return rc;
}
