// SPDX-License-Identifier: Apache-2.0
// Loading: the file is packed (zlib), words share prefixes with the word before, and only words the treebank taught
// something about carry rows of their own; the others' are summed here from spelling and class.
#include "caption/table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "caption/format.h"
#include "caption/lists.h"
#include "caption/mends.h"

const char *const tag_names[] = {
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "SCONJ", "VERB", "VBG", "VBN",
    "PUNCT", "SYM", "X", NULL,
};

uint64_t word_hash(const char *lower, size_t len)
{
    uint64_t h = WORD_SEED;
    for (size_t at = 0; at < len || at == 0; at += 16) {
        uint64_t block[2] = {0};
        memcpy(block, lower + at, len - at < 16 ? len - at : 16);
        h = word_hash_block(h, block[0], block[1]);
    }
    return h;
}

const struct word *table_word(const struct table *t, const char *lower, size_t len)
{
    return len ? table_find(t, word_hash(lower, len)) : NULL;
}

static void insert(struct table *t, uint64_t hash, int64_t index)
{
    uint32_t i = (uint32_t)hash & t->mask;
    while (t->slots[i])
        i = (i + 1) & t->mask;
    t->slots[i] = (hash >> INDEX_BITS) << INDEX_BITS | (uint64_t)index;
}

// --- words from their looks --------------------------------------------------------------------------------------------

static inline __attribute__((always_inline)) bool ends(const char *w, size_t n, const char *with)
{
    size_t k = __builtin_strlen(with);
    return n > k + 1 && !memcmp(w + n - k, with, k);
}

unsigned word_has(const char *w, size_t n)
{
    static const uint8_t kind[256] = {['0' ... '9'] = HAS_DIGIT, ['a' ... 'z'] = HAS_LETTER, [0x80 ... 0xff] = HAS_HIGH, ['-'] = HAS_HYPHEN};
    unsigned all = 0;
    for (size_t i = 0; i < n; i++)
        all |= kind[(unsigned char)w[i]];
    return all;
}

static int class_of(const char *w, size_t n, unsigned has)
{
    if (has & HAS_DIGIT)
        return has & (HAS_LETTER | HAS_HIGH) ? CLASS_CODE : CLASS_NUMBER;
    if (!(has & (HAS_LETTER | HAS_HIGH)))
        return CLASS_SIGN;
    if (has & HAS_HYPHEN)
        return ends(w, n, "ed") ? 5 : 4;
    return ends(w, n, "ing") ? 6 : ends(w, n, "ed") ? 7 : ends(w, n, "ly") ? 8 : ends(w, n, "ss") || ends(w, n, "us") ? 9 :
           ends(w, n, "s") ? 10 : has & HAS_HIGH ? 11 : 12;
}

int unknown_class(const char *w, size_t n) { return class_of(w, n, word_has(w, n)); }

static inline int rows_of(const char *w, size_t n, unsigned has, int32_t rows[SPELLING_MAX])
{
    int count = 0;
    uint32_t h = 0;
    for (size_t k = 1; k <= 5 && k < n; k++) {   // endings, longest 5
        h = (h ^ (unsigned char)w[n - k]) * 0x01000193u + (uint32_t)k;
        rows[count++] = (int32_t)((h * 2654435761u) >> 18);
    }
    h = 0x5bd1e995u;
    for (size_t k = 1; k <= 3 && k < n; k++) {   // beginnings
        h = (h ^ (unsigned char)w[k - 1]) * 0x01000193u + (uint32_t)k;
        if (k >= 2)
            rows[count++] = (int32_t)((h * 2654435761u) >> 18);
    }
    rows[count++] = has & HAS_DIGIT ? 1 : has & HAS_HYPHEN ? 2 : 3;
    return count;
}

int spelling_rows(const char *w, size_t n, int32_t rows[SPELLING_MAX]) { return rows_of(w, n, word_has(w, n), rows); }

static inline void add_row(int16_t sum[TAGS], const scores row)
{
    for (int k = 0; k < TAGS; k++)
        sum[k] = (int16_t)(sum[k] + row[k]);
}

static inline void fold(const struct weights *m, const char *text, size_t len, unsigned has, struct word *w)
{
    int32_t rows[SPELLING_MAX];
    int n = rows_of(text, len, has, rows);
    int16_t sum[TAGS] = {0};
    add_row(sum, m->class_self[w->class]);
    for (int i = 0; i < n; i++)
        add_row(sum, m->suffix[rows[i]]);
    for (int k = 0; k < TAGS; k++) {
        int16_t v = sum[k] < 127 ? sum[k] : 127;
        w->self[k] = (int8_t)(v > -127 ? v : -127);
    }
    memcpy(w->before, m->class_before[w->class], TAGS);
    memcpy(w->after, m->class_after[w->class], TAGS);
}

void table_unknown(const struct table *t, const char *lower, size_t len, unsigned has, struct word *out)
{
    *out = (struct word){.tag = NO_TAG, .class = (uint8_t)class_of(lower, len, has)};
    if (out->class == CLASS_SIGN)
        out->tag = PUNCT;
    out->traits = word_traits(out, lower, out->class == CLASS_SIGN ? len : 0);   // every word with rules of its own is known
    out->set = mends_find(t, out, false, lower, len);
    fold(t->weights, lower, len, has, out);
}

// --- the file ----------------------------------------------------------------------------------------------------------

static int get(gzFile f, void *to, size_t n, const char *path)
{
    if (n > 1u << 30 || gzread(f, to, (unsigned)n) != (int)n)
        return FAIL(EFORMAT_, "%s: the word table ends early or is damaged; install it again", path);
    return 0;
}

struct listener {
    void (*word)(void *user, const char *text, size_t len);   // may be NULL
    void *user;
};

static int read_words(struct table *t, gzFile f, const struct table_head *head, const struct profile *profiles,
                      const struct listener *to, const char *path)
{
    char text[WORD_BYTES] = "";
    size_t len = 0;
    for (uint32_t i = 1; i <= head->words; i++) {
        unsigned char part[4];
        int rc = get(f, part, 4, path);
        size_t shared = part[0], rest = part[1];
        unsigned number = part[2] | part[3] << 8;
        if (!rc && (shared > len || shared + rest > WORD_BYTES || shared + rest == 0 || number >= head->profiles))
            rc = FAIL(EFORMAT_, "%s: word %u of the table is damaged; install it again", path, i);
        if (!rc)
            rc = get(f, text + shared, rest, path);
        if (rc)
            return rc;
        len = shared + rest;
        struct word *w = &t->words[i];
        const struct profile *p = &profiles[number];
        *w = (struct word){.is = p->is, .noun = p->noun, .verb = p->verb, .class = p->class, .tag = p->tag, .kind = p->kind,
                           .traits = p->frames & (FRAME_OBJECT | FRAME_NONE)};
        w->traits |= word_traits(w, text, len);
        w->set = mends_add(t, w, true, text, len);
        if (i > head->rows)
            fold(t->weights, text, len, word_has(text, len), w);
        insert(t, word_hash(text, len), i);
        if (to->word)
            to->word(to->user, text, len);
    }
    return 0;
}

static int read_pairs(struct table *t, gzFile f, uint32_t n, const char *path)
{
    uint32_t pair = 0, more;
    for (uint32_t k = 0; k < n; k++) {
        int rc = get(f, &more, sizeof more, path);
        if (!rc && (more == 0 || pair + more < pair))
            rc = FAIL(EFORMAT_, "%s: pair %u of the table is damaged; install it again", path, k);
        if (rc)
            return rc;
        pair += more;
        uint32_t i = (pair >> 1) & t->pair_mask;
        while (t->pairs[i])
            i = (i + 1) & t->pair_mask;
        t->pairs[i] = pair;
    }
    return 0;
}

static void join_rows(struct table *t)
{
    const struct weights *w = t->weights;
    struct rows *r = t->rows;
    memset(r, 0, sizeof *r);
    for (int a = 0; a < HISTORY; a++) {
        memcpy(r->tags[a], w->tags[a], sizeof w->tags[a]);
        for (int b = 0; b < CLASSES; b++) {
            memcpy(r->class[b][0][a], w->tag_class[a][b], sizeof(scores));
            memcpy(r->class[b][1][a], w->tag_after[a][b], sizeof(scores));
        }
    }
    for (int a = 0; a < CLASSES; a++)
        for (int b = 0; b < CLASSES; b++) {
            struct pair_rows *p = &r->pair[a][b];
            memcpy(p->before, w->pair_before[a][b], sizeof(scores));
            memcpy(p->after, w->pair_after[a][b], sizeof(scores));
            memcpy(p->ahead, w->pair_ahead[a][b], sizeof(scores));
            memcpy(p->behind, w->pair_behind[a][b], sizeof(scores));
        }
    for (unsigned a = 0; a < SHAPES; a++)
        for (unsigned shape = 0; shape < SHAPES; shape++)
            for (unsigned b = 0; b < SHAPES; b++)
                for (unsigned class = 0; class < CLASSES; class++)
                    for (int k = 0; k < TAGS; k++)
                        r->written[written_row(a, shape, b)][class][k] =
                            (int16_t)(w->shape_before[a][k] + w->shape[shape][class][k] + w->shape_after[b][k]);
}

static int read_table(struct table *t, gzFile f, const struct listener *to, const char *path)
{
    struct table_head head;
    struct profile *profiles = NULL;
    int rc = get(f, &head, sizeof head, path);
    if (!rc && (memcmp(head.magic, TABLE_MAGIC, sizeof head.magic) != 0 || head.words >= 1u << 22 || head.rows > head.words ||
                head.edits > 65535 || head.profiles > 65535 || head.pairs >= 1u << 20))
        return FAIL(EFORMAT_, "%s: not a word table of this version of the program (it opens with \"%s\")", path, TABLE_MAGIC);
    if (rc)
        return rc;
    t->count = head.words + 1;
    t->n_edits = (int)head.edits;
    uint64_t slots = 1, pairs = 1;
    while (slots < 2 * (uint64_t)t->count)
        slots *= 2;
    while (pairs < 2 * (uint64_t)head.pairs + 1)
        pairs *= 2;
    t->mask = (uint32_t)(slots - 1);
    t->pair_mask = (uint32_t)(pairs - 1);
    struct arena a = {0};
    for (int pass = 0; !rc && pass < 2; pass++) {
        t->words = arena_take(&a, (size_t)t->count * sizeof *t->words);
        t->slots = arena_take(&a, slots * sizeof *t->slots);
        t->pairs = arena_take(&a, pairs * sizeof *t->pairs);
        t->weights = arena_take(&a, sizeof *t->weights);
        t->rows = arena_take(&a, sizeof *t->rows);
        t->edits = arena_take(&a, (head.edits + 1) * sizeof *t->edits);
        t->mends = arena_take(&a, MENDS_ROOM * sizeof *t->mends);
        t->mends_keys = arena_take(&a, MENDS_KEYS * sizeof *t->mends_keys);
        if (pass == 0)
            rc = arena_commit(&a);
    }
    t->memory = a.block;
    profiles = rc ? NULL : calloc(head.profiles + 1, sizeof *profiles);
    if (!rc && !profiles)
        rc = FAIL(EMEMORY_, "out of memory for the word table");
    if (!rc) {
        memset(t->slots, 0, slots * sizeof *t->slots);
        memset(t->pairs, 0, pairs * sizeof *t->pairs);
        memset(t->words, 0, sizeof *t->words);
        t->words[0].tag = NO_TAG;
        rc = get(f, t->edits, head.edits * sizeof *t->edits, path);
    }
    for (uint32_t i = 0; !rc && i < head.edits; i++)
        if (!memchr(t->edits[i].add, 0, sizeof t->edits[i].add))
            rc = FAIL(EFORMAT_, "%s: ending %u of the table is damaged; install it again", path, i);
    if (!rc)
        rc = get(f, profiles, head.profiles * sizeof *profiles, path);
    for (uint32_t i = 0; !rc && i < head.profiles; i++)
        if (profiles[i].class >= CLASSES || profiles[i].tag > NO_TAG || profiles[i].noun >= head.edits ||
            profiles[i].verb >= head.edits)
            rc = FAIL(EFORMAT_, "%s: profile %u of the table is damaged; install it again", path, i);
    if (!rc)
        rc = get(f, t->weights, sizeof *t->weights, path);
    if (!rc) {
        join_rows(t);
        mends_begin(t);
        rc = read_words(t, f, &head, profiles, to, path);
    }
    for (uint32_t i = 1; !rc && i <= head.rows; i++)
        rc = get(f, &t->words[i], 3 * sizeof(scores), path);
    if (!rc)
        rc = read_pairs(t, f, head.pairs, path);
    if (!rc)
        lists_mark(t);
    free(profiles);
    return rc;
}

int table_open(struct table **out, const char *path) { return table_open_spelled(out, path, NULL, NULL); }

int table_open_spelled(struct table **out, const char *path, void (*word)(void *user, const char *text, size_t len), void *user)
{
    struct listener to = {word, user};
    char *installed = NULL;
    struct table *t = NULL;
    gzFile f = NULL;
    int rc = 0;
    *out = NULL;
    if (!path)
        rc = table_path(&installed);
    if (!rc) {
        path = path ? path : installed;
        f = gzopen(path, "rb");
        t = calloc(1, sizeof *t);
        rc = !t ? FAIL(EMEMORY_, "out of memory for the word table") :
             !f ? FAIL(EMISSING_, "%s: the word table cannot be read", path) : read_table(t, f, &to, path);
    }
    if (f)
        gzclose(f);
    if (rc) {
        table_close(t);
        t = NULL;
    }
    free(installed);
    *out = t;
    return rc;
}

void table_close(struct table *t)
{
    if (!t)
        return;
    free(t->memory);
    free(t);
}
