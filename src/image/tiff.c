// SPDX-License-Identifier: Apache-2.0
// TIFF with libtiff, by the rules of Pillow's reader: 16-bit and wider grey is clipped at 255, 16-bit colour cut to its
// high byte, colour that was multiplied by alpha is divided again, CMYK is not inverted; the orientation tag is obeyed
// (alone among the formats). CIE L*a*b* would need colour management and is refused.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

#include "base/error.h"
#include "image/formats.h"

enum { SAMPLES = 6, MAX_BLOCK = 1 << 29 };

struct job {
    const unsigned char *bytes;
    size_t size, at;
    char why[160];
    TIFF *tif;
    uint32_t width, height, tile_width, tile_height;
    uint16_t bits, samples, photometric, format, planar, extras, extra0, compression, orientation;
    uint16_t *palette[3];
    unsigned char table[256][3];
    unsigned char *block;     // one strip or tile
    unsigned char *gathered;  // height x width x samples: planes brought together
    bool swap;                // see read_tags
    bool shown;               // 16-bit grey loses its low byte
};

static tmsize_t on_read(thandle_t h, void *out, tmsize_t n)
{
    struct job *j = h;
    size_t left = j->at < j->size ? j->size - j->at : 0, take = (size_t)n < left ? (size_t)n : left;
    memcpy(out, j->bytes + (take ? j->at : 0), take);
    j->at += take;
    return (tmsize_t)take;
}

static tmsize_t on_write(thandle_t h, void *in, tmsize_t n) { return 0; }

static toff_t on_seek(thandle_t h, toff_t to, int whence)
{
    struct job *j = h;
    j->at = (size_t)(whence == SEEK_SET ? to : whence == SEEK_CUR ? j->at + to : j->size + to);
    return j->at;
}

static int on_close(thandle_t h) { return 0; }
static toff_t on_size(thandle_t h) { return ((struct job *)h)->size; }

static int on_error(TIFF *tif, void *user, const char *module, const char *fmt, va_list args)
{
    struct job *j = user;
    if (!j->why[0])
        vsnprintf(j->why, sizeof j->why, fmt, args);
    return 1;
}

static int on_warning(TIFF *tif, void *user, const char *module, const char *fmt, va_list args) { return 1; }

static int broken(const struct job *j)
{
    return FAIL(EFORMAT_, "the TIFF picture is damaged or cut off: %s", j->why[0] ? j->why : "no readable directory");
}

static int unsupported(const struct job *j)
{
    if (j->photometric == PHOTOMETRIC_CIELAB)   // Pillow asks LittleCMS
        return FAIL(EUNSUPPORTED_, "a TIFF picture in CIELAB, which needs colour management that is not built in: convert it "
                    "to RGB first");
    return FAIL(EUNSUPPORTED_, "a TIFF picture of a kind that cannot be read (photometric %u, %u samples of %u bits, "
                "sample format %u, compression %u): convert it to PNG first", j->photometric, j->samples, j->bits,
                j->format, j->compression);
}

static void read_tags(struct job *j)
{
    uint16_t *kinds = NULL;
    TIFFGetField(j->tif, TIFFTAG_IMAGEWIDTH, &j->width);
    TIFFGetField(j->tif, TIFFTAG_IMAGELENGTH, &j->height);
    TIFFGetFieldDefaulted(j->tif, TIFFTAG_BITSPERSAMPLE, &j->bits);
    TIFFGetFieldDefaulted(j->tif, TIFFTAG_SAMPLESPERPIXEL, &j->samples);
    TIFFGetFieldDefaulted(j->tif, TIFFTAG_SAMPLEFORMAT, &j->format);
    TIFFGetFieldDefaulted(j->tif, TIFFTAG_PLANARCONFIG, &j->planar);
    TIFFGetFieldDefaulted(j->tif, TIFFTAG_COMPRESSION, &j->compression);
    TIFFGetFieldDefaulted(j->tif, TIFFTAG_ORIENTATION, &j->orientation);
    TIFFGetField(j->tif, TIFFTAG_PHOTOMETRIC, &j->photometric);   // absent: 0, as in Pillow
    if (TIFFGetField(j->tif, TIFFTAG_EXTRASAMPLES, &j->extras, &kinds) && j->extras)
        j->extra0 = kinds[0];
    if (j->format == SAMPLEFORMAT_VOID)
        j->format = SAMPLEFORMAT_UINT;
    // libtiff has put the bytes of a compressed big-endian file in order; Pillow turns those of 32 bits around again
    j->swap = TIFFIsBigEndian(j->tif) && j->compression != COMPRESSION_NONE;
}

// Whether Pillow has a mode for these tags.
static bool known(const struct job *j)
{
    bool whole = j->format == SAMPLEFORMAT_UINT, byte = whole && j->bits == 8, wide = whole && j->bits == 16;
    bool alpha = j->samples == 2 && j->extras == 1 && j->extra0 == EXTRASAMPLE_UNASSALPHA && byte;
    switch (j->photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
        if (alpha)
            return j->photometric == PHOTOMETRIC_MINISBLACK;
        if (j->samples != 1)
            return false;
        if (j->format == SAMPLEFORMAT_IEEEFP)
            return j->bits == 32;
        if (j->format == SAMPLEFORMAT_INT)
            return j->bits == 16 || j->bits == 32;
        return whole && (j->bits == 1 || j->bits == 2 || j->bits == 4 || j->bits == 8 || j->bits == 12 ||
                         j->bits == 16 || j->bits == 32);
    case PHOTOMETRIC_RGB:
        return (byte && j->samples >= 3 && j->samples <= SAMPLES) || (wide && (j->samples == 3 || j->samples == 4));
    case PHOTOMETRIC_PALETTE:
        return alpha || (whole && j->samples == 1 && (j->bits == 1 || j->bits == 2 || j->bits == 4 || j->bits == 8));
    case PHOTOMETRIC_SEPARATED:
        return (byte && j->samples >= 4 && j->samples <= SAMPLES) || (wide && j->samples == 4);
    case PHOTOMETRIC_YCBCR:
        return byte && j->samples == 3;
    }
    return false;
}

static unsigned char clip(double v) { return (unsigned char)(v <= 0 ? 0 : v >= 255 ? 255 : v); }

// Sample x of a row of samples `bits` wide, as 8 bits. libtiff hands wider ones out in this machine's order.
static unsigned char sample8(const struct job *j, const unsigned char *row, size_t x)
{
    bool grey = j->photometric <= PHOTOMETRIC_MINISBLACK;
    if (j->bits < 8) {
        size_t bit = x * j->bits;
        return row[bit / 8] >> (8 - j->bits - bit % 8) & ((1 << j->bits) - 1);
    }
    if (j->bits == 8)
        return row[x];
    if (j->bits == 12) {
        const unsigned char *p = row + x / 2 * 3;
        return clip(x % 2 ? (p[1] & 15) << 8 | p[2] : p[0] << 4 | p[1] >> 4);
    }
    if (j->bits == 16) {
        uint16_t v;
        memcpy(&v, row + 2 * x, 2);
        return !grey || (j->shown && j->format == SAMPLEFORMAT_UINT) ? (unsigned char)(v >> 8) : clip(j->format == SAMPLEFORMAT_INT ? (int16_t)v : v);
    }
    uint32_t v;
    float f;
    memcpy(&v, row + 4 * x, 4);
    v = j->swap ? __builtin_bswap32(v) : v;
    memcpy(&f, &v, 4);
    return clip(j->format == SAMPLEFORMAT_IEEEFP ? (double)f : (int32_t)v);   // unsigned too: Pillow's mode I is signed
}

// One pixel's samples (at most SAMPLES, as 8 bits) to RGB.
static void pixel(const struct job *j, unsigned char rgb[3], const unsigned char *s)
{
    int most = j->bits < 8 ? (1 << j->bits) - 1 : 255;
    switch (j->photometric) {
    case PHOTOMETRIC_MINISWHITE:   // wider than 8 bits, Pillow does not invert
    case PHOTOMETRIC_MINISBLACK:
        memset(rgb, (j->photometric == PHOTOMETRIC_MINISWHITE && j->bits <= 8 ? most - s[0] : s[0]) * 255 / most, 3);
        break;
    case PHOTOMETRIC_PALETTE:
        memcpy(rgb, j->table[s[0]], 3);
        break;
    case PHOTOMETRIC_SEPARATED:
        cmyk_to_rgb(rgb, s[0], s[1], s[2], s[3]);
        break;
    default:
        if (j->samples >= 4 && j->extra0 == EXTRASAMPLE_ASSOCALPHA && j->extras && s[3] != 255)
            for (int c = 0; c < 3; c++) {
                int v = s[3] ? s[c] * 255 / s[3] : 0;
                rgb[c] = (unsigned char)(v > 255 ? 255 : v);
            }
        else
            memcpy(rgb, s, 3);
    }
}

static void read_palette(struct job *j)
{
    uint16_t *r, *g, *b;
    if (!TIFFGetField(j->tif, TIFFTAG_COLORMAP, &r, &g, &b))
        return;   // Pillow's default: grey
    for (int i = 0; i < 1 << j->bits; i++)
        memcpy(j->table[i], (unsigned char[]){(unsigned char)(r[i] >> 8), (unsigned char)(g[i] >> 8),
                                              (unsigned char)(b[i] >> 8)}, 3);
}

// A block's rows into the picture; a plane's into `gathered`.
static void place(const struct job *j, struct image *out, uint32_t x0, uint32_t y0, int plane, size_t stride)
{
    uint32_t w = j->width - x0 < j->tile_width ? j->width - x0 : j->tile_width;
    uint32_t h = j->height - y0 < j->tile_height ? j->height - y0 : j->tile_height;
    for (uint32_t y = 0; y < h; y++) {
        const unsigned char *row = j->block + y * stride;
        unsigned char *to = out->rgb + ((size_t)(y0 + y) * j->width + x0) * 3;
        for (uint32_t x = 0; x < w; x++, to += 3) {
            unsigned char s[SAMPLES] = {0};
            if (plane >= 0) {
                j->gathered[((size_t)(y0 + y) * j->width + x0 + x) * j->samples + (size_t)plane] = sample8(j, row, x);
                continue;
            }
            for (int c = 0; c < j->samples; c++)
                s[c] = sample8(j, row, (size_t)x * j->samples + (size_t)c);
            pixel(j, to, s);
        }
    }
}

static int read_blocks(struct job *j, struct image *out)
{
    bool tiled = TIFFIsTiled(j->tif), planes = j->planar == PLANARCONFIG_SEPARATE && j->samples > 1;
    size_t pixels = (size_t)out->width * (size_t)out->height;
    j->tile_width = j->width;
    if (tiled) {
        TIFFGetField(j->tif, TIFFTAG_TILEWIDTH, &j->tile_width);
        TIFFGetField(j->tif, TIFFTAG_TILELENGTH, &j->tile_height);
    } else {
        TIFFGetFieldDefaulted(j->tif, TIFFTAG_ROWSPERSTRIP, &j->tile_height);
        j->tile_height = j->tile_height > j->height ? j->height : j->tile_height;
    }
    tmsize_t room = tiled ? TIFFTileSize(j->tif) : TIFFStripSize(j->tif);
    tmsize_t stride = tiled ? TIFFTileRowSize(j->tif) : TIFFScanlineSize(j->tif);
    uint64_t least = ((uint64_t)j->tile_width * j->bits * (planes ? 1 : j->samples) + 7) / 8;
    if (!j->tile_width || !j->tile_height || room <= 0 || stride <= 0 || (uint64_t)stride < least ||
        (uint64_t)room < (uint64_t)stride * j->tile_height)
        return broken(j);
    if (room > MAX_BLOCK && (uint64_t)room > (uint64_t)out->width * (uint64_t)out->height * 24)
        return FAIL(EUNSUPPORTED_, "a TIFF picture whose tiles are far larger than itself: convert it to PNG first");
    if (!(j->block = calloc(1, (size_t)room)) || (planes && !(j->gathered = malloc(pixels * j->samples))))
        return FAIL(EMEMORY_, "out of memory: no room for a TIFF of %dx%d pixels", out->width, out->height);
    for (int plane = 0; plane < (planes ? j->samples : 1); plane++)
        for (uint32_t y = 0; y < j->height; y += j->tile_height)
            for (uint32_t x = 0; x < j->width; x += j->tile_width) {
                tmsize_t got = tiled ? TIFFReadEncodedTile(j->tif, TIFFComputeTile(j->tif, x, y, 0, (uint16_t)plane),
                                                           j->block, room)
                                     : TIFFReadEncodedStrip(j->tif, TIFFComputeStrip(j->tif, y, (uint16_t)plane),
                                                            j->block, room);
                if (got < 0)
                    return broken(j);
                place(j, out, x, y, planes ? plane : -1, (size_t)stride);
            }
    for (size_t i = 0; i < pixels && planes; i++)
        pixel(j, out->rgb + 3 * i, j->gathered + i * j->samples);
    return 0;
}

// Subsampled colour differences: libtiff's own conversion, as Pillow lets it.
static int read_ycbcr(struct job *j, struct image *out)
{
    size_t n = (size_t)out->width * (size_t)out->height;
    uint32_t *raster = malloc(n * sizeof *raster);
    if (!raster)
        return FAIL(EMEMORY_, "out of memory: no room for a TIFF of %dx%d pixels", out->width, out->height);
    int rc = TIFFReadRGBAImageOriented(j->tif, j->width, j->height, raster, ORIENTATION_TOPLEFT, 1) ? 0 : broken(j);
    for (size_t i = 0; i < n && !rc; i++)
        memcpy(out->rgb + 3 * i, (unsigned char[]){(unsigned char)TIFFGetR(raster[i]), (unsigned char)TIFFGetG(raster[i]),
                                                   (unsigned char)TIFFGetB(raster[i])}, 3);
    free(raster);
    return rc;
}

// Tag 274: 2 mirrored, 3 half a turn, 4 upside down, 5-8 the same with rows and columns exchanged.
static int turn(struct image *im, int orientation)
{
    if (orientation < 2 || orientation > 8)
        return 0;
    bool swap = orientation >= 5, flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    int w = im->width, h = im->height, width = swap ? h : w, height = swap ? w : h;
    unsigned char *to = malloc((size_t)w * (size_t)h * 3);
    if (!to)
        return FAIL(EMEMORY_, "out of memory: no room to turn a TIFF of %dx%d pixels", w, h);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int from_x = swap ? y : x, from_y = swap ? x : y;
            from_x = flip_x ? w - 1 - from_x : from_x;
            from_y = flip_y ? h - 1 - from_y : from_y;
            memcpy(to + ((size_t)y * (size_t)width + (size_t)x) * 3,
                   im->rgb + ((size_t)from_y * (size_t)w + (size_t)from_x) * 3, 3);
        }
    free(im->rgb);
    *im = (struct image){width, height, to};
    return 0;
}

static int decode(struct job *j, struct image *out, struct decoding *how)
{
    read_tags(j);
    j->shown = how->shown;
    if (!known(j))
        return unsupported(j);
    int rc = image_take(out, j->width, j->height, how->max_pixels);
    if (rc)
        return rc;
    for (int i = 0; i < 256; i++)
        memset(j->table[i], i, 3);
    if (j->photometric == PHOTOMETRIC_PALETTE)
        read_palette(j);
    bool ycbcr = j->photometric == PHOTOMETRIC_YCBCR;
    if (ycbcr && j->compression == COMPRESSION_JPEG && j->planar == PLANARCONFIG_CONTIG)
        ycbcr = !TIFFSetField(j->tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    rc = ycbcr ? read_ycbcr(j, out) : read_blocks(j, out);
    return rc ? rc : turn(out, j->orientation);
}

int tiff_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how)
{
    struct job j = {.bytes = bytes, .size = n, .bits = 1, .samples = 1, .format = 1, .planar = 1, .orientation = 1};
    TIFFOpenOptions *o = TIFFOpenOptionsAlloc();
    if (!o)
        return FAIL(EMEMORY_, "out of memory: libtiff did not start");
    TIFFOpenOptionsSetErrorHandlerExtR(o, on_error, &j);
    TIFFOpenOptionsSetWarningHandlerExtR(o, on_warning, &j);
    TIFFOpenOptionsSetMaxSingleMemAlloc(o, (tmsize_t)1 << 32);
    // m: no memory map; h: the first directory is read below
    j.tif = TIFFClientOpenExt("tiff", "rm", &j, on_read, on_write, on_seek, on_close, on_size, NULL, NULL, o);
    TIFFOpenOptionsFree(o);
    int rc = j.tif ? decode(&j, out, how) : broken(&j);
    if (j.tif)
        TIFFClose(j.tif);
    free(j.block);
    free(j.gathered);
    return rc;
}
