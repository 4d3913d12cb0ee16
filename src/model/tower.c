// SPDX-License-Identifier: Apache-2.0
#include "model/tower.h"

struct block_tape tower_layer(const struct tape *t, int layer, const struct tile *tile)
{
    bool pooled = t->pooled && layer == t->net->layers - 1;
    int64_t w = t->net->width, r = tile->at_row, i = tile->at_item, q = pooled ? i : r;
    struct block_tape b = t->layers[layer];
    struct attention_tape *a = &b.attention;
    a->x = view_at(a->x, r * w);
    a->mean = view_at(a->mean, r);
    a->rstd = view_at(a->rstd, r);
    a->q = view_at(a->q, i * w);
    a->qkv = view_at(a->qkv, r * (pooled ? 2 : 3) * w);
    a->att = view_at(a->att, q * w);
    a->lse = view_at(a->lse, q * t->net->heads);
    b.mlp.x = view_at(b.mlp.x, q * w);
    b.mlp.mean = view_at(b.mlp.mean, q);
    b.mlp.rstd = view_at(b.mlp.rstd, q);
    b.mlp.pre = view_at(b.mlp.pre, q * t->net->hidden);
    return b;
}

static enum pool_how how(const struct tape *t)
{
    return t->net->pool == POOL_MEAN ? POOL_MEAN_ROWS : t->pooled ? POOL_POOLED : POOL_PICK;
}

static struct pool_tape pool_places(const struct tape *t, const struct tile *tile)
{
    int64_t w = t->net->width, r = tile->at_row, i = tile->at_item, s = how(t) == POOL_MEAN_ROWS ? r : i;
    struct pool_tape p = t->pool;
    p.x = view_at(p.x, (how(t) == POOL_POOLED ? i : r) * w);
    p.picked = view_at(p.picked, i * w);
    p.mean = view_at(p.mean, s);
    p.rstd = view_at(p.rstd, s);
    return p;
}

// Forward: to [n, embed] from pooled rows; backward: to [n, w] from the features' gradients. Without a projection the
// rows are the features.
static void project(struct ctx *ctx, const struct tower_net *net, bool back, view to, view from, view rows, int64_t n)
{
    const struct kernels *k = ctx_kernels(ctx);
    if (!net->proj.w.at) {
        k->zero(ctx, to, n * net->width);
        k->add(ctx, to, from, 1, n * net->width);
    } else if (back) {
        projection_backward(ctx, &net->proj, to, from, rows, n);
    } else {
        projection_forward(ctx, &net->proj, to, from, n);
    }
}

void tower_forward(const struct tape *t, const struct tile *tile, const struct tape *lane, const struct tile *local)
{
    const struct tower_net *net = t->net;
    struct seqs seqs = tape_seqs(lane, local);
    struct pool_tape pool = pool_places(t, tile);
    struct block_tape b = tower_layer(t, 0, tile);
    for (int l = 0; l < net->layers; l++) {
        bool last = l == net->layers - 1;
        struct block_tape next = last ? b : tower_layer(t, l + 1, tile);
        block_forward(t->ctx, &net->blocks[l], last ? pool.x : next.attention.x, &b, &lane->scratch, &seqs,
                      last && t->pooled);
        b = next;
    }
    pool_forward(t->ctx, &net->norm, how(t), view_at(t->features_in, tile->at_item * net->width), &pool, lane->scratch.mlp.ln,
                 &seqs);
}

void tower_project(const struct tape *t, int64_t at, int64_t n, view features)
{
    project(t->ctx, t->net, false, features, view_at(t->features_in, at * t->net->width), NO_VIEW, n);
}

void tower_backward(struct tape *t, const struct tile *tile, view dfeatures)
{
    const struct tower_net *net = t->net;
    struct seqs seqs = tape_seqs(t, tile);
    struct pool_tape pool = pool_places(t, tile);
    view rows = view_at(t->features_in, tile->at_item * net->width), dy = t->pooled ? t->dn2 : t->d;
    project(t->ctx, net, true, t->dn, dfeatures, rows, tile->n);
    pool_backward(t->ctx, &net->norm, how(t), dy, t->dn, &pool, how(t) == POOL_PICK ? t->dn2 : t->scratch.mlp.dln,
                  &seqs);
    for (int l = net->layers - 1; l >= 0; l--) {
        struct block_tape b = tower_layer(t, l, tile);
        block_backward(t->ctx, &net->blocks[l], t->d, dy, &b, &t->scratch, &seqs, l == net->layers - 1 && t->pooled);
        dy = t->d;
    }
}
