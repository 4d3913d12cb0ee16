// SPDX-License-Identifier: Apache-2.0
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <zlib.h>

#include "base/error.h"
#include "image/exif.h"
#include "image/image.h"

enum { MOST_EXIF = 65527 };      // what a JPEG segment holds behind "Exif\0\0"
enum { MOST_ICC = 1 << 16, PARTS = 8 };   // a profile of more (printers' tables) is not worth carrying

struct bytes {
    const unsigned char *at;
    size_t n;
};

static uint32_t big32(const unsigned char *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }
static uint32_t little32(const unsigned char *p) { return (uint32_t)p[3] << 24 | p[2] << 16 | p[1] << 8 | p[0]; }

static void take_exif(struct image_meta *m, const unsigned char *at, size_t n)
{
    if (n > 6 && memcmp(at, "Exif\0\0", 6) == 0) {   // in a JPEG always, elsewhere by mistake
        at += 6;
        n -= 6;
    }
    if (!m->exif && n >= 8 && n <= MOST_EXIF && (memcmp(at, "II*\0", 4) == 0 || memcmp(at, "MM\0*", 4) == 0)) {
        m->exif = at;
        m->exif_len = n;
    }
}

static bool names_srgb(const struct buf *icc)
{
    static const char wide[] = {'s', 0, 'R', 0, 'G', 0, 'B'};   // how version 4 writes it
    return memmem(icc->at, icc->len, "sRGB", 4) || memmem(icc->at, icc->len, wide, sizeof wide);
}

// Keep the profile only when it says something about RGB pixels that a reader does not assume anyway.
static void judge_icc(struct image_meta *m)
{
    struct buf *b = &m->icc;
    bool sound = !b->failed && b->len >= 128 && b->len <= MOST_ICC && big32((unsigned char *)b->at) == b->len &&
                 memcmp(b->at + 36, "acsp", 4) == 0;
    if (!sound || memcmp(b->at + 16, "RGB ", 4) != 0 || names_srgb(b))
        buf_clear(b);
}

static void from_jpeg(struct image_meta *m, struct bytes b)
{
    struct bytes part[PARTS + 1] = {0};
    int parts = 0;
    for (size_t i = 2; i + 4 <= b.n && b.at[i] == 0xff;) {
        if (b.at[i + 1] == 0xff) {   // filling
            i++;
            continue;
        }
        size_t len = (size_t)b.at[i + 2] << 8 | b.at[i + 3];
        const unsigned char *at = b.at + i + 4;
        if (b.at[i + 1] == 0xda || b.at[i + 1] == 0xd9 || len < 2 || len > b.n - i - 2)
            break;
        len -= 2;
        if (b.at[i + 1] == 0xe1 && len > 6 && memcmp(at, "Exif\0\0", 6) == 0)
            take_exif(m, at, len);
        // "ICC_PROFILE", its number from 1, how many there are
        if (b.at[i + 1] == 0xe2 && len > 14 && memcmp(at, "ICC_PROFILE\0", 12) == 0 && at[12] >= 1 && at[12] <= at[13] &&
            at[13] <= PARTS) {
            part[at[12]] = (struct bytes){at + 14, len - 14};
            parts = at[13];
        }
        i += 4 + len;
    }
    for (int k = 1; k <= parts; k++) {
        if (!part[k].at) {
            buf_clear(&m->icc);
            break;
        }
        buf_add(&m->icc, part[k].at, part[k].n);
    }
}

// "name", zero, method 0, zlib's bytes.
static void inflate_icc(struct image_meta *m, const unsigned char *at, size_t n)
{
    const unsigned char *name = memchr(at, 0, n < 80 ? n : 80);
    unsigned char out[MOST_ICC];
    uLongf len = sizeof out;
    if (name && n - (size_t)(name - at) > 2 && name[1] == 0 &&
        uncompress(out, &len, name + 2, n - (size_t)(name - at) - 2) == Z_OK)
        buf_add(&m->icc, out, len);
}

static void from_png(struct image_meta *m, struct bytes b)
{
    for (size_t i = 8; i + 12 <= b.n;) {
        size_t len = big32(b.at + i);
        const unsigned char *type = b.at + i + 4;
        if (len > b.n - i - 12)
            break;
        if (memcmp(type, "eXIf", 4) == 0)
            take_exif(m, type + 4, len);
        if (memcmp(type, "iCCP", 4) == 0 && !m->icc.len)
            inflate_icc(m, type + 4, len);
        i += 12 + len;
    }
}

static void from_webp(struct image_meta *m, struct bytes b)
{
    for (size_t i = 12; i + 8 <= b.n;) {
        size_t len = little32(b.at + i + 4);
        if (len > b.n - i - 8)
            break;
        if (memcmp(b.at + i, "EXIF", 4) == 0)
            take_exif(m, b.at + i + 8, len);
        if (memcmp(b.at + i, "ICCP", 4) == 0 && !m->icc.len && len <= MOST_ICC)
            buf_add(&m->icc, b.at + i + 8, len);
        i += 8 + len + (len & 1);
    }
}

int image_meta(struct image_meta *out, const void *bytes, size_t n)
{
    static const struct { const char *format; void (*read)(struct image_meta *, struct bytes); } readers[] = {
        {"jpeg", from_jpeg}, {"png", from_png}, {"webp", from_webp}};
    const char *format = image_format(bytes, n);
    *out = (struct image_meta){0};
    for (size_t i = 0; format && i < sizeof readers / sizeof *readers; i++)
        if (strcmp(readers[i].format, format) == 0)
            readers[i].read(out, (struct bytes){bytes, n});
    if (out->icc.failed) {
        image_meta_free(out);
        return FAIL(EMEMORY_, "out of memory: no room for a colour profile");
    }
    if (out->icc.len)
        judge_icc(out);
    return 0;
}

void image_meta_free(struct image_meta *m)
{
    buf_free(&m->icc);
    *m = (struct image_meta){0};
}
