// SPDX-License-Identifier: Apache-2.0
// What a result depends on, so that it can be made again, and what was left out of it.
#ifndef TASK_RECEIPT_H
#define TASK_RECEIPT_H

#include "base/hash.h"
#include "diht.h"
#include "task/encode.h"

struct receipt {
    const char *kind;                         // "retrieval", "classification"
    const char *model, *data, *split, *images, *preset, *prompt, *exclude_tag, *hubness;   // as given; NULL: not
    diht_model_as as;
    const char *precision;                    // NULL: fp32
    const char *vocab;                        // file, NULL: the model's or the installed one
    const char *classnames, *templates, *set; // classification
    char names_hash[SHA256_HEX];              // of class names and templates, "" when none
    int64_t first, last, ranges;              // rows of the list; last 0: to the end
    int resamples;
    char model_hash[SHA256_HEX], vocabulary_hash[SHA256_HEX];
};

// `, "left_out": {...}, "receipt": {...}` for a JSON object: the samples' and their pictures' bytes are hashed now.
// `file`: every sample left out goes there too, a JSON line each; NULL: nowhere. ESTOPPED_, EIO_.
int receipt_json(struct buf *out, const struct receipt *r, struct ctx *ctx, const struct source *s,
                 const struct features *f, const char *file);

#endif
