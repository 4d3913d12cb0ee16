// SPDX-License-Identifier: Apache-2.0
// Elementwise work and normalisation, whole: cut in pieces of rows or elements.
#include "kernel/inner.h"

enum {
    ELEMENTS = 16384,      // of an elementwise piece
    ROW_ELEMENTS = 8192,   // of a piece made of whole rows, about
    SUM_PIECES = 64,       // pieces whose partial sums are kept apart and added in order
};

// Rows a piece gets when a row has `width` elements.
static int64_t piece_rows(int64_t width) { return width >= ROW_ELEMENTS ? 1 : ROW_ELEMENTS / width; }

struct job {
    struct ctx *ctx;
    void *y, *y2, *y3;
    const void *x, *x2, *x3, *x4, *x5;
    int64_t n, width, piece;
    double number;
    bool flag;
    enum activation act;
    const struct adamw *adamw;
};

static void run(struct job *j, int64_t piece, void (*fn)(void *, int64_t, int))
{
    j->piece = piece;
    pool_run(j->ctx->pool, pieces_of(j->n, piece), fn, j);
}

#define AT(p) step(j->p, from, size)

static void piece_act_backward(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t from = piece * j->piece, n = least(j->piece, j->n - from);
    j->ctx->inner->act_backward(AT(y), AT(y2), AT(x), AT(x2), j->act, n);
}

void whole_act_backward(struct ctx *ctx, view dpre, view act_out, view dact, view pre, enum activation act, int64_t n)
{
    struct job j = {.ctx = ctx, .y = dpre.at, .y2 = act_out.at, .x = dact.at, .x2 = pre.at, .n = n, .act = act};
    run(&j, ELEMENTS, piece_act_backward);
}

static void piece_add(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t from = piece * j->piece, n = least(j->piece, j->n - from);
    j->ctx->inner->add(AT(y), AT(x), j->number, n);
}

void whole_add(struct ctx *ctx, view y, view x, double scale, int64_t n)
{
    struct job j = {.ctx = ctx, .y = y.at, .x = x.at, .number = scale, .n = n};
    run(&j, ELEMENTS, piece_add);
}

static void piece_scale(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t from = piece * j->piece, n = least(j->piece, j->n - from);
    j->ctx->inner->scale(AT(y), j->number, n);
}

void whole_scale(struct ctx *ctx, view y, double factor, int64_t n)
{
    struct job j = {.ctx = ctx, .y = y.at, .number = factor, .n = n};
    run(&j, ELEMENTS, piece_scale);
}

static void piece_zero(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t from = piece * j->piece, n = least(j->piece, j->n - from);
    memset(AT(y), 0, (size_t)n * size);
}

void whole_zero(struct ctx *ctx, view y, int64_t n)
{
    struct job j = {.ctx = ctx, .y = y.at, .n = n};
    run(&j, 16 * ELEMENTS, piece_zero);
}

static void piece_sum_squares(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t from = piece * j->piece, n = least(j->piece, j->n - from);
    ((double *)j->ctx->shared)[piece] = j->ctx->inner->sum_squares(AT(x), n);
}

double whole_sum_squares(struct ctx *ctx, view x, int64_t n)
{
    struct job j = {.ctx = ctx, .x = x.at, .n = n};
    int64_t piece = pieces_of(n, SUM_PIECES);
    piece = piece < ELEMENTS ? ELEMENTS : piece;
    run(&j, piece, piece_sum_squares);
    double sum = 0;
    for (int64_t i = 0; i < pieces_of(n, piece); i++)
        sum += ((double *)ctx->shared)[i];
    return sum;
}

static void piece_adamw(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t from = piece * j->piece, n = least(j->piece, j->n - from);
    j->ctx->inner->adamw(AT(y), AT(y2), AT(y3), AT(x), n, j->adamw);
}

void whole_adamw(struct ctx *ctx, view w, view m, view v, view g, int64_t n, const struct adamw *o)
{
    struct job j = {.ctx = ctx, .y = w.at, .y2 = m.at, .y3 = v.at, .x = g.at, .n = n, .adamw = o};
    run(&j, ELEMENTS, piece_adamw);
}

// --- normalisation: n counts rows ----------------------------------------------------------------------------------
static void piece_layernorm(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t row = piece * j->piece, rows = least(j->piece, j->n - row), from = row * j->width;
    j->ctx->inner->layernorm(AT(y), step(j->y2, row, size), step(j->y3, row, size), AT(x), j->x2, j->x3, rows, j->width,
                             j->number);
}

void whole_layernorm(struct ctx *ctx, view y, view mean, view rstd, view x, view gamma, view beta, int64_t rows,
                     int64_t width, double eps)
{
    struct job j = {.ctx = ctx, .y = y.at, .y2 = mean.at, .y3 = rstd.at, .x = x.at, .x2 = gamma.at, .x3 = beta.at, .n = rows,
                    .width = width, .number = eps};
    run(&j, piece_rows(width), piece_layernorm);
}

static void piece_layernorm_backward(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t row = piece * j->piece, rows = least(j->piece, j->n - row), from = row * j->width;
    char *part = step(j->ctx->shared, piece * 2 * j->width, size);
    memset(part, 0, 2 * (size_t)j->width * size);
    j->ctx->inner->layernorm_backward(AT(y), j->flag, part, step(part, j->width, size), AT(x), AT(x2), j->x3,
                                      step(j->x4, row, size), step(j->x5, row, size), rows, j->width);
}

void whole_layernorm_backward(struct ctx *ctx, view dx, bool add, view dgamma, view dbeta, view dy, view x, view gamma,
                              view mean, view rstd, int64_t rows, int64_t width)
{
    struct job j = {.ctx = ctx, .y = dx.at, .flag = add, .x = dy.at, .x2 = x.at, .x3 = gamma.at, .x4 = mean.at, .x5 = rstd.at,
                    .n = rows, .width = width};
    int64_t most = least(SUM_PIECES, SHARED_SCRATCH / (2 * width * (int64_t)ctx->size)), piece = pieces_of(rows, most);
    assert(most > 0);
    piece = piece < piece_rows(width) ? piece_rows(width) : piece;
    run(&j, piece, piece_layernorm_backward);
    for (int64_t i = 0; i < pieces_of(rows, piece); i++) {
        const char *part = step(ctx->shared, i * 2 * width, ctx->size);
        ctx->inner->add(dgamma.at, part, 1, width);
        ctx->inner->add(dbeta.at, step(part, width, ctx->size), 1, width);
    }
}

static void piece_l2norm(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t row = piece * j->piece, rows = least(j->piece, j->n - row), from = row * j->width;
    j->ctx->inner->l2norm(AT(y), step(j->y2, row, size), AT(x), rows, j->width, j->number);
}

void whole_l2norm(struct ctx *ctx, view y, view norm, view x, int64_t rows, int64_t width, double eps)
{
    struct job j = {.ctx = ctx, .y = y.at, .y2 = norm.at, .x = x.at, .n = rows, .width = width, .number = eps};
    run(&j, piece_rows(width), piece_l2norm);
}

static void piece_l2norm_backward(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t row = piece * j->piece, rows = least(j->piece, j->n - row), from = row * j->width;
    j->ctx->inner->l2norm_backward(AT(y), AT(x), AT(x2), step(j->x3, row, size), rows, j->width, j->number);
}

void whole_l2norm_backward(struct ctx *ctx, view dx, view dy, view y, view norm, int64_t rows, int64_t width, double eps)
{
    struct job j = {.ctx = ctx, .y = dx.at, .x = dy.at, .x2 = y.at, .x3 = norm.at, .n = rows, .width = width, .number = eps};
    run(&j, piece_rows(width), piece_l2norm_backward);
}
