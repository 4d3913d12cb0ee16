// SPDX-License-Identifier: Apache-2.0
// demo-results SEED TRAIN.json EVAL.json EVAL-WITHOUT-FLAGS.json RESULTS.json: one object, and a table beside the
// floors.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"

static json_t *load(const char *path)
{
    json_error_t e;
    json_t *j = json_load_file(path, 0, &e);
    if (!j) {
        fprintf(stderr, "demo-results: %s: line %d: %s\n", path, e.line, e.text);
        exit(1);
    }
    return j;
}

static double r1(json_t *split, const char *direction)
{
    return json_number_value(json_object_get(json_object_get(split, direction), "r1"));
}

// Ridge regression from colour and HOG features to TF-IDF words: what a linear model reaches.
static const struct { const char *split; double i2t, t2i; } floors[] = {
    {"val_style", 14.6, 31.3}, {"val_concept", 13.4, 18.3}, {"val_both", 5.2, 7.8},
};

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: demo-results SEED TRAIN.json EVAL.json EVAL-WITHOUT-FLAGS.json RESULTS.json\n");
        return 2;
    }
    json_t *train = load(argv[2]), *all = load(argv[3]), *plain = load(argv[4]), *splits = json_object();
    printf("\nR@1 in %%     image to text (floor)   text to image (floor)   candidates   without flags: i2t   t2i\n");
    for (size_t i = 0; i < sizeof floors / sizeof *floors; i++) {
        json_t *a = json_object_get(all, floors[i].split), *b = json_object_get(plain, floors[i].split);
        printf("%-12s %13.1f (%4.1f)  %15.1f (%4.1f) %16.0f %20.1f %5.1f\n", floors[i].split, r1(a, "i2t"),
               floors[i].i2t, r1(a, "t2i"), floors[i].t2i,
               json_number_value(json_object_get(json_object_get(a, "i2t"), "candidates")), r1(b, "i2t"), r1(b, "t2i"));
        json_object_set_new(splits, floors[i].split,
                            json_pack("{s:f, s:f, s:{s:f, s:f}}", "i2t_r1", r1(a, "i2t"), "t2i_r1", r1(a, "t2i"),
                                      "without_flags", "i2t_r1", r1(b, "i2t"), "t2i_r1", r1(b, "t2i")));
    }
    json_t *out = json_pack("{s:I, s:O, s:O, s:o}", "seed", (json_int_t)strtoll(argv[1], NULL, 10), "train_seconds",
                            json_object_get(train, "train_seconds"), "train_flop", json_object_get(train, "train_flop"),
                            "splits", splits);
    char *text = out ? json_dumps(out, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : NULL;
    struct buf b = {0};
    if (text)
        buf_fmt(&b, "%s\n", text);
    int rc = text ? file_write(argv[5], b.at, b.len)
                  : FAIL(EFORMAT_, "train_seconds or train_flop is missing in %s", argv[2]);
    if (rc)
        fprintf(stderr, "demo-results: %s\n", error_last());
    printf("floors: a linear model on hand-made features. These are symbols with names, not photographs.\n");
    buf_free(&b);
    free(text);
    json_decref(out);
    json_decref(train);
    json_decref(all);
    json_decref(plain);
    return rc ? 1 : 0;
}
