// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_train_options, field)

extern const struct command command_train;

static const struct option options[] = {
    {"data", OPT_TEXT, AT(data), "DATA", "dataset or caption list", true, true},
    {"out", OPT_TEXT, AT(out), "DIR", "where the model, its state and metrics.jsonl go", false, true},
    {"model", OPT_TEXT, AT(model), "M",
     "configuration (demo, tiny, diht_vitb32_224px, ... or a .json file) or a checkpoint"},
    {"vocab", OPT_TEXT, AT(vocab), "FILE", "merges file of the tokenizer"},
    {"split", OPT_TEXT, AT(split), "NAME", "split to train on"},
    {"kept", OPT_FLAG, AT(kept), "", "only samples that diht filter kept"},
    {"resume", OPT_FLAG, AT(resume), "", "go on where a stopped run in --out ended"},
    {"steps", OPT_INT64, AT(steps), "N", "optimizer steps"},
    {"batch", OPT_INT, AT(batch), "N", "pairs a step"},
    {"micro", OPT_INT, AT(micro), "N", "pairs held in memory at once (0: the batch)"},
    {"optimizer", OPT_TEXT, AT(optimizer), "NAME", "adamw, or muon for the hidden matrices and adamw for the rest"},
    {"lr", OPT_REAL, AT(lr), "X", "peak learning rate"},
    {"beta1", OPT_REAL, AT(beta1), "X", "AdamW"},
    {"beta2", OPT_REAL, AT(beta2), "X", "AdamW"},
    {"eps", OPT_REAL, AT(eps), "X", "AdamW"},
    {"momentum", OPT_REAL, AT(momentum), "X", "Muon"},
    {"weight-decay", OPT_REAL, AT(weight_decay), "X", "on tensors of two or more dimensions"},
    {"clip", OPT_REAL, AT(clip), "X", "global gradient norm (0: none)"},
    {"warmup", OPT_REAL, AT(warmup), "X", "linear warm-up, a fraction of the steps"},
    {"min-lr", OPT_REAL, AT(min_lr), "X", "the cosine's end, a fraction of --lr"},
    {"alpha", OPT_REAL, AT(alpha), "X", "HN-NCE: weight of the positive in the denominator"},
    {"beta", OPT_REAL, AT(beta), "X", "HN-NCE: hardness of the negatives (0 with alpha 1: InfoNCE)"},
    {"stop-gradient", OPT_FLAG, AT(stop_gradient), "", "hold the negatives' weights constant"},
    {"logit-scale", OPT_REAL, AT(logit_scale), "X", "start of 1 / temperature"},
    {"max-logit-scale", OPT_REAL, AT(max_logit_scale), "X", "clamp of 1 / temperature"},
    {"tags-weight", OPT_REAL, AT(tags_weight), "X", "weight of the tags' soft cross-entropy (0: none)"},
    {"tags-min", OPT_INT, AT(tags_min), "N", "words seen at least N times are classes"},
    {"label-p", OPT_REAL, AT(label_p), "X", "chance that a caption keeps its label"},
    {"tags-p", OPT_REAL, AT(tags_p), "X", "chance that a caption carries tags"},
    {"tag-p", OPT_REAL, AT(tag_p), "X", "chance of each tag then"},
    {"distinct", OPT_FLAG, AT(distinct), "", "no caption twice in a batch"},
    {"augment", OPT_TEXT, AT(augment), "WHAT", "none, reference, drawing, or name=value,..."},
    {"seed", OPT_SEED, AT(seed), "N", "of weights, order and augmentation"},
    {"precision", OPT_TEXT, AT(precision), "P", "of the products: fp32 or bf16"},
    {"threads", OPT_INT, AT(threads), "N", "compute threads (0: one a processor)"},
    {"loaders", OPT_INT, AT(loaders), "N", "decoding threads (0: as many as --threads)"},
    {"save-every", OPT_INT64, AT(save_every), "N", "steps between checkpoints (0: the end and a stop)"},
    {"log-every", OPT_INT64, AT(log_every), "N", "steps between metrics"},
    {"json", OPT_FLAG, AT(json), "", "print one JSON object at the end"},
    {0},
};

static void defaults(void *o) { diht_train_defaults(o); }

static int run(const void *given)
{
    diht_train_options o = *(const diht_train_options *)given;
    char *result = NULL, *effective = options_text(&command_train, given);
    if (!effective)
        return 1;
    o.effective = effective;
    int rc = diht_train(&o, &result);
    free(effective);
    return command_done(rc, result);
}

const struct command command_train = {
    "train", "train a dual encoder with the hard-negative loss",
    "diht train DATASET --model demo --vocab merges.txt --out run",
    options, sizeof(diht_train_options), defaults, run,
};
