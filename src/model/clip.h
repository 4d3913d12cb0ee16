// SPDX-License-Identifier: Apache-2.0
// A dual encoder: parameters in one arena, the image and the text tower, their backward passes.
//
// A training step is three phases: encode (with tapes) -> a loss on features makes dfeatures -> backward. Batches
// larger than the memory: encode in micro-batches without tapes, one loss, then each micro-batch again with a tape +
// backward. A clip works for one caller at a time; its context's pool does the threading.
#ifndef MODEL_CLIP_H
#define MODEL_CLIP_H

#include <stdint.h>

#include "kernel/kernels.h"
#include "model/config.h"

struct clip;
struct tape;

// --- life ----------------------------------------------------------------------------------------------------------
// Fresh weights, drawn as the reference draws them; the same seed gives the same bits whatever the thread count.
int clip_new(struct clip **out, struct ctx *ctx, const struct config *config, uint64_t seed);
// A checkpoint (model/torch.h: weights_open) and its configuration (model/infer.h: config_of_file, which `as` is for).
struct model_as;
int clip_open_as(struct clip **out, struct ctx *ctx, const char *path, const struct model_as *as);
// The same for inference alone: the file stays mapped and its weights are used from there; only what products need packed,
// and what is not in single precision, is copied, at its first use. The file must not change meanwhile.
int clip_open_frozen(struct clip **out, struct ctx *ctx, const char *path, const struct model_as *as);
int clip_open(struct clip **out, struct ctx *ctx, const char *path);
void clip_free(struct clip *c);

// Read a checkpoint's tensors into this model. Unknown or wrong-shaped tensors fail; absent ones too unless `partial`.
int clip_load(struct clip *c, const char *path, bool partial);

struct meta { const char *key, *value; };
// Atomic; diht.config is added. Pass diht.merges (the merges file as text) so that one file is a whole model.
int clip_save(const struct clip *c, const char *path, const struct meta *meta, int nmeta);
// Metadata of the file it was opened from ("diht.merges"), borrowed; NULL: absent.
const char *clip_meta(const struct clip *c, const char *key);

const struct config *clip_config(const struct clip *c);
struct ctx *clip_ctx(const struct clip *c);

// --- parameters ----------------------------------------------------------------------------------------------------
struct tensor {
    char name[80];         // the reference's: "visual.transformer.resblocks.0.attn.in_proj_weight"
    int ndim;
    int64_t shape[4];
    int64_t at, count;     // elements in the arena
    bool decay;            // two or more dimensions
};
const struct tensor *clip_tensors(const struct clip *c, int *n);
int clip_find(const struct clip *c, const char *name);             // index, or -1
int64_t clip_parameters(const struct clip *c);                     // elements of all tensors
view clip_param(const struct clip *c, int tensor);
view clip_grad(const struct clip *c, int tensor);                  // after clip_train_begin
void clip_changed(struct clip *c);                                 // after writing to a parameter from outside

double clip_logit_scale(const struct clip *c);                     // the parameter: ln(1 / temperature); image only: 0
void clip_set_logit_scale(struct clip *c, double ln);
void clip_add_logit_scale_grad(struct clip *c, double d);          // += d loss / d logit_scale

// --- encoding ------------------------------------------------------------------------------------------------------
// Texts as packed rows: text i is ids[starts[i]] .. ids[starts[i + 1] - 1], each at most context_length.
struct texts {
    int64_t n;
    const int32_t *ids, *starts;   // [starts[n]], [n + 1]
    const int32_t *pooled;         // pool end: row of each text (from its start) to pool; NULL: its last
};
// images [n, 3, S, S], normalised; features [n, embed], raw (see clip_unit). With a tape, `images` and the arrays of
// `texts` must stay until the backward pass. Without one, memory is that of an internal tile whatever n.
int clip_encode_images(struct clip *c, view images, int64_t n, view features, struct tape *tape);
int clip_encode_texts(struct clip *c, const struct texts *texts, view features, struct tape *tape);
// y [n, embed] = x / |x|; norm [n] kept when given (absent: NO_VIEW). dx = from dy.
void clip_unit(struct clip *c, view y, view norm, view x, int64_t n);
void clip_unit_backward(struct clip *c, view dx, view dy, view y, view norm, int64_t n);

// int64 ids [n, ctx] as tokenizers make them -> packed rows. Pool end: up to and with the first highest id; pool mean:
// the same where the highest id is the last but zeros. Arrays grow as needed; free with texts_free.
struct texts_packed {
    struct texts t;                // .pooled NULL
    int32_t *ids, *starts;
    int64_t ids_room, starts_room;
};
int texts_pack(struct texts_packed *p, const struct config *config, const int64_t *ids, int64_t n, int64_t width);
void texts_free(struct texts_packed *p);

// --- training ------------------------------------------------------------------------------------------------------
int clip_train_begin(struct clip *c);      // gradients and Adam's moments, zero

// Activations of one tower's pass over at most `items` images or texts of `rows` rows in all (images: rows is ignored),
// carved once. A tape serves one encode and its backward, then the next.
enum tower { TOWER_IMAGE, TOWER_TEXT };
int tape_new(struct tape **out, struct clip *c, enum tower tower, int64_t items, int64_t rows);
int64_t tape_bytes(const struct tape *tape);
void tape_free(struct tape *tape);
int64_t clip_bytes(const struct clip *c);  // parameters, gradients, moments and internal scratch

// Add to the parameters' gradients those of the tape's encode, given dfeatures [n, embed] of the raw features.
int clip_backward_images(struct clip *c, struct tape *tape, view dfeatures);
int clip_backward_texts(struct clip *c, struct tape *tape, view dfeatures);

// Heads on raw image features: logits [n, classes]; backward: dfeatures [n, embed] +=, head gradients +=.
enum head { HEAD_OBJECT, HEAD_ATTRIBUTE, HEAD_IMAGE /* a classifier that came with the weights */, HEADS };
int clip_head_classes(const struct clip *c, enum head head);       // 0: no such head
void clip_head(struct clip *c, enum head head, view logits, view features, int64_t n);
void clip_head_backward(struct clip *c, enum head head, view dfeatures, view dlogits, view features, int64_t n);

// The head's soft-label cross-entropy in one go: *loss = scale * sum over rows of -sum_k prob log softmax(logits).
// index, prob [n, k] (index -1: unused); logits [n, classes] is scratch; dfeatures [n, embed] += (absent: no gradients).
int clip_head_loss(struct clip *c, enum head head, view features, int64_t n, const int32_t *index, const float *prob,
                   int64_t k, double scale, view logits, view dfeatures, double *loss);

void clip_zero_grad(struct clip *c);
struct step_options {
    double lr, beta1, beta2, eps, weight_decay;
    double clip_norm;              // 0: none
    double momentum;               // Muon's
    double min_logit_scale, max_logit_scale;   // clamp of the parameter, both logarithms
};
// The matrices of the blocks, the patch convolution and the projections are moved by Muon from now on (the fused
// query-key-value matrix as three), everything else by AdamW. After clip_train_begin.
int clip_use_muon(struct clip *c);
// One optimizer step on all parameters (t counts from 1 inside and is saved with the state); returns the gradients'
// global norm before clipping.
double clip_step(struct clip *c, const struct step_options *o);
int64_t clip_steps(const struct clip *c);

// Adam's moments and step count, exact; `meta` carries the trainer's own state.
int clip_save_state(const struct clip *c, const char *path, const struct meta *meta, int nmeta);
// `want(user, key, value)` is called for every metadata entry.
int clip_load_state(struct clip *c, const char *path, void (*want)(void *user, const char *key, const char *value),
                    void *user);

// For tests: off = every row goes through the last block (features and gradients stay the same).
void clip_set_pruning(struct clip *c, bool on);

#endif
