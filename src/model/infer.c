// SPDX-License-Identifier: Apache-2.0
#include "model/infer.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "model/params.h"

enum { RELEASED_HEAD = 64 };   // width of every head of the DiHT and OpenAI models

// Dimension d of a tensor with `ndim` of them; 0: there is none such.
static int dim(const struct st_file *f, const char *name, int ndim, int d)
{
    const struct st_tensor *t = st_find(f, name);
    return t && t->ndim == ndim && t->shape[d] > 0 && t->shape[d] <= 1 << 24 ? (int)t->shape[d] : 0;
}

static int layers(const struct st_file *f, const char *tower)
{
    char name[80];
    for (int i = 0;; i++) {
        snprintf(name, sizeof name, "%stransformer.resblocks.%d.ln_1.weight", tower, i);
        if (!st_find(f, name))
            return i;
    }
}

static int from_shapes(struct config *c, const struct st_file *f, const char *path)
{
    c->vision.width = dim(f, "visual.conv1.weight", 4, 0);
    c->vision.patch_size = dim(f, "visual.conv1.weight", 4, 3);
    int rows = dim(f, "visual.positional_embedding", 2, 0) - (st_find(f, "visual.class_embedding") != NULL);
    int grid = rows > 0 ? (int)lround(sqrt(rows)) : 0;
    c->vision.pool = st_find(f, "visual.class_embedding") ? POOL_CLASS : POOL_MEAN;
    c->vision.image_size = grid * grid == rows && grid < 8192 && c->vision.patch_size < 1024
                               ? grid * c->vision.patch_size : 0;
    c->vision.layers = layers(f, "visual.");
    c->embed_dim = dim(f, "visual.proj", 2, 1);
    c->text.vocab_size = dim(f, "token_embedding.weight", 2, 0);
    c->text.width = dim(f, "token_embedding.weight", 2, 1);
    c->text.context_length = dim(f, "positional_embedding", 2, 0);
    c->text.layers = layers(f, "");
    int hidden = dim(f, "visual.transformer.resblocks.0.mlp.c_fc.weight", 2, 0);
    if (!c->vision.width || !c->vision.image_size || !c->vision.layers || !c->embed_dim || !c->text.width ||
        !c->text.context_length || !c->text.layers || !hidden)
        return FAIL(EMISSING_, "%s: no model configuration: neither diht.config in its metadata nor config.json beside it, "
                    "and its tensors are not those of a CLIP-like model", path);
    c->vision.mlp_ratio = (double)hidden / c->vision.width;
    return 0;
}

static bool same_sizes(const struct config *a, const struct config *b)
{
    return a->embed_dim == b->embed_dim && a->vision.image_size == b->vision.image_size &&
           a->vision.patch_size == b->vision.patch_size && a->vision.width == b->vision.width &&
           a->vision.layers == b->vision.layers && a->text.context_length == b->text.context_length &&
           a->text.vocab_size == b->text.vocab_size && a->text.width == b->text.width &&
           a->text.layers == b->text.layers;
}

int config_infer(struct config *c, const struct st_file *f, const char *path)
{
    if (config_named(c, config_names[0]))   // the family's constants
        return EUSAGE_;
    c->name[0] = 0;
    int rc = from_shapes(c, f, path);
    if (rc)
        return rc;
    bool openai = st_find(f, "input_resolution") && st_find(f, "context_length") && st_find(f, "vocab_size");
    const char *file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path, *known = NULL;
    for (const char *const *name = config_names; *name && !openai; name++) {
        struct config one;
        if (strncmp(*name, "diht_", 5) == 0 && strncmp(file, *name, strlen(*name)) == 0 &&
            config_named(&one, *name) == 0 && same_sizes(&one, c))
            known = *name;
    }
    if (!openai && !known)
        return FAIL(EMISSING_, "%s: no model configuration: neither diht.config in its metadata nor config.json beside it; "
                    "head widths and activation cannot be read off the tensors: write config.json", path);
    if (c->vision.width % RELEASED_HEAD || c->text.width % RELEASED_HEAD)
        return FAIL(EFORMAT_, "%s: widths %d and %d are not made of heads of %d, as such files' are; write config.json "
                    "beside it", path, c->vision.width, c->text.width, RELEASED_HEAD);
    c->vision.head_width = RELEASED_HEAD;
    c->text.heads = c->text.width / RELEASED_HEAD;
    c->quick_gelu = openai;
    snprintf(c->name, sizeof c->name, "%s", known ? known : "");
    log_info("%s: sizes from its tensors; heads %d wide, %s: %s", path, RELEASED_HEAD, openai ? "QuickGELU" : "GELU",
             openai ? "OpenAI's file, by its extra scalars" : known);
    return config_check(c, path);
}

// Hugging Face's config.json: heads and activation; sizes come from the tensors. 1: it is not one.
static int config_hugging_face(struct config *c, const struct st_file *f, const char *beside, const char *path)
{
    json_t *root = json_load_file(beside, 0, NULL);
    json_t *image = json_object_get(root, "vision_config"), *text = json_object_get(root, "text_config");
    int rc = 1;
    if (image && text) {
        json_int_t heads = json_integer_value(json_object_get(image, "num_attention_heads"));
        json_int_t text_heads = json_integer_value(json_object_get(text, "num_attention_heads"));
        const char *act = json_string_value(json_object_get(image, "hidden_act"));
        const char *text_act = json_string_value(json_object_get(text, "hidden_act"));
        act = act ? act : "quick_gelu";              // what that library takes when the file is silent
        text_act = text_act ? text_act : "quick_gelu";
        (void)config_named(c, config_names[0]);
        c->name[0] = 0;
        rc = from_shapes(c, f, path);
        if (!rc && (strcmp(act, text_act) != 0 || (strcmp(act, "quick_gelu") != 0 && strcmp(act, "gelu") != 0)))
            rc = FAIL(EUNSUPPORTED_, "%s: hidden_act %.20s and %.20s: quick_gelu or gelu, the same in both towers, is known",
                      beside, act, text_act);
        if (!rc && (heads < 1 || text_heads < 1 || heads > 1024 || text_heads > 1024 || c->vision.width % heads ||
                    c->text.width % text_heads))
            rc = FAIL(EFORMAT_, "%s: num_attention_heads must be given in both parts and divide the widths %d and %d",
                      beside, c->vision.width, c->text.width);
        if (!rc) {
            c->vision.head_width = c->vision.width / (int)heads;
            c->text.heads = (int)text_heads;
            c->quick_gelu = strcmp(act, "quick_gelu") == 0;
            log_info("%s: sizes from its tensors; heads and %s from %s", path, act, beside);
            rc = config_check(c, beside);
        }
    }
    json_decref(root);
    return rc;
}

int config_of_file(struct config *c, const struct st_file *f, const char *path)
{
    const char *inside = st_meta_get(f, "diht.config");
    int rc;
    if (inside) {
        rc = config_parse(c, inside, strlen(inside), path);
    } else {
        char *dir = path_dir(path), *beside = dir ? path_join(dir, "config.json") : NULL;
        if (!beside)
            rc = FAIL(EMEMORY_, "out of memory");
        else if (!file_exists(beside))
            rc = config_infer(c, f, path);
        else if ((rc = config_hugging_face(c, f, beside, path)) == 1)
            rc = config_named(c, beside);
        free(dir);
        free(beside);
    }
    int *classes[2] = {[HEAD_OBJECT] = &c->object_classes, [HEAD_ATTRIBUTE] = &c->attribute_classes};
    for (int h = 0; h < 2 && !rc; h++) {
        char name[32];
        snprintf(name, sizeof name, "%s.weight", head_names[h]);
        const struct st_tensor *t = st_find(f, name);
        if (!*classes[h] && t && t->ndim == 2 && t->shape[0] > 0 && t->shape[0] <= 1 << 24)
            *classes[h] = (int)t->shape[0];
    }
    return rc;
}
