// SPDX-License-Identifier: Apache-2.0
// A whole small model in double: pictures and texts to unit features and heads, every parameter's gradient against
// finite differences, for each way of pooling, masking and pruning. Then what must not change the numbers.
#include "base/error.h"
#include "fd.h"
#include "model/clip.h"

static const struct config small = {
    .embed_dim = 5, .layer_norm_eps = 1e-5,
    .vision = {.image_size = 6, .patch_size = 3, .width = 8, .layers = 2, .head_width = 4, .mlp_ratio = 2,
               .std = {1, 1, 1}},
    .text = {.context_length = 6, .vocab_size = 11, .width = 6, .layers = 2, .heads = 3, .pool = POOL_END,
             .causal = true},
    .object_classes = 4, .attribute_classes = 3,
};
enum { N = 3, M = 4, E = 5, PIXELS = 3 * 6 * 6 };
static const int32_t ids[] = {9, 1, 2, 10, 9, 10, 9, 3, 3, 4, 1, 10, 9, 1, 10}, starts[] = {0, 4, 6, 12, 15};

struct job {
    struct clip *clip;
    struct tape *image, *text;
    view pixels, x, ux, nx, t, ut, nt, logits[2];      // [N, ..], raw, unit, norm; [M, ..]; [N, classes]
    view rx, rt, rlogits[2];                           // the loss is the sum of dot products with these
};

static double forward(void *arg)
{
    struct job *j = arg;
    clip_changed(j->clip);
    struct texts texts = {.n = M, .ids = ids, .starts = starts};
    CHECK(clip_encode_images(j->clip, j->pixels, N, j->x, j->image) == 0);
    CHECK(clip_encode_texts(j->clip, &texts, j->t, j->text) == 0);
    clip_unit(j->clip, j->ux, j->nx, j->x, N);
    clip_unit(j->clip, j->ut, j->nt, j->t, M);
    double loss = fd_dot(j->ux, j->rx, N * E) + fd_dot(j->ut, j->rt, M * E);
    for (enum head h = HEAD_OBJECT; h <= HEAD_ATTRIBUTE; h++) {
        clip_head(j->clip, h, j->logits[h], j->x, N);
        loss += fd_dot(j->logits[h], j->rlogits[h], N * clip_head_classes(j->clip, h));
    }
    return loss;
}

static void backward(struct job *j)
{
    view dx = fd_zero(N * E), dt = fd_zero(M * E);
    clip_unit_backward(j->clip, dx, j->rx, j->ux, j->nx, N);
    clip_unit_backward(j->clip, dt, j->rt, j->ut, j->nt, M);
    for (enum head h = HEAD_OBJECT; h <= HEAD_ATTRIBUTE; h++)
        clip_head_backward(j->clip, h, dx, j->rlogits[h], j->x, N);
    CHECK(clip_backward_images(j->clip, j->image, dx) == 0);
    CHECK(clip_backward_texts(j->clip, j->text, dt) == 0);
}

static struct job job_open(const struct config *config, bool prune)
{
    struct job j = {0};
    fd_rng = rng_make(11, 0);   // the same pixels and weights every time
    if (clip_new(&j.clip, fd_ctx, config, 3) != 0 || clip_train_begin(j.clip) != 0) {
        printf("Bail out! %s\n", error_last());
        exit(1);
    }
    int n;
    const struct tensor *all = clip_tensors(j.clip, &n);
    for (int i = 0; i < n; i++) {   // biases and gains away from 0 and 1, everything large enough to matter
        view noise = fd_random(all[i].count, 0);
        ctx_kernels(fd_ctx)->add(fd_ctx, clip_param(j.clip, i), noise, .2, all[i].count);
    }
    clip_changed(j.clip);
    clip_set_pruning(j.clip, prune);
    CHECK(tape_new(&j.image, j.clip, TOWER_IMAGE, N, 0) == 0);
    CHECK(tape_new(&j.text, j.clip, TOWER_TEXT, M, starts[M]) == 0);
    j.pixels = fd_random(N * PIXELS, 0);
    j.x = fd_zero(N * E), j.ux = fd_zero(N * E), j.nx = fd_zero(N);
    j.t = fd_zero(M * E), j.ut = fd_zero(M * E), j.nt = fd_zero(M);
    j.rx = fd_random(N * E, 0);
    j.rt = fd_random(M * E, 0);
    for (enum head h = HEAD_OBJECT; h <= HEAD_ATTRIBUTE; h++) {
        j.logits[h] = fd_zero(N * clip_head_classes(j.clip, h));
        j.rlogits[h] = fd_random(N * clip_head_classes(j.clip, h), 0);
    }
    return j;
}

static void job_close(struct job *j)
{
    tape_free(j->image);
    tape_free(j->text);
    clip_free(j->clip);
}

static void check_model(struct config config, bool prune)
{
    struct job j = job_open(&config, prune);
    (void)forward(&j);
    backward(&j);
    int n;
    const struct tensor *all = clip_tensors(j.clip, &n);
    for (int i = 0; i < n; i++)
        if (strcmp(all[i].name, "logit_scale") != 0)
            fd_check(all[i].name, clip_param(j.clip, i), clip_grad(j.clip, i), all[i].count, forward, &j);
    job_close(&j);
}

static void class_and_end(void) { check_model(small, false); }
static void class_and_end_pruned(void) { check_model(small, true); }

static void mean_and_bidirectional(void)
{
    struct config c = small;
    c.vision.pool = c.text.pool = POOL_MEAN;
    c.text.causal = false;
    check_model(c, true);   // nothing to prune: must not matter
}

static void mean_and_causal(void)
{
    struct config c = small;
    c.vision.pool = c.text.pool = POOL_MEAN;
    check_model(c, false);
}

static void end_and_bidirectional(void)
{
    struct config c = small;
    c.text.causal = false;
    c.quick_gelu = true;
    check_model(c, true);
}

static void one_layer(void)
{
    struct config c = small;
    c.vision.layers = c.text.layers = 1;
    check_model(c, true);
}

// --- what must not change the numbers ------------------------------------------------------------------------------

static void compare_gradients(const struct clip *a, const struct clip *b, double tolerance)
{
    int n;
    const struct tensor *all = clip_tensors(a, &n);
    for (int i = 0; i < n; i++) {
        double most = 0, apart = 0;
        for (int64_t k = 0; k < all[i].count; k++) {
            most = fmax(most, fabs(fd_at(clip_grad(a, i), k)));
            apart = fmax(apart, fabs(fd_at(clip_grad(a, i), k) - fd_at(clip_grad(b, i), k)));
        }
        check_close(__FILE__, __LINE__, all[i].name, apart / fmax(most, 1e-6), 0, tolerance);
    }
}

static void pruned_is_unpruned(void)
{
    struct job a = job_open(&small, true), b = job_open(&small, false);
    CHECK_CLOSE(forward(&a), forward(&b), 1e-12);
    backward(&a);
    backward(&b);
    compare_gradients(a.clip, b.clip, 1e-12);
    job_close(&a);
    job_close(&b);
}

static void padded_is_packed(void)
{
    struct job a = job_open(&small, false), b = job_open(&small, false);
    int32_t padded[M * 6] = {0}, rows[M + 1], ends[M];
    for (int i = 0; i < M; i++) {
        int len = starts[i + 1] - starts[i];
        memcpy(padded + 6 * i, ids + starts[i], (size_t)len * sizeof *ids);
        rows[i] = 6 * i;
        ends[i] = len - 1;
    }
    rows[M] = 6 * M;
    struct texts texts = {.n = M, .ids = padded, .starts = rows, .pooled = ends};
    tape_free(b.text);
    CHECK(tape_new(&b.text, b.clip, TOWER_TEXT, M, 6 * M) == 0);
    (void)forward(&a);
    CHECK(clip_encode_texts(b.clip, &texts, b.t, b.text) == 0);
    for (int i = 0; i < M * E; i++)
        CHECK_CLOSE(fd_at(b.t, i), fd_at(a.t, i), 1e-12);
    CHECK(clip_encode_images(b.clip, b.pixels, N, b.x, b.image) == 0);
    clip_unit(b.clip, b.ux, b.nx, b.x, N);
    clip_unit(b.clip, b.ut, b.nt, b.t, M);
    backward(&a);
    backward(&b);
    compare_gradients(a.clip, b.clip, 1e-12);
    job_close(&a);
    job_close(&b);
}

// More pictures than one tile holds: features as without a tape, gradients the sum over small batches.
static void tiles(void)
{
    enum { MANY = 1700, PART = 425 };
    struct job j = job_open(&small, true), k = job_open(&small, true);
    view pixels = fd_random(MANY * PIXELS, 0), x = fd_zero(MANY * E), y = fd_zero(MANY * E), d = fd_random(MANY * E, 0);
    struct tape *tape, *part;
    CHECK(tape_new(&tape, j.clip, TOWER_IMAGE, MANY, 0) == 0);
    CHECK(tape_new(&part, k.clip, TOWER_IMAGE, PART, 0) == 0);
    CHECK(tape_bytes(tape) > tape_bytes(part));
    CHECK(clip_encode_images(j.clip, pixels, MANY, x, tape) == 0);
    CHECK(clip_encode_images(j.clip, pixels, MANY, y, NULL) == 0);
    for (int i = 0; i < MANY * E; i++)
        CHECK_CLOSE(fd_at(x, i), fd_at(y, i), 1e-12);
    CHECK(clip_backward_images(j.clip, tape, d) == 0);
    for (int i = 0; i < MANY; i += PART) {
        CHECK(clip_encode_images(k.clip, view_at(pixels, i * PIXELS), PART, view_at(y, i * E), part) == 0);
        CHECK(clip_backward_images(k.clip, part, view_at(d, i * E)) == 0);
    }
    for (int i = 0; i < MANY * E; i++)
        CHECK_CLOSE(fd_at(x, i), fd_at(y, i), 1e-12);
    compare_gradients(j.clip, k.clip, 1e-11);
    CHECK(clip_backward_images(j.clip, tape, d) < 0);   // used up
    tape_free(tape);
    tape_free(part);
    job_close(&j);
    job_close(&k);
}

int main(void)
{
    fd_open();
    CASE(class_and_end);
    CASE(class_and_end_pruned);
    CASE(mean_and_bidirectional);
    CASE(mean_and_causal);
    CASE(end_and_bidirectional);
    CASE(one_layer);
    CASE(pruned_is_unpruned);
    CASE(padded_is_packed);
    CASE(tiles);
    fd_close();
    return check_done();
}
