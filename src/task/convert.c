// SPDX-License-Identifier: Apache-2.0
// A checkpoint of any kind the readers know becomes one .safetensors file with its configuration inside.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/npy.h"
#include "model/infer.h"
#include "model/torch.h"
#include "task/encode.h"
#include "task/models.h"
#include "task/task.h"

enum { CHUNK = 1 << 15 };

static int find_type(const char *word, int *type)
{
    static const struct {
        const char *word;
        int type;
    } words[] = {{"fp32", ST_F32}, {"fp16", ST_F16}, {"bf16", ST_BF16}, {"int8", ST_I8}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, word) == 0) {
            *type = words[i].type;
            return 0;
        }
    return FAIL(EUSAGE_, "--dtype %s: fp32, fp16, bf16 and int8 are possible", word);
}

// Upper half of a float, rounded to nearest even; a NaN stays one.
static uint16_t brain(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (x != x)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

// One tensor's elements into the file as `type`.
static int write_one(struct atomic_file *a, const struct st_tensor *t, enum st_type type)
{
    double *wide = malloc(CHUNK * sizeof *wide);
    float *x = malloc(CHUNK * sizeof *x);
    uint16_t *half = malloc(CHUNK * sizeof *half);
    int rc = wide && x && half ? 0 : FAIL(EMEMORY_, "out of memory");
    for (int64_t at = 0; at < t->count && !rc; at += CHUNK) {
        int64_t n = t->count - at < CHUNK ? t->count - at : CHUNK;
        const void *bytes = type == ST_F64 ? (void *)wide : type == ST_F32 ? (void *)x : (void *)half;
        if (type == ST_F64)
            st_read_f64(t, at, n, wide);
        else
            st_read_f32(t, at, n, x);
        for (int64_t i = 0; i < n && type == ST_F16; i++)
            half[i] = float_to_half(x[i]);
        for (int64_t i = 0; i < n && type == ST_BF16; i++)
            half[i] = brain(x[i]);
        rc = st_add(a, bytes, n * st_type_size(type));
    }
    free(wide);
    free(x);
    free(half);
    return rc;
}

// As codes: the largest value of a row is 127, `scale` x a code is the value again. What --precision int8 would make of it.
static int quantise(struct atomic_file *a, const struct st_tensor *t, float *scale, const char *path)
{
    int64_t rows = t->shape[0], n = t->count / rows;
    float *x = malloc((size_t)n * sizeof *x);
    int8_t *code = malloc((size_t)n);
    int rc = x && code ? 0 : FAIL(EMEMORY_, "out of memory");
    for (int64_t i = 0; i < rows && !rc; i++) {
        float most = 0;
        bool finite = true;
        st_read_f32(t, i * n, n, x);
        for (int64_t k = 0; k < n; k++) {
            finite &= isfinite(x[k]);
            most = fmaxf(most, fabsf(x[k]));
        }
        if (!finite)
            rc = FAIL(EFORMAT_, "%s: tensor %.80s row %lld holds a value that is no number: it has no int8 form", path, t->name,
                      (long long)i);
        scale[i] = most > 0 ? most / 127 : 1;
        for (int64_t k = 0; k < n && !rc; k++)
            code[k] = (int8_t)lrintf(fmaxf(-127, fminf(127, x[k] / scale[i])));
        if (!rc)
            rc = st_add(a, code, n);
    }
    free(x);
    free(code);
    return rc;
}

// The matrices of the blocks: nearly all of a model. Embeddings, positions, norms and projections stay as they are.
static bool becomes_codes(const struct st_tensor *t)
{
    return t->ndim == 2 && t->count > 0 && strlen(t->name) < 100 && strstr(t->name, "resblocks.") != NULL;
}

// The file's tensors of real numbers (OpenAI's whole numbers repeat the configuration) and its metadata.
static int convert(const struct st_file *f, const struct config *c, int type, const char *out, int *count)
{
    struct st_entry *entries = calloc(2 * (size_t)f->n + 1, sizeof *entries);
    char (*names)[128] = calloc(2 * (size_t)f->n + 1, sizeof *names);
    float **scales = calloc((size_t)f->n + 1, sizeof *scales);
    const struct st_tensor **tensors = calloc((size_t)f->n + 1, sizeof *tensors);
    struct st_pair *meta = calloc((size_t)f->nmeta + 1, sizeof *meta);
    char *config = config_json(c);
    struct atomic_file a = {0};
    int n = 0, nmeta = 0, rc = 0;
    if (!entries || !names || !scales || !tensors || !meta || !config) {
        rc = FAIL(EMEMORY_, "out of memory");
        goto done;
    }
    for (int i = 0; i < f->n; i++) {
        const struct st_tensor *t = &f->tensors[i];
        if (!st_readable(t))
            continue;
        bool codes = becomes_codes(t) && (type == ST_I8 || (type < 0 && t->scale));
        enum st_type own = t->type == ST_I8 ? ST_F32 : t->type;
        tensors[n] = t;
        entries[n] = (struct st_entry){t->name, codes ? ST_I8 : type < 0 || type == ST_I8 ? own : (enum st_type)type, t->ndim,
                                       t->shape};
        scales[n] = codes ? malloc((size_t)t->shape[0] * sizeof **scales) : NULL;
        if (codes && !scales[n])
            rc = FAIL(EMEMORY_, "out of memory");
        n++;
    }
    int plain = n;   // then the scales, in the same order
    for (int i = 0; i < plain; i++) {
        if (!scales[i])
            continue;
        snprintf(names[n], sizeof names[n], "%s.scale", entries[i].name);
        entries[n] = (struct st_entry){names[n], ST_F32, 1, tensors[i]->shape};
        n++;
    }
    if (rc)
        goto done;
    meta[nmeta++] = (struct st_pair){"diht.config", config};
    for (int i = 0; i < f->nmeta; i++)
        if (strcmp(f->meta[i].key, "diht.config") != 0)
            meta[nmeta++] = (struct st_pair){f->meta[i].key, f->meta[i].value};
    if ((rc = st_begin(&a, out, entries, n, meta, nmeta)))
        goto done;
    for (int i = 0; i < plain && !rc; i++)
        rc = scales[i] ? quantise(&a, tensors[i], scales[i], out) : write_one(&a, tensors[i], entries[i].type);
    for (int i = 0; i < plain && !rc; i++)
        if (scales[i])
            rc = st_add(&a, scales[i], tensors[i]->shape[0] * (int64_t)sizeof **scales);
    if (rc)
        atomic_abort(&a);
    else
        rc = atomic_commit(&a);
    *count = plain;
done:
    for (int i = 0; scales && i < f->n; i++)
        free(scales[i]);
    free(scales);
    free(names);
    free(entries);
    free(tensors);
    free(meta);
    free(config);
    return rc;
}

static int convert_file(const diht_convert_options *o, char **result)
{
    struct st_file f;
    struct config c;
    const struct model_as as = model_as(&o->as);
    struct buf b = {0};
    int type = -1, n = 0;
    *result = NULL;
    int rc = o->dtype ? find_type(o->dtype, &type) : 0;
    if (!rc && as.image_size)
        rc = FAIL(EUSAGE_, "--image-size %d: weights are written as they are; give the size where the model is used",
                  as.image_size);
    if (!rc && strcmp(path_ext(o->out), ".safetensors") != 0)
        rc = FAIL(EUSAGE_, "%s: models are written as .safetensors; give it that ending", o->out);
    if (rc || (rc = weights_open(&f, o->path)))
        return rc;
    if (!(rc = config_of_file(&c, &f, o->path, &as)))
        rc = convert(&f, &c, type, o->out, &n);
    st_close(&f);
    if (rc)
        return rc;
    buf_fmt(&b, o->json ? "{\"tensors\":%d}\n" : "%d tensors written\n", n);
    if (!(*result = buf_steal(&b)))
        rc = FAIL(EMEMORY_, "out of memory");
    return rc;
}

int task_convert(const diht_convert_options *o, char **result)
{
    diht_convert_options found = *o;
    char *path;
    int rc = model_find(&path, o->path);
    found.path = path;
    if (!rc)
        rc = convert_file(&found, result);
    free(path);
    return rc;
}
