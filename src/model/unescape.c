// SPDX-License-Identifier: Apache-2.0
// HTML character references in captions.
#include <stdbool.h>
#include <string.h>

#include <utf8proc.h>

#include "base/utf8.h"
#include "model/charmap.h"
#include "model/clean.h"
#include "model/entities.h"

static void put_utf8(struct runes *out, const char *text)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
    while (p < end)
        runes_put(out, utf8_next(p, end, &p));
}

static bool digit(int32_t c) { return c >= '0' && c <= '9'; }
static bool hex(int32_t c) { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
static bool letter(int32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static void put_number(struct runes *out, int64_t n)
{
    if (n >= 0x80 && n <= 0x9F)
        runes_put(out, charmap_high[WINDOWS_1252][n - 0x80]);
    else if (n == 0 || (n >= 0xD800 && n <= 0xDFFF) || n > 0x10FFFF)
        runes_put(out, UTF8_BAD);
    else if (n == 0x0D || !((n >= 1 && n <= 8) || n == 0x0B || (n >= 0x0E && n <= 0x1F) || n == 0x7F ||
                            (n >= 0xFDD0 && n <= 0xFDEF) || (n & 0xFFFE) == 0xFFFE))
        runes_put(out, (int32_t)n);
    // the rest are no characters: they vanish
}

// "#123" or "#x7b" at in[i]; returns the place after the digits, 0 when there are none.
static size_t read_number(const struct runes *in, size_t i, int64_t *n)
{
    if (i >= in->len || in->at[i] != '#')
        return 0;
    i++;
    bool sixteen = i < in->len && (in->at[i] == 'x' || in->at[i] == 'X');
    size_t from = i += sixteen;
    for (*n = 0; i < in->len && (sixteen ? hex(in->at[i]) : digit(in->at[i])); i++) {
        int32_t c = in->at[i];
        int value = digit(c) ? c - '0' : (c | 32) - 'a' + 10;
        *n = *n > 0x10FFFF ? *n : *n * (sixteen ? 16 : 10) + value;
    }
    return i > from ? i : 0;
}

static bool named_stop(int32_t c)
{
    return c == '\t' || c == '\n' || c == '\f' || c == ' ' || c == '<' || c == '&' || c == '#' || c == ';';
}

void unescape_one(struct runes *out, const struct runes *in, size_t *i)
{
    int64_t n;
    size_t after = read_number(in, *i + 1, &n);
    if (after) {
        put_number(out, n);
        *i = after + (after < in->len && in->at[after] == ';');
        return;
    }
    char name[ENTITY_LONGEST + 1];
    size_t len = 0, at = *i + 1;
    while (len < ENTITY_LONGEST && at < in->len && in->at[at] < 0x80 && !named_stop(in->at[at]))
        name[len++] = (char)in->at[at++];
    if (at < in->len && in->at[at] == ';')
        name[len++] = ';';
    // the longest prefix that is a name; one character never is
    for (size_t k = len; k > 1; k--) {
        const char *text = entity_text(name, k);
        if (text) {
            put_utf8(out, text);
            *i += 1 + k;
            return;
        }
    }
    runes_put(out, '&');
    ++*i;
}

// "EACUTE;": a lower-case name written in capitals stands for the capital, unless HTML reads it in its own way.
static bool put_shouted(struct runes *out, const char *name, size_t len)
{
    char lower[ENTITY_LONGEST];
    for (size_t k = 0; k < len; k++) {
        if (name[k] >= 'a' && name[k] <= 'z')
            return false;
        lower[k] = name[k] >= 'A' && name[k] <= 'Z' ? (char)(name[k] + 32) : name[k];
    }
    for (size_t k = 2; k < len; k++)
        if (entity_text(name, k))
            return false;
    const char *text = entity_text(lower, len);
    if (!text)
        return false;
    const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
    while (p < end) {
        int32_t c = utf8_next(p, end, &p);
        runes_put(out, c == 0xDF ? 'S' : utf8proc_toupper(c));
        if (c == 0xDF)
            runes_put(out, 'S');
    }
    return true;
}

void unescape_strict(struct runes *out, const struct runes *in, size_t *i)
{
    size_t at = *i + 1, from = at;
    at += at < in->len && in->at[at] == '#';
    size_t body = at;
    while (at < in->len && at - body < 24 && (letter(in->at[at]) || digit(in->at[at])))
        at++;
    if (at > body && at < in->len && in->at[at] == ';') {
        int64_t n;
        size_t after = read_number(in, from, &n);
        if (after && after == at) {
            put_number(out, n);
            *i = at + 1;
            return;
        }
        char name[ENTITY_LONGEST];
        size_t len = 0;
        for (size_t k = from; k <= at; k++)
            name[len++] = (char)in->at[k];
        const char *text = entity_text(name, len);
        if (text)
            put_utf8(out, text);
        if (text || put_shouted(out, name, len)) {
            *i = at + 1;
            return;
        }
    }
    runes_put(out, '&');
    ++*i;
}

void step_unescape(struct clean *c, struct runes *out, const struct runes *in)
{
    for (size_t i = 0; i < in->len;) {
        if (in->at[i] == '&')
            unescape_one(out, in, &i);
        else
            runes_put(out, in->at[i++]);
    }
}
