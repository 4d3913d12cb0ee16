// SPDX-License-Identifier: Apache-2.0
#include "memory.h"

#include "model/clip.h"

int model_write(const char *path)
{
    static const struct config small = {
        .embed_dim = 5, .layer_norm_eps = 1e-5,
        .vision = {.image_size = 6, .patch_size = 3, .width = 8, .layers = 1, .head_width = 4, .mlp_ratio = 4,
                   .std = {1, 1, 1}},
        .text = {.context_length = 6, .vocab_size = 11, .width = 6, .layers = 1, .heads = 3, .pool = POOL_END,
                 .causal = true},
    };
    struct ctx *ctx;
    struct clip *c;
    int rc = ctx_open(&ctx, F32, 1, NULL);
    if (rc)
        return rc;
    rc = clip_new(&c, ctx, &small, 1);
    if (!rc) {
        rc = clip_save(c, path, NULL, 0);
        clip_free(c);
    }
    ctx_close(ctx);
    return rc;
}

int model_read(const char *path)
{
    struct ctx *ctx;
    struct clip *c;
    int rc = ctx_open(&ctx, F32, 1, NULL);
    if (rc)
        return rc;
    rc = clip_open(&c, ctx, path);
    if (!rc) {
        rc = clip_train_begin(c);
        clip_free(c);
    }
    if (!rc && !(rc = clip_open_frozen(&c, ctx, path, NULL)))
        clip_free(c);
    ctx_close(ctx);
    return rc;
}
