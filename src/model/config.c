// SPDX-License-Identifier: Apache-2.0
#include "model/config.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"

#define CLIP_MEAN {0.48145466f, 0.4578275f, 0.40821073f}
#define CLIP_STD {0.26862954f, 0.26130258f, 0.27577711f}

static const struct config family = {
    .layer_norm_eps = 1e-5,
    .vision = {.mlp_ratio = 4, .pool = POOL_CLASS, .mean = CLIP_MEAN, .std = CLIP_STD,
               .interpolation = RESAMPLE_BICUBIC},
    .text = {.context_length = 77, .vocab_size = 49408, .pool = POOL_END, .causal = true},
};

// name, image, patch, image width, layers, heads; text width, layers, heads, positions, vocabulary; embedding
static const struct {
    const char *name;
    int image, patch, width, layers, heads, text_width, text_layers, text_heads, context, vocab, embed;
} named[] = {
    {"diht_vitb32_224px", 224, 32, 768, 12, 12, 512, 12, 8, 77, 49408, 512},
    {"diht_vitb16_224px", 224, 16, 768, 12, 12, 512, 12, 8, 77, 49408, 512},
    {"diht_vitl14_224px", 224, 14, 1024, 24, 16, 768, 12, 12, 77, 49408, 768},
    {"diht_vitl14_336px", 336, 14, 1024, 24, 16, 768, 12, 12, 77, 49408, 768},
    {"tiny", 64, 8, 192, 6, 3, 192, 4, 3, 32, 8192, 128},
    {"demo", 48, 8, 96, 3, 3, 96, 2, 3, 24, 2014, 128},
};
enum { NAMED = sizeof named / sizeof *named };

const char *const config_names[] = {"diht_vitb32_224px", "diht_vitb16_224px", "diht_vitl14_224px", "diht_vitl14_336px",
                                    "tiny", "demo", NULL};
_Static_assert(sizeof config_names / sizeof *config_names == NAMED + 1, "config_names lists what is named");

static void demo_recipe(struct config *c)
{
    c->vision.pool = c->text.pool = POOL_MEAN;
    c->text.causal = false;
    c->vision.sincos = true;
    c->vision.interpolation = RESAMPLE_BILINEAR;
    for (int i = 0; i < 3; i++) {   // (x - .75) x 3
        c->vision.mean[i] = .75f;
        c->vision.std[i] = (float)(1. / 3);
    }
}

static int config_file(struct config *c, const char *path)
{
    struct buf text = {0};
    int rc = file_read(path, &text);
    if (!rc)
        rc = config_parse(c, text.at, text.len, path);
    buf_free(&text);
    return rc;
}

int config_named(struct config *c, const char *name)
{
    if (strcmp(path_ext(name), ".json") == 0)
        return config_file(c, name);
    for (int i = 0; i < NAMED; i++) {
        if (strcmp(named[i].name, name) != 0)
            continue;
        *c = family;
        snprintf(c->name, sizeof c->name, "%s", name);
        c->embed_dim = named[i].embed;
        c->vision.image_size = named[i].image;
        c->vision.patch_size = named[i].patch;
        c->vision.width = named[i].width;
        c->vision.layers = named[i].layers;
        c->vision.head_width = named[i].width / named[i].heads;
        c->text.width = named[i].text_width;
        c->text.layers = named[i].text_layers;
        c->text.heads = named[i].text_heads;
        c->text.context_length = named[i].context;
        c->text.vocab_size = named[i].vocab;
        if (strcmp(name, "demo") == 0)
            demo_recipe(c);
        return 0;
    }
    struct buf list = {0};
    for (int i = 0; i < NAMED; i++)
        buf_fmt(&list, "%s%s", i ? ", " : "", named[i].name);
    int rc = FAIL(EUSAGE_, "%s: no model configuration of this name; there are %s, or a file ending in .json", name,
                  list.at ? list.at : "");
    buf_free(&list);
    return rc;
}

// --- JSON ----------------------------------------------------------------------------------------------------------

// The words of choices, index = value.
static const char *const image_pools[] = {[POOL_CLASS] = "class", [POOL_MEAN] = "mean", NULL};
static const char *const text_pools[] = {"", [POOL_MEAN] = "mean", [POOL_END] = "end", NULL};
static const char *const resamplings[] = {[RESAMPLE_BICUBIC] = "bicubic", [RESAMPLE_BILINEAR] = "bilinear", NULL};
static const char *const forms[] = {[FORM_CLIP] = "clip", [FORM_VIT] = "vit", NULL};
static const char *const positions[] = {"normal", "sincos", NULL};

enum kind { KEY_INT, KEY_REAL, KEY_BOOL, KEY_CHOICE, KEY_COLOUR };

// Every key once: where it lives, what it may be. Reading, checking and writing walk this table.
static const struct key {
    const char *group;    // "vision", "text", "heads" or NULL: top level
    const char *name;
    enum kind kind;
    size_t at;
    double low, high;
    const char *const *words;
    bool needed;
} keys[] = {
#define AT(field) offsetof(struct config, field)
    {NULL, "embed_dim", KEY_INT, AT(embed_dim), 1, 65536, NULL, true},
    {NULL, "quick_gelu", KEY_BOOL, AT(quick_gelu)},
    {NULL, "layer_norm_eps", KEY_REAL, AT(layer_norm_eps), 1e-12, .1},
    {"vision", "image_size", KEY_INT, AT(vision.image_size), 1, 8192, NULL, true},
    {"vision", "patch_size", KEY_INT, AT(vision.patch_size), 1, 1024, NULL, true},
    {"vision", "width", KEY_INT, AT(vision.width), 1, 16384, NULL, true},
    {"vision", "layers", KEY_INT, AT(vision.layers), 1, 256, NULL, true},
    {"vision", "head_width", KEY_INT, AT(vision.head_width), 1, 1024, NULL, true},
    {"vision", "mlp_ratio", KEY_REAL, AT(vision.mlp_ratio), .01, 64},
    {"vision", "pool", KEY_CHOICE, AT(vision.pool), 0, 0, image_pools},
    {"vision", "positions", KEY_CHOICE, AT(vision.sincos), 0, 0, positions},
    {"vision", "mean", KEY_COLOUR, AT(vision.mean), -1000, 1000},
    {"vision", "std", KEY_COLOUR, AT(vision.std), 1e-6, 1000},
    {"vision", "interpolation", KEY_CHOICE, AT(vision.interpolation), 0, 0, resamplings},
    {"vision", "form", KEY_CHOICE, AT(vision.form), 0, 0, forms},
    {"text", "context_length", KEY_INT, AT(text.context_length), 1, 65536, NULL, true},
    {"text", "vocab_size", KEY_INT, AT(text.vocab_size), 2, 1 << 24, NULL, true},
    {"text", "width", KEY_INT, AT(text.width), 1, 16384, NULL, true},
    {"text", "layers", KEY_INT, AT(text.layers), 1, 256, NULL, true},
    {"text", "heads", KEY_INT, AT(text.heads), 1, 1024, NULL, true},
    {"text", "pool", KEY_CHOICE, AT(text.pool), 0, 0, text_pools},
    {"text", "causal", KEY_BOOL, AT(text.causal)},
    {"heads", "object", KEY_INT, AT(object_classes), 0, 1 << 24},
    {"heads", "attribute", KEY_INT, AT(attribute_classes), 0, 1 << 24},
    {"heads", "image", KEY_INT, AT(image_classes), 0, 1 << 24},
};
enum { KEYS = sizeof keys / sizeof *keys };

static const char *const groups[] = {"vision", "text", "heads"};
enum { GROUPS = sizeof groups / sizeof *groups };

static void key_name(char out[64], const struct key *k)
{
    snprintf(out, 64, "%s%s%s", k->group ? k->group : "", k->group ? "." : "", k->name);
}

static int check_number(const struct key *k, double x, const char *from)
{
    char name[64];
    key_name(name, k);
    if (!(x >= k->low && x <= k->high))
        return FAIL(EFORMAT_, "%s: %s is %g; it must lie between %g and %g", from, name, x, k->low, k->high);
    return 0;
}

static int read_choice(const struct key *k, const char *word, void *to, const char *from)
{
    for (int i = 0; k->words[i]; i++) {
        if (!*k->words[i] || !word || strcmp(k->words[i], word) != 0)
            continue;
        if (k->words == positions)
            *(bool *)to = i;
        else
            *(int *)to = i;
        return 0;
    }
    struct buf list = {0};
    for (int i = 0; k->words[i]; i++)
        if (*k->words[i])
            buf_fmt(&list, "%s%s", list.len ? ", " : "", k->words[i]);
    char name[64];
    key_name(name, k);
    int rc = FAIL(EFORMAT_, "%s: %s must be one of %s", from, name, list.at ? list.at : "");
    buf_free(&list);
    return rc;
}

static int read_key(const struct key *k, json_t *v, struct config *c, const char *from)
{
    void *to = (char *)c + k->at;
    char name[64];
    key_name(name, k);
    int rc = 0;
    switch (k->kind) {
    case KEY_INT:
        if (!json_is_integer(v))
            return FAIL(EFORMAT_, "%s: %s must be a whole number", from, name);
        if (!(rc = check_number(k, (double)json_integer_value(v), from)))
            *(int *)to = (int)json_integer_value(v);
        return rc;
    case KEY_REAL:
        if (!json_is_number(v))
            return FAIL(EFORMAT_, "%s: %s must be a number", from, name);
        if (!(rc = check_number(k, json_number_value(v), from)))
            *(double *)to = json_number_value(v);
        return rc;
    case KEY_BOOL:
        if (!json_is_boolean(v))
            return FAIL(EFORMAT_, "%s: %s must be true or false", from, name);
        *(bool *)to = json_is_true(v);
        return 0;
    case KEY_CHOICE:
        return read_choice(k, json_string_value(v), to, from);
    case KEY_COLOUR:
        if (json_array_size(v) != 3)
            return FAIL(EFORMAT_, "%s: %s must be three numbers (red, green, blue)", from, name);
        for (size_t i = 0; i < 3 && !rc; i++) {
            json_t *e = json_array_get(v, i);
            if (!json_is_number(e))
                return FAIL(EFORMAT_, "%s: %s must be three numbers", from, name);
            if (!(rc = check_number(k, json_number_value(e), from)))
                ((float *)to)[i] = (float)json_number_value(e);
        }
        return rc;
    }
    return rc;
}

static bool is_text(const struct key *k) { return k->group && strcmp(k->group, "text") == 0; }
static bool same_group(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

// A key that the table lacks is a mistake (a misspelt option would be ignored silently), except "name".
static int unknown_keys(json_t *object, const char *group, const char *from)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        bool known = !group && strcmp(name, "name") == 0;
        for (int g = 0; g < GROUPS && !group; g++)
            known |= strcmp(name, groups[g]) == 0;
        for (int i = 0; i < KEYS; i++)
            known |= strcmp(name, keys[i].name) == 0 && same_group(group, keys[i].group);
        if (!known)
            return FAIL(EFORMAT_, "%s: unknown key %s%s%.64s in the model configuration", from, group ? group : "",
                        group ? "." : "", name);
    }
    return 0;
}

static int read_keys(struct config *c, json_t *root, const char *from)
{
    int rc = unknown_keys(root, NULL, from);
    for (int g = 0; g < GROUPS && !rc; g++) {
        json_t *group = json_object_get(root, groups[g]);
        if (group && !json_is_object(group))
            return FAIL(EFORMAT_, "%s: %s must be an object", from, groups[g]);
        rc = unknown_keys(group, groups[g], from);
    }
    for (int i = 0; i < KEYS && !rc; i++) {   // the image tower's first: its form says whether there is another
        if (config_image_only(c) && is_text(&keys[i]))
            continue;
        json_t *v = json_object_get(keys[i].group ? json_object_get(root, keys[i].group) : root, keys[i].name);
        char name[64];
        key_name(name, &keys[i]);
        if (v)
            rc = read_key(&keys[i], v, c, from);
        else if (keys[i].needed)
            rc = FAIL(EFORMAT_, "%s: the model configuration lacks %s", from, name);
    }
    if (!rc && config_image_only(c)) {
        memset(&c->text, 0, sizeof c->text);
        if (json_object_get(root, "text"))
            rc = FAIL(EFORMAT_, "%s: vision.form vit has no text tower, but the configuration has \"text\"", from);
    }
    const char *name = json_string_value(json_object_get(root, "name"));
    if (name)
        snprintf(c->name, sizeof c->name, "%s", name);
    return rc;
}

int config_parse(struct config *c, const char *json, size_t len, const char *from)
{
    *c = family;
    json_error_t error;
    json_t *root = json_loadb(json ? json : "", len, JSON_REJECT_DUPLICATES, &error);
    int rc;
    if (!json_is_object(root))
        rc = FAIL(EFORMAT_, "%s: the model configuration is not a JSON object: line %d: %s", from,
                  root ? 1 : error.line, root ? "another value" : error.text);
    else
        rc = read_keys(c, root, from);
    json_decref(root);
    return rc ? rc : config_check(c, from);
}

int config_check(const struct config *c, const char *from)
{
    for (int i = 0; i < KEYS; i++) {   // a structure filled by code is held to the same bounds
        const void *at = (const char *)c + keys[i].at;
        int rc = 0;
        if (config_image_only(c) && is_text(&keys[i]))
            continue;
        if (keys[i].kind == KEY_INT)
            rc = check_number(&keys[i], *(const int *)at, from);
        else if (keys[i].kind == KEY_REAL)
            rc = check_number(&keys[i], *(const double *)at, from);
        for (int k = 0; keys[i].kind == KEY_COLOUR && k < 3 && !rc; k++)
            rc = check_number(&keys[i], ((const float *)at)[k], from);
        if (rc)
            return rc;
    }
    if (c->vision.image_size % c->vision.patch_size)
        return FAIL(EFORMAT_, "%s: vision.image_size %d is not a multiple of vision.patch_size %d", from,
                    c->vision.image_size, c->vision.patch_size);
    if (c->vision.width % c->vision.head_width)
        return FAIL(EFORMAT_, "%s: vision.width %d is not a multiple of vision.head_width %d", from, c->vision.width,
                    c->vision.head_width);
    if (config_image_only(c) && c->embed_dim != c->vision.width)
        return FAIL(EFORMAT_, "%s: vision.form vit has no projection: embed_dim %d must be vision.width %d", from,
                    c->embed_dim, c->vision.width);
    if (config_image_only(c) && c->vision.pool != POOL_CLASS)
        return FAIL(EFORMAT_, "%s: vision.form vit pools the class token: vision.pool must be class", from);
    if (!config_image_only(c) && c->text.width % c->text.heads)
        return FAIL(EFORMAT_, "%s: text.width %d is not a multiple of text.heads %d", from, c->text.width,
                    c->text.heads);
    if (c->vision.sincos && c->vision.width % 4)
        return FAIL(EFORMAT_, "%s: vision.positions sincos needs a vision.width that is a multiple of 4, found %d",
                    from, c->vision.width);
    if (config_grid(c) > 1024)
        return FAIL(EFORMAT_, "%s: vision.image_size %d gives %d patches a side; at most 1024 are possible", from,
                    c->vision.image_size, config_grid(c));
    return 0;
}

// A float's shortest decimal that reads back as the same float: 0.48145466, not 0.48145466804504395.
static double short_decimal(float x)
{
    char text[32];
    for (int digits = 1; digits < 10; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)x);
        if (strtof(text, NULL) == x)
            break;
    }
    return strtod(text, NULL);
}

static json_t *key_json(const struct key *k, const struct config *c)
{
    const void *at = (const char *)c + k->at;
    const float *colour = at;
    switch (k->kind) {
    case KEY_INT:
        return json_integer(*(const int *)at);
    case KEY_REAL:
        return json_real(*(const double *)at);
    case KEY_BOOL:
        return json_boolean(*(const bool *)at);
    case KEY_CHOICE:
        return json_string(k->words[k->words == positions ? *(const bool *)at : *(const int *)at]);
    case KEY_COLOUR:
        return json_pack("[f,f,f]", short_decimal(colour[0]), short_decimal(colour[1]), short_decimal(colour[2]));
    }
    return NULL;
}

char *config_json(const struct config *c)
{
    json_t *root = json_object();
    int bad = 0;
    for (int g = 0; g < GROUPS; g++)
        if (!config_image_only(c) || strcmp(groups[g], "text") != 0)
            bad |= json_object_set_new(root, groups[g], json_object());
    for (int i = 0; i < KEYS; i++)
        if (!config_image_only(c) || !is_text(&keys[i]))
            bad |= json_object_set_new(keys[i].group ? json_object_get(root, keys[i].group) : root, keys[i].name,
                                       key_json(&keys[i], c));
    if (*c->name)
        bad |= json_object_set_new(root, "name", json_string(c->name));
    char *text = bad ? NULL : json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
    json_decref(root);
    if (!text)
        (void)FAIL(EMEMORY_, "out of memory");
    return text;
}

// --- cost ----------------------------------------------------------------------------------------------------------

static double block_flop(double width, double hidden, double rows, double rows_squared)
{
    return 8 * width * width * rows + 4 * width * hidden * rows + 4 * rows_squared * width;
}

double config_image_flop(const struct config *c)
{
    double w = c->vision.width, rows = config_image_rows(c), g = config_grid(c), p = c->vision.patch_size;
    return c->vision.layers * block_flop(w, config_hidden(c), rows, rows * rows) + 2 * g * g * 3 * p * p * w +
        (config_image_only(c) ? 0 : 2 * w * c->embed_dim);
}

double config_text_flop(const struct config *c, double rows, double rows_squared)
{
    double w = c->text.width;
    return c->text.layers * block_flop(w, 4 * w, rows, rows_squared) + 2 * w * c->embed_dim;
}
