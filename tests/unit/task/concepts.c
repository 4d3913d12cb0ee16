// SPDX-License-Identifier: Apache-2.0
#include "task/concepts.h"

#include "base/error.h"
#include "check.h"

static void caption_follows_the_rule(void)
{
    struct caption_rule all = {1, 1, 1}, label = {1, 0, 1}, none = {0, 0, 0};
    struct buf b = {0};
    struct rng r = rng_make(1, 1);
    caption_sample(&b, "red fox", " animal ,, forest,", &label, &r);
    CHECK_STR(b.at, "red fox");
    buf_clear(&b);
    caption_sample(&b, "red fox", "animal,forest", &none, &r);   // nothing drawn: the label
    CHECK_STR(b.at, "red fox");
    int first = 0;
    for (int i = 0; i < 300; i++) {
        buf_clear(&b);
        caption_sample(&b, "red fox", " animal ,, forest,", &all, &r);
        CHECK(b.len == strlen("red fox, animal, forest") && strstr(b.at, "animal") && strstr(b.at, "forest"));
        first += strncmp(b.at, "red fox", 7) == 0;
    }
    CHECK(first > 60 && first < 140);   // a third of the orders
    buf_free(&b);
}

static void targets_are_weighted_words(void)
{
    struct concepts *c = concepts_new();
    CHECK(concepts_count(c, "red fox", "animal, forest") == 0);
    CHECK(concepts_count(c, "red car", "vehicle") == 0);
    CHECK(concepts_count(c, "brown bear", "animal, Forest") == 0);
    CHECK(concepts_finish(c, 2) == 0);
    CHECK(concepts_classes(c) == 3);   // red, animal, forest
    char *names = concepts_names(c);
    CHECK_STR(names, "red\nanimal\nforest\n");
    free(names);
    int32_t index[CONCEPTS_MAX];
    float p[CONCEPTS_MAX];
    CHECK(concepts_target(c, "RED fox", "animal", index, p) == 2);
    CHECK(index[0] == 0 && index[1] == 1 && index[2] == -1);
    CHECK_CLOSE(p[0], 2. / 3, 1e-6);   // equal idf: label word 1 against tag word 0.5
    CHECK_CLOSE(p[1], 1. / 3, 1e-6);
    CHECK(concepts_target(c, "zebra", NULL, index, p) == 0 && index[0] == -1);
    concepts_free(c);
    c = concepts_new();
    CHECK(concepts_count(c, "one", NULL) == 0);
    CHECK(concepts_finish(c, 2) == EUSAGE_ && strstr(error_last(), "--tags-min"));
    concepts_free(c);
}

static void many_words_are_bounded(void)
{
    struct buf b = {0};
    for (int i = 0; i < 500; i++)
        buf_fmt(&b, "w%d,", i);
    struct concepts *c = concepts_new();
    CHECK(concepts_count(c, "x", b.at) == 0 && concepts_count(c, "y", b.at) == 0 && concepts_count(c, "z", "") == 0);
    CHECK(concepts_finish(c, 2) == 0);
    int32_t index[CONCEPTS_MAX];
    float p[CONCEPTS_MAX];
    CHECK(concepts_target(c, "x", b.at, index, p) == CONCEPTS_MAX - 1);
    concepts_free(c);
    buf_free(&b);
}

int main(void)
{
    CASE(caption_follows_the_rule);
    CASE(targets_are_weighted_words);
    CASE(many_words_are_bounded);
    return check_done();
}
