// SPDX-License-Identifier: Apache-2.0
#include "model/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "base/utf8.h"

enum { NO_RANK = 0xFFFF, DEAD = 0xFFFF };

struct pair {
    uint32_t key;            // left id << 16 | right id; FREE when unused
    uint16_t rank, result;
};
#define FREE UINT32_MAX

struct bpe {
    int merges;
    struct pair *pair;       // open addressing
    uint32_t mask;
    uint8_t byte_id[256];
};

static int printable(int byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

// Printable bytes before this one: ids count those first, then the others, whose letters count up from 256.
static int printable_before(int byte)
{
    int n = 0;
    n += byte <= 33 ? 0 : byte <= 126 ? byte - 33 : 94;
    n += byte <= 161 ? 0 : byte <= 172 ? byte - 161 : 12;
    n += byte <= 174 ? 0 : byte - 174;
    return n;
}

int32_t bpe_letter(int byte) { return printable(byte) ? byte : 256 + byte - printable_before(byte); }
int bpe_byte_id(int byte) { return printable(byte) ? printable_before(byte) : 188 + byte - printable_before(byte); }

static uint32_t hash_pair(uint32_t key)
{
    key *= 0x9E3779B1u;
    return key ^ key >> 15;
}

static const struct pair *find(const struct bpe *b, uint32_t left, uint32_t right)
{
    uint32_t key = left << 16 | right;
    for (uint32_t i = hash_pair(key) & b->mask;; i = (i + 1) & b->mask) {
        if (b->pair[i].key == key)
            return &b->pair[i];
        if (b->pair[i].key == FREE)
            return NULL;
    }
}

static unsigned rank_of(const struct bpe *b, uint32_t left, uint32_t right)
{
    const struct pair *p = find(b, left, right);
    return p ? p->rank : NO_RANK;
}

// A pair named twice takes its later rank, as the reference's dictionary does.
static void put(struct bpe *b, uint32_t left, uint32_t right, int rank, int result)
{
    uint32_t key = left << 16 | right, i = hash_pair(key) & b->mask;
    while (b->pair[i].key != FREE && b->pair[i].key != key)
        i = (i + 1) & b->mask;
    b->pair[i] = (struct pair){key, (uint16_t)rank, (uint16_t)result};
}

static int byte_symbols(struct map *symbols)
{
    for (int end = 0; end < 2; end++)
        for (int byte = 0; byte < 256; byte++) {
            char text[16];
            int n = utf8_put(text, bpe_letter(byte));
            memcpy(text + n, "</w>", 4);
            int rc = map_put(symbols, text, (size_t)(n + 4 * end), bpe_byte_id(byte) + 256 * end);
            if (rc)
                return rc;
        }
    return 0;
}

struct line {
    const char *at, *gap, *end;   // "left right", gap at the space
};

// The next "a b" line at *p; at the end of the text `at` is NULL.
static int next_line(struct line *line, const char **p, const char *stop, int64_t number, const char *from)
{
    *line = (struct line){0};
    if (*p >= stop)
        return 0;
    const char *at = *p, *end = memchr(at, '\n', (size_t)(stop - at));
    *p = end ? end + 1 : stop;
    end = end ? end : stop;
    if (end > at && end[-1] == '\r')
        end--;
    if (end == at && *p >= stop)
        return 0;
    const char *gap = memchr(at, ' ', (size_t)(end - at));
    if (!gap || gap == at || gap + 1 == end || memchr(gap + 1, ' ', (size_t)(end - gap - 1)))
        return FAIL(EFORMAT_, "%s: line %lld: expected two symbols and a space between, as in \"t h\", found \"%.*s\"",
                    from, (long long)number, (int)(end - at < 60 ? end - at : 60), at);
    *line = (struct line){at, gap, end};
    return 0;
}

static int parse(struct bpe *b, struct map *symbols, const char *text, size_t len, int most, const char *from)
{
    const char *stop = text + len, *first = len ? memchr(text, '\n', len) : NULL;
    if (len == 0 || (!first && len < 8))
        return FAIL(EFORMAT_, "%s: no merges: expected a header line, then a pair of symbols a line", from);
    first = first ? first + 1 : stop;
    // First the symbols, then the pairs: a pair may name a symbol that a later line makes, as the reference allows.
    struct buf joined = {0};
    struct line line;
    int rc = byte_symbols(symbols), merges = 0;
    for (const char *p = first; !rc && merges < most; merges++) {
        rc = next_line(&line, &p, stop, merges + 2, from);
        if (rc || !line.at)
            break;
        buf_clear(&joined);
        buf_add(&joined, line.at, (size_t)(line.gap - line.at));
        buf_add(&joined, line.gap + 1, (size_t)(line.end - line.gap - 1));
        rc = joined.failed ? joined.failed : map_put(symbols, joined.at, joined.len, 512 + merges);
    }
    uint32_t size = 64;
    while (size < 2u * (uint32_t)merges)
        size *= 2;
    if (!rc && !(b->pair = malloc(size * sizeof *b->pair)))
        rc = FAIL(EMEMORY_, "out of memory: no room for %d merges", merges);
    if (!rc) {
        memset(b->pair, 0xFF, size * sizeof *b->pair);
        b->mask = size - 1;
        b->merges = merges;
        for (int byte = 0; byte < 256; byte++)
            b->byte_id[byte] = (uint8_t)bpe_byte_id(byte);
    }
    const char *p = first;
    for (int rank = 0; !rc && rank < merges; rank++) {
        rc = next_line(&line, &p, stop, rank + 2, from);
        if (rc || !line.at)
            break;
        size_t nl = (size_t)(line.gap - line.at), nr = (size_t)(line.end - line.gap - 1);
        int64_t left = map_get(symbols, line.at, nl, -1), right = map_get(symbols, line.gap + 1, nr, -1);
        if (left < 0 || right < 0) {
            rc = FAIL(EFORMAT_, "%s: line %d: the symbol \"%.*s\" is made by no line; is this a merges file?",
                      from, rank + 2, (int)(left < 0 ? nl : nr), left < 0 ? line.at : line.gap + 1);
            break;
        }
        buf_clear(&joined);
        buf_add(&joined, line.at, nl);
        buf_add(&joined, line.gap + 1, nr);
        put(b, (uint32_t)left, (uint32_t)right, rank, (int)map_get(symbols, joined.at, joined.len, -1));
    }
    buf_free(&joined);
    return rc;
}

int bpe_parse(struct bpe **out, const char *text, size_t len, int most, const char *from)
{
    struct map *symbols = map_new();
    struct bpe *b = calloc(1, sizeof *b);
    int rc = symbols && b ? parse(b, symbols, text, len, most, from) : FAIL(EMEMORY_, "%s: out of memory", from);
    map_free(symbols);
    if (rc) {
        bpe_free(b);
        b = NULL;
    }
    *out = b;
    return rc;
}

void bpe_free(struct bpe *b)
{
    if (!b)
        return;
    free(b->pair);
    free(b);
}

int bpe_merges(const struct bpe *b) { return b->merges; }

// Short words: find the lowest rank, merge every place it stands at from left to right, look again at what changed.
static int merge_short(const struct bpe *b, uint16_t *ids, int n)
{
    uint16_t rank[BPE_SHORT];   // of the pair that starts there
    uint64_t changed = (1ull << (n - 1)) - 1;
    for (;;) {
        unsigned best = NO_RANK;
        for (int i = 0; i + 1 < n; i++) {
            if (changed >> i & 1)
                rank[i] = (uint16_t)rank_of(b, ids[i], ids[i + 1]);
            best = rank[i] < best ? rank[i] : best;
        }
        if (best == NO_RANK)
            return n;
        changed = 0;
        int to = 0;
        for (int i = 0; i < n; i++, to++) {
            if (i + 1 < n && rank[i] == best) {
                ids[to] = find(b, ids[i], ids[i + 1])->result;
                changed |= 1ull << to | (1ull << to) >> 1;
                i++;
            } else {
                ids[to] = ids[i];
                rank[to] = i + 1 < n ? rank[i] : NO_RANK;
            }
        }
        n = to;
    }
}

// Long words (hostile ones may be megabytes): symbols as a linked list, pairs in a heap by (rank, place). One round
// takes all entries of the lowest rank, then offers the pairs that came up: the same order as above.
struct heap {
    uint64_t *at;
    int64_t n;
};

static void heap_push(struct heap *h, uint64_t x)
{
    int64_t i = h->n++;
    for (; i > 0 && h->at[(i - 1) / 2] > x; i = (i - 1) / 2)
        h->at[i] = h->at[(i - 1) / 2];
    h->at[i] = x;
}

static uint64_t heap_pop(struct heap *h)
{
    uint64_t top = h->at[0], x = h->at[--h->n];
    int64_t i = 0;
    for (int64_t k = 1; k < h->n; k = 2 * i + 1) {
        if (k + 1 < h->n && h->at[k + 1] < h->at[k])
            k++;
        if (h->at[k] >= x)
            break;
        h->at[i] = h->at[k];
        i = k;
    }
    h->at[i] = x;
    return top;
}

static int merge_long(const struct bpe *b, uint16_t *ids, int n, struct buf *work)
{
    // heap: n first pairs and two for each merge; links; places whose pairs changed in this round, two a merge
    size_t need = (size_t)n * (3 * sizeof(uint64_t) + 4 * sizeof(int32_t)) + 64;
    static const char zero[4096];
    while (work->len < need && !work->failed)
        buf_add(work, zero, need - work->len < sizeof zero ? need - work->len : sizeof zero);
    if (work->failed)
        return work->failed;
    struct heap heap = {(uint64_t *)(void *)work->at, 0};
    int32_t *prev = (int32_t *)(heap.at + 3 * (size_t)n), *next = prev + n, *changed = next + n;
    for (int i = 0; i < n; i++) {
        prev[i] = i - 1;
        next[i] = i + 1 < n ? i + 1 : -1;
        unsigned rank = i + 1 < n ? rank_of(b, ids[i], ids[i + 1]) : NO_RANK;
        if (rank != NO_RANK)
            heap_push(&heap, (uint64_t)rank << 32 | (uint32_t)i);
    }
    while (heap.n > 0) {
        uint64_t rank = heap.at[0] >> 32;
        int changes = 0;
        while (heap.n > 0 && heap.at[0] >> 32 == rank) {
            int i = (int)(uint32_t)heap_pop(&heap);
            if (ids[i] == DEAD || next[i] < 0)
                continue;
            const struct pair *p = find(b, ids[i], ids[next[i]]);
            if (!p || p->rank != rank)
                continue;
            int gone = next[i];
            ids[i] = p->result;
            ids[gone] = DEAD;
            next[i] = next[gone];
            if (next[i] >= 0)
                prev[next[i]] = i;
            changed[changes++] = i;
            if (prev[i] >= 0)
                changed[changes++] = prev[i];
        }
        for (int k = 0; k < changes; k++) {
            int i = changed[k];
            unsigned r = ids[i] == DEAD || next[i] < 0 ? NO_RANK : rank_of(b, ids[i], ids[next[i]]);
            if (r != NO_RANK)
                heap_push(&heap, (uint64_t)r << 32 | (uint32_t)i);
        }
    }
    int to = 0;
    for (int i = 0; i >= 0; i = next[i])
        ids[to++] = ids[i];
    return to;
}

int bpe_word(const struct bpe *b, const unsigned char *word, int n, uint16_t *ids, struct buf *work)
{
    for (int i = 0; i < n; i++)
        ids[i] = b->byte_id[word[i]];
    ids[n - 1] += 256;
    return n < BPE_SHORT ? merge_short(b, ids, n) : merge_long(b, ids, n, work);
}
