// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/error.h"
#include "base/npy.h"
#include "task/eval.h"
#include "task/held.h"
#include "task/recall.h"

enum { BOOTSTRAP_SEED = 20230105 };

static int open_rows(struct npy *a, const char *path)
{
    char what[96];
    int rc = npy_open(a, path);
    if (rc)
        return rc;
    npy_describe(a, what);
    if (a->ndim != 2 || (a->type != NPY_F32 && a->type != NPY_F16))
        return FAIL(EFORMAT_, "%s: float32 or float16 [rows, d] expected, %s found", path, what);
    if (a->count == 0)
        return FAIL(EFORMAT_, "%s: %s is empty", path, what);
    return 0;
}

static int open_map(struct npy *a, const char *path, int64_t texts)
{
    char what[96];
    int rc = npy_open(a, path);
    if (rc)
        return rc;
    npy_describe(a, what);
    if (a->ndim != 1 || a->type == NPY_F16 || a->type == NPY_F32 || a->type == NPY_F64)
        return FAIL(EFORMAT_, "%s: whole numbers [%lld] expected, the image row of each text; %s found", path,
                    (long long)texts, what);
    if (a->count != texts)
        return FAIL(EFORMAT_, "%s: %lld entries for %lld texts", path, (long long)a->count, (long long)texts);
    return 0;
}

// Galleries of `size` images by index.
static int64_t *cut_evenly(int64_t n, int64_t size, int64_t *galleries)
{
    *galleries = (n + size - 1) / size;
    int64_t *cut = malloc(((size_t)*galleries + 1) * sizeof *cut);
    for (int64_t g = 0; cut && g <= *galleries; g++)
        cut[g] = g * size < n ? g * size : n;
    if (!cut)
        FAIL(EMEMORY_, "out of memory: %lld ranges", (long long)*galleries);
    return cut;
}

// Figures of what is in `in`, as a table or JSON.
static int ranked(struct recall_input *in, int64_t ranges, int threads, bool json, char **result)
{
    struct ctx *ctx = NULL;
    struct recall_result r = {0};
    struct buf out = {0};
    int64_t *cut = NULL;
    int rc = 0;
    if (ranges < 0)
        return FAIL(EUSAGE_, "ranges of %lld images: 1 or more expected, or 0 for one gallery", (long long)ranges);
    if (ranges && !(cut = cut_evenly(in->n, ranges, &in->galleries)))
        rc = EMEMORY_;
    in->cut = cut;
    in->seed = BOOTSTRAP_SEED;
    if (!rc)
        rc = ctx_open(&ctx, F32, threads, NULL);
    if (!rc)
        rc = recall_measure(&r, ctx, in);
    if (!rc && json)
        rc = recall_json(&out, &r);
    else if (!rc)
        recall_table(&out, &r);
    if (!rc)
        rc = (*result = buf_steal(&out)) ? 0 : EMEMORY_;
    recall_free(&r);
    ctx_close(ctx);
    buf_free(&out);
    free(cut);
    return rc;
}

int recall_arrays(const diht_recall_options *o, char **result)
{
    struct recall_input in = {.images = o->images, .texts = o->texts, .n = o->n, .m = o->m, .d = o->d, .txt2img = o->txt2img,
                              .resamples = o->resamples};
    return ranked(&in, o->ranges, o->threads, o->json, result);
}

int eval_features(const diht_eval_options *o, char **result)
{
    struct npy images = {0}, texts = {0}, map = {0};
    int64_t *txt2img = NULL;
    int rc = open_rows(&images, o->image_features);
    if (!rc)
        rc = open_rows(&texts, o->text_features);
    if (!rc && images.shape[1] != texts.shape[1])
        rc = FAIL(EFORMAT_, "%s is %lld wide, %s %lld: features of one model are equally wide", o->image_features,
                  (long long)images.shape[1], o->text_features, (long long)texts.shape[1]);
    if (!rc && o->txt2img)
        rc = open_map(&map, o->txt2img, texts.shape[0]);
    else if (!rc && images.shape[0] != texts.shape[0])
        rc = FAIL(EUSAGE_, "%lld images and %lld texts: --txt2img must say which text belongs to which image",
                  (long long)images.shape[0], (long long)texts.shape[0]);
    if (!rc && o->txt2img && !(txt2img = npy_all_i64(&map)))
        rc = EMEMORY_;
    if (!rc) {
        struct recall_input in = {.image_file = &images, .text_file = &texts, .n = images.shape[0], .m = texts.shape[0],
                                  .d = images.shape[1], .txt2img = txt2img, .resamples = o->resamples};
        rc = ranked(&in, o->ranges, o->threads, o->json, result);
        if (rc == EFORMAT_)   // rows and columns are named, the files not yet
            error_prefix(rc, "%s, %s%s%s: ", o->image_features, o->text_features, o->txt2img ? ", " : "",
                         o->txt2img ? o->txt2img : "");
    }
    free(txt2img);
    npy_close(&images);
    npy_close(&texts);
    npy_close(&map);
    return rc;
}
