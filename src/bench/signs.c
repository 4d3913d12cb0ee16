// SPDX-License-Identifier: Apache-2.0
// A picture with five lines of text through the spotter, on one thread.
#include "bench/input.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "spot/spot.h"

// Letters of 5 x 7 dots, rows from the top, the leftmost dot highest.
static const struct { char letter; unsigned char row[7]; } letters[] = {
    {'A', {14, 17, 17, 31, 17, 17, 17}}, {'D', {30, 17, 17, 17, 17, 17, 30}}, {'E', {31, 16, 16, 30, 16, 16, 31}},
    {'F', {31, 16, 16, 30, 16, 16, 16}}, {'L', {16, 16, 16, 16, 16, 16, 31}}, {'N', {17, 25, 25, 21, 19, 19, 17}},
    {'O', {14, 17, 17, 17, 17, 17, 14}}, {'P', {30, 17, 17, 30, 16, 16, 16}}, {'R', {30, 17, 17, 30, 20, 18, 17}},
    {'S', {15, 16, 16, 14, 1, 1, 30}},   {'T', {31, 4, 4, 4, 4, 4, 4}},       {'Y', {17, 17, 10, 4, 4, 4, 4}},
};
static const struct { const char *text; int x, y, dot; } signs[] = {
    {"OPEN TODAY", 40, 60, 4}, {"FLOS", 420, 150, 6}, {"RENTAL", 60, 220, 5}, {"PARTY STORE", 250, 320, 3},
    {"SALE", 90, 400, 5}};

struct text {
    struct spotter *s;
    struct image im;
    struct spot_lines lines;
};

static void write_sign(struct image *im, const char *text, int x, int y, int dot)
{
    for (; *text; text++, x += 6 * dot)
        for (size_t k = 0; k < sizeof letters / sizeof *letters; k++)
            for (int i = 0; letters[k].letter == *text && i < 35 * dot * dot; i++) {
                int u = i % (5 * dot), v = i / (5 * dot);
                if (letters[k].row[v / dot] >> (4 - u / dot) & 1)
                    memset(im->rgb + ((size_t)(y + v) * (size_t)im->width + (size_t)(x + u)) * 3, 250, 3);
            }
}

void signs_close(void *state)
{
    struct text *t = state;
    if (!t)
        return;
    spot_close(t->s);
    spot_lines_free(&t->lines);
    image_free(&t->im);
    free(t);
}

int signs_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop)
{
    struct text *t = *state = calloc(1, sizeof *t);
    struct spot_options o;
    if (!t)
        return FAIL(EMEMORY_, "out of memory");
    spot_defaults(&o);
    o.threads = 1;
    t->im = (struct image){(int)s->a, (int)s->b, malloc((size_t)(s->a * s->b * 3))};
    if (!t->im.rgb)
        return FAIL(EMEMORY_, "out of memory");
    for (int64_t i = 0; i < s->a * s->b; i++) {   // a wide shading behind the signs
        t->im.rgb[3 * i] = (unsigned char)(40 + i % s->a * 60 / s->a);
        t->im.rgb[3 * i + 1] = (unsigned char)(60 + i / s->a * 60 / s->b);
        t->im.rgb[3 * i + 2] = 90;
    }
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        write_sign(&t->im, signs[i].text, signs[i].x, signs[i].y, signs[i].dot);
    *work = 1;
    *flop = 0;
    return spot_open(&t->s, &o);
}

int signs_run(void *state)
{
    struct text *t = state;
    int rc = spot_picture(t->s, 0, &t->im, &t->lines);
    return rc || t->lines.n ? rc : FAIL(EFORMAT_, "the spotter found no text where there is some");
}
