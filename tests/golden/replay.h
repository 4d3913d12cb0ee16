// SPDX-License-Identifier: Apache-2.0
// The reference's training run again: ROOT/train (batch, teacher, hyper-parameters) from ROOT/model/A.
#ifndef TESTS_REPLAY_H
#define TESTS_REPLAY_H

#include "model/clip.h"

struct replay_step {
    int step;
    double loss, contrastive, object, attribute;   // loss is their sum
    double grad_norm;      // of all gradients, before the step
    double logit_scale;    // the step was computed with, and what it left
    double logit_scale_after;
};

struct replay;
// mode: "full" (gradient through the weights), "detached", "clamp" (starts above the largest logit scale).
int replay_open(struct replay **out, const char *root, const char *mode, enum dtype real, int threads);
void replay_close(struct replay *r);
int replay_steps(const struct replay *r);
struct clip *replay_clip(struct replay *r);
// Forward and backward; gradients are left in the clip. Then replay_update takes the optimizer's step.
int replay_gradients(struct replay *r, struct replay_step *out);
void replay_update(struct replay *r, struct replay_step *out);

#endif
