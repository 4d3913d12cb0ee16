// SPDX-License-Identifier: Apache-2.0
// Text to words, and what each word is.
#include <string.h>

#include "caption/caption.h"
#include "caption/lists.h"
#include "caption/spell.h"
#include "caption/tagger.h"

typedef unsigned char block __attribute__((vector_size(16)));

static inline block load(const void *from)
{
    block b;
    memcpy(&b, from, sizeof b);
    return b;
}

// Four counts of pieces in one number.
#define COUNT_WORDS ((uint64_t)1)
#define COUNT_ENGLISH ((uint64_t)1 << 16)
#define COUNT_FOREIGN ((uint64_t)1 << 32)
#define COUNT_STRANGE ((uint64_t)1 << 48)

static int skip_to_blank(const struct parser *p, int i)
{
    while (i < p->length && p->text[i] != ' ')
        i++;
    return i;
}

static bool starts(const struct parser *p, int i, const char *with)
{
    int k = (int)strlen(with);
    for (int j = 0; j < k; j++)
        if (i + j >= p->length || (p->lower[i + j] != with[j]))
            return false;
    return true;
}

// Of a word's capitals and small letters, its first byte lowest.
static inline int shape_of(uint64_t upper, uint64_t lower)
{
    int shape = (upper & 1) && !(upper >> 1) ? CAPITAL : MIXED;
    shape = !lower && (upper & (upper - 1)) ? UPPER : shape;
    return upper ? shape : LOWER;
}

static int long_shape(const char *w, int n)   // of words beyond 64 bytes
{
    uint64_t upper = 0, lower = 0;
    for (int i = 0; i < n; i++) {
        upper |= (uint64_t)is_upper((unsigned char)w[i]) << (i < 2 ? i : 2 + i % 2);   // the first, and whether there are several
        lower |= is_lower((unsigned char)w[i]);
    }
    return shape_of(upper, lower);
}

static inline uint64_t n_bits(int n) { return n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0; }

// The first n bytes of a block, at most 16.
static inline void first_bytes(const char *from, int n, uint64_t out[2])
{
    static const unsigned char some[32] = {[0 ... 15] = 0xff};
    block b = load(from) & load(some + 16 - (n < 16 ? n : 16));
    memcpy(out, &b, sizeof b);
}

// The word is looked up when all are cut: until then its place in the table is on its way to the cache.
static inline void add_piece(struct parser *p, int start, int end, int flags)
{
    if (p->pieces == CAPTION_WORDS || end <= start)
        return;
    struct piece *k = &p->piece[p->pieces];
    uint64_t low[2], hash, all = n_bits(end - start);
    int n = end - start, letter = is_letter((unsigned char)p->text[start]);
    first_bytes(p->lower + start, n, low);
    hash = n <= 16 ? word_hash_block(WORD_SEED, low[0], low[1]) : word_hash(p->lower + start, (size_t)n);
    __builtin_prefetch(&p->table->slots[(uint32_t)hash & p->table->mask]);
    int shape = shape_of(scan_window(p->is_upper, start) & all, scan_window(p->is_lower, start) & all);
    if (n > 64)
        shape = long_shape(p->text + start, n);
    *k = (struct piece){.start = (uint16_t)start, .len = (uint16_t)n, .shape = (uint8_t)shape, .tag = NO_TAG,
                        .flags = (uint8_t)(flags | (letter ? PIECE_LETTER : 0))};
    int counts = (n > 3) & letter;
    p->long_words += counts;
    p->long_capitals += counts & (shape != LOWER);
    p->hash[CAPTION_AROUND + p->pieces++] = hash;
}

// Behind the letters and digits from i on.
static inline int run_end(const struct parser *p, int i)
{
    for (;; i += 64) {
        uint64_t other = ~scan_window(p->is_word, i);
        if (other)
            return i + __builtin_ctzll(other);
    }
}

// The end of the word that starts at i; apostrophes and hyphens belong to it where letters go on behind them.
static int word_end(const struct parser *p, int i)
{
    const char *t = p->text;
    int from = i;
    for (;;) {
        i = run_end(p, i);
        unsigned char c = (unsigned char)t[i], next = (unsigned char)t[i + 1];
        if (c == ' ' || i >= p->length)
            break;
        if (c == '-' && i > from && is_word(next))
            i++;
        else if ((c == '.' || c == ',' || c == ':' || c == '/') && is_digit((unsigned char)t[i - 1]) && is_digit(next))
            i++;
        else if (c == '.' && i - from == 1 && is_letter((unsigned char)t[from]) && is_letter(next) &&
                 (t[i + 2] == '.' || !is_word((unsigned char)t[i + 2])))
            i++;   // U.S.
        else if (c == '.' && i - from >= 3 && t[i - 2] == '.' )
            return i + 1;
        else
            break;
    }
    if (i > from && is_digit((unsigned char)t[i - 1]) && (t[i] == '"' || t[i] == '%'))
        i++;   // 55", 20%
    return i;
}

// "dog's" in two, "don't" in two
static void add_word(struct parser *p, int start, int end, int flags)
{
    static const char *const tails[] = {"'s", "'re", "'ve", "'ll", "'d", "'m"};
    if (p->text[end] == '\'' && is_letter((unsigned char)p->text[end + 1])) {
        int tail = word_end(p, end + 1);
        if (tail - end == 2 && p->lower[end + 1] == 't' && end - start > 1 && p->lower[end - 1] == 'n') {
            add_piece(p, start, end - 1, flags);
            add_piece(p, end - 1, tail, 0);
            return;
        }
        for (size_t k = 0; k < sizeof tails / sizeof *tails; k++)
            if ((int)strlen(tails[k]) == tail - end && starts(p, end, tails[k])) {
                add_piece(p, start, end, flags);
                add_piece(p, end, tail, 0);
                return;
            }
        add_piece(p, start, tail, flags);   // o'clock
        return;
    }
    add_piece(p, start, end, flags);
    if (p->text[end] == '\'' && end > start && p->lower[end - 1] == 's')   // the dogs' bowl
        add_piece(p, end, end + 1, 0);
}

static int after_word(const struct parser *p, int start, int end)
{
    if (p->text[end] != '\'')
        return end;
    if (is_letter((unsigned char)p->text[end + 1]))
        return word_end(p, end + 1);
    return p->lower[end - 1] == 's' && end > start ? end + 1 : end;
}

static void split(struct parser *p)
{
    static const char *const endings[] = {".com", ".net", ".org", ".co.uk", ".io", ".html", ".de"};
    int i = 0;
    while (i < p->length && p->pieces < CAPTION_WORDS) {
        unsigned char c = (unsigned char)p->text[i];
        if (c == ' ') {
            i++;
        } else if (is_word(c)) {
            int run = run_end(p, i);
            if (p->text[run] == ' ' || run == p->length) {   // most words
                add_piece(p, i, run, 0);
                i = run;
                continue;
            }
            if ((p->lower[i] == 'h' && (starts(p, i, "http://") || starts(p, i, "https://"))) || (p->lower[i] == 'w' && starts(p, i, "www."))) {
                i = skip_to_blank(p, i);
                continue;
            }
            int end = word_end(p, i), url = 0;
            for (size_t k = 0; p->text[end] == '.' && k < sizeof endings / sizeof *endings; k++)
                url |= starts(p, end, endings[k]);
            if (url || p->text[end] == '@') {
                i = skip_to_blank(p, i);
                continue;
            }
            add_word(p, i, end, 0);
            i = after_word(p, i, end);
        } else if (c == '@' && is_word((unsigned char)p->text[i + 1])) {
            i = skip_to_blank(p, i);
        } else if (c == '#' && is_letter((unsigned char)p->text[i + 1])) {
            int end = word_end(p, i + 1);
            add_piece(p, i + 1, end, PIECE_HASH);
            i = end;
        } else if (c == '.' && is_digit((unsigned char)p->text[i + 1]) && (i == 0 || !is_word((unsigned char)p->text[i - 1]))) {
            int end = word_end(p, i + 1);   // $.05
            add_piece(p, i, end, 0);
            i = end;
        } else {
            int end = i + 1;
            while (end < p->length && p->text[end] == p->text[i])
                end++;
            bool apart = (i == 0 || p->text[i - 1] == ' ') && (i + 1 == p->length || p->text[i + 1] == ' ');
            add_piece(p, i, i + 1, apart || (c == '-' && end > i + 1) ? PIECE_ALONE : 0);   // -- is a dash
            i = end;
        }
    }
}

void words_find(struct parser *p)
{
    for (int i = 0; i < p->pieces; i++) {
        const struct word *w = table_find(p->table, p->hash[CAPTION_AROUND + i]);
        p->word[2 + i] = w;
        __builtin_prefetch(w);
    }
    p->word[2 + p->pieces] = p->word[3 + p->pieces] = &p->table->words[0];
}

// Where most words have capitals, capitals say nothing.
void words_settle(struct parser *p)
{
    bool title = p->long_words >= 2 && 4 * p->long_capitals >= 3 * p->long_words, first = true;
    uint64_t counts = 0;
    for (int i = 0; i < p->pieces; i++) {
        const struct word *w = p->word[2 + i];
        struct piece *k = &p->piece[i];
        bool letter = k->flags & PIECE_LETTER, unknown = !w;
        if (unknown) {
            table_unknown(p->table, p->lower + k->start, k->len, &p->unknown[i]);
            p->word[2 + i] = w = &p->unknown[i];
        }
        k->class = w->class;
        memcpy(&k->marks, &w->marks, 8);   // and is, kind, traits
        int shape = first && k->shape == CAPITAL ? FIRST_CAPITAL : k->shape;
        if (title || (k->flags & PIECE_HASH))
            shape = k->shape == UPPER && !title ? UPPER : LOWER;
        k->shape = p->shape[i] = (uint8_t)shape;
        char sign = p->text[k->start];
        first = (first | (sign == '.') | (sign == '!') | (sign == '?') | (sign == ':')) & !letter;
        // what words_foreign asks
        bool capital = shape == CAPITAL, small = w->marks & M_FOREIGN;
        counts += letter * (COUNT_WORDS + COUNT_ENGLISH * ((w->marks & M_SMALL) != 0) + COUNT_FOREIGN * (small & !(capital & (k->len > 3))) +
                            COUNT_STRANGE * (!small & !capital & unknown));
    }
    p->counts = counts;
    for (int i = p->pieces; i < p->pieces + CAPTION_AROUND; i++) {
        p->piece[i] = (struct piece){.tag = NO_TAG};
        p->hash[CAPTION_AROUND + i] = 0;
    }
}

void words_cut(struct parser *p, const char *bytes, size_t n)
{
    p->pieces = p->objects = p->attributes = p->relations = p->long_words = p->long_capitals = 0;
    p->word[0] = p->word[1] = &p->table->words[0];
    words_normalise(p, bytes, n);
    split(p);
}

void words_tag(struct parser *const *p, int n)
{
    uint8_t tags[CAPTION_AT_ONCE][CAPTION_WORDS];
    struct sentence s[CAPTION_AT_ONCE] = {{0}};
    for (int i = 0; i < n; i++)
        s[i] = (struct sentence){p[i]->word, p[i]->shape, p[i]->pieces, tags[i]};
    tag_words(p[0]->table, s, n);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < p[i]->pieces; k++)
            p[i]->piece[k].tag = tags[i][k];
}

// "Een framboos": an article no English text begins with, before a word without a capital
static bool foreign_article(const struct parser *p)
{
    static const char *const articles[] = {"un", "una", "une", "een", "ein", "eine", "einen", "ett", "en", "het", "der", "das"};
    const struct piece *k = &p->piece[0];
    if (p->pieces < 2 || is_upper((unsigned char)p->text[p->piece[1].start]) || !is_letter((unsigned char)p->text[p->piece[1].start]))
        return false;
    for (size_t i = 0; i < sizeof articles / sizeof *articles; i++)
        if (k->len == strlen(articles[i]) && memcmp(p->lower + k->start, articles[i], k->len) == 0)
            return true;
    return false;
}

// Another language: another script, or its small words where English ones are missing.
bool words_foreign(const struct parser *p)
{
    int words = p->counts & 0xffff, english = p->counts / COUNT_ENGLISH & 0xffff, foreign = p->counts / COUNT_FOREIGN & 0xffff;
    int strange = (int)(p->counts / COUNT_STRANGE), high = 0;
    if (2 * p->foreign_letters > p->letters)
        return true;
    for (int i = 0; p->high && i < p->pieces; i++) {
        const struct piece *k = &p->piece[i];
        for (int at = k->start; (k->flags & PIECE_LETTER) && k->shape != CAPITAL && at < k->start + k->len; at++)
            if ((unsigned char)p->text[at] >= 0x80) {
                high++;
                break;
            }
    }
    if (words >= 2 && words <= 3 && english == 0 && foreign_article(p))
        return true;
    if (foreign + high >= 2 && foreign + strange + high > 2 * english && 3 * (foreign + strange + high) >= words)
        return true;
    return words >= 3 && english == 0 && 2 * (strange + foreign) > words && strange + foreign >= 2;
}
