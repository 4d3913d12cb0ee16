// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_loss_options, field)

static const struct option options[] = {
    {"images", OPT_TEXT, AT(images), "FILE", ".npy [n,d] image features", false, true},
    {"texts", OPT_TEXT, AT(texts), "FILE", ".npy [n,d] text features", false, true},
    {"alpha", OPT_REAL, AT(alpha), "X", "weight of the positive in the denominator"},
    {"beta", OPT_REAL, AT(beta), "X", "hardness of the negatives"},
    {"temperature", OPT_REAL, AT(temperature), "T", "scores are x . t / T"},
    {"stop-gradient", OPT_FLAG, AT(stop_gradient), "", "hold the negatives' weights constant"},
    {"grad", OPT_TEXT, AT(grad), "DIR", "write dx.npy and dt.npy here"},
    {"threads", OPT_INT, AT(threads), "N", "threads (0: one a processor)"},
    {"json", OPT_FLAG, AT(json), "", "print one JSON object"},
    {0},
};

static void defaults(void *o) { diht_loss_defaults(o); }

static int run(const void *o)
{
    char *result = NULL;
    int rc = diht_loss(o, &result);
    return command_done(rc, result);
}

const struct command command_loss = {
    "loss", "HN-NCE and its gradients for two feature files",
    "diht loss --images x.npy --texts t.npy --grad out --json",
    options, sizeof(diht_loss_options), defaults, run,
};
