// SPDX-License-Identifier: Apache-2.0
// Every row of every instruction set this processor has, against the double reference: ragged shapes, guard words,
// extreme values. `checker --bench` times them instead.
#include "check.h"
#include "kernels/trial.h"

#define K ctx_kernels(c)

// --- products: shape = rows, out, in, activation, bias, residual, keep `pre` -----------------------------------------
static void call_linear(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    struct weight *w = K->weight_new(c, v[1], s[1], s[2]);
    struct tail tail = {sizes ? ACT_NONE : (enum activation)s[3], v[4], v[3]};
    K->linear(c, v[5], v[0], w, v[2], s[0], &tail);
    if (sizes && v[4].at)   // without an activation nothing fills it
        K->linear(c, v[4], v[0], w, v[2], s[0], NULL);
    K->weight_free(w);
}

static void call_linear_dx(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    struct weight *w = K->weight_new(c, v[1], s[1], s[2]);
    K->linear_dx(c, v[2], v[0], w, s[0], s[3] != 0);
    K->weight_free(w);
}

static void call_linear_dw(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    K->linear_dw(c, v[2], v[3], v[0], v[1], s[0], s[1], s[2]);
}

// shape = m, n, k, ta, tb
static void call_gemm(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    int64_t m = s[0], n = s[1], k = s[2];
    K->gemm(c, s[3], s[4], m, n, k, sizes ? .5 : -.5, v[0], s[3] ? m : k, v[1], s[4] ? k : n, 2, v[2], n);
}

static const int64_t products[][3] = {   // rows, out, in
    {1, 1, 1}, {2, 3, 5}, {13, 17, 16}, {14, 32, 64}, {15, 33, 65}, {50, 96, 96}, {57, 288, 100}, {113, 64, 257}, {7, 1000, 48},
    {230, 40, 768},
};
enum { PRODUCTS = sizeof products / sizeof *products };

// Units of 2^-24 of a sum of |a b|: float sums against double; narrow ones against the plain loops', and those
// against double, where every factor was rounded (2 x 2^-8; bytes: half a step of each, for these ranges; words: a step in
// some thousands). The length of a row of words is a sum, so its scale differs by its rounding, and a code now and then.
static double room_of(const char *isa, enum dtype narrow, double wide)
{
    bool plain = strncmp(isa, "ref", 3) == 0, words = narrow && trial_words(isa, narrow);
    if (!narrow || (!plain && !words))
        return wide;
    if (words)
        return plain ? 0x1p12 : 0x1p11;
    return narrow == BF16 ? 0x1.04p17 : 3e5;
}

static void linear_in(const char *isa, enum dtype narrow)
{
    static const int64_t forms[][4] = {{ACT_NONE, 0, 0, 0}, {ACT_NONE, 1, 1, 0}, {ACT_GELU, 1, 0, 1}, {ACT_QUICK_GELU, 1, 1, 1}};
    for (int i = 0; i < PRODUCTS; i++)
        for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
            int64_t m = products[i][0], n = products[i][1], k = products[i][2];
            int64_t s[8] = {m, n, k, forms[f][0], forms[f][1], forms[f][2], forms[f][3]};
            struct trial t = {"linear", call_linear, s, true, room_of(isa, narrow, 8), {
                {"x", IN, m * k, -2, 2}, {"w", IN, n * k, -1, 1}, {"bias", IN, s[4] ? n : 0, -3, 3},
                {"residual", IN, s[5] ? m * n : 0, -9, 9}, {"pre", OUT, s[6] ? m * n : 0, 0, 0}, {"y", OUT, m * n, 0, 0}},
                .narrow = narrow};
            trial_run(&t, isa, 1 + i % 3, (uint64_t)i);
        }
}

static void backward_products_in(const char *isa, enum dtype narrow)
{
    for (int i = 0; i < PRODUCTS; i++)
        for (int form = 0; form < 2; form++) {
            int64_t m = products[i][0], n = products[i][1], k = products[i][2], s[8] = {m, n, k, form};
            struct trial dx = {"linear_dx", call_linear_dx, s, true, room_of(isa, narrow, 8), {
                {"dy", IN, m * n, -2, 2}, {"w", IN, n * k, -1, 1}, {"dx", form ? BOTH : OUT, m * k, -5, 5}}, .narrow = narrow};
            struct trial dw = {"linear_dw", call_linear_dw, s, true, room_of(isa, narrow, 16), {
                {"dy", IN, m * n, -2, 2}, {"x", IN, m * k, -1, 1}, {"dw", BOTH, n * k, -5, 5},
                {"dbias", BOTH, form ? n : 0, -5, 5}}, .narrow = narrow};
            trial_run(&dx, isa, 1 + i % 3, (uint64_t)i);
            trial_run(&dw, isa, 1 + i % 3, (uint64_t)i);
        }
}

static void linear_on(const char *isa) { linear_in(isa, F32); }
static void backward_products_on(const char *isa) { backward_products_in(isa, F32); }

static void gemm_on(const char *isa)
{
    for (int i = 0; i < PRODUCTS; i++)
        for (int form = 0; form < 4; form++) {
            int64_t m = products[i][0], n = products[i][1], k = products[i][2], s[8] = {m, n, k, form & 1, form >> 1};
            struct trial t = {"gemm", call_gemm, s, true, 16, {
                {"a", IN, m * k, -2, 2}, {"b", IN, k * n, -1, 1}, {"c", BOTH, m * n, -5, 5}}};
            trial_run(&t, isa, 1 + i % 3, (uint64_t)i);
        }
    // numbers near both ends of the range: nothing overflows on the way, nothing is flushed
    for (int e = -1; e <= 1; e += 2) {
        int64_t s[8] = {33, 35, 70, 0, 1};
        double big = pow(2, 60. * e);
        struct trial t = {"gemm, far numbers", call_gemm, s, true, 16, {
            {"a", IN, 33 * 70, -big, big}, {"b", IN, 35 * 70, -big, big}, {"c", BOTH, 33 * 35, -big, big}}};
        trial_run(&t, isa, 2, 9);
    }
}

// --- elementwise: shape = n, what ------------------------------------------------------------------------------------
static void call_act_backward(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    K->act_backward(c, v[2], v[3], v[0], v[1], (enum activation)s[1], s[0]);
}

static void call_add(struct ctx *c, const view *v, const int64_t *s, bool sizes) { K->add(c, v[1], v[0], .75, s[0]); }
static void call_scale(struct ctx *c, const view *v, const int64_t *s, bool sizes) { K->scale(c, v[0], -1.25, s[0]); }
static void call_zero(struct ctx *c, const view *v, const int64_t *s, bool sizes) { K->zero(c, v[0], s[0]); }

static void call_sum_squares(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    double sum = K->sum_squares(c, v[0], s[0]);
    ctx_put64(c, v[1], &sum, 1);
}

static void call_adamw(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    struct adamw o = {1e-2, .9, .98, 1e-6, .1, s[1], .5};
    K->adamw(c, v[0], v[1], v[2], v[3], s[0], &o);
}

static const int64_t lengths[] = {1, 7, 8, 15, 16, 17, 33, 1000, 16384, 40001};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static void elementwise_on(const char *isa)
{
    for (int i = 0; i < LENGTHS; i++) {
        int64_t n = lengths[i];
        for (int64_t what = 0; what < 3; what++)
            for (double far = 4; far < 1e5; far *= 300) {   // ordinary, past every saturation
                int64_t s[8] = {n, what};
                struct trial t = {"act_backward", call_act_backward, s, false, 16, {
                    {"dact", IN, n, -1, 1}, {"pre", IN, n, -far, far}, {"dpre", OUT, n, 0, 0}, {"act_out", OUT, i % 2 ? n : 0, 0, 0}}};
                trial_run(&t, isa, 1 + i % 3, (uint64_t)i);
            }
        int64_t s[8] = {n, 1 + 50 * (i % 2)};
        struct trial t[] = {
            {"add", call_add, s, false, 2, {{"x", IN, n, -2, 2}, {"y", BOTH, n, -3, 3}}},
            {"scale", call_scale, s, false, 1, {{"y", BOTH, n, -3, 3}}},
            {"zero", call_zero, s, false, 0, {{"y", BOTH, n, -3, 3}}},
            {"sum_squares", call_sum_squares, s, false, 64, {{"x", IN, n, -3, 3}, {"sum", OUT, 1, 0, 0}}},
            {"adamw", call_adamw, s, false, 16, {
                {"w", BOTH, n, -1, 1}, {"m", BOTH, n, -.1, .1}, {"v", BOTH, n, .001, .1}, {"g", IN, n, -1, 1}}},
        };
        for (size_t k = 0; k < sizeof t / sizeof *t; k++)
            trial_run(&t[k], isa, 1 + i % 3, (uint64_t)i);
    }
}

// A gradient that is not finite must show in its norm: the trainer stops on it.
static void not_finite_on(const char *isa)
{
    const double bad[] = {NAN, INFINITY, -INFINITY};
    struct ctx *c;
    CHECK(ctx_open(&c, F32, 2, isa) == 0);
    view x = ctx_alloc(c, F32, 1000);
    for (int i = 0; i < 3; i++)
        for (int64_t at = 0; at < 1000; at += 37) {
            double one = 1;
            ctx_put64(c, view_at(x, at), &bad[i], 1);
            CHECK(!isfinite(K->sum_squares(c, x, 1000)));
            ctx_put64(c, view_at(x, at), &one, 1);
        }
    CHECK(isfinite(K->sum_squares(c, x, 1000)));
    ctx_free(c, x);
    ctx_close(c);
}

// --- normalisation: shape = rows, width, add -------------------------------------------------------------------------
static void call_layernorm(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    K->layernorm(c, v[3], v[4], v[5], v[0], v[1], v[2], s[0], s[1], 1e-5);
}

static void call_layernorm_backward(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    K->layernorm(c, v[6], v[7], v[8], v[1], v[2], v[2], s[0], s[1], 1e-5);   // what the forward pass keeps
    K->layernorm_backward(c, v[3], s[2] != 0, v[4], v[5], v[0], v[1], v[2], v[7], v[8], s[0], s[1]);
}

static void call_l2norm(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    K->l2norm(c, v[1], v[2], v[0], s[0], s[1], 1e-12);
}

static void call_l2norm_backward(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    K->l2norm(c, v[3], v[4], v[1], s[0], s[1], 1e-12);
    K->l2norm_backward(c, v[2], v[0], v[3], v[4], s[0], s[1], 1e-12);
}

static void normalisation_on(const char *isa)
{
    static const int64_t shapes[][2] = {{1, 1}, {3, 7}, {5, 16}, {4, 31}, {9, 96}, {33, 100}, {70, 192}, {3, 769}, {2, 9000}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int far = 0; far < 2; far++) {   // far: a mean a hundred deviations away
            int64_t n = shapes[i][0], w = shapes[i][1], a = n * w, s[8] = {n, w, far};
            double lo = far ? 99 : -2, hi = far ? 101 : 2, room = w == 1 ? 1e9 : far ? 1e4 : 64;
            struct trial t[] = {
                {"layernorm", call_layernorm, s, false, room, {
                    {"x", IN, a, lo, hi}, {"gamma", IN, w, .5, 2}, {"beta", IN, w, -1, 1}, {"y", OUT, a, 0, 0}, {"mean", OUT, n, 0, 0},
                    {"rstd", OUT, n, 0, 0}}, .least = w == 1},
                {"layernorm_backward", call_layernorm_backward, s, false, room, {
                    {"dy", IN, a, -1, 1}, {"x", IN, a, lo, hi}, {"gamma", IN, w, .5, 2}, {"dx", far ? BOTH : OUT, a, -1, 1},
                    {"dgamma", BOTH, w, -1, 1}, {"dbeta", BOTH, w, -1, 1}, {"y", OUT, a, 0, 0}, {"mean", OUT, n, 0, 0},
                    {"rstd", OUT, n, 0, 0}}, .least = w == 1},
                {"l2norm", call_l2norm, s, false, 16, {{"x", IN, a, lo, hi}, {"y", OUT, a, 0, 0}, {"norm", OUT, n, 0, 0}}},
                {"l2norm_backward", call_l2norm_backward, s, false, w == 1 ? 1e9 : 64, {
                    {"dy", IN, a, -1, 1}, {"x", IN, a, lo, hi}, {"dx", OUT, a, 0, 0}, {"y", OUT, a, 0, 0}, {"norm", OUT, n, 0, 0}}, .least = w == 1},
            };
            for (size_t k = 0; k < sizeof t / sizeof *t; k++)
                trial_run(&t[k], isa, 1 + (int)i % 3, i);
        }
}

// --- attention: shape = heads, dim, causal, which set of spans -------------------------------------------------------
static const struct span spans[][4] = {
    {{0, 1, 0, 1, 0}},
    {{0, 5, 0, 5, 0}, {5, 17, 5, 17, 0}, {22, 1, 22, 1, 0}, {23, 37, 23, 37, 0}},
    {{0, 50, 0, 50, 0}, {50, 77, 50, 77, 0}},
    {{0, 1, 0, 9, 8}, {1, 1, 9, 30, 29}},   // one query of a sequence, its last
    {{0, 197, 0, 197, 0}},
};
static const int64_t span_count[] = {1, 4, 2, 2, 1};

static void extent(int set, int64_t *queries, int64_t *keys)
{
    const struct span *last = &spans[set][span_count[set] - 1];
    *queries = last->q0 + last->nq;
    *keys = last->k0 + last->nk;
}

static void call_attention(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    int64_t w = s[0] * s[1];
    K->attention(c, v[2], v[3], v[0], w, v[1], 2 * w, view_at(v[1], w), 2 * w, spans[s[3]], span_count[s[3]], (int)s[0], (int)s[1],
                 s[2] != 0);
}

static void call_attention_backward(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    int64_t w = s[0] * s[1];
    call_attention(c, v, s, sizes);
    K->attention_backward(c, v[5], v[6], view_at(v[6], w), v[4], v[2], v[3], v[0], w, v[1], 2 * w, view_at(v[1], w), 2 * w,
                          spans[s[3]], span_count[s[3]], (int)s[0], (int)s[1], s[2] != 0);
}

static void attention_on(const char *isa)
{
    static const int64_t heads[][2] = {{1, 1}, {3, 32}, {2, 64}, {2, 80}, {1, 17}};
    for (size_t h = 0; h < sizeof heads / sizeof *heads; h++)
        for (int set = 0; set < 5; set++)
            for (int causal = 0; causal < 2; causal++)
                for (double far = 1; far < 1e2; far *= 50) {   // far: softmax all but picks one key
                    int64_t q, k, w = heads[h][0] * heads[h][1], s[8] = {heads[h][0], heads[h][1], causal, set};
                    extent(set, &q, &k);
                    struct trial t = {"attention", call_attention_backward, s, false, far > 1 ? 1e5 : 256, {
                        {"q", IN, q * w, -far, far}, {"kv", IN, k * 2 * w, -1, 1}, {"out", OUT, q * w, 0, 0},
                        {"lse", OUT, q * heads[h][0], 0, 0}, {"dout", IN, q * w, -1, 1}, {"dq", OUT, q * w, 0, 0},
                        {"dkv", OUT, k * 2 * w, 0, 0}}, .least = 1};
                    trial_run(&t, isa, 1 + set % 3, (uint64_t)set);
                }
}

// Without gradients, pictures' scores are narrow products: off by the rounding of both sides, and where a code of one
// instruction set is its neighbour in another. Where bfloat16 is held as floats the scores are floats. Beside bytes and words,
// weights and values are words of 15 bits and a sign.
static void narrow_attention_in(const char *isa, enum dtype narrow)
{
    static const int64_t heads[][2] = {{1, 1}, {3, 32}, {2, 64}, {1, 17}};
    for (size_t h = 0; h < sizeof heads / sizeof *heads; h++) {
        int64_t q, k, w = heads[h][0] * heads[h][1], s[8] = {heads[h][0], heads[h][1], 0, 4};
        extent(4, &q, &k);
        struct trial t = {"attention, narrow", call_attention, s, false, strcmp(isa, "ref") == 0 ? 0x1p17 : narrow == S8 || trial_words(isa, narrow) ? 0x1p13 : 0x1p14, {
            {"q", IN, q * w, -2, 2}, {"kv", IN, k * 2 * w, -1, 1}, {"out", OUT, q * w, 0, 0}}, .narrow = narrow, .least = 1};
        trial_run(&t, isa, 1 + (int)h % 3, h);
    }
}

// Sixteen bits and a scale must hold what bfloat16's exponent holds: sums that are as long as their factors allow, numbers
// whose squares leave float's range, a NaN.
static void extremes_in(const char *isa, enum dtype narrow)
{
    static const double ends[] = {1, -3e-25, 1e-12, 2e24, NAN};
    static const int64_t deep[] = {1, 31, 768, 4096};
    for (size_t e = 0; e < sizeof ends / sizeof *ends; e++)
        for (size_t d = 0; d < sizeof deep / sizeof *deep; d++) {
            enum { ROWS = 3, OUT_COLUMNS = 33 };
            int64_t k = deep[d];
            struct ctx *c;
            CHECK(ctx_open(&c, F32, 1, isa) == 0 && ctx_products(c, narrow));
            view x = ctx_alloc(c, F32, ROWS * k), w = ctx_alloc(c, F32, OUT_COLUMNS * k), y = ctx_alloc(c, F32, ROWS * OUT_COLUMNS);
            for (int64_t i = 0; i < (ROWS + OUT_COLUMNS) * k; i++) {
                double one = i >= ROWS * k ? 1 : i / k == 1 ? ends[e] : .5;   // the middle row
                ctx_put64(c, i < ROWS * k ? view_at(x, i) : view_at(w, i - ROWS * k), &one, 1);
            }
            struct weight *weight = K->weight_new(c, w, OUT_COLUMNS, k);
            K->linear(c, y, x, weight, NO_VIEW, ROWS, NULL);
            for (int64_t i = 0; i < ROWS * OUT_COLUMNS; i++) {
                double got, want = (double)k * (i / OUT_COLUMNS == 1 ? ends[e] : .5);
                ctx_get64(c, &got, view_at(y, i), 1);
                CHECK(isnan(want) ? isnan(got) : fabs(got - want) <= 0x1p-8 * fabs(want));
            }
            K->weight_free(weight);
            ctx_free(c, x);
            ctx_free(c, w);
            ctx_free(c, y);
            ctx_close(c);
        }
}

static void bf16_on(const char *isa)
{
    extremes_in(isa, BF16);
    linear_in(isa, BF16);
    backward_products_in(isa, BF16);
    narrow_attention_in(isa, BF16);
}

static void bytes_on(const char *isa)
{
    linear_in(isa, S8);
    narrow_attention_in(isa, S8);
}

// --- moving rows: shape = n, size or rows, patch or width -------------------------------------------------------------
static void call_patches(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    K->patches(c, v[1], v[0], s[0], (int)s[1], (int)s[2]);
}

static void call_image_embed(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    K->image_embed(c, v[3], v[0], v[1], v[2], s[0], s[1], s[2]);
    K->image_embed_backward(c, v[4], v[5], v[6], v[7], s[0], s[1], s[2]);
}

static const int32_t ids[6] = {3, 0, 3, 2, 1, 3}, places[6] = {0, 1, 2, 0, 1, 0}, picked[3] = {4, 0, 2}, starts[4] = {0, 1, 4, 6};

static void call_token_embed(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    K->token_embed(c, v[2], ids, places, v[0], v[1], 6, s[0]);
    K->token_embed_backward(c, v[3], v[4], ids, places, v[5], 6, s[0]);
}

static void call_rows(struct ctx *c, const view *v, const int64_t *s, bool sizes)
{
    K->gather(c, v[1], v[0], picked, 3, s[0]);
    K->scatter(c, v[2], false, v[1], picked, 3, 6, s[0]);
    K->scatter(c, v[3], true, v[1], picked, 3, 6, s[0]);
    K->mean_pool(c, v[4], v[0], starts, 3, s[0]);
    K->mean_pool_backward(c, v[5], v[1], starts, 3, s[0]);
}

static void rows_on(const char *isa)
{
    static const int64_t widths[] = {1, 9, 16, 100, 768};
    for (int i = 0; i < 5; i++) {
        int64_t w = widths[i], s[8] = {w}, e[8] = {3, 4, w};
        struct trial t[] = {
            {"token_embed", call_token_embed, s, false, 4, {
                {"table", IN, 4 * w, -1, 1}, {"pos", IN, 3 * w, -1, 1}, {"x", OUT, 6 * w, 0, 0}, {"dtable", BOTH, 4 * w, -1, 1},
                {"dpos", BOTH, 3 * w, -1, 1}, {"dx", IN, 6 * w, -1, 1}}},
            {"gather, scatter, mean_pool", call_rows, s, false, 4, {
                {"x", IN, 6 * w, -1, 1}, {"gathered", OUT, 3 * w, 0, 0}, {"scattered", OUT, 6 * w, 0, 0},
                {"added", BOTH, 6 * w, -1, 1}, {"pooled", OUT, 3 * w, 0, 0}, {"dx", OUT, 6 * w, 0, 0}}},
            {"image_embed", call_image_embed, e, false, 8, {
                {"patch", IN, 12 * w, -1, 1}, {"class", IN, i % 2 ? w : 0, -1, 1}, {"pos", IN, (4 + i % 2) * w, -1, 1},
                {"x", OUT, 3 * (4 + i % 2) * w, 0, 0}, {"dpatch", OUT, 12 * w, 0, 0}, {"dclass", BOTH, i % 2 ? w : 0, -1, 1},
                {"dpos", BOTH, (4 + i % 2) * w, -1, 1}, {"dx", IN, 3 * (4 + i % 2) * w, -1, 1}}},
        };
        for (size_t k = 0; k < sizeof t / sizeof *t; k++)
            trial_run(&t[k], isa, 1 + i % 3, (uint64_t)i);
    }
    static const int64_t sizes[][3] = {{1, 8, 8}, {3, 48, 8}, {2, 28, 14}, {1, 224, 32}, {2, 6, 2}};
    for (int i = 0; i < 5; i++) {
        const int64_t *s = sizes[i], n = s[0] * 3 * s[1] * s[1], shape[8] = {s[0], s[1], s[2]};
        struct trial t = {"patches", call_patches, shape, false, 0, {{"images", IN, n, -1, 1}, {"rows", OUT, n, 0, 0}}};
        trial_run(&t, isa, 1 + i % 3, (uint64_t)i);
    }
}

// --- the table, for each instruction set -----------------------------------------------------------------------------
static const struct family { const char *name; void (*run)(const char *isa); enum dtype narrow; } families[] = {
    {"linear", linear_on}, {"backward_products", backward_products_on}, {"gemm", gemm_on}, {"elementwise", elementwise_on},
    {"not_finite", not_finite_on}, {"normalisation", normalisation_on}, {"attention", attention_on}, {"rows", rows_on}, {"bf16", bf16_on, BF16}, {"bytes", bytes_on, S8},
};

static const char *running;
static void (*family)(const char *isa);
static void in_family(void) { family(running); }

static bool has(const char *isa)
{
    struct ctx *c;
    bool yes = ctx_open(&c, F32, 1, isa) == 0;
    if (yes)
        ctx_close(c);
    return yes;
}

// Milliseconds of typical shapes, and how many times faster than the float reference.
static void bench(const char *const *isas)
{
    static const int64_t lin[8] = {1600, 768, 768, ACT_GELU, 1, 0, 0}, dw[8] = {1600, 768, 768}, norm[8] = {1600, 768, 0}, el[8] = {1 << 20, 1};
    static const int64_t att[8] = {12, 64, 0, 4};
    int64_t q, k;
    extent(4, &q, &k);
    const struct trial t[] = {
        {"linear + GELU 1600x768x768", call_linear, lin, true, 8, {
            {"x", IN, 1600 * 768, -1, 1}, {"w", IN, 768 * 768, -1, 1}, {"bias", IN, 768, -1, 1}, {.n = 0}, {.n = 0}, {"y", OUT, 1600 * 768, 0, 0}}},
        {"the same in bf16", call_linear, lin, true, 8, {
            {"x", IN, 1600 * 768, -1, 1}, {"w", IN, 768 * 768, -1, 1}, {"bias", IN, 768, -1, 1}, {.n = 0}, {.n = 0}, {"y", OUT, 1600 * 768, 0, 0}}, .narrow = BF16},
        {"the same in bytes", call_linear, lin, true, 8, {
            {"x", IN, 1600 * 768, -1, 1}, {"w", IN, 768 * 768, -1, 1}, {"bias", IN, 768, -1, 1}, {.n = 0}, {.n = 0}, {"y", OUT, 1600 * 768, 0, 0}}, .narrow = S8},
        {"linear_dw 1600x768x768 in bf16", call_linear_dw, dw, true, 8, {
            {"dy", IN, 1600 * 768, -1, 1}, {"x", IN, 1600 * 768, -1, 1}, {"dw", BOTH, 768 * 768, -1, 1}, {"db", BOTH, 768, -1, 1}}, .narrow = BF16},
        {"linear_dw 1600x768x768", call_linear_dw, dw, true, 8, {
            {"dy", IN, 1600 * 768, -1, 1}, {"x", IN, 1600 * 768, -1, 1}, {"dw", BOTH, 768 * 768, -1, 1}, {"db", BOTH, 768, -1, 1}}},
        {"layernorm 1600x768", call_layernorm, norm, false, 8, {
            {"x", IN, 1600 * 768, -1, 1}, {"gamma", IN, 768, -1, 1}, {"beta", IN, 768, -1, 1}, {"y", OUT, 1600 * 768, 0, 0}}},
        {"act_backward 1M", call_act_backward, el, false, 8, {
            {"dact", IN, 1 << 20, -1, 1}, {"pre", IN, 1 << 20, -3, 3}, {"dpre", OUT, 1 << 20, 0, 0}}},
        {"adamw 1M", call_adamw, el, false, 8, {
            {"w", BOTH, 1 << 20, -1, 1}, {"m", BOTH, 1 << 20, -1, 1}, {"v", BOTH, 1 << 20, 0, 1}, {"g", IN, 1 << 20, -1, 1}}},
        {"attention 197 x 12 heads, both ways", call_attention_backward, att, false, 8, {
            {"q", IN, q * 768, -1, 1}, {"kv", IN, k * 1536, -1, 1}, {"out", OUT, q * 768, 0, 0}, {"lse", OUT, q * 12, 0, 0},
            {"dout", IN, q * 768, -1, 1}, {"dq", OUT, q * 768, 0, 0}, {"dkv", OUT, k * 1536, 0, 0}}},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        double ref = trial_seconds(&t[i], "ref", 1);
        printf("%-40s ref %9.3f ms", t[i].name, ref * 1e3);
        for (int k2 = 0; isas[k2]; k2++)
            if (t[i].narrow ? trial_has(isas[k2], t[i].narrow) : has(isas[k2])) {
                double s = trial_seconds(&t[i], isas[k2], 1);
                printf("   %s %8.3f ms (%.1fx)", isas[k2], s * 1e3, ref / s);
            }
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    static const char *const isas[] = {"avx2", "avx512", "avx512-dot", "avx512-fma", "amx", NULL};
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) {
        bench(isas);
        return 0;
    }
    static const char *const all[] = {   // ref here: its float form
        "ref", "avx2", "avx512", "avx512-words", "avx512-dot", "avx512-fma", "amx", "ref-words"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!has(all[i])) {
            printf("# this processor has no %s\n", all[i]);
            continue;
        }
        for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
            bool again = i > 2;   // avx512 once more, but for its narrow products
            if (families[f].narrow ? !trial_has(all[i], families[f].narrow) : again)
                continue;
            char name[64];
            snprintf(name, sizeof name, "%s_%s", families[f].name, all[i]);
            running = all[i];
            family = families[f].run;
            check_case(name, in_family);
        }
    }
    return check_done();
}
