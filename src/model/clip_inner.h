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
};

// Parameters allocated (zero) and wired into the layers, no values yet.
int clip_make(struct clip **out, struct ctx *ctx, const struct config *config);

#endif
