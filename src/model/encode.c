// SPDX-License-Identifier: Apache-2.0
// Batches through the towers, tile by tile.
#include <string.h>

#include "base/error.h"
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

// The tile that begins at `item`, `row`: as many items as fit.
static struct tile next_tile(const struct tape *t, int64_t item, int64_t row, int64_t items, const int32_t *starts,
                             int index)
{
    struct tile tile = {.item = item, .row = row};
    while (item + tile.n < items && tile.n < t->tile_items) {
        int64_t len = starts ? starts[item + tile.n + 1] - starts[item + tile.n] : t->net->most_rows;
        if (tile.rows + len > t->tile_rows)
            break;
        tile.rows += len;
        tile.n++;
    }
    if (t->backward) {
        tile.at_item = item;
        tile.at_row = row;
        tile.at_starts = item + index;   // n + 1 entries a tile
    }
    return tile;
}

static int64_t image_size(const struct tape *t) { return 3 * (int64_t)t->net->patch.size * t->net->patch.size; }

// The rows of a tile's first layer.
static void embed_tile(struct tape *t, const struct tile *tile)
{
    const struct tower_net *net = t->net;
    struct block_tape first = tower_layer(t, 0, tile);
    if (t->tower == TOWER_TEXT) {
        token_embedding_forward(t->ctx, &net->token, first.attention.x, t->ids + tile->row, t->places + tile->at_row,
                                tile->rows);
        return;
    }
    bool bare = !net->ln_pre.gamma.at;
    view x = bare ? first.attention.x : view_at(t->embedded, tile->at_row * net->width);
    patch_embedding_forward(t->ctx, &net->patch, x, view_at(t->images, tile->item * image_size(t)), tile->n,
                            t->unrolled, t->patches);
    if (!bare)
        norm_forward(t->ctx, &net->ln_pre, first.attention.x, view_at(t->mean, tile->at_row),
                     view_at(t->rstd, tile->at_row), x, tile->rows);
}

static void encode(struct tape *t, int64_t n, const struct texts *texts, view features)
{
    int64_t item = 0, row = 0;
    for (t->ntiles = 0; item < n;) {
        struct tile tile = next_tile(t, item, row, n, texts ? texts->starts : NULL, t->ntiles);
        tape_lay(t, &tile, texts ? texts->starts : NULL, texts ? texts->pooled : NULL);
        embed_tile(t, &tile);
        tower_forward(t, &tile, view_at(features, item * t->net->embed));
        if (t->backward)
            t->tiles[t->ntiles++] = tile;
        item += tile.n;
        row += tile.rows;
    }
    t->n = n;
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
