// SPDX-License-Identifier: Apache-2.0
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "task/input.h"

enum { DEPTH = 64 };   // of nested values beside the text

struct cursor {
    const char *at, *end;
};

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\r' || *c->at == '\n'))
        c->at++;
}

static bool take(struct cursor *c, char want)
{
    skip_space(c);
    if (c->at == c->end || *c->at != want)
        return false;
    c->at++;
    return true;
}

// Four hexadecimal digits; -1: not there.
static int32_t hex4(struct cursor *c)
{
    int32_t v = 0;
    if (c->end - c->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char d = *c->at++;
        int digit = d >= '0' && d <= '9' ? d - '0' : (d | 32) >= 'a' && (d | 32) <= 'f' ? (d | 32) - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

static void put_rune(struct buf *out, int32_t c)
{
    char bytes[4];
    if (c >= 0xD800 && c <= 0xDFFF) {   // half a pair
        bytes[0] = (char)(0xE0 | c >> 12);
        bytes[1] = (char)(0x80 | (c >> 6 & 63));
        bytes[2] = (char)(0x80 | (c & 63));
        buf_add(out, bytes, 3);
    } else {
        buf_add(out, bytes, (size_t)utf8_put(bytes, c));
    }
}

static bool escape(struct cursor *c, struct buf *out)
{
    static const char plain[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    if (c->at == c->end)
        return false;
    char e = *c->at++;
    const char *p = e ? strchr(plain, e) : NULL;
    if (p) {
        if (out)
            buf_char(out, means[p - plain]);
        return true;
    }
    int32_t v = e == 'u' ? hex4(c) : -1;
    if (v < 0)
        return false;
    if (v >= 0xD800 && v <= 0xDBFF && c->end - c->at >= 6 && c->at[0] == '\\' && c->at[1] == 'u') {
        struct cursor low = {c->at + 2, c->end};
        int32_t w = hex4(&low);
        if (w >= 0xDC00 && w <= 0xDFFF) {
            v = 0x10000 + ((v - 0xD800) << 10) + (w - 0xDC00);
            *c = low;
        }
    }
    if (out)
        put_rune(out, v);
    return true;
}

// A string, its opening quote next; out NULL: skipped.
static bool string(struct cursor *c, struct buf *out)
{
    if (!take(c, '"'))
        return false;
    while (c->at < c->end) {
        const char *from = c->at;
        while (c->at < c->end && *c->at != '"' && *c->at != '\\' && (unsigned char)*c->at >= ' ')
            c->at++;
        if (out && c->at > from)
            buf_add(out, from, (size_t)(c->at - from));
        if (c->at == c->end || (unsigned char)*c->at < ' ')
            return false;
        if (*c->at++ == '"')
            return true;
        if (!escape(c, out))
            return false;
    }
    return false;
}

// Any value, without looking closely at numbers and words.
static bool skip_value(struct cursor *c, int depth)
{
    skip_space(c);
    if (c->at == c->end || depth > DEPTH)
        return false;
    if (*c->at == '"')
        return string(c, NULL);
    if (*c->at == '{' || *c->at == '[') {
        bool object = *c->at++ == '{';
        if (take(c, object ? '}' : ']'))
            return true;
        do {
            if (object && (!string(c, NULL) || !take(c, ':')))
                return false;
            if (!skip_value(c, depth + 1))
                return false;
        } while (take(c, ','));
        return take(c, object ? '}' : ']');
    }
    const char *from = c->at;
    while (c->at < c->end && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *c->at) && *c->at)
        c->at++;
    return c->at > from;
}

int json_line_text(struct buf *out, const char *line, size_t len)
{
    struct cursor c = {line, line + len};
    bool found = false, good = take(&c, '{');
    buf_clear(out);
    if (good && !take(&c, '}')) {
        do {
            skip_space(&c);
            bool wanted = c.end - c.at > 6 && memcmp(c.at, "\"text\"", 6) == 0;
            good = string(&c, NULL) && take(&c, ':');
            skip_space(&c);
            if (good && wanted && (c.at == c.end || *c.at != '"'))
                return FAIL(EFORMAT_, "\"text\" is not a string");
            if (wanted)
                buf_clear(out);   // of two, the last counts
            good = good && (wanted ? string(&c, out) : skip_value(&c, 0));
            found |= wanted;
        } while (good && take(&c, ','));
        good = good && take(&c, '}');
    }
    skip_space(&c);
    if (!good || c.at != c.end)
        return FAIL(EFORMAT_, "not a JSON object from byte %zu on; expected is {\"text\": \"...\"}",
                    (size_t)(c.at - line) + 1);
    return out->failed ? out->failed : found ? 0 : FAIL(EFORMAT_, "a JSON object without \"text\"");
}
