// SPDX-License-Identifier: Apache-2.0
// The counts of all pairs are kept and only the words that hold a merged pair are touched, so a merge costs what it
// changes. The heap is lazy: an entry's count may be too high by now; then it goes back in with the true one.
#include "model/learn.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "base/utf8.h"
#include "model/bpe.h"
#include "model/clean.h"
#include "model/split.h"

struct pair {
    int32_t left, right;
    int64_t count;       // occurrences now
    int64_t offered;     // count of its newest heap entry; 0: none
    int32_t *word;       // [words] that hold it, or once did
    int32_t words, room;
};

struct candidate {
    int64_t count;
    int32_t pair;
};

struct learner {
    struct map *words;                   // bytes -> count
    int64_t total;
    struct clean clean;
    struct buf text;
    // learning
    struct map *symbols;                 // letters -> id, ids in order of insertion
    int32_t *sym;                        // all words' symbols, each word from start[w] on
    int64_t *start;
    int32_t *len;                        // shrinks as pairs merge
    struct map *index;                   // (left, right) -> place in pair
    struct pair *pair;
    int64_t pairs, pair_room;
    struct candidate *heap;
    int64_t heap_n, heap_room;
    int32_t *touched;                    // pairs whose count rose in this merge
    int64_t touched_n, touched_room;
};

struct learner *learner_new(void)
{
    struct learner *l = calloc(1, sizeof *l);
    if (l)
        l->words = map_new();
    if (!l || !l->words) {
        FAIL(EMEMORY_, "out of memory: no room to count words");
        free(l);
        return NULL;
    }
    return l;
}

void learner_free(struct learner *l)
{
    if (!l)
        return;
    map_free(l->words);
    clean_free(&l->clean);
    buf_free(&l->text);
    map_free(l->symbols);
    map_free(l->index);
    for (int64_t i = 0; i < l->pairs; i++)
        free(l->pair[i].word);
    free(l->pair);
    free(l->sym);
    free(l->start);
    free(l->len);
    free(l->heap);
    free(l->touched);
    free(l);
}

int64_t learner_words(const struct learner *l) { return l->total; }
int64_t learner_distinct(const struct learner *l) { return map_count(l->words); }

int learner_add(struct learner *l, const char *text, size_t len)
{
    int rc = clean_text(&l->clean, &l->text, text, len);
    if (rc)
        return rc;
    size_t at = 0, from;
    for (enum piece p; (p = split_next(l->text.at, l->text.len, &at, &from)) != PIECE_NONE;) {
        if (p != PIECE_WORD)
            continue;
        int64_t *count = map_slot(l->words, l->text.at + from, at - from, 0);
        if (!count)
            return EMEMORY_;
        ++*count;
        l->total++;
    }
    return 0;
}

// Room for one more element; EMEMORY_.
static int more(void **array, int64_t n, int64_t *room, size_t size)
{
    if (n < *room)
        return 0;
    int64_t wide = *room ? 2 * *room : 16;
    void *p = realloc(*array, (size_t)wide * size);
    if (!p)
        return FAIL(EMEMORY_, "out of memory: learning merges needs more than %lld entries", (long long)n);
    *array = p;
    *room = wide;
    return 0;
}

static bool before(const struct learner *l, struct candidate a, struct candidate b)
{
    if (a.count != b.count)
        return a.count > b.count;
    const struct pair *p = &l->pair[a.pair], *q = &l->pair[b.pair];
    return p->left != q->left ? p->left < q->left : p->right < q->right;
}

static int heap_push(struct learner *l, int32_t pair)
{
    int rc = more((void **)&l->heap, l->heap_n, &l->heap_room, sizeof *l->heap);
    if (rc)
        return rc;
    struct candidate x = {l->pair[pair].count, pair};
    l->pair[pair].offered = x.count;
    int64_t i = l->heap_n++;
    for (; i > 0 && before(l, x, l->heap[(i - 1) / 2]); i = (i - 1) / 2)
        l->heap[i] = l->heap[(i - 1) / 2];
    l->heap[i] = x;
    return 0;
}

static struct candidate heap_pop(struct learner *l)
{
    struct candidate top = l->heap[0], x = l->heap[--l->heap_n];
    int64_t i = 0;
    for (int64_t k = 1; k < l->heap_n; k = 2 * i + 1) {
        if (k + 1 < l->heap_n && before(l, l->heap[k + 1], l->heap[k]))
            k++;
        if (!before(l, l->heap[k], x))
            break;
        l->heap[i] = l->heap[k];
        i = k;
    }
    l->heap[i] = x;
    return top;
}

// The pair's place, made when new; negative: EMEMORY_.
static int64_t pair_at(struct learner *l, int32_t left, int32_t right)
{
    int32_t key[2] = {left, right};
    int64_t *slot = map_slot(l->index, key, sizeof key, -1);
    if (!slot)
        return EMEMORY_;
    if (*slot < 0) {
        int rc = l->pairs < INT32_MAX ? more((void **)&l->pair, l->pairs, &l->pair_room, sizeof *l->pair) : EMEMORY_;
        if (rc)
            return rc;
        *slot = l->pairs;
        l->pair[l->pairs++] = (struct pair){.left = left, .right = right};
    }
    return *slot;
}

// `n` more occurrences of the pair in word w.
static int pair_add(struct learner *l, int32_t left, int32_t right, int32_t w, int64_t n)
{
    int64_t i = pair_at(l, left, right);
    if (i < 0)
        return (int)i;
    struct pair *p = &l->pair[i];
    p->count += n;
    if (p->words && p->word[p->words - 1] == w)
        return 0;
    int64_t room = p->room;
    int rc = more((void **)&p->word, p->words, &room, sizeof *p->word);
    p->room = (int32_t)room;
    if (!rc)
        p->word[p->words++] = w;
    return rc;
}

static int64_t word_count(const struct learner *l, int32_t w)
{
    int64_t n;
    map_key(l->words, w, NULL, &n);
    return n;
}

static int add_symbol(struct map *symbols, const char *text, size_t len, int32_t *id)
{
    int64_t *slot = map_slot(symbols, text, len, map_count(symbols));
    *id = slot ? (int32_t)*slot : 0;
    return slot ? 0 : EMEMORY_;
}

// Every word as the symbols of its bytes, every pair counted.
static int begin(struct learner *l)
{
    int64_t words = map_count(l->words), symbols = 0;
    int32_t of[2][256], id;
    int rc = words < INT32_MAX ? 0 : FAIL(EUSAGE_, "%lld different words are too many", (long long)words);
    l->symbols = map_new();
    l->index = map_new();
    if (!l->symbols || !l->index)
        return EMEMORY_;
    // in the order of the tokenizer's ids, which ties go by
    for (int end = 0; end < 2; end++)
        for (int want = 0; want < 256; want++)
            for (int byte = 0; byte < 256 && !rc; byte++) {
                char text[16];
                if (bpe_byte_id(byte) != want)
                    continue;
                int n = utf8_put(text, bpe_letter(byte));
                memcpy(text + n, "</w>", 4);
                rc = add_symbol(l->symbols, text, (size_t)(n + 4 * end), &id);
                of[end][byte] = id;
            }
    for (int64_t w = 0; w < words; w++) {
        size_t n;
        map_key(l->words, w, &n, NULL);
        symbols += (int64_t)n;
    }
    l->sym = malloc((size_t)(symbols + 1) * sizeof *l->sym);
    l->start = malloc((size_t)(words + 1) * sizeof *l->start);
    l->len = malloc((size_t)(words + 1) * sizeof *l->len);
    if (!rc && (!l->sym || !l->start || !l->len))
        rc = FAIL(EMEMORY_, "out of memory: no room for %lld words", (long long)words);
    int64_t at = 0;
    for (int32_t w = 0; w < words && !rc; w++) {
        size_t n;
        const unsigned char *text = (const unsigned char *)map_key(l->words, w, &n, NULL);
        l->start[w] = at;
        l->len[w] = (int32_t)n;
        for (size_t i = 0; i < n; i++)
            l->sym[at++] = of[i + 1 == n][text[i]];
        const int32_t *s = l->sym + l->start[w];
        for (int32_t i = 0; i + 1 < l->len[w] && !rc; i++)
            rc = pair_add(l, s[i], s[i + 1], w, word_count(l, w));
    }
    for (int64_t i = 0; i < l->pairs && !rc; i++)
        rc = heap_push(l, (int32_t)i);
    return rc;
}

static int touch(struct learner *l, int32_t left, int32_t right)
{
    int rc = more((void **)&l->touched, l->touched_n, &l->touched_room, sizeof *l->touched);
    int64_t i = rc ? rc : pair_at(l, left, right);
    if (i < 0)
        return (int)i;
    l->touched[l->touched_n++] = (int32_t)i;
    return 0;
}

// Merge a pair inside one word: the counts of what was there go, of what is there now come.
static int merge_word(struct learner *l, int32_t w, int32_t left, int32_t right, int32_t made)
{
    int32_t *s = l->sym + l->start[w], n = l->len[w], to = 0;
    bool here = false;
    for (int32_t i = 0; i + 1 < n && !here; i++)
        here = s[i] == left && s[i + 1] == right;
    if (!here)
        return 0;
    int64_t count = word_count(l, w);
    for (int32_t i = 0; i + 1 < n; i++) {
        int64_t p = pair_at(l, s[i], s[i + 1]);
        if (p < 0)
            return (int)p;
        l->pair[p].count -= count;
    }
    for (int32_t i = 0; i < n; i++, to++) {
        bool merge = i + 1 < n && s[i] == left && s[i + 1] == right;
        s[to] = merge ? made : s[i];
        i += merge;
    }
    l->len[w] = to;
    for (int32_t i = 0; i + 1 < to; i++) {
        int rc;
        if (s[i] == made || s[i + 1] == made) {
            rc = pair_add(l, s[i], s[i + 1], w, count);
            rc = rc ? rc : touch(l, s[i], s[i + 1]);
        } else {
            int64_t p = pair_at(l, s[i], s[i + 1]);
            rc = p < 0 ? (int)p : 0;
            if (!rc)
                l->pair[p].count += count;
        }
        if (rc)
            return rc;
    }
    return 0;
}

static int merge(struct learner *l, int32_t best, struct buf *out)
{
    struct pair p = l->pair[best];
    struct buf joined = {0};
    size_t nl, nr;
    const char *left = map_key(l->symbols, p.left, &nl, NULL), *right = map_key(l->symbols, p.right, &nr, NULL);
    buf_add(out, left, nl);
    buf_char(out, ' ');
    buf_add(out, right, nr);
    buf_char(out, '\n');
    buf_add(&joined, left, nl);
    buf_add(&joined, right, nr);
    int32_t made = 0;
    int rc = out->failed | joined.failed ? EMEMORY_ : add_symbol(l->symbols, joined.at, joined.len, &made);
    buf_free(&joined);
    // the list may not grow under our feet: a merged pair gains no words
    l->touched_n = 0;
    for (int32_t i = 0; i < p.words && !rc; i++)
        rc = merge_word(l, p.word[i], p.left, p.right, made);
    for (int64_t i = 0; i < l->touched_n && !rc; i++)
        if (l->pair[l->touched[i]].count > l->pair[l->touched[i]].offered)
            rc = heap_push(l, l->touched[i]);
    return rc;
}

int learner_run(struct learner *l, int merges, struct buf *out, int (*progress)(void *user, int done), void *user)
{
    int done = 0, rc = begin(l);
    buf_str(out, "#version: 0.2\n");
    while (!rc && done < merges && l->heap_n > 0) {
        struct candidate best = heap_pop(l);
        struct pair *p = &l->pair[best.pair];
        if (best.count != p->offered)
            continue;                            // a newer entry stands elsewhere in the heap
        p->offered = 0;
        if (best.count != p->count) {            // too high by now
            rc = p->count >= 2 ? heap_push(l, best.pair) : 0;
            continue;
        }
        if (p->count < 2)
            break;
        rc = merge(l, best.pair, out);
        done++;
        if (!rc && progress && done % 256 == 0)
            rc = progress(user, done);
    }
    return rc ? rc : out->failed ? out->failed : done;
}
