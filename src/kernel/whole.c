// SPDX-License-Identifier: Apache-2.0
// The table of whole problems.
#include "kernel/inner.h"

const struct kernels whole_problems = {
    .weight_new = linear_weight_new,
    .weight_free = linear_weight_free,
    .weight_touch = linear_weight_touch,
    .linear = linear_y,
    .linear_dx = linear_dx,
    .linear_dw = linear_dw,
    .gemm = linear_gemm,
    .act_backward = whole_act_backward,
    .add = whole_add,
    .scale = whole_scale,
    .zero = whole_zero,
    .sum_squares = whole_sum_squares,
    .adamw = whole_adamw,
    .layernorm = whole_layernorm,
    .layernorm_backward = whole_layernorm_backward,
    .l2norm = whole_l2norm,
    .l2norm_backward = whole_l2norm_backward,
    .attention = whole_attention,
    .attention_backward = whole_attention_backward,
    .patches = embed_patches,
    .image_embed = embed_image,
    .image_embed_backward = embed_image_backward,
    .token_embed = embed_token,
    .token_embed_backward = embed_token_backward,
    .gather = embed_gather,
    .scatter = embed_scatter,
    .mean_pool = embed_mean_pool,
    .mean_pool_backward = embed_mean_pool_backward,
};
