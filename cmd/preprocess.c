// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_preprocess_options, field)

static const struct option options[] = {
    {"image", OPT_TEXTS, AT(images), "IMAGE", "picture file: PNG, JPEG, GIF, WebP, BMP or TIFF; several", true, true},
    {"out", OPT_TEXT, AT(out), "FILE", ".npy to write: float32 [n, 3, S, S]", false, true},
    {"size", OPT_INT, AT(size), "S", "side of the square: shorter side scaled to it, centre cropped"},
    {"max-pixels", OPT_INT64, AT(max_pixels), "N", "refuse larger pictures by their header (0: 178956970)"},
    {"threads", OPT_INT, AT(threads), "N", "threads (0: one a processor)"},
    {"json", OPT_FLAG, AT(json), "", "print one JSON object"},
    {0},
};

static void defaults(void *o) { diht_preprocess_defaults(o); }

static int run(const void *o)
{
    char *result = NULL;
    int rc = diht_preprocess(o, &result);
    return command_done(rc, result);
}

const struct command command_preprocess = {
    "preprocess", "pictures as the image tower reads them", "diht preprocess --size 224 -o images.npy *.jpg",
    options, sizeof(diht_preprocess_options), defaults, run,
};
