// SPDX-License-Identifier: Apache-2.0
#include "task/compute.h"
#include "task/trainer.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "nn/schedule.h"

enum { CACHE_BYTES = 1 << 30 };   // decoded pictures kept by the loader

// --- opening ---------------------------------------------------------------------------------------------------------

static int check_options(const diht_train_options *o)
{
    static const struct { const char *name; size_t at; double low, high; } range[] = {
#define REAL_OPTION(field, name, low, high) {name, offsetof(diht_train_options, field), low, high}
        REAL_OPTION(lr, "lr", 0, 10), REAL_OPTION(beta1, "beta1", 0, .999999), REAL_OPTION(beta2, "beta2", 0, .999999),
        REAL_OPTION(eps, "eps", 1e-30, 1), REAL_OPTION(weight_decay, "weight-decay", 0, 100),
        REAL_OPTION(clip, "clip", 0, 1e30), REAL_OPTION(warmup, "warmup", 0, 1), REAL_OPTION(min_lr, "min-lr", 0, 1),
        REAL_OPTION(alpha, "alpha", 0, 1), REAL_OPTION(beta, "beta", 0, 1000),
        REAL_OPTION(logit_scale, "logit-scale", 1, 1e4), REAL_OPTION(max_logit_scale, "max-logit-scale", 1, 1e4),
        REAL_OPTION(momentum, "momentum", 0, .999999), REAL_OPTION(tags_weight, "tags-weight", 0, 1e6), REAL_OPTION(label_p, "label-p", 0, 1),
        REAL_OPTION(tags_p, "tags-p", 0, 1), REAL_OPTION(tag_p, "tag-p", 0, 1),
#undef REAL_OPTION
    };
    for (size_t i = 0; i < sizeof range / sizeof *range; i++) {
        double v = *(const double *)((const char *)o + range[i].at);
        if (!(v >= range[i].low && v <= range[i].high))
            return FAIL(EUSAGE_, "--%s %g: a number from %g to %g expected", range[i].name, v, range[i].low,
                        range[i].high);
    }
    if (strcmp(o->optimizer, "adamw") != 0 && strcmp(o->optimizer, "muon") != 0)
        return FAIL(EUSAGE_, "--optimizer %s: adamw or muon expected", o->optimizer);
    if (o->batch < 2)
        return FAIL(EUSAGE_, "--batch %d: the contrastive loss needs 2 pairs or more", o->batch);
    if (o->micro < 0 || o->steps < 1)
        return FAIL(EUSAGE_, "--%s: a positive number expected", o->micro < 0 ? "micro" : "steps");
    return 0;
}

static int open_tokenizer(struct trainer *t, const char *merges)
{
    if (t->o->vocab)
        return tokenizer_open(&t->tokenizer, t->o->vocab);
    if (merges)
        return tokenizer_parse(&t->tokenizer, merges, strlen(merges), "the checkpoint's diht.merges");
    return FAIL(EUSAGE_, "--vocab is missing: make one with 'diht vocab %s --out merges.txt'", t->o->data);
}

static int open_concepts(struct trainer *t)
{
    if (t->o->tags_weight == 0)
        return 0;
    if (!(t->concepts = concepts_new()))
        return EMEMORY_;
    for (int64_t i = 0; i < source_count(t->source); i++) {
        struct sample s;
        source_sample(t->source, i, &s);
        int rc = concepts_count(t->concepts, s.captions[0], s.tags);
        if (rc)
            return rc;
    }
    return concepts_finish(t->concepts, t->o->tags_min);
}

struct resume { int64_t step, samples; double seconds, flop; };

static void want(void *user, const char *key, const char *value)
{
    struct resume *r = user;
    if (!strcmp(key, "diht.samples"))
        r->samples = strtoll(value, NULL, 10);
    else if (!strcmp(key, "diht.seconds"))
        r->seconds = strtod(value, NULL);
    else if (!strcmp(key, "diht.flop"))
        r->flop = strtod(value, NULL);
}

static char *in_out(const struct trainer *t, const char *name) { return path_join(t->o->out, name); }

static char *state_path(const struct trainer *t, int64_t step)
{
    char name[64];
    snprintf(name, sizeof name, "state-%" PRId64 ".safetensors", step);
    return in_out(t, name);
}

// The model: a configuration with fresh weights, a checkpoint's weights, or a stopped run's.
static int open_model(struct trainer *t)
{
    const diht_train_options *o = t->o;
    char *last = in_out(t, "model.safetensors");
    if (!last)
        return EMEMORY_;
    const char *from = o->resume ? last : strcmp(path_ext(o->model), ".safetensors") == 0 ? o->model : NULL;
    struct clip *old = NULL;
    struct config config;
    int rc = 0;
    if (!o->resume && file_exists(last))
        rc = FAIL(EUSAGE_, "%s is there already: --resume goes on with it, another --out starts anew", last);
    if (!rc && from) {
        rc = clip_open(&old, t->ctx, from);
        if (!rc)
            config = *clip_config(old);
    } else if (!rc)
        rc = config_named(&config, o->model);
    if (!rc)
        rc = open_tokenizer(t, old ? clip_meta(old, "diht.merges") : NULL);
    if (!rc && !old)
        config.text.vocab_size = tokenizer_vocab(t->tokenizer);
    else if (!rc && config.text.vocab_size != tokenizer_vocab(t->tokenizer))
        rc = FAIL(EUSAGE_, "%s has %d token ids, the vocabulary %d: use the vocabulary it was trained with", from,
                  config.text.vocab_size, tokenizer_vocab(t->tokenizer));
    if (!rc)
        rc = open_concepts(t);
    if (!rc && t->concepts)
        config.object_classes = (int)concepts_classes(t->concepts);
    if (!rc)
        rc = clip_new(&t->clip, t->ctx, &config, o->seed);
    if (!rc && from)
        rc = clip_load(t->clip, from, !o->resume);
    else if (!rc)
        clip_set_logit_scale(t->clip, log(o->logit_scale));
    if (!rc)
        rc = clip_train_begin(t->clip);
    if (!rc && strcmp(o->optimizer, "muon") == 0)
        rc = clip_use_muon(t->clip);
    if (!rc && o->resume) {
        const char *step = clip_meta(old, "diht.step");
        struct resume r = {.step = step ? strtoll(step, NULL, 10) : -1};
        char *state = state_path(t, r.step);
        if (!step)
            rc = FAIL(EFORMAT_, "%s: no training step in its metadata: it was not written by a run that can be resumed",
                      last);
        else
            rc = state ? clip_load_state(t->clip, state, want, &r) : EMEMORY_;
        t->step = r.step;
        t->samples = r.samples;
        t->seconds = r.seconds;
        t->flop = r.flop;
        free(state);
    }
    clip_free(old);
    free(last);
    return rc;
}

// Everything of a batch in one block: planned with a NULL block, then carved.
static void carve(struct trainer *t, view *at)
{
    const struct config *c = clip_config(t->clip);
    int64_t n = t->o->batch, e = c->embed_dim, side = c->vision.image_size;
    int64_t used = 0;
#define CARVE(v, count) (v = view_at(*at, used), used += ((count) + 15) / 16 * 16)
    CARVE(t->images, n * 3 * side * side);
    for (int i = 0; i < 2; i++) {
        CARVE(t->raw[i], n * e);
        CARVE(t->unit[i], n * e);
        CARVE(t->norm[i], n);
        CARVE(t->dunit[i], n * e);
        CARVE(t->draw[i], n * e);
    }
    CARVE(t->logits, t->concepts ? n * c->object_classes : 0);
#undef CARVE
    if (!at->at)
        *at = ctx_alloc(t->ctx, F32, used);
}

static int open_memory(struct trainer *t)
{
    const diht_train_options *o = t->o;
    const struct config *c = clip_config(t->clip);
    int64_t rows = (int64_t)o->batch * c->text.context_length;
    t->micro = o->micro && o->micro < o->batch ? o->micro : o->batch;
    carve(t, &t->memory);
    if (!t->memory.at)
        return EMEMORY_;
    carve(t, &t->memory);
    t->texts.ids = malloc((size_t)rows * sizeof *t->texts.ids);
    t->texts.starts = malloc(((size_t)o->batch + 1) * sizeof *t->texts.starts);
    t->index = malloc((size_t)o->batch * CONCEPTS_MAX * sizeof *t->index);
    t->prob = malloc((size_t)o->batch * CONCEPTS_MAX * sizeof *t->prob);
    t->row_loss = malloc((size_t)o->batch * sizeof *t->row_loss);
    if (!t->texts.ids || !t->texts.starts || !t->index || !t->prob || !t->row_loss)
        return FAIL(EMEMORY_, "out of memory: a batch of %d", o->batch);
    int rc = tape_new(&t->image_tape, t->clip, TOWER_IMAGE, t->micro, 0);
    if (!rc)
        rc = tape_new(&t->text_tape, t->clip, TOWER_TEXT, t->micro, (int64_t)t->micro * c->text.context_length);
    if (!rc)
        rc = hn_nce_open(&t->loss, t->ctx, o->batch);
    return rc;
}

static int open_loader(struct trainer *t)
{
    const diht_train_options *o = t->o;
    const struct config *c = clip_config(t->clip);
    struct loader_options lo = {
        .source = t->source, .augment = augment_is_none(&t->augment) ? NULL : &t->augment,
        .mode = o->distinct ? LOADER_DISTINCT : LOADER_SHUFFLED, .batch = o->batch,
        .threads = o->loaders ? o->loaders : o->threads, .seed = o->seed, .cache_bytes = CACHE_BYTES,
        .transform = {.size = c->vision.image_size, .filter = (enum image_filter)c->vision.interpolation},
    };
    memcpy(lo.transform.mean, c->vision.mean, sizeof lo.transform.mean);
    memcpy(lo.transform.std, c->vision.std, sizeof lo.transform.std);
    int rc = loader_open(&t->loader, &lo);
    return rc ? rc : loader_seek(t->loader, t->step);
}

int trainer_open(struct trainer *t, const diht_train_options *o)
{
    memset(t, 0, sizeof *t);
    t->o = o;
    int rc = check_options(o);
    if (!rc)
        rc = augment_parse(&t->augment, o->augment);
    if (!rc)
        rc = source_open_with(&t->source, o->data, &(struct source_options){.split = o->split, .kept = o->kept});
    if (!rc)
        rc = compute_open(&t->ctx, NULL, o->threads, o->precision, true);
    if (!rc && !(t->scratch = token_scratch_new()))
        rc = EMEMORY_;
    if (!rc)
        rc = dir_make(o->out);
    if (!rc)
        rc = open_model(t);
    if (!rc)
        rc = open_memory(t);
    if (!rc)
        rc = open_loader(t);
    return rc;
}

void trainer_close(struct trainer *t)
{
    loader_close(t->loader);
    hn_nce_close(t->loss);
    tape_free(t->image_tape);
    tape_free(t->text_tape);
    clip_free(t->clip);
    if (t->ctx && t->memory.at)
        ctx_free(t->ctx, t->memory);
    ctx_close(t->ctx);
    concepts_free(t->concepts);
    token_scratch_free(t->scratch);
    tokenizer_close(t->tokenizer);
    source_close(t->source);
    free(t->texts.ids);
    free(t->texts.starts);
    free(t->index);
    free(t->prob);
    free(t->row_loss);
    buf_free(&t->caption);
    memset(t, 0, sizeof *t);
}

int64_t trainer_bytes(const struct trainer *t)
{
    const struct config *c = clip_config(t->clip);
    int64_t side = c->vision.image_size, a_pair = 3 * side * side + 10 * c->embed_dim + c->object_classes;
    return clip_bytes(t->clip) + tape_bytes(t->image_tape) + tape_bytes(t->text_tape) + 4 * t->o->batch * a_pair;
}

// --- the step --------------------------------------------------------------------------------------------------------

// The batch's captions, drawn and packed; the concepts of its samples.
static int make_texts(struct trainer *t, const struct batch *b)
{
    int context = clip_config(t->clip)->text.context_length;
    struct caption_rule rule = {t->o->label_p, t->o->tags_p, t->o->tag_p};
    int32_t rows = 0;
    t->texts.starts[0] = 0;
    for (int i = 0; i < b->n; i++) {
        struct sample s;
        struct rng rng = b->rng[i];
        source_sample(t->source, b->index[i], &s);
        const char *label = s.captions[rng_below(&rng, (uint64_t)s.caption_count)];
        buf_clear(&t->caption);
        caption_sample(&t->caption, label, s.tags, &rule, &rng);
        if (t->caption.failed)
            return t->caption.failed;
        int n = tokenizer_encode(t->tokenizer, t->scratch, t->caption.at, t->caption.len, t->texts.ids + rows, context);
        if (n < 0)
            return n;
        rows += n;
        t->texts.starts[i + 1] = rows;
        t->flop += 3 * config_text_flop(clip_config(t->clip), n, (double)n * n);
        if (t->concepts)
            concepts_target(t->concepts, s.captions[0], s.tags, t->index + i * CONCEPTS_MAX,
                            t->prob + i * CONCEPTS_MAX);
    }
    t->flop += 3 * b->n * config_image_flop(clip_config(t->clip));
    t->texts.t = (struct texts){.n = b->n, .ids = t->texts.ids, .starts = t->texts.starts};
    return 0;
}

// Encode (`backward` false: features of pairs first .. first+n-1) or add their gradients.
static int run_part(struct trainer *t, int64_t first, int64_t n, bool tapes)
{
    const struct config *c = clip_config(t->clip);
    int64_t side = c->vision.image_size, e = c->embed_dim;
    // the packed rows of these texts: starts count from the first row of the batch, which the ids keep too
    struct texts part = {.n = n, .ids = t->texts.ids, .starts = t->texts.starts + first};
    int rc = clip_encode_images(t->clip, view_at(t->images, first * 3 * side * side), n, view_at(t->raw[0], first * e),
                                tapes ? t->image_tape : NULL);
    return rc ? rc : clip_encode_texts(t->clip, &part, view_at(t->raw[1], first * e), tapes ? t->text_tape : NULL);
}

static int backward_part(struct trainer *t, int64_t first)
{
    int64_t e = clip_config(t->clip)->embed_dim;
    int rc = clip_backward_images(t->clip, t->image_tape, view_at(t->draw[0], first * e));
    return rc ? rc : clip_backward_texts(t->clip, t->text_tape, view_at(t->draw[1], first * e));
}

// Loss on features and its gradients with respect to the raw features.
static int loss_phase(struct trainer *t, int64_t n, struct step_report *r)
{
    const diht_train_options *o = t->o;
    int64_t e = clip_config(t->clip)->embed_dim;
    for (int i = 0; i < 2; i++)
        clip_unit(t->clip, t->unit[i], t->norm[i], t->raw[i], n);
    struct hn_options ho = {o->alpha, o->beta, clip_logit_scale(t->clip), o->stop_gradient};
    struct hn_result hr;
    int rc = hn_nce_run(t->loss, t->unit[0], t->unit[1], n, e, &ho, 1.0 / (double)n, t->dunit[0], t->dunit[1], &hr);
    if (rc)
        return rc;
    r->contrastive = (hr.i2t + hr.t2i) / (double)n;
    clip_add_logit_scale_grad(t->clip, hr.dlogit_scale);
    for (int i = 0; i < 2; i++)
        clip_unit_backward(t->clip, t->draw[i], t->dunit[i], t->unit[i], t->norm[i], n);
    r->tags = 0;
    if (t->concepts) {
        clip_head(t->clip, HEAD_OBJECT, t->logits, t->raw[0], n);
        ctx_kernels(t->ctx)->soft_ce(t->ctx, t->row_loss, t->logits, t->index, t->prob, n,
                                     concepts_classes(t->concepts), CONCEPTS_MAX, true, o->tags_weight / (double)n);
        for (int64_t i = 0; i < n; i++)
            r->tags += t->row_loss[i] / (double)n;
        clip_head_backward(t->clip, HEAD_OBJECT, t->draw[0], t->logits, t->raw[0], n);
    }
    r->loss = r->contrastive + o->tags_weight * r->tags;
    return 0;
}

// Name the first tensor whose gradient is not finite; the optimizer has left the weights as they were.
static int blame(const struct trainer *t, const struct step_report *r)
{
    int n;
    const struct tensor *tensor = clip_tensors(t->clip, &n);
    for (int i = 0; i < n; i++)
        if (!isfinite(ctx_kernels(t->ctx)->sum_squares(t->ctx, clip_grad(t->clip, i), tensor[i].count)))
            return FAIL(EFORMAT_, "step %" PRId64 ": the gradient of %s is not finite (loss %g): try a lower --lr or --clip 1",
                        t->step - 1, tensor[i].name, r->loss);
    return FAIL(EFORMAT_, "step %" PRId64 ": the gradient's norm is not finite (loss %g): try a lower --lr", t->step - 1,
                r->loss);
}

int trainer_step(struct trainer *t, const struct batch *b, struct step_report *r)
{
    const diht_train_options *o = t->o;
    int64_t side = clip_config(t->clip)->vision.image_size, n = b->n;
    int64_t warmup = (int64_t)(o->warmup * (double)o->steps + .5);
    *r = (struct step_report){.loss = NAN, .contrastive = NAN, .tags = NAN, .grad_norm = NAN};
    r->lr = schedule_rate(o->lr, o->lr * o->min_lr, t->step, warmup, o->steps);
    t->step++;
    t->samples += n;
    if (n < 2)
        return 0;
    int rc = make_texts(t, b);
    if (rc)
        return rc;
    ctx_put(t->ctx, t->images, b->images, n * 3 * side * side);
    clip_zero_grad(t->clip);
    bool whole = n <= t->micro;
    for (int64_t i = 0; i < n && !rc; i += t->micro)
        rc = run_part(t, i, n - i < t->micro ? n - i : t->micro, whole);
    if (!rc)
        rc = loss_phase(t, n, r);
    // gradient caching: features of the whole batch are known, each part runs once more with its activations kept
    for (int64_t i = 0; i < n && !rc; i += t->micro) {
        if (!whole)
            rc = run_part(t, i, n - i < t->micro ? n - i : t->micro, true);
        if (!rc)
            rc = backward_part(t, i);
    }
    if (rc)
        return error_prefix(rc, "step %" PRId64 ": ", t->step - 1);
    struct step_options so = {
        .lr = r->lr, .beta1 = o->beta1, .beta2 = o->beta2, .eps = o->eps, .weight_decay = o->weight_decay,
        .clip_norm = o->clip, .momentum = o->momentum, .min_logit_scale = 0, .max_logit_scale = log(o->max_logit_scale),
    };
    r->grad_norm = clip_step(t->clip, &so);
    return isfinite(r->grad_norm) ? 0 : blame(t, r);
}

// --- saving ----------------------------------------------------------------------------------------------------------

// State files of other steps than the one that counts now.
static void remove_old_states(const struct trainer *t)
{
    DIR *d = opendir(t->o->out);
    for (struct dirent *e; d && (e = readdir(d));) {
        int64_t step;
        int end = 0;
        if (sscanf(e->d_name, "state-%" SCNd64 ".safetensors%n", &step, &end) == 1 && end && !e->d_name[end] &&
            step != t->step) {
            char *path = in_out(t, e->d_name);
            if (path)
                unlink(path);
            free(path);
        }
    }
    if (d)
        closedir(d);
}

int trainer_save(struct trainer *t)
{
    char step[32], samples[32], seconds[64], flop[64];
    snprintf(step, sizeof step, "%" PRId64, t->step);
    snprintf(samples, sizeof samples, "%" PRId64, t->samples);
    snprintf(seconds, sizeof seconds, "%.17g", t->seconds);
    snprintf(flop, sizeof flop, "%.17g", t->flop);
    char *state = state_path(t, t->step), *model = in_out(t, "model.safetensors");
    char *names = t->concepts ? concepts_names(t->concepts) : NULL;
    struct meta run[] = {{"diht.samples", samples}, {"diht.seconds", seconds}, {"diht.flop", flop}};
    struct meta whole[] = {
        {"diht.merges", tokenizer_merges(t->tokenizer)}, {"diht.step", step}, {"diht.object_names", names}};
    int rc = state && model && (names || !t->concepts) ? clip_save_state(t->clip, state, run, 3) : EMEMORY_;
    if (!rc)
        rc = clip_save(t->clip, model, whole, names ? 3 : 2);
    if (!rc)
        remove_old_states(t);
    free(names);
    free(state);
    free(model);
    return rc;
}
