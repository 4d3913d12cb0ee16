// SPDX-License-Identifier: Apache-2.0
// Models opened for inference alone give the bits of models whose weights were copied, from every form of file.
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "golden.h"
#include "model/clip.h"
#include "model/infer.h"
#include "task/task.h"

static struct ctx *ctx;

// Features of pictures and texts, as one array.
static float *features(struct clip *c, int64_t *count)
{
    enum { IMAGES = 3, TEXTS = 4, LENGTH = 5 };
    const struct config *f = clip_config(c);
    int64_t pixels = 3 * (int64_t)f->vision.image_size * f->vision.image_size, e = f->embed_dim;
    bool alone = config_image_only(f);
    float *in = malloc((size_t)(IMAGES * pixels) * sizeof *in), *out = calloc((size_t)((IMAGES + TEXTS) * e), sizeof *out);
    for (int64_t i = 0; i < IMAGES * pixels; i++)
        in[i] = (float)(i * 2654435761u % 1000) / 500 - 1;
    view x = ctx_alloc(ctx, F32, IMAGES * pixels), y = ctx_alloc(ctx, F32, (IMAGES + TEXTS) * e);
    ctx_put(ctx, x, in, IMAGES * pixels);
    CHECK(clip_encode_images(c, x, IMAGES, y, NULL) == 0);
    int32_t ids[TEXTS * LENGTH], starts[TEXTS + 1] = {0};
    for (int i = 0; i < TEXTS * LENGTH; i++)
        ids[i] = alone ? 0 : i * 37 % f->text.vocab_size;
    for (int i = 0; i < TEXTS; i++)
        starts[i + 1] = starts[i] + LENGTH;
    if (!alone)
        CHECK(clip_encode_texts(c, &(struct texts){TEXTS, ids, starts, NULL}, view_at(y, IMAGES * e), NULL) == 0);
    *count = (IMAGES + (alone ? 0 : TEXTS)) * e;
    ctx_get(ctx, out, y, *count);
    ctx_free(ctx, x);
    ctx_free(ctx, y);
    free(in);
    return out;
}

static void same(const char *file, const struct model_as *as)
{
    struct clip *copied = NULL, *frozen = NULL;
    if (clip_open_as(&copied, ctx, golden_path(file), as) != 0 || clip_open_frozen(&frozen, ctx, golden_path(file), as) != 0)
        golden_die();
    int64_t n, m;
    float *a = features(copied, &n), *b = features(frozen, &m), *again = features(frozen, &m);
    CHECK(n == m && memcmp(a, b, (size_t)n * sizeof *a) == 0);
    CHECK(memcmp(b, again, (size_t)n * sizeof *a) == 0);
    CHECK(clip_logit_scale(copied) == clip_logit_scale(frozen));
    CHECK(clip_train_begin(frozen) == EUSAGE_ && clip_save(frozen, "/dev/null", NULL, 0) == EUSAGE_ &&
          clip_load(frozen, golden_path(file), true) == EUSAGE_);
    clip_free(copied);
    clip_free(frozen);
    free(a);
    free(b);
    free(again);
}

// int8 codes in a file: the bits that --precision int8 gives from the original; and back again, the same codes.
static void codes(void)
{
    char dir[] = "/tmp/diht-codes-XXXXXX", int8[64], again[64], *said = NULL;
    struct clip *a = NULL, *b = NULL;
    int64_t n, m;
    if (!mkdtemp(dir) || ctx_open(&ctx, F32, 2, NULL) != 0)
        golden_die();
    snprintf(int8, sizeof int8, "%s/int8.safetensors", dir);
    snprintf(again, sizeof again, "%s/again.safetensors", dir);
    diht_convert_options o = {.path = golden_path("model/A/A.fp32.pt"), .out = int8, .dtype = "int8"};
    CHECK(task_convert(&o, &said) == 0);
    free(said);
    o = (diht_convert_options){.path = int8, .out = again};
    CHECK(task_convert(&o, &said) == 0);
    free(said);
    struct buf x = {0}, y = {0};
    CHECK(file_read(int8, &x) == 0 && file_read(again, &y) == 0 && x.len == y.len && memcmp(x.at, y.at, x.len) == 0);
    CHECK(x.len < 400000);
    CHECK(clip_open_as(&a, ctx, int8, NULL) == 0 && clip_open_frozen(&b, ctx, int8, NULL) == 0);
    float *wide = features(a, &n), *frozen = features(b, &m);
    CHECK(n == m && memcmp(wide, frozen, (size_t)n * sizeof *wide) == 0);
    clip_free(a);
    clip_free(b);
    free(wide);
    free(frozen);
    if (ctx_products(ctx, S8)) {
        CHECK(clip_open_frozen(&a, ctx, golden_path("model/A/A.fp32.pt"), NULL) == 0 &&
              clip_open_frozen(&b, ctx, int8, NULL) == 0);
        wide = features(a, &n);
        frozen = features(b, &m);
        CHECK(memcmp(wide, frozen, (size_t)n * sizeof *wide) == 0);
        clip_free(a);
        clip_free(b);
        free(wide);
        free(frozen);
    }
    ctx_close(ctx);
    buf_free(&x);
    buf_free(&y);
    (void)unlink(int8);
    (void)unlink(again);
    (void)rmdir(dir);
}

static void all_files(void)
{
    same("model/A/A.fp32.safetensors", NULL);
    same("model/A/A.fp16.safetensors", NULL);
    same("model/A/A.fp32.pt", NULL);
    same("model/A/A.fp16.pt", NULL);
    same("model/B/B.fp16.safetensors", NULL);
    same("model/C/C.views.pt", NULL);
    same("model/O/O.openai.pt", NULL);
    same("swag/tiny.fp32.pt", &(struct model_as){.head_width = 8, .image_size = 42});
}

static void halves(void)   // every one of them, by eights and one by one
{
    uint16_t all[65536];
    static float wide[65536];
    for (int i = 0; i < 65536; i++)
        all[i] = (uint16_t)i;
    halves_to_floats(wide, all, 65536);
    int differ = 0;
    for (int i = 0; i < 65536; i++) {
        float one = half_to_float(all[i]);
        differ += memcmp(&one, &wide[i], sizeof one) != 0;
    }
    CHECK(differ == 0);
}

static void with(const char *isa, enum dtype products)
{
    if (ctx_open(&ctx, F32, 2, isa) != 0)
        return;   // a processor without it
    if (ctx_products(ctx, products))
        all_files();
    ctx_close(ctx);
}

static void best(void) { with(NULL, F32); }
static void plain(void) { with("ref", F32); }   // does not pack
static void brain(void) { with(NULL, BF16); }
static void bytes(void) { with(NULL, S8); }

int main(void)
{
    CASE(best);
    CASE(plain);
    CASE(brain);
    CASE(bytes);
    CASE(codes);
    CASE(halves);
    return check_done();
}
