// SPDX-License-Identifier: Apache-2.0
#include "model/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const char *const whole[][2] = {
    {"vision_model.embeddings.class_embedding", "visual.class_embedding"},
    {"vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"},
    {"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"},
    {"vision_model.pre_layrnorm.weight", "visual.ln_pre.weight"},   // their spelling
    {"vision_model.pre_layrnorm.bias", "visual.ln_pre.bias"},
    {"vision_model.post_layernorm.weight", "visual.ln_post.weight"},
    {"vision_model.post_layernorm.bias", "visual.ln_post.bias"},
    {"visual_projection.weight", "visual.proj"},
    {"text_model.embeddings.token_embedding.weight", "token_embedding.weight"},
    {"text_model.embeddings.position_embedding.weight", "positional_embedding"},
    {"text_model.final_layer_norm.weight", "ln_final.weight"},
    {"text_model.final_layer_norm.bias", "ln_final.bias"},
    {"text_projection.weight", "text_projection"},
    {"logit_scale", "logit_scale"},
};
static const char *const in_layer[][2] = {
    {"layer_norm1.weight", "ln_1.weight"},         {"layer_norm1.bias", "ln_1.bias"},
    {"layer_norm2.weight", "ln_2.weight"},         {"layer_norm2.bias", "ln_2.bias"},
    {"self_attn.q_proj.weight", "attn.in_proj_weight"}, {"self_attn.q_proj.bias", "attn.in_proj_bias"},
    {"self_attn.out_proj.weight", "attn.out_proj.weight"}, {"self_attn.out_proj.bias", "attn.out_proj.bias"},
    {"mlp.fc1.weight", "mlp.c_fc.weight"},         {"mlp.fc1.bias", "mlp.c_fc.bias"},
    {"mlp.fc2.weight", "mlp.c_proj.weight"},       {"mlp.fc2.bias", "mlp.c_proj.bias"},
};
static const char *const towers[][2] = {
    {"vision_model.encoder.layers.", "visual.transformer.resblocks."},
    {"text_model.encoder.layers.", "transformer.resblocks."},
};

// A ViT alone: SWAG's names, and torchvision's, which differ in little.
static const char *const vit_whole[][2] = {
    {"class_token", "visual.class_embedding"},
    {"conv_proj.weight", "visual.conv1.weight"},
    {"conv_proj.bias", "visual.conv1.bias"},
    {"encoder.pos_embedding", "visual.positional_embedding"},
    {"encoder.ln.weight", "visual.ln_post.weight"},
    {"encoder.ln.bias", "visual.ln_post.bias"},
    {"head.layers.head.weight", "visual.head.weight"},
    {"head.layers.head.bias", "visual.head.bias"},
    {"heads.head.weight", "visual.head.weight"},
    {"heads.head.bias", "visual.head.bias"},
};
static const char *const vit_in_layer[][2] = {
    {"ln_1.weight", "ln_1.weight"},                {"ln_1.bias", "ln_1.bias"},
    {"ln_2.weight", "ln_2.weight"},                {"ln_2.bias", "ln_2.bias"},
    {"self_attention.in_proj_weight", "attn.in_proj_weight"}, {"self_attention.in_proj_bias", "attn.in_proj_bias"},
    {"self_attention.out_proj.weight", "attn.out_proj.weight"}, {"self_attention.out_proj.bias", "attn.out_proj.bias"},
    {"mlp.linear_1.weight", "mlp.c_fc.weight"},    {"mlp.linear_1.bias", "mlp.c_fc.bias"},
    {"mlp.linear_2.weight", "mlp.c_proj.weight"},  {"mlp.linear_2.bias", "mlp.c_proj.bias"},
    {"mlp.0.weight", "mlp.c_fc.weight"},           {"mlp.0.bias", "mlp.c_fc.bias"},
    {"mlp.3.weight", "mlp.c_proj.weight"},         {"mlp.3.bias", "mlp.c_proj.bias"},
};
static const char *const vit_towers[][2] = {
    {"encoder.layers.layer_", "visual.transformer.resblocks."},
    {"encoder.layers.encoder_layer_", "visual.transformer.resblocks."},
};

// A library's spelling of everything.
struct spelling {
    const char *const (*whole)[2], *const (*in_layer)[2], *const (*towers)[2];
    size_t nwhole, nin_layer;    // two towers each
};
#define COUNT(list) (sizeof list / sizeof *list)
static const struct spelling hugging_face = {whole, in_layer, towers, COUNT(whole), COUNT(in_layer)};
static const struct spelling vit = {vit_whole, vit_in_layer, vit_towers, COUNT(vit_whole), COUNT(vit_in_layer)};

bool names_hugging_face(const struct st_file *f) { return st_find(f, whole[1][0]) && st_find(f, whole[8][0]); }

// The reference's name into out; false: the tensor has none (a key or value, or a buffer of place numbers).
static bool translate(const struct spelling *s, const char *name, char out[80])
{
    for (size_t i = 0; i < s->nwhole; i++)
        if (strcmp(name, s->whole[i][0]) == 0)
            return snprintf(out, 80, "%s", s->whole[i][1]) > 0;
    for (int t = 0; t < 2; t++) {
        size_t n = strlen(s->towers[t][0]);
        if (strncmp(name, s->towers[t][0], n) != 0)
            continue;
        char *rest;
        long layer = strtol(name + n, &rest, 10);
        for (size_t i = 0; i < s->nin_layer && layer >= 0 && layer < 1000; i++)
            if (*rest == '.' && strcmp(rest + 1, s->in_layer[i][0]) == 0)
                return snprintf(out, 80, "%s%ld.%s", s->towers[t][1], layer, s->in_layer[i][1]) > 0;
    }
    return false;
}

// q becomes q, k and v one after the other.
static int join(const struct st_file *f, struct st_tensor *q, const char *path)
{
    char name[128];
    const char *at = strstr(q->name, ".q_proj.");
    if (!at || strlen(q->name) >= sizeof name || !q->ndim || q->strided)
        return FAIL(EFORMAT_, "%s: tensor %.80s is not a query's", path, q->name);
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s", q->name);
        name[at - q->name + 1] = "kv"[i];
        const struct st_tensor *t = st_find(f, name);
        if (!t || t->type != q->type || t->ndim != q->ndim || t->strided || q->count > INT64_MAX / 4 ||
            memcmp(t->shape, q->shape, (size_t)q->ndim * sizeof *q->shape) != 0)
            return FAIL(EFORMAT_, "%s: tensor %s is missing or not of %.80s's type and shape", path, name, q->name);
        q->more[i] = t->data;
    }
    q->part = q->count;
    q->shape[0] *= 3;
    q->count *= 3;
    return 0;
}

static int transpose(struct st_tensor *t, const char *path)
{
    if (t->ndim != 2 || t->strided)
        return FAIL(EFORMAT_, "%s: tensor %.80s is not a matrix", path, t->name);
    int64_t rows = t->shape[0], columns = t->shape[1];
    t->shape[0] = columns;
    t->shape[1] = rows;
    t->stride[0] = 1;
    t->stride[1] = columns;
    t->strided = t->count > 0;
    return 0;
}

// Part of another tensor by now, or place numbers 0, 1, 2 ...
static bool dropped(const char *name)
{
    return strstr(name, ".self_attn.k_proj.") || strstr(name, ".self_attn.v_proj.") || strstr(name, ".position_ids");
}

// Dimensions of one element leave the shape: class_token [1, 1, w], positions [n, 1, w] or [1, n, w].
static void squeeze(struct st_tensor *t)
{
    int n = 0;
    for (int d = 0; d < t->ndim; d++)
        if (t->shape[d] != 1) {
            t->shape[n] = t->shape[d];
            t->stride[n++] = t->stride[d];
        }
    t->ndim = n;
}

static int rename_all(struct st_file *f, const struct spelling *s, const char *path)
{
    int kept = 0, rc = 0;
    map_free(f->index);
    f->index = map_new();
    for (int i = 0; i < f->n; i++) {
        struct st_tensor t = f->tensors[i];
        char name[80];
        if (dropped(t.name)) {
            free(t.name);
            continue;
        }
        if (translate(s, t.name, name)) {
            free(t.name);
            t.name = strdup(name);
        }
        if (!t.name || !f->index)
            rc = FAIL(EMEMORY_, "out of memory");
        else if (!rc && map_get(f->index, t.name, strlen(t.name), -1) >= 0)
            rc = FAIL(EFORMAT_, "%s: two tensors stand for %.80s", path, t.name);
        else if (!rc)
            rc = map_put(f->index, t.name, strlen(t.name), kept);
        f->tensors[kept++] = t;
    }
    f->n = kept;
    return rc;
}

bool names_vit(const struct st_file *f)
{
    return st_find(f, "conv_proj.weight") && st_find(f, "encoder.pos_embedding") && st_find(f, "encoder.ln.weight");
}

int names_translate_vit(struct st_file *f, const char *path)
{
    for (int i = 0; i < f->n; i++)
        if (strcmp(f->tensors[i].name, "class_token") == 0 || strcmp(f->tensors[i].name, "encoder.pos_embedding") == 0)
            squeeze(&f->tensors[i]);
    return rename_all(f, &vit, path);
}

int names_translate(struct st_file *f, const char *path)
{
    int rc = 0;
    for (int i = 0; i < f->n && !rc; i++)
        if (strstr(f->tensors[i].name, ".self_attn.q_proj."))
            rc = join(f, &f->tensors[i], path);
        else if (strcmp(f->tensors[i].name, "visual_projection.weight") == 0 ||
                 strcmp(f->tensors[i].name, "text_projection.weight") == 0)
            rc = transpose(&f->tensors[i], path);
    return rc ? rc : rename_all(f, &hugging_face, path);
}
