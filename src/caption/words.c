// SPDX-License-Identifier: Apache-2.0
// Bytes to words. Quotes and dashes become plain ones, signs and pictures blanks, file names their words.
#include <string.h>

#include "base/utf8.h"
#include "caption/caption.h"
#include "caption/lists.h"
#include "caption/tagger.h"

static bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
static bool is_lower(unsigned char c) { return c >= 'a' && c <= 'z'; }
static bool is_upper(unsigned char c) { return c >= 'A' && c <= 'Z'; }
static bool is_letter(unsigned char c) { return is_lower(c | 32) || c >= 0x80; }

static const bool word_byte[256] = {['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, [0x80 ... 0xff] = true};
static bool is_word(unsigned char c) { return word_byte[c]; }

typedef unsigned char block __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

static inline block load(const void *from)
{
    block b;
    memcpy(&b, from, sizeof b);
    return b;
}

// --- normalising -------------------------------------------------------------------------------------------------------

// What a code point is written as: one byte, 0 to keep it, ' ' for what is no part of a word.
static char plain(int32_t c)
{
    if (c == 0x2018 || c == 0x2019 || c == 0x02BC || c == 0xB4)
        return '\'';
    if (c == 0x201C || c == 0x201D || c == 0xAB || c == 0xBB || c == 0x201E)
        return '"';
    if (c >= 0x2010 && c <= 0x2012)
        return '-';
    if (c >= 0x2013 && c <= 0x2015)
        return '|';   // a dash stands between phrases
    if (c == 0x2026 || c == 0x3002)
        return '.';
    if (c < 0xC0 || c == 0xD7 || c == 0xF7 || (c >= 0x2000 && c <= 0x2BFF) || (c >= 0x3000 && c <= 0x303F) ||
        (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xFE00 && c <= 0xFE0F) || c >= 0x1F000 || c == UTF8_BAD)
        return ' ';
    return 0;
}

struct entity { const char *name; char is; };
static const struct entity entities[] = {{"amp;", '&'}, {"quot;", '"'}, {"apos;", '\''}, {"#39;", '\''}, {"#039;", '\''},
                                         {"lt;", ' '}, {"gt;", ' '}, {"nbsp;", ' '}, {"#8217;", '\''}, {"rsquo;", '\''}};

// Bytes at `at` that stay as they are, copied to `out` sixteen at a time; how many, at most n. Writes up to 15 bytes beyond.
static size_t copy_plain(char *out, const unsigned char *at, size_t n)
{
    size_t done = 0;
    while (done < n) {
        unsigned char rest[16] = {0};
        const unsigned char *from = at + done;
        if (n - done < 16)
            from = memcpy(rest, from, n - done);
        block b = load(from);
        block is = (block)((b >= ' ') & (b < 0x7f) & (b != '&') & (b != '<') & (b != '_'));
        halves h = ~(halves)is;
        memcpy(out + done, &b, sizeof b);
        if (h[0] | h[1])
            return done + (size_t)(h[0] ? __builtin_ctzll(h[0]) : 64 + __builtin_ctzll(h[1])) / 8;
        done += 16;
    }
    return n;
}

static void count_letters(struct parser *p)   // what words_foreign asks of texts with letters of other scripts
{
    p->letters = 0;
    for (int i = 0; i < p->length; i++)
        p->letters += is_lower((unsigned char)p->text[i] | 32) || ((unsigned char)p->text[i] & 0xC0) == 0xC0;
}

static void normalise(struct parser *p, const unsigned char *at, size_t n)
{
    const unsigned char *end = at + n;
    char *out = p->text, *room = p->text + CAPTION_BYTES - 4;
    p->letters = p->foreign_letters = 0;
    while (at < end && out < room) {
        size_t most = (size_t)(room - out), run = copy_plain(out, at, (size_t)(end - at) < most ? (size_t)(end - at) : most);
        at += run;
        out += run;
        if (at >= end || out >= room)
            break;
        unsigned char c = *at;
        if (c < 0x80 && c != '&' && c != '<' && c != '_') {
            *out++ = ' ';   // what controls
            at++;
        } else if (c == '_') {
            const char *word = out;   // parts words, but for a handle's
            while (word > p->text && word[-1] != ' ')
                word--;
            bool handle = word < out && *word == '@';
            *out++ = handle ? '_' : ' ';
            at++;
        } else if (c == '&') {
            size_t k = 0, m = sizeof entities / sizeof *entities;
            while (k < m && ((size_t)(end - at) <= strlen(entities[k].name) || memcmp(at + 1, entities[k].name, strlen(entities[k].name)) != 0))
                k++;
            *out++ = k < m ? entities[k].is : '&';
            at += k < m ? 1 + strlen(entities[k].name) : 1;
        } else if (c == '<') {   // a tag of the web, no longer than 200 bytes
            const unsigned char *close = memchr(at, '>', (size_t)(end - at) < 200 ? (size_t)(end - at) : 200);
            bool tag = close && close > at + 1 && (is_letter(at[1]) || at[1] == '/');
            at = tag ? close + 1 : at + 1;
            *out++ = ' ';
        } else {
            const unsigned char *next;
            int32_t rune = utf8_next(at, end, &next);
            char as = plain(rune);
            if (as) {
                *out++ = as;
            } else {
                p->foreign_letters += rune >= 0x370;
                memcpy(out, at, (size_t)(next - at));
                out += next - at;
            }
            at = next;
        }
    }
    while (out > p->text && out[-1] == ' ')
        out--;
    p->length = (int)(out - p->text);
    memset(out, 0, 64);
    if (p->foreign_letters)
        count_letters(p);
}

static bool ends_with(const struct parser *p, const char *with)
{
    int k = (int)strlen(with);
    if (p->length <= k)
        return false;
    for (int i = 0; i < k; i++) {
        unsigned char c = (unsigned char)p->text[p->length - k + i];
        if ((is_upper(c) ? c | 32 : c) != (unsigned char)with[i])
            return false;
    }
    return true;
}

// A picture's file name loses its ending; without blanks its hyphens part words.
static void file_name(struct parser *p)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".svg", ".pdf"};
    bool file = false, blank;
    int hyphens = 0;
    if (p->length <= 0)
        return;
    blank = memchr(p->text, ' ', (size_t)p->length) != NULL;
    if (blank && (p->length < 5 || (p->text[p->length - 4] != '.' && p->text[p->length - 5] != '.')))
        return;
    for (size_t i = 0; !file && i < sizeof endings / sizeof *endings; i++)
        if (ends_with(p, endings[i])) {
            p->length -= (int)strlen(endings[i]);
            memset(p->text + p->length, 0, 8);
            file = true;
        }
    for (int i = 0; i < p->length; i++)
        hyphens += p->text[i] == '-';
    if ((file && !blank) || (!blank && hyphens >= 2))
        for (int i = 0; i < p->length; i++)
            if (p->text[i] == '-' || p->text[i] == '+' || p->text[i] == '.')
                p->text[i] = ' ';
}

// --- splitting ---------------------------------------------------------------------------------------------------------

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

static int shape_of(const char *w, int n)
{
    int upper = 0, lower = 0, inner = 0;
    for (int i = 0; i < n; i++) {
        upper += is_upper((unsigned char)w[i]);
        lower += is_lower((unsigned char)w[i]);
        inner += i > 0 && is_upper((unsigned char)w[i]);
    }
    return !upper ? LOWER : !lower && upper > 1 ? UPPER : inner || !is_upper((unsigned char)w[0]) ? MIXED : CAPITAL;
}

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
    uint64_t as[2], low[2], hash;
    int n = end - start, shape = LOWER;
    first_bytes(p->lower + start, n, low);
    first_bytes(p->text + start, n, as);
    hash = n <= 16 ? word_hash_block(WORD_SEED, low[0], low[1]) : word_hash(p->lower + start, (size_t)n);
    if (as[0] != low[0] || as[1] != low[1] || n > 16)
        shape = shape_of(p->text + start, n);
    __builtin_prefetch(&p->table->slots[(uint32_t)hash & p->table->mask]);
    bool blank = p->text[start - (start > 0)] == ' ', alone = (blank | (start == 0)) & ((end == p->length) | (p->text[end] == ' '));
    flags |= (blank ? PIECE_SPACE : 0) | (alone ? PIECE_ALONE : 0) | (is_letter((unsigned char)p->text[start]) ? PIECE_LETTER : 0);
    *k = (struct piece){.start = (uint16_t)start, .len = (uint16_t)n, .shape = (uint8_t)shape, .tag = NO_TAG, .flags = (uint8_t)flags};
    p->hash[CAPTION_AROUND + p->pieces++] = hash;
}

static void look_up(struct parser *p)
{
    for (int i = 0; i < p->pieces; i++) {
        const struct word *w = table_find(p->table, p->hash[CAPTION_AROUND + i]);
        p->word[2 + i] = w;
        __builtin_prefetch(w);
    }
    for (int i = 0; i < p->pieces; i++)
        if (!p->word[2 + i]) {
            table_unknown(p->table, p->lower + p->piece[i].start, p->piece[i].len, &p->unknown[i]);
            p->word[2 + i] = &p->unknown[i];
        }
}

// The pieces' words' properties beside them, and nothing behind the last.
static void copy_words(struct parser *p)
{
    for (int i = 0; i < p->pieces; i++) {
        const struct word *w = p->word[2 + i];
        struct piece *k = &p->piece[i];
        k->class = w->class;
        k->marks = w->marks;
        k->is = w->is;
        k->kind = w->kind;
        k->traits = w->traits;
    }
    for (int i = p->pieces; i < p->pieces + CAPTION_AROUND; i++) {
        p->piece[i] = (struct piece){.tag = NO_TAG};
        p->hash[CAPTION_AROUND + i] = 0;
    }
}

// Behind the letters and digits from i on; the text ends with blanks enough.
static inline int run_end(const char *t, int i)
{
    for (;; i += 16) {
        block b = load(t + i), low = b | 32;
        halves h = ~(halves)((block)((low >= 'a') & (low <= 'z')) | (block)((b >= '0') & (b <= '9')) | (block)(b >= 0x80));
        if (h[0] | h[1])
            return i + (h[0] ? __builtin_ctzll(h[0]) : 64 + __builtin_ctzll(h[1])) / 8;
    }
}

// The end of the word that starts at i; apostrophes and hyphens belong to it where letters go on behind them.
static int word_end(const struct parser *p, int i)
{
    const char *t = p->text;
    int from = i;
    for (;;) {
        i = run_end(t, i);
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
            int run = run_end(p->text, i);
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
            add_piece(p, i, i + 1, c == '-' && end > i + 1 ? PIECE_ALONE : 0);   // -- is a dash
            i = end;
        }
    }
}

// Where most words have capitals, capitals say nothing.
static void settle_shapes(struct parser *p)
{
    int capital = 0, words = 0;
    bool first = true;
    for (int i = 0; i < p->pieces; i++) {
        int counts = (p->piece[i].len > 3) & ((p->piece[i].flags & PIECE_LETTER) != 0);
        capital += counts & (p->piece[i].shape != LOWER);
        words += counts;
    }
    bool title = words >= 2 && 4 * capital >= 3 * words;
    for (int i = 0; i < p->pieces; i++) {
        struct piece *k = &p->piece[i];
        bool letter = k->flags & PIECE_LETTER;
        if (title || (k->flags & PIECE_HASH))
            k->shape = k->shape == UPPER && !title ? UPPER : LOWER;
        else if (first && k->shape == CAPITAL)
            k->shape = FIRST_CAPITAL;
        if (letter)
            first = false;
        else if (p->text[k->start] == '.' || p->text[k->start] == '!' || p->text[k->start] == '?' || p->text[k->start] == ':')
            first = true;
    }
}

static void make_lower(struct parser *p)
{
    block high = {0};
    for (int i = 0; i < p->length + 8; i += 16) {
        block b = load(p->text + i), up = (block)((b >= 'A') & (b <= 'Z'));
        high |= b;
        b |= up & 32;
        memcpy(p->lower + i, &b, sizeof b);
    }
    halves h = (halves)high & 0x8080808080808080u;
    p->high = h[0] | h[1];
}

void words_split(struct parser *p, const char *bytes, size_t n)
{
    p->pieces = p->objects = p->attributes = p->relations = 0;
    p->word[0] = p->word[1] = &p->table->words[0];
    normalise(p, (const unsigned char *)bytes, n);
    file_name(p);
    make_lower(p);
    split(p);
    look_up(p);
    settle_shapes(p);
    copy_words(p);
    p->word[2 + p->pieces] = p->word[3 + p->pieces] = &p->table->words[0];
}

void words_tag(struct parser *p)
{
    uint8_t shapes[CAPTION_WORDS], tags[CAPTION_WORDS];
    for (int i = 0; i < p->pieces; i++)
        shapes[i] = p->piece[i].shape;
    tag_words(p->table, p->word, shapes, p->pieces, tags);
    for (int i = 0; i < p->pieces; i++)
        p->piece[i].tag = tags[i];
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
    for (int i = 0; i < p->pieces; i++) {
        const struct word *w = p->word[2 + i];
        if (!(p->piece[i].flags & PIECE_LETTER))
            continue;
        bool capital = p->piece[i].shape == CAPITAL;
        bool small = p->piece[i].marks & M_FOREIGN;
        words++;
        english += (p->piece[i].marks & M_SMALL) != 0;
        foreign += small && !(capital && p->piece[i].len > 3);
        strange += !small && !capital && w >= p->unknown && w < p->unknown + CAPTION_WORDS;
        for (int k = 0; p->high && k < p->piece[i].len; k++)
            if ((unsigned char)p->text[p->piece[i].start + k] >= 0x80 && !capital) {
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
