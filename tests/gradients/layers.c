// SPDX-License-Identifier: Apache-2.0
// Every layer's backward pass against finite differences of its forward pass, in double.
#include "fd.h"
#include "nn/block.h"
#include "nn/embedding.h"
#include "nn/pool.h"

enum { W = 6, H = 10, HEADS = 2, N = 3, R = 9 };
static const int32_t starts[] = {0, 3, 8, 9}, pooled[] = {2, 5, 8};   // ragged: 3, 5 and 1 rows
static const struct span spans[] = {{0, 3, 0, 3, 0}, {3, 5, 3, 5, 0}, {8, 1, 8, 1, 0}};
static const struct span queries[] = {{0, 1, 0, 3, 2}, {1, 1, 3, 5, 2}, {2, 1, 8, 1, 0}};
static const struct seqs seqs = {N, R, starts, pooled, spans, queries};

static struct linear kept[128];   // closed at the end
static int nkept;

static struct linear keep(struct linear l)
{
    CHECK(linear_open(&l, fd_ctx) == 0 && nkept < 128);
    return kept[nkept++] = l;
}

static struct linear make_linear(int64_t out, int64_t in)
{
    struct linear l = {.w = fd_random(out * in, 0), .bias = fd_random(out, 0), .dw = fd_zero(out * in),
                       .dbias = fd_zero(out),
                       .out = out, .in = in};
    return keep(l);
}

static void touch(const struct linear *l) { ctx_kernels(fd_ctx)->weight_touch(l->weight); }

static struct norm make_norm(int64_t w)
{
    return (struct norm){fd_random(w, 1), fd_random(w, 0), fd_zero(w), fd_zero(w), w, 1e-5};
}

static void check_linear(const char *name, struct linear *l, double (*loss)(void *), void *arg)
{
    char text[64];
    snprintf(text, sizeof text, "%s.w", name);
    fd_check(text, l->w, l->dw, l->out * l->in, loss, arg);
    snprintf(text, sizeof text, "%s.bias", name);
    if (l->bias.at)
        fd_check(text, l->bias, l->dbias, l->out, loss, arg);
}

static void check_norm(const char *name, struct norm *n, double (*loss)(void *), void *arg)
{
    char text[64];
    snprintf(text, sizeof text, "%s.gamma", name);
    fd_check(text, n->gamma, n->dgamma, n->width, loss, arg);
    snprintf(text, sizeof text, "%s.beta", name);
    fd_check(text, n->beta, n->dbeta, n->width, loss, arg);
}

// --- linear, projection, norm --------------------------------------------------------------------------------------

struct simple {
    struct linear linear;
    struct projection proj;
    struct norm norm;
    view x, y, r, mean, rstd;
};

static double linear_loss(void *arg)
{
    struct simple *s = arg;
    touch(&s->linear);
    linear_forward(fd_ctx, &s->linear, s->y, s->x, R, NULL);
    return fd_dot(s->y, s->r, R * H);
}

static void linear(void)
{
    struct simple s = {.linear = make_linear(H, W), .x = fd_random(R * W, 0), .y = fd_zero(R * H),
                       .r = fd_random(R * H, 0)};
    view dx = fd_zero(R * W);
    linear_backward(fd_ctx, &s.linear, dx, false, s.r, s.x, R);
    fd_check("x", s.x, dx, R * W, linear_loss, &s);
    check_linear("linear", &s.linear, linear_loss, &s);
    double before = fd_at(dx, 3), before_w = fd_at(s.linear.dw, 3);
    linear_backward(fd_ctx, &s.linear, dx, true, s.r, s.x, R);
    CHECK_CLOSE(fd_at(dx, 3), 2 * before, 1e-12);   // `add`
    CHECK_CLOSE(fd_at(s.linear.dw, 3), 2 * before_w, 1e-12);   // parameters always accumulate
}

static double projection_loss(void *arg)
{
    struct simple *s = arg;
    projection_forward(fd_ctx, &s->proj, s->y, s->x, R);
    return fd_dot(s->y, s->r, R * H);
}

static void projection(void)
{
    struct simple s = {.proj = {fd_random(W * H, 0), fd_zero(W * H), W, H}, .x = fd_random(R * W, 0),
                       .y = fd_zero(R * H), .r = fd_random(R * H, 0)};
    view dx = fd_zero(R * W);
    projection_backward(fd_ctx, &s.proj, dx, s.r, s.x, R);
    fd_check("x", s.x, dx, R * W, projection_loss, &s);
    fd_check("w", s.proj.w, s.proj.dw, W * H, projection_loss, &s);
}

static double norm_loss(void *arg)
{
    struct simple *s = arg;
    norm_forward(fd_ctx, &s->norm, s->y, s->mean, s->rstd, s->x, R);
    return fd_dot(s->y, s->r, R * W);
}

static void norm(void)
{
    struct simple s = {.norm = make_norm(W), .x = fd_random(R * W, 0), .y = fd_zero(R * W), .r = fd_random(R * W, 0),
                       .mean = fd_zero(R), .rstd = fd_zero(R)};
    view dx = fd_zero(R * W);
    (void)norm_loss(&s);
    norm_backward(fd_ctx, &s.norm, dx, false, s.r, s.x, s.mean, s.rstd, R);
    fd_check("x", s.x, dx, R * W, norm_loss, &s);
    check_norm("norm", &s.norm, norm_loss, &s);
}

static double unit_loss(void *arg)
{
    struct simple *s = arg;
    ctx_kernels(fd_ctx)->l2norm(fd_ctx, s->y, s->rstd, s->x, R, W, 1e-12);
    return fd_dot(s->y, s->r, R * W);
}

static void unit(void)
{
    struct simple s = {.x = fd_random(R * W, 0), .y = fd_zero(R * W), .r = fd_random(R * W, 0), .rstd = fd_zero(R)};
    view dx = fd_zero(R * W);
    (void)unit_loss(&s);
    ctx_kernels(fd_ctx)->l2norm_backward(fd_ctx, dx, s.r, s.y, s.rstd, R, W, 1e-12);
    fd_check("x", s.x, dx, R * W, unit_loss, &s);
}

// --- block and its halves ------------------------------------------------------------------------------------------

struct whole {
    struct block block;
    struct block_tape tape;
    struct block_scratch scratch;
    view y, r;
    bool pooled;
};

static double block_loss(void *arg)
{
    struct whole *b = arg;
    const struct linear *all[] = {&b->block.attention.qkv, &b->block.attention.q, &b->block.attention.kv,
                                  &b->block.attention.out,
                                  &b->block.mlp.fc, &b->block.mlp.proj};
    for (int i = 0; i < 6; i++)
        touch(all[i]);
    block_forward(fd_ctx, &b->block, b->y, &b->tape, &b->scratch, &seqs, b->pooled);
    return fd_dot(b->y, b->r, (b->pooled ? N : R) * W);
}

static struct whole make_block(bool causal, bool is_pooled, enum activation act)
{
    struct whole b = {.pooled = is_pooled, .y = fd_zero(R * W), .r = fd_random(R * W, 0)};
    struct attention *a = &b.block.attention;
    *a = (struct attention){.norm = make_norm(W), .qkv = make_linear(3 * W, W), .out = make_linear(W, W),
                            .heads = HEADS,
                            .dim = W / HEADS, .causal = causal};
    a->q = a->kv = a->qkv;
    a->q.out = W;
    a->kv.out = 2 * W;
    a->kv.w = view_at(a->qkv.w, W * W);
    a->kv.dw = view_at(a->qkv.dw, W * W);
    a->kv.bias = view_at(a->qkv.bias, W);
    a->kv.dbias = view_at(a->qkv.dbias, W);
    a->q = keep(a->q);
    a->kv = keep(a->kv);
    b.block.mlp = (struct mlp){.norm = make_norm(W), .fc = make_linear(H, W), .proj = make_linear(W, H), .act = act};

    b.tape.attention = (struct attention_tape){fd_random(R * W, 0), fd_zero(R), fd_zero(R), fd_zero(N * W),
                                               fd_zero(R * 3 * W),
                                               fd_zero(R * W), fd_zero(R * HEADS)};
    b.tape.mlp = (struct mlp_tape){fd_zero(R * W), fd_zero(R), fd_zero(R), fd_zero(R * H)};
    b.scratch.attention = (struct attention_scratch){fd_zero(R * W), fd_zero(N * W), fd_zero(R * W), fd_zero(R * W),
                                                     fd_zero(N * W),
                                                     fd_zero(N * W), fd_zero(R * 3 * W)};
    b.scratch.mlp = (struct mlp_scratch){fd_zero(R * W), fd_zero(R * H), fd_zero(R * W), fd_zero(R * H)};
    return b;
}

static void check_block(bool causal, bool is_pooled, enum activation act)
{
    struct whole b = make_block(causal, is_pooled, act);
    struct attention *a = &b.block.attention;
    view dy = fd_zero(R * W), dx = is_pooled ? fd_zero(R * W) : dy;
    (void)block_loss(&b);
    ctx_kernels(fd_ctx)->add(fd_ctx, dy, b.r, 1, (is_pooled ? N : R) * W);
    block_backward(fd_ctx, &b.block, dx, dy, &b.tape, &b.scratch, &seqs, is_pooled);
    fd_check("x", b.tape.attention.x, dx, R * W, block_loss, &b);
    check_norm("ln_1", &a->norm, block_loss, &b);
    check_linear("qkv", &a->qkv, block_loss, &b);
    check_linear("out", &a->out, block_loss, &b);
    check_norm("ln_2", &b.block.mlp.norm, block_loss, &b);
    check_linear("fc", &b.block.mlp.fc, block_loss, &b);
    check_linear("proj", &b.block.mlp.proj, block_loss, &b);
}

static void block_full(void) { check_block(false, false, ACT_GELU); }
static void block_causal(void) { check_block(true, false, ACT_GELU); }
static void block_quick_gelu(void) { check_block(false, false, ACT_QUICK_GELU); }
static void block_pooled_full(void) { check_block(false, true, ACT_GELU); }
static void block_pooled_causal(void) { check_block(true, true, ACT_GELU); }

// --- pooling -------------------------------------------------------------------------------------------------------

struct pooling {
    struct norm norm;
    enum pool_how how;
    struct pool_tape tape;
    view y, r, scratch;
};

static double pool_loss(void *arg)
{
    struct pooling *p = arg;
    pool_forward(fd_ctx, &p->norm, p->how, p->y, &p->tape, p->scratch, &seqs);
    return fd_dot(p->y, p->r, N * W);
}

static void pool(void)
{
    for (enum pool_how how = POOL_POOLED; how <= POOL_MEAN_ROWS; how++) {
        struct pooling p = {make_norm(W), how, {fd_random(R * W, 0), fd_zero(N * W), fd_zero(R), fd_zero(R)},
                            fd_zero(N * W),
                            fd_random(N * W, 0), fd_zero(R * W)};
        view dx = fd_random(R * W, 0);   // must be overwritten
        (void)pool_loss(&p);
        pool_backward(fd_ctx, &p.norm, how, dx, p.r, &p.tape, p.scratch, &seqs);
        fd_check("x", p.tape.x, dx, (how == POOL_POOLED ? N : R) * W, pool_loss, &p);
        check_norm("norm", &p.norm, pool_loss, &p);
    }
}

// --- embeddings ----------------------------------------------------------------------------------------------------

struct embedding {
    struct patch_embedding image;
    struct token_embedding text;
    view images, unrolled, patches, y, r;
    const int32_t *ids, *places;
    int64_t rows;
};

enum { IMAGES = 2, SIZE = 4, PATCH = 2, CELLS = 4 };

static double image_loss(void *arg)
{
    struct embedding *e = arg;
    touch(&e->image.conv);
    patch_embedding_forward(fd_ctx, &e->image, e->y, e->images, IMAGES, e->unrolled, e->patches);
    return fd_dot(e->y, e->r, e->rows * W);
}

static void patches(void)
{
    for (int with_class = 0; with_class < 2; with_class++) {
        int64_t places = CELLS + with_class;
        struct embedding e = {.rows = IMAGES * places, .images = fd_random(IMAGES * 3 * SIZE * SIZE, 0)};
        e.image = (struct patch_embedding){.conv = make_linear(W, 3 * PATCH * PATCH), .pos = fd_random(places * W, 0),
                                           .dpos = fd_zero(places * W), .size = SIZE, .patch = PATCH};
        e.image.conv.bias = e.image.conv.dbias = NO_VIEW;
        if (with_class) {
            e.image.class_token = fd_random(W, 0);
            e.image.dclass_token = fd_zero(W);
        }
        e.unrolled = fd_zero(IMAGES * CELLS * 3 * PATCH * PATCH);
        e.patches = fd_zero(IMAGES * CELLS * W);
        e.y = fd_zero(e.rows * W);
        e.r = fd_random(e.rows * W, 0);
        (void)image_loss(&e);
        patch_embedding_backward(fd_ctx, &e.image, e.r, e.images, IMAGES, e.unrolled, e.patches);
        check_linear("conv", &e.image.conv, image_loss, &e);
        fd_check("pos", e.image.pos, e.image.dpos, places * W, image_loss, &e);
        if (with_class)
            fd_check("class", e.image.class_token, e.image.dclass_token, W, image_loss, &e);
    }
}

static double text_loss(void *arg)
{
    struct embedding *e = arg;
    token_embedding_forward(fd_ctx, &e->text, e->y, e->ids, e->places, e->rows);
    return fd_dot(e->y, e->r, e->rows * W);
}

static void tokens(void)
{
    // repeats add up
    static const int32_t ids[R] = {4, 1, 4, 0, 2, 2, 2, 1, 4}, places[R] = {0, 1, 2, 0, 1, 2, 3, 4, 0};
    struct embedding e = {.ids = ids, .places = places, .rows = R, .y = fd_zero(R * W), .r = fd_random(R * W, 0)};
    e.text = (struct token_embedding){fd_random(5 * W, 0), fd_random(6 * W, 0), fd_zero(5 * W), fd_zero(6 * W), W};
    token_embedding_backward(fd_ctx, &e.text, e.r, ids, places, R);
    fd_check("table", e.text.table, e.text.dtable, 5 * W, text_loss, &e);
    fd_check("pos", e.text.pos, e.text.dpos, 6 * W, text_loss, &e);
}

int main(void)
{
    fd_open();
    CASE(linear);
    CASE(projection);
    CASE(norm);
    CASE(unit);
    CASE(block_full);
    CASE(block_causal);
    CASE(block_quick_gelu);
    CASE(block_pooled_full);
    CASE(block_pooled_causal);
    CASE(pool);
    CASE(patches);
    CASE(tokens);
    while (nkept > 0)
        linear_close(&kept[--nkept], fd_ctx);
    fd_close();
    return check_done();
}
