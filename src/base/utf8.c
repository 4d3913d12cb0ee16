// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

int32_t utf8_next(const unsigned char *p, const unsigned char *end, const unsigned char **next)
{
    *next = p + 1;
    if (p[0] < 0x80)
        return p[0];
    int more = p[0] >= 0xF0 && p[0] < 0xF5 ? 3 : p[0] >= 0xE0 && p[0] < 0xF0 ? 2 : p[0] >= 0xC2 && p[0] < 0xE0 ? 1 : 0;
    if (more == 0 || end - p <= more)
        return UTF8_BAD;
    int32_t c = p[0] & (0x3F >> more);
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return UTF8_BAD;
        c = c << 6 | (p[i] & 0x3F);
    }
    static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (c < least[more] || c > 0x10FFFF)
        return UTF8_BAD;
    *next = p + 1 + more;
    return c;
}

int utf8_put(char out[4], int32_t c)
{
    if (c < 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        c = UTF8_BAD;
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    for (int i = more; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    static const int lead[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[more] | c);
    return more + 1;
}
