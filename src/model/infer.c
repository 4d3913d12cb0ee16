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

// The family's constants.
static void constants(struct config *c, bool alone)
{
    static const float mean[3] = {.485f, .456f, .406f}, std[3] = {.229f, .224f, .225f};   // ImageNet's
    (void)config_named(c, config_names[0]);
    c->name[0] = 0;
    if (!alone)
        return;
    c->vision.form = FORM_VIT;
    c->layer_norm_eps = 1e-6;
    memcpy(c->vision.mean, mean, sizeof mean);
    memcpy(c->vision.std, std, sizeof std);
    memset(&c->text, 0, sizeof c->text);
}

// Sizes and the family's constants; heads are still unknown.
static int from_shapes(struct config *c, const struct st_file *f, const char *path)
{
    bool alone = st_find(f, "visual.conv1.bias") && !st_find(f, "visual.ln_pre.weight") &&
                 !st_find(f, "token_embedding.weight");
    constants(c, alone);
    c->vision.width = dim(f, "visual.conv1.weight", 4, 0);
    c->vision.patch_size = dim(f, "visual.conv1.weight", 4, 3);
    int rows = dim(f, "visual.positional_embedding", 2, 0) - (st_find(f, "visual.class_embedding") != NULL);
    int grid = rows > 0 ? (int)lround(sqrt(rows)) : 0;
    c->vision.pool = st_find(f, "visual.class_embedding") ? POOL_CLASS : POOL_MEAN;
    c->vision.image_size = grid * grid == rows && grid < 8192 && c->vision.patch_size < 1024
                               ? grid * c->vision.patch_size : 0;
    c->vision.layers = layers(f, "visual.");
    c->vision.head_width = 0;
    c->embed_dim = alone ? c->vision.width : dim(f, "visual.proj", 2, 1);
    if (!alone) {
        c->text.vocab_size = dim(f, "token_embedding.weight", 2, 0);
        c->text.width = dim(f, "token_embedding.weight", 2, 1);
        c->text.context_length = dim(f, "positional_embedding", 2, 0);
        c->text.layers = layers(f, "");
        c->text.heads = 0;
    }
    int hidden = dim(f, "visual.transformer.resblocks.0.mlp.c_fc.weight", 2, 0);
    if (!c->vision.width || !c->vision.image_size || !c->vision.layers || !c->embed_dim || !hidden ||
        (!alone && (!c->text.width || !c->text.context_length || !c->text.layers)))
        return FAIL(EMISSING_, "%s: no model configuration: neither diht.config in its metadata nor config.json beside it, "
                    "and its tensors are not those of a CLIP-like model or a ViT", path);
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

static int set_heads(struct config *c, int width, int text_width, const char *path, const char *why)
{
    text_width = text_width ? text_width : width;
    if (c->vision.width % width || (!config_image_only(c) && c->text.width % text_width))
        return FAIL(EFORMAT_, "%s: %s: heads of %d do not divide the widths %d%s%.0d of its towers: say --head-width N", path,
                    why, width, c->vision.width, config_image_only(c) ? "" : " and ", c->text.width);
    c->vision.head_width = width;
    c->text.heads = config_image_only(c) ? 0 : c->text.width / text_width;
    return 0;
}

// --- known models --------------------------------------------------------------------------------------------------

// The ViTs that SWAG released, whatever their image size.
static const struct {
    const char *name;
    int patch, width, layers, head_width;
} swag[] = {{"ViT-B/16", 16, 768, 12, 64}, {"ViT-L/16", 16, 1024, 24, 64}, {"ViT-H/14", 14, 1280, 32, 80}};

static const char *known_vit(const struct config *c, int *head_width)
{
    for (size_t i = 0; i < sizeof swag / sizeof *swag && config_image_only(c); i++)
        if (swag[i].patch == c->vision.patch_size && swag[i].width == c->vision.width && swag[i].layers == c->vision.layers) {
            *head_width = swag[i].head_width;
            return swag[i].name;
        }
    return NULL;
}

static const char *known_diht(const struct config *c, const char *path)
{
    for (const char *const *name = config_names; *name; name++) {
        struct config one;
        if (strncmp(*name, "diht_", 5) == 0 && strncmp(path_name(path), *name, strlen(*name)) == 0 &&
            config_named(&one, *name) == 0 && same_sizes(&one, c))
            return *name;
    }
    return NULL;
}

// Heads and activation from the evidence in the file; *why in words, NULL: there is none.
static int recognise(struct config *c, const struct st_file *f, const char *path, char why[160])
{
    bool openai = st_find(f, "input_resolution") && st_find(f, "context_length") && st_find(f, "vocab_size");
    int head_width = RELEASED_HEAD;
    const char *diht = openai ? NULL : known_diht(c, path), *vit = known_vit(c, &head_width);
    *why = 0;
    if (openai)
        snprintf(why, 160, "OpenAI's file, by its scalars input_resolution, context_length, vocab_size");
    else if (diht)
        snprintf(why, 160, "%s, by its name and shapes", diht);
    else if (vit)
        snprintf(why, 160, "SWAG's %s, by its sizes", vit);
    if (!*why)
        return 0;
    snprintf(c->name, sizeof c->name, "%s", diht ? diht : "");
    c->quick_gelu = openai;
    return set_heads(c, head_width, 0, path, why);
}

// --- configuration files -------------------------------------------------------------------------------------------

static json_int_t number(json_t *o, const char *key) { return json_integer_value(json_object_get(o, key)); }

static int set_head_counts(struct config *c, json_int_t image, json_int_t text, const char *from)
{
    bool alone = config_image_only(c);
    if (image < 1 || image > 1024 || c->vision.width % image || (!alone && (text < 1 || text > 1024 || c->text.width % text)))
        return FAIL(EFORMAT_, "%s: the numbers of heads must be given and divide the towers' widths %d and %d", from,
                    c->vision.width, c->text.width);
    c->vision.head_width = c->vision.width / (int)image;
    c->text.heads = alone ? 0 : (int)text;
    return 0;
}

static int colours(float to[3], json_t *list, const char *key, const char *from)
{
    if (!list)
        return 0;
    for (size_t i = 0; i < 3; i++) {
        json_t *x = json_array_get(list, i);
        if (json_array_size(list) != 3 || !json_is_number(x))
            return FAIL(EFORMAT_, "%s: %s must be three numbers", from, key);
        to[i] = (float)json_number_value(x);
    }
    return 0;
}

static int hugging_face(struct config *c, json_t *image, json_t *text, const char *from)
{
    const char *act = json_string_value(json_object_get(image, "hidden_act"));
    const char *text_act = json_string_value(json_object_get(text, "hidden_act"));
    act = act ? act : "quick_gelu";              // what that library takes when the file is silent
    text_act = text_act ? text_act : "quick_gelu";
    if (strcmp(act, text_act) != 0 || (strcmp(act, "quick_gelu") != 0 && strcmp(act, "gelu") != 0))
        return FAIL(EUNSUPPORTED_, "%s: hidden_act %.20s and %.20s: quick_gelu or gelu, the same in both towers, is known",
                    from, act, text_act);
    c->quick_gelu = strcmp(act, "quick_gelu") == 0;
    return set_head_counts(c, number(image, "num_attention_heads"), number(text, "num_attention_heads"), from);
}

// open_clip's: heads of the image tower by width, 64 when the file is silent; GELU unless it says otherwise.
static int open_clip(struct config *c, json_t *model, json_t *preprocess, const char *from)
{
    json_t *image = json_object_get(model, "vision_cfg"), *text = json_object_get(model, "text_cfg");
    json_int_t width = number(image, "head_width") ? number(image, "head_width") : 64;
    json_int_t heads = number(text, "heads") ? number(text, "heads") : 8;
    c->quick_gelu = json_is_true(json_object_get(model, "quick_gelu"));
    int rc = width < 1 || width > c->vision.width || c->vision.width % width
                 ? FAIL(EFORMAT_, "%s: vision_cfg.head_width %lld does not divide the width %d", from, (long long)width,
                        c->vision.width)
                 : set_head_counts(c, c->vision.width / width, heads, from);
    if (!rc)
        rc = colours(c->vision.mean, json_object_get(preprocess, "mean"), "preprocess_cfg.mean", from);
    return rc ? rc : colours(c->vision.std, json_object_get(preprocess, "std"), "preprocess_cfg.std", from);
}

static int foreign_heads(struct config *c, json_t *root, const char *from)
{
    json_t *image = json_object_get(root, "vision_config"), *text = json_object_get(root, "text_config");
    json_t *model = json_object_get(root, "model_cfg");
    if (image && text)
        return hugging_face(c, image, text, from);
    if (model || json_object_get(root, "vision_cfg"))
        return open_clip(c, model ? model : root, json_object_get(root, "preprocess_cfg"), from);
    if (number(root, "width") != c->vision.width || number(root, "layers") != c->vision.layers)   // a ViT's
        return FAIL(EFORMAT_, "%s: width %lld and %lld layers; the weights have %d and %d", from,
                    (long long)number(root, "width"), (long long)number(root, "layers"), c->vision.width, c->vision.layers);
    return set_head_counts(c, number(root, "heads"), number(root, "heads"), from);
}

// A file that says of a model what shapes cannot tell. Sizes come from the tensors, but from our own form all does.
static int from_file(struct config *c, const struct st_file *f, const char *path, const char *file)
{
    json_t *root = json_load_file(file, 0, NULL);
    bool foreign = json_object_get(root, "vision_config") || json_object_get(root, "model_cfg") ||
                   json_object_get(root, "vision_cfg") || json_object_get(root, "heads") != NULL;
    foreign &= !json_object_get(root, "vision");
    int rc = foreign ? from_shapes(c, f, path) : config_named(c, file);
    if (!rc && foreign && !(rc = foreign_heads(c, root, file)))
        log_info("%s: sizes from its tensors; heads %d wide, %s: from %s", path, c->vision.head_width,
                 c->quick_gelu ? "QuickGELU" : "GELU", file);
    json_decref(root);
    return rc;
}

// The first of the usual files beside the weights; *out NULL: none. Fresh.
static int find_beside(char **out, const char *path)
{
    static const char *const usual[] = {"config.json", "open_clip_config.json"};
    char *dir = path_dir(path);
    *out = NULL;
    int rc = dir ? 0 : FAIL(EMEMORY_, "out of memory");
    for (int i = 0; i < 2 && !rc && !*out; i++) {
        char *file = path_join(dir, usual[i]);
        if (!file)
            rc = FAIL(EMEMORY_, "out of memory");
        else if (file_exists(file))
            *out = file;
        else
            free(file);
    }
    free(dir);
    return rc;
}

// --- what the user says --------------------------------------------------------------------------------------------

static int check_as(const struct model_as *as)
{
    if (as->activation && strcmp(as->activation, "gelu") != 0 && strcmp(as->activation, "quick_gelu") != 0)
        return FAIL(EUSAGE_, "--activation %s: gelu or quick_gelu expected", as->activation);
    if (as->head_width < 0 || as->text_head_width < 0 || as->head_width > 1024 || as->text_head_width > 1024)
        return FAIL(EUSAGE_, "--head-width: 1 to 1024 expected");
    if (as->image_size < 0 || as->image_size > 8192)
        return FAIL(EUSAGE_, "--image-size %d: pixels, up to 8192, expected", as->image_size);
    return 0;
}

static int from_tensors(struct config *c, const struct st_file *f, const char *path, const struct model_as *as)
{
    char why[160];
    int rc = from_shapes(c, f, path);
    if (!rc)
        rc = recognise(c, f, path, why);
    if (rc)
        return rc;
    bool alone = config_image_only(c);
    if (!*why && (!as->head_width || (!as->activation && !alone)))
        return FAIL(EMISSING_, "%s: its tensors do not tell how wide its heads are%s, and neither its name nor a config.json "
                    "beside it does: say --head-width N%s, or --model-config FILE", path, alone ? "" : " or its activation",
                    alone ? "" : " and --activation gelu or quick_gelu");
    if (*why)
        log_info("%s: sizes from its tensors; heads %d wide, %s: %s", path, c->vision.head_width,
                 c->quick_gelu ? "QuickGELU" : "GELU", why);
    if (alone)
        log_info("%s: a ViT alone, by its names: LayerNorm eps 1e-6, %spictures by ImageNet's mean and deviation", path,
                 *why || as->activation ? "" : "GELU, ");
    return 0;
}

static int apply(struct config *c, const char *path, const struct model_as *as)
{
    if (as->head_width || as->text_head_width) {
        int rc = set_heads(c, as->head_width ? as->head_width : c->vision.head_width, as->text_head_width, path,
                           "as the options say");
        if (rc)
            return rc;
        log_info("%s: heads %d wide%s: as the options say", path, c->vision.head_width,
                 as->text_head_width ? " (the text tower's as given)" : "");
    }
    if (as->activation) {
        c->quick_gelu = strcmp(as->activation, "quick_gelu") == 0;
        log_info("%s: %s: as --activation says", path, c->quick_gelu ? "QuickGELU" : "GELU");
    }
    if (as->image_size && as->image_size != c->vision.image_size) {
        log_info("%s: pictures of %d pixels, as --image-size says; it was made for %d", path, as->image_size,
                 c->vision.image_size);
        c->vision.image_size = as->image_size;
        c->vision.resized = true;   // a file's own word may not ask for more rows than it holds
    }
    return 0;
}

static void count_classes(struct config *c, const struct st_file *f)
{
    for (int h = 0; h < HEADS; h++) {
        char name[32];
        int *classes = params_classes(c, (enum head)h);
        snprintf(name, sizeof name, "%s.weight", head_names[h]);
        const struct st_tensor *t = st_find(f, name);
        if (!*classes && t && t->ndim == 2 && t->shape[0] > 0 && t->shape[0] <= 1 << 24)
            *classes = (int)t->shape[0];
    }
}

int config_of_file(struct config *c, const struct st_file *f, const char *path, const struct model_as *as)
{
    static const struct model_as nothing;
    const char *inside = st_meta_get(f, "diht.config");
    char *beside = NULL;
    as = as ? as : &nothing;
    int rc = check_as(as);
    if (rc)
        return rc;
    if (as->config)
        rc = from_file(c, f, path, as->config);
    else if (inside)
        rc = config_parse(c, inside, strlen(inside), path);
    else if (!(rc = find_beside(&beside, path)))
        rc = beside ? from_file(c, f, path, beside) : from_tensors(c, f, path, as);
    free(beside);
    if (!rc)
        rc = apply(c, path, as);
    if (rc)
        return rc;
    count_classes(c, f);
    return config_check(c, path);
}
