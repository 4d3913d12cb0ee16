// SPDX-License-Identifier: Apache-2.0
// Batches through the towers, tile by tile.
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "model/clip_inner.h"

static bool prunes(const struct clip *c, enum tower tower) { return c->prune && c->net[tower].pool != POOL_MEAN; }

void clip_set_pruning(struct clip *c, bool on)
{
    c->prune = on;
    for (int t = 0; t < 2; t++) {   // their memory was laid out for the other form
        tape_free(c->own[t]);
        c->own[t] = NULL;
    }
}

int tape_new(struct tape **out, struct clip *c, enum tower tower, int64_t items, int64_t rows)
{
    const struct tower_net *net = &c->net[tower];
    *out = NULL;
    if (tower == TOWER_IMAGE && __builtin_mul_overflow(items, net->most_rows, &rows))
        rows = -1;
    if (tower == TOWER_TEXT && config_image_only(&c->config))
        return FAIL(EUSAGE_, "this model has an image tower alone: it takes no texts");
    if (items < 1 || rows < items || rows > INT32_MAX)
        return FAIL(EUSAGE_, "a batch of %lld items and %lld rows cannot be held at once: take smaller pieces",
                    (long long)items, (long long)rows);
    return tape_make(out, c->ctx, net, tower, items, rows, true, prunes(c, tower));
}

// The tape to work in: the caller's, checked, or the model's own.
static int pick_tape(struct clip *c, enum tower tower, struct tape **tape, int64_t n, int64_t rows)
{
    struct tape *t = *tape;
    if (!t) {
        if (!c->own[tower]) {
            int rc = tape_make(&c->own[tower], c->ctx, &c->net[tower], tower, 0, 0, false, prunes(c, tower));
            if (rc)
                return rc;
        }
        *tape = c->own[tower];
        return 0;
    }
    if (t->tower != tower || t->net != &c->net[tower])
        return FAIL(EUSAGE_, "this tape belongs to another tower");
    if (n > t->items || rows > t->rows)
        return FAIL(EUSAGE_, "%lld items of %lld rows do not fit a tape made for %lld items of %lld rows", (long long)n,
                    (long long)rows, (long long)t->items, (long long)t->rows);
    return 0;
}

// The tile that begins at `item`, `row`: as many items as fit in `rows`.
static struct tile next_tile(const struct tape *t, int64_t item, int64_t row, int64_t items, const int32_t *starts, int64_t rows)
{
    struct tile tile = {.item = item, .row = row};
    while (item + tile.n < items) {
        int64_t len = starts ? starts[item + tile.n + 1] - starts[item + tile.n] : t->net->most_rows;
        if (tile.rows + len > rows)
            break;
        tile.rows += len;
        tile.n++;
    }
    return tile;
}

static int64_t pieces(int64_t n, int64_t piece) { return (n + piece - 1) / piece; }
static int64_t image_size(const struct tape *t) { return 3 * (int64_t)t->net->patch.size * t->net->patch.size; }

// The rows of a tile's first layer, made in the scratch of `lane` (tower_forward).
static void embed_tile(const struct tape *t, const struct tile *tile, const struct tape *lane, const struct tile *local)
{
    const struct tower_net *net = t->net;
    struct block_tape first = tower_layer(t, 0, tile);
    if (t->tower == TOWER_TEXT) {
        token_embedding_forward(t->ctx, &net->token, first.attention.x, t->ids + tile->row, lane->places + local->at_row,
                                tile->rows);
        return;
    }
    bool bare = !net->ln_pre.gamma.at;
    view x = bare ? first.attention.x : view_at(t->embedded, tile->at_row * net->width);
    patch_embedding_forward(t->ctx, &net->patch, x, view_at(t->images, tile->item * image_size(t)), tile->n,
                            lane->unrolled, lane->patches);
    if (!bare)
        norm_forward(t->ctx, &net->ln_pre, first.attention.x, view_at(t->mean, tile->at_row),
                     view_at(t->rstd, tile->at_row), x, tile->rows);
}

// Tiles that the workers take through all layers, each its own: what a layer leaves stays in the worker's cache, and nobody
// waits for anybody until the last is done.
struct group {
    struct tape *t;
    const struct texts *texts;     // NULL: images
    int64_t n;
};

static void piece_tile(void *arg, int64_t piece, int worker)
{
    const struct group *g = arg;
    struct tape *lane = g->t->lanes[worker];
    const struct tile *tile = &g->t->tiles[piece];
    struct tile local = *tile;
    local.at_item = local.at_row = local.at_starts = 0;
    tape_lay(lane, &local, g->texts ? g->texts->starts : NULL, g->texts ? g->texts->pooled : NULL);
    if (g->t->backward) {
        embed_tile(g->t, tile, lane, &local);
        tower_forward(g->t, tile, lane, &local);
        return;
    }
    lane->images = g->t->images;
    lane->ids = g->t->ids;
    lane->features_in = view_at(g->t->features_in, tile->at_item * g->t->net->width);
    embed_tile(lane, &local, lane, &local);
    tower_forward(lane, &local, lane, &local);
}

// Tiles for the lanes from `item`, `row` on: even ones, as many for each worker. None where they would be too small to pay
// for reading all the weights, or too uneven.
static void gather_tiles(struct group *g, int64_t item, int64_t row, int64_t n)
{
    enum { LEAST_ROWS = 96 };
    struct tape *t = g->t;
    const int32_t *starts = g->texts ? g->texts->starts : NULL;
    int64_t first = item, end = t->backward || n - item < t->group_items ? n : item + t->group_items;
    int64_t rows = starts ? starts[end] - starts[item] : (end - item) * t->net->most_rows, threads = ctx_threads(t->ctx);
    int64_t rounds = pieces(rows, threads * t->lane_rows), each = pieces(rows, threads * rounds);
    each = starts ? each + t->net->most_rows / 2 : pieces(each, t->net->most_rows) * t->net->most_rows;
    each = each < t->net->most_rows ? t->net->most_rows : each < t->lane_rows ? each : t->lane_rows;   // the longest text fits
    for (g->n = 0; item < end;) {
        struct tile tile = next_tile(t, item, row, end, starts, each);
        tile.at_item = t->backward ? item : item - first;
        tile.at_row = t->backward ? row : 0;
        t->tiles[g->n++] = tile;
        item += tile.n;
        row += tile.rows;
    }
    if (threads > 1 && (each < LEAST_ROWS || 10 * rows < 9 * each * threads * pieces(g->n, threads)))
        g->n = 0;
}

// Every linear map of the blocks prepared before several workers use it; false: there was no memory for one.
static bool prepare(const struct tape *t)
{
    const struct kernels *k = ctx_kernels(t->ctx);
    bool ready = !t->net->patch.conv.weight || k->weight_ready(t->ctx, t->net->patch.conv.weight);
    for (int l = 0; l < t->net->layers && ready; l++) {
        const struct block *b = &t->net->blocks[l];
        bool pooled = t->pooled && l == t->net->layers - 1;
        ready = pooled ? k->weight_ready(t->ctx, b->attention.q.weight) && k->weight_ready(t->ctx, b->attention.kv.weight)
                       : k->weight_ready(t->ctx, b->attention.qkv.weight);
        ready = ready && k->weight_ready(t->ctx, b->attention.out.weight) && k->weight_ready(t->ctx, b->mlp.fc.weight) &&
                k->weight_ready(t->ctx, b->mlp.proj.weight);
    }
    return ready;
}

static void encode(struct tape *t, int64_t n, const struct texts *texts, view features)
{
    const int32_t *starts = texts ? texts->starts : NULL, *pooled = texts ? texts->pooled : NULL;
    struct group g = {.t = t, .texts = texts};
    int64_t item = 0, row = 0;
    bool lanes = prepare(t);
    while (item < n) {
        int64_t first = item;
        if (lanes)
            gather_tiles(&g, item, row, n);
        if (g.n > 0) {
            pool_run(ctx_pool(t->ctx), g.n, piece_tile, &g);
            const struct tile *last = &t->tiles[g.n - 1];
            item = last->item + last->n;
            row = last->row + last->rows;
        } else {
            struct tile tile = next_tile(t, item, row, n, starts, t->tile_rows);
            tile.at_item = t->backward ? item : 0;
            tile.at_row = t->backward ? row : 0;
            tape_lay(t, &tile, starts, pooled);
            embed_tile(t, &tile, t, &tile);
            tower_forward(t, &tile, t, &tile);
            item += tile.n;
            row += tile.rows;
        }
        tower_project(t, t->backward ? first : 0, item - first, view_at(features, first * t->net->embed));
    }
    t->n = n;
    t->ntiles = 0;
    for (item = row = 0; t->backward && item < n;) {   // for the way back, in tiles of all workers
        struct tile *tile = &t->tiles[t->ntiles];
        *tile = next_tile(t, item, row, n, starts, t->tile_rows);
        tile->at_item = item;
        tile->at_row = row;
        tile->at_starts = item + t->ntiles++;   // n + 1 entries a tile
        tape_lay(t, tile, starts, pooled);
        item += tile->n;
        row += tile->rows;
    }
}

int clip_encode_images(struct clip *c, view images, int64_t n, view features, struct tape *tape)
{
    int rc = pick_tape(c, TOWER_IMAGE, &tape, n, n * c->net[TOWER_IMAGE].most_rows);
    if (rc)
        return rc;
    tape->images = images;
    encode(tape, n, NULL, features);
    return 0;
}

static int check_texts(const struct clip *c, const struct texts *t)
{
    int context = c->config.text.context_length, vocab = c->config.text.vocab_size;
    for (int64_t i = 0; i < t->n; i++) {
        int64_t first = t->starts[i], len = t->starts[i + 1] - first;
        if (first < 0 || len < 1 || len > context)
            return FAIL(EFORMAT_, "text %lld has %lld tokens; this model takes 1 to %d", (long long)i, (long long)len,
                        context);
        if (t->pooled && (t->pooled[i] < 0 || t->pooled[i] >= len))
            return FAIL(EFORMAT_, "text %lld: row %d to pool is not one of its %lld", (long long)i, t->pooled[i],
                        (long long)len);
        for (int64_t k = first; k < first + len; k++)
            if (t->ids[k] < 0 || t->ids[k] >= vocab)
                return FAIL(EFORMAT_, "text %lld: token %lld has id %d; this model's vocabulary has %d entries",
                            (long long)i, (long long)(k - first), t->ids[k], vocab);
    }
    return 0;
}

int clip_encode_texts(struct clip *c, const struct texts *texts, view features, struct tape *tape)
{
    if (config_image_only(&c->config))
        return FAIL(EUSAGE_, "this model has an image tower alone: it takes no texts");
    int rc = check_texts(c, texts);
    if (rc)
        return rc;
    int64_t first = texts->n ? texts->starts[0] : 0;
    if ((rc = pick_tape(c, TOWER_TEXT, &tape, texts->n, texts->n ? texts->starts[texts->n] - first : 0)))
        return rc;
    tape->ids = texts->ids + first;
    encode(tape, texts->n, texts, features);
    return 0;
}

// --- backward ------------------------------------------------------------------------------------------------------

static void embed_tile_backward(struct tape *t, const struct tile *tile)
{
    const struct tower_net *net = t->net;
    if (t->tower == TOWER_TEXT) {
        token_embedding_backward(t->ctx, &net->token, t->d, t->ids + tile->row, t->places + tile->at_row, tile->rows);
        return;
    }
    bool bare = !net->ln_pre.gamma.at;
    view dx = bare ? t->d : t->scratch.mlp.dln;
    if (!bare)
        norm_backward(t->ctx, &net->ln_pre, dx, false, t->d, view_at(t->embedded, tile->at_row * net->width),
                      view_at(t->mean, tile->at_row), view_at(t->rstd, tile->at_row), tile->rows);
    patch_embedding_backward(t->ctx, &net->patch, dx, view_at(t->images, tile->item * image_size(t)), tile->n,
                             t->unrolled, t->patches);
}

static int backward(struct clip *c, enum tower tower, struct tape *t, view dfeatures)
{
    if (!c->g.at || t->tower != tower || t->net != &c->net[tower] || !t->ntiles)
        return FAIL(EUSAGE_, "nothing to go back through: encode with this tape after clip_train_begin first");
    for (int i = t->ntiles - 1; i >= 0; i--) {
        tower_backward(t, &t->tiles[i], view_at(dfeatures, t->tiles[i].item * t->net->embed));
        embed_tile_backward(t, &t->tiles[i]);
    }
    t->ntiles = 0;
    return 0;
}

int clip_backward_images(struct clip *c, struct tape *tape, view dfeatures)
{
    return backward(c, TOWER_IMAGE, tape, dfeatures);
}

int clip_backward_texts(struct clip *c, struct tape *tape, view dfeatures)
{
    return backward(c, TOWER_TEXT, tape, dfeatures);
}

// --- unit features -------------------------------------------------------------------------------------------------

#define UNIT_EPS 1e-12   // as torch.nn.functional.normalize

void clip_unit(struct clip *c, view y, view norm, view x, int64_t n)
{
    ctx_kernels(c->ctx)->l2norm(c->ctx, y, norm, x, n, c->config.embed_dim, UNIT_EPS);
}

void clip_unit_backward(struct clip *c, view dx, view dy, view y, view norm, int64_t n)
{
    ctx_kernels(c->ctx)->l2norm_backward(c->ctx, dx, dy, y, norm, n, c->config.embed_dim, UNIT_EPS);
}
