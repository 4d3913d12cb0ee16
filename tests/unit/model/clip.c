// SPDX-License-Identifier: Apache-2.0
// A model's life: first values, checkpoints and training states written and read back, what is said about wrong ones.
#include "model/clip.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "check.h"
#include "model/safetensors.h"

static struct ctx *ctx;
static char dir[] = "/tmp/diht-clip-XXXXXX", path[64], other[64], json[64];

static const struct config small = {
    .embed_dim = 5, .layer_norm_eps = 1e-5, .name = "small",
    .vision = {.image_size = 6, .patch_size = 3, .width = 8, .layers = 1, .head_width = 4, .mlp_ratio = 4,
               .std = {1, 1, 1}},
    .text = {.context_length = 6, .vocab_size = 11, .width = 6, .layers = 1, .heads = 3, .pool = POOL_END,
             .causal = true},
    .object_classes = 4,
};

static struct clip *fresh(const struct config *config, uint64_t seed)
{
    struct clip *c;
    if (clip_new(&c, ctx, config, seed) != 0) {
        printf("Bail out! %s\n", error_last());
        exit(1);
    }
    return c;
}

static float *values(const struct clip *c, int i, int64_t *n)
{
    int ntensors;
    *n = clip_tensors(c, &ntensors)[i].count;
    float *x = malloc((size_t)*n * sizeof *x);
    ctx_get(ctx, x, clip_param(c, i), *n);
    return x;
}

static bool same(const struct clip *a, const struct clip *b)
{
    int n, m;
    (void)clip_tensors(a, &n);
    (void)clip_tensors(b, &m);
    bool equal = n == m;
    for (int i = 0; i < n && equal; i++) {
        int64_t na, nb;
        float *x = values(a, i, &na), *y = values(b, i, &nb);
        equal = na == nb && memcmp(x, y, (size_t)na * sizeof *x) == 0;
        free(x);
        free(y);
    }
    return equal;
}

// Root mean square of a tensor's first values.
static double spread(const struct clip *c, const char *name)
{
    int64_t n;
    int i = clip_find(c, name);
    CHECK(i >= 0);
    float *x = values(c, i, &n);
    double sum = 0;
    for (int64_t k = 0; k < n; k++)
        sum += (double)x[k] * x[k];
    free(x);
    return sqrt(sum / (double)n);
}

static void first_values(void)
{
    struct config config;
    CHECK(config_named(&config, "tiny") == 0);
    struct clip *c = fresh(&config, 1);
    double w = 192;
    CHECK_CLOSE(spread(c, "token_embedding.weight"), .02, .0005);
    CHECK_CLOSE(spread(c, "positional_embedding"), .01, .0005);
    CHECK_CLOSE(spread(c, "transformer.resblocks.3.attn.in_proj_weight") * sqrt(w), 1, .02);
    CHECK_CLOSE(spread(c, "transformer.resblocks.3.attn.out_proj.weight") * sqrt(w * 8), 1, .02);
    CHECK_CLOSE(spread(c, "visual.transformer.resblocks.5.mlp.c_proj.weight") * sqrt(w * 12), 1, .02);
    CHECK_CLOSE(spread(c, "visual.transformer.resblocks.0.mlp.c_fc.weight") * sqrt(2 * w), 1, .02);
    CHECK_CLOSE(spread(c, "visual.positional_embedding") * sqrt(w), 1, .05);
    CHECK_CLOSE(spread(c, "text_projection") * sqrt(w), 1, .03);
    CHECK_CLOSE(spread(c, "visual.ln_pre.weight"), 1, 0);
    CHECK_CLOSE(spread(c, "visual.ln_pre.bias"), 0, 0);
    CHECK_CLOSE(clip_logit_scale(c), log(1 / .07), 1e-6);
    struct clip *again = fresh(&config, 1), *another = fresh(&config, 2);
    CHECK(same(c, again) && !same(c, another));
    clip_free(c);
    clip_free(again);
    clip_free(another);

    CHECK(config_named(&config, "demo") == 0);
    c = fresh(&config, 1);
    CHECK(clip_find(c, "visual.class_embedding") < 0);
    CHECK_CLOSE(spread(c, "visual.positional_embedding"), .5 * sqrt(.5), 1e-3);   // sines and cosines, half as large
    clip_free(c);
}

static void write_and_read(void)
{
    struct clip *a = fresh(&small, 4), *b = NULL;
    const struct meta meta[] = {{"diht.merges", "#version\na b</w>\n\xc3\xa9 t\n"}, {"note", "x"}};
    CHECK(clip_save(a, path, meta, 2) == 0);
    CHECK(clip_open(&b, ctx, path) == 0 && same(a, b));
    CHECK_STR(clip_meta(b, "diht.merges"), meta[0].value);
    CHECK(clip_meta(b, "absent") == NULL && clip_head_classes(b, HEAD_OBJECT) == 4 &&
          clip_head_classes(b, HEAD_ATTRIBUTE) == 0);
    CHECK_STR(clip_config(b)->name, "small");
    CHECK(clip_save(b, other, meta, 2) == 0);
    struct buf x = {0}, y = {0};
    CHECK(file_read(path, &x) == 0 && file_read(other, &y) == 0);
    CHECK(x.len == y.len && memcmp(x.at, y.at, x.len) == 0);   // the file is a function of the model
    buf_free(&x);
    buf_free(&y);
    CHECK(clip_save(a, "/nonexistent/m.safetensors", NULL, 0) < 0 && strstr(error_last(), "/nonexistent"));
    clip_free(a);
    clip_free(b);
}

// Rewrite `path` without, with another, or with a renamed tensor; `config` false leaves the metadata out.
static void rewrite(const char *drop, const char *rename_to, int64_t rows, bool config)
{
    struct st_file f;
    CHECK(st_open(&f, path) == 0);
    struct st_entry e[64];
    int64_t shapes[64][ST_DIMS];
    struct st_pair meta = {"diht.config", st_meta_get(&f, "diht.config")};
    int n = 0;
    for (int i = 0; i < f.n; i++) {
        struct st_tensor *t = &f.tensors[i];
        memcpy(shapes[n], t->shape, sizeof t->shape);
        bool it = strcmp(t->name, drop) == 0;
        if (it && rows)
            shapes[n][0] = rows;
        if (!it || rename_to || rows) {
            e[n] = (struct st_entry){it && rename_to ? rename_to : t->name, t->type, t->ndim, shapes[n]};
            n++;
        }
    }
    struct atomic_file a = {0};
    static const char zeros[1 << 16];
    CHECK(st_begin(&a, other, e, n, &meta, config) == 0);
    for (int i = 0; i < n; i++) {
        int64_t count = 1;
        for (int d = 0; d < e[i].ndim; d++)
            count *= e[i].shape[d];
        CHECK(st_add(&a, zeros, 4 * count) == 0);
    }
    CHECK(atomic_commit(&a) == 0);
    st_close(&f);
}

static void wrong_checkpoints(void)
{
    struct clip *c = fresh(&small, 4), *b = NULL;
    CHECK(clip_save(c, path, NULL, 0) == 0);
    rewrite("ln_final.weight", NULL, 0, true);
    CHECK(clip_open(&b, ctx, other) == EMISSING_ && !b && strstr(error_last(), "ln_final.weight") &&
          strstr(error_last(), other));
    CHECK(clip_load(c, other, true) == 0);
    rewrite("ln_final.weight", "ln_finale.weight", 0, true);
    CHECK(clip_open(&b, ctx, other) < 0 && strstr(error_last(), "ln_final"));
    CHECK(clip_load(c, other, true) == EFORMAT_ && strstr(error_last(), "ln_finale.weight"));
    rewrite("visual.proj", NULL, 9, true);
    CHECK(clip_open(&b, ctx, other) == EFORMAT_ && strstr(error_last(), "visual.proj") &&
          strstr(error_last(), "[9, 5]") && strstr(error_last(), "[8, 5]"));
    rewrite("", NULL, 0, false);
    CHECK(clip_open(&b, ctx, other) == EMISSING_ && strstr(error_last(), "config.json"));
    char *text = config_json(&small);
    CHECK(file_write(json, text, strlen(text)) == 0);
    CHECK(clip_open(&b, ctx, other) == 0);   // now the configuration lies beside it
    clip_free(b);
    unlink(json);
    free(text);
    clip_free(c);
}

static void cut_and_bent(void)
{
    struct clip *c = fresh(&small, 4), *b = NULL;
    struct buf good = {0};
    CHECK(clip_save(c, path, NULL, 0) == 0 && file_read(path, &good) == 0);
    struct rng r = rng_make(2, 3);
    for (int i = 0; i < 400; i++) {
        struct buf bad = {0};
        buf_add(&bad, good.at, good.len);
        size_t len = i % 2 ? good.len : rng_below(&r, good.len);
        for (int k = 0; k <= i % 3; k++)
            bad.at[rng_below(&r, 4000)] ^= (char)(1 << rng_below(&r, 8));   // the header, mostly
        FILE *f = fopen(other, "wb");
        CHECK(f && fwrite(bad.at, 1, len, f) == len && fclose(f) == 0);
        if (clip_open(&b, ctx, other) == 0)
            clip_free(b);
        else
            CHECK(!b && *error_last());
        CHECK(len == good.len || !b);
        b = NULL;
        buf_free(&bad);
    }
    buf_free(&good);
    clip_free(c);
}

// --- training state ------------------------------------------------------------------------------------------------

static const struct step_options options = {.lr = 1e-2, .beta1 = .9, .beta2 = .98, .eps = 1e-6, .weight_decay = .1,
                                            .clip_norm = 1, .min_logit_scale = 0, .max_logit_scale = 2.65};

// One step on made-up gradients that depend on the step.
static double step(struct clip *c)
{
    int n;
    const struct tensor *all = clip_tensors(c, &n);
    struct rng r = rng_make(77, (uint64_t)clip_steps(c));
    for (int i = 0; i < n; i++)
        for (int64_t k = 0; k < all[i].count; k++) {
            float x = (float)rng_normal(&r);
            ctx_put(ctx, view_at(clip_grad(c, i), k), &x, 1);
        }
    return clip_step(c, &options);
}

static char remembered[64];

static void remember(void *user, const char *key, const char *value)
{
    if (strcmp(key, "epoch") == 0)
        snprintf(remembered, sizeof remembered, "%s", value);
}

static void resume(void)
{
    struct clip *a = fresh(&small, 4), *b = NULL;
    CHECK(clip_train_begin(a) == 0);
    double norm = step(a);
    CHECK_CLOSE(norm * norm / (double)clip_parameters(a), 1, .2);
    CHECK_CLOSE(clip_logit_scale(a), 2.65, 1e-6);   // ln(1 / .07) = 2.659 is above the clamp
    step(a);
    CHECK(clip_save(a, path, NULL, 0) == 0 && clip_save_state(a, other, &(struct meta){"epoch", "3:17"}, 1) == 0);
    CHECK(clip_open(&b, ctx, path) == 0);
    CHECK(clip_load_state(b, other, remember, NULL) == EUSAGE_);   // no moments yet
    CHECK(clip_train_begin(b) == 0 && clip_load_state(b, other, remember, NULL) == 0);
    CHECK_STR(remembered, "3:17");
    CHECK(clip_steps(b) == 2);
    for (int i = 0; i < 3; i++)
        CHECK(step(a) == step(b));
    CHECK(same(a, b));
    CHECK(clip_load_state(b, path, NULL, NULL) < 0 && strstr(error_last(), "diht.steps"));

    float bad = NAN;   // a step on gradients that are not numbers changes nothing
    clip_zero_grad(b);
    ctx_put(ctx, clip_grad(b, 0), &bad, 1);
    CHECK(isnan(clip_step(b, &options)) && same(a, b) && clip_steps(b) == 5);
    clip_free(a);
    clip_free(b);
}

// --- texts ---------------------------------------------------------------------------------------------------------

static void packing(void)
{
    const int64_t ids[] = {9, 1, 10, 0, 0, 0, 9, 1, 2, 3, 4, 10, 9, 10, 3, 10, 0, 0};
    const int32_t expected[] = {9, 1, 10, 9, 1, 2, 3, 4, 10, 9, 10}, starts[] = {0, 3, 9, 11};
    struct texts_packed p = {0};
    CHECK(texts_pack(&p, &small, ids, 3, 6) == 0);
    CHECK(p.t.n == 3 && memcmp(p.t.starts, starts, sizeof starts) == 0 &&
          memcmp(p.t.ids, expected, sizeof expected) == 0);
    int64_t wrong[] = {9, 11, 10, 0, 0, 0};
    CHECK(texts_pack(&p, &small, wrong, 1, 6) == EFORMAT_ && strstr(error_last(), "11"));
    wrong[1] = -1;
    CHECK(texts_pack(&p, &small, wrong, 1, 6) == EFORMAT_);
    const int64_t longer[] = {9, 1, 1, 1, 1, 1, 1, 10};
    CHECK(texts_pack(&p, &small, longer, 1, 8) == EFORMAT_ && strstr(error_last(), "6 tokens"));
    texts_free(&p);
}

static void wrong_batches(void)
{
    struct clip *c = fresh(&small, 4);
    struct tape *t = NULL, *u = NULL;
    int32_t ids[] = {9, 1, 10}, starts[] = {0, 3}, pooled[] = {3};
    view x = ctx_alloc(ctx, F32, 64), images = ctx_alloc(ctx, F32, 3 * 108);
    CHECK(tape_new(&t, c, TOWER_TEXT, 1, 2) == 0 && tape_new(&u, c, TOWER_IMAGE, 2, 0) == 0);
    CHECK(clip_encode_texts(c, &(struct texts){1, ids, starts, NULL}, x, t) == EUSAGE_);   // three rows into two
    CHECK(clip_encode_texts(c, &(struct texts){1, ids, starts, NULL}, x, u) == EUSAGE_);
    CHECK(clip_encode_images(c, images, 3, x, u) == EUSAGE_);
    CHECK(clip_encode_texts(c, &(struct texts){1, ids, starts, pooled}, x, NULL) == EFORMAT_);
    CHECK(clip_encode_texts(c, &(struct texts){0, ids, starts, NULL}, x, NULL) == 0);
    ids[1] = 11;
    CHECK(clip_encode_texts(c, &(struct texts){1, ids, starts, NULL}, x, NULL) == EFORMAT_ &&
          strstr(error_last(), "11"));
    CHECK(clip_backward_images(c, u, x) == EUSAGE_);   // no clip_train_begin, nothing encoded
    struct tape *w = NULL;
    CHECK(tape_new(&w, c, TOWER_IMAGE, INT64_MAX / 2, 0) == EUSAGE_ && !w);
    tape_free(t);
    tape_free(u);
    ctx_free(ctx, x);
    ctx_free(ctx, images);
    clip_free(c);
}

// Enough rows for workers to take tiles of their own, whatever their number: features, from a batch or from a part of it, and
// gradients are the same bits.
static void threads_and_batches_do_not_show_in(enum dtype products)
{
    enum { IMAGES = 30, TEXTS = 130, EMBED = 24, SIZE = 3 * 64 * 64 };
    static const struct config wide = {
        .embed_dim = EMBED, .layer_norm_eps = 1e-5, .name = "wide",
        .vision = {.image_size = 64, .patch_size = 8, .width = 48, .layers = 2, .head_width = 16, .mlp_ratio = 4, .std = {1, 1, 1}},
        .text = {.context_length = 20, .vocab_size = 50, .width = 32, .layers = 2, .heads = 2, .pool = POOL_END, .causal = true},
    };
    static const int threads[] = {1, 2, 3, 5};
    struct rng rng = rng_make(3, 0);
    float *pictures = malloc((size_t)IMAGES * SIZE * sizeof *pictures), first[(IMAGES + TEXTS) * EMBED], again[(IMAGES + TEXTS) * EMBED];
    float *grads = NULL;
    int32_t starts[TEXTS + 1] = {0}, ids[TEXTS * 20];
    for (int64_t i = 0; i < (int64_t)IMAGES * SIZE; i++)
        pictures[i] = (float)rng_normal(&rng);
    for (int i = 0; i < TEXTS; i++)
        starts[i + 1] = starts[i] + 3 + (int32_t)rng_below(&rng, 18);
    for (int i = 0; i < starts[TEXTS]; i++)
        ids[i] = (int32_t)rng_below(&rng, 50);
    static const int32_t longest[] = {0, 20};   // fewer rows than workers share out
    struct texts texts = {.n = TEXTS, .ids = ids, .starts = starts}, part = {.n = 11, .ids = ids, .starts = starts};
    struct texts one = {.n = 1, .ids = ids, .starts = longest};
    float alone[EMBED], alone_again[EMBED];
    struct ctx *usual = ctx;
    for (int t = 0; t < 4; t++) {
        CHECK(ctx_open(&ctx, F32, threads[t], NULL) == 0);
        ctx_products(ctx, products);   // in floats where the processor lacks them
        struct clip *c = fresh(&wide, 5);
        view in = ctx_alloc(ctx, F32, (int64_t)IMAGES * SIZE), out = ctx_alloc(ctx, F32, (IMAGES + TEXTS) * EMBED);
        view text_out = view_at(out, IMAGES * EMBED);
        ctx_put(ctx, in, pictures, (int64_t)IMAGES * SIZE);
        CHECK(clip_encode_images(c, in, IMAGES, out, NULL) == 0 && clip_encode_texts(c, &texts, text_out, NULL) == 0);
        ctx_get(ctx, t ? again : first, out, (IMAGES + TEXTS) * EMBED);
        CHECK(!t || memcmp(first, again, sizeof first) == 0);
        CHECK(clip_encode_images(c, in, 7, out, NULL) == 0 && clip_encode_texts(c, &part, text_out, NULL) == 0);
        ctx_get(ctx, again, out, (IMAGES + TEXTS) * EMBED);
        CHECK(memcmp(first, again, 7 * EMBED * sizeof *first) == 0);
        CHECK(memcmp(first + IMAGES * EMBED, again + IMAGES * EMBED, 11 * EMBED * sizeof *first) == 0);
        CHECK(clip_encode_texts(c, &one, text_out, NULL) == 0);
        ctx_get(ctx, t ? alone_again : alone, text_out, EMBED);
        CHECK(!t || memcmp(alone, alone_again, sizeof alone) == 0);

        struct tape *tape[2];
        int n;
        CHECK(clip_train_begin(c) == 0 && tape_new(&tape[0], c, TOWER_IMAGE, IMAGES, 0) == 0);
        CHECK(tape_new(&tape[1], c, TOWER_TEXT, TEXTS, starts[TEXTS]) == 0);
        CHECK(clip_encode_images(c, in, IMAGES, out, tape[0]) == 0 && clip_encode_texts(c, &texts, text_out, tape[1]) == 0);
        ctx_get(ctx, again, out, (IMAGES + TEXTS) * EMBED);
        CHECK(memcmp(first, again, sizeof first) == 0);
        CHECK(clip_backward_images(c, tape[0], out) == 0 && clip_backward_texts(c, tape[1], text_out) == 0);
        int64_t count = clip_parameters(c), at = 0;
        float *g = malloc((size_t)count * sizeof *g);
        const struct tensor *tensors = clip_tensors(c, &n);
        for (int i = 0; i < n; at += tensors[i++].count)
            ctx_get(ctx, g + at, clip_grad(c, i), tensors[i].count);
        CHECK(at == count && (!grads || memcmp(g, grads, (size_t)count * sizeof *g) == 0));
        free(grads);
        grads = g;
        tape_free(tape[0]);
        tape_free(tape[1]);
        ctx_free(ctx, in);
        ctx_free(ctx, out);
        clip_free(c);
        ctx_close(ctx);
    }
    ctx = usual;
    free(grads);
    free(pictures);
}

static void threads_and_batches_do_not_show(void) { threads_and_batches_do_not_show_in(F32); }
static void nor_in_bf16(void) { threads_and_batches_do_not_show_in(BF16); }
static void nor_in_int8(void) { threads_and_batches_do_not_show_in(S8); }

int main(void)
{
    if (!mkdtemp(dir) || ctx_open(&ctx, F32, 2, NULL) != 0)
        return 1;
    snprintf(path, sizeof path, "%s/a.safetensors", dir);
    snprintf(other, sizeof other, "%s/b.safetensors", dir);
    snprintf(json, sizeof json, "%s/config.json", dir);
    CASE(first_values);
    CASE(write_and_read);
    CASE(wrong_checkpoints);
    CASE(cut_and_bent);
    CASE(resume);
    CASE(packing);
    CASE(wrong_batches);
    CASE(threads_and_batches_do_not_show);
    CASE(nor_in_bf16);
    CASE(nor_in_int8);
    unlink(path);
    unlink(other);
    rmdir(dir);
    ctx_close(ctx);
    return check_done();
}
