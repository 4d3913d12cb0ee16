// SPDX-License-Identifier: Apache-2.0
// Models A, B, C and O against the reference: features, logits, activations of every layer; packed against padded texts,
// pruned against whole last blocks, one thread against several.
#include "golden.h"
#include "model/clip.h"
#include "model/tower.h"

static struct ctx *ctx;

struct set {
    struct clip *clip;
    float *pixels;
    int64_t *ids;
    int64_t n, m, e;      // images, texts, embedding
    view images, x, t;    // [n, 3, S, S], [n, e], [m, e]
};

static struct set set_open(const char *model, const char *inputs)
{
    struct set s = {0};
    char name[128];
    int64_t shape[4];
    if (clip_open(&s.clip, ctx, golden_path(model)) != 0)
        golden_die();
    bool sixteenths = strcmp(inputs, "model/C") == 0;   // small integers, to be divided
    snprintf(name, sizeof name, "%s/%s.npy", inputs, sixteenths ? "images_x16" : "images");
    s.pixels = golden_f32(name, shape);
    s.n = shape[0];
    int64_t count = shape[0] * shape[1] * shape[2] * shape[3];
    for (int64_t i = 0; i < count && sixteenths; i++)
        s.pixels[i] /= 16;
    snprintf(name, sizeof name, "%s/ids.npy", inputs);
    s.ids = golden_i64(name, shape);
    s.m = shape[0];
    s.e = clip_config(s.clip)->embed_dim;
    s.images = ctx_alloc(ctx, F32, count);
    ctx_put(ctx, s.images, s.pixels, count);
    s.x = ctx_alloc(ctx, F32, s.n * s.e);
    s.t = ctx_alloc(ctx, F32, s.m * s.e);
    return s;
}

static void set_close(struct set *s)
{
    view all[] = {s->images, s->x, s->t};
    for (int i = 0; i < 3; i++)
        ctx_free(ctx, all[i]);
    free(s->pixels);
    free(s->ids);
    clip_free(s->clip);
}

// Texts as they come, all `context` rows each, pooled at the first highest id.
struct padded {
    int32_t *ids, *starts, *pooled;
    struct texts t;
};

static struct padded pad(const struct set *s)
{
    int64_t context = clip_config(s->clip)->text.context_length;
    struct padded p = {malloc((size_t)(s->m * context) * 4), malloc((size_t)(s->m + 1) * 4), malloc((size_t)s->m * 4),
                       {0}};
    for (int64_t i = 0; i <= s->m; i++)
        p.starts[i] = (int32_t)(i * context);
    for (int64_t i = 0; i < s->m; i++) {
        p.pooled[i] = 0;
        for (int64_t k = 0; k < context; k++) {
            p.ids[i * context + k] = (int32_t)s->ids[i * context + k];
            if (p.ids[i * context + k] > p.ids[i * context + p.pooled[i]])
                p.pooled[i] = (int32_t)k;
        }
    }
    p.t = (struct texts){s->m, p.ids, p.starts, p.pooled};
    return p;
}

static void pad_free(struct padded *p)
{
    free(p->ids);
    free(p->starts);
    free(p->pooled);
}

static void encode(struct set *s, bool packed, bool prune)
{
    struct texts_packed p = {0};
    struct padded q = pad(s);
    clip_set_pruning(s->clip, prune);
    CHECK(texts_pack(&p, clip_config(s->clip), s->ids, s->m, clip_config(s->clip)->text.context_length) == 0);
    CHECK(p.t.starts[s->m] <= q.t.starts[s->m]);
    CHECK(clip_encode_images(s->clip, s->images, s->n, s->x, NULL) == 0);
    CHECK(clip_encode_texts(s->clip, packed ? &p.t : &q.t, s->t, NULL) == 0);
    texts_free(&p);
    pad_free(&q);
}

static void compare_features(struct set *s, const char *expected)
{
    const struct kernels *k = ctx_kernels(ctx);
    char name[128];
    view ux = ctx_alloc(ctx, F32, s->n * s->e), ut = ctx_alloc(ctx, F32, s->m * s->e),
        logits = ctx_alloc(ctx, F32, s->n * s->m);
    snprintf(name, sizeof name, "%s/image_features.npy", expected);
    golden_compare_view(ctx, name, s->x, s->n * s->e, 1e-5);
    snprintf(name, sizeof name, "%s/text_features.npy", expected);
    golden_compare_view(ctx, name, s->t, s->m * s->e, 1e-5);
    clip_unit(s->clip, ux, NO_VIEW, s->x, s->n);
    clip_unit(s->clip, ut, NO_VIEW, s->t, s->m);
    snprintf(name, sizeof name, "%s/image_features_norm.npy", expected);
    golden_compare_view(ctx, name, ux, s->n * s->e, 1e-5);
    snprintf(name, sizeof name, "%s/text_features_norm.npy", expected);
    golden_compare_view(ctx, name, ut, s->m * s->e, 1e-5);
    float scale = (float)exp(clip_logit_scale(s->clip));
    snprintf(name, sizeof name, "%s/logit_scale.npy", expected);
    golden_compare(name, &scale, 1, 1e-5);
    k->gemm(ctx, false, true, s->n, s->m, s->e, exp(clip_logit_scale(s->clip)), ux, s->e, ut, s->e, 0, logits, s->m);
    snprintf(name, sizeof name, "%s/logits_per_image.npy", expected);
    golden_compare_view(ctx, name, logits, s->n * s->m, 3e-5);
    ctx_free(ctx, ux);
    ctx_free(ctx, ut);
    ctx_free(ctx, logits);
}

static void check_features(const char *model, const char *inputs, const char *expected)
{
    struct set s = set_open(model, inputs);
    for (int form = 0; form < 4; form++) {
        encode(&s, form & 1, form & 2);
        compare_features(&s, expected);
    }
    set_close(&s);
}

static void a_fp32(void) { check_features("model/A/A.fp32.safetensors", "model/A", "model/A"); }
static void a_fp16(void) { check_features("model/A/A.fp16.safetensors", "model/A", "model/A/fp16"); }
static void a_fp32_torch(void) { check_features("model/A/A.fp32.pt", "model/A", "model/A"); }
static void a_fp16_torch(void) { check_features("model/A/A.fp16.pt", "model/A", "model/A/fp16"); }
static void c_torch(void) { check_features("model/C/C.fp32.pt", "model/C", "model/C"); }
static void c_views(void) { check_features("model/C/C.views.pt", "model/C", "model/C"); }
// Without a configuration: sizes by shapes, heads and QuickGELU because the file is OpenAI's own.
static void o_openai(void) { check_features("model/O/O.openai.pt", "model/O", "model/O"); }
static void b_fp16(void) { check_features("model/B/B.fp16.safetensors", "model/B", "model/B"); }

// --- activations ---------------------------------------------------------------------------------------------------

// [n, count per item] = a - b
static view minus(view a, view b, int64_t n)
{
    view d = ctx_alloc(ctx, F32, n);
    ctx_kernels(ctx)->add(ctx, d, a, 1, n);
    ctx_kernels(ctx)->add(ctx, d, b, -1, n);
    return d;
}

static void compare_blocks(const struct tape *t, const char *dir, const char *tower, int64_t rows, bool details)
{
    int64_t w = t->net->width, n = rows * w;
    char name[128];
    for (int l = 0; l < t->net->layers; l++) {
        view in = t->layers[l].attention.x, mid = t->layers[l].mlp.x;
        view out = l + 1 < t->net->layers ? t->layers[l + 1].attention.x : t->pool.x;
        snprintf(name, sizeof name, "%s/act_%s_block%d.npy", dir, tower, l);
        golden_compare_view(ctx, name, out, n, 1e-5);
        if (l || !details)
            continue;
        view attention = minus(mid, in, n), mlp = minus(out, mid, n);
        snprintf(name, sizeof name, "%s/act_%s_block0_attn_out.npy", dir, tower);
        golden_compare_view(ctx, name, attention, n, 1e-5);
        snprintf(name, sizeof name, "%s/act_%s_block0_mlp_hidden.npy", dir, tower);
        golden_compare_view(ctx, name, t->layers[l].mlp.pre, rows * t->net->hidden, 1e-5);
        snprintf(name, sizeof name, "%s/act_%s_block0_mlp_out.npy", dir, tower);
        golden_compare_view(ctx, name, mlp, n, 1e-5);
        ctx_free(ctx, attention);
        ctx_free(ctx, mlp);
    }
}

static void image_activations(struct set *s, const char *dir, bool details)
{
    struct tape *t;
    char name[128];
    int64_t rows = config_image_rows(clip_config(s->clip)), w = clip_config(s->clip)->vision.width;
    clip_set_pruning(s->clip, false);
    CHECK(tape_new(&t, s->clip, TOWER_IMAGE, 2, 0) == 0);
    CHECK(clip_encode_images(s->clip, s->images, 2, s->x, t) == 0);
    snprintf(name, sizeof name, "%s/act_v_embedded.npy", dir);
    golden_compare_view(ctx, name, t->embedded, 2 * rows * w, 1e-5);
    // Again: the layers have used its memory since.
    patch_embedding_forward(ctx, &t->net->patch, t->embedded, s->images, 2, t->unrolled, t->patches);
    snprintf(name, sizeof name, "%s/act_v_patches.npy", dir);
    golden_compare_view(ctx, name, t->patches, 2 * (rows - 1) * w, 1e-5);
    snprintf(name, sizeof name, "%s/act_v_ln_pre.npy", dir);
    golden_compare_view(ctx, name, t->layers[0].attention.x, 2 * rows * w, 1e-5);
    compare_blocks(t, dir, "v", 2 * rows, details);
    snprintf(name, sizeof name, "%s/act_v_ln_post.npy", dir);
    golden_compare_view(ctx, name, t->features_in, 2 * w, 1e-5);
    tape_free(t);
}

static void text_activations(struct set *s, const char *dir, bool details)
{
    struct tape *t;
    char name[128];
    int64_t context = clip_config(s->clip)->text.context_length, w = clip_config(s->clip)->text.width,
        rows = 3 * context;
    struct padded p = pad(s);
    p.t.n = 3;
    CHECK(tape_new(&t, s->clip, TOWER_TEXT, 3, rows) == 0);
    CHECK(clip_encode_texts(s->clip, &p.t, s->t, t) == 0);
    snprintf(name, sizeof name, "%s/act_t_embedded.npy", dir);
    golden_compare_view(ctx, name, t->layers[0].attention.x, rows * w, 1e-5);
    compare_blocks(t, dir, "t", rows, details);
    view final = ctx_alloc(ctx, F32, rows * w);
    norm_forward(ctx, &t->net->norm, final, NO_VIEW, NO_VIEW, t->pool.x, rows);
    snprintf(name, sizeof name, "%s/act_t_ln_final.npy", dir);
    golden_compare_view(ctx, name, final, rows * w, 1e-5);
    snprintf(name, sizeof name, "%s/act_t_pooled.npy", dir);
    golden_compare_view(ctx, name, t->features_in, 3 * w, 1e-5);
    ctx_free(ctx, final);
    tape_free(t);
    pad_free(&p);
}

static void a_activations(void)
{
    struct set s = set_open("model/A/A.fp32.safetensors", "model/A");
    image_activations(&s, "model/A", true);
    text_activations(&s, "model/A", true);
    set_close(&s);
}

static void b_activations(void)
{
    struct set s = set_open("model/B/B.fp16.safetensors", "model/B");
    image_activations(&s, "model/B", false);
    text_activations(&s, "model/B", false);
    set_close(&s);
}

// --- the same numbers in every form --------------------------------------------------------------------------------

// Unit features [n + m, e] and all gradients of a fixed linear function of them, in one array.
static float *run_form(bool packed, bool prune, int threads, int64_t *nfeatures)
{
    struct ctx *keep = ctx;
    if (ctx_open(&ctx, F32, threads, NULL) != 0)
        golden_die();
    struct set s = set_open("model/A/A.fp32.safetensors", "model/A");
    struct texts_packed p = {0};
    struct padded q = pad(&s);
    struct tape *image = NULL, *text = NULL;
    clip_set_pruning(s.clip, prune);
    CHECK(texts_pack(&p, clip_config(s.clip), s.ids, s.m, 77) == 0);
    CHECK(clip_train_begin(s.clip) == 0);
    CHECK(tape_new(&image, s.clip, TOWER_IMAGE, s.n, 0) == 0);
    CHECK(tape_new(&text, s.clip, TOWER_TEXT, s.m, 77 * s.m) == 0);
    CHECK(clip_encode_images(s.clip, s.images, s.n, s.x, image) == 0);
    CHECK(clip_encode_texts(s.clip, packed ? &p.t : &q.t, s.t, text) == 0);

    int ntensors;
    const struct tensor *all = clip_tensors(s.clip, &ntensors);
    int64_t nx = s.n * s.e, nt = s.m * s.e;
    *nfeatures = nx + nt;
    float *out = malloc((size_t)(nx + nt + clip_parameters(s.clip)) * sizeof *out), *at = out + nx + nt;
    view ux = ctx_alloc(ctx, F32, nx), ut = ctx_alloc(ctx, F32, nt), norm = ctx_alloc(ctx, F32, s.n + s.m),
        r = ctx_alloc(ctx, F32, nx + nt);
    clip_unit(s.clip, ux, norm, s.x, s.n);
    clip_unit(s.clip, ut, view_at(norm, s.n), s.t, s.m);
    ctx_get(ctx, out, ux, nx);
    ctx_get(ctx, out + nx, ut, nt);
    for (int64_t i = 0; i < nx + nt; i++) {
        float x = (float)sin(1 + 12.9898 * (double)i);
        ctx_put(ctx, view_at(r, i), &x, 1);
    }
    clip_unit_backward(s.clip, s.x, r, ux, norm, s.n);
    clip_unit_backward(s.clip, s.t, view_at(r, nx), ut, view_at(norm, s.n), s.m);
    CHECK(clip_backward_images(s.clip, image, s.x) == 0 && clip_backward_texts(s.clip, text, s.t) == 0);
    for (int i = 0; i < ntensors; at += all[i++].count)
        ctx_get(ctx, at, clip_grad(s.clip, i), all[i].count);

    view temporary[] = {ux, ut, norm, r};
    for (int i = 0; i < 4; i++)
        ctx_free(ctx, temporary[i]);
    tape_free(image);
    tape_free(text);
    texts_free(&p);
    pad_free(&q);
    set_close(&s);
    ctx_close(ctx);
    ctx = keep;
    return out;
}

static void forms_agree(void)
{
    static const struct {
        bool packed, prune;
        int threads;
    } forms[] = {{true, true, 1}, {true, false, 1}, {false, true, 1}, {false, false, 1}, {true, true, 2},
                 {true, true, 3}};
    int64_t n;
    struct clip *shape;
    if (clip_open(&shape, ctx, golden_path("model/A/A.fp32.safetensors")) != 0)
        golden_die();
    int ntensors;
    const struct tensor *all = clip_tensors(shape, &ntensors);
    float *first = run_form(true, true, 1, &n);
    for (size_t f = 1; f < sizeof forms / sizeof *forms; f++) {
        float *other = run_form(forms[f].packed, forms[f].prune, forms[f].threads, &n);
        if (forms[f].threads > 1)   // sums are cut by the shape, not by the threads
            CHECK(memcmp(first, other, (size_t)(n + clip_parameters(shape)) * sizeof *first) == 0);
        double apart = 0;
        for (int64_t i = 0; i < n; i++)
            apart = fmax(apart, fabs((double)first[i] - other[i]));
        CHECK_CLOSE(apart, 0, 1e-6);
        const float *a = first + n, *b = other + n;
        for (int i = 0; i < ntensors; a += all[i].count, b += all[i++].count) {
            double most = 0, gap = 0;
            for (int64_t k = 0; k < all[i].count; k++) {
                most = fmax(most, fabs((double)a[k]));
                gap = fmax(gap, fabs((double)a[k] - b[k]));
            }
            check_close(__FILE__, __LINE__, all[i].name, gap, 0, 1e-5 * most);
        }
        free(other);
    }
    free(first);
    clip_free(shape);
}

int main(void)
{
    if (ctx_open(&ctx, F32, 2, NULL) != 0)
        golden_die();
    CASE(a_fp32);
    CASE(a_fp16);
    CASE(b_fp16);
    CASE(a_fp32_torch);
    CASE(a_fp16_torch);
    CASE(c_torch);
    CASE(c_views);
    CASE(o_openai);
    CASE(a_activations);
    CASE(b_activations);
    CASE(forms_agree);
    ctx_close(ctx);
    return check_done();
}
