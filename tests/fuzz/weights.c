// SPDX-License-Identifier: Apache-2.0
// Any bytes as a model, of either kind of file and any library's names: refused with a sentence that names the file, or a
// model that encodes a picture and a text.
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "model/clip.h"
#include "model/infer.h"

static struct ctx *ctx;

static void encode(struct clip *c)
{
    const struct config *f = clip_config(c);
    int64_t pixels = 3 * (int64_t)f->vision.image_size * f->vision.image_size;
    view x = ctx_alloc(ctx, F32, pixels), y = ctx_alloc(ctx, F32, f->embed_dim);
    MUST(x.at && y.at && clip_encode_images(c, x, 1, y, NULL) == 0);
    const int32_t ids[] = {0}, starts[] = {0, 1};
    if (!config_image_only(f))
        MUST(clip_encode_texts(c, &(struct texts){1, ids, starts, NULL}, y, NULL) == 0);
    ctx_free(ctx, x);
    ctx_free(ctx, y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct model_as as = {.head_width = 4, .activation = "gelu"};
    struct clip *c;
    const char *path = fuzz_file(data, size, ".model");
    if (!ctx)
        MUST(ctx_open(&ctx, F32, 1, NULL) == 0);
    for (int frozen = 0; frozen < 2; frozen++) {
        if ((frozen ? clip_open_frozen : clip_open_as)(&c, ctx, path, &as) != 0) {
            MUST(strstr(error_last(), path));
            continue;
        }
        encode(c);
        clip_free(c);
    }
    return 0;
}
