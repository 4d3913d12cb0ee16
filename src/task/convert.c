// SPDX-License-Identifier: Apache-2.0
// A checkpoint of any kind the readers know becomes one .safetensors file with its configuration inside.
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/npy.h"
#include "model/infer.h"
#include "model/torch.h"
#include "task/encode.h"
#include "task/task.h"

enum { CHUNK = 1 << 15 };

static int find_type(const char *word, int *type)
{
    static const struct {
        const char *word;
        int type;
    } words[] = {{"fp32", ST_F32}, {"fp16", ST_F16}, {"bf16", ST_BF16}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, word) == 0) {
            *type = words[i].type;
            return 0;
        }
    return FAIL(EUSAGE_, "--dtype %s: fp32, fp16 and bf16 are possible", word);
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

// The file's tensors of real numbers (OpenAI's whole numbers repeat the configuration) and its metadata.
static int convert(const struct st_file *f, const struct config *c, int type, const char *out, int *count)
{
    struct st_entry *entries = calloc((size_t)f->n + 1, sizeof *entries);
    const struct st_tensor **tensors = calloc((size_t)f->n + 1, sizeof *tensors);
    struct st_pair *meta = calloc((size_t)f->nmeta + 1, sizeof *meta);
    char *config = config_json(c);
    struct atomic_file a = {0};
    int n = 0, nmeta = 0, rc = 0;
    if (!entries || !tensors || !meta || !config) {
        rc = FAIL(EMEMORY_, "out of memory");
        goto done;
    }
    for (int i = 0; i < f->n; i++) {
        const struct st_tensor *t = &f->tensors[i];
        if (!st_is_real(t->type))
            continue;
        tensors[n] = t;
        entries[n++] = (struct st_entry){t->name, type < 0 ? t->type : (enum st_type)type, t->ndim, t->shape};
    }
    meta[nmeta++] = (struct st_pair){"diht.config", config};
    for (int i = 0; i < f->nmeta; i++)
        if (strcmp(f->meta[i].key, "diht.config") != 0)
            meta[nmeta++] = (struct st_pair){f->meta[i].key, f->meta[i].value};
    if ((rc = st_begin(&a, out, entries, n, meta, nmeta)))
        goto done;
    for (int i = 0; i < n && !rc; i++)
        rc = write_one(&a, tensors[i], entries[i].type);
    if (rc)
        atomic_abort(&a);
    else
        rc = atomic_commit(&a);
    *count = n;
done:
    free(entries);
    free(tensors);
    free(meta);
    free(config);
    return rc;
}

int task_convert(const diht_convert_options *o, char **result)
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
