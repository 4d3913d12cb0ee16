// SPDX-License-Identifier: Apache-2.0
// Ranks and figures of retrieval against the reference's cases: ranks exact, figures to 1e-9; and on real-valued
// features, where only identical rounding in every block keeps a query's own score equal to itself.
#include <jansson.h>

#include "base/rng.h"
#include "golden.h"
#include "task/recall.h"

static struct ctx *open_ctx(int threads)
{
    struct ctx *ctx;
    if (ctx_open(&ctx, F32, threads, NULL))
        golden_die();
    return ctx;
}

static const char *in_case(const char *name, const char *file)
{
    static char paths[4][256];
    static int turn;
    char *p = paths[turn = (turn + 1) % 4];
    snprintf(p, sizeof paths[0], "recall/%s/%s", name, file);
    return p;
}

static double figure(json_t *metrics, const char *rule, const char *dir, const char *key)
{
    json_t *v = json_object_get(json_object_get(json_object_get(metrics, rule), dir), key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static void compare(json_t *metrics, const char *rule, const char *dir, const struct recall *r)
{
    CHECK_CLOSE(r->r1, figure(metrics, rule, dir, "R@1"), 1e-9);
    CHECK_CLOSE(r->r5, figure(metrics, rule, dir, "R@5"), 1e-9);
    CHECK_CLOSE(r->r10, figure(metrics, rule, dir, "R@10"), 1e-9);
    CHECK_CLOSE(r->median_rank, figure(metrics, rule, dir, "median_rank"), 1e-9);
    CHECK_CLOSE(r->mean_rank, figure(metrics, rule, dir, "mean_rank"), 1e-9);
    CHECK_CLOSE(r->mrr, figure(metrics, rule, dir, "mrr"), 1e-9);
}

static void compare_ranks(const char *name, const char *file, const struct recall_rank *r, int64_t n, bool pessimistic)
{
    int64_t shape[4], wrong = 0, *want = golden_i64(in_case(name, file), shape);
    CHECK(shape[0] == n);
    for (int64_t i = 0; i < n && shape[0] == n; i++)
        wrong += r[i].lo + (pessimistic ? r[i].wrong : 0) != want[i];
    CHECK(wrong == 0);
    free(want);
}

// By one instruction set; false: this processor lacks it.
static bool reference_on(const char *name, const char *isa)
{
    struct ctx *ctx;
    if (ctx_open(&ctx, F32, 2, isa))
        return false;
    static const char *const rules[] = {"expected", "optimistic", "pessimistic"};
    int64_t n[4], m[4], k[4];
    float *x = golden_f32(in_case(name, "images.npy"), n), *t = golden_f32(in_case(name, "texts.npy"), m);
    int64_t *map = golden_i64(in_case(name, "txt2img.npy"), k);
    json_t *expected = json_load_file(golden_path(in_case(name, "expected.json")), 0, NULL);
    struct recall_input in = {.images = x, .texts = t, .n = n[0], .m = m[0], .d = n[1], .txt2img = map};
    struct recall_result r;
    CHECK(expected && recall_measure(&r, ctx, &in) == 0);
    compare_ranks(name, "rank_i2t_optimistic.npy", r.i2t, r.n, false);
    compare_ranks(name, "rank_i2t_pessimistic.npy", r.i2t, r.n, true);
    compare_ranks(name, "rank_t2i_optimistic.npy", r.t2i, r.m, false);
    compare_ranks(name, "rank_t2i_pessimistic.npy", r.t2i, r.m, true);
    // from files a band at a time, as from memory
    struct npy images, texts;
    struct recall_result same;
    CHECK(npy_open(&images, golden_path(in_case(name, "images.npy"))) == 0);
    CHECK(npy_open(&texts, golden_path(in_case(name, "texts.npy"))) == 0);
    struct recall_input files = in;
    files.images = files.texts = NULL;
    files.image_file = &images;
    files.text_file = &texts;
    files.band = 300;
    CHECK(recall_measure(&same, ctx, &files) == 0);
    CHECK(memcmp(same.i2t, r.i2t, (size_t)r.n * sizeof *r.i2t) == 0 && memcmp(same.t2i, r.t2i, (size_t)r.m * sizeof *r.t2i) == 0);
    recall_free(&same);
    npy_close(&images);
    npy_close(&texts);
    for (int rule = 0; rule < TIE_RULES; rule++) {
        compare(json_object_get(expected, "metrics"), rules[rule], "i2t", &r.rule[rule].i2t);
        compare(json_object_get(expected, "metrics"), rules[rule], "t2i", &r.rule[rule].t2i);
    }
    recall_free(&r);
    json_decref(expected);
    ctx_close(ctx);
    free(x);
    free(t);
    free(map);
    return true;
}

static void reference(const char *name)
{
    CHECK(reference_on(name, "ref"));
    if (reference_on(name, "avx2"))
        reference_on(name, "avx512");
}

static void one_caption(void) { reference("one_caption"); }
static void five_captions(void) { reference("five_captions"); }
static void ragged(void) { reference("ragged"); }
static void ties(void) { reference("ties"); }
static void constant(void) { reference("constant"); }
static void batched(void) { reference("batched"); }

// Odd sizes, every text twice over (exact ties): the same ranks with one worker and with three, none below the tie
// that the copies make, and the interval from the same seed the same.
static void threads_and_rounding(void)
{
    enum { N = 403, M = 2 * N, D = 512 };   // rows of 2 KiB
    static float x[N * D], t[M * D];
    static int64_t map[M];
    struct rng g = rng_make(7, 0);
    for (int i = 0; i < N * D; i++) {
        x[i] = (float)rng_normal(&g);
        t[i] = t[N * D + i] = x[i] + 8 * (float)rng_normal(&g);
    }
    for (int j = 0; j < M; j++)
        map[j] = j % N;
    struct recall_result r[2];
    for (int run = 0; run < 2; run++) {
        struct ctx *ctx = open_ctx(run ? 3 : 1);
        struct recall_input in = {.images = x, .texts = t, .n = N, .m = M, .d = D, .txt2img = map, .resamples = 200,
                                  .seed = 5, .band = run ? 256 : 0};
        CHECK(recall_measure(&r[run], ctx, &in) == 0);
        ctx_close(ctx);
    }
    CHECK(memcmp(r[0].i2t, r[1].i2t, N * sizeof *r[0].i2t) == 0);
    CHECK(memcmp(r[0].t2i, r[1].t2i, M * sizeof *r[0].t2i) == 0);
    CHECK(memcmp(r[0].rule, r[1].rule, sizeof r[0].rule[0]) == 0);
    CHECK(r[0].rule[0].i2t.r1_low < r[0].rule[0].i2t.r1 && r[0].rule[0].i2t.r1 < r[0].rule[0].i2t.r1_high);
    for (int i = 0; i < N; i++)
        CHECK(r[0].i2t[i].right == 2 && r[0].i2t[i].wrong == 0);
    for (int j = 0; j < N; j++)
        CHECK(r[0].t2i[j].lo == r[0].t2i[N + j].lo && r[0].t2i[j].wrong == 0);
    recall_free(&r[0]);
    recall_free(&r[1]);
}

int main(void)
{
    CASE(one_caption);
    CASE(five_captions);
    CASE(ragged);
    CASE(ties);
    CASE(constant);
    CASE(batched);
    CASE(threads_and_rounding);
    return check_done();
}
