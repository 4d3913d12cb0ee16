// SPDX-License-Identifier: Apache-2.0
// What clip.c, encode.c and checkpoint.c share.
#ifndef MODEL_CLIP_INNER_H
#define MODEL_CLIP_INNER_H

#include "model/params.h"
#include "model/safetensors.h"
#include "model/tower.h"
#include "nn/optimizer.h"

struct clip {
    struct ctx *ctx;
    struct config config;
    struct params params;
    view w, g, m, v;               // arenas [params.count]: values; gradients and Adam's moments once training
    struct parameter *list;        // the tensors as the optimizer sees them
    struct matrices muon;          // those of them that Muon moves; list NULL: none
    int64_t steps;                 // optimizer steps taken
    struct tower_net net[2];       // by enum tower
    struct linear head[HEADS];         // by enum head; w absent: none
    struct tape *own[2];           // for encoding without a tape, made at its first use
    bool prune;
    struct st_meta *meta;          // of the file it came from
    int nmeta;
    struct frozen *frozen;         // for inference alone: the parameters stay in their file; NULL: they lie in `w`
};

// A model whose parameters stay where the mapped file has them: what is in single precision there is used in place, the
// matrices of linear maps are read while they are packed, the little that is left lies in `w`.
struct frozen {
    struct st_file file;
    view *at;                      // [params.n]; absent: a linear map's matrix, not in memory
    struct weight_source *source;  // [params.n], of those matrices; .read NULL: none
};
int frozen_lend(struct clip *c, const char *path);    // after params_build: fills frozen's arrays and `w`
void frozen_free(struct frozen *f);                   // accepts NULL

// Parameters allocated (zero), or lent by the file (taken over, also on failure), and wired into the layers.
int clip_make(struct clip **out, struct ctx *ctx, const struct config *config, struct st_file *file, const char *path);

// checkpoint.c: a file's tensor into ours, converted; image positions of another grid, interpolated.
int checkpoint_read_tensor(struct ctx *ctx, view to, const struct st_tensor *from);
bool checkpoint_other_grid(const struct tensor *t, const struct st_tensor *f);
int checkpoint_read_positions(struct ctx *ctx, view to, const struct st_tensor *from, const struct config *c,
                              const char *path);

#endif
