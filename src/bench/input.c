// SPDX-License-Identifier: Apache-2.0
// What happens before the towers, on one thread: a second and core.
#include "bench/input.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "image/augment.h"
#include "image/encode.h"
#include "model/tokenizer.h"

enum { SEED = 2 };

static const struct transform clip = {
    224, FILTER_BICUBIC, {.48145466f, .4578275f, .40821073f}, {.26862954f, .26130258f, .27577711f}};

// Waves, edges and grain, about as hard to code as a photograph.
static int make_scene(struct image *im, int width, int height)
{
    struct rng r = rng_make(SEED, 1);
    *im = (struct image){width, height, malloc((size_t)width * (size_t)height * 3)};
    if (!im->rgb)
        return FAIL(EMEMORY_, "out of memory");
    unsigned char *p = im->rgb;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++) {
                int wave = (x * (5 + c) + y * 3) % 509 / 4 + (x / 40 + y / 56) % 3 * 32;
                *p++ = (unsigned char)(wave + (int)rng_below(&r, 12));
            }
    return 0;
}

// --- pictures: a JPEG of a x b pixels; c: the side it is augmented to, 0: preprocessed, -1: decoded only ---------------
struct pictures {
    struct buf jpeg;
    struct image im;
    struct augment augment;
    struct transform t;
    struct rng rng;
    float *out;
    int64_t what;
};
enum { PICTURES = 16 };   // a run

void pictures_close(void *state)
{
    struct pictures *p = state;
    if (!p)
        return;
    buf_free(&p->jpeg);
    image_free(&p->im);
    free(p->out);
    free(p);
}

int pictures_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop)
{
    struct pictures *p = *state = calloc(1, sizeof *p);
    if (!p)
        return FAIL(EMEMORY_, "out of memory");
    p->t = clip;
    p->t.size = s->c > 0 ? (int)s->c : clip.size;
    p->what = s->c;
    p->rng = rng_make(SEED, 3);
    p->out = malloc((size_t)p->t.size * (size_t)p->t.size * 3 * sizeof *p->out);
    *work = PICTURES;
    *flop = 0;
    int rc = p->out ? make_scene(&p->im, (int)s->a, (int)s->b) : FAIL(EMEMORY_, "out of memory");
    if (!rc)
        rc = image_jpeg(&p->jpeg, &p->im, 90);
    return rc ? rc : augment_parse(&p->augment, "drawing");
}

int pictures_run(void *state)
{
    struct pictures *p = state;
    for (int i = 0; i < PICTURES; i++) {
        struct image im = {0};
        int rc = p->what > 0 ? augment_apply(&p->augment, &p->t, &p->im, &p->rng, p->out)
                 : p->what < 0 ? image_decode(&im, p->jpeg.at, p->jpeg.len, 0)
                               : transform_load(&p->t, p->jpeg.at, p->jpeg.len, 0, p->out);
        image_free(&im);
        if (rc)
            return rc;
    }
    return 0;
}

// --- captions: made of a few hundred words, as lists are; merges of their letters ---------------------------------------
struct captions {
    struct tokenizer *t;
    struct token_scratch *scratch;
    struct buf text;
    int ends[4096];
};
enum { CAPTIONS = 4096, CONTEXT = 77 };

void captions_close(void *state)
{
    struct captions *c = state;
    if (!c)
        return;
    tokenizer_close(c->t);
    token_scratch_free(c->scratch);
    buf_free(&c->text);
    free(c);
}

int captions_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop)
{
    static const char *const words[] = {
        "a", "the", "of", "in", "on", "with", "man", "woman", "dog", "small", "brown", "red", "sitting", "holding", "street",
        "beautiful", "photograph", "white", "kitchen", "football", "player", "during", "match", "stock", "photo,", "Paris",
        "2019", "sunset", "over", "mountains", "and", "lake", "children's", "bicycle", "background", "illustration.",
    };
    struct captions *c = *state = calloc(1, sizeof *c);
    struct rng r = rng_make(SEED, 5);
    if (!c)
        return FAIL(EMEMORY_, "out of memory");
    for (int i = 0; i < CAPTIONS; i++) {
        for (int n = 5 + (int)rng_below(&r, 10); n > 0; n--) {
            buf_str(&c->text, words[rng_below(&r, sizeof words / sizeof *words)]);
            buf_char(&c->text, ' ');
        }
        c->ends[i] = (int)c->text.len;
    }
    *work = CAPTIONS;
    *flop = 0;
    if (c->text.failed)
        return c->text.failed;
    c->scratch = token_scratch_new();
    // CLIP's own merges where they are installed; a handful else: a word is looked up, not merged, nearly every time
    if (tokenizer_open_installed(&c->t) != 0) {
        static const char merges[] = "#version: 0.2\nt h\nth e</w>\na n\ni n\nin g</w>\n";
        int rc = tokenizer_parse(&c->t, merges, strlen(merges), "built-in merges");
        if (rc)
            return rc;
    }
    return c->scratch ? 0 : EMEMORY_;
}

int captions_run(void *state)
{
    struct captions *c = state;
    int32_t ids[CONTEXT];
    for (int i = 0, from = 0; i < CAPTIONS; from = c->ends[i++]) {
        int n = tokenizer_encode(c->t, c->scratch, c->text.at + from, (size_t)(c->ends[i] - from), ids, CONTEXT);
        if (n < 0)
            return n;
    }
    return 0;
}
