// SPDX-License-Identifier: Apache-2.0
// Text to words, and what each word is.
#include <string.h>

#include "caption/cut.h"
#include "caption/lists.h"
#include "caption/spell.h"
#include "caption/tagger.h"

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

static void add_piece(struct parser *p, int start, int end, unsigned flags)
{
    if (p->pieces < CAPTION_WORDS && end > start) {
        cut_word(cutter_of(p->all, (int)(p - p->all->parser)), p->pieces, start, end, flags);
        p->pieces++;
    }
}

// Which of the 64 bytes from i on are letters or digits.
static inline uint64_t word_bits(const struct parser *p, int i)
{
    const struct scan *s = p->is + (i >> 6);
    return scan_window(s[0].word, s[1].word, i & 63);
}

// Behind the letters and digits from i on.
static inline int run_end(const struct parser *p, int i)
{
    for (;; i += 64) {
        uint64_t other = ~word_bits(p, i);
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
    for (int i = 0, length = p->length; i < length && p->pieces < CAPTION_WORDS;) {
        uint64_t word = word_bits(p, i);
        if (word & 1) {
            int run = ~word ? i + __builtin_ctzll(~word) : run_end(p, i);
            if ((p->text[run] & ~' ') == 0) {   // a blank or the end: most words
                add_piece(p, i, run, 0);
                i = run + 1;
                continue;
            }
        } else if (p->text[i] == ' ') {
            i++;
            continue;
        }
        i = word & 1 ? split_word(p, i) : split_sign(p, i);
    }
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

// No branches: capitals come as they like.
static void find_shapes(struct parser *p)
{
    int words = 0, capitals = 0;   // long ones; not in lower case
    uint8_t shape[CAPTION_WORDS];
    for (int i = 0; i < p->pieces; i++) {
        const struct piece *k = &p->piece[i];
        const struct scan *s = p->is + (k->start >> 6);
        uint64_t all = n_bits(k->len), upper = scan_window(s[0].upper, s[1].upper, k->start & 63) & all;
        int is = shape_of(upper, scan_window(s[0].lower, s[1].lower, k->start & 63) & all);
        if (k->len > 64)
            is = long_shape(p->text + k->start, k->len);
        int word = (k->len > 3) & letter_byte[first_byte(p, i)];
        shape[i] = (uint8_t)is;
        words += word;
        capitals += word & (is != LOWER);
    }
    if (capitals >= 2 && 4 * capitals >= 3 * words)
        return;   // a title: where most words have capitals, they say nothing
    for (int i = 0; i < p->pieces; i++) {
        int is = shape[i] == CAPITAL && begins(p, i) ? FIRST_CAPITAL : shape[i];
        if ((p->piece[i].flags & PIECE_HASH) && is != UPPER)
            is = LOWER;
        p->shape[i] = p->piece[i].shape = (uint8_t)is;
    }
}

// From LOWER all. Mostly there is no capital, or one, where the text begins.
static void set_shapes(struct parser *p)
{
    uint64_t upper = 0, more = 0;
    for (int i = 0; i * SCAN_BLOCK < p->length; i++) {
        uint64_t here = p->is[i].upper;
        more |= upper ? here : here & (here - 1);
        upper |= here;
    }
    if (more || (upper && !(p->is[0].upper & 1)) || p->hashtags)
        find_shapes(p);
    else if (upper && p->pieces)
        p->shape[0] = p->piece[0].shape = FIRST_CAPITAL;
}

// Where each caption's words lie in the rooms, CAPTION_AROUND between them.
static void place(struct parsers *all, int n)
{
    int at = CAPTION_AROUND;
    for (int i = 0; i <= n; i++) {
        for (int k = at - CAPTION_AROUND; k < at; k++) {
            all->piece[k] = (struct piece){.tag = NO_TAG};
            all->hash[k] = 0;
            all->word[k] = &all->table->words[0];
        }
        if (i == n)
            break;
        struct parser *p = &all->parser[i];
        p->piece = all->piece + at;
        p->word = all->word + at - 2;
        p->hash = all->hash + at - CAPTION_AROUND;
        p->shape = all->shape + at;
        at += p->pieces + CAPTION_AROUND;
    }
    memset(all->shape, LOWER, (size_t)at);
}

static void look_up(const struct parsers *all)
{
    const struct table *t = all->table;
    const struct word **words = all->word;
    const uint64_t *hashes = all->hash;
    const int32_t *places = all->at;
    for (int j = 0, cuts = all->cuts; j < cuts; j++) {
        const struct word *w = table_find(t, hashes[places[j]]);
        words[places[j]] = w;
        __builtin_prefetch(w);
    }
}

void words_find(struct parsers *all, int n)
{
    unsigned marks[CAPTION_AT_ONCE] = {0}, unknown[CAPTION_AT_ONCE] = {0};
    place(all, n);
    look_up(all);
    const struct word **words = all->word;
    struct word *new = all->unknown;
    const int32_t *places = all->at;
    const uint8_t *owners = all->owner;
    struct piece *pieces = all->piece;
    const struct weights *m = all->table->weights;
    unsigned a = 0, c = 0;   // classes of the two before
    for (int j = 0, cuts = all->cuts; j < cuts; j++) {
        int at = places[j], owner = owners[j];
        const struct word *w = words[at];
        struct piece *k = &pieces[at];
        if (!w) {
            table_unknown(all->table, all->parser[owner].lower + k->start, k->len, new);
            words[at] = w = new++;
            k->flags |= PIECE_UNKNOWN;
            unknown[owner]++;
        }
        k->class = w->class;
        memcpy(&k->marks, &w->marks, 8);   // and is, kind, traits
        marks[owner] |= w->marks;
        __builtin_prefetch(&all->table->pair_rows[c][w->class]);   // what the tagger will add
        __builtin_prefetch(&m->pair_around[a][w->class]);
        a = c;
        c = w->class;
    }
    for (int i = 0; i < n; i++) {
        struct parser *p = &all->parser[i];
        p->strange = (marks[i] & M_FOREIGN) || unknown[i] >= 2 || (p->piece[0].flags & PIECE_UNKNOWN) || p->high || p->foreign_letters;
        set_shapes(p);
    }
}

void words_cut(struct parsers *all, int caption)
{
    struct parser *p = &all->parser[caption];
    p->pieces = 0;
    p->hashtags = false;
    if (!words_cut_plain(all, caption))
        split(p);
    int32_t *at = all->at + all->cuts, first = all->cuts + (caption + 1) * CAPTION_AROUND;
    for (int i = 0; i < p->pieces; i += CUTS_ROUND) {   // some more than there are: the loop's end is foreseen more often
        memset(all->owner + all->cuts + i, caption, CUTS_ROUND);
        for (int k = 0; k < CUTS_ROUND; k++)
            at[i + k] = first + i + k;
    }
    all->cuts += p->pieces;
}

void words_tag(struct parsers *all)
{
    const uint8_t *tags = all->tag;
    const int32_t *places = all->at;
    struct piece *pieces = all->piece;
    tag_words(all->table, &(struct tokens){all->word, all->shape, all->at, all->cuts, all->tag});
    for (int j = 0, cuts = all->cuts; j < cuts; j++)
        pieces[places[j]].tag = tags[j];
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
        strange += !small && !capital && (k->flags & PIECE_UNKNOWN);
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
