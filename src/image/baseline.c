// SPDX-License-Identifier: Apache-2.0
// Two things make it fast. A code and the number behind it are found by one look into a table wherever both fit into
// LOOK bits; and the scan is first copied without its stuffed zeros, so that the reader of bits loads eight bytes without
// a question. What the wanted part does not need is read, but neither transformed nor coloured.
#include "image/baseline.h"

#include <stdlib.h>
#include <string.h>

#include "image/blocks.h"
#include "image/formats.h"

enum {
    LOOK = 10,                 // bits a table is entered with
    BLOCK_END = 128,           // a step that ends a block
    MCU_BYTES = 10 * 64 * 4,   // more than any minimum coded unit takes, also a damaged one
    EDGE = 2,                  // columns beside the wanted ones whose chroma they may need
};

// Place in a block, row by row, of the k-th coefficient.
static const unsigned char zigzag[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6,  7,  14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

struct code {
    bool there;
    uint32_t fast[1 << LOOK];  // number << 16 | step << 8 | bits in all; 0: longer
    uint32_t limit[17];        // first 16 bits behind the codes of a length
    int offset[17];            // of a code of that length in `symbol`
    unsigned char symbol[256];
};

struct component {
    int h, v, id;
    const int32_t *quant;      // 64, in zigzag order
    const struct code *dc, *ac;
    int last_dc;
    int columns;               // samples a row of the decoded part
    size_t stride;
    unsigned char *rows;       // the last row of the unit row before, then v * 8 of this one
    unsigned char *wide;       // one row at full width, where columns are halved
};

struct reader {
    uint64_t bits;             // the next ones, at the top
    int have;
    const unsigned char *at, *end;
};

struct baseline {
    int width, height, n;      // n: components
    bool frame, jfif, adobe;   // seen
    int interval;              // units between restart marks; 0: none
    struct component c[3];
    bool quant_there[4];
    int32_t quant[4][64];
    struct code codes[2][4];
    unsigned char *scan;       // without stuffed zeros
    size_t *restarts;          // ends of the intervals in `scan`
    struct rect want;
    int x0;                    // first column decoded
    unsigned char *grey;       // a row of chroma without colour
    uint16_t *sums;            // row_twice_wide's
    unsigned char *band;       // rows on their way to a sink
};

// --- the file's head ------------------------------------------------------------------------------------------------------

static inline int number_of(uint32_t bits, int size)   // F.2.2.1: the upper half is positive
{
    return size == 0 ? 0 : bits >> (size - 1) ? (int)bits : (int)bits - (1 << size) + 1;
}

// How far a symbol leads in a block, and how many bits of number it has.
static inline int step_of(int symbol, bool ac, int *size)
{
    *size = symbol & 15;
    if (!ac)
        return 1;
    if (*size == 0)
        return symbol >> 4 == 15 ? 16 : BLOCK_END;
    return (symbol >> 4) + 1;
}

static bool code_make(struct code *c, const unsigned char counts[16], const unsigned char *symbols, int n, bool ac)
{
    memset(c->fast, 0, sizeof c->fast);
    memcpy(c->symbol, symbols, (size_t)n);
    uint32_t code = 0;
    for (int length = 1, k = 0; length <= 16; length++, code <<= 1) {
        c->offset[length] = k - (int)code;
        for (int i = 0; i < counts[length - 1]; i++, k++, code++) {
            if (code >> length || (!ac && c->symbol[k] > 15))
                return false;
            int size, step = step_of(c->symbol[k], ac, &size), spare = LOOK - length;
            for (uint32_t j = 0; spare >= size && j < 1u << spare; j++) {
                int number = number_of(j >> (spare - size), size);
                c->fast[code << spare | j] = (uint32_t)number << 16 | (uint32_t)step << 8 | (uint32_t)(length + size);
            }
        }
        if (code > 1u << length)
            return false;
        c->limit[length] = code << (16 - length);
    }
    c->there = true;
    return true;
}

static bool huffman_tables(struct baseline *b, const unsigned char *p, size_t n)
{
    while (n > 0) {
        int total = 0;
        if (n < 17 || p[0] >> 4 > 1 || (p[0] & 15) > 3)
            return false;
        for (int i = 0; i < 16; i++)
            total += p[1 + i];
        if (total > 256 || n < 17 + (size_t)total ||
            !code_make(&b->codes[p[0] >> 4][p[0] & 15], p + 1, p + 17, total, p[0] >> 4))
            return false;
        p += 17 + total;
        n -= 17 + (size_t)total;
    }
    return true;
}

static bool quant_tables(struct baseline *b, const unsigned char *p, size_t n)
{
    for (; n >= 65; p += 65, n -= 65) {
        if (p[0] > 3)
            return false;   // 16 bits, or no such table
        for (int i = 0; i < 64; i++) {
            if (p[1 + i] == 0)
                return false;   // none is allowed, and sums of differences would know no bound
            b->quant[p[0]][i] = p[1 + i];
        }
        b->quant_there[p[0]] = true;
    }
    return n == 0;
}

static bool frame(struct baseline *b, const unsigned char *p, size_t n)
{
    if (b->frame || n < 6 || p[0] != 8)
        return false;
    b->frame = true;
    b->height = p[1] << 8 | p[2];
    b->width = p[3] << 8 | p[4];
    b->n = p[5];
    if (b->height == 0 || b->width < 8 || (b->n != 1 && b->n != 3) || n != 6 + 3 * (size_t)b->n)
        return false;
    for (int i = 0; i < b->n; i++) {
        const unsigned char *q = p + 6 + 3 * i;
        int h = q[1] >> 4, v = q[1] & 15;
        if (q[2] > 3 || h < 1 || h > 4 || v < 1 || v > 4)
            return false;
        b->c[i] = (struct component){.h = h, .v = v, .id = q[0], .quant = b->quant[q[2]]};
    }
    struct component *c = b->c;
    if (b->n == 1)
        c[0].h = c[0].v = 1;   // a scan of one component knows no units of several blocks
    else if (c[1].h != 1 || c[1].v != 1 || c[2].h != 1 || c[2].v != 1 || c[0].h > 2 || c[0].v > c[0].h)
        return false;
    return true;
}

// The scan's header; after it everything must be known.
static bool scan_header(struct baseline *b, const unsigned char *p, size_t n)
{
    static const unsigned char whole[3] = {0, 63, 0};   // all coefficients, at once
    if (!b->frame || n != 4 + 2 * (size_t)b->n || p[0] != b->n || memcmp(p + 1 + 2 * b->n, whole, 3) != 0)
        return false;
    for (int i = 0; i < b->n; i++) {
        struct component *c = &b->c[i];
        int dc = p[2 + 2 * i] >> 4, ac = p[2 + 2 * i] & 15;
        if (p[1 + 2 * i] != c->id || dc > 3 || ac > 3 || !b->codes[0][dc].there || !b->codes[1][ac].there ||
            !b->quant_there[(c->quant - b->quant[0]) / 64])
            return false;
        c->dc = &b->codes[0][dc];
        c->ac = &b->codes[1][ac];
    }
    return b->n == 1 || b->jfif || b->adobe || (b->c[0].id == 1 && b->c[1].id == 2 && b->c[2].id == 3);
}

// Markers up to the scan. Returns where its data begin, or NULL.
static const unsigned char *head(struct baseline *b, const unsigned char *p, const unsigned char *end)
{
    p += 2;
    for (;;) {
        while (end - p >= 2 && p[0] == 0xff && p[1] == 0xff)
            p++;
        if (end - p < 4 || p[0] != 0xff)
            return NULL;
        int marker = p[1];
        size_t n = (size_t)(p[2] << 8 | p[3]);
        if (n < 2 || n > (size_t)(end - p - 2))
            return NULL;
        const unsigned char *at = p + 4;
        p += 2 + n;
        n -= 2;
        bool good = true;
        switch (marker) {
        case 0xc0: case 0xc1: good = frame(b, at, n); break;
        case 0xc4: good = huffman_tables(b, at, n); break;
        case 0xdb: good = quant_tables(b, at, n); break;
        case 0xdd:
            good = n == 2;
            b->interval = good ? at[0] << 8 | at[1] : 0;
            break;
        case 0xe0:
            b->jfif |= n >= 14 && memcmp(at, "JFIF", 5) == 0;
            break;
        case 0xee:   // Adobe's: 1 is YCbCr
            if (n >= 12 && memcmp(at, "Adobe", 5) == 0) {
                b->adobe = true;
                good = at[11] == 1;
            }
            break;
        case 0xda: return scan_header(b, at, n) ? p : NULL;
        default: good = marker == 0xfe || (marker >= 0xe0 && marker <= 0xef);
        }
        if (!good)
            return NULL;
    }
}

// --- the scan's bits --------------------------------------------------------------------------------------------------

// The data up to the marker that ends them, without stuffing, cut at restart marks.
static bool unstuff(struct baseline *b, const unsigned char *p, const unsigned char *end, int units)
{
    int intervals = b->interval ? (units + b->interval - 1) / b->interval : 1;
    b->scan = malloc((size_t)(end - p) + MCU_BYTES);
    b->restarts = malloc((size_t)intervals * sizeof *b->restarts);
    if (!b->scan || !b->restarts)
        return false;
    unsigned char *to = b->scan;
    for (int n = 0;;) {
        const unsigned char *ff = memchr(p, 0xff, (size_t)(end - p));
        if (!ff || end - ff < 2)
            return false;   // cut off
        memcpy(to, p, (size_t)(ff - p));
        to += ff - p;
        p = ff + 2;
        if (ff[1] == 0) {
            *to++ = 0xff;
            continue;
        }
        if (n == intervals)
            return false;
        b->restarts[n++] = (size_t)(to - b->scan);
        if (ff[1] >= 0xd0 && ff[1] <= 0xd7) {
            if (n == intervals || ff[1] != 0xd0 + (n - 1) % 8)
                return false;
            continue;
        }
        memset(to, 0, MCU_BYTES);
        return n == intervals && ff[1] != 0xff;
    }
}

static inline void refill(struct reader *r)
{
    uint64_t next;
    memcpy(&next, r->at, sizeof next);
    r->bits |= __builtin_bswap64(next) >> r->have;   // some may be there already: the same
    r->at += (63 - r->have) >> 3;
    r->have |= 56;
}

// A code of more than LOOK bits, or one whose number is. 0: there is none.
static uint32_t long_code(const struct code *c, uint64_t bits, bool ac)
{
    uint32_t top = (uint32_t)(bits >> 48);
    int length = 1;
    while (length <= 16 && top >= c->limit[length])
        length++;
    if (length > 16)
        return 0;
    int size, step = step_of(c->symbol[c->offset[length] + (int)(top >> (16 - length))], ac, &size);
    int number = number_of(size ? (uint32_t)(bits << length >> (64 - size)) : 0, size);
    return (uint32_t)number << 16 | (uint32_t)step << 8 | (uint32_t)(length + size);
}

// The next symbol with its number, as in `fast`; 0: none. At least LOOK bits are there; after a long one they are again
// as many as after a refill.
static inline uint32_t symbol(struct reader *r, const struct code *c, bool ac)
{
    uint32_t e = c->fast[r->bits >> (64 - LOOK)];
    bool far = e == 0;
    if (__builtin_expect(far, 0)) {
        refill(r);
        e = long_code(c, r->bits, ac);
    }
    r->bits <<= e & 255;
    r->have -= (int)(e & 255);
    if (__builtin_expect(far, 0))
        refill(r);
    return e;
}

// One block's coefficients, dequantised, into `to` (64 zeros). Returns the place of the last one in zigzag order, or -1 for
// damage.
static inline int block(struct reader *reader, struct component *c, int16_t *to)
{
    enum { A_REFILL = 56 / LOOK };   // short symbols that the bits of one refill are enough for
    struct reader r = *reader;
    refill(&r);
    uint32_t e = symbol(&r, c->dc, false);
    c->last_dc += (int16_t)(e >> 16);
    int v = c->last_dc * c->quant[0], k = 1, last = 0;
    uint32_t wild = (uint32_t)(v + WILD) | (e ? 0 : 2 * WILD);
    to[0] = (int16_t)v;
    while (k < 64) {
        refill(&r);
        for (int i = 0; i < A_REFILL && k < 64; i++) {
            e = symbol(&r, c->ac, true);
            k += (int)(e >> 8 & 255);
            if (k > 64 || e == 0)
                goto end;
            last = k - 1;
            v = (int16_t)(e >> 16) * c->quant[last];
            wild |= (uint32_t)(v + WILD);
            to[zigzag[last]] = (int16_t)v;
        }
    }
end:
    *reader = r;
    return (e == 0 || (k > 64 && k < BLOCK_END)) || wild & ~(uint32_t)(2 * WILD - 1) ? -1 : last;
}

// --- rows -----------------------------------------------------------------------------------------------------------

static bool take_rows(struct baseline *b, int columns)
{
    for (int i = 0; i < b->n; i++) {
        struct component *c = &b->c[i];
        c->columns = b->n == 3 && i > 0 ? (columns + b->c[0].h - 1) / b->c[0].h : columns;
        c->stride = ((size_t)c->columns + 15) / 16 * 16 + ROW_SLACK;
        c->rows = calloc((size_t)c->v * 8 + 1, c->stride);
        c->wide = calloc(2 * c->stride, 1);
        if (!c->rows || !c->wide)
            return false;
    }
    b->grey = malloc(b->c[0].stride);
    b->sums = calloc(b->c[0].stride + 64, sizeof *b->sums);
    if (!b->grey || !b->sums)
        return false;
    memset(b->grey, 128, b->c[0].stride);
    return true;
}

// Row y of component c at full size; `top`: the image's row that rows[1] belongs to.
static const unsigned char *full_row(struct baseline *b, struct component *c, int y, int top)
{
    const struct component *luma = b->c;
    int tall = luma->v / c->v, rows = (b->height + tall - 1) / tall, cur = y / tall;
    const unsigned char *row = c->rows + (size_t)(cur - top / tall + 1) * c->stride, *near = NULL;
    if (luma->h == c->h)
        return row;
    if (tall == 2) {
        near = y % 2 ? row + c->stride : row - c->stride;
        if ((y % 2 && cur + 1 >= rows) || (y % 2 == 0 && cur == 0))
            near = row;
    }
    row_twice_wide(row, near, c->columns, b->sums, c->wide);
    return c->wide;
}

// Pass on the rows from `y` to before `end`, the unit row that starts at `top` being decoded.
static void pass_on(struct baseline *b, struct row_sink *sink, struct image *out, int y, int end, int top)
{
    int columns = b->c[0].columns, from = y > b->want.y ? y : b->want.y;
    if (end > b->want.y + b->want.h)
        end = b->want.y + b->want.h;
    size_t stride = sink ? (size_t)columns * 3 : (size_t)b->width * 3;
    unsigned char *to = sink ? b->band : out->rgb + (size_t)from * stride;
    for (int i = from; i < end; i++) {
        const unsigned char *rows[3] = {NULL, b->grey, b->grey};
        for (int k = 0; k < b->n; k++)
            rows[k] = full_row(b, &b->c[k], i, top);
        row_colours(rows[0], rows[1], rows[2], columns, to + (size_t)(i - from) * stride);
    }
    if (sink && from < end)
        sink->rows(sink, to + (size_t)(b->want.x - b->x0) * 3, stride, from, end - from);
}

// The blocks of unit `x` of a row; samples where `shown`.
static inline bool unit(struct baseline *b, struct reader *r, int x, bool shown)
{
    for (int i = 0; i < b->n; i++) {
        struct component *c = &b->c[i];
        for (int v = 0; v < c->v; v++)
            for (int h = 0; h < c->h; h++) {
                int16_t coefficients[64] __attribute__((aligned(32))) = {0};
                int last = block(r, c, coefficients);
                if (last < 0)
                    return false;
                if (!shown)
                    continue;
                unsigned char *to = c->rows + ((size_t)v * 8 + 1) * c->stride + ((size_t)x * (size_t)c->h + (size_t)h) * 8;
                if (block_samples(coefficients, last, to, c->stride))
                    return false;
            }
    }
    return r->at <= r->end + 8;
}

static bool rows(struct baseline *b, struct row_sink *sink, struct image *out)
{
    int wide = b->c[0].h * 8, tall = b->c[0].v * 8;
    int across = (b->width + wide - 1) / wide, down = (b->height + tall - 1) / tall;
    int first = b->x0 / wide, last = first + (b->c[0].columns + wide - 1) / wide, left = 0, n = 0, done = 0;
    struct reader r = {0, 0, b->scan, b->scan};
    for (int m = 0; m < down; m++) {
        int top = m * tall;
        bool shown = top + tall + 1 >= b->want.y && top <= b->want.y + b->want.h;
        for (int x = 0; x < across; x++, left--) {
            if (left == 0) {   // an interval ends at a whole byte, with all its bits read
                if (m + x > 0 && r.end - r.at + r.have / 8 != 0)
                    return false;
                size_t from = n ? b->restarts[n - 1] : 0;
                r = (struct reader){0, 0, b->scan + from, b->scan + b->restarts[n++]};
                left = b->interval ? b->interval : across * down;
                for (int i = 0; i < b->n; i++)
                    b->c[i].last_dc = 0;
            }
            if (!unit(b, &r, x - first, shown && x >= first && x < last))
                return false;
        }
        if ((r.at - r.end) * 8 > r.have)
            return false;   // read past the end
        // the row's last line waits for its neighbour below
        int end = m + 1 < down ? top + tall - 1 : b->height;
        pass_on(b, sink, out, done, end, top);
        done = end;
        for (int i = 0; i < b->n; i++)
            memcpy(b->c[i].rows, b->c[i].rows + (size_t)b->c[i].v * 8 * b->c[i].stride, b->c[i].stride);
    }
    return true;
}

static bool decode(struct baseline *b, struct image *out, const unsigned char *bytes, size_t n, struct decoding *how)
{
    const unsigned char *at = head(b, bytes, bytes + n);
    if (!at || b->width > how->max_pixels / b->height)
        return false;
    int wide = b->c[0].h * 8, tall = b->c[0].v * 8;
    if (!unstuff(b, at, bytes + n, ((b->width + wide - 1) / wide) * ((b->height + tall - 1) / tall)))
        return false;
    b->want = (struct rect){0, 0, b->width, b->height};
    int end = b->width;
    if (how->sink) {
        if (how->sink->size(how->sink, b->width, b->height, &b->want) != 0)
            return false;
        b->x0 = b->want.x > EDGE ? (b->want.x - EDGE) / wide * wide : 0;
        end = (b->want.x + b->want.w + EDGE + wide - 1) / wide * wide;
        end = end < b->width ? end : b->width;
    } else if (image_take(out, b->width, b->height, how->max_pixels) != 0) {
        return false;
    }
    if (!take_rows(b, end - b->x0))
        return false;
    if (how->sink && !(b->band = malloc((size_t)(tall + 1) * (size_t)(end - b->x0) * 3)))
        return false;
    return rows(b, how->sink, out);
}

bool baseline_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how)
{
    struct baseline *b = calloc(1, sizeof *b);
    bool good = b && decode(b, out, bytes, n, how);
    if (b) {
        how->width = good ? b->width : 0;
        how->height = good ? b->height : 0;
        for (int i = 0; i < 3; i++) {
            free(b->c[i].rows);
            free(b->c[i].wide);
        }
        free(b->scan);
        free(b->restarts);
        free(b->grey);
        free(b->sums);
        free(b->band);
        free(b);
    }
    if (!good)
        image_free(out);
    return good;
}
