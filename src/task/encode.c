// SPDX-License-Identifier: Apache-2.0
#include "task/encode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "data/loader.h"

int model_open(struct clip **clip, struct tokenizer **tokenizer, struct ctx *ctx, const char *path)
{
    int rc = clip_open(clip, ctx, path);
    if (rc || !tokenizer)
        return rc;
    const char *merges = clip_meta(*clip, "diht.merges");
    if (!merges)
        return FAIL(EMISSING_, "%s: no vocabulary inside (diht.merges): token ids can be given with --ids-npy", path);
    rc = tokenizer_parse(tokenizer, merges, strlen(merges), path);
    if (!rc && tokenizer_vocab(*tokenizer) != clip_config(*clip)->text.vocab_size)
        rc = FAIL(EFORMAT_, "%s: its vocabulary has %d token ids, its token embedding %d rows", path,
                  tokenizer_vocab(*tokenizer), clip_config(*clip)->text.vocab_size);
    return rc;
}

int prompt_check(const char *prompt)
{
    if (prompt && !strstr(prompt, "{}"))
        return FAIL(EUSAGE_, "--prompt \"%s\": {} marks the caption's place and is missing", prompt);
    return 0;
}

void prompt_apply(struct buf *out, const char *prompt, const char *caption)
{
    const char *at = prompt ? strstr(prompt, "{}") : NULL;
    if (at)
        buf_add(out, prompt, (size_t)(at - prompt));
    buf_str(out, caption);
    if (at)
        buf_str(out, at + 2);
}

// The raw or unit features of n rows at `to`.
static void take(struct clip *clip, view raw, view unit, int64_t n, bool keep_raw, float *to)
{
    struct ctx *ctx = clip_ctx(clip);
    if (!keep_raw)
        clip_unit(clip, unit, NO_VIEW, raw, n);
    ctx_get(ctx, to, keep_raw ? raw : unit, n * clip_config(clip)->embed_dim);
}

static int encode_images(struct features *f, struct clip *clip, const struct source *s,
                         const struct features_options *o)
{
    const struct config *c = clip_config(clip);
    struct ctx *ctx = clip_ctx(clip);
    int64_t side = c->vision.image_size, pixels = 3 * side * side;
    struct loader *loader = NULL;
    struct loader_options lo = {.source = s, .mode = LOADER_SEQUENTIAL, .batch = o->batch, .threads = o->loaders,
                                .transform = {.size = (int)side, .filter = (enum image_filter)c->vision.interpolation}};
    memcpy(lo.transform.mean, c->vision.mean, sizeof lo.transform.mean);
    memcpy(lo.transform.std, c->vision.std, sizeof lo.transform.std);
    view images = ctx_alloc(ctx, F32, o->batch * pixels), raw = ctx_alloc(ctx, F32, o->batch * f->d),
         unit = ctx_alloc(ctx, F32, o->batch * f->d);
    int rc = images.at && raw.at && unit.at ? loader_open(&loader, &lo) : EMEMORY_;
    const struct batch *b;
    double start = clock_now();
    while (!rc && (rc = loader_next(loader, &b)) > 0) {
        ctx_put(ctx, images, b->images, b->n * pixels);
        rc = clip_encode_images(clip, images, b->n, raw, NULL);
        if (rc)
            break;
        take(clip, raw, unit, b->n, o->raw, f->images + f->n * f->d);
        memcpy(f->index + f->n, b->index, (size_t)b->n * sizeof *f->index);
        f->n += b->n;
        double rate = (double)f->n / (clock_now() - start);
        char left[32];
        format_seconds(left, (double)(source_count(s) - f->n) / rate);
        log_progress("%" PRId64 "/%" PRId64 " pictures  %.0f a second  %s left", f->n, source_count(s), rate, left);
        if (stop_requested())
            rc = FAIL(ESTOPPED_, "stopped after %" PRId64 " of %" PRId64 " pictures; nothing was written", f->n,
                      source_count(s));
    }
    if (!rc && loader)
        f->bad = loader_stats(loader).bad;
    if (!rc && f->n == 0)
        rc = FAIL(EFORMAT_, "%s: none of the %" PRId64 " pictures could be used", source_path(s), source_count(s));
    loader_close(loader);
    ctx_free(ctx, images);
    ctx_free(ctx, raw);
    ctx_free(ctx, unit);
    return rc;
}

static int encode_texts(struct features *f, struct clip *clip, const struct tokenizer *t, const struct source *s,
                        const struct features_options *o)
{
    const struct config *c = clip_config(clip);
    struct ctx *ctx = clip_ctx(clip);
    int context = c->text.context_length;
    int64_t batch = o->batch, done = 0;
    int32_t *ids = malloc((size_t)(batch * context) * sizeof *ids),
            *starts = malloc(((size_t)batch + 1) * sizeof *starts);
    struct token_scratch *scratch = token_scratch_new();
    struct buf text = {0};
    view raw = ctx_alloc(ctx, F32, batch * f->d), unit = ctx_alloc(ctx, F32, batch * f->d);
    int rc = ids && starts && scratch && raw.at && unit.at
                 ? 0
                 : FAIL(EMEMORY_, "out of memory: a batch of %" PRId64 " captions", batch);
    int64_t n = 0;
    for (int64_t i = 0; i < f->n && !rc; i++) {
        struct sample sample;
        source_sample(s, f->index[i], &sample);
        for (int k = 0; k < sample.caption_count && !rc; k++) {
            starts[0] = 0;
            buf_clear(&text);
            prompt_apply(&text, o->prompt, sample.captions[k]);
            int len =
                text.failed ? text.failed : tokenizer_encode(t, scratch, text.at, text.len, ids + starts[n], context);
            if (len < 0)
                rc = len;
            else {
                starts[n + 1] = starts[n] + len;
                f->txt2img[done + n++] = i;
            }
            bool last = i == f->n - 1 && k == sample.caption_count - 1;
            if (!rc && (n == batch || last)) {
                rc = clip_encode_texts(clip, &(struct texts){.n = n, .ids = ids, .starts = starts}, raw, NULL);
                if (!rc)
                    take(clip, raw, unit, n, o->raw, f->texts + done * f->d);
                done += n;
                n = 0;
            }
        }
    }
    f->m = done;
    free(ids);
    free(starts);
    token_scratch_free(scratch);
    buf_free(&text);
    ctx_free(ctx, raw);
    ctx_free(ctx, unit);
    return rc;
}

int features_encode(struct features *f, struct clip *clip, const struct tokenizer *t, const struct source *s,
                    const struct features_options *o)
{
    memset(f, 0, sizeof *f);
    if (o->batch < 1)
        return FAIL(EUSAGE_, "--batch %d: 1 or more expected", o->batch);
    int rc = prompt_check(o->prompt);
    if (rc)
        return rc;
    int64_t n = source_count(s), m = 0;
    for (int64_t i = 0; i < n; i++) {
        struct sample sample;
        source_sample(s, i, &sample);
        m += sample.caption_count;
    }
    f->d = clip_config(clip)->embed_dim;
    f->images = malloc((size_t)(n * f->d) * sizeof *f->images);
    f->texts = malloc((size_t)(m * f->d) * sizeof *f->texts);
    f->txt2img = malloc((size_t)m * sizeof *f->txt2img);
    f->index = malloc((size_t)n * sizeof *f->index);
    if (!f->images || !f->texts || !f->txt2img || !f->index)
        rc = FAIL(EMEMORY_, "out of memory: features of %" PRId64 " pictures and %" PRId64 " captions", n, m);
    if (!rc)
        rc = encode_images(f, clip, s, o);
    if (!rc)
        rc = encode_texts(f, clip, t, s, o);
    if (rc)
        features_free(f);
    return rc;
}

void features_keep(struct features *f, const struct source *s,
                   bool (*keep)(const void *user, const struct sample *sample), const void *user)
{
    int64_t n = 0, m = 0, text = 0;
    for (int64_t i = 0; i < f->n; i++) {
        struct sample sample;
        source_sample(s, f->index[i], &sample);
        bool kept = keep(user, &sample);
        for (; text < f->m && f->txt2img[text] == i; text++)   // texts lie in the order of their images
            if (kept) {
                memmove(f->texts + m * f->d, f->texts + text * f->d, (size_t)f->d * sizeof *f->texts);
                f->txt2img[m++] = n;
            }
        if (kept) {
            memmove(f->images + n * f->d, f->images + i * f->d, (size_t)f->d * sizeof *f->images);
            f->index[n++] = f->index[i];
        }
    }
    f->n = n;
    f->m = m;
}

void features_free(struct features *f)
{
    free(f->images);
    free(f->texts);
    free(f->txt2img);
    free(f->index);
    memset(f, 0, sizeof *f);
}
