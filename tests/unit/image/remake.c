// SPDX-License-Identifier: Apache-2.0
// Pictures made anew: sizes, borders, transparency, wide pixels, what is carried over, what is refused.
#include <png.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "check.h"
#include "image/encode.h"
#include "image/exif.h"
#include "image/probe.h"
#include "image/remake.h"
#include "image/resample.h"

// Slowly changing colours, so that encoders and resamplers stay near them.
static struct image scene(int width, int height)
{
    struct image im = {width, height, malloc((size_t)width * (size_t)height * 3)};
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            unsigned char *p = im.rgb + ((size_t)y * (size_t)width + (size_t)x) * 3;
            p[0] = (unsigned char)(40 + 150 * x / width);
            p[1] = (unsigned char)(200 - 150 * y / height);
            p[2] = (unsigned char)(30 + 100 * (x + y) / (width + height));
        }
    return im;
}

static struct buf encoded(int width, int height, const char *format)
{
    struct image im = scene(width, height);
    struct buf b = {0};
    CHECK(image_encode(&b, &im, format, format_quality(format), NULL) == 0);
    image_free(&im);
    return b;
}

static double colour_error(const struct image *im, int x, int y, int width, int height)
{
    struct image want = scene(width, height);
    double most = 0;
    for (int c = 0; c < 3; c++) {
        double d = abs(im->rgb[(y * im->width + x) * 3 + c] - want.rgb[(y * width + x) * 3 + c]);
        most = d > most ? d : most;
    }
    image_free(&want);
    return most;
}

static void every_mode_has_its_size(void)
{
    static const struct { const char *mode; bool enlarge; int from_w, from_h, w, h; } cases[] = {
        {"shorter", 0, 400, 300, 341, 256}, {"shorter", 0, 300, 400, 256, 341}, {"shorter", 0, 200, 100, 200, 100},
        {"shorter", 1, 200, 100, 512, 256}, {"longer", 0, 400, 300, 256, 192}, {"longer", 0, 300, 1200, 64, 256},
        {"longer", 0, 200, 100, 200, 100}, {"longer", 1, 200, 100, 256, 128}, {"border", 0, 400, 300, 256, 256},
        {"border", 0, 200, 100, 256, 256}, {"border", 1, 200, 100, 256, 256}, {"crop", 0, 400, 300, 256, 256},
        {"crop", 0, 200, 100, 200, 100}, {"crop", 1, 200, 100, 256, 256}, {"crop", 0, 256, 999, 256, 256},
        {"keep_ratio", 0, 400, 300, 341, 256}, {"keep_ratio_largest", 0, 400, 300, 256, 192},
        {"center_crop", 0, 400, 300, 256, 256}, {"shorter", 0, 1003, 4021, 256, 1026}, {"longer", 0, 4000, 3, 256, 1},
    };
    static const char *const formats[] = {"jpeg", "webp", "png"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *to = formats[i % 3], *from = formats[i / 3 % 3], *format = NULL;
        struct buf in = encoded(cases[i].from_w, cases[i].from_h, from), out = {0};
        struct remake r = {.size = 256, .enlarge = cases[i].enlarge, .format = to, .quality = format_quality(to)};
        struct probe p;
        int w = 0, h = 0;
        CHECK(fit_parse(&r.fit, cases[i].mode));
        CHECK(image_remake(&r, in.at, in.len, &out, &format, &w, &h) == 0);
        CHECK(w == cases[i].w && h == cases[i].h);
        bool same = w == cases[i].from_w && h == cases[i].from_h && strcmp(from, to) == 0;
        CHECK((out.len == 0) == same);
        if (out.len) {
            image_probe(&p, out.at, out.len);
            CHECK(p.format && strcmp(p.format, to) == 0 && p.whole && p.width == w && p.height == h);
            CHECK_STR(format, to);
        }
        buf_free(&in);
        buf_free(&out);
    }
    enum fit fit;
    CHECK(!fit_parse(&fit, "fixed") && !fit_parse(&fit, ""));
}

static struct image remade(const struct remake *r, const void *bytes, size_t n)
{
    struct buf out = {0};
    struct image im = {0};
    const char *format;
    int w, h;
    CHECK(image_remake(r, bytes, n, &out, &format, &w, &h) == 0 && out.len > 0);
    CHECK(image_decode(&im, out.at, out.len, 0) == 0 && im.width == w && im.height == h);
    buf_free(&out);
    return im;
}

static void pixels_are_where_they_belong(void)
{
    struct remake r = {.size = 100, .fit = FIT_BORDER, .format = "png", .quality = 1};
    struct buf in = encoded(1600, 800, "jpeg");
    struct image im = remade(&r, in.at, in.len);
    // white above and below, the picture between
    CHECK(im.rgb[0] == 255 && im.rgb[24 * 300] == 255 && im.rgb[75 * 300 + 299] == 255);
    struct image middle = {100, 50, im.rgb + 25 * 300};
    for (int k = 0; k < 20; k++)
        CHECK(colour_error(&middle, 5 * k, 2 * k + 5, 100, 50) <= 4);
    image_free(&im);
    r.fit = FIT_CROP;
    im = remade(&r, in.at, in.len);
    struct image whole = scene(200, 100);
    for (int k = 0; k < 100; k++)
        for (int c = 0; c < 3; c++)
            CHECK(abs(im.rgb[(k * 100 + k) * 3 + c] - whole.rgb[(k * 200 + k + 50) * 3 + c]) <= 4);
    image_free(&whole);
    image_free(&im);
    buf_free(&in);
}

// A JPEG decoded at a quarter of its size looks as one decoded whole: at least 40 dB.
static void scaled_decoding_is_near(void)
{
    struct image im = scene(2000, 1500), small = {341, 256, malloc(341 * 256 * 3)};
    struct buf jpeg = {0};
    for (int i = 0; i < 2000 * 1500 * 3; i++) {   // fine lines on it
        int x = i / 3 % 2000, y = i / 6000;
        im.rgb[i] = (unsigned char)(im.rgb[i] + ((x / 3 + y / 5) % 2 ? 25 : -25));
    }
    CHECK(image_jpeg(&jpeg, &im, 95) == 0);
    image_free(&im);
    CHECK(image_decode(&im, jpeg.at, jpeg.len, 0) == 0);
    struct region all = {im.rgb, 2000, 1500, 6000};
    CHECK(image_resample(&all, 341, 256, FILTER_BICUBIC, 0, 0, 341, 256, small.rgb) == 0);
    struct remake r = {.size = 256, .format = "png", .quality = 1};
    struct image got = remade(&r, jpeg.at, jpeg.len);
    CHECK(got.width == 341 && got.height == 256);
    double sum = 0;
    for (int i = 0; i < 341 * 256 * 3; i++)
        sum += (double)(got.rgb[i] - small.rgb[i]) * (got.rgb[i] - small.rgb[i]);
    double db = 10 * log10(255. * 255 * 341 * 256 * 3 / (sum + 1e-9));
    printf("# decoded at half its size first: %.1f dB\n", db);
    CHECK(db > 40);
    struct decoding how = {.side = 256};
    image_free(&im);
    CHECK(image_decode_as(&im, jpeg.at, jpeg.len, &how) == 0);
    CHECK(how.width == 2000 && how.height == 1500 && im.width == 1000 && im.height == 750);
    image_free(&im);
    how = (struct decoding){.max_pixels = 2000 * 1500 - 1, .side = 256};   // the cap is on what the file says
    CHECK(image_decode_as(&im, jpeg.at, jpeg.len, &how) == EUNSUPPORTED_);
    image_free(&got);
    image_free(&small);
    buf_free(&jpeg);
}

static struct buf png_of(int colour, int depth, const unsigned char *row /* 2 pixels */, const png_color_16 *key)
{
    struct buf b = {0};
    char *bytes = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&bytes, &n);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, f);
    png_set_IHDR(png, info, 2, 1, depth, colour, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (key)
        png_set_tRNS(png, info, NULL, 0, key);
    png_write_info(png, info);
    png_write_row(png, row);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    fclose(f);
    buf_add(&b, bytes, n);
    free(bytes);
    return b;
}

static void shows(struct buf in, const unsigned char want[6])
{
    struct image im = {0};
    struct decoding how = {.shown = true};
    CHECK(image_decode_as(&im, in.at, in.len, &how) == 0 && im.width == 2 && im.height == 1);
    CHECK(im.rgb && memcmp(im.rgb, want, 6) == 0);
    if (im.rgb && memcmp(im.rgb, want, 6) != 0)
        printf("# %d %d %d  %d %d %d\n", im.rgb[0], im.rgb[1], im.rgb[2], im.rgb[3], im.rgb[4], im.rgb[5]);
    image_free(&im);
    buf_free(&in);
}

static void transparency_lies_on_white(void)
{
    shows(png_of(PNG_COLOR_TYPE_RGB_ALPHA, 8, (unsigned char[]){10, 20, 30, 0, 10, 20, 30, 255}, NULL),
          (unsigned char[]){255, 255, 255, 10, 20, 30});
    shows(png_of(PNG_COLOR_TYPE_RGB_ALPHA, 8, (unsigned char[]){0, 100, 200, 128, 9, 9, 9, 255}, NULL),
          (unsigned char[]){127, 177, 227, 9, 9, 9});
    shows(png_of(PNG_COLOR_TYPE_GRAY_ALPHA, 8, (unsigned char[]){0, 0, 50, 255}, NULL),
          (unsigned char[]){255, 255, 255, 50, 50, 50});
    // a colour that is transparent wherever it is
    shows(png_of(PNG_COLOR_TYPE_RGB, 8, (unsigned char[]){1, 2, 3, 4, 5, 6}, &(png_color_16){.red = 1, .green = 2, .blue = 3}),
          (unsigned char[]){255, 255, 255, 4, 5, 6});
    shows(png_of(PNG_COLOR_TYPE_GRAY, 8, (unsigned char[]){7, 8}, &(png_color_16){.gray = 8}),
          (unsigned char[]){7, 7, 7, 255, 255, 255});
    // 16 bits: scaled, in grey too (where the towers' input, as Pillow's, is clipped)
    shows(png_of(PNG_COLOR_TYPE_GRAY, 16, (unsigned char[]){0x80, 0x80, 0x01, 0x01}, NULL),
          (unsigned char[]){128, 128, 128, 1, 1, 1});
    shows(png_of(PNG_COLOR_TYPE_RGB, 16, (unsigned char[]){1, 1, 2, 2, 3, 3, 0xff, 0xff, 0, 0, 5, 5}, NULL),
          (unsigned char[]){1, 2, 3, 255, 0, 5});
    // GIF: two pixels of a palette of two, the first index transparent
    static const unsigned char gif[] = {'G', 'I', 'F', '8', '9', 'a', 2, 0, 1, 0, 0x80, 0, 0, 10, 20, 30, 40, 50, 60,
        0x21, 0xf9, 4, 1, 0, 0, 0, 0, 0x2c, 0, 0, 0, 0, 2, 0, 1, 0, 0, 2, 2, 0x44, 0x0a, 0, 0x3b};
    struct buf b = {0};
    buf_add(&b, gif, sizeof gif);
    shows(b, (unsigned char[]){255, 255, 255, 40, 50, 60});
}

static unsigned char exif[400];
static size_t exif_len;

static void put(int big, unsigned v, int n)
{
    for (int i = 0; i < n; i++)
        exif[exif_len++] = (unsigned char)(v >> 8 * (big ? n - 1 - i : i));
}

static void entry(int big, unsigned tag, unsigned type, unsigned count, unsigned value, int wide)
{
    put(big, tag, 2);
    put(big, type, 2);
    put(big, count, 4);
    put(big, value, wide);
    put(big, 0, 4 - wide);
}

// Maker, orientation, resolution, an EXIF directory with a time and an exposure; in either order of bytes.
static void make_exif(int big)
{
    exif_len = 0;
    memcpy(exif, big ? "MM\0*" : "II*\0", 4);
    exif_len = 4;
    put(big, 8, 4);
    put(big, 5, 2);
    entry(big, 0x10f, 2, 8, 100, 4);
    entry(big, 0x112, 3, 1, 6, 2);
    entry(big, 0x11a, 5, 1, 120, 4);
    entry(big, 0x8769, 4, 1, 140, 4);
    entry(big, 0xc4a5, 7, 4, 0, 4);
    put(big, 0, 4);
    memset(exif + exif_len, 0, 100 - exif_len);
    exif_len = 100;
    memcpy(exif + exif_len, " Canon\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    exif_len = 120;
    put(big, 144, 4);
    put(big, 2, 4);
    put(big, 0, 4);
    put(big, 0, 4);
    put(big, 0, 4);
    put(big, 3, 2);
    entry(big, 0x829a, 5, 1, 190, 4);
    entry(big, 0x9000, 7, 4, big ? 0x30323330 : 0x30333230, 4);
    entry(big, 0x8827, 3, 2, big ? (100u << 16 | 200) : (200u << 16 | 100), 4);
    put(big, 0, 4);
    while (exif_len < 190)
        put(big, 0, 1);
    put(big, 10, 4);
    put(big, 600, 4);
}

static void exif_as_text(void)
{
    static const char want[] = "{\"Image Make\": \"Canon\", \"Image Orientation\": \"Rotated 90 CW\", \"Image XResolution\":"
        " \"72\", \"Image ExifOffset\": \"140\", \"EXIF ExposureTime\": \"1/60\", \"EXIF ExifVersion\": \"0230\","
        " \"EXIF ISOSpeedRatings\": \"[100, 200]\"}";
    for (int big = 0; big < 2; big++) {
        struct buf b = {0};
        make_exif(big);
        CHECK(exif_json(&b, exif, exif_len) == 0);
        CHECK_STR(b.at, want);
        buf_free(&b);
        for (size_t n = 0; n < exif_len; n++) {   // cut off anywhere: fewer tags
            struct buf part = {0};
            unsigned char *copy = malloc(n ? n : 1);
            memcpy(copy, exif, n);
            CHECK(exif_json(&part, copy, n) == 0 && part.at[0] == '{');
            buf_free(&part);
            free(copy);
        }
    }
}

static void exif_and_profile_are_carried(void)
{
    static const char *const formats[] = {"jpeg", "webp", "png"};
    char icc[200] = {0};
    icc[3] = (char)sizeof icc;
    memcpy(icc + 12, "mntrRGB XYZ ", 12);
    memcpy(icc + 36, "acsp", 4);
    make_exif(1);
    for (int from = 0; from < 3; from++)
        for (int to = 0; to < 3; to++) {
            struct image im = scene(400, 300);
            struct image_meta m = {exif, exif_len, {0}}, got;
            struct buf in = {0}, out = {0};
            struct remake r = {.size = 64, .format = formats[to], .quality = format_quality(formats[to])};
            const char *format;
            int w, h;
            if (from < 2)   // libpng writes no profile that it would not read
                buf_add(&m.icc, icc, sizeof icc);
            CHECK(image_encode(&in, &im, formats[from], format_quality(formats[from]), &m) == 0);
            CHECK(image_remake(&r, in.at, in.len, &out, &format, &w, &h) == 0);
            CHECK(image_meta(&got, out.at, out.len) == 0);
            CHECK(got.exif && got.exif_len == exif_len && memcmp(got.exif, exif, exif_len) == 0);
            CHECK(from == 2 || to == 2 || (got.icc.len == sizeof icc && memcmp(got.icc.at, icc, sizeof icc) == 0));
            struct image back;   // others still read it
            CHECK(image_decode(&back, out.at, out.len, 0) == 0 && back.width == 85);
            image_free(&back);
            image_meta_free(&got);
            buf_free(&m.icc);
            buf_free(&in);
            buf_free(&out);
            image_free(&im);
        }
}

static void what_cannot_be_made_is_said(void)
{
    struct buf in = encoded(400, 2, "png"), out = {0};
    struct remake r = {.size = 256, .enlarge = true, .format = "webp", .quality = 90, .max_pixels = 1 << 20};
    const char *format;
    int w, h;
    CHECK(image_remake(&r, in.at, in.len, &out, &format, &w, &h) == EUNSUPPORTED_ && strstr(error_last(), "51200x256"));
    r.max_pixels = 0;
    CHECK(image_remake(&r, in.at, in.len, &out, &format, &w, &h) == EUNSUPPORTED_ && strstr(error_last(), "16383"));
    CHECK(image_remake(&r, in.at, in.len / 2, &out, &format, &w, &h) == EFORMAT_);
    CHECK(image_remake(&r, "x", 1, &out, &format, &w, &h) == EFORMAT_);
    CHECK(out.len == 0);
    buf_free(&in);
    buf_free(&out);
}

int main(void)
{
    CASE(every_mode_has_its_size);
    CASE(pixels_are_where_they_belong);
    CASE(scaled_decoding_is_near);
    CASE(transparency_lies_on_white);
    CASE(exif_as_text);
    CASE(exif_and_profile_are_carried);
    CASE(what_cannot_be_made_is_said);
    return check_done();
}
