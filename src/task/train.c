// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "task/task.h"
#include "task/trainer.h"

static void json_number(struct buf *b, const char *name, double v)
{
    if (isfinite(v))
        buf_fmt(b, ", \"%s\": %.9g", name, v);
    else
        buf_fmt(b, ", \"%s\": null", name);
}

// What happened since the last line of metrics.
struct window {
    double start, waited;
    int64_t samples;
};

static void log_start(const struct trainer *t)
{
    const struct config *c = clip_config(t->clip);
    char memory[32];
    format_bytes(memory, (double)trainer_bytes(t));
    log_info("%" PRId64 " samples, %" PRId64 " left out; model %s: %.2f M parameters, image %d / %d, embedding %d, %d "
                                             "token ids",
             source_count(t->source), source_excluded(t->source), *c->name ? c->name : t->o->model,
             (double)clip_parameters(t->clip) / 1e6, c->vision.image_size, c->vision.patch_size, c->embed_dim,
             c->text.vocab_size);
    log_info("steps %" PRId64 " to %" PRId64 ", batch %d in parts of %d, %d threads (%s), %s for weights, activations "
                                             "and batch",
             t->step, t->o->steps, t->o->batch, t->micro, ctx_threads(t->ctx), ctx_products_isa(t->ctx), memory);
}

static int write_metrics(struct trainer *t, FILE *f, const struct step_report *r, struct window *w, bool last)
{
    double now = clock_now(), span = now - w->start;
    struct loader_stats s = loader_stats(t->loader);
    double rate = (double)(t->samples - w->samples) / span, share = (s.waited - w->waited) / span;
    double scale = exp(clip_logit_scale(t->clip));
    struct buf b = {0};
    buf_fmt(&b, "{\"step\": %" PRId64, t->step - 1);
    json_number(&b, "loss", r->loss);
    json_number(&b, "contrastive", r->contrastive);
    json_number(&b, "tags", r->tags);
    json_number(&b, "logit_scale", scale);
    json_number(&b, "temperature", 1 / scale);
    json_number(&b, "lr", r->lr);
    json_number(&b, "grad_norm", r->grad_norm);
    json_number(&b, "samples_per_second", rate);
    json_number(&b, "loader_share", share);
    json_number(&b, "seconds", t->seconds);
    buf_str(&b, "}\n");
    int rc = b.failed;
    if (!rc && (fwrite(b.at, 1, b.len, f) != b.len || fflush(f) != 0))
        rc = FAIL(EIO_, "%s/metrics.jsonl: writing failed (is the disk full?)", t->o->out);
    buf_free(&b);
    char left[32];
    format_seconds(left, t->step ? t->seconds / (double)t->step * (double)(t->o->steps - t->step) : 0);
    if (last)
        log_info("step %" PRId64 "  loss %.4f  temperature %.4f  %.0f samples/s  loader %.0f %%", t->step, r->loss,
                 1 / scale, rate, 100 * share);
    else
        log_progress("step %" PRId64 "/%" PRId64 "  loss %.4f  temperature %.4f  %.0f samples/s  loader %.0f %%  %s "
                                                 "left",
                     t->step, t->o->steps, r->loss, 1 / scale, rate, 100 * share, left);
    *w = (struct window){now, s.waited, t->samples};
    return rc;
}

static int train(struct trainer *t, FILE *metrics, struct step_report *r)
{
    const diht_train_options *o = t->o;
    struct window w = {.start = clock_now(), .samples = t->samples};
    int rc = 0;
    while (!rc && t->step < o->steps && !stop_requested()) {
        const struct batch *b;
        double start = clock_now();
        rc = loader_next(t->loader, &b);
        if (rc < 0)
            break;
        rc = trainer_step(t, b, r);
        t->seconds += clock_now() - start;
        if (!rc && (t->step % (o->log_every ? o->log_every : 1) == 0 || t->step == o->steps))
            rc = write_metrics(t, metrics, r, &w, t->step == o->steps);
        if (!rc && o->save_every && t->step % o->save_every == 0 && t->step < o->steps)
            rc = trainer_save(t);
    }
    return rc;
}

// A run that resumes drops the metrics of steps it will repeat: the file tells one history.
static int open_metrics(const struct trainer *t, FILE **out)
{
    char *path = path_join(t->o->out, "metrics.jsonl");
    struct buf old = {0}, keep = {0};
    int rc = path ? 0 : EMEMORY_;
    if (!rc && t->o->resume && file_exists(path)) {
        rc = file_read(path, &old);
        for (char *line = old.at, *end; !rc && line && (end = strchr(line, '\n')); line = end + 1) {
            int64_t step;
            if (sscanf(line, "{\"step\": %" SCNd64, &step) == 1 && step < t->step)
                buf_add(&keep, line, (size_t)(end + 1 - line));
        }
        rc = rc ? rc : keep.failed;
    }
    if (!rc)
        rc = file_write(path, keep.at ? keep.at : "", keep.len);
    if (!rc && !(*out = fopen(path, "ab")))
        rc = FAIL(EIO_, "%s: cannot be written", path);
    buf_free(&old);
    buf_free(&keep);
    free(path);
    return rc;
}

static char *result_text(const struct trainer *t, const struct step_report *r)
{
    struct loader_stats s = loader_stats(t->loader);
    struct buf b = {0};
    double share = t->seconds > 0 ? s.waited / t->seconds : 0;
    if (t->o->json) {
        buf_fmt(&b, "{\"steps\": %" PRId64 ", \"samples\": %" PRId64, t->step, t->samples);
        json_number(&b, "loss", r->loss);
        json_number(&b, "temperature", exp(-clip_logit_scale(t->clip)));
        json_number(&b, "train_seconds", t->seconds);
        json_number(&b, "train_flop", t->flop);
        json_number(&b, "samples_per_second", t->seconds > 0 ? (double)t->samples / t->seconds : 0);
        json_number(&b, "loader_share", share);
        buf_fmt(&b,
                ", \"bad_samples\": %" PRId64 ", \"excluded_samples\": %" PRId64 ", \"peak_bytes\": %" PRId64
                ", \"seed\": %" PRIu64 "}\n",
                s.bad, source_excluded(t->source), memory_peak(), t->o->seed);
    } else {
        char time[32], memory[32];
        format_seconds(time, t->seconds);
        format_bytes(memory, (double)memory_peak());
        buf_fmt(&b,
                "%" PRId64 " steps, %" PRId64 " samples in %s (%.0f samples/s, %.3g FLOP, loader %.0f %%), at most %s "
                                              "of memory\n"
                "loss %.4f, temperature %.4f; %" PRId64 " unusable pictures left out\nmodel: %s/model.safetensors\n",
                t->step, t->samples, time, t->seconds > 0 ? (double)t->samples / t->seconds : 0, t->flop, 100 * share,
                memory, r->loss, exp(-clip_logit_scale(t->clip)), s.bad, t->o->out);
    }
    return buf_steal(&b);
}

int task_train(const diht_train_options *o, char **result)
{
    struct trainer t;
    FILE *metrics = NULL;
    struct step_report r = {NAN, NAN, NAN, NAN, NAN};
    stop_clear();
    int rc = trainer_open(&t, o);
    if (!rc)
        rc = file_write_in(o->out, "train.conf", o->effective);
    if (!rc)
        rc = open_metrics(&t, &metrics);
    if (!rc) {
        log_start(&t);
        rc = train(&t, metrics, &r);
        // after a failed step the weights are those of the step before it, or not finite: what was saved stays
        if (!rc)
            rc = trainer_save(&t);
        if (!rc && !(*result = result_text(&t, &r)))
            rc = EMEMORY_;
        if (!rc && t.step < o->steps)
            rc = FAIL(ESTOPPED_,
                      "stopped after step %" PRId64 " of %" PRId64 ": the checkpoint is in %s; the same command with "
                                                                   "--resume goes on",
                      t.step, o->steps, o->out);
    }
    if (metrics)
        fclose(metrics);
    trainer_close(&t);
    return rc;
}
