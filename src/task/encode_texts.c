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

int prompt_split(struct names *out, const char *prompt)
{
    char *copy = strdup(prompt ? prompt : "{}"), *save = NULL;
    int rc = copy ? 0 : FAIL(EMEMORY_, "out of memory");
    *out = (struct names){0};
    for (char *part = copy ? strtok_r(copy, "|", &save) : NULL; part && !rc; part = strtok_r(NULL, "|", &save))
        rc = names_add(out, part);
    if (!rc && out->n == 0)
        rc = FAIL(EUSAGE_, "--prompt \"%s\": {} marks the caption's place and is missing", prompt);
    free(copy);
    return rc;
}

int prompt_check(const char *prompt)
{
    struct names parts;
    int rc = prompt_split(&parts, prompt);
    for (int64_t k = 0; k < parts.n && !rc; k++)
        if (!strstr(parts.at[k], "{}"))
            rc = FAIL(EUSAGE_, "--prompt \"%s\": {} marks the caption's place and is missing", parts.at[k]);
    names_clear(&parts);
    return rc;
}

void prompt_apply(struct buf *out, const char *prompt, const char *text)
{
    const char *at = strstr(prompt, "{}"), *other = strstr(prompt, "{c}");
    size_t wide = at && (!other || at < other) ? 2 : 3;
    at = wide == 2 ? at : other;
    buf_clear(out);
    buf_add(out, prompt, at ? (size_t)(at - prompt) : strlen(prompt));
    if (at)
        buf_fmt(out, "%s%s", text, at + wide);
}

// Texts on their way through the tower, a batch at a time.
struct writer {
    struct clip *clip;
    const struct tokenizer *t;
    const struct names *prompts;
    bool raw;
    int64_t room, n, d;      // texts a batch; in it; width of a row
    int32_t *ids, *starts;   // [room x prompts x context], [room x prompts + 1]
    struct token_scratch *scratch;
    struct buf text;
    float *rows;             // [room x prompts, d]; several prompts only
    view features, unit;
};

static int writer_open(struct writer *w, struct clip *clip, const struct tokenizer *t, const struct names *prompts,
                       bool raw, int batch)
{
    struct ctx *ctx = clip_ctx(clip);
    *w = (struct writer){.clip = clip, .t = t, .prompts = prompts, .raw = raw, .d = clip_config(clip)->embed_dim};
    w->room = batch / prompts->n > 0 ? batch / prompts->n : 1;
    int64_t all = w->room * prompts->n;
    w->ids = malloc((size_t)(all * clip_config(clip)->text.context_length) * sizeof *w->ids);
    w->starts = malloc(((size_t)all + 1) * sizeof *w->starts);
    w->rows = prompts->n > 1 ? malloc((size_t)(all * w->d) * sizeof *w->rows) : NULL;
    w->scratch = token_scratch_new();
    w->features = ctx_alloc(ctx, F32, all * w->d);
    w->unit = ctx_alloc(ctx, F32, all * w->d);
    if (!w->ids || !w->starts || !w->scratch || (prompts->n > 1 && !w->rows) || !w->features.at || !w->unit.at)
        return FAIL(EMEMORY_, "out of memory: a batch of %" PRId64 " texts", all);
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
    ctx_free(clip_ctx(w->clip), w->features);
    ctx_free(clip_ctx(w->clip), w->unit);
}

static int add_text(struct writer *w, const char *text)
{
    int context = clip_config(w->clip)->text.context_length;
    for (int64_t k = 0; k < w->prompts->n; k++) {
        int64_t at = w->n * w->prompts->n + k;
        prompt_apply(&w->text, w->prompts->at[k], text);
        int len = w->text.failed ? w->text.failed
                                 : tokenizer_encode(w->t, w->scratch, w->text.at ? w->text.at : "", w->text.len,
                                                    w->ids + w->starts[at], context);
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

// The batch's features to `rows` [w->n, d].
static int flush(struct writer *w, float *rows)
{
    int64_t prompts = w->prompts->n, all = w->n * prompts;
    int rc = clip_encode_texts(w->clip, &(struct texts){.n = all, .ids = w->ids, .starts = w->starts}, w->features, NULL);
    if (rc)
        return rc;
    features_take(w->clip, w->features, w->unit, all, w->raw, prompts > 1 ? w->rows : rows);
    for (int64_t i = 0; i < w->n && prompts > 1; i++)
        average(rows + i * w->d, w->rows + i * prompts * w->d, prompts, w->d, !w->raw);
    w->n = 0;
    return 0;
}

int texts_encode(float *rows, struct clip *clip, const struct tokenizer *t, const struct names *texts,
                 const struct names *prompts, int batch)
{
    struct writer w;
    int rc = writer_open(&w, clip, t, prompts, false, batch);
    for (int64_t i = 0; i < texts->n && !rc; i++) {
        rc = add_text(&w, texts->at[i]);
        if (rc || (w.n < w.room && i < texts->n - 1))
            continue;
        rc = flush(&w, rows + (i + 1 - w.n) * w.d);
        log_progress("%" PRId64 "/%" PRId64 " texts", i + 1, texts->n);
        if (!rc && stop_requested())
            rc = FAIL(ESTOPPED_, "stopped after %" PRId64 " of %" PRId64 " texts", i + 1, texts->n);
    }
    writer_close(&w);
    return rc;
}

static int keep_rows(struct feature_file *file, const float *rows, int64_t n, int64_t d)
{
    int rc = 0;
    for (int64_t i = 0; i < n && !rc; i++)
        rc = feature_file_add(file, true, rows + i * d);
    return rc ? rc : feature_file_flush(file);
}

int encode_texts(struct features *f, struct clip *clip, const struct tokenizer *t, const struct source *s,
                 const struct features_options *o, struct feature_file *file)
{
    struct writer w = {.n = 0};
    struct names prompts;
    int64_t done = feature_file_rows(file), at = 0;
    int rc = prompt_split(&prompts, o->prompt);
    if (!rc)
        rc = writer_open(&w, clip, t, &prompts, o->raw, o->batch);
    if (!rc) {
        done = done < f->m ? done / w.room * w.room : done;
        rc = feature_file_cut(file, done);
    }
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
            rc = add_text(&w, sample.captions[k]);
            if (rc || (w.n < w.room && at < f->m - 1))
                continue;
            int64_t n = w.n;
            float *rows = f->texts + (at + 1 - n) * f->d;
            rc = flush(&w, rows);
            if (!rc)
                rc = keep_rows(file, rows, n, f->d);
            log_progress("%" PRId64 "/%" PRId64 " captions", at + 1, f->m);
            if (!rc && stop_requested())
                rc = FAIL(ESTOPPED_, "stopped after %" PRId64 " of %" PRId64 " captions; %s", at + 1, f->m,
                          file ? "the same command goes on from there" : "nothing was written");
        }
    }
    if (w.clip)
        writer_close(&w);
    names_clear(&prompts);
    return rc;
}
