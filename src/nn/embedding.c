// SPDX-License-Identifier: Apache-2.0
#include "nn/embedding.h"

static int64_t cells(const struct patch_embedding *e)
{
    int64_t g = e->size / e->patch;
    return g * g;
}

void patch_embedding_forward(struct ctx *ctx, const struct patch_embedding *e, view y, view images, int64_t n,
                             view unrolled, view patches)
{
    const struct kernels *k = ctx_kernels(ctx);
    k->patches(ctx, unrolled, images, n, e->size, e->patch);
    linear_forward(ctx, &e->conv, patches, unrolled, n * cells(e), NULL);
    k->image_embed(ctx, y, patches, e->class_token, e->pos, n, cells(e), e->conv.out);
}

void patch_embedding_backward(struct ctx *ctx, const struct patch_embedding *e, view dy, view images, int64_t n,
                              view unrolled, view dpatches)
{
    const struct kernels *k = ctx_kernels(ctx);
    k->image_embed_backward(ctx, dpatches, e->dclass_token, e->dpos, dy, n, cells(e), e->conv.out);
    k->patches(ctx, unrolled, images, n, e->size, e->patch);
    linear_backward(ctx, &e->conv, NO_VIEW, false, dpatches, unrolled, n * cells(e));
}

void token_embedding_forward(struct ctx *ctx, const struct token_embedding *e, view y, const int32_t *ids,
                             const int32_t *places, int64_t rows)
{
    ctx_kernels(ctx)->token_embed(ctx, y, ids, places, e->table, e->pos, rows, e->width);
}

void token_embedding_backward(struct ctx *ctx, const struct token_embedding *e, view dy, const int32_t *ids,
                              const int32_t *places, int64_t rows)
{
    ctx_kernels(ctx)->token_embed_backward(ctx, e->dtable, e->dpos, ids, places, dy, rows, e->width);
}
