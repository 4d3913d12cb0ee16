// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "check.h"
#include "image/augment.h"
#include "image/encode.h"
#include "image/rows.h"

static struct transform plain(int size)
{
    return (struct transform){size, FILTER_BILINEAR, {.75f, .75f, .75f}, {1 / 3.f, 1 / 3.f, 1 / 3.f}};
}

// A drawing: coloured blocks on white.
static struct image drawing(int width, int height)
{
    struct image im = {width, height, malloc((size_t)width * (size_t)height * 3)};
    memset(im.rgb, 255, (size_t)width * (size_t)height * 3);
    for (int y = height / 4; y < height * 3 / 4; y++)
        for (int x = width / 4; x < width * 3 / 4; x++)
            for (int c = 0; c < 3; c++)
                im.rgb[(y * width + x) * 3 + c] = (unsigned char)((x * 7 + y * 3 * c + c * 80) & 0xff);
    return im;
}

static void png_comes_back_as_it_was(void)
{
    struct image im = drawing(37, 21), back;
    struct buf png = {0};
    CHECK(image_png(&png, &im) == 0);
    CHECK_STR(image_format(png.at, png.len), "png");
    CHECK(image_decode(&back, png.at, png.len, 0) == 0);
    CHECK(back.width == 37 && back.height == 21 && memcmp(back.rgb, im.rgb, 37 * 21 * 3) == 0);
    image_free(&back);
    CHECK(image_decode(&back, png.at, png.len, 37 * 21 - 1) == EUNSUPPORTED_ && !back.rgb);
    CHECK(strstr(error_last(), "37x21") != NULL);
    CHECK(image_decode(&back, png.at, png.len, 37 * 21) == 0);
    image_free(&back);
    image_free(&im);
    buf_free(&png);
}

static void other_bytes_are_named(void)
{
    struct image im;
    CHECK(image_decode(&im, "", 0, 0) == EFORMAT_);
    CHECK(image_decode(&im, "<html>not found</html>", 22, 0) == EFORMAT_ && strstr(error_last(), "not a picture"));
    CHECK(image_decode(&im, "GIF89a..........", 16, 0) == EFORMAT_ && strstr(error_last(), "GIF"));
    CHECK(image_decode(&im, "RIFF\1\0\0\0WEBPVP8 ", 16, 0) == EFORMAT_ && strstr(error_last(), "WebP"));
    CHECK(image_decode(&im, "BM..............", 16, 0) == EFORMAT_ && strstr(error_last(), "BMP"));
    CHECK(image_decode(&im, "II*\0\x10\0\0\0", 8, 0) == EFORMAT_ && strstr(error_last(), "TIFF"));
    CHECK(image_decode(&im, "\x89PNG\r\n\x1a\n", 8, 0) == EFORMAT_ && strstr(error_last(), "cut off"));
    CHECK(image_decode(&im, "\xff\xd8\xff", 3, 0) == EFORMAT_);
}

// Every truncation is an error; every flipped byte gives a picture or a sentence, never a crash.
static void damage_is_survived(void)
{
    struct image im = drawing(40, 33), out;
    struct buf kinds[2] = {0};
    CHECK(image_png(&kinds[0], &im) == 0 && image_jpeg(&kinds[1], &im, 80) == 0);
    struct rng r = rng_make(1, 2);
    for (int k = 0; k < 2; k++) {
        size_t n = kinds[k].len, pixels_end = k == 0 ? n : n - 2;   // a JPEG lacking only its end marker may be read
        for (size_t cut = 0; cut < pixels_end; cut++) {
            char *copy = malloc(cut + 1);   // its own block: a read past the end shows under ASan
            memcpy(copy, kinds[k].at, cut);
            int rc = image_decode(&out, copy, cut, 0);
            CHECK(rc == EFORMAT_ && !out.rgb && error_last()[0]);
            if (!rc)
                image_free(&out);
            free(copy);
        }
        int read = 0, refused = 0;
        for (int round = 0; round < 3000; round++) {
            char *copy = malloc(n);
            memcpy(copy, kinds[k].at, n);
            for (int flips = 1 + (int)rng_below(&r, 4); flips > 0; flips--)
                copy[rng_below(&r, n)] = (char)rng_next(&r);
            if (image_decode(&out, copy, n, 1 << 20) == 0) {
                read++;
                image_free(&out);
            } else {
                refused++;
                CHECK(error_last()[0] && !out.rgb);
            }
            free(copy);
        }
        CHECK(refused > 100 && (k == 0 || read > 100));
        buf_free(&kinds[k]);
    }
    image_free(&im);
}

static void windows_equal_parts_of_the_whole(void)
{
    struct image im = drawing(61, 47);
    struct region v = {im.rgb, 61, 47, 61 * 3};
    static unsigned char whole[90 * 80 * 3], part[20 * 10 * 3];
    int sizes[][2] = {{90, 80}, {61, 30}, {30, 47}, {61, 47}, {25, 12}};
    for (int f = 0; f < 2; f++)
        for (int i = 0; i < 5; i++) {
            int w = sizes[i][0], h = sizes[i][1];
            CHECK(image_resample(&v, w, h, f, 0, 0, w, h, whole) == 0);
            CHECK(image_resample(&v, w, h, f, 4, 2, 20, 10, part) == 0);
            for (int y = 0; y < 10; y++)
                CHECK(memcmp(part + y * 60, whole + ((y + 2) * w + 4) * 3, 60) == 0);
        }
    image_free(&im);
}

static void specs_are_read_or_refused(void)
{
    struct augment a, b;
    CHECK(augment_parse(&a, NULL) == 0 && augment_is_none(&a));
    CHECK(augment_parse(&a, "none") == 0 && augment_is_none(&a));
    CHECK(augment_parse(&a, "reference") == 0 && a.crop_lo == .9 && a.crop_hi == 1 && !augment_is_none(&a));
    CHECK(augment_parse(&a, "drawing,rotate=5,scale=-.1:.2") == 0 && a.rotate == 5 && a.scale_lo == -.1 &&
          a.outline == .3);
    CHECK(augment_parse(&b, "scale=-.3:.25,aspect=.12,rotate=12,shift=.15,outline=.3,saturation=.4,grey=.1,matrix=.07,"
                            "ink=.25,gamma=.3") == 0);
    CHECK(augment_parse(&a, "drawing") == 0 && memcmp(&a, &b, sizeof a) == 0);
    static const char *const wrong[] = {"drawin",     "rotate",     "rotate=",           "rotate=x",  "rotate=1x",
                                        "rotate=999", "rotate=nan", "scale=1",           "scale=2:1", "scale=1:2:3",
                                        "crop=.5:2",  "=1",         "drawing,,rotate=1", "rotate=1:2"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(augment_parse(&a, wrong[i]) == EUSAGE_ && strstr(error_last(), "augmentation"));
}

static double largest_difference(const float *a, const float *b, int n)
{
    double most = 0;
    for (int i = 0; i < n; i++)
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return most;
}

static void identity_is_the_plain_transform(void)
{
    static float want[3 * 48 * 48], got[3 * 48 * 48];
    int shapes[][2] = {{64, 64}, {90, 64}, {48, 48}, {30, 77}, {300, 200}};
    for (int i = 0; i < 5; i++) {
        struct image im = drawing(shapes[i][0], shapes[i][1]);
        struct transform t = plain(48);
        struct augment a;
        struct rng r = rng_make(3, (uint64_t)i);
        CHECK(transform_apply(&t, &im, want) == 0);
        CHECK(augment_parse(&a, "none") == 0 && augment_apply(&a, &t, &im, &r, got) == 0);
        CHECK(memcmp(want, got, sizeof got) == 0);
        // crop of everything, square picture; colours that do nothing
        if (shapes[i][0] == shapes[i][1]) {
            CHECK(augment_parse(&a, "crop=1:1,ratio=1:1") == 0 && augment_apply(&a, &t, &im, &r, got) == 0);
            CHECK(memcmp(want, got, sizeof got) == 0);
        }
        CHECK(augment_parse(&a, "ink=1e-12") == 0 && augment_apply(&a, &t, &im, &r, got) == 0);
        CHECK_CLOSE(largest_difference(want, got, 3 * 48 * 48), 0, 1e-5);
        // a warp of nothing reads every pixel where it lies
        if (shapes[i][0] == 48) {
            CHECK(augment_parse(&a, "shift=1e-12") == 0 && augment_apply(&a, &t, &im, &r, got) == 0);
            CHECK_CLOSE(largest_difference(want, got, 3 * 48 * 48), 0, 1e-5);
        }
        image_free(&im);
    }
}

static void same_stream_same_pixels(void)
{
    static float one[3 * 48 * 48], two[3 * 48 * 48], other[3 * 48 * 48];
    struct image im = drawing(64, 64);
    struct transform t = plain(48);
    struct augment a;
    CHECK(augment_parse(&a, "drawing") == 0);
    struct rng r = rng_make(5, 6), s = rng_make(5, 6), u = rng_make(5, 7);
    CHECK(augment_apply(&a, &t, &im, &r, one) == 0 && augment_apply(&a, &t, &im, &s, two) == 0 &&
          augment_apply(&a, &t, &im, &u, other) == 0);
    CHECK(memcmp(one, two, sizeof one) == 0 && memcmp(one, other, sizeof one) != 0);
    image_free(&im);
}

// Where does the ink's centre go, how much of it is there, what is the paper: over many draws.
static void warps_move_what_they_should(void)
{
    static float out[3 * 64 * 64];
    struct image im = {64, 64, malloc(64 * 64 * 3)};
    memset(im.rgb, 255, 64 * 64 * 3);
    for (int y = 24; y < 40; y++)
        memset(im.rgb + (y * 64 + 24) * 3, 0, 16 * 3);
    struct transform t = plain(64);
    struct augment a;
    double sum_x = 0, far_x = 0, area_lo = 1e9, area_hi = 0;
    CHECK(augment_parse(&a, "shift=.25,scale=-.2:.2") == 0);
    for (int k = 0; k < 400; k++) {
        struct rng r = rng_make(8, (uint64_t)k);
        CHECK(augment_apply(&a, &t, &im, &r, out) == 0);
        CHECK_CLOSE(out[0], .75, 1e-6);   // white paper outside: (1 - .75) * 3
        double ink = 0, cx = 0;
        for (int i = 0; i < 64 * 64; i++) {
            ink += (.75 - out[i]) / 3;
            cx += (.75 - out[i]) / 3 * (i % 64 + .5 - 32);
        }
        area_lo = fmin(area_lo, ink / 256);
        area_hi = fmax(area_hi, ink / 256);
        sum_x += cx / ink;
        far_x = fmax(far_x, fabs(cx / ink));
    }
    CHECK_CLOSE(sum_x / 400, 0, .8);
    CHECK(far_x > 7 && far_x < 8.1);                        // .25 of 32 pixels
    CHECK_CLOSE(area_lo, exp(-.4), .03);                    // area: the square of the size
    CHECK_CLOSE(area_hi, exp(.4), .05);
    image_free(&im);
}

static void crops_stay_in_bounds_of_area_and_shape(void)
{
    static float out[3 * 32 * 32];
    struct augment a;
    struct transform t = plain(32);
    // A horizontal ramp: first and last column of the result tell the crop's width.
    struct image im = {256, 256, malloc(256 * 256 * 3)};
    for (int i = 0; i < 256 * 256; i++)
        memset(im.rgb + 3 * i, i % 256, 3);
    CHECK(augment_parse(&a, "reference") == 0);
    double least = 1e9, most = 0;
    for (int k = 0; k < 300; k++) {
        struct rng r = rng_make(9, (uint64_t)k);
        CHECK(augment_apply(&a, &t, &im, &r, out) == 0);
        double width = (out[31] - out[0]) / 3 * 255 * 32 / 31;
        least = fmin(least, width);
        most = fmax(most, width);
    }
    CHECK(least > sqrt(.9 * 3 / 4.) * 256 - 4 && most <= 258 && least < 240);
    image_free(&im);
    struct image thin = drawing(200, 3);   // no crop of an allowed shape fits: the fallback
    struct rng r = rng_make(1, 1);
    CHECK(augment_apply(&a, &t, &thin, &r, out) == 0);
    image_free(&thin);
}

static void grey_has_no_colour_and_paper_stays_white(void)
{
    static float out[3 * 48 * 48];
    struct image im = drawing(64, 64);
    struct transform t = plain(48);
    struct augment a;
    CHECK(augment_parse(&a, "grey=1") == 0);
    struct rng r = rng_make(1, 1);
    CHECK(augment_apply(&a, &t, &im, &r, out) == 0);
    for (int i = 0; i < 48 * 48; i++)
        CHECK(fabsf(out[i] - out[i + 2304]) < 2e-5f && fabsf(out[i] - out[i + 4608]) < 2e-5f);
    CHECK(augment_parse(&a, "drawing,scale=0:0,aspect=0,rotate=0,shift=0") == 0);
    double changed = 0;
    for (int k = 0; k < 50; k++) {
        r = rng_make(2, (uint64_t)k);
        CHECK(augment_apply(&a, &t, &im, &r, out) == 0);
        CHECK_CLOSE(out[0], .75, 1e-5);
        changed += out[24 * 48 + 24];
        for (int i = 0; i < 3 * 48 * 48; i++)
            CHECK(out[i] >= -2.25001f && out[i] <= .75001f);
    }
    CHECK(changed != 0);
    image_free(&im);
}

static void thumbnails_fit(void)
{
    struct image im = drawing(300, 150), small;
    struct buf png = {0}, out = {0};
    const char *mime = NULL;
    CHECK(image_png(&png, &im) == 0 && image_thumbnail(&out, &mime, png.at, png.len, 96) == 0);
    CHECK(mime && strncmp(mime, "image/", 6) == 0 && strcmp(mime + 6, image_format(out.at, out.len)) == 0);
    CHECK(image_decode(&small, out.at, out.len, 0) == 0 && small.width == 96 && small.height == 48);
    image_free(&small);
    buf_clear(&out);
    CHECK(image_thumbnail(&out, &mime, png.at, png.len / 2, 96) == EFORMAT_ && out.len == 0);
    image_free(&im);
    buf_free(&png);
    buf_free(&out);
}

static void drawing_is_quick(void)
{
    static float out[3 * 48 * 48];
    struct image im = drawing(64, 64);
    struct transform t = plain(48);
    struct augment a;
    CHECK(augment_parse(&a, "drawing") == 0);
    double best = 1e9;
    for (int round = 0; round < 20; round++) {
        double start = clock_now();
        for (int k = 0; k < 50; k++) {
            struct rng r = rng_make(4, (uint64_t)(round * 50 + k));
            CHECK(augment_apply(&a, &t, &im, &r, out) == 0);
        }
        best = fmin(best, (clock_now() - start) / 50);
    }
    printf("# drawing, 64x64 to 48x48: %.1f us\n", best * 1e6);
    CHECK(best < 5e-3);   // generous: sanitizers and busy neighbours
    image_free(&im);
}

// The loops of this CPU against the plain ones, on sizes around their blocks, in memory that ends where the picture does.
static void every_isa_gives_the_same_pixels(void)
{
    static const int sides[][4] = {   // from width x height to width x height
        {640, 96, 298, 45}, {31, 33, 64, 64}, {5, 7, 32, 48}, {1, 9, 3, 3}, {700, 3, 11, 2}, {40, 40, 39, 40}, {64, 64, 64, 21},
        {13, 6, 13, 5}, {300, 1, 37, 1}, {16, 12, 11, 8},
    };
    struct rng r = rng_make(3, 1);
    for (size_t k = 0; k < sizeof sides / sizeof *sides; k++)
        for (enum image_filter f = FILTER_BICUBIC; f <= FILTER_BILINEAR; f++) {
            int w = sides[k][0], h = sides[k][1], to_w = sides[k][2], to_h = sides[k][3];
            size_t bytes = (size_t)w * (size_t)h * 3, out = (size_t)to_w * (size_t)to_h * 3;
            unsigned char *rgb = malloc(bytes), *plain = malloc(out), *fast = malloc(out);
            float *x = malloc(out * sizeof *x), *y = malloc(out * sizeof *y);
            for (size_t i = 0; i < bytes; i++)
                rgb[i] = (unsigned char)(rng_below(&r, 4) ? rng_next(&r) : rng_below(&r, 2) * 255);
            struct region all = {rgb, w, h, (size_t)w * 3};
            setenv("DIHT_ISA", "ref", 1);
            CHECK(rows_best() == &rows_ref);
            CHECK(image_resample(&all, to_w, to_h, f, 0, 0, to_w, to_h, plain) == 0);
            rows_best()->normalise(plain, x, out / 3, (float[]){.48f, .45f, .40f}, (float[]){.26f, .27f, .28f});
            unsetenv("DIHT_ISA");
            CHECK(image_resample(&all, to_w, to_h, f, 0, 0, to_w, to_h, fast) == 0);
            rows_best()->normalise(plain, y, out / 3, (float[]){.48f, .45f, .40f}, (float[]){.26f, .27f, .28f});
            CHECK(memcmp(plain, fast, out) == 0);
            CHECK(memcmp(x, y, out * sizeof *x) == 0);
            free(rgb);
            free(plain);
            free(fast);
            free(x);
            free(y);
        }
    printf("# %s\n", rows_best()->isa);
}

int main(void)
{
    CASE(png_comes_back_as_it_was);
    CASE(other_bytes_are_named);
    CASE(damage_is_survived);
    CASE(every_isa_gives_the_same_pixels);
    CASE(windows_equal_parts_of_the_whole);
    CASE(specs_are_read_or_refused);
    CASE(identity_is_the_plain_transform);
    CASE(same_stream_same_pixels);
    CASE(warps_move_what_they_should);
    CASE(crops_stay_in_bounds_of_area_and_shape);
    CASE(grey_has_no_colour_and_paper_stays_white);
    CASE(thumbnails_fit);
    CASE(drawing_is_quick);
    return check_done();
}
