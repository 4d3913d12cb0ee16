// SPDX-License-Identifier: Apache-2.0
// Text to words, where signs mean more than themselves.
#include <string.h>

#include "caption/cut.h"
#include "caption/spell.h"

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

static void add_piece(struct parser *p, int start, int end, unsigned flags)
{
    if (p->pieces < CAPTION_WORDS && end > start) {
        p->start[p->pieces] = (uint16_t)start;
        p->end[p->pieces] = (uint16_t)end;
        p->flags[p->pieces++] = (uint8_t)flags;
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

void cut_closely(struct parser *p)
{
    p->pieces = 0;
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
