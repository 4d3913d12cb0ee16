// SPDX-License-Identifier: Apache-2.0
// Windows and OS/2 bitmaps, by the rules of Pillow's reader: headers of 12, 40, 64, 108 and 124 bytes; palettes of 1, 4
// and 8 bits; run lengths; 16, 24 and 32 bits with the usual masks. The fourth byte is never applied.
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/formats.h"

enum { RAW, RLE8, RLE4, BITFIELDS };

struct bmp {
    const unsigned char *bytes;
    size_t size;
    uint32_t header, bits, compression, colours;
    int64_t width, height, offset;
    bool top_down;
    int at[3];                       // 24 and 32 bits: where red, green and blue lie
    int green_bits;                  // 16 bits: 5 or 6
    unsigned char table[256][3];
};

static uint32_t le16(const unsigned char *p) { return p[0] | (uint32_t)p[1] << 8; }
static uint32_t le32(const unsigned char *p) { return le16(p) | le16(p + 2) << 16; }

static const struct masks {
    uint32_t bits, red, green, blue, alpha;   // alpha counts for 32 bits only
    int at[3], green_bits;
} known[] = {
    {32, 0xff0000, 0xff00, 0xff, 0, {2, 1, 0}},
    {32, 0xff000000, 0xff0000, 0xff00, 0, {3, 2, 1}},
    {32, 0xff000000, 0xff0000, 0xff00, 0xff, {3, 2, 1}},
    {32, 0xff, 0xff00, 0xff0000, 0xff000000, {0, 1, 2}},
    {32, 0xff0000, 0xff00, 0xff, 0xff000000, {2, 1, 0}},
    {32, 0, 0, 0, 0, {2, 1, 0}},
    {24, 0xff0000, 0xff00, 0xff, 0, {2, 1, 0}},
    {16, 0xf800, 0x7e0, 0x1f, 0, {0}, 6},
    {16, 0x7c00, 0x3e0, 0x1f, 0, {0}, 5},
};

// *at: the byte after the header, moved past masks that follow a header of 40.
static int read_masks(struct bmp *b, const unsigned char *h, size_t *at)
{
    const unsigned char *m = h + 40;
    uint32_t alpha = 0;
    if (b->header >= 56) {
        alpha = le32(m + 12);
    } else {
        if (b->size - *at < 12)
            return FAIL(EFORMAT_, "the BMP picture is cut off in its header");
        m = b->bytes + *at;
        *at += 12;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct masks *k = &known[i];
        if (k->bits != b->bits || k->red != le32(m) || k->green != le32(m + 4) || k->blue != le32(m + 8) ||
            (k->bits == 32 && k->alpha != alpha))
            continue;
        memcpy(b->at, k->at, sizeof b->at);
        b->green_bits = k->green_bits;
        return 0;
    }
    return FAIL(EUNSUPPORTED_, "a BMP picture of %u bits with unusual colour masks: convert it to PNG first", b->bits);
}

static int read_palette(struct bmp *b, size_t *at)
{
    uint32_t entry = b->header == 12 ? 3 : 4;
    if (b->colours == 0 || b->colours > 65536)
        return FAIL(EFORMAT_, "the BMP picture's header says %u palette colours: damaged", b->colours);
    if ((b->size - *at) / entry < b->colours)
        return FAIL(EFORMAT_, "the BMP picture is cut off in its palette");
    for (uint32_t i = 0; i < 256; i++)
        memset(b->table[i], (int)i, 3);   // past the palette's end: grey, as in Pillow
    for (uint32_t i = 0; i < b->colours && i < 256; i++) {
        const unsigned char *p = b->bytes + *at + (size_t)i * entry;
        memcpy(b->table[i], (unsigned char[]){p[2], p[1], p[0]}, 3);
    }
    *at += (size_t)b->colours * entry;
    return 0;
}

static int read_header(struct bmp *b)
{
    if (b->size < 18)
        return FAIL(EFORMAT_, "the BMP picture is cut off in its header");
    const unsigned char *h = b->bytes + 14;
    b->offset = le32(b->bytes + 10);
    b->header = le32(h);
    if (b->header != 12 && b->header != 40 && b->header != 64 && b->header != 108 && b->header != 124)
        return FAIL(EUNSUPPORTED_, "a BMP picture with a header of %u bytes; 12, 40, 64, 108 and 124 are known", b->header);
    size_t at = 14 + (size_t)b->header;
    if (b->size < at)
        return FAIL(EFORMAT_, "the BMP picture is cut off in its header");
    if (b->header == 12) {
        b->width = le16(h + 4);
        b->height = le16(h + 6);
        b->bits = le16(h + 10);
    } else {
        b->top_down = h[11] == 0xff;
        b->width = le32(h + 4);
        b->height = b->top_down ? ((int64_t)1 << 32) - le32(h + 8) : le32(h + 8);
        b->bits = le16(h + 14);
        b->compression = le32(h + 16);
        b->colours = le32(h + 32);
    }
    if (b->bits != 1 && b->bits != 4 && b->bits != 8 && b->bits != 16 && b->bits != 24 && b->bits != 32)
        return FAIL(EUNSUPPORTED_, "a BMP picture of %u bits a pixel; 1, 4, 8, 16, 24 and 32 are known", b->bits);
    if (!b->colours)
        b->colours = b->bits < 32 ? 1u << b->bits : 0;
    if (b->offset == 14 + (int64_t)b->header && b->bits <= 8)
        b->offset += 4 * (int64_t)b->colours;
    memcpy(b->at, (int[]){2, 1, 0}, sizeof b->at);
    b->green_bits = 5;
    bool runs = (b->compression == RLE8 || b->compression == RLE4) && b->bits <= 8;
    if (b->compression != RAW && b->compression != BITFIELDS && !runs)
        return FAIL(EUNSUPPORTED_, "a BMP picture of %u bits with compression %u: convert it to PNG first", b->bits,
                    b->compression);
    int rc = b->compression == BITFIELDS ? read_masks(b, h, &at) : 0;
    if (!rc && b->bits <= 8)
        rc = read_palette(b, &at);
    if (!b->offset)
        b->offset = (int64_t)at;
    return rc;
}

static void put_row(const struct bmp *b, unsigned char *to, const unsigned char *row, int width)
{
    for (int x = 0; x < width; x++, to += 3) {
        if (b->bits >= 24) {
            const unsigned char *p = row + (size_t)x * (b->bits / 8);
            memcpy(to, (unsigned char[]){p[b->at[0]], p[b->at[1]], p[b->at[2]]}, 3);
        } else if (b->bits == 16) {
            uint32_t v = le16(row + 2 * (size_t)x), most = (1u << b->green_bits) - 1;
            to[0] = (unsigned char)((v >> (5 + b->green_bits) & 31) * 255 / 31);
            to[1] = (unsigned char)((v >> 5 & most) * 255 / most);
            to[2] = (unsigned char)((v & 31) * 255 / 31);
        } else {
            size_t bit = (size_t)x * b->bits;
            memcpy(to, b->table[row[bit / 8] >> (8 - b->bits - bit % 8) & ((1u << b->bits) - 1)], 3);
        }
    }
}

static unsigned char *row_of(const struct bmp *b, const struct image *out, int64_t y)
{
    return out->rgb + (size_t)(b->top_down ? y : out->height - 1 - y) * (size_t)out->width * 3;
}

static int read_rows(const struct bmp *b, struct image *out)
{
    int64_t stride = ((int64_t)b->width * b->bits + 31) / 32 * 4;
    int64_t last = ((int64_t)b->width * b->bits + 7) / 8;   // the last row's padding may be missing
    if (b->offset > (int64_t)b->size || stride * (b->height - 1) + last > (int64_t)b->size - b->offset)
        return FAIL(EFORMAT_, "the BMP picture is cut off: %zu bytes", b->size);
    for (int y = 0; y < out->height; y++)
        put_row(b, row_of(b, out, y), b->bytes + b->offset + y * stride, out->width);
    return 0;
}

// One index after the other, rows from the first to the last; `done` counts them.
struct run {
    const struct bmp *b;
    struct image *out;
    int64_t done, all;
};

static void run_put(struct run *r, unsigned index)
{
    if (r->done < r->all)
        memcpy(row_of(r->b, r->out, r->done / r->out->width) + r->done % r->out->width * 3, r->b->table[index], 3);
    r->done++;
}

static void run_skip(struct run *r, int64_t n)
{
    while (n-- > 0 && r->done < r->all)
        run_put(r, 0);
}

static int read_runs(const struct bmp *b, struct image *out)
{
    struct run r = {b, out, 0, (int64_t)out->width * out->height};
    bool four = b->compression == RLE4;
    int64_t at = b->offset, size = (int64_t)b->size, x = 0;
    while (r.done < r.all && at < size - 1) {
        int n = b->bytes[at], v = b->bytes[at + 1];
        at += 2;
        if (n) {
            n = x + n > out->width ? (int)(x > out->width ? 0 : out->width - x) : n;
            for (int i = 0; i < n; i++)
                run_put(&r, !four ? v : i % 2 ? v & 15 : v >> 4);
            x += n;
        } else if (v == 0) {   // end of the line
            run_skip(&r, (out->width - r.done % out->width) % out->width);
            x = 0;
        } else if (v == 1) {   // end of the picture
            break;
        } else if (v == 2) {   // Pillow takes the step's two bytes from behind two others, and so do we
            if (at > size - 4)
                break;
            run_skip(&r, b->bytes[at + 2] + (int64_t)b->bytes[at + 3] * out->width);
            at += 4;
            x = r.done % out->width;
        } else {               // v indices as they are; an odd one at the end of four-bit pairs is left out
            int count = four ? v / 2 : v;
            if (count > size - at)
                break;
            for (int i = 0; i < count; i++) {
                unsigned p = b->bytes[at + i];
                run_put(&r, four ? p >> 4 : p);
                if (four)
                    run_put(&r, p & 15);
            }
            at += count;
            at += at % 2;
            x += v;
        }
    }
    return r.done >= r.all ? 0 : FAIL(EFORMAT_, "the BMP picture is cut off: its runs end too early");
}

int bmp_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how)
{
    struct bmp b = {.bytes = bytes, .size = n};
    int rc = read_header(&b);
    if (!rc)
        rc = image_take(out, b.width, b.height, how->max_pixels);
    if (rc)
        return rc;
    return b.compression == RLE8 || b.compression == RLE4 ? read_runs(&b, out) : read_rows(&b, out);
}
