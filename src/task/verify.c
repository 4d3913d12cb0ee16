// SPDX-License-Identifier: Apache-2.0
// An evaluation made again from its receipts, with nothing kept from before, and compared figure by figure.
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "task/eval.h"
#include "task/task.h"

enum { SHOWN = 10 };   // differences that are told

struct compare {
    struct buf said;
    int64_t figures, differ;
};

// Where a result was made is no part of it.
static bool about_the_place(const char *name)
{
    return strcmp(name, "machine") == 0 || strcmp(name, "isa") == 0 || strcmp(name, "version") == 0 ||
           strcmp(name, "preset") == 0;
}

static void differ(struct compare *c, const char *where, const json_t *was, const json_t *is)
{
    char *a = was ? json_dumps(was, JSON_ENCODE_ANY) : NULL, *b = is ? json_dumps(is, JSON_ENCODE_ANY) : NULL;
    if (c->differ++ < SHOWN)
        buf_fmt(&c->said, "%s%s was %.60s, is %.60s", c->differ > 1 ? "; " : "", where, a ? a : "absent", b ? b : "absent");
    free(a);
    free(b);
}

static void compare(struct compare *c, const char *where, const json_t *was, const json_t *is)
{
    char path[256];
    const char *name;
    json_t *v;
    if (json_is_object(was) && json_is_object(is)) {
        json_object_foreach((json_t *)was, name, v) {
            snprintf(path, sizeof path, "%s%s%s", where, *where ? "." : "", name);
            if (!about_the_place(name))
                compare(c, path, v, json_object_get(is, name));
        }
    } else if (json_is_array(was) && json_is_array(is) && json_array_size(was) == json_array_size(is)) {
        for (size_t i = 0; i < json_array_size(was); i++) {
            snprintf(path, sizeof path, "%s[%zu]", where, i);
            compare(c, path, json_array_get(was, i), json_array_get(is, i));
        }
    } else {
        bool same = json_is_number(was) && json_is_number(is) ? json_number_value(was) == json_number_value(is)
                                                              : json_equal(was, is);
        c->figures++;
        if (!same)
            differ(c, where, was, is);
    }
}

static const char *text(const json_t *receipt, const char *name)
{
    return json_string_value(json_object_get(receipt, name));
}

static int64_t whole(const json_t *receipt, const char *name)
{
    return json_integer_value(json_object_get(receipt, name));
}

static int verify_one(struct compare *c, const json_t *was, const diht_verify_options *o)
{
    const json_t *receipt = json_object_get(was, "receipt");
    const char *models[] = {text(receipt, "model"), NULL}, *hash = text(receipt, "model_sha256");
    char now[SHA256_HEX], rows[64], *made = NULL;
    const char *kind = text(receipt, "kind");
    if (!models[0] || !hash || !text(receipt, "data"))
        return FAIL(EFORMAT_, "%s: a receipt without model or data", o->result);
    int rc = sha256_file(now, models[0]);
    if (rc)
        return rc;
    if (strcmp(now, hash) != 0)
        return FAIL(EFORMAT_, "%s is another model than the result's: its SHA-256 is %s, was %s", models[0], now, hash);
    if (whole(receipt, "last_row"))
        snprintf(rows, sizeof rows, "%" PRId64 ":%" PRId64, whole(receipt, "first_row"), whole(receipt, "last_row"));
    else
        snprintf(rows, sizeof rows, "%" PRId64 ":", whole(receipt, "first_row"));
    const diht_model_as as = {
        .config = text(receipt, "model_config"), .head_width = (int)whole(receipt, "head_width"),
        .text_head_width = (int)whole(receipt, "text_head_width"), .activation = text(receipt, "activation"),
        .image_size = (int)whole(receipt, "image_size")};
    diht_eval_options eo = {
        .models = models, .as = as, .vocab = text(receipt, "vocabulary"), .data = text(receipt, "data"),
        .split = text(receipt, "split"), .images = text(receipt, "images"), .preset = "raw",
        .precision = text(receipt, "precision"), .prompt = text(receipt, "prompt"), .rows = rows, .ranges = whole(receipt, "ranges"),
        .exclude_tag = text(receipt, "exclude_tag"), .hubness = text(receipt, "hubness"),
        .resamples = (int)whole(receipt, "resamples"), .keep = "none",
        .batch = o->batch, .threads = o->threads, .loaders = o->loaders, .json = true};
    diht_classify_options co = {
        .model = models[0], .as = as, .vocab = eo.vocab, .data = eo.data, .split = eo.split, .images = eo.images,
        .set = text(receipt, "set"), .precision = eo.precision,
        .classnames = text(receipt, "classnames"), .templates = text(receipt, "templates"), .resamples = eo.resamples,
        .keep = "none", .batch = o->batch, .threads = o->threads, .loaders = o->loaders, .json = true};
    rc = kind && strcmp(kind, "classification") == 0 ? task_classify(&co, &made) : eval_model(&eo, &made);
    json_t *is = rc ? NULL : json_loads(made, 0, NULL);
    if (!rc)
        compare(c, "", was, is);
    json_decref(is);
    free(made);
    return rc;
}

// Every object with a receipt: of a split, of a model.
static int verify_all(struct compare *c, const json_t *j, const diht_verify_options *o, int *found)
{
    const char *name;
    json_t *v;
    size_t i;
    int rc = 0;
    if (json_is_object(json_object_get(j, "receipt"))) {
        ++*found;
        return verify_one(c, j, o);
    }
    if (json_is_object(j))
        json_object_foreach((json_t *)j, name, v)
            rc = rc ? rc : verify_all(c, v, o, found);
    json_array_foreach(j, i, v)
        rc = rc ? rc : verify_all(c, v, o, found);
    return rc;
}

int task_verify(const diht_verify_options *o, char **result)
{
    json_error_t why;
    struct compare c = {0};
    struct buf out = {0};
    int found = 0;
    json_t *j = json_load_file(o->result, 0, &why);
    if (!j)
        return FAIL(strstr(why.text, "unable to open") ? EMISSING_ : EFORMAT_, "%s: line %d: %s: the whole JSON of diht eval or diht classify "
                    "expected", o->result, why.line, why.text);
    int rc = verify_all(&c, j, o, &found);
    if (rc)
        error_prefix(rc, "%s: ", o->result);
    if (!rc && !found)
        rc = FAIL(EFORMAT_, "%s: no receipt in it: a result of diht eval --json expected", o->result);
    if (!rc && c.differ)
        rc = FAIL(EFORMAT_, "%s: %" PRId64 " of %" PRId64 " values differ: %s", o->result, c.differ, c.figures,
                  c.said.at ? c.said.at : "");
    if (!rc) {
        if (o->json)
            buf_fmt(&out, "{\"same\": true, \"results\": %d, \"values\": %" PRId64 "}\n", found, c.figures);
        else
            buf_fmt(&out, "the same: %d result%s, %" PRId64 " values\n", found, found == 1 ? "" : "s", c.figures);
        rc = (*result = buf_steal(&out)) ? 0 : EMEMORY_;
    }
    json_decref(j);
    buf_free(&c.said);
    return rc;
}
