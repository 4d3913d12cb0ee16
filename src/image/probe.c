// SPDX-License-Identifier: Apache-2.0
#include "image/probe.h"

#include <string.h>

#include "image/image.h"

struct bytes {
    const unsigned char *at;
    size_t n;
};

static bool has(struct bytes b, size_t from, size_t n) { return from <= b.n && n <= b.n - from; }

static uint32_t big(const unsigned char *p, int n)
{
    uint32_t v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static uint32_t little(const unsigned char *p, int n)
{
    uint32_t v = 0;
    for (int i = n; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

// Segments up to the end marker; in the entropy-coded data 0xFF is followed by 0 or a restart.
static void jpeg(struct probe *out, struct bytes b)
{
    size_t i = 2;
    bool coded = false;
    for (;;) {
        if (coded || !has(b, i, 1) || b.at[i] != 0xff) {
            const unsigned char *mark = has(b, i, 1) ? memchr(b.at + i, 0xff, b.n - i) : NULL;
            if (!mark)
                return;
            i = (size_t)(mark - b.at);
        }
        while (has(b, i, 2) && b.at[i + 1] == 0xff)
            i++;
        if (!has(b, i, 2))
            return;
        unsigned m = b.at[i + 1];
        i += 2;
        if (m == 0xd9) {
            out->whole = true;
            return;
        }
        if (m == 0 || m == 1 || (m >= 0xd0 && m <= 0xd8))
            continue;
        if (!has(b, i, 2) || big(b.at + i, 2) < 2)
            return;
        uint32_t len = big(b.at + i, 2);
        if (m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc && len >= 7 && has(b, i, 7)) {
            out->height = big(b.at + i + 3, 2);
            out->width = big(b.at + i + 5, 2);
        }
        coded = m == 0xda;
        i += len;
        // behind a scan's header an end marker at the very end closes the picture: no need to read what is between
        if (coded && has(b, i, 2) && memcmp(b.at + b.n - 2, "\xff\xd9", 2) == 0) {
            out->whole = true;
            return;
        }
    }
}

static void png(struct probe *out, struct bytes b)
{
    for (size_t i = 8; has(b, i, 12);) {
        uint32_t len = big(b.at + i, 4);
        const unsigned char *type = b.at + i + 4;
        if (i == 8 && len == 13 && memcmp(type, "IHDR", 4) == 0 && has(b, i, 25)) {
            out->width = big(b.at + i + 8, 4);
            out->height = big(b.at + i + 12, 4);
        }
        if (memcmp(type, "IEND", 4) == 0) {
            out->whole = true;
            return;
        }
        if (!has(b, i + 12, len))
            return;
        i += 12 + (size_t)len;
    }
}

static size_t gif_blocks(struct bytes b, size_t i)
{
    while (has(b, i, 1) && b.at[i])
        i += 1 + (size_t)b.at[i];
    return i + 1;
}

static void gif(struct probe *out, struct bytes b)
{
    if (!has(b, 0, 13))
        return;
    out->width = little(b.at + 6, 2);
    out->height = little(b.at + 8, 2);
    size_t i = 13 + (b.at[10] & 0x80 ? (size_t)3 << ((b.at[10] & 7) + 1) : 0);
    while (has(b, i, 1)) {
        if (b.at[i] == ';') {
            out->whole = true;
            return;
        }
        if (b.at[i] == '!')
            i = gif_blocks(b, i + 2);
        else if (b.at[i] == ',' && has(b, i, 10))
            i = gif_blocks(b, i + 11 + (b.at[i + 9] & 0x80 ? (size_t)3 << ((b.at[i + 9] & 7) + 1) : 0));
        else
            return;
    }
}

static void webp(struct probe *out, struct bytes b)
{
    if (!has(b, 0, 30))
        return;
    const unsigned char *p = b.at + 20;
    if (memcmp(b.at + 12, "VP8X", 4) == 0) {
        out->width = little(p + 4, 3) + 1;
        out->height = little(p + 7, 3) + 1;
    } else if (memcmp(b.at + 12, "VP8L", 4) == 0) {
        uint32_t bits = little(p + 1, 4);
        out->width = (bits & 0x3fff) + 1;
        out->height = (bits >> 14 & 0x3fff) + 1;
    } else if (memcmp(b.at + 12, "VP8 ", 4) == 0) {
        out->width = little(p + 6, 2) & 0x3fff;
        out->height = little(p + 8, 2) & 0x3fff;
    }
    out->whole = has(b, 8, little(b.at + 4, 4));
}

static void bmp(struct probe *out, struct bytes b)
{
    if (!has(b, 0, 26))
        return;
    bool old = little(b.at + 14, 4) == 12;
    int32_t height = old ? (int32_t)little(b.at + 20, 2) : (int32_t)little(b.at + 22, 4);
    out->width = little(b.at + 18, old ? 2 : 4);
    out->height = height < 0 ? -(int64_t)height : height;
    out->whole = b.n > little(b.at + 10, 4);
}

static void tiff(struct probe *out, struct bytes b)
{
    bool mm = b.at[0] == 'M';
    uint32_t (*read)(const unsigned char *, int) = mm ? big : little;
    if (!has(b, 0, 8))
        return;
    size_t i = read(b.at + 4, 4);
    if (!has(b, i, 2))
        return;
    unsigned n = read(b.at + i, 2);
    out->whole = has(b, i + 2, 12 * (size_t)n);
    for (unsigned k = 0; out->whole && k < n; k++) {
        const unsigned char *e = b.at + i + 2 + 12 * (size_t)k;
        unsigned tag = read(e, 2), kind = read(e + 2, 2);
        if (tag == 256 || tag == 257)
            *(tag == 256 ? &out->width : &out->height) = read(e + 8, kind == 3 ? 2 : 4);
    }
}

void image_probe(struct probe *out, const void *bytes, size_t n)
{
    static const struct { const char *format; void (*read)(struct probe *, struct bytes); } readers[] = {
        {"jpeg", jpeg}, {"png", png}, {"gif", gif}, {"webp", webp}, {"bmp", bmp}, {"tiff", tiff},
    };
    *out = (struct probe){.format = image_format(bytes, n)};
    for (size_t i = 0; out->format && i < sizeof readers / sizeof *readers; i++)
        if (strcmp(readers[i].format, out->format) == 0)
            readers[i].read(out, (struct bytes){bytes, n});
}
