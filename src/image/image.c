// SPDX-License-Identifier: Apache-2.0
#include "image/image.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/formats.h"

struct format {
    const char *name, *extension;
    const char *magic;   // '?' matches any byte
    size_t magic_len;
    int (*read)(struct image *, const unsigned char *, size_t, struct decoding *);
};

static const struct format formats[] = {
    {"png", "png", "\x89PNG\r\n\x1a\n", 8, png_read},
    {"jpeg", "jpg", "\xff\xd8\xff", 3, jpeg_read},
    {"gif", "gif", "GIF8?a", 6, gif_read},
    {"webp", "webp", "RIFF????WEBP", 12, webp_read},
    {"bmp", "bmp", "BM", 2, bmp_read},
    {"tiff", "tiff", "II*\0", 4, tiff_read},
    {"tiff", "tiff", "MM\0*", 4, tiff_read},
    {"tiff", "tiff", "II+\0", 4, tiff_read},
    {"tiff", "tiff", "MM\0+", 4, tiff_read},
};

static const struct format *sniff(const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const struct format *f = &formats[i];
        size_t k = 0;
        while (k < f->magic_len && k < n && (f->magic[k] == '?' || (unsigned char)f->magic[k] == bytes[k]))
            k++;
        if (k == f->magic_len)
            return f;
    }
    return NULL;
}

const char *image_format(const void *bytes, size_t n)
{
    const struct format *f = sniff(bytes, n);
    return f ? f->name : NULL;
}

const char *image_extension(const char *format)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, format) == 0)
            return formats[i].extension;
    return format;
}

int image_fits(int64_t width, int64_t height, int64_t max_pixels)
{
    if (width <= 0 || height <= 0)
        return FAIL(EFORMAT_, "the picture's header says %" PRId64 "x%" PRId64 " pixels: damaged", width, height);
    if (width > max_pixels / height)
        return FAIL(EUNSUPPORTED_, "the picture has %" PRId64 "x%" PRId64 " pixels, more than the %" PRId64
                    " allowed: make it smaller", width, height, max_pixels);
    return 0;
}

int image_take(struct image *out, int64_t width, int64_t height, int64_t max_pixels)
{
    int rc = image_fits(width, height, max_pixels);
    if (rc)
        return rc;
    out->width = (int)width;
    out->height = (int)height;
    out->rgb = malloc((size_t)width * (size_t)height * 3);
    if (!out->rgb)
        return FAIL(EMEMORY_, "out of memory: no room for a picture of %" PRId64 "x%" PRId64 " pixels", width, height);
    return 0;
}

int image_decode(struct image *out, const void *bytes, size_t n, int64_t max_pixels)
{
    return image_decode_as(out, bytes, n, &(struct decoding){.max_pixels = max_pixels});
}

// A whole picture to a sink.
static int pour(struct row_sink *sink, struct image *im)
{
    struct rect want;
    int rc = sink->size(sink, im->width, im->height, &want);
    if (!rc)
        sink->rows(sink, im->rgb + ((size_t)want.y * (size_t)im->width + (size_t)want.x) * 3, (size_t)im->width * 3,
                   want.y, want.h);
    image_free(im);
    return rc;
}

int image_decode_as(struct image *out, const void *bytes, size_t n, struct decoding *how)
{
    memset(out, 0, sizeof *out);
    if (n == 0)
        return FAIL(EFORMAT_, "the picture is empty (0 bytes)");
    const struct format *f = sniff(bytes, n);
    if (!f)
        return FAIL(EFORMAT_, "not a picture: its %zu bytes do not start as PNG, JPEG, GIF, WebP, BMP "
                    "or TIFF do", n);
    // 2^29 pixels keep every product of sides and channels inside an int
    int64_t most = (int64_t)1 << 29, asked = how->max_pixels;
    how->max_pixels = asked <= 0 ? IMAGE_MAX_PIXELS : asked < most ? asked : most;
    how->width = how->height = 0;
    int rc = f->read(out, bytes, n, how);
    if (!rc && how->width == 0) {
        how->width = out->width;
        how->height = out->height;
    }
    if (!rc && how->sink && out->rgb)
        rc = pour(how->sink, out);
    if (rc)
        image_free(out);
    return rc;
}

void image_free(struct image *im)
{
    if (!im)
        return;
    free(im->rgb);
    memset(im, 0, sizeof *im);
}
