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

static const uint8_t letter_byte[256] = {['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, [0x80 ... 0xff] = 1};

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
    static const uint8_t shapes[8] = {LOWER, CAPITAL, MIXED, MIXED, LOWER, CAPITAL, UPPER, UPPER};
    unsigned one = upper == 1, other = upper > 1, several = (upper & (upper - 1)) != 0, none = lower == 0;
    return shapes[other << 1 | one | (none & (several | one)) << 2];
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
static inline __attribute__((always_inline)) void put_piece(struct parser *p, int number, int start, int end, unsigned flags)
{
    uint64_t low[2], hash;
    int n = end - start;
    first_bytes(p->lower + start, n, low);
    hash = n <= 16 ? word_hash_block(WORD_SEED, low[0], low[1]) : word_hash(p->lower + start, (size_t)n);
    __builtin_prefetch(&p->table->slots[(uint32_t)hash & p->table->mask]);
    p->piece[number] = (struct piece){.start = (uint16_t)start, .len = (uint16_t)n, .flags = (uint8_t)flags};
    p->hash[CAPTION_AROUND + number] = hash;
}

static void add_piece(struct parser *p, int start, int end, unsigned flags)
{
    if (p->pieces < CAPTION_WORDS && end > start)
        put_piece(p, p->pieces++, start, end, flags);
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

// A word that no blank ends at `run`; where the next one may start.
static int split_word(struct parser *p, int i)
{
    static const char *const endings[] = {".com", ".net", ".org", ".co.uk", ".io", ".html", ".de"};
    if ((p->lower[i] == 'h' && (starts(p, i, "http://") || starts(p, i, "https://"))) || (p->lower[i] == 'w' && starts(p, i, "www.")))
        return skip_to_blank(p, i);
    int end = word_end(p, i), url = 0;
    for (size_t k = 0; p->text[end] == '.' && k < sizeof endings / sizeof *endings; k++)
        url |= starts(p, end, endings[k]);
    if (url || p->text[end] == '@')
        return skip_to_blank(p, i);
    add_word(p, i, end, 0);
    return after_word(p, i, end);
}

static int split_sign(struct parser *p, int i)
{
    unsigned char c = (unsigned char)p->text[i], next = (unsigned char)p->text[i + 1];
    int end;
    if (c == '@' && is_word(next))
        return skip_to_blank(p, i);
    if (c == '#' && is_letter(next)) {
        end = word_end(p, i + 1);
        add_piece(p, i + 1, end, PIECE_HASH);
        p->hashtags = true;
        return end;
    }
    if (c == '.' && is_digit(next) && (i == 0 || !is_word((unsigned char)p->text[i - 1]))) {
        end = word_end(p, i + 1);   // $.05
        add_piece(p, i, end, 0);
        return end;
    }
    for (end = i + 1; end < p->length && p->text[end] == p->text[i];)
        end++;
    bool apart = (i == 0 || p->text[i - 1] == ' ') && (i + 1 == p->length || next == ' ');
    add_piece(p, i, i + 1, apart || (c == '-' && end > i + 1) ? PIECE_ALONE : 0);   // -- is a dash
    return end;
}

static void split(struct parser *p)
{
    int i = 0, n = 0, length = p->length;
    while (i < length && n < CAPTION_WORDS) {
        uint64_t word = scan_window(p->is_word, i);
        if (word & 1) {
            int run = ~word ? i + __builtin_ctzll(~word) : run_end(p, i);
            if ((p->text[run] & ~' ') == 0) {   // a blank or the end: most words
                put_piece(p, n++, i, run, 0);
                i = run + 1;
                continue;
            }
        } else if (p->text[i] == ' ') {
            i++;
            continue;
        }
        p->pieces = n;
        i = word & 1 ? split_word(p, i) : split_sign(p, i);
        n = p->pieces;
    }
    p->pieces = n;
}

// --- how words are written ------------------------------------------------------------------------------------------------

static inline unsigned first_byte(const struct parser *p, int i) { return (unsigned char)p->text[p->piece[i].start]; }

// Is the word at i the first of a sentence?
static bool begins(const struct parser *p, int i)
{
    while (--i >= 0 && !letter_byte[first_byte(p, i)]) {
        unsigned c = first_byte(p, i);
        if (c == '.' || c == '!' || c == '?' || c == ':')
            return true;
    }
    return i < 0;
}

static bool long_word(const struct parser *p, int i) { return p->piece[i].len > 3 && letter_byte[first_byte(p, i)]; }

static void find_shapes(struct parser *p)
{
    int words = 0, capitals = 0;   // long ones; not in lower case
    memset(p->shape, LOWER, (size_t)p->pieces);
    for (int i = 0; i < p->pieces; i++) {
        struct piece *k = &p->piece[i];
        uint64_t all = n_bits(k->len), upper = scan_window(p->is_upper, k->start) & all;
        if (!upper && k->len <= 64)
            continue;
        int shape = shape_of(upper, scan_window(p->is_lower, k->start) & all);
        if (k->len > 64)
            shape = long_shape(p->text + k->start, k->len);
        p->shape[i] = k->shape = (uint8_t)(shape == CAPITAL && begins(p, i) ? FIRST_CAPITAL : shape);
        capitals += shape != LOWER && long_word(p, i);
    }
    for (int i = 0; i < p->pieces && capitals >= 2; i++)
        words += long_word(p, i);
    bool title = capitals >= 2 && 4 * capitals >= 3 * words;   // where most words have capitals, they say nothing
    for (int i = 0; i < p->pieces && (title || p->hashtags); i++) {
        struct piece *k = &p->piece[i];
        if (title || (k->flags & PIECE_HASH))
            p->shape[i] = k->shape = k->shape == UPPER && !title ? UPPER : LOWER;
    }
}

// Mostly there is no capital, or one, where the text begins.
static void set_shapes(struct parser *p)
{
    p->shape[p->pieces] = LOWER;
    uint64_t upper = 0, more = 0;
    for (int i = 0; i * SCAN_BLOCK < p->length; i++) {
        more |= upper ? p->is_upper[i] : p->is_upper[i] & (p->is_upper[i] - 1);
        upper |= p->is_upper[i];
    }
    if (more || (upper && !(p->is_upper[0] & 1)) || p->hashtags) {
        find_shapes(p);
        return;
    }
    memset(p->shape, LOWER, (size_t)p->pieces);
    if (upper && p->pieces)
        p->shape[0] = p->piece[0].shape = FIRST_CAPITAL;
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

void words_settle(struct parser *p)
{
    unsigned marks = 0, unknown = 0;
    for (int i = 0; i < p->pieces; i++) {
        const struct word *w = p->word[2 + i];
        struct piece *k = &p->piece[i];
        if (!w) {
            table_unknown(p->table, p->lower + k->start, k->len, &p->unknown[i]);
            p->word[2 + i] = w = &p->unknown[i];
            unknown++;
        }
        k->class = w->class;
        memcpy(&k->marks, &w->marks, 8);   // and is, kind, traits
        marks |= w->marks;
    }
    p->strange = (marks & M_FOREIGN) || unknown >= 2 || p->word[2] == &p->unknown[0] || p->high || p->foreign_letters;
    for (int i = p->pieces; i < p->pieces + CAPTION_AROUND; i++) {
        p->piece[i] = (struct piece){.tag = NO_TAG};
        p->hash[CAPTION_AROUND + i] = 0;
    }
}

void words_cut(struct parser *p, const char *bytes, size_t n)
{
    p->pieces = p->objects = p->attributes = p->relations = 0;
    p->hashtags = false;
    p->word[0] = p->word[1] = &p->table->words[0];
    words_normalise(p, bytes, n);
    split(p);
    set_shapes(p);
}

void words_tag(struct parser *const *p, int n)
{
    struct sentence s[CAPTION_AT_ONCE];
    for (int i = 0; i < n; i++)
        s[i] = (struct sentence){p[i]->word, p[i]->shape, p[i]->pieces, &p[i]->piece->tag, sizeof *p[i]->piece};
    tag_words(p[0]->table, s, n);
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
    int foreign = 0, english = 0, strange = 0, words = 0, high = 0;
    if (2 * p->foreign_letters > p->letters)
        return true;
    if (!p->strange)
        return false;   // the articles below are marked, or not in the table
    for (int i = 0; i < p->pieces; i++) {
        const struct piece *k = &p->piece[i];
        bool capital = k->shape == CAPITAL, small = k->marks & M_FOREIGN;
        if (!letter_byte[(unsigned char)p->text[k->start]])
            continue;
        words++;
        english += (k->marks & M_SMALL) != 0;
        foreign += small && !(capital && k->len > 3);
        strange += !small && !capital && p->word[2 + i] == &p->unknown[i];
        for (int at = k->start; p->high && !capital && at < k->start + k->len; at++)
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
