// SPDX-License-Identifier: Apache-2.0
// A whole split through a model: one row an image, one row a caption, in the order of the list.
#ifndef TASK_ENCODE_H
#define TASK_ENCODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "data/source.h"
#include "diht.h"
#include "model/clip.h"
#include "model/infer.h"
#include "model/tokenizer.h"
#include "task/class_names.h"

struct features {
    int64_t n, m, d;
    float *images, *texts;   // [n, d], [m, d]
    int64_t *txt2img;        // [m]: each caption's image row
    int64_t *index;          // [n]: each image's sample in the source
    int64_t bad;             // samples whose picture could not be used: left out
    double image_rate;       // pictures a second, decoding and all; 0: none were new
    int64_t *first_text;     // while they are made: sample s has texts first_text[s] .. first_text[s + 1] - 1
};

struct features_options {
    const char *prompt;      // "a photo of {}."; NULL: the caption alone
    bool raw;                // not divided by the norm
    bool images_only;        // no texts: m is 0
    int batch, loaders;
    const char *keep;        // directory in which rows are kept as they come, NULL: none; a second run goes on there
    const char *model_hash;  // what they are kept under, with `vocabulary` and the samples
    const char *vocabulary;
    const char *precision;   // of the products, NULL: fp32; features of each are kept apart
    // After every batch of pictures: f->n images so far, all texts. Nonzero ends the job with it.
    int (*each)(void *user, const struct features *f);
    void *user;
};

// Where features of `data` are kept: `keep`, else DATASET/features, or LIST.features beside what is not ours to write
// into; "none": NULL. Fresh. EMEMORY_.
int features_place(char **out, const char *keep, const char *data);

// A model file and its tokenizer (not when `tokenizer` is NULL): the merges file `vocab` when given, else those inside the
// model, else, for a model of CLIP's vocabulary size, the installed ones.
// A model without a text tower has none: EUSAGE_.
int model_open(struct clip **clip, struct tokenizer **tokenizer, struct ctx *ctx, const char *path, const char *vocab,
               const diht_model_as *as);
int model_tokenizer(struct tokenizer **out, const struct clip *clip, const char *path, const char *vocab);
// What features are kept under: the file's hash and the configuration, which may come from elsewhere. EMEMORY_.
int model_identity(char out[SHA256_HEX], const char file_hash[SHA256_HEX], const struct clip *clip);
struct model_as model_as(const diht_model_as *as);

int features_encode(struct features *f, struct clip *clip, const struct tokenizer *t, const struct source *s,
                    const struct features_options *o);
// Keep the images for which keep(user, sample) holds, and their captions; rows move up.
void features_keep(struct features *f, const struct source *s,
                   bool (*keep)(const void *user, const struct sample *sample), const void *user);
void features_free(struct features *f);   // accepts a zeroed one

// A prompt is a text with {} in the caption's place, or several separated by |, whose features are averaged; NULL: the
// caption alone. EUSAGE_ when a part has no {}.
int prompt_check(const char *prompt);
int prompt_split(struct names *out, const char *prompt);                         // at least one; EMEMORY_
void prompt_apply(struct buf *out, const char *prompt, const char *text);        // out is cleared; {c} is a place too; none: the prompt itself

// Each text inside every prompt: the mean of the unit features, a unit again.
int texts_encode(float *rows /* texts x embed */, struct clip *clip, const struct tokenizer *t, const struct names *texts,
                 const struct names *prompts, int batch);

#endif
