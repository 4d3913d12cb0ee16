// SPDX-License-Identifier: Apache-2.0
#include "model/params.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

const char *const head_names[HEADS] = {[HEAD_OBJECT] = "object_head", [HEAD_ATTRIBUTE] = "attribute_head",
                                       [HEAD_IMAGE] = "visual.head"};

int *params_classes(struct config *c, enum head head)
{
    int *const classes[HEADS] = {[HEAD_OBJECT] = &c->object_classes, [HEAD_ATTRIBUTE] = &c->attribute_classes,
                                 [HEAD_IMAGE] = &c->image_classes};
    return classes[head];
}

enum { ALIGN = 64 };   // elements: a cache line of any element type, and of vectors past it

static int add(struct params *p, const char *prefix, const char *name, int ndim, const int64_t *shape,
               enum init_kind kind, double scale)
{
    struct tensor *t = &p->tensors[p->n];
    snprintf(t->name, sizeof t->name, "%s%s", prefix, name);
    t->ndim = ndim;
    t->count = 1;
    for (int i = 0; i < ndim; i++) {
        t->shape[i] = shape[i];
        t->count *= shape[i];
    }
    t->at = p->count;
    t->decay = ndim >= 2;
    p->inits[p->n] = (struct init){kind, scale};
    p->count += (t->count + ALIGN - 1) / ALIGN * ALIGN;
    return p->n++;
}

static int add1(struct params *p, const char *name, int64_t n, enum init_kind kind, double scale)
{
    return add(p, "", name, 1, &n, kind, scale);
}

static int add2(struct params *p, const char *name, int64_t rows, int64_t columns, enum init_kind kind, double scale)
{
    return add(p, "", name, 2, (int64_t[]){rows, columns}, kind, scale);
}

static void add_blocks(struct params *p, struct block_params *blocks, const char *tower, int64_t w, int64_t h,
                       int64_t L)
{
    for (int i = 0; i < L; i++) {
        char prefix[48];
        snprintf(prefix, sizeof prefix, "%stransformer.resblocks.%d.", tower, i);
#define ADD(field, name, rows, columns, kind, scale)                                                                \
        blocks[i].field = add(p, prefix, name, (columns) ? 2 : 1, (int64_t[]){rows, columns}, kind, scale);
        BLOCK_PARAMETERS(ADD)
#undef ADD
    }
}

static void build_image(struct params *p, const struct config *c)
{
    int64_t w = c->vision.width, patch = c->vision.patch_size;
    double std = pow(w, -.5);
    bool alone = config_image_only(c);
    if (!alone)
        p->logit_scale = add(p, "", "logit_scale", 0, NULL, INIT_VALUE, log(1 / .07));
    p->conv = add(p, "", "visual.conv1.weight", 4, (int64_t[]){w, 3, patch, patch}, INIT_UNIFORM,
                  pow(3 * patch * patch, -.5));
    p->conv_b = alone ? add1(p, "visual.conv1.bias", w, INIT_ZERO, 0) : -1;
    p->class_token = config_class_token(c) ? add1(p, "visual.class_embedding", w, INIT_NORMAL, std) : -1;
    p->image_pos = add2(p, "visual.positional_embedding", config_image_rows(c), w,
                        c->vision.sincos ? INIT_SINCOS : INIT_NORMAL, c->vision.sincos ? .5 : std);
    p->ln_pre_w = alone ? -1 : add1(p, "visual.ln_pre.weight", w, INIT_ONE, 0);
    p->ln_pre_b = alone ? -1 : add1(p, "visual.ln_pre.bias", w, INIT_ZERO, 0);
    add_blocks(p, p->image_blocks, "visual.", w, config_hidden(c), c->vision.layers);
    p->ln_post_w = add1(p, "visual.ln_post.weight", w, INIT_ONE, 0);
    p->ln_post_b = add1(p, "visual.ln_post.bias", w, INIT_ZERO, 0);
    p->image_proj = alone ? -1 : add2(p, "visual.proj", w, c->embed_dim, INIT_NORMAL, std);
}

static void build_text(struct params *p, const struct config *c)
{
    int64_t w = c->text.width;
    p->token = add2(p, "token_embedding.weight", c->text.vocab_size, w, INIT_NORMAL, .02);
    p->text_pos = add2(p, "positional_embedding", c->text.context_length, w, INIT_NORMAL, .01);
    add_blocks(p, p->text_blocks, "", w, 4 * w, c->text.layers);
    p->ln_final_w = add1(p, "ln_final.weight", w, INIT_ONE, 0);
    p->ln_final_b = add1(p, "ln_final.bias", w, INIT_ZERO, 0);
    p->text_proj = add2(p, "text_projection", w, c->embed_dim, INIT_NORMAL, pow(w, -.5));
}

static void build_heads(struct params *p, const struct config *c)
{
    struct config copy = *c;
    for (int h = 0; h < HEADS; h++) {
        char name[32];
        int classes = *params_classes(&copy, (enum head)h);
        snprintf(name, sizeof name, "%s.weight", head_names[h]);
        p->head_w[h] = classes ? add2(p, name, classes, c->embed_dim, INIT_UNIFORM, pow(c->embed_dim, -.5)) : -1;
        snprintf(name, sizeof name, "%s.bias", head_names[h]);
        p->head_b[h] = classes ? add1(p, name, classes, INIT_ZERO, 0) : -1;
    }
}

int params_build(struct params *p, const struct config *c)
{
    memset(p, 0, sizeof *p);
#define COUNT(...) +1
    int a_block = 0 BLOCK_PARAMETERS(COUNT), others = 32;
#undef COUNT
    size_t room = (size_t)(a_block * (c->vision.layers + c->text.layers) + others);
    p->tensors = calloc(room, sizeof *p->tensors);
    p->inits = calloc(room, sizeof *p->inits);
    p->image_blocks = calloc((size_t)c->vision.layers, sizeof *p->image_blocks);
    p->text_blocks = calloc((size_t)c->text.layers + 1, sizeof *p->text_blocks);
    if (!p->tensors || !p->inits || !p->image_blocks || !p->text_blocks) {
        params_free(p);
        return FAIL(EMEMORY_, "out of memory");
    }
    build_image(p, c);
    if (config_image_only(c))
        p->logit_scale = p->token = p->text_pos = p->ln_final_w = p->ln_final_b = p->text_proj = -1;
    else
        build_text(p, c);
    build_heads(p, c);
    return 0;
}

void params_free(struct params *p)
{
    free(p->tensors);
    free(p->inits);
    free(p->image_blocks);
    free(p->text_blocks);
    memset(p, 0, sizeof *p);
}

// Element k of positions [class token + grid^2, w]: a quarter of the width each for sin and cos of the row, sin and cos
// of the column, at wavelengths from 2 pi up to 2 pi 10,000 (Chen et al. 2021, MoCo v3). A class token's row is zero.
static double sincos_at(const struct tensor *t, int64_t grid, int64_t k)
{
    int64_t w = t->shape[1], quarter = w / 4, cell = k / w - (t->shape[0] - grid * grid), part = k % w / quarter;
    if (cell < 0)
        return 0;
    double place = (double)(part < 2 ? cell / grid : cell % grid);
    double angle = place * pow(10000, -(double)(k % quarter) / (double)quarter);
    return part % 2 ? cos(angle) : sin(angle);
}

void params_draw(const struct params *p, int i, const struct config *config, struct rng *r, int64_t first, int64_t n,
                 double *out)
{
    double scale = p->inits[i].scale;
    for (int64_t k = 0; k < n; k++)
        switch (p->inits[i].kind) {
        case INIT_ZERO:
            out[k] = 0;
            break;
        case INIT_ONE:
            out[k] = 1;
            break;
        case INIT_VALUE:
            out[k] = scale;
            break;
        case INIT_NORMAL:
            out[k] = scale * rng_normal(r);
            break;
        case INIT_UNIFORM:
            out[k] = rng_range(r, -scale, scale);
            break;
        case INIT_SINCOS:
            out[k] = scale * sincos_at(&p->tensors[i], config_grid(config), first + k);
            break;
        }
}
