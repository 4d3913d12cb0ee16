// SPDX-License-Identifier: Apache-2.0
// Linear maps and matrix products, whole.
//
// A weight is packed once for y = x w' (columns = outputs) and once, when a backward pass first asks, for dx = dy w
// (columns = inputs). A piece is a block of rows by a block of columns; every entry's sum runs over k in order, so
// neither the cut, nor the batch, nor the thread count shows in the bits.
#include "kernel/engine.h"

#include <stdlib.h>

#include "base/arena.h"

struct packed {
    void *at;          // NULL: not packed (no memory for it, or the table does not pack)
    bool fresh;
};

struct weight {
    const struct engine *engine;
    view w;            // [out, in], borrowed; absent: `source` from element `first` on
    struct weight_source source;
    int64_t first;
    void *widened;     // w where it must lie in memory after all
    int64_t out, in;
    struct packed forward, backward;
};

enum {
    CHUNK_BYTES = 512 << 10,   // of x that a piece holds, packed or not, in the second-level cache
    CHUNK_ROWS = 112,
    TILE_ROWS = 112, TILE_COLUMNS = 384,   // of a piece of a general product
};

struct weight *linear_weight_new(struct ctx *ctx, view w, int64_t out, int64_t in)
{
    struct weight *weight = calloc(1, sizeof *weight);
    if (weight) {
        weight->engine = ctx->engine;
        weight->w = w;
        weight->out = out;
        weight->in = in;
    }
    return weight;
}

// Engines that do not pack read w itself, and a panel may be too long to be widened in a worker's scratch.
static bool widens(const struct weight *w)
{
    return w->engine->panel && w->engine->panel * w->in * (int64_t)sizeof(float) <= WORKER_SCRATCH;
}

struct weight *linear_weight_new_from(struct ctx *ctx, const struct weight_source *source, int64_t first, int64_t out, int64_t in)
{
    struct weight *w = linear_weight_new(ctx, NO_VIEW, out, in);
    assert(ctx->real == F32);
    if (!w || widens(w)) {
        if (w) {
            w->source = *source;
            w->first = first;
        }
        return w;
    }
    w->widened = memory_take((size_t)(out * in) * sizeof(float));
    if (!w->widened) {
        linear_weight_free(w);
        return NULL;
    }
    source->read(source->user, first, out * in, w->widened);
    w->w = (view){w->widened, F32};
    return w;
}

void linear_weight_free(struct weight *w)
{
    if (!w)
        return;
    free(w->widened);
    free(w->forward.at);
    free(w->backward.at);
    free(w);
}

void linear_weight_touch(struct weight *w)
{
    w->forward.fresh = w->backward.fresh = false;
}

struct job {
    struct ctx *ctx;
    const struct engine *engine;
    struct product base;
    int64_t rows, columns;     // of a piece
    int64_t column_pieces;
    uint64_t run;
    const struct weight *weight;   // packing from a source: columns from `column0` on
    int64_t column0;
};

// --- preparing -----------------------------------------------------------------------------------------------------
static void piece_pack(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    const struct product *b = &j->base;
    int64_t from = piece * j->columns, n = least(j->columns, b->n - from);
    char *to = (char *)b->c + from / j->engine->panel * engine_panel(j->engine, b->k);
    if (!j->weight) {
        j->engine->pack(to, step(b->b, from * b->b_col, j->ctx->size), b->b_k, b->b_col, b->k, n);
        return;
    }
    const struct weight *w = j->weight;
    float *rows = ctx_scratch(j->ctx, worker);
    w->source.read(w->source.user, w->first + (j->column0 + from) * b->k, n * b->k, rows);
    j->engine->pack(to, rows, 1, b->k, b->k, n);
}

// Columns column0 .. column0 + p->n - 1 of the weight, which p->b is the first of where it lies in memory.
static void pack(struct ctx *ctx, const struct engine *engine, void *to, const struct product *p, const struct weight *w,
                 int64_t column0)
{
    bool twice = 2 * engine->panel * p->k * (int64_t)sizeof(float) <= WORKER_SCRATCH;
    struct job j = {.ctx = ctx, .engine = engine, .columns = engine->panel * (twice ? 2 : 1), .base = *p,
                    .weight = w->w.at ? NULL : w, .column0 = column0};
    j.base.c = to;
    pool_run(ctx->pool, pieces_of(p->n, j.columns), piece_pack, &j);
}

// --- products ------------------------------------------------------------------------------------------------------
// Rows 2 or 4 KiB apart fall into one or two cache sets and push each other out: they are copied a line apart. So are rows
// that are to be rounded.
static void spread(const struct engine *engine, struct product *p, bool held)
{
    int64_t stride = p->k + LINE / (int64_t)sizeof(float);
    bool fits = p->m * stride * (int64_t)sizeof(float) <= WORKER_SCRATCH;
    assert(fits || !engine->round);
    if (!engine->round && (p->a_row % 512 != 0 || p->m < 4 || !fits))
        return;
    for (int64_t i = 0; i < p->m && !held; i++) {
        float *row = (float *)p->scratch + i * stride;
        memcpy(row, (const float *)p->a + i * p->a_row, (size_t)p->k * sizeof(float));
        if (engine->round)
            engine->round(row, p->k);
    }
    p->a = p->scratch;
    p->a_row = stride;
}

// The rows as a narrow engine takes them, in the worker's scratch.
static void narrow(const struct engine *engine, struct product *p, bool held)
{
    int64_t bytes = engine_rows(engine, p->k, p->m);
    struct quant *quant = (struct quant *)((char *)p->scratch + bytes);
    assert(bytes + p->m * (int64_t)sizeof *quant <= WORKER_SCRATCH);
    if (!held)
        engine->pack_rows(p->scratch, quant, p->a, p->a_row, p->a_k, p->m, p->k);
    p->packed_rows = p->scratch;
    p->quant = quant;
}

static void piece_product(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    struct product p = j->base;
    size_t size = j->ctx->size;
    int64_t row = piece / j->column_pieces * j->rows, column = piece % j->column_pieces * j->columns;
    p.m = least(j->rows, p.m - row);
    p.n = least(j->columns, p.n - column);
    p.a = step(p.a, row * p.a_row, size);
    p.b = step(p.b, column * p.b_col, size);
    if (p.packed) {
        int64_t next = column + p.n < j->base.n ? column + p.n : 0;   // of the next piece, after the last the first rows' again
        p.packed_next = (const char *)p.packed + next / j->engine->panel * engine_panel(j->engine, p.k);
        p.packed = (const char *)p.packed + column / j->engine->panel * engine_panel(j->engine, p.k);
    }
    p.c = step(p.c, row * p.c_row + column, size);
    p.pre = step(p.pre, row * p.c_row + column, size);
    p.residual = step(p.residual, row * p.c_row + column, size);
    p.bias = step(p.bias, column, size);
    p.scratch = ctx_scratch(j->ctx, worker);
    // pieces follow each other along the columns: a worker's next one mostly has the rows that it prepared for this one
    struct held *held = &j->ctx->held[worker];
    bool same = held->run == j->run && held->row == row;
    *held = (struct held){j->run, row};
    p.coarse = j->engine->type != j->ctx->real;
    if (j->engine->holds != j->ctx->real)
        narrow(j->engine, &p, same);
    else if (p.packed)
        spread(j->engine, &p, same);
    j->engine->product(&p);
}

static void run(struct ctx *ctx, const struct engine *engine, const struct product *p, int64_t rows, int64_t columns)
{
    struct job j = {.ctx = ctx, .engine = engine, .base = *p, .rows = rows, .columns = columns,
                    .column_pieces = pieces_of(p->n, columns), .run = __atomic_add_fetch(&ctx->runs, 1, __ATOMIC_RELAXED)};
    if (p->m > 0 && p->n > 0)
        pool_run(ctx->pool, pieces_of(p->m, rows) * j.column_pieces, piece_product, &j);
}

// Rows by a packed weight: long chunks of rows, even ones, and columns cut only where the rows alone do not fill the machine.
static void run_rows(struct ctx *ctx, const struct engine *engine, const struct product *p)
{
    int64_t wanted = pool_worker(ctx->pool) < 0 ? 32 * ctx->threads : 1;   // one worker's own: nothing to be shared out
    int64_t grain = engine->height > 1 && engine->height < 16 ? engine->height : 16;   // whole register blocks
    int64_t most = least(CHUNK_ROWS, CHUNK_BYTES / (p->k * (int64_t)dtype_size(engine->holds)));
    int64_t chunks = pieces_of(p->m, most < grain ? grain : most), rows = pieces_of(pieces_of(p->m, chunks), grain) * grain;
    int64_t pieces = pieces_of(p->m, rows), panel = engine->panel ? engine->panel : 16;
    int64_t cuts = pieces_of(wanted, pieces), columns = pieces_of(pieces_of(p->n, cuts), panel) * panel;
    columns = columns < 4 * panel ? 4 * panel : columns;
    run(ctx, engine, p, rows, columns);
}

// The product of some of the columns.
static struct product columns_of(const struct product *p, int64_t from, int64_t n, size_t size)
{
    struct product part = *p;
    part.n = n;
    part.b = step(p->b, from * p->b_col, size);
    part.c = step(p->c, from, size);
    part.bias = step(p->bias, from, size);
    part.pre = step(p->pre, from, size);
    part.residual = step(p->residual, from, size);
    return part;
}

// The packed form of a weight; false: there is no memory for it.
static bool prepare(struct ctx *ctx, struct weight *w, const struct product *p, struct packed *packed)
{
    const struct engine *engine = w->engine;
    if (!packed->at)
        packed->at = memory_take((size_t)(pieces_of(p->n, engine->panel) * engine_panel(engine, p->k)));
    if (packed->at && !packed->fresh) {
        pack(ctx, engine, packed->at, p, w, 0);
        if (w->source.done)
            w->source.done(w->source.user, w->first, w->out * w->in);
        packed->fresh = true;
    }
    return packed->at;
}

// A product with a weight. Where there is no memory for its packed form, a block of columns after another is packed into
// the shared scratch: slower, the same bits.
static void run_weight(struct ctx *ctx, struct weight *w, struct product *p, struct packed *packed)
{
    const struct engine *engine = w->engine;
    if (!engine->panel) {
        run_rows(ctx, engine, p);
        return;
    }
    if (prepare(ctx, w, p, packed)) {
        p->packed = packed->at;
        run_rows(ctx, engine, p);
        return;
    }
    int64_t most = SHARED_SCRATCH / engine_panel(engine, p->k) * engine->panel;
    assert(most > 0);
    for (int64_t from = 0; from < p->n; from += most) {
        struct product part = columns_of(p, from, least(most, p->n - from), ctx->size);
        pack(ctx, engine, ctx->shared, &part, w, from);
        part.packed = ctx->shared;
        run_rows(ctx, engine, &part);
    }
}

static struct product forward(const struct weight *w)
{
    return (struct product){.n = w->out, .k = w->in, .a_row = w->in, .a_k = 1, .b = w->w.at, .b_k = 1, .b_col = w->in,
                            .c_row = w->out, .alpha = 1};
}

bool linear_weight_ready(struct ctx *ctx, struct weight *w)
{
    struct product p = forward(w);
    return !w->engine->panel || prepare(ctx, w, &p, &w->forward);
}

void linear_y(struct ctx *ctx, view y, view x, struct weight *w, view bias, int64_t rows, const struct tail *tail)
{
    struct product p = forward(w);
    p.m = rows;
    p.a = x.at;
    p.c = y.at;
    p.bias = bias.at;
    if (tail) {
        p.act = tail->act;
        p.pre = tail->pre.at;
        p.residual = tail->residual.at;
    }
    run_weight(ctx, w, &p, &w->forward);
}

void linear_dx(struct ctx *ctx, view dx, view dy, struct weight *w, int64_t rows, bool add)
{
    struct product p = {.m = rows, .n = w->in, .k = w->out, .a = dy.at, .a_row = w->out, .a_k = 1, .b = w->w.at, .b_k = w->in,
                        .b_col = 1, .c = dx.at, .c_row = w->in, .alpha = 1, .residual = add ? dx.at : NULL};
    assert(w->w.at);
    run_weight(ctx, w, &p, &w->backward);
}

// A general product by a table that packs: block by block of k, both sides are packed into the shared scratch by all, then
// tiles of c are formed from the panels. Sides too long for the scratch are cut first.
struct general {
    struct ctx *ctx;
    const struct engine *engine;
    struct product p;          // one block of k
    char *rows, *columns;      // panels of a, of b
    struct quant *quant;       // of a's rows, where the engine has it
    int64_t row, panel;        // bytes from a packed row, a panel, to the next
    int64_t row_tiles, packs;  // tiles along m; jobs of packing a
};

enum {
    K_BLOCK = 512,
    SIDE = 8192,               // longest side of a cut: (SIDE + SIDE) x K_LEAST floats fill the scratch
    K_LEAST = SHARED_SCRATCH / (2 * (SIDE + 64) * 4),
    PACK_ROWS = 56, PACK_PANELS = 4,   // packed by a piece, at least and about
    TILE_COLUMN_PANELS = 8,
};

// Rows of whole register blocks: of a piece of packing, of a tile.
static int64_t blocks_of(const struct engine *e, int64_t rows) { return pieces_of(rows, e->height) * e->height; }

static void piece_general_pack(void *arg, int64_t piece, int worker)
{
    struct general *g = arg;
    const struct product *p = &g->p;
    const struct engine *e = g->engine;
    if (piece < g->packs) {
        int64_t unit = blocks_of(e, PACK_ROWS), from = piece * unit;
        e->pack_rows(g->rows + from * g->row, g->quant + from, (const float *)p->a + from * p->a_row, p->a_row, p->a_k, least(unit, p->m - from), p->k);
    } else {
        int64_t unit = e->panel * PACK_PANELS, from = (piece - g->packs) * unit;
        e->pack(g->columns + from / e->panel * g->panel, (const float *)p->b + from * p->b_col, p->b_k, p->b_col, p->k, least(unit, p->n - from));
    }
}

static void piece_general(void *arg, int64_t piece, int worker)
{
    struct general *g = arg;
    struct product p = g->p;
    int64_t rows = blocks_of(g->engine, PACK_ROWS), columns = TILE_COLUMN_PANELS * g->engine->panel;
    int64_t row = piece % g->row_tiles * rows, column = piece / g->row_tiles * columns;
    p.packed_rows = g->rows + row * g->row;
    p.quant = g->quant + row;
    p.packed = g->columns + column / g->engine->panel * g->panel;
    p.c = (float *)p.c + row * p.c_row + column;
    p.m = least(rows, p.m - row);
    p.n = least(columns, p.n - column);
    g->engine->product(&p);
}

static void run_general(struct ctx *ctx, const struct engine *e, const struct product *whole)
{
    struct general g = {.ctx = ctx, .engine = e, .p = *whole};
    struct product *p = &g.p;
    int64_t m = blocks_of(e, p->m), panels = pieces_of(p->n, e->panel);
    // inside a piece of somebody's own work the shared scratch may be another worker's: everyone has their own
    int worker = pool_worker(ctx->pool);
    int64_t room = worker < 0 ? SHARED_SCRATCH : WORKER_SCRATCH;
    int64_t most = K_BLOCK;
    int64_t quants = m * (int64_t)sizeof(struct quant);
    while (m * engine_row(e, most) + panels * engine_panel(e, most) + quants + 2 * LINE > room)
        most -= engine_k(e, 8);
    g.packs = pieces_of(m, blocks_of(e, PACK_ROWS));
    g.row_tiles = g.packs;
    for (int64_t from = 0; from < whole->k; from += most) {
        p->k = least(most, whole->k - from);
        p->a = (const float *)whole->a + from * p->a_k;
        p->b = (const float *)whole->b + from * p->b_k;
        g.row = engine_row(e, p->k);
        g.panel = engine_panel(e, p->k);
        g.rows = worker < 0 ? ctx->shared : ctx_scratch(ctx, worker);
        g.columns = g.rows + pieces_of(m * g.row, LINE) * LINE;
        g.quant = (struct quant *)(g.columns + pieces_of(panels * g.panel, LINE) * LINE);
        pool_run(ctx->pool, g.packs + pieces_of(panels, PACK_PANELS), piece_general_pack, &g);
        pool_run(ctx->pool, g.row_tiles * pieces_of(panels, TILE_COLUMN_PANELS), piece_general, &g);
        p->beta = 1;
    }
}

static void run_product(struct ctx *ctx, const struct engine *e, const struct product *p)
{
    if (!e->panel || p->k == 0) {
        run(ctx, &ctx->inner->engine, p, TILE_ROWS, TILE_COLUMNS);
        return;
    }
    struct product cut = *p;
    for (int64_t row = 0; row < p->m; row += SIDE)
        for (int64_t column = 0; column < p->n; column += SIDE) {
            cut.m = least(SIDE, p->m - row);
            cut.n = least(SIDE, p->n - column);
            cut.a = step(p->a, row * p->a_row, ctx->size);
            cut.b = step(p->b, column * p->b_col, ctx->size);
            cut.c = step(p->c, row * p->c_row + column, ctx->size);
            run_general(ctx, e, &cut);
        }
}

void linear_gemm(struct ctx *ctx, bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, view a, int64_t lda, view b,
                 int64_t ldb, double beta, view c, int64_t ldc)
{
    struct product p = {.m = m, .n = n, .k = k, .a = a.at, .a_row = ta ? 1 : lda, .a_k = ta ? lda : 1, .b = b.at,
                        .b_k = tb ? 1 : ldb, .b_col = tb ? ldb : 1, .c = c.at, .c_row = ldc, .alpha = alpha, .beta = beta};
    run_product(ctx, &ctx->inner->engine, &p);
}

static void piece_column_sums(void *arg, int64_t piece, int worker)
{
    struct job *j = arg;
    int64_t from = piece * COLUMNS, n = least(COLUMNS, j->base.n - from);
    j->ctx->inner->column_sums(step(j->base.c, from, j->ctx->size), step(j->base.a, from, j->ctx->size), j->base.m, j->base.n, n);
}

void linear_dw(struct ctx *ctx, view dw, view dbias, view dy, view x, int64_t rows, int64_t out, int64_t in)
{
    struct product p = {.m = out, .n = in, .k = rows, .a = dy.at, .a_row = 1, .a_k = out, .b = x.at, .b_k = in, .b_col = 1,
                        .c = dw.at, .c_row = in, .alpha = 1, .beta = 1};
    // bytes are for inference: gradients stay float
    run_product(ctx, ctx->engine->type == BF16 ? ctx->engine : &ctx->inner->engine, &p);
    if (dbias.at) {
        struct job j = {.ctx = ctx, .base = {.c = dbias.at, .a = dy.at, .m = rows, .n = out}};
        pool_run(ctx->pool, pieces_of(out, COLUMNS), piece_column_sums, &j);
    }
}
