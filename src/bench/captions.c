// SPDX-License-Identifier: Apache-2.0
// The caption filter on a million different captions: real ones (tests/golden/captions.tsv), every other word that can be
// exchanged for one of its class in the word table, so that they stay sentences. Seeded: the same in every run.
#include "bench/captions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/rng.h"
#include "caption/caption.h"
#include "caption/spell.h"
#include "caption/tagger.h"

enum { SEED = 11, CAPTIONS = 1000000, TAGGED = 20000, SEEN = 1 << 22, REAL = 2000 };
enum { CLASS_LEAST = 50 };   // words of a class whose words may be exchanged: smaller ones are of small words
#define MANDELBROT 2.7       // a class's words, by rank, as frequent as English has them (Zipf-Mandelbrot)

static const char captions_real[] =
#include "captions_real.h"   // made from that file
;

struct captions {
    struct table *table;
    struct parsers *parsers;
    struct buf text, spelled;            // captions one behind the other; the table's words likewise
    uint32_t *end;                       // of each caption in text
    uint32_t *word_end;                  // of each word in spelled
    uint8_t *word_class;                 // CLASSES: none of a caption's words
    int64_t words, words_room;
    int64_t *of_class, first_of[CLASSES + 1];   // words by class, in the table's order
    struct text real[REAL];
    int reals;
    uint64_t *seen;                      // hashes of captions, open addressing
    // tag_tokens
    const struct word **word;
    uint8_t *class, *shape, *tag;
    int32_t *at;                         // of each token, in word
    int *first;                          // of each caption, in at
    int tokens;
};

void captions_filter_close(void *state)
{
    struct captions *c = state;
    if (!c)
        return;
    parsers_free(c->parsers);
    table_close(c->table);
    buf_free(&c->text);
    buf_free(&c->spelled);
    free(c->end);
    free(c->word_end);
    free(c->word_class);
    free(c->of_class);
    free(c->seen);
    free(c->word);
    free(c->class);
    free(c->shape);
    free(c->tag);
    free(c->at);
    free(c->first);
    free(c);
}

static void spell(void *user, const char *text, size_t len)
{
    struct captions *c = user;
    if (c->words == c->words_room) {
        c->words_room = c->words_room ? 2 * c->words_room : 1 << 16;
        uint32_t *more = realloc(c->word_end, (size_t)c->words_room * sizeof *more);
        if (!more) {
            c->spelled.failed = EMEMORY_;
            return;
        }
        c->word_end = more;
    }
    buf_add(&c->spelled, text, len);
    c->word_end[c->words++] = (uint32_t)c->spelled.len;
}

static struct text spelled(const struct captions *c, int64_t word)
{
    uint32_t from = word ? c->word_end[word - 1] : 0;
    return (struct text){c->spelled.at + from, c->word_end[word] - from};
}

// Words by class; signs, numbers and other scripts are of none.
static int sort_words(struct captions *c)
{
    int64_t at[CLASSES];
    c->of_class = malloc((size_t)c->words * sizeof *c->of_class);
    c->word_class = malloc((size_t)c->words);
    if (!c->of_class || !c->word_class)
        return FAIL(EMEMORY_, "out of memory for words");
    for (int64_t i = 0; i < c->words; i++) {
        struct text word = spelled(c, i);
        const struct word *w = is_lower((unsigned char)*word.at) ? table_word(c->table, word.at, word.len) : NULL;
        c->word_class[i] = w ? w->class : CLASSES;
        if (w)
            c->first_of[w->class + 1]++;
    }
    for (int k = 0; k < CLASSES; k++) {
        c->first_of[k + 1] += c->first_of[k];
        at[k] = c->first_of[k];
    }
    for (int64_t i = 0; i < c->words; i++)
        if (c->word_class[i] < CLASSES)
            c->of_class[at[c->word_class[i]]++] = i;
    return 0;
}

static void read_real(struct captions *c)
{
    for (const char *line = captions_real; *line && c->reals < REAL;) {
        const char *end = line + strcspn(line, "\n"), *column = line;
        for (int k = 0; column && k < 2; k++) {
            column = memchr(column, '\t', (size_t)(end - column));
            column += column != NULL;
        }
        const char *tab = column ? memchr(column, '\t', (size_t)(end - column)) : NULL;
        if (*line != '#' && tab)
            c->real[c->reals++] = (struct text){column, (size_t)(tab - column)};
        line = end + (*end != '\0');
    }
}

static int64_t exchange(const struct captions *c, struct rng *r, const char *word, size_t n)   // the word for it; -1: it stays
{
    char lower[64];
    if (n == 0 || n > sizeof lower)
        return -1;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)(is_upper((unsigned char)word[i]) ? word[i] | 32 : word[i]);
    const struct word *w = table_word(c->table, lower, n);
    int64_t first = w ? c->first_of[w->class] : 0, all = w ? c->first_of[w->class + 1] - first : 0;
    if (all < CLASS_LEAST || rng_below(r, 2))
        return -1;
    int64_t rank = (int64_t)(MANDELBROT * (pow(1 + (double)all / MANDELBROT, rng_uniform(r)) - 1));
    return c->of_class[first + (rank < all ? rank : all - 1)];
}

// A share of them the shorter of two.
static void put_caption(struct captions *c, struct rng *r, double shorter)
{
    struct text caption = c->real[rng_below(r, (uint64_t)c->reals)], other_one = c->real[rng_below(r, (uint64_t)c->reals)];
    if (rng_uniform(r) < shorter && other_one.len < caption.len)
        caption = other_one;
    for (const char *p = caption.at, *end = p + caption.len; p < end;) {
        const char *blank = memchr(p, ' ', (size_t)(end - p)), *to = blank ? blank : end, *word = to;
        while (word > p && !is_word((unsigned char)word[-1]))
            word--;   // signs behind it stay
        int64_t other = exchange(c, r, p, (size_t)(word - p));
        if (other >= 0) {
            struct text by = spelled(c, other);
            buf_char(&c->text, is_upper((unsigned char)*p) ? (char)(*by.at & ~32) : *by.at);
            buf_add(&c->text, by.at + 1, by.len - 1);
        } else {
            buf_add(&c->text, p, (size_t)(word - p));
        }
        buf_add(&c->text, word, (size_t)(to + (blank != NULL) - word));
        p = to + 1;
    }
}

static bool fresh(struct captions *c, const char *text, size_t len)
{
    uint64_t h = word_hash(text, len) | 1;
    for (uint64_t i = h >> 8;; i++) {
        uint64_t *slot = &c->seen[i & (SEEN - 1)];
        if (*slot == h)
            return false;
        if (!*slot) {
            *slot = h;
            return true;
        }
    }
}

// One caption, or a share of them two, as titles and what is said of them stand: 12 tokens as the parser counts, or 7.5.
static int make(struct captions *c, bool longer, int count)
{
    double two = longer ? .46 : 0, shorter = longer ? .05 : .46;
    struct rng r = rng_make(SEED, 1);
    c->end = malloc((size_t)count * sizeof *c->end);
    c->seen = calloc(SEEN, sizeof *c->seen);
    if (!c->end || !c->seen)
        return FAIL(EMEMORY_, "out of memory for captions");
    for (int i = 0; i < count && !c->text.failed;) {
        size_t from = c->text.len;
        put_caption(c, &r, shorter);
        if (rng_uniform(&r) < two && !c->text.failed) {
            buf_str(&c->text, is_word((unsigned char)c->text.at[c->text.len - 1]) ? ". " : " ");
            put_caption(c, &r, shorter);
        }
        if (fresh(c, c->text.at + from, c->text.len - from))
            c->end[i++] = (uint32_t)c->text.len;
        else
            c->text.len = from;
    }
    free(c->seen);
    c->seen = NULL;
    return c->text.failed ? FAIL(c->text.failed, "out of memory for captions") : 0;
}

static int open_all(struct captions **out, double mean, int count)
{
    struct captions *c = *out = calloc(1, sizeof *c);
    if (!c)
        return FAIL(EMEMORY_, "out of memory for captions");
    int rc = table_open_spelled(&c->table, NULL, spell, c);
    if (!rc && !(c->parsers = parsers_new(c->table, CAPTION_AT_ONCE)))
        rc = FAIL(EMEMORY_, "out of memory for the parsers");
    if (!rc)
        rc = c->spelled.failed;
    if (!rc)
        rc = sort_words(c);
    read_real(c);
    return rc ? rc : make(c, mean > 10, count);
}

int captions_filter_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop)
{
    *work = CAPTIONS;
    *flop = 0;
    return open_all((struct captions **)state, (double)s->a / 10, CAPTIONS);
}

int captions_filter_run(void *state)
{
    struct captions *c = state;
    struct text at_once[CAPTION_AT_ONCE];
    uint32_t from = 0;
    for (int i = 0; i < CAPTIONS;) {
        int n = 0;
        for (; n < CAPTION_AT_ONCE && i < CAPTIONS; from = c->end[i++])
            at_once[n++] = (struct text){c->text.at + from, c->end[i] - from};
        parsers_run(c->parsers, at_once, n, 1, true);
    }
    return 0;
}

// --- tags alone: words found before ---------------------------------------------------------------------------------------

int captions_tag_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop)
{
    int rc = open_all((struct captions **)state, (double)s->a / 10, TAGGED);
    struct captions *c = *state;
    int64_t room = (int64_t)TAGGED * 40;
    if (rc)
        return rc;
    c->word = malloc((size_t)room * sizeof *c->word);
    c->class = calloc((size_t)room, 1);
    c->shape = calloc((size_t)room, 1);
    c->tag = malloc((size_t)room);
    c->at = malloc((size_t)room * sizeof *c->at);
    c->first = malloc((TAGGED + 1) * sizeof *c->first);
    if (!c->word || !c->class || !c->shape || !c->tag || !c->at || !c->first)
        return FAIL(EMEMORY_, "out of memory for captions");
    memset(c->tag, NO_TAG, (size_t)room);
    const struct parser *p = c->parsers->parser;
    uint32_t from = 0;
    int put = 0;
    for (; put < 2; put++)
        c->word[put] = &c->table->words[0];
    for (int i = 0; i < TAGGED; from = c->end[i++]) {
        parsers_read(c->parsers, &(struct text){c->text.at + from, c->end[i] - from}, 1);
        c->first[i] = c->tokens;
        for (int k = 0; k < p->pieces && put < room - 2 * (TAGGED - i); k++, put++) {
            // a parser's own words do not stay: the boundary stands for them
            c->word[put] = p->flags[k] & PIECE_UNKNOWN ? &c->table->words[0] : p->word[2 + k];
            c->class[put] = c->word[put]->class;
            c->shape[put] = p->shape[k];
            c->at[c->tokens++] = put;
        }
        for (int k = 0; k < 2; k++)
            c->word[put++] = &c->table->words[0];
    }
    c->first[TAGGED] = c->tokens;
    *work = (double)c->tokens;
    *flop = 0;
    return 0;
}

int captions_tag_run(void *state)
{
    struct captions *c = state;
    for (int i = 0; i < TAGGED; i += CAPTION_AT_ONCE) {
        int to = i + CAPTION_AT_ONCE < TAGGED ? i + CAPTION_AT_ONCE : TAGGED;
        int32_t open[CAPTION_AT_ONCE * CAPTION_WORDS + 1];
        int opens = 0;
        for (int32_t k = c->first[i]; k < c->first[to]; k++)
            opens = tag_known(c->word[c->at[k]], c->at[k], c->tag, open, opens);
        tag_words(c->table, &(struct tokens){c->word, c->class, c->shape, open, opens, c->tag});
    }
    return 0;
}
