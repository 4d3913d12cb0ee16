// SPDX-License-Identifier: Apache-2.0
// The memory of a pass through a tower: planned, allocated once, laid out per tile.
#include <stdlib.h>

#include "base/error.h"
#include "model/tower.h"

// Rows of a tile: enough for matrix products to run at full speed, few enough for the last-level cache. Of a lane's tile:
// every lane reads all weights once a tile, so not too few; work is shared out by them, so not too many.
enum { TILE_BYTES = 12 << 20, TILE_LEAST = 512, TILE_MOST = 2048, LANE_ROWS = 416, GROUP_ITEMS = 1024 };

static int64_t tile_rows(const struct tower_net *net)
{
    int64_t rows = TILE_BYTES / (6 * net->width * 4);
    rows = rows < TILE_LEAST ? TILE_LEAST : rows > TILE_MOST ? TILE_MOST : rows;
    return rows < net->most_rows ? net->most_rows : rows;
}

// Walks over the block; planning while it has no memory.
struct carve {
    view block;
    int64_t used, most;
};

static view take(struct carve *c, int64_t n)
{
    view v = view_at(c->block, c->used);
    c->used += (n + 63) & ~(int64_t)63;
    if (c->used > c->most)
        c->most = c->used;
    return v;
}

static view take_if(struct carve *c, bool wanted, int64_t n)
{
    return wanted ? take(c, n) : (view){NULL, c->block.type};
}

// What layer l keeps for the backward pass.
static void carve_layer(struct tape *t, struct carve *c, struct block_tape *b, bool pooled)
{
    int64_t w = t->net->width, R = t->rows, N = t->items, Q = pooled ? N : R;
    b->attention.x = take(c, R * w);
    b->attention.mean = take(c, R);
    b->attention.rstd = take(c, R);
    b->attention.q = take_if(c, pooled, N * w);
    b->attention.qkv = take(c, R * (pooled ? 2 : 3) * w);
    b->attention.att = take(c, Q * w);
    b->attention.lse = take(c, Q * t->net->heads);
    b->mlp.x = take(c, Q * w);
    b->mlp.mean = take(c, Q);
    b->mlp.rstd = take(c, Q);
    b->mlp.pre = take(c, Q * t->net->hidden);
}

static void carve_training(struct tape *t, struct carve *c)
{
    int64_t w = t->net->width, h = t->net->hidden, R = t->rows, N = t->items, r = t->tile_rows, n = t->tile_items;
    bool image = t->tower == TOWER_IMAGE, mean = t->net->pool == POOL_MEAN;
    for (int l = 0; l < t->net->layers; l++)
        carve_layer(t, c, &t->layers[l], t->pooled && l == t->net->layers - 1);
    t->pool.x = take(c, (t->pooled ? N : R) * w);
    t->pool.picked = take_if(c, !t->pooled && !mean, N * w);
    t->pool.mean = take(c, mean ? R : N);
    t->pool.rstd = take(c, mean ? R : N);
    t->features_in = take(c, N * w);
    t->embedded = take_if(c, image, R * w);
    t->mean = take_if(c, image, R);
    t->rstd = take_if(c, image, R);

    struct attention_scratch *a = &t->scratch.attention;
    struct mlp_scratch *m = &t->scratch.mlp;
    t->d = take(c, r * w);
    t->dn = take(c, n * w);
    t->dn2 = take(c, n * w);
    a->ln = m->ln = take(c, r * w);
    a->dln = m->dln = take(c, r * w);
    int64_t from = c->used;   // three users of the same memory, in turn
    m->hidden = take(c, r * h);
    m->dhidden = take(c, r * h);
    c->used = from;
    a->datt = take(c, r * w);
    a->dqkv = take(c, r * 3 * w);
    a->dq = take(c, n * w);
    a->ln_pooled = take(c, n * w);
    a->dln_pooled = take(c, n * w);
    c->used = from;
    t->unrolled = take_if(c, image, r * 3 * t->net->patch.patch * t->net->patch.patch);
    t->patches = take_if(c, image, r * w);
}

// One tile's memory for all layers: the residual stream is updated in place.
static void carve_inference(struct tape *t, struct carve *c)
{
    int64_t w = t->net->width, h = t->net->hidden, r = t->tile_rows, n = t->tile_items;
    bool image = t->tower == TOWER_IMAGE;
    view x = take(c, r * w), xn = take(c, n * w), ln = take(c, r * w), ln_pooled = take(c, n * w);
    view none = {NULL, x.type};
    t->features_in = t->group_items ? take(c, t->group_items * w) : ln_pooled;
    int64_t from = c->used;
    view qkv = take(c, r * 3 * w), att = take(c, r * w), q = take(c, n * w);
    c->used = from;
    view hidden = take(c, r * h);
    c->used = from;
    t->unrolled = take_if(c, image, r * 3 * t->net->patch.patch * t->net->patch.patch);
    t->patches = take_if(c, image, r * w);

    for (int l = 0; l < t->net->layers; l++) {
        bool pooled = t->pooled && l == t->net->layers - 1;
        t->layers[l].attention = (struct attention_tape){.x = x, .mean = none, .rstd = none, .q = q, .qkv = qkv,
                                                         .att = att, .lse = none};
        t->layers[l].mlp = (struct mlp_tape){.x = pooled ? xn : x, .mean = none, .rstd = none, .pre = none};
    }
    t->pool = (struct pool_tape){.x = t->pooled ? xn : x, .picked = xn, .mean = none, .rstd = none};
    t->embedded = ln;
    t->mean = t->rstd = none;
    t->scratch.attention = (struct attention_scratch){.ln = ln, .ln_pooled = ln_pooled};
    t->scratch.mlp = (struct mlp_scratch){.ln = ln, .hidden = hidden};
}

static void carve_all(struct tape *t, struct carve *c)
{
    if (t->backward)
        carve_training(t, c);
    else
        carve_inference(t, c);
}

// The tape itself, without lanes.
static int make(struct tape **out, struct ctx *ctx, const struct tower_net *net, const struct tape *as)
{
    struct tape *t = *out = calloc(1, sizeof *t);
    if (!t)
        return FAIL(EMEMORY_, "out of memory");
    *t = *as;
    t->ctx = ctx;
    t->net = net;
    size_t slots = (size_t)(t->items > t->group_items ? t->items : t->group_items);
    t->layers = calloc((size_t)net->layers, sizeof *t->layers);
    t->starts = malloc((2 * slots + 1) * sizeof *t->starts);
    t->pooled_rows = malloc((slots + 1) * sizeof *t->pooled_rows);
    t->places = malloc(((size_t)t->rows + 1) * sizeof *t->places);
    t->spans = malloc((slots + 1) * sizeof *t->spans);
    t->queries = malloc((slots + 1) * sizeof *t->queries);
    t->tiles = malloc((slots + 1) * sizeof *t->tiles);
    if (!t->layers || !t->starts || !t->pooled_rows || !t->places || !t->spans || !t->queries || !t->tiles)
        return FAIL(EMEMORY_, "out of memory");
    struct carve plan = {.block.type = ctx_real(ctx)};
    carve_all(t, &plan);
    t->block = ctx_alloc(ctx, ctx_real(ctx), plan.most);
    if (!t->block.at)
        return EMEMORY_;
    t->bytes = plan.most * (int64_t)dtype_size(ctx_real(ctx));
    carve_all(t, &(struct carve){.block = t->block});
    return 0;
}

// For every worker the scratch of a tile of its own.
static int make_lanes(struct tape *t)
{
    int threads = ctx_threads(t->ctx);
    struct tape lane = {.tower = t->tower, .pooled = t->pooled, .tile_rows = t->lane_rows, .rows = t->lane_rows};
    lane.items = lane.tile_items = t->tower == TOWER_IMAGE ? t->lane_rows / t->net->most_rows : t->lane_rows;
    t->lanes = calloc((size_t)threads, sizeof *t->lanes);
    if (!t->lanes)
        return FAIL(EMEMORY_, "out of memory");
    for (int i = 0; i < threads; i++) {
        int rc = make(&t->lanes[i], t->ctx, t->net, &lane);
        if (rc)
            return rc;
        t->bytes += t->lanes[i]->bytes;
    }
    return 0;
}

int tape_make(struct tape **out, struct ctx *ctx, const struct tower_net *net, enum tower tower, int64_t items,
              int64_t rows, bool backward, bool pooled)
{
    struct tape t = {.tower = tower, .backward = backward, .pooled = pooled};
    t.tile_rows = tile_rows(net);
    t.lane_rows = LANE_ROWS < net->most_rows ? net->most_rows : LANE_ROWS;
    if (backward) {
        t.items = items;
        t.rows = rows;
        t.tile_rows = rows < t.tile_rows ? rows : t.tile_rows;
    } else {
        t.rows = t.tile_rows;
        t.items = tower == TOWER_IMAGE ? t.rows / net->most_rows : t.rows;
    }
    t.tile_items = tower == TOWER_IMAGE ? t.tile_rows / net->most_rows : t.tile_rows;
    t.tile_items = t.items < t.tile_items ? t.items : t.tile_items;
    t.group_items = backward ? 0 : t.tile_items > GROUP_ITEMS ? t.tile_items : GROUP_ITEMS;
    int rc = make(out, ctx, net, &t);
    if (!rc)
        rc = make_lanes(*out);
    if (rc) {
        tape_free(*out);
        *out = NULL;
    }
    return rc;
}

void tape_free(struct tape *t)
{
    if (!t)
        return;
    for (int i = 0; t->lanes && i < ctx_threads(t->ctx); i++)
        tape_free(t->lanes[i]);
    free(t->lanes);
    if (t->block.at)
        ctx_free(t->ctx, t->block);
    free(t->layers);
    free(t->starts);
    free(t->pooled_rows);
    free(t->places);
    free(t->spans);
    free(t->queries);
    free(t->tiles);
    free(t);
}

int64_t tape_bytes(const struct tape *t) { return t->bytes; }

void tape_lay(struct tape *t, const struct tile *tile, const int32_t *starts, const int32_t *pooled)
{
    int32_t *to = t->starts + tile->at_starts, at = 0;
    bool image = t->tower == TOWER_IMAGE;
    for (int64_t i = 0; i < tile->n; i++) {
        int32_t len = image ? (int32_t)t->net->most_rows : starts[tile->item + i + 1] - starts[tile->item + i];
        int32_t row = image ? 0 : pooled ? pooled[tile->item + i] : len - 1;
        to[i] = at;
        t->pooled_rows[tile->at_item + i] = at + row;
        t->spans[tile->at_item + i] = (struct span){.q0 = at, .nq = len, .k0 = at, .nk = len, .pos = 0};
        t->queries[tile->at_item + i] = (struct span){.q0 = (int32_t)i, .nq = 1, .k0 = at, .nk = len, .pos = row};
        for (int32_t k = 0; k < len && !image; k++)
            t->places[tile->at_row + at + k] = k;
        at += len;
    }
    to[tile->n] = at;
}

struct seqs tape_seqs(const struct tape *t, const struct tile *tile)
{
    return (struct seqs){.n = tile->n, .rows = tile->rows, .starts = t->starts + tile->at_starts,
                         .pooled = t->pooled_rows + tile->at_item, .spans = t->spans + tile->at_item,
                         .queries = t->queries + tile->at_item};
}
