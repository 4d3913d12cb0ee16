// SPDX-License-Identifier: Apache-2.0
// How words are written, and whether they are English.
#include <string.h>

#include "caption/cut.h"
#include "caption/lists.h"
#include "caption/spell.h"

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

static inline unsigned char first_byte(const struct parser *p, int i) { return (unsigned char)p->text[p->start[i]]; }

// Is the word at i the first of a sentence?
static bool begins(const struct parser *p, int i)
{
    while (--i >= 0 && !is_letter(first_byte(p, i))) {
        unsigned c = first_byte(p, i);
        if (c == '.' || c == '!' || c == '?' || c == ':')
            return true;
    }
    return i < 0;
}

void cut_shapes(struct parser *p)
{
    int words = 0, capitals = 0;   // long ones; not in lower case
    for (int i = 0; i < p->pieces; i++) {
        int start = p->start[i], n = p->end[i] - start;
        const struct scan *s = p->is + (start >> 6);
        uint64_t all = n_bits(n), upper = scan_window(s[0].upper, s[1].upper, start & 63) & all;
        int is = shape_of(upper, scan_window(s[0].lower, s[1].lower, start & 63) & all);
        if (n > 64)
            is = long_shape(p->text + start, n);
        int word = (n > 3) & is_letter(first_byte(p, i));
        p->shape[i] = (uint8_t)is;
        words += word;
        capitals += word & (is != LOWER);
    }
    memset(p->shape + p->pieces, LOWER, CAPTION_AROUND);
    if (capitals >= 2 && 4 * capitals >= 3 * words) {
        memset(p->shape, LOWER, (size_t)p->pieces);   // a title: where most words have capitals, they say nothing
        return;
    }
    for (int i = 0; i < p->pieces; i++) {
        int is = p->shape[i] == CAPITAL && begins(p, i) ? FIRST_CAPITAL : p->shape[i];
        p->shape[i] = (uint8_t)((p->flags[i] & PIECE_HASH) && is != UPPER ? LOWER : is);
    }
}

// "Een framboos": an article no English text begins with, before a word without a capital
static bool foreign_article(const struct parser *p)
{
    static const char *const articles[] = {"un", "una", "une", "een", "ein", "eine", "einen", "ett", "en", "het", "der", "das", NULL};
    if (p->pieces < 2 || is_upper((unsigned char)p->text[p->start[1]]) || !is_letter((unsigned char)p->text[p->start[1]]))
        return false;
    return spelled_as(p->lower + p->start[0], (size_t)piece_len(p, 0), articles);
}

// Another language: another script, or its small words where English ones are missing.
bool words_foreign(const struct parser *p)
{
    int foreign = 0, english = 0, strange = 0, words = 0, high = 0;
    if (2 * p->foreign_letters > p->letters)
        return true;
    if (!p->strange)
        return false;   // the articles below are marked, or not in the table
    for (int i = 0; i < p->pieces; i++) {   // no branches: words come as they like
        unsigned m = p->word[2 + i]->marks;
        int start = p->start[i], end = p->end[i], letter = is_letter((unsigned char)p->text[start]);
        int capital = p->shape[i] == CAPITAL, small = (m & M_FOREIGN) != 0, unknown = (p->flags[i] & PIECE_UNKNOWN) != 0;
        words += letter;
        english += letter & ((m & M_SMALL) != 0);
        foreign += letter & small & !(capital & (end - start > 3));
        strange += letter & !small & !capital & unknown;
        for (int at = start; p->high && letter && !capital && at < end; at++)
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
