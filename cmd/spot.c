// SPDX-License-Identifier: Apache-2.0
#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_spot_options, field)

static const struct option options[] = {
    {"image", OPT_TEXTS, AT(images), "IMAGE", "picture file: PNG, JPEG, GIF, WebP, BMP or TIFF; several", true, true},
    {"json", OPT_FLAG, AT(json), "", "one JSON line a picture"},
    {"spot-side", OPT_INT, AT(spot_side), "N", "longer side that the detector sees: larger pictures are shrunk to it"},
    {"spot-models", OPT_TEXT, AT(spot_models), "DIR",
     "folder of ONNX Runtime and the models (default: where ./run build puts them)"},
    {"draw", OPT_TEXT, AT(draw), "OUT.png", "the picture with its boxes painted, green from a confidence of 0.8 on"},
    {"threads", OPT_INT, AT(threads), "N", "pictures at once (0: one a processor)"},
    {0},
};

static void defaults(void *o) { diht_spot_defaults(o); }

static void print(void *user, const char *text, size_t n) { fwrite(text, 1, n, stdout); }   // command_done looks at it

static int run(const void *o)
{
    return command_done(diht_spot(o, print, NULL), NULL);
}

const struct command command_spot = {
    "spot", "text in pictures", "diht spot --json --spot-side 640 *.jpg", options, sizeof(diht_spot_options), defaults, run,
};
