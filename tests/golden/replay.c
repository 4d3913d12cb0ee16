// SPDX-License-Identifier: Apache-2.0
#include "replay.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/npy.h"
#include "nn/hn_nce.h"
#include "nn/schedule.h"
#include "nn/soft_ce.h"

struct replay {
    struct ctx *ctx;
    struct clip *clip;
    struct tape *image, *text;
    struct texts_packed texts;
    int n, e, k, step, steps, warmup;
    double lr, alpha, beta;
    bool stop;
    double weight[2];                         // of the heads' losses
    struct step_options options;
    view images, x, ux, nx, t, ut, nt, dx, dt, dux, dut, logits[2];
    int32_t *top[2];                          // [n, k] the teacher's best classes
    float *prob[2];                           // [n, k]
};

// ROOT/name, in one of a few buffers that take turns.
static const char *at(const char *root, const char *name)
{
    static char paths[4][1024];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", root, name);
    return paths[turn];
}

static int read_hyper(struct replay *r, const char *root)
{
    json_error_t error;
    json_t *h = json_load_file(at(root, "train/hyper.json"), 0, &error);
    if (!h)
        return FAIL(EFORMAT_, "%s/train/hyper.json: %s", root, error.text);
    int rc = json_unpack_ex(h, &error, 0, "{s:F,s:F,s:F,s:F,s:F,s:F,s:F,s:F,s:F,s:F,s:i,s:i,s:i,s:i}", "alpha",
                            &r->alpha, "beta", &r->beta, "base_lr", &r->lr, "beta1", &r->options.beta1, "beta2",
                            &r->options.beta2, "eps", &r->options.eps, "weight_decay", &r->options.weight_decay,
                            "max_logit_scale", &r->options.max_logit_scale, "object_weight", &r->weight[HEAD_OBJECT],
                            "attribute_weight", &r->weight[HEAD_ATTRIBUTE], "batch", &r->n, "steps", &r->steps,
                            "warmup", &r->warmup, "top_k", &r->k);
    json_decref(h);
    return rc ? FAIL(EFORMAT_, "%s/train/hyper.json: %s", root, error.text) : 0;
}

static int read_teacher(struct replay *r, const char *path, enum head head)
{
    struct npy a;
    int rc = npy_open(&a, path);
    if (rc)
        return rc;
    int64_t classes = clip_head_classes(r->clip, head);
    float *logits = npy_all_f32(&a);
    r->top[head] = calloc((size_t)(r->n * r->k), sizeof *r->top[head]);
    r->prob[head] = calloc((size_t)(r->n * r->k), sizeof *r->prob[head]);
    if (!logits || !r->top[head] || !r->prob[head])
        rc = FAIL(EMEMORY_, "out of memory");
    else if (a.ndim != 2 || a.shape[0] != r->n || a.shape[1] != classes || classes < r->k)
        rc = FAIL(EFORMAT_, "%s: expected %d rows of %lld classes", path, r->n, (long long)classes);
    else
        soft_ce_topk(r->top[head], r->prob[head], logits, r->n, classes, r->k);
    free(logits);
    npy_close(&a);
    return rc;
}

static int read_batch(struct replay *r, const char *root)
{
    struct npy images = {0}, ids = {0};
    int size = clip_config(r->clip)->vision.image_size;
    float *pixels = NULL;
    int64_t *tokens = NULL;
    int rc = npy_open(&images, at(root, "train/images.npy"));
    if (!rc)
        rc = npy_open(&ids, at(root, "train/ids.npy"));
    if (rc)
        goto done;
    if (images.count != (int64_t)r->n * 3 * size * size || ids.ndim != 2 || ids.shape[0] != r->n) {
        rc = FAIL(EFORMAT_, "%s/train: expected %d images of %d pixels a side and as many texts", root, r->n, size);
        goto done;
    }
    pixels = npy_all_f32(&images);
    tokens = npy_all_i64(&ids);
    r->images = ctx_alloc(r->ctx, ctx_real(r->ctx), images.count);
    if (!pixels || !tokens || !r->images.at) {
        rc = FAIL(EMEMORY_, "out of memory");
        goto done;
    }
    ctx_put(r->ctx, r->images, pixels, images.count);
    rc = texts_pack(&r->texts, clip_config(r->clip), tokens, ids.shape[0], ids.shape[1]);
done:
    free(pixels);
    free(tokens);
    npy_close(&images);
    npy_close(&ids);
    return rc;
}

// Model A with the two heads of heads_start.
static int open_model(struct replay *r, const char *root)
{
    struct config config;
    int rc = config_named(&config, at(root, "model/A/config.json"));
    if (rc)
        return rc;
    config.object_classes = 20;
    config.attribute_classes = 12;
    if ((rc = clip_new(&r->clip, r->ctx, &config, 0)) ||
        (rc = clip_load(r->clip, at(root, "model/A/A.fp32.safetensors"), true)) ||
        (rc = clip_load(r->clip, at(root, "train/heads_start.safetensors"), true)))
        return rc;
    return clip_train_begin(r->clip);
}

static int make_room(struct replay *r)
{
    view *rows[] = {&r->x, &r->ux, &r->t, &r->ut, &r->dx, &r->dt, &r->dux, &r->dut};
    r->e = clip_config(r->clip)->embed_dim;
    bool ok = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ok &= (*rows[i] = ctx_alloc(r->ctx, ctx_real(r->ctx), (int64_t)r->n * r->e)).at != NULL;
    r->nx = ctx_alloc(r->ctx, ctx_real(r->ctx), r->n);
    r->nt = ctx_alloc(r->ctx, ctx_real(r->ctx), r->n);
    for (enum head h = HEAD_OBJECT; h <= HEAD_ATTRIBUTE; h++)
        ok &= (r->logits[h] = ctx_alloc(r->ctx, ctx_real(r->ctx), (int64_t)r->n * clip_head_classes(r->clip, h))).at != NULL;
    if (!ok || !r->nx.at || !r->nt.at)
        return FAIL(EMEMORY_, "out of memory");
    int rc = tape_new(&r->image, r->clip, TOWER_IMAGE, r->n, 0);
    return rc ? rc : tape_new(&r->text, r->clip, TOWER_TEXT, r->n, r->texts.t.starts[r->n]);
}

int replay_open(struct replay **out, const char *root, const char *mode, enum dtype real, int threads)
{
    *out = NULL;
    if (strcmp(mode, "full") != 0 && strcmp(mode, "detached") != 0 && strcmp(mode, "clamp") != 0)
        return FAIL(EUSAGE_, "%s: the modes are full, detached and clamp", mode);
    struct replay *r = calloc(1, sizeof *r);
    if (!r)
        return FAIL(EMEMORY_, "out of memory");
    int rc;
    if ((rc = ctx_open(&r->ctx, real, threads, NULL)) || (rc = read_hyper(r, root)) || (rc = open_model(r, root)) ||
        (rc = read_batch(r, root)) || (rc = read_teacher(r, at(root, "train/teacher_object.npy"), HEAD_OBJECT)) ||
        (rc = read_teacher(r, at(root, "train/teacher_attribute.npy"), HEAD_ATTRIBUTE)) || (rc = make_room(r))) {
        replay_close(r);
        return rc;
    }
    r->stop = strcmp(mode, "detached") == 0;
    if (strcmp(mode, "clamp") == 0)
        clip_set_logit_scale(r->clip, (float)(log(100) + .002));
    *out = r;
    return 0;
}

void replay_close(struct replay *r)
{
    if (!r)
        return;
    view all[] = {r->images, r->x, r->ux, r->nx, r->t, r->ut, r->nt, r->dx, r->dt, r->dux, r->dut, r->logits[0],
                  r->logits[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].at)
            ctx_free(r->ctx, all[i]);
    for (int h = 0; h < 2; h++) {
        free(r->top[h]);
        free(r->prob[h]);
    }
    texts_free(&r->texts);
    tape_free(r->image);
    tape_free(r->text);
    clip_free(r->clip);
    if (r->ctx)
        ctx_close(r->ctx);
    free(r);
}

int replay_steps(const struct replay *r) { return r->steps; }
struct clip *replay_clip(struct replay *r) { return r->clip; }

static int contrastive(struct replay *r, struct replay_step *out)
{
    const struct hn_options o = {.alpha = r->alpha, .beta = r->beta, .logit_scale = out->logit_scale,
                                 .stop_gradient = r->stop};
    struct hn_result result;
    int rc = hn_nce(r->ctx, r->ux, r->ut, r->n, r->e, &o, 1. / r->n, r->dux, r->dut, &result);
    if (rc)
        return rc;
    out->contrastive = (result.i2t + result.t2i) / r->n;
    clip_add_logit_scale_grad(r->clip, result.dlogit_scale);
    return 0;
}

// Mean cross-entropy against the teacher's top classes.
static int head_loss(struct replay *r, enum head head, double *loss)
{
    return clip_head_loss(r->clip, head, r->x, r->n, r->top[head], r->prob[head], r->k, r->weight[head] / r->n,
                          r->logits[head], r->dx, loss);
}

int replay_gradients(struct replay *r, struct replay_step *out)
{
    int rc;
    clip_zero_grad(r->clip);
    if ((rc = clip_encode_images(r->clip, r->images, r->n, r->x, r->image)) ||
        (rc = clip_encode_texts(r->clip, &r->texts.t, r->t, r->text)))
        return rc;
    clip_unit(r->clip, r->ux, r->nx, r->x, r->n);
    clip_unit(r->clip, r->ut, r->nt, r->t, r->n);
    *out = (struct replay_step){.step = r->step, .logit_scale = clip_logit_scale(r->clip)};
    if ((rc = contrastive(r, out)))
        return rc;
    clip_unit_backward(r->clip, r->dx, r->dux, r->ux, r->nx, r->n);
    clip_unit_backward(r->clip, r->dt, r->dut, r->ut, r->nt, r->n);
    if ((rc = head_loss(r, HEAD_OBJECT, &out->object)) || (rc = head_loss(r, HEAD_ATTRIBUTE, &out->attribute)))
        return rc;
    out->loss = out->contrastive + out->object + out->attribute;
    if ((rc = clip_backward_images(r->clip, r->image, r->dx)))
        return rc;
    return clip_backward_texts(r->clip, r->text, r->dt);
}

void replay_update(struct replay *r, struct replay_step *out)
{
    r->options.lr = schedule_rate(r->lr, 0, r->step, r->warmup, r->steps);
    out->grad_norm = clip_step(r->clip, &r->options);
    out->logit_scale_after = clip_logit_scale(r->clip);
    r->step++;
}
