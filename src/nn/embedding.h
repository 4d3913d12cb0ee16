// SPDX-License-Identifier: Apache-2.0
// The first rows: picture patches or tokens, plus positions.
#ifndef NN_EMBEDDING_H
#define NN_EMBEDDING_H

#include "nn/linear.h"

// Pictures [n, 3, S, S] -> rows [n (class token + g g), w].
struct patch_embedding {
    struct linear conv;        // [w, 3 p p], no bias: a convolution whose patches do not overlap is a product
    view class_token, pos;     // [w] or absent, [class + g g, w]
    view dclass_token, dpos;
    int size, patch;
};
// unrolled [n g g, 3 p p], patches [n g g, w]: scratch
void patch_embedding_forward(struct ctx *ctx, const struct patch_embedding *e, view y, view images, int64_t n,
                             view unrolled, view patches);
void patch_embedding_backward(struct ctx *ctx, const struct patch_embedding *e, view dy, view images, int64_t n,
                              view unrolled, view dpatches);

// Tokens and their places in their texts -> rows [rows, w].
struct token_embedding {
    view table, pos;           // [vocabulary, w], [context, w]
    view dtable, dpos;
    int64_t width;
};
void token_embedding_forward(struct ctx *ctx, const struct token_embedding *e, view y, const int32_t *ids,
                             const int32_t *places, int64_t rows);
void token_embedding_backward(struct ctx *ctx, const struct token_embedding *e, view dy, const int32_t *ids,
                              const int32_t *places, int64_t rows);

#endif
