// SPDX-License-Identifier: Apache-2.0
// The released model on the reference's sample picture, where both are: weights in the user's cache (diht pull
// diht_vitl14_336px), the picture in $DIHT_SAMPLE_PICTURE, merges in the user's data directory (./run build).
#include <math.h>

#include "base/file.h"
#include "golden.h"
#include "model/released.h"
#include "task/encode.h"
#include "task/input.h"

static void sample_picture(void)
{
    static const char *const texts[] = {"a mountain", "a beach", "a desert"};
    static const double expected[] = {.99370664, .00514017, .00115326};
    char weights[1024];
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME"), *picture = getenv("DIHT_SAMPLE_PICTURE");
    snprintf(weights, sizeof weights, "%s%s/diht/%s", cache ? cache : home ? home : "", cache ? "" : "/.cache",
             released_file("diht_vitl14_336px"));
    if (!file_exists(weights))
        SKIP("the released weights are not here: diht pull diht_vitl14_336px");
    if (!picture || !file_exists(picture))
        SKIP("the reference's sample picture is not here: name it in DIHT_SAMPLE_PICTURE");
    struct ctx *ctx = NULL;
    struct clip *clip = NULL;
    struct tokenizer *t = NULL;
    if (ctx_open(&ctx, F32, 2, NULL) != 0 || model_open(&clip, &t, ctx, weights, NULL, &(diht_model_as){0}) != 0)
        golden_die();
    struct transform transform = transform_clip;
    const struct config *c = clip_config(clip);
    int64_t e = c->embed_dim, pixels = 3 * (int64_t)c->vision.image_size * c->vision.image_size;
    transform.size = c->vision.image_size;
    float *x = malloc((size_t)pixels * sizeof *x), *image = malloc((size_t)e * sizeof *image),
          *rows = malloc((size_t)(3 * e) * sizeof *rows);
    CHECK(picture_from_file(&transform, picture, 0, x) == 0);
    view in = ctx_alloc(ctx, F32, pixels), raw = ctx_alloc(ctx, F32, e), unit = ctx_alloc(ctx, F32, e);
    ctx_put(ctx, in, x, pixels);
    CHECK(clip_encode_images(clip, in, 1, raw, NULL) == 0);
    clip_unit(clip, unit, NO_VIEW, raw, 1);
    ctx_get(ctx, image, unit, e);
    struct names captions = {.at = (char **)texts, .n = 3}, none = {0};
    CHECK(prompt_split(&none, NULL) == 0 && texts_encode(rows, clip, t, &captions, &none, 3) == 0);
    double p[3], sum = 0;
    for (int i = 0; i < 3; i++) {
        double score = 0;
        for (int64_t k = 0; k < e; k++)
            score += (double)image[k] * rows[i * e + k];
        sum += p[i] = exp(exp(clip_logit_scale(clip)) * score);
    }
    for (int i = 0; i < 3; i++)
        CHECK_CLOSE(p[i] / sum, expected[i], 2e-5);
    ctx_free(ctx, in);
    ctx_free(ctx, raw);
    ctx_free(ctx, unit);
    free(x);
    free(image);
    free(rows);
    names_clear(&none);
    tokenizer_close(t);
    clip_free(clip);
    ctx_close(ctx);
}

int main(void)
{
    CASE(sample_picture);
    return check_done();
}
