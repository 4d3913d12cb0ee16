// SPDX-License-Identifier: Apache-2.0
// Embedding and pooling, whole. Moving rows is the same for every element type; sums over rows are cut by columns (or by
// position), so that each sum is formed in order by one thread.
#include "kernel/inner.h"

enum { ROWS = 32 };   // of a piece

struct job {
    struct ctx *ctx;
    char *y, *y2, *y3;
    const char *x, *x2, *x3;
    const int32_t *index, *index2;
    int64_t n, g, w, rows;
    int size, patch;
    bool add;
};

// One piece: one row of patches of one image.
static void piece_patches(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    int64_t grid = j->size / j->patch, p = j->patch, image = piece / grid, gy = piece % grid;
    size_t size = j->ctx->size;
    for (int64_t gx = 0; gx < grid; gx++) {
        char *row = step(j->y, ((image * grid + gy) * grid + gx) * 3 * p * p, size);
        for (int64_t line = 0; line < 3 * p; line++) {   // channel, y
            int64_t from = ((image * 3 + line / p) * j->size + gy * p + line % p) * j->size + gx * p;
            memcpy(step(row, line * p, size), step(j->x, from, size), (size_t)p * size);
        }
    }
}

void embed_patches(struct ctx *ctx, view rows, view images, int64_t n, int size, int patch)
{
    struct job j = {.ctx = ctx, .y = rows.at, .x = images.at, .size = size, .patch = patch};
    pool_run(ctx->pool, n * (size / patch), piece_patches, &j);
}

static void piece_image(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t cls = j->x2 ? 1 : 0, w = j->w;
    char *x = step(j->y, piece * (cls + j->g) * w, size);
    if (cls)
        j->ctx->inner->sum(x, j->x2, j->x3, w);
    j->ctx->inner->sum(step(x, cls * w, size), step(j->x, piece * j->g * w, size), step(j->x3, cls * w, size), j->g * w);
}

void embed_image(struct ctx *ctx, view x, view patch, view class_emb, view pos, int64_t n, int64_t g, int64_t w)
{
    struct job j = {.ctx = ctx, .y = x.at, .x = patch.at, .x2 = class_emb.at, .x3 = pos.at, .g = g, .w = w};
    pool_run(ctx->pool, n, piece_image, &j);
}

// One piece: one position, over all images in order.
static void piece_image_backward(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t cls = j->y2 ? 1 : 0, w = j->w, rows = j->g + cls;
    for (int64_t i = 0; i < j->n; i++) {
        const char *dx = step(j->x, (i * rows + piece) * w, size);
        j->ctx->inner->add(step(j->y3, piece * w, size), dx, 1, w);
        if (piece < cls)
            j->ctx->inner->add(j->y2, dx, 1, w);
        else
            memcpy(step(j->y, (i * j->g + piece - cls) * w, size), dx, (size_t)w * size);
    }
}

void embed_image_backward(struct ctx *ctx, view dpatch, view dclass, view dpos, view dx, int64_t n, int64_t g, int64_t w)
{
    struct job j = {.ctx = ctx, .y = dpatch.at, .y2 = dclass.at, .y3 = dpos.at, .x = dx.at, .n = n, .g = g, .w = w};
    pool_run(ctx->pool, g + (dclass.at ? 1 : 0), piece_image_backward, &j);
}

static void piece_token(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t end = least(j->rows, (piece + 1) * ROWS);
    for (int64_t i = piece * ROWS; i < end; i++)
        j->ctx->inner->sum(step(j->y, i * j->w, size), step(j->x, j->index[i] * j->w, size),
                           step(j->x2, j->index2[i] * j->w, size), j->w);
}

void embed_token(struct ctx *ctx, view x, const int32_t *ids, const int32_t *places, view table, view pos, int64_t rows, int64_t w)
{
    struct job j = {.ctx = ctx, .y = x.at, .x = table.at, .x2 = pos.at, .index = ids, .index2 = places, .rows = rows, .w = w};
    pool_run(ctx->pool, pieces_of(rows, ROWS), piece_token, &j);
}

static void piece_token_backward(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t from = piece * COLUMNS, n = least(COLUMNS, j->w - from);
    for (int64_t i = 0; i < j->rows; i++) {
        const char *dx = step(j->x, i * j->w + from, size);
        j->ctx->inner->add(step(j->y, j->index[i] * j->w + from, size), dx, 1, n);
        j->ctx->inner->add(step(j->y2, j->index2[i] * j->w + from, size), dx, 1, n);
    }
}

void embed_token_backward(struct ctx *ctx, view dtable, view dpos, const int32_t *ids, const int32_t *places, view dx, int64_t rows,
                          int64_t w)
{
    struct job j = {.ctx = ctx, .y = dtable.at, .y2 = dpos.at, .x = dx.at, .index = ids, .index2 = places, .rows = rows, .w = w};
    pool_run(ctx->pool, pieces_of(w, COLUMNS), piece_token_backward, &j);
}

static void piece_gather(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t end = least(j->n, (piece + 1) * ROWS);
    for (int64_t i = piece * ROWS; i < end; i++)
        memcpy(step(j->y, i * j->w, size), step(j->x, j->index[i] * j->w, size), (size_t)j->w * size);
}

void embed_gather(struct ctx *ctx, view out, view x, const int32_t *index, int64_t n, int64_t w)
{
    struct job j = {.ctx = ctx, .y = out.at, .x = x.at, .index = index, .n = n, .w = w};
    pool_run(ctx->pool, pieces_of(n, ROWS), piece_gather, &j);
}

static void piece_scatter(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t end = least(j->n, (piece + 1) * ROWS);
    for (int64_t i = piece * ROWS; i < end; i++)
        j->ctx->inner->add(step(j->y, j->index[i] * j->w, size), step(j->x, i * j->w, size), 1, j->w);
}

void embed_scatter(struct ctx *ctx, view dx, bool add, view dout, const int32_t *index, int64_t n, int64_t rows, int64_t w)
{
    if (!add)
        whole_zero(ctx, dx, rows * w);
    struct job j = {.ctx = ctx, .y = dx.at, .x = dout.at, .index = index, .n = n, .w = w};
    pool_run(ctx->pool, pieces_of(n, ROWS), piece_scatter, &j);
}

static void piece_mean(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    char *y = step(j->y, piece * j->w, size);
    int64_t from = j->index[piece], n = j->index[piece + 1] - from;
    memset(y, 0, (size_t)j->w * size);
    for (int64_t i = 0; i < n; i++)
        j->ctx->inner->add(y, step(j->x, (from + i) * j->w, size), 1, j->w);
    if (n > 0)
        j->ctx->inner->scale(y, 1 / (double)n, j->w);
}

void embed_mean_pool(struct ctx *ctx, view out, view x, const int32_t *starts, int64_t n, int64_t w)
{
    struct job j = {.ctx = ctx, .y = out.at, .x = x.at, .index = starts, .w = w};
    pool_run(ctx->pool, n, piece_mean, &j);
}

static void piece_mean_backward(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    size_t size = j->ctx->size;
    int64_t from = j->index[piece], n = j->index[piece + 1] - from;
    for (int64_t i = 0; i < n; i++) {
        char *dx = step(j->y, (from + i) * j->w, size);
        memcpy(dx, step(j->x, piece * j->w, size), (size_t)j->w * size);
        j->ctx->inner->scale(dx, 1 / (double)n, j->w);
    }
}

void embed_mean_pool_backward(struct ctx *ctx, view dx, view dout, const int32_t *starts, int64_t n, int64_t w)
{
    struct job j = {.ctx = ctx, .y = dx.at, .x = dout.at, .index = starts, .w = w};
    pool_run(ctx->pool, n, piece_mean_backward, &j);
}
