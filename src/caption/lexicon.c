// SPDX-License-Identifier: Apache-2.0
#include "caption/lexicon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>
#include <zlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "caption/format.h"

enum { ROW_SEEN = 2, CLASS_SEEN = 4, OWN_CLASSES = 44 };
enum { SURE_SEEN = 100, SURE_OTHER = 60 };   // a small word seen so often; one in so many times or fewer with another tag

struct counts {
    int64_t all, tag[NO_TAG];
};

void lexicon_free(struct lexicon *l)
{
    forms_free(&l->forms);
    free(l->type);
    free(l->row_form);
    free(l->class);
    free(l->tag);
    free(l->pair);
    *l = (struct lexicon){0};
}

// Tags a form was seen with in at least one of twelve places, as bits.
static uint32_t usual_tags(const struct counts *c)
{
    uint32_t bits = 0;
    for (int t = 0; t < NO_TAG; t++)
        if (c->tag[t] * 12 >= c->all && c->tag[t] > 0)
            bits |= 1u << t;
    return bits;
}

// --- classes -----------------------------------------------------------------------------------------------------------

// A class gathers words that may be the same things: by what the treebank shows of frequent ones, else by WordNet.
static void class_key(char out[32], const struct form *w, const struct counts *c, int level)
{
    if (level == 0 && c && c->all >= CLASS_SEEN)
        snprintf(out, 32, "T%x.%x", (unsigned)usual_tags(c), (unsigned)(w->is & (IS_PLURAL | IS_NAME)));
    else if (level <= 1)
        snprintf(out, 32, "W%x", (unsigned)w->is);
    else
        snprintf(out, 32, "W%x", (unsigned)(w->is & ~(MOSTLY_NOUN | MOSTLY_VERB | MOSTLY_ADJ | IS_ADV | IS_NAME)));
}

struct ranked {
    int64_t weight;
    int32_t what;
};

static int heavier(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->weight != y->weight ? (x->weight < y->weight) - (x->weight > y->weight) : (x->what > y->what) - (x->what < y->what);
}

static int classify(struct lexicon *l, const struct counts *seen)
{
    struct map *keys = map_new(), *chosen = map_new();
    int64_t n = l->forms.count;
    struct ranked *rank = malloc((size_t)(n + 1) * sizeof *rank);
    int rc = keys && chosen && rank ? 0 : FAIL(EMEMORY_, "out of memory for the word classes");
    char key[32];
    for (int64_t i = 0; !rc && i < n; i++)
        rank[i] = (struct ranked){seen[i].all, (int32_t)i};
    int next = UNKNOWN_CLASSES;
    if (!rc) {
        qsort(rank, (size_t)n, sizeof *rank, heavier);
        for (int k = 0; k < OWN_CLASSES && k < n; k++)   // the most frequent words are classes of their own
            l->class[rank[k].what] = (uint8_t)next++;
    }
    for (int64_t i = 0; !rc && i < n; i++) {
        if (l->class[i])
            continue;
        for (int level = 0; !rc && level < 3; level++) {
            class_key(key, &l->forms.form[i], &seen[i], level);
            int64_t *weight = map_slot(keys, key, strlen(key), 0);
            if (!weight)
                rc = EMEMORY_;
            else
                *weight += level == 0 ? 20 * seen[i].all + 1 : level == 1 ? seen[i].all + 1 : seen[i].all / 2 + 1;
        }
    }
    int64_t groups = rc ? 0 : map_count(keys);
    for (int64_t i = 0; i < groups; i++) {
        map_key(keys, i, NULL, &rank[i].weight);
        rank[i].what = (int32_t)i;
    }
    if (groups)
        qsort(rank, (size_t)groups, sizeof *rank, heavier);
    for (int64_t i = 0; !rc && i < groups && next < CLASSES - 1; i++) {
        size_t len;
        const char *text = map_key(keys, rank[i].what, &len, NULL);
        rc = map_put(chosen, text, len, next++);
    }
    for (int64_t i = 0; !rc && i < n; i++)
        for (int level = 0; !l->class[i]; level++) {
            class_key(key, &l->forms.form[i], &seen[i], level);
            l->class[i] = (uint8_t)(level < 3 ? map_get(chosen, key, strlen(key), 0) : CLASSES - 1);
        }
    map_free(keys);
    map_free(chosen);
    free(rank);
    return rc;
}

// --- making ------------------------------------------------------------------------------------------------------------

static int count_types(const struct treebank *b, struct counts *types)
{
    for (int64_t i = 0; i < b->tokens; i++) {
        types[b->token[i].type].all++;
        types[b->token[i].type].tag[b->token[i].tag]++;
    }
    return 0;
}

static int most_seen(const struct counts *c, int tags)   // of the first tags
{
    int best = 0;
    for (int t = 1; t < tags; t++)
        best = c->tag[t] > c->tag[best] ? t : best;
    return best;
}

// What learning goes by: signs have one tag each, words hardly ever a single one that no context could change.
static uint8_t only_tag(const char *text, size_t len, const struct counts *c)
{
    int best = most_seen(c, NO_TAG);
    if (best >= TAGS)
        return (uint8_t)best;
    return unknown_class(text, len) == CLASS_SIGN && best != NUM && best != ADP && best != CCONJ && best != PART ? PUNCT : NO_TAG;
}

// Is it the only part of speech that the dictionary has of the word? No past forms: promoted may be a participle.
static bool only_part(unsigned is, int tag)
{
    enum { THINGS = IS_NOUN | IS_PLURAL, ALL = THINGS | IS_VERB | IS_THIRD | IS_ING | IS_PAST | IS_PARTICIPLE | IS_ADJ | IS_ADV };
    static const unsigned parts[TAGS] = {[NOUN] = THINGS, [ADJ] = IS_ADJ, [ADV] = IS_ADV, [VERB] = IS_VERB | IS_THIRD, [VBG] = IS_ING};
    return (is & ALL) && !(is & ALL & ~parts[tag]);
}

// The tag of a word that hardly ever has another: a reader of the table asks no more. Learning sees it as any word: its
// neighbours' weights stay as they are. Small words, and those that the dictionary has one part of speech of: of others (can, bush)
// captions have other senses than the treebank.
static uint8_t sure_tag(const struct counts *c, unsigned is)
{
    enum { SMALL = 1 << ADP | 1 << CCONJ | 1 << DET | 1 << PART | 1 << PRON | 1 << SCONJ };
    int best = most_seen(c, TAGS);
    bool sure = SMALL >> best & 1 ? c->all >= SURE_SEEN : only_part(is, best);
    return sure && (c->all - c->tag[best]) * SURE_OTHER <= c->all ? (uint8_t)best : NO_TAG;
}

static int add_type(struct lexicon *l, const struct treebank *b, int64_t type, const struct counts *c)
{
    size_t len;
    const char *text = map_key(b->types, type, &len, NULL);
    struct lexicon_type *t = &l->type[type];
    bool known = map_get(l->forms.index, text, len, -1) >= 0;
    t->row = -1;
    t->tag = NO_TAG;
    if (c->all < ROW_SEEN || len > WORD_BYTES) {
        if (!known && unknown_class(text, len) == CLASS_SIGN)
            t->tag = PUNCT;
        return 0;
    }
    int64_t form = forms_add(&l->forms, text, len);
    if (form < 0)
        return (int)form;
    t->tag = only_tag(text, len, c);
    t->row = (int32_t)l->rows;
    l->row_form[l->rows++] = (int32_t)form;
    return 0;
}

int lexicon_make(struct lexicon *l, const struct treebank *b, const char *wordnet)
{
    struct counts *types = NULL, *seen = NULL;
    *l = (struct lexicon){0};
    int rc = forms_read(&l->forms, wordnet);
    if (rc)
        return rc;
    l->types = map_count(b->types);
    l->type = calloc((size_t)l->types + 1, sizeof *l->type);
    l->row_form = calloc((size_t)l->types + 1, sizeof *l->row_form);
    types = calloc((size_t)l->types + 1, sizeof *types);
    if (!l->type || !l->row_form || !types)
        rc = FAIL(EMEMORY_, "out of memory for the words");
    else
        rc = count_types(b, types);
    for (int64_t i = 0; !rc && i < l->types; i++)
        rc = add_type(l, b, i, &types[i]);
    int64_t n = l->forms.count;
    if (!rc) {
        l->class = calloc((size_t)n + 1, 1);
        l->tag = malloc((size_t)n + 1);
        seen = calloc((size_t)n + 1, sizeof *seen);
        if (!l->class || !l->tag || !seen)
            rc = FAIL(EMEMORY_, "out of memory for the words");
    }
    if (!rc) {
        memset(l->tag, NO_TAG, (size_t)n);
        for (int64_t i = 0; i < l->types; i++)
            if (l->type[i].row >= 0) {
                int32_t form = l->row_form[l->type[i].row];
                seen[form] = types[i];
                l->tag[form] = l->type[i].tag == NO_TAG ? sure_tag(&types[i], l->forms.form[form].is) : l->type[i].tag;
            }
        rc = classify(l, seen);
    }
    for (int64_t i = 0; !rc && i < l->types; i++) {
        size_t len;
        const char *text = map_key(b->types, i, &len, NULL);
        int64_t form = map_get(l->forms.index, text, len, -1);
        l->type[i].class = form >= 0 ? l->class[form] : (uint8_t)unknown_class(text, len);
    }
    if (!rc)   // only now: what a word is chose its class
        rc = pairs_read(&l->forms, wordnet, &l->pair, &l->pairs);
    if (!rc)
        log_info("%lld words, %lld with weights of their own", (long long)n, (long long)l->rows);
    free(types);
    free(seen);
    return rc;
}

// --- writing -----------------------------------------------------------------------------------------------------------

struct writer {
    const struct lexicon *l;
    struct map *edits, *profiles;
    struct profile *form;   // of each form
    int32_t *order;         // forms as written: those with rows first, then by spelling
    int64_t n;
};

static int edit_number(struct writer *w, int64_t form, int32_t lemma, uint16_t *out)
{
    size_t n, m, same = 0;
    struct edit e = {0};
    *out = 0;
    if (lemma < 0 || lemma == form)
        return 0;
    const char *text = forms_text(&w->l->forms, form, &n), *base = forms_text(&w->l->forms, lemma, &m);
    while (same < n && same < m && text[same] == base[same])
        same++;
    if (m - same >= sizeof e.add)
        return 0;
    e.strip = (uint8_t)(n - same);
    memcpy(e.add, base + same, m - same);
    int64_t *slot = map_slot(w->edits, &e, sizeof e, map_count(w->edits));
    if (!slot || *slot > 65535)
        return FAIL(EMEMORY_, "too many kinds of inflection for the table");
    *out = (uint16_t)*slot;
    return 0;
}

static int make_profiles(struct writer *w)
{
    struct edit none = {0};
    int rc = map_put(w->edits, &none, sizeof none, 0);
    for (int64_t i = 0; !rc && i < w->n; i++) {
        const struct form *f = &w->l->forms.form[i];
        struct profile p = {.is = f->is, .class = w->l->class[i], .tag = w->l->tag[i], .kind = f->kind, .frames = f->frames};
        rc = edit_number(w, i, f->noun, &p.noun);
        if (!rc)
            rc = edit_number(w, i, f->verb, &p.verb);
        if (!rc && f->verb >= 0)   // an inflected verb takes what its base takes
            p.frames = w->l->forms.form[f->verb].frames;
        if (!rc && f->noun >= 0)
            p.kind = w->l->forms.form[f->noun].kind;
        w->form[i] = p;
        int64_t *slot = rc ? NULL : map_slot(w->profiles, &p, sizeof p, map_count(w->profiles));
        if (!rc && (!slot || *slot > 65535))
            rc = FAIL(EMEMORY_, "too many kinds of words for the table");
    }
    return rc;
}

static int put(gzFile f, const void *bytes, size_t n)
{
    return n == 0 || gzwrite(f, bytes, (unsigned)n) == (int)n ? 0 : FAIL(EIO_, "the word table cannot be written");
}

static const struct forms *sort_forms;
static int by_text(const void *a, const void *b)
{
    size_t n, m;
    const char *x = forms_text(sort_forms, *(const int32_t *)a, &n), *y = forms_text(sort_forms, *(const int32_t *)b, &m);
    int c = memcmp(x, y, n < m ? n : m);
    return c ? c : (n > m) - (n < m);
}

static int put_words(const struct writer *w, gzFile f)
{
    const char *last = "";
    size_t last_len = 0;
    int rc = 0;
    for (int64_t i = 0; !rc && i < w->n; i++) {
        size_t len, same = 0;
        const char *text = forms_text(&w->l->forms, w->order[i], &len);
        int64_t profile = map_get(w->profiles, &w->form[w->order[i]], sizeof *w->form, 0);
        while (same < len && same < last_len && text[same] == last[same])
            same++;
        unsigned char part[4] = {(unsigned char)same, (unsigned char)(len - same), (unsigned char)(profile & 255),
                                 (unsigned char)(profile >> 8)};
        rc = put(f, part, sizeof part);
        if (!rc)
            rc = put(f, text + same, len - same);
        last = text;
        last_len = len;
    }
    return rc;
}

static int put_all(const struct writer *w, gzFile f, const struct weights *weights, const int8_t *rows)
{
    struct table_head head = {TABLE_MAGIC, (uint32_t)map_count(w->edits), (uint32_t)map_count(w->profiles), (uint32_t)w->n,
                              (uint32_t)w->l->rows, (uint32_t)w->l->pairs};
    int rc = put(f, &head, sizeof head);
    for (int64_t i = 0; !rc && i < map_count(w->edits); i++)
        rc = put(f, map_key(w->edits, i, NULL, NULL), sizeof(struct edit));
    for (int64_t i = 0; !rc && i < map_count(w->profiles); i++)
        rc = put(f, map_key(w->profiles, i, NULL, NULL), sizeof(struct profile));
    if (!rc)
        rc = put(f, weights, sizeof *weights);
    if (!rc)
        rc = put_words(w, f);
    if (!rc)
        rc = put(f, rows, (size_t)w->l->rows * 3 * TAGS);
    for (int64_t i = 0; !rc && i < w->l->pairs; i++) {
        uint32_t more = w->l->pair[i] - (i ? w->l->pair[i - 1] : 0);
        rc = put(f, &more, sizeof more);
    }
    return rc;
}

int lexicon_write(const struct lexicon *l, const char *path, const struct weights *weights, const int8_t *rows)
{
    struct writer w = {l, map_new(), map_new(), calloc((size_t)l->forms.count + 1, sizeof *w.form),
                       calloc((size_t)l->forms.count + 1, sizeof *w.order), l->forms.count};
    char *has_row = calloc((size_t)l->forms.count + 1, 1);
    int rc = w.edits && w.profiles && w.form && w.order && has_row ? make_profiles(&w) : FAIL(EMEMORY_, "out of memory");
    if (!rc) {
        int64_t n = 0;
        for (int64_t i = 0; i < l->rows; i++) {
            w.order[n++] = l->row_form[i];
            has_row[l->row_form[i]] = 1;
        }
        for (int64_t i = 0; i < w.n; i++)
            if (!has_row[i])
                w.order[n++] = (int32_t)i;
        sort_forms = &l->forms;
        qsort(w.order + l->rows, (size_t)(n - l->rows), sizeof *w.order, by_text);
        struct atomic_file a;
        rc = atomic_open(&a, path);
        if (!rc) {
            fflush(a.f);
            int fd = dup(fileno(a.f));
            gzFile f = fd >= 0 ? gzdopen(fd, "wb9") : NULL;
            rc = f ? put_all(&w, f, weights, rows) : FAIL(EIO_, "%s: cannot be written", path);
            if (f && gzclose(f) != Z_OK && !rc)
                rc = FAIL(EIO_, "%s: cannot be written", path);
            if (!rc)
                rc = atomic_commit(&a);
            atomic_abort(&a);
        }
    }
    map_free(w.edits);
    map_free(w.profiles);
    free(w.form);
    free(w.order);
    free(has_row);
    return rc;
}
