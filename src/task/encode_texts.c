// SPDX-License-Identifier: Apache-2.0
// Captions through the text tower, each inside one prompt or several, whose unit features are then averaged.
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/clock.h"
#include "base/log.h"
#include "task/encode_inner.h"

// "a|b": part k of a prompt ensemble; NULL after the last. No prompt: one empty part.
static const char *prompt_part(const char *prompt, int k, size_t *len)
{
    if (!prompt) {
        *len = 0;
        return k ? NULL : "";
    }
    for (; k > 0; k--) {
        prompt = strchr(prompt, '|');
        if (!prompt)
            return NULL;
        prompt++;
    }
    *len = strcspn(prompt, "|");
    return prompt;
}

int prompt_count(const char *prompt)
{
    int n = 0;
    size_t len;
    while (prompt_part(prompt, n, &len))
        n++;
    return n;
}

int prompt_check(const char *prompt)
{
    size_t len;
    const char *part;
    for (int k = 0; prompt && (part = prompt_part(prompt, k, &len)); k++)
        if (!memmem(part, len, "{}", 2))
            return FAIL(EUSAGE_, "--prompt \"%.*s\": {} marks the caption's place and is missing", (int)len, part);
    return 0;
}

void prompt_apply(struct buf *out, const char *prompt, int k, const char *caption)
{
    size_t len;
    const char *part = prompt_part(prompt, k, &len), *at = part ? memmem(part, len, "{}", 2) : NULL;
    if (at)
        buf_add(out, part, (size_t)(at - part));
    buf_str(out, caption);
    if (at)
        buf_add(out, at + 2, len - (size_t)(at + 2 - part));
}

struct writer {
    struct features *f;
    struct clip *clip;
    const struct tokenizer *t;
    const struct features_options *o;
    struct feature_file *file;
    int prompts;
    int64_t room, n;         // captions a batch; in it
    int32_t *ids, *starts;   // [room x prompts x context], [room x prompts + 1]
    struct token_scratch *scratch;
    struct buf text;
    float *rows;             // [room x prompts, d]; ensembles only
    view raw, unit;
};

static int writer_open(struct writer *w)
{
    struct ctx *ctx = clip_ctx(w->clip);
    int64_t d = w->f->d, texts;
    w->prompts = prompt_count(w->o->prompt);
    w->room = w->o->batch / w->prompts > 0 ? w->o->batch / w->prompts : 1;
    texts = w->room * w->prompts;
    w->ids = malloc((size_t)(texts * clip_config(w->clip)->text.context_length) * sizeof *w->ids);
    w->starts = malloc(((size_t)texts + 1) * sizeof *w->starts);
    w->rows = w->prompts > 1 ? malloc((size_t)(texts * d) * sizeof *w->rows) : NULL;
    w->scratch = token_scratch_new();
    w->raw = ctx_alloc(ctx, F32, texts * d);
    w->unit = ctx_alloc(ctx, F32, texts * d);
    if (!w->ids || !w->starts || !w->scratch || (w->prompts > 1 && !w->rows) || !w->raw.at || !w->unit.at)
        return FAIL(EMEMORY_, "out of memory: a batch of %" PRId64 " texts", texts);
    w->starts[0] = 0;
    return 0;
}

static void writer_close(struct writer *w)
{
    free(w->ids);
    free(w->starts);
    free(w->rows);
    token_scratch_free(w->scratch);
    buf_free(&w->text);
    ctx_free(clip_ctx(w->clip), w->raw);
    ctx_free(clip_ctx(w->clip), w->unit);
}

static int add_caption(struct writer *w, const char *caption)
{
    for (int k = 0; k < w->prompts; k++) {
        int64_t at = w->n * w->prompts + k;
        buf_clear(&w->text);
        prompt_apply(&w->text, w->o->prompt, k, caption);
        int len = w->text.failed ? w->text.failed
                                 : tokenizer_encode(w->t, w->scratch, w->text.at, w->text.len, w->ids + w->starts[at],
                                                    clip_config(w->clip)->text.context_length);
        if (len < 0)
            return len;
        w->starts[at + 1] = w->starts[at] + len;
    }
    w->n++;
    return 0;
}

// The mean over the prompts; a unit again unless raw ones are wanted.
static void average(float *out, const float *rows, int64_t prompts, int64_t d, bool unit)
{
    double length = 0;
    for (int64_t k = 0; k < d; k++) {
        double sum = 0;
        for (int64_t p = 0; p < prompts; p++)
            sum += rows[p * d + k];
        out[k] = (float)(sum / (double)prompts);
        length += (double)out[k] * out[k];
    }
    for (int64_t k = 0; k < d && unit && length > 0; k++)
        out[k] = (float)(out[k] / sqrt(length));
}

// The batch's features to `rows` [w->n, d], and kept.
static int flush(struct writer *w, float *rows)
{
    int64_t d = w->f->d, texts = w->n * w->prompts;
    int rc = clip_encode_texts(w->clip, &(struct texts){.n = texts, .ids = w->ids, .starts = w->starts}, w->raw, NULL);
    if (rc)
        return rc;
    features_take(w->clip, w->raw, w->unit, texts, w->o->raw, w->prompts > 1 ? w->rows : rows);
    for (int64_t i = 0; i < w->n && w->prompts > 1; i++)
        average(rows + i * d, w->rows + i * w->prompts * d, w->prompts, d, !w->o->raw);
    for (int64_t i = 0; i < w->n && !rc; i++)
        rc = feature_file_add(w->file, true, rows + i * d);
    w->n = 0;
    return rc ? rc : feature_file_flush(w->file);
}

int encode_texts(struct features *f, struct clip *clip, const struct tokenizer *t, const struct source *s,
                 const struct features_options *o, struct feature_file *file)
{
    struct writer w = {.f = f, .clip = clip, .t = t, .o = o, .file = file};
    int64_t done = feature_file_rows(file), at = 0;
    int rc = writer_open(&w);
    done = done < f->m ? done / w.room * w.room : done;
    if (!rc)
        rc = feature_file_cut(file, done);
    for (int64_t i = 0; i < done && !rc; i++) {
        bool good;
        rc = feature_file_read(file, i, &good, f->texts + i * f->d);
    }
    if (!rc)
        rc = feature_file_cut(file, done);
    for (int64_t i = 0; i < source_count(s) && !rc && done < f->m; i++) {
        struct sample sample;
        source_sample(s, i, &sample);
        for (int k = 0; k < sample.caption_count && !rc; k++, at++) {
            if (at < done)
                continue;
            rc = add_caption(&w, sample.captions[k]);
            if (rc || (w.n < w.room && at < f->m - 1))
                continue;
            rc = flush(&w, f->texts + (at + 1 - w.n) * f->d);
            log_progress("%" PRId64 "/%" PRId64 " captions", at + 1, f->m);
            if (!rc && stop_requested())
                rc = FAIL(ESTOPPED_, "stopped after %" PRId64 " of %" PRId64 " captions; %s", at + 1, f->m,
                          file ? "the same command goes on from there" : "nothing was written");
        }
    }
    writer_close(&w);
    return rc;
}
