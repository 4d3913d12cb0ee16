// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include "base/utf8.h"

void json_text(struct buf *out, const char *text, size_t n)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + n;
    buf_char(out, '"');
    while (at < end) {
        if (*at < 0x80) {
            unsigned char c = *at++;
            if (c == '"' || c == '\\') {
                buf_char(out, '\\');
                buf_char(out, (char)c);
            } else if (c < ' ' || c == 0x7f) {
                buf_fmt(out, "\\u%04x", c);
            } else {
                buf_char(out, (char)c);
            }
        } else {
            char bytes[4];
            const unsigned char *next;
            int32_t rune = utf8_next(at, end, &next);
            buf_add(out, bytes, (size_t)utf8_put(bytes, rune));
            at = next;
        }
    }
    buf_char(out, '"');
}
