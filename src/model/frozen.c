// SPDX-License-Identifier: Apache-2.0
// Parameters that stay in their mapped file.
#include <stdlib.h>

#include "base/error.h"
#include "model/clip_inner.h"

static void read_source(const void *user, int64_t first, int64_t n, float *out) { st_read_f32(user, first, n, out); }
static void source_done(const void *user, int64_t first, int64_t n) { st_forget(user, first, n); }

// Single precision, in order, where a float may lie: used as it is.
static bool lies_ready(const struct st_tensor *t)
{
    return t->type == ST_F32 && !t->strided && !t->part && (uintptr_t)t->data % sizeof(float) == 0;
}

static void lend_matrix(struct frozen *f, const struct st_tensor *t, int i)
{
    if (i >= 0)
        f->source[i] = (struct weight_source){read_source, source_done, t};
}

// The matrices that only packed products read.
static void lend_matrices(struct clip *c)
{
    const struct params *p = &c->params;
    struct frozen *f = c->frozen;
    for (int t = 0; t < 2; t++) {
        const struct block_params *blocks = t == TOWER_IMAGE ? p->image_blocks : p->text_blocks;
        for (int l = 0; l < c->net[t].layers; l++) {
            const int all[] = {blocks[l].qkv_w, blocks[l].out_w, blocks[l].fc_w, blocks[l].proj_w};
            for (int i = 0; i < 4; i++)
                lend_matrix(f, st_find(&f->file, p->tensors[all[i]].name), all[i]);
        }
    }
    const int others[] = {p->conv, p->head_w[HEAD_OBJECT], p->head_w[HEAD_ATTRIBUTE], p->head_w[HEAD_IMAGE]};
    for (int i = 0; i < 4; i++)
        if (others[i] >= 0)
            lend_matrix(f, st_find(&f->file, p->tensors[others[i]].name), others[i]);
}

int frozen_lend(struct clip *c, const char *path)
{
    struct params *p = &c->params;
    struct frozen *f = c->frozen;
    int64_t count = 0;
    f->at = calloc((size_t)p->n, sizeof *f->at);
    f->source = calloc((size_t)p->n, sizeof *f->source);
    if (!f->at || !f->source)
        return FAIL(EMEMORY_, "out of memory");
    lend_matrices(c);
    for (int i = 0; i < p->n; i++) {
        struct tensor *t = &p->tensors[i];
        const struct st_tensor *from = st_find(&f->file, t->name);
        if (f->source[i].read)
            continue;
        if (lies_ready(from) && !checkpoint_other_grid(t, from)) {
            f->at[i] = (view){(void *)from->data, F32};
            continue;
        }
        t->at = count;
        count += (t->count + 63) / 64 * 64;
    }
    p->count = count;
    c->w = ctx_alloc(c->ctx, F32, count + 1);
    int rc = c->w.at ? 0 : EMEMORY_;
    for (int i = 0; i < p->n && !rc; i++) {
        const struct tensor *t = &p->tensors[i];
        if (f->source[i].read || f->at[i].at)
            continue;
        const struct st_tensor *from = st_find(&f->file, t->name);
        f->at[i] = view_at(c->w, t->at);
        rc = checkpoint_other_grid(t, from) ? checkpoint_read_positions(c->ctx, f->at[i], from, &c->config, path)
                                            : checkpoint_read_tensor(c->ctx, f->at[i], from);
    }
    return rc;
}

void frozen_free(struct frozen *f)
{
    if (!f)
        return;
    st_close(&f->file);
    free(f->at);
    free(f->source);
    free(f);
}
