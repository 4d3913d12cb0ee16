// SPDX-License-Identifier: Apache-2.0
// What a dual encoder is made of: sizes, pooling, normalisation of its pictures. One JSON object in files and in a
// checkpoint's metadata.
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

enum pool_kind { POOL_CLASS, POOL_MEAN, POOL_END };               // image: class or mean; text: end or mean
enum resampling { RESAMPLE_BICUBIC, RESAMPLE_BILINEAR };
// CLIP's image tower, or a ViT alone, as SWAG's: patch convolution with bias, no norm before the blocks, no projection
// (embed_dim is the width), and no text tower.
enum form { FORM_CLIP, FORM_VIT };

struct config {
    char name[64];                // "diht_vitb32_224px", "demo", ... or ""
    int embed_dim;
    bool quick_gelu;              // x sigmoid(1.702 x) instead of the exact GELU (OpenAI's CLIP files)
    double layer_norm_eps;
    struct {
        int image_size, patch_size, width, layers, head_width;
        double mlp_ratio;         // hidden width / width
        enum pool_kind pool;      // POOL_MEAN: no class token
        bool sincos;              // positions start from 2-D sines x 0.5 instead of noise
        float mean[3], std[3];    // of pixels in 0 .. 1
        enum resampling interpolation;
        enum form form;
        bool resized;             // image_size is the user's word: positions of another grid are interpolated to it
    } vision;
    struct {
        int context_length, vocab_size, width, layers, heads;   // all 0 with FORM_VIT
        enum pool_kind pool;      // POOL_END: row of the first highest id
        bool causal;              // a token sees only those before it
    } text;
    int object_classes, attribute_classes, image_classes;   // rows of the heads on the image embedding; 0: no head
};

// By name (config_names) or from a JSON file when `name` ends in ".json". The vocabulary of `tiny` and `demo` is a
// placeholder: set text.vocab_size to the tokenizer's.
int config_named(struct config *c, const char *name);
extern const char *const config_names[];                          // ends with NULL

int config_parse(struct config *c, const char *json, size_t len, const char *from);   // `from` names it in sentences
char *config_json(const struct config *c);                        // fresh, sorted keys; NULL: out of memory
// EFORMAT_ with the key, what was found and what is possible
int config_check(const struct config *c, const char *from);

static inline bool config_image_only(const struct config *c) { return c->vision.form == FORM_VIT; }
static inline bool config_class_token(const struct config *c) { return c->vision.pool == POOL_CLASS; }
static inline int config_grid(const struct config *c) { return c->vision.image_size / c->vision.patch_size; }
static inline int config_image_rows(const struct config *c)
{
    return config_grid(c) * config_grid(c) + config_class_token(c);
}
static inline int config_hidden(const struct config *c) { return (int)(c->vision.width * c->vision.mlp_ratio + .5); }

// Dense multiply-adds x 2 of one forward pass: (24 w^2 rows + 4 rows^2 w) a layer, patches and projection included.
double config_image_flop(const struct config *c);
double config_text_flop(const struct config *c, double rows, double rows_squared /* mean of rows^2 */);

#endif
