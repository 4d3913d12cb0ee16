// SPDX-License-Identifier: Apache-2.0
// A ViT alone (SWAG) against the reference: embedding, logits of its head, activations, another image size.
#include <string.h>
#include <unistd.h>

#include "golden.h"
#include "model/clip.h"
#include "model/clip_inner.h"
#include "model/infer.h"
#include "model/positions.h"

static struct ctx *ctx;
static const struct model_as eight = {.head_width = 8};

static struct clip *open_model(const char *file, const struct model_as *as)
{
    struct clip *c;
    if (clip_open_as(&c, ctx, golden_path(file), as) != 0)
        golden_die();
    return c;
}

// Pictures of the file through the model; raw features. *n of them.
static view encode(struct clip *c, const char *images, int64_t *n)
{
    int64_t shape[4];
    float *pixels = golden_f32(images, shape);
    int64_t count = shape[0] * shape[1] * shape[2] * shape[3];
    CHECK(shape[2] == clip_config(c)->vision.image_size);
    view in = ctx_alloc(ctx, F32, count), out = ctx_alloc(ctx, F32, shape[0] * clip_config(c)->embed_dim);
    ctx_put(ctx, in, pixels, count);
    CHECK(clip_encode_images(c, in, shape[0], out, NULL) == 0);
    ctx_free(ctx, in);
    free(pixels);
    *n = shape[0];
    return out;
}

static void features_of(const char *file, const struct model_as *as)
{
    struct clip *c = open_model(file, as);
    const struct config *f = clip_config(c);
    CHECK(config_image_only(f) && f->layer_norm_eps == 1e-6 && f->vision.head_width == 8 && f->image_classes == 7);
    CHECK_CLOSE(f->vision.mean[0], .485, 1e-7);
    CHECK_CLOSE(f->vision.std[2], .225, 1e-7);
    for (int prune = 0; prune < 2; prune++) {
        int64_t n;
        clip_set_pruning(c, prune);
        view x = encode(c, "swag/images.npy", &n), logits = ctx_alloc(ctx, F32, n * 7);
        golden_compare_view(ctx, "swag/embedding.npy", x, n * 32, 1e-5);
        clip_head(c, HEAD_IMAGE, logits, x, n);
        golden_compare_view(ctx, "swag/logits.npy", logits, n * 7, 1e-5);
        ctx_free(ctx, x);
        ctx_free(ctx, logits);
    }
    clip_free(c);
}

static void safetensors(void) { features_of("swag/tiny.fp32.safetensors", &eight); }
static void torch(void) { features_of("swag/tiny.fp32.pt", &eight); }

static void config_file(void)   // its own small form: heads, width, layers
{
    const struct model_as as = {.config = golden_path("swag/tiny_config.json")};
    features_of("swag/tiny.fp32.pt", &as);
}

static void heads_unknown(void)
{
    struct clip *c;
    CHECK(clip_open(&c, ctx, golden_path("swag/tiny.fp32.pt")) == EMISSING_ && strstr(error_last(), "--head-width"));
    CHECK(clip_open_as(&c, ctx, golden_path("swag/tiny.fp32.pt"), &(struct model_as){.head_width = 7}) == EFORMAT_ &&
          strstr(error_last(), "7"));
}

static void blocks(void)
{
    struct clip *c = open_model("swag/tiny.fp32.safetensors", &eight);
    int64_t shape[4], n = 3;
    float *pixels = golden_f32("swag/images.npy", shape);
    clip_set_pruning(c, false);
    view in = ctx_alloc(ctx, F32, n * 3 * 28 * 28), out = ctx_alloc(ctx, F32, n * 32);
    ctx_put(ctx, in, pixels, n * 3 * 28 * 28);
    struct tape *tape = NULL;
    CHECK(clip_train_begin(c) == 0 && tape_new(&tape, c, TOWER_IMAGE, n, 0) == 0);
    CHECK(clip_encode_images(c, in, n, out, tape) == 0);
    golden_compare_view(ctx, "swag/act_block0.npy", tape->layers[1].attention.x, n * 5 * 32, 1e-5);
    golden_compare_view(ctx, "swag/act_block1.npy", tape->pool.x, n * 5 * 32, 1e-5);
    tape_free(tape);
    ctx_free(ctx, in);
    ctx_free(ctx, out);
    free(pixels);
    clip_free(c);
}

static void other_size(void)
{
    struct clip *c = open_model("swag/tiny.fp32.pt", &(struct model_as){.head_width = 8, .image_size = 70});
    int64_t n;
    view x = encode(c, "swag/images_70px.npy", &n);
    golden_compare_view(ctx, "swag/embedding_70px.npy", x, n * 32, 1e-5);
    golden_compare_view(ctx, "swag/pos_embedding_70px.npy", clip_param(c, clip_find(c, "visual.positional_embedding")),
                        26 * 32, 1e-6);
    ctx_free(ctx, x);
    clip_free(c);
    CHECK(clip_open_as(&c, ctx, golden_path("swag/tiny.fp32.pt"), &(struct model_as){.head_width = 8, .image_size = 71}) < 0);
}

static void positions_of_one(void)   // a grid of one patch, and to one: no division by nothing
{
    float in[] = {1, 2, 3, 4}, out[8];
    positions_resize(out, in, 0, 1, 2, 1);
    CHECK(out[0] == 1 && out[3] == 1);
    positions_resize(out, in, 0, 2, 1, 1);
    CHECK(out[0] == 1);
}

static void no_texts(void)
{
    struct clip *c = open_model("swag/tiny.fp32.safetensors", &eight);
    const int32_t ids[] = {1}, starts[] = {0, 1};
    float x[32];
    struct tape *tape = NULL;
    CHECK(clip_encode_texts(c, &(struct texts){1, ids, starts, NULL}, (view){x, F32}, NULL) == EUSAGE_);
    CHECK(tape_new(&tape, c, TOWER_TEXT, 1, 1) == EUSAGE_);
    clip_free(c);
}

// Its configuration, written and read back, is whole without a text tower.
static void configuration_back(void)
{
    struct clip *c = open_model("swag/tiny.fp32.safetensors", &eight), *again = NULL;
    char path[] = "/tmp/diht-swag-XXXXXX.safetensors";
    int fd = mkstemps(path, 12);
    CHECK(fd >= 0 && clip_save(c, path, NULL, 0) == 0);
    CHECK(clip_open(&again, ctx, path) == 0 && config_image_only(clip_config(again)) &&
          clip_config(again)->vision.head_width == 8 && clip_config(again)->layer_norm_eps == 1e-6 &&
          clip_config(again)->vision.mean[1] == .456f);
    clip_free(again);
    clip_free(c);
    close(fd);
    unlink(path);
}

int main(void)
{
    if (ctx_open(&ctx, F32, 2, NULL) != 0)
        golden_die();
    CASE(safetensors);
    CASE(torch);
    CASE(config_file);
    CASE(heads_unknown);
    CASE(blocks);
    CASE(other_size);
    CASE(positions_of_one);
    CASE(no_texts);
    CASE(configuration_back);
    ctx_close(ctx);
    return check_done();
}
