// SPDX-License-Identifier: Apache-2.0
#include "task/concepts.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"

enum { MAX_TAGS = 256, MAX_WORD = 63 };

struct part {
    const char *at;
    size_t len;
};

// Cut a comma-separated list in trimmed, non-empty parts.
static int split_tags(const char *tags, struct part part[MAX_TAGS])
{
    int n = 0;
    for (const char *p = tags ? tags : ""; *p && n < MAX_TAGS;) {
        size_t len = strcspn(p, ",");
        const char *a = p, *b = p + len;
        while (a < b && isspace((unsigned char)*a))
            a++;
        while (b > a && isspace((unsigned char)b[-1]))
            b--;
        if (b > a)
            part[n++] = (struct part){a, (size_t)(b - a)};
        p += len + (p[len] == ',');
    }
    return n;
}

void caption_sample(struct buf *out, const char *label, const char *tags, const struct caption_rule *rule,
                    struct rng *rng)
{
    struct part all[MAX_TAGS], drawn[MAX_TAGS + 1];
    int nall = split_tags(tags, all), n = 0;
    // every draw is made whatever the earlier ones gave: a sample's stream does not depend on its options
    bool keep_label = rng_uniform(rng) < rule->label_p, keep_tags = rng_uniform(rng) < rule->tags_p;
    for (int i = 0; i < nall; i++) {
        bool keep = rng_uniform(rng) < rule->tag_p;
        if (keep && keep_tags)
            drawn[n++] = all[i];
    }
    if (keep_label || n == 0)
        drawn[n++] = (struct part){label, strlen(label)};
    for (int i = n - 1; i > 0; i--) {
        int j = (int)rng_below(rng, (uint64_t)i + 1);
        struct part t = drawn[i];
        drawn[i] = drawn[j];
        drawn[j] = t;
    }
    for (int i = 0; i < n; i++) {
        if (i)
            buf_str(out, ", ");
        buf_add(out, drawn[i].at, drawn[i].len);
    }
}

struct concepts {
    struct map *words;     // word -> samples that have it; after finish -> class or -1
    int64_t samples, classes;
    double *idf;           // [classes]
    int64_t *word_of;      // [classes] entry in `words`
};

struct concepts *concepts_new(void)
{
    struct concepts *c = calloc(1, sizeof *c);
    if (c && (c->words = map_new()))
        return c;
    free(c);
    FAIL(EMEMORY_, "out of memory");
    return NULL;
}

void concepts_free(struct concepts *c)
{
    if (!c)
        return;
    map_free(c->words);
    free(c->idf);
    free(c->word_of);
    free(c);
}

// The next word of text (ASCII letters and digits lower-cased, bytes from 0x80 kept), or 0 at the end.
static size_t next_word(const char **text, char word[MAX_WORD + 1])
{
    const unsigned char *p = (const unsigned char *)*text;
    size_t n = 0;
    while (*p && !(isalnum(*p) || *p >= 0x80))
        p++;
    for (; isalnum(*p) || *p >= 0x80; p++)
        if (n < MAX_WORD)
            word[n++] = (char)(*p < 0x80 ? tolower(*p) : *p);
    *text = (const char *)p;
    word[n] = 0;
    return n;
}

// The sample's distinct words with their weights (a word of the label counts as such).
static int words_of(const char *label, const char *tags, char word[CONCEPTS_MAX][MAX_WORD + 1],
                    double weight[CONCEPTS_MAX])
{
    int n = 0;
    const char *text[2] = {label, tags ? tags : ""};
    for (int source = 0; source < 2; source++) {
        const char *p = text[source];
        while (n < CONCEPTS_MAX && next_word(&p, word[n])) {
            int i = 0;
            while (strcmp(word[i], word[n]) != 0)
                i++;
            if (i == n)
                weight[n++] = source ? 0.5 : 1;
        }
    }
    return n;
}

int concepts_count(struct concepts *c, const char *label, const char *tags)
{
    char word[CONCEPTS_MAX][MAX_WORD + 1];
    double weight[CONCEPTS_MAX];
    int n = words_of(label, tags, word, weight);
    for (int i = 0; i < n; i++) {
        int64_t *count = map_slot(c->words, word[i], strlen(word[i]), 0);
        if (!count)
            return EMEMORY_;
        ++*count;
    }
    c->samples++;
    return 0;
}

int concepts_finish(struct concepts *c, int64_t least)
{
    int64_t all = map_count(c->words);
    c->idf = calloc((size_t)all + 1, sizeof *c->idf);
    c->word_of = calloc((size_t)all + 1, sizeof *c->word_of);
    if (!c->idf || !c->word_of)
        return FAIL(EMEMORY_, "out of memory: %lld concept words", (long long)all);
    for (int64_t i = 0; i < all; i++) {
        size_t len;
        int64_t count;
        const char *key = map_key(c->words, i, &len, &count);
        bool keep = count >= least && count < c->samples;   // a word of every sample says nothing
        if (keep) {
            c->idf[c->classes] = log((double)c->samples / (double)count);
            c->word_of[c->classes] = i;
        }
        *map_slot(c->words, key, len, 0) = keep ? c->classes++ : -1;
    }
    if (!c->classes)
        return FAIL(EUSAGE_,
                    "no word of the captions and tags occurs in %lld samples: lower --tags-min or set --tags-weight 0",
                    (long long)least);
    return 0;
}

int64_t concepts_classes(const struct concepts *c) { return c->classes; }

int concepts_target(const struct concepts *c, const char *label, const char *tags, int32_t index[CONCEPTS_MAX],
                    float prob[CONCEPTS_MAX])
{
    char word[CONCEPTS_MAX][MAX_WORD + 1];
    double weight[CONCEPTS_MAX], kept[CONCEPTS_MAX], sum = 0;
    int n = words_of(label, tags, word, weight), k = 0;
    for (int i = 0; i < n; i++) {
        int64_t class = map_get(c->words, word[i], strlen(word[i]), -1);
        if (class >= 0) {
            index[k] = (int32_t)class;
            sum += kept[k++] = weight[i] * c->idf[class];
        }
    }
    for (int i = 0; i < CONCEPTS_MAX; i++)
        if (i < k)
            prob[i] = (float)(kept[i] / sum);
        else {
            index[i] = -1;
            prob[i] = 0;
        }
    return k;
}

char *concepts_names(const struct concepts *c)
{
    struct buf b = {0};
    for (int64_t i = 0; i < c->classes; i++) {
        size_t len;
        const char *word = map_key(c->words, c->word_of[i], &len, NULL);
        buf_add(&b, word, len);
        buf_char(&b, '\n');
    }
    return buf_steal(&b);
}
