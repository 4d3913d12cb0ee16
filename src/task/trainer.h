// SPDX-License-Identifier: Apache-2.0
// The trainer's parts and its step: data and words in, one AdamW update out.
#ifndef TASK_TRAINER_H
#define TASK_TRAINER_H

#include "data/loader.h"
#include "diht.h"
#include "model/clip.h"
#include "model/tokenizer.h"
#include "nn/hn_nce.h"
#include "task/concepts.h"

struct trainer {
    const diht_train_options *o;
    struct source *source;
    struct tokenizer *tokenizer;
    struct token_scratch *scratch;
    struct concepts *concepts;          // NULL: no concept head
    struct ctx *ctx;
    struct clip *clip;
    struct augment augment;
    struct loader *loader;
    struct hn_nce *loss;
    struct tape *image_tape, *text_tape;
    int micro;                          // pairs with activations in memory at once
    int64_t step;                       // next step
    double seconds, flop;               // spent so far, over resumed runs too
    int64_t samples;

    struct texts_packed texts;          // this batch's captions
    struct buf caption;
    int32_t *index;                     // [batch, CONCEPTS_MAX]
    float *prob;                        // [batch, CONCEPTS_MAX]
    double *row_loss;                   // [batch]
    view memory;                        // everything below, carved from one block
    view images;                        // [batch, 3, S, S]
    view raw[2], unit[2], norm[2], dunit[2], draw[2];   // image, text: [batch, embed], norm [batch]
    view logits;                        // [batch, classes]
};

struct step_report {
    double loss, contrastive, tags, grad_norm, lr;
};

int trainer_open(struct trainer *t, const diht_train_options *o);
void trainer_close(struct trainer *t);
int64_t trainer_bytes(const struct trainer *t);   // parameters, activations, batch and loss
// One update from one batch. A batch of fewer than two usable pairs changes nothing.
int trainer_step(struct trainer *t, const struct batch *b, struct step_report *r);
// model.safetensors and state-STEP.safetensors in o->out; the model's rename is the moment both count.
int trainer_save(struct trainer *t);

#endif
