// SPDX-License-Identifier: Apache-2.0
// What the two towers share: blocks, final norm, pooling, projection; and the memory of a pass through them.
#ifndef MODEL_TOWER_H
#define MODEL_TOWER_H

#include "model/clip.h"
#include "nn/block.h"
#include "nn/embedding.h"
#include "nn/pool.h"

struct tower_net {
    struct block *blocks;     // [layers]
    int layers, heads;
    int64_t width, hidden, embed;
    enum pool_kind pool;
    struct norm norm;         // ln_post, ln_final
    struct projection proj;
    int64_t most_rows;        // of one item
    // Image tower only: what comes before the blocks.
    struct norm ln_pre;
    struct patch_embedding patch;
    // Text tower only.
    struct token_embedding token;
};

// A run of items that goes through all layers together: activations stay near the processor, scratch stays small.
struct tile {
    int64_t item, row;        // first of them in the batch
    int64_t n, rows;
    int64_t at_item, at_row, at_starts;   // where they lie in the tape
};

// Memory of a pass. For training each layer keeps what its backward pass needs, [rows] and [items] large; without, all
// layers share the memory of one tile.
struct tape {
    struct ctx *ctx;
    const struct tower_net *net;
    enum tower tower;
    bool backward, pooled;    // pooled: the last block works on pooled rows alone
    int64_t items, rows;      // capacity
    int64_t tile_items, tile_rows;

    view block;               // one allocation, everything below lies in it
    int64_t bytes;
    struct block_tape *layers;   // [layers]
    struct pool_tape pool;
    view features_in;         // [N, w]: pooled and normalised rows, before the projection
    view embedded, mean, rstd;   // image: [R, w], [R], [R]: before ln_pre
    struct block_scratch scratch;
    view unrolled, patches;   // image: [tile cells, 3 p p], [tile cells, w]
    view d, dn, dn2;          // backward: [R, w], [N, w], [N, w]

    struct tape **lanes;      // [threads]: scratch of workers that take tiles of their own; NULL: none
    int64_t lane_rows, group_items;   // rows of such a tile; items that are encoded between two projections

    int32_t *starts, *pooled_rows, *places;   // host: [items + tiles], [items], [rows], relative to their tile
    struct span *spans, *queries;             // [items]
    struct tile *tiles;                       // [items]

    // Of the last encode; 0 tiles: none, or used up by its backward pass.
    int ntiles;
    int64_t n;
    view images;
    const int32_t *ids;
};

int tape_make(struct tape **out, struct ctx *ctx, const struct tower_net *net, enum tower tower, int64_t items,
              int64_t rows, bool backward, bool pooled);
// The tile's sequences from its arrays in the tape, set by tape_lay.
struct seqs tape_seqs(const struct tape *t, const struct tile *tile);
// Lay out the items of a tile: lengths from starts (NULL: net->most_rows each), pooled rows (NULL: `first` or last).
void tape_lay(struct tape *t, const struct tile *tile, const int32_t *starts, const int32_t *pooled);

// From embedded rows (already in the tile's first layer) to the pooled rows in t->features_in. Scratch and sequences are
// those of `lane`, laid out there for tile `local`: t and `tile` themselves, or another tape and the tile at its beginning.
void tower_forward(const struct tape *t, const struct tile *tile, const struct tape *lane, const struct tile *local);
// From n pooled rows, the first of them row `at` of t->features_in, to features [n, embed].
void tower_project(const struct tape *t, int64_t at, int64_t n, view features);
// Parameter gradients; leaves d of the first layer's rows in t->d.
void tower_backward(struct tape *t, const struct tile *tile, view dfeatures);
// Layer's places of one tile.
struct block_tape tower_layer(const struct tape *t, int layer, const struct tile *tile);

#endif
