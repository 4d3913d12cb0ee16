// SPDX-License-Identifier: Apache-2.0
// A model's life: parameters, their wiring into layers, the optimizer's step. encode.c runs it, checkpoint.c stores it.
#include "model/clip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/clip_inner.h"
#include "nn/soft_ce.h"

// --- wiring --------------------------------------------------------------------------------------------------------

static view value(const struct clip *c, int i)
{
    return i < 0 ? NO_VIEW : c->frozen ? c->frozen->at[i] : view_at(c->w, c->params.tensors[i].at);
}

static view grad(const struct clip *c, int i) { return i < 0 ? NO_VIEW : view_at(c->g, c->params.tensors[i].at); }

static void wire_norm(const struct clip *c, struct norm *n, int gamma, int beta)
{
    if (gamma < 0)
        return;
    *n = (struct norm){.gamma = value(c, gamma), .beta = value(c, beta), .dgamma = grad(c, gamma),
                       .dbeta = grad(c, beta),
                       .width = c->params.tensors[gamma].count, .eps = c->config.layer_norm_eps};
}

// Rows first .. first + out - 1 of a weight [.., in]; keeps l->weight.
static void wire_linear(const struct clip *c, struct linear *l, int w, int bias, int64_t first, int64_t out)
{
    const struct tensor *t = &c->params.tensors[w];
    l->out = out;
    l->in = t->count / t->shape[0];
    l->source = c->frozen && c->frozen->source[w].read ? &c->frozen->source[w] : NULL;
    l->first = first * l->in;
    l->w = view_at(value(c, w), l->first);
    l->dw = view_at(grad(c, w), first * l->in);
    l->bias = view_at(value(c, bias), first);
    l->dbias = view_at(grad(c, bias), first);
}

static void wire_projection(const struct clip *c, struct projection *p, int w)
{
    if (w < 0)
        return;
    const struct tensor *t = &c->params.tensors[w];
    *p = (struct projection){.w = value(c, w), .dw = grad(c, w), .in = t->shape[0], .out = t->shape[1]};
}

static void wire_block(const struct clip *c, const struct tower_net *net, struct block *b,
                       const struct block_params *p, bool causal)
{
    int64_t w = net->width;
    wire_norm(c, &b->attention.norm, p->ln_1_w, p->ln_1_b);
    wire_linear(c, &b->attention.qkv, p->qkv_w, p->qkv_b, 0, 3 * w);
    wire_linear(c, &b->attention.q, p->qkv_w, p->qkv_b, 0, w);
    wire_linear(c, &b->attention.kv, p->qkv_w, p->qkv_b, w, 2 * w);
    wire_linear(c, &b->attention.out, p->out_w, p->out_b, 0, w);
    b->attention.heads = net->heads;
    b->attention.dim = (int)(w / net->heads);
    b->attention.causal = causal;
    wire_norm(c, &b->mlp.norm, p->ln_2_w, p->ln_2_b);
    wire_linear(c, &b->mlp.fc, p->fc_w, p->fc_b, 0, net->hidden);
    wire_linear(c, &b->mlp.proj, p->proj_w, p->proj_b, 0, w);
    b->mlp.act = c->config.quick_gelu ? ACT_QUICK_GELU : ACT_GELU;
}

// Every layer's views, from the arenas as they are now.
static void wire(struct clip *c)
{
    const struct params *p = &c->params;
    struct tower_net *image = &c->net[TOWER_IMAGE], *text = &c->net[TOWER_TEXT];
    for (int l = 0; l < image->layers; l++)
        wire_block(c, image, &image->blocks[l], &p->image_blocks[l], false);
    for (int l = 0; l < text->layers; l++)
        wire_block(c, text, &text->blocks[l], &p->text_blocks[l], c->config.text.causal);

    struct patch_embedding *e = &image->patch;
    wire_linear(c, &e->conv, p->conv, p->conv_b, 0, image->width);
    e->class_token = value(c, p->class_token);
    e->dclass_token = grad(c, p->class_token);
    e->pos = value(c, p->image_pos);
    e->dpos = grad(c, p->image_pos);
    e->size = c->config.vision.image_size;
    e->patch = c->config.vision.patch_size;
    wire_norm(c, &image->ln_pre, p->ln_pre_w, p->ln_pre_b);
    wire_norm(c, &image->norm, p->ln_post_w, p->ln_post_b);
    wire_projection(c, &image->proj, p->image_proj);

    if (!config_image_only(&c->config))
        text->token = (struct token_embedding){.table = value(c, p->token), .pos = value(c, p->text_pos),
                                               .dtable = grad(c, p->token),
                                               .dpos = grad(c, p->text_pos), .width = text->width};
    wire_norm(c, &text->norm, p->ln_final_w, p->ln_final_b);
    wire_projection(c, &text->proj, p->text_proj);
    for (int h = 0; h < HEADS; h++)
        if (p->head_w[h] >= 0)
            wire_linear(c, &c->head[h], p->head_w[h], p->head_b[h], 0, p->tensors[p->head_w[h]].shape[0]);
}

typedef int linear_fn(struct clip *c, struct linear *l);

// fn for every linear map with a weight of its own; stops at a failure.
static int each_linear(struct clip *c, linear_fn *fn)
{
    int rc = c->net[TOWER_IMAGE].patch.conv.out ? fn(c, &c->net[TOWER_IMAGE].patch.conv) : 0;
    for (int t = 0; t < 2; t++) {
        const struct tower_net *net = &c->net[t];
        for (int l = 0; l < net->layers && net->blocks && !rc; l++) {
            struct block *b = &net->blocks[l];
            struct linear *all[] = {&b->attention.qkv, &b->attention.out, &b->mlp.fc, &b->mlp.proj, &b->attention.q,
                                    &b->attention.kv};
            bool pooled = l == net->layers - 1 && net->pool != POOL_MEAN;   // only there are q and kv used apart
            for (int i = 0; i < (pooled ? 6 : 4) && all[i]->out && !rc; i++)
                rc = fn(c, all[i]);
        }
    }
    for (int h = 0; h < HEADS && !rc; h++)
        if (c->head[h].out)
            rc = fn(c, &c->head[h]);
    return rc;
}

static int open_linear(struct clip *c, struct linear *l) { return linear_open(l, c->ctx); }

static int close_linear(struct clip *c, struct linear *l)
{
    linear_close(l, c->ctx);
    return 0;
}

static int touch_linear(struct clip *c, struct linear *l)
{
    ctx_kernels(c->ctx)->weight_touch(l->weight);
    return 0;
}

void clip_changed(struct clip *c) { (void)each_linear(c, touch_linear); }

// --- life ----------------------------------------------------------------------------------------------------------

static int make_nets(struct clip *c)
{
    const struct config *f = &c->config;
    c->net[TOWER_IMAGE] = (struct tower_net){.layers = f->vision.layers, .width = f->vision.width,
                                             .hidden = config_hidden(f),
                                             .heads = f->vision.width / f->vision.head_width, .embed = f->embed_dim,
                                             .pool = f->vision.pool, .most_rows = config_image_rows(f)};
    c->net[TOWER_TEXT] = (struct tower_net){.layers = f->text.layers, .width = f->text.width,
                                            .hidden = 4 * f->text.width,
                                            .heads = f->text.heads, .embed = f->embed_dim, .pool = f->text.pool,
                                            .most_rows = f->text.context_length};
    for (int t = 0; t < 2; t++)
        if (!(c->net[t].blocks = calloc((size_t)c->net[t].layers + 1, sizeof *c->net[t].blocks)))
            return FAIL(EMEMORY_, "out of memory");
    return 0;
}

int clip_make(struct clip **out, struct ctx *ctx, const struct config *config, struct st_file *file, const char *path)
{
    *out = NULL;
    struct frozen *frozen = file ? calloc(1, sizeof *frozen) : NULL;
    if (frozen) {
        frozen->file = *file;
        memset(file, 0, sizeof *file);
    }
    int rc = config_check(config, *config->name ? config->name : "model configuration");
    struct clip *c = rc ? NULL : calloc(1, sizeof *c);
    if (!c || (file && !frozen)) {
        frozen_free(frozen);
        free(c);
        return rc ? rc : FAIL(EMEMORY_, "out of memory");
    }
    c->frozen = frozen;
    c->ctx = ctx;
    c->config = *config;
    c->prune = true;
    c->w.type = c->g.type = c->m.type = c->v.type = ctx_real(ctx);
    rc = params_build(&c->params, config);
    if (!rc)
        rc = make_nets(c);
    if (!rc && frozen)
        rc = frozen_lend(c, path);
    else if (!rc)
        rc = (c->w = ctx_alloc(ctx, ctx_real(ctx), c->params.count)).at ? 0 : EMEMORY_;
    if (!rc) {
        wire(c);
        rc = each_linear(c, open_linear);
    }
    if (rc)
        clip_free(c);
    else
        *out = c;
    return rc;
}

int clip_new(struct clip **out, struct ctx *ctx, const struct config *config, uint64_t seed)
{
    enum { CHUNK = 1 << 13 };
    double x[CHUNK];
    int rc = clip_make(out, ctx, config, NULL, NULL);
    if (rc)
        return rc;
    struct clip *c = *out;
    for (int i = 0; i < c->params.n; i++) {
        struct rng r = rng_make(seed, (uint64_t)i);   // a stream a tensor
        int64_t count = c->params.tensors[i].count;
        for (int64_t at = 0; at < count; at += CHUNK) {
            int64_t n = count - at < CHUNK ? count - at : CHUNK;
            params_draw(&c->params, i, config, &r, at, n, x);
            ctx_put64(ctx, view_at(value(c, i), at), x, n);
        }
    }
    clip_changed(c);
    return 0;
}

void clip_free(struct clip *c)
{
    if (!c)
        return;
    (void)each_linear(c, close_linear);
    view arenas[] = {c->w, c->g, c->m, c->v, c->muon.scratch};
    for (int i = 0; i < 5; i++)
        if (arenas[i].at)
            ctx_free(c->ctx, arenas[i]);
    for (int t = 0; t < 2; t++) {
        tape_free(c->own[t]);
        free(c->net[t].blocks);
    }
    for (int i = 0; i < c->nmeta; i++) {
        free(c->meta[i].key);
        free(c->meta[i].value);
    }
    free(c->meta);
    frozen_free(c->frozen);
    free(c->list);
    free(c->muon.list);
    params_free(&c->params);
    free(c);
}

const struct config *clip_config(const struct clip *c) { return &c->config; }
struct ctx *clip_ctx(const struct clip *c) { return c->ctx; }

const char *clip_meta(const struct clip *c, const char *key)
{
    for (int i = 0; i < c->nmeta; i++)
        if (strcmp(c->meta[i].key, key) == 0)
            return c->meta[i].value;
    return NULL;
}

// --- parameters ----------------------------------------------------------------------------------------------------

const struct tensor *clip_tensors(const struct clip *c, int *n)
{
    *n = c->params.n;
    return c->params.tensors;
}

int clip_find(const struct clip *c, const char *name)
{
    for (int i = 0; i < c->params.n; i++)
        if (strcmp(c->params.tensors[i].name, name) == 0)
            return i;
    return -1;
}

int64_t clip_parameters(const struct clip *c)
{
    int64_t sum = 0;
    for (int i = 0; i < c->params.n; i++)
        sum += c->params.tensors[i].count;
    return sum;
}

view clip_param(const struct clip *c, int tensor) { return value(c, tensor); }
view clip_grad(const struct clip *c, int tensor) { return grad(c, tensor); }

double clip_logit_scale(const struct clip *c)
{
    double x = 0;
    if (c->params.logit_scale >= 0)
        ctx_get64(c->ctx, &x, value(c, c->params.logit_scale), 1);
    return x;
}

void clip_set_logit_scale(struct clip *c, double ln) { ctx_put64(c->ctx, value(c, c->params.logit_scale), &ln, 1); }

void clip_add_logit_scale_grad(struct clip *c, double d)
{
    double x;
    view g = grad(c, c->params.logit_scale);
    ctx_get64(c->ctx, &x, g, 1);
    x += d;
    ctx_put64(c->ctx, g, &x, 1);
}

// --- training ------------------------------------------------------------------------------------------------------

int clip_train_begin(struct clip *c)
{
    if (c->frozen)
        return FAIL(EUSAGE_, "a model opened for inference alone cannot be trained");
    view *arenas[] = {&c->g, &c->m, &c->v};
    for (int i = 0; i < 3; i++) {
        if (arenas[i]->at) {
            ctx_kernels(c->ctx)->zero(c->ctx, *arenas[i], c->params.count);
            continue;
        }
        view fresh = ctx_alloc(c->ctx, ctx_real(c->ctx), c->params.count);
        if (!fresh.at)
            return EMEMORY_;
        *arenas[i] = fresh;
    }
    if (!c->list && !(c->list = calloc((size_t)c->params.n, sizeof *c->list)))
        return FAIL(EMEMORY_, "out of memory");
    for (int i = 0; i < c->params.n; i++) {
        const struct tensor *t = &c->params.tensors[i];
        c->list[i] = (struct parameter){.w = value(c, i), .g = grad(c, i), .m = view_at(c->m, t->at),
                                        .v = view_at(c->v, t->at),
                                        .n = t->count, .decay = t->decay};
    }
    c->steps = 0;
    wire(c);
    return 0;
}

// Does Muon move this tensor? Matrices that map features to features; not tables of rows, not classifiers.
static bool hidden_matrix(const struct clip *c, int tensor)
{
    const struct params *p = &c->params;
    if (tensor == p->conv || tensor == p->image_proj || tensor == p->text_proj)
        return true;
    return p->tensors[tensor].ndim == 2 && strstr(p->tensors[tensor].name, "resblocks.") != NULL;
}

int clip_use_muon(struct clip *c)
{
    struct matrices *muon = &c->muon;
    if (muon->list)
        return 0;
    muon->list = calloc(3 * (size_t)c->params.n, sizeof *muon->list);
    if (!muon->list)
        return FAIL(EMEMORY_, "out of memory");
    for (int i = 0; i < c->params.n; i++) {
        if (!hidden_matrix(c, i))
            continue;
        const struct tensor *t = &c->params.tensors[i];
        int64_t parts = strstr(t->name, "in_proj_weight") ? 3 : 1, rows = t->shape[0] / parts, columns = t->count / t->shape[0];
        struct parameter *p = &c->list[i];
        p->muon = true;
        for (int64_t k = 0; k < parts; k++) {
            int64_t at = k * rows * columns;
            muon->list[muon->n++] = (struct muon_matrix){.w = view_at(p->w, at), .g = view_at(p->g, at), .m = view_at(p->m, at),
                                                         .rows = rows, .columns = columns};
        }
        int64_t room = muon_scratch(rows, columns);
        muon->room = room > muon->room ? room : muon->room;
    }
    muon->scratch = ctx_alloc(c->ctx, ctx_real(c->ctx), muon->room * ctx_threads(c->ctx));
    return muon->scratch.at ? 0 : EMEMORY_;
}

void clip_zero_grad(struct clip *c) { ctx_kernels(c->ctx)->zero(c->ctx, c->g, c->params.count); }
int64_t clip_steps(const struct clip *c) { return c->steps; }

double clip_step(struct clip *c, const struct step_options *o)
{
    const struct optimizer opt = {.beta1 = o->beta1, .beta2 = o->beta2, .eps = o->eps, .weight_decay = o->weight_decay,
                                  .clip_norm = o->clip_norm, .momentum = o->momentum};
    double norm = optimizer_step(c->ctx, &opt, c->list, c->params.n, c->muon.list ? &c->muon : NULL, o->lr, c->steps + 1);
    if (!isfinite(norm))
        return norm;
    c->steps++;
    double scale = clip_logit_scale(c);
    if (scale < o->min_logit_scale || scale > o->max_logit_scale)
        clip_set_logit_scale(c, scale < o->min_logit_scale ? o->min_logit_scale : o->max_logit_scale);
    clip_changed(c);
    return norm;
}

int64_t clip_bytes(const struct clip *c)
{
    int64_t arenas = (c->frozen ? 0 : 1) + (c->g.at ? 1 : 0) + (c->m.at ? 1 : 0) + (c->v.at ? 1 : 0);
    int64_t bytes = arenas * c->params.count * (int64_t)dtype_size(c->w.type);
    bytes += c->muon.room * ctx_threads(c->ctx) * (int64_t)dtype_size(c->w.type);
    for (int t = 0; t < 2; t++)
        bytes += c->own[t] ? tape_bytes(c->own[t]) : 0;
    return bytes;
}

// --- heads ---------------------------------------------------------------------------------------------------------

int clip_head_classes(const struct clip *c, enum head head) { return (int)c->head[head].out; }

void clip_head(struct clip *c, enum head head, view logits, view features, int64_t n)
{
    linear_forward(c->ctx, &c->head[head], logits, features, n, NULL);
}

void clip_head_backward(struct clip *c, enum head head, view dfeatures, view dlogits, view features, int64_t n)
{
    linear_backward(c->ctx, &c->head[head], dfeatures, true, dlogits, features, n);
}

int clip_head_loss(struct clip *c, enum head head, view features, int64_t n, const int32_t *index, const float *prob,
                   int64_t k, double scale, view logits, view dfeatures, double *loss)
{
    const struct linear *l = &c->head[head];
    bool grad = dfeatures.at != NULL;
    const struct soft_ce job = {.x = features, .w = l->weight, .bias = l->bias, .rows = n, .width = l->in,
                                .classes = l->out, .k = k, .index = index, .prob = prob, .logits = logits, .dx = dfeatures,
                                .dw = grad ? l->dw : NO_VIEW, .db = grad ? l->dbias : NO_VIEW, .add = true,
                                .scale = scale};
    return soft_ce_head(c->ctx, &job, loss);
}
