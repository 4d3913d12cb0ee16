// SPDX-License-Identifier: Apache-2.0
#include "report/html.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/parts.h"

static const char dash[] = "–";

// One character at `p` (NUL-terminated text): its bytes, or 0 where the bytes are not UTF-8 (RFC 3629: no overlong
// forms, no surrogates, nothing past U+10FFFF). The terminator stops a sequence that is cut short.
static int decode(const unsigned char *p, uint32_t *code)
{
    if (p[0] < 0x80) {
        *code = p[0];
        return 1;
    }
    int n = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
    uint32_t c = p[0] & (n == 2 ? 0x1f : n == 3 ? 0x0f : 0x07);
    for (int i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if ((n == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) || (n == 4 && (c < 0x10000 || c > 0x10ffff)))
        return 0;
    *code = c;
    return n;
}

void html_text(struct buf *b, const char *text, size_t most)
{
    static const char mended[] = "\xef\xbf\xbd";   // U+FFFD
    const unsigned char *p = (const unsigned char *)(text ? text : "");
    for (size_t shown = 0; *p; shown++) {
        if (most && shown == most) {
            buf_str(b, "…");
            return;
        }
        uint32_t c = 0;
        int n = decode(p, &c);
        if (!n) {
            buf_str(b, mended);
            p++;
            continue;
        }
        switch (c) {
        case '&': buf_str(b, "&amp;"); break;
        case '<': buf_str(b, "&lt;"); break;
        case '>': buf_str(b, "&gt;"); break;
        case '"': buf_str(b, "&quot;"); break;
        case '\'': buf_str(b, "&#39;"); break;
        default:
            if (c < 0x20 || c == 0x7f)
                buf_char(b, ' ');
            else if ((c >= 0x80 && c < 0xa0) || (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c < 0xfdf0))
                buf_str(b, mended);
            else
                buf_add(b, p, (size_t)n);
        }
        p += n;
    }
}

void html_number(struct buf *b, double value, int digits)
{
    if (!isfinite(value)) {
        buf_str(b, dash);
        return;
    }
    if (fabs(value) >= 1e15) {
        buf_fmt(b, "%.*e", digits, value);
        return;
    }
    char text[64];
    snprintf(text, sizeof text, "%.*f", digits < 0 ? 0 : digits > 12 ? 12 : digits, value);
    const char *p = text;
    if (*p == '-') {
        p++;
        if (strspn(p, "0.") != strlen(p))   // no "-0.00"
            buf_str(b, "−");
    }
    size_t whole = strcspn(p, ".");
    for (size_t i = 0; p[i]; i++) {
        if (i && i < whole && (whole - i) % 3 == 0)
            buf_char(b, ',');
        buf_char(b, p[i]);
    }
}

void html_count(struct buf *b, int64_t value)
{
    char text[32];
    if (value < 0) {
        buf_str(b, dash);
        return;
    }
    int n = snprintf(text, sizeof text, "%" PRId64, value);
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            buf_char(b, ',');
        buf_char(b, text[i]);
    }
}

void html_base64(struct buf *b, const void *bytes, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
        char four[4] = {digit[v >> 18], digit[v >> 12 & 63], left > 1 ? digit[v >> 6 & 63] : '=',
                        left > 2 ? digit[v & 63] : '='};
        buf_add(b, four, 4);
    }
}

const char *html_picture_type(const void *bytes, size_t n)
{
    static const struct { const char *type; size_t at, size; const char *magic; } kinds[] = {
        {"image/png", 0, 8, "\x89PNG\r\n\x1a\n"},
        {"image/jpeg", 0, 3, "\xff\xd8\xff"},
        {"image/gif", 0, 4, "GIF8"},
        {"image/webp", 8, 4, "WEBP"},
    };
    for (size_t i = 0; bytes && i < sizeof kinds / sizeof *kinds; i++)
        if (n >= kinds[i].at + kinds[i].size &&
            !memcmp((const char *)bytes + kinds[i].at, kinds[i].magic, kinds[i].size))
            return kinds[i].type;
    return NULL;
}

void html_picture(struct buf *b, const void *bytes, size_t n, const char *alt, const char *instead)
{
    const char *type = html_picture_type(bytes, n);
    if (!type) {
        buf_str(b, "<span class=\"nopic\">");
        html_text(b, instead, 40);
        buf_str(b, "</span>");
        return;
    }
    buf_fmt(b, "<img src=\"data:%s;base64,", type);
    html_base64(b, bytes, n);
    buf_str(b, "\" alt=\"");
    html_text(b, alt, 120);
    buf_str(b, "\">");
}

void html_table_open(struct buf *b, const char *caption, const char *const *columns)
{
    buf_str(b, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    html_text(b, caption, 120);
    buf_str(b, "\"><table><caption>");
    html_text(b, caption, 200);
    buf_str(b, "</caption><thead><tr>");
    for (; *columns; columns++) {
        const char *name = *columns;
        buf_str(b, name[0] == '#' ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
        html_text(b, name + (name[0] == '#'), 60);
        buf_str(b, "</th>");
    }
    buf_str(b, "</tr></thead>\n");
}

void html_table_close(struct buf *b) { buf_str(b, "</table></div>\n"); }

void html_page_open(struct buf *b, const char *title, const char *of, const char *style)
{
    buf_str(b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
               "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
               "'unsafe-inline'\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n<title>");
    html_text(b, title, 200);
    if (of) {
        buf_str(b, " · ");
        html_text(b, of, NAME_SHOWN);
    }
    buf_str(b, "</title>\n<style>\n");
    buf_str(b, page_style);
    buf_str(b, style);
    buf_str(b, "</style></head>\n<body><main>\n");
}
