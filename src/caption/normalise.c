// SPDX-License-Identifier: Apache-2.0
// Bytes to plain text. Quotes and dashes become plain ones, signs and pictures blanks, file names their words.
#include <string.h>

#include "base/utf8.h"
#include "caption/caption.h"
#include "caption/spell.h"

typedef unsigned char block __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

static inline block load(const void *from)
{
    block b;
    memcpy(&b, from, sizeof b);
    return b;
}

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

static void finish(struct parser *p, int n)   // the text without blanks at its end, zeros behind it
{
    while (n > 0 && p->text[n - 1] == ' ')
        n--;
    p->length = n;
    for (int i = 0; i < 2 * SCAN_BLOCK; i += 16)   // of constant length: no branches
        memset(p->text + n + i, 0, 16);
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
    finish(p, (int)(out - p->text));
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

// A picture's file name loses its ending; without blanks its hyphens part words. May the text have changed?
static bool file_name(struct parser *p, bool blank)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".svg", ".pdf"};
    bool file = false;
    int hyphens = 0;
    if (p->length <= 0)
        return false;
    if (blank && (p->length < 5 || (p->text[p->length - 4] != '.' && p->text[p->length - 5] != '.')))
        return false;
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
    return true;
}

// Most captions stay as they are: looked at while they are copied and the masks are made.
void words_normalise(struct parser *p, const char *bytes, size_t n)
{
    int found = SCAN_ODD;
    if (n <= CAPTION_BYTES - 4) {
        int length = (int)n;
        while (length > 0 && bytes[length - 1] == ' ')
            length--;
        p->length = length;
        found = scan_text(bytes, length, p->text, p->lower, p->is);
        p->letters = p->foreign_letters = 0;
    }
    if (found & SCAN_ODD) {
        normalise(p, (const unsigned char *)bytes, n);
        found = scan_text(p->text, p->length, p->text, p->lower, p->is);
    }
    if (file_name(p, found & SCAN_BLANK))
        found = scan_text(p->text, p->length, p->text, p->lower, p->is);
    p->high = found & SCAN_HIGH;
}
