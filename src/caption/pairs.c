// SPDX-License-Identifier: Apache-2.0
// WordNet's nouns of two words where a tagger could see a verb: "magnifying glass", "paint roller", "horse racing".
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "caption/table.h"
#include "caption/wordnet.h"

static int rising(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

// "stained glass" is none: a participle before a noun is an attribute, no verb.
static bool could_be_verb(const struct form *first, const struct form *second)
{
    return (first->is & (IS_VERB | IS_THIRD | IS_ING)) || (second->is & (IS_VERB | IS_THIRD | IS_ING));
}

static uint32_t pair_of(struct forms *f, const char *line)   // 0: none
{
    size_t n = strcspn(line, " "), k = strcspn(line, "_");
    if (k >= n || memchr(line + k + 1, '_', n - k - 1))
        return 0;
    int64_t a = map_get(f->index, line, k, -1), b = map_get(f->index, line + k + 1, n - k - 1, -1);
    if (a < 0 || b < 0 || !f->form[a].is || !f->form[b].is || !could_be_verb(&f->form[a], &f->form[b]))
        return 0;
    f->form[a].is |= PAIR_FIRST;
    f->form[b].is |= PAIR_SECOND;
    return pair_hash(word_hash(line, k), word_hash(line + k + 1, n - k - 1));
}

int pairs_read(struct forms *f, const char *dir, uint32_t **out, int64_t *n)
{
    struct buf all = {0};
    char *path = path_join(dir, "index.noun");
    int64_t lines = 0, kept = 0;
    int rc = path ? file_read(path, &all) : EMEMORY_;
    *out = NULL;
    *n = 0;
    for (const char *p = rc ? NULL : all.at; p && (p = strchr(p, '\n')); p++)
        lines++;
    uint32_t *pair = rc ? NULL : malloc((size_t)(lines + 1) * sizeof *pair);
    if (!rc && !pair)
        rc = FAIL(EMEMORY_, "out of memory for WordNet's nouns of two words");
    for (const char *p = all.at; !rc && p && *p;) {
        uint32_t h = *p == ' ' ? 0 : pair_of(f, p);
        if (h)
            pair[(*n)++] = h;
        p = strchr(p, '\n');
        p += p != NULL;
    }
    if (!rc) {
        qsort(pair, (size_t)*n, sizeof *pair, rising);
        for (int64_t i = 0; i < *n; i++)
            if (i == 0 || pair[i] != pair[i - 1])
                pair[kept++] = pair[i];
        *n = kept;
        *out = pair;
    }
    buf_free(&all);
    free(path);
    return rc;
}
