// SPDX-License-Identifier: Apache-2.0
// Every parameter of a model said once: field, checkpoint name, shape, first values. Sizes, names, places in the arena
// and weight decay follow.
#ifndef MODEL_PARAMS_H
#define MODEL_PARAMS_H

#include "base/rng.h"
#include "model/clip.h"

enum init_kind {
    INIT_ZERO, INIT_ONE,
    INIT_NORMAL,    // N(0, scale)
    INIT_UNIFORM,   // -scale .. scale
    INIT_VALUE,     // scale itself
    INIT_SINCOS,    // 2-D sines x scale
};

// A block of width w and hidden width h among L: X(field, name, rows, columns or 0, init, its scale)
#define BLOCK_PARAMETERS(X)                                                                                        \
    X(ln_1_w, "ln_1.weight", w, 0, INIT_ONE, 0)                                                                    \
    X(ln_1_b, "ln_1.bias", w, 0, INIT_ZERO, 0)                                                                     \
    X(qkv_w, "attn.in_proj_weight", 3 * w, w, INIT_NORMAL, pow(w, -.5))                                            \
    X(qkv_b, "attn.in_proj_bias", 3 * w, 0, INIT_ZERO, 0)                                                          \
    X(out_w, "attn.out_proj.weight", w, w, INIT_NORMAL, pow(w, -.5) * pow(2 * L, -.5))                             \
    X(out_b, "attn.out_proj.bias", w, 0, INIT_ZERO, 0)                                                             \
    X(ln_2_w, "ln_2.weight", w, 0, INIT_ONE, 0)                                                                    \
    X(ln_2_b, "ln_2.bias", w, 0, INIT_ZERO, 0)                                                                     \
    X(fc_w, "mlp.c_fc.weight", h, w, INIT_NORMAL, pow(2 * w, -.5))                                                 \
    X(fc_b, "mlp.c_fc.bias", h, 0, INIT_ZERO, 0)                                                                   \
    X(proj_w, "mlp.c_proj.weight", w, h, INIT_NORMAL, pow(w, -.5) * pow(2 * L, -.5))                               \
    X(proj_b, "mlp.c_proj.bias", w, 0, INIT_ZERO, 0)

#define FIELD(field, ...) int field;
struct block_params { BLOCK_PARAMETERS(FIELD) };   // indices into params.tensors
#undef FIELD

struct init {
    enum init_kind kind;
    double scale;
};

struct params {
    struct tensor *tensors;
    struct init *inits;
    int n;
    int64_t count;    // elements of the arena; every tensor starts on 64 bytes
    // Indices into tensors; -1: this model has none.
    int logit_scale;
    int conv, conv_b, class_token, image_pos, ln_pre_w, ln_pre_b, ln_post_w, ln_post_b, image_proj;
    int token, text_pos, ln_final_w, ln_final_b, text_proj;
    int head_w[HEADS], head_b[HEADS];   // by enum head
    struct block_params *image_blocks, *text_blocks;
};

int params_build(struct params *p, const struct config *config);
void params_free(struct params *p);
// First values of elements first .. first + n - 1 of tensor i, drawn in this order from its own stream.
void params_draw(const struct params *p, int i, const struct config *config, struct rng *r, int64_t first, int64_t n,
                 double *out);

extern const char *const head_names[HEADS];   // "object_head", by enum head
// Where the configuration keeps a head's number of classes.
int *params_classes(struct config *c, enum head head);

#endif
