// SPDX-License-Identifier: Apache-2.0
// Our own reader of ordinary JPEG files against libjpeg's ($DIHT_ISA=ref leaves it alone): the same pixels for every
// file that it takes on, and for a damaged one the same pixels or the same sentence.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "base/error.h"
#include "base/rng.h"
#include "check.h"
#include "image/baseline.h"
#include "image/transform.h"

struct file {
    unsigned char *bytes;
    unsigned long n;
};

// A JPEG of random kind: what is drawn reaches from flat to noise.
static struct file make(struct rng *r, int width, int height)
{
    static const int sampling[][2] = {{1, 1}, {2, 1}, {2, 2}, {2, 2}, {2, 2}, {1, 2}, {4, 1}};
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    struct file f = {0};
    const int *s = sampling[rng_below(r, 7)];
    bool grey = rng_below(r, 8) == 0;
    int rough = (int)rng_below(r, 256);
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &f.bytes, &f.n);
    c.image_width = (JDIMENSION)width;
    c.image_height = (JDIMENSION)height;
    c.input_components = grey ? 1 : 3;
    c.in_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, 1 + (int)rng_below(r, 100), TRUE);
    if (rng_below(r, 12) == 0)
        jpeg_set_colorspace(&c, c.in_color_space);   // RGB as RGB, told by Adobe's marker
    c.comp_info[0].h_samp_factor = s[0];
    c.comp_info[0].v_samp_factor = s[1];
    c.optimize_coding = rng_below(r, 2) == 0;
    c.restart_interval = rng_below(r, 3) ? 0 : 1 + (unsigned)rng_below(r, 9);
    c.write_JFIF_header = rng_below(r, 4) != 0;
    if (rng_below(r, 10) == 0)
        jpeg_simple_progression(&c);
    jpeg_start_compress(&c, TRUE);
    unsigned char *row = malloc((size_t)width * 3);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width * c.input_components; x++) {
            int v = (x * 3 + y * 5) % 256 + (rough ? (int)rng_below(r, (uint64_t)rough + 1) * 2 - rough : 0);
            row[x] = (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    free(row);
    return f;
}

static bool same(const struct file *f)
{
    struct image ours, theirs;
    char why[512] = "";
    setenv("DIHT_ISA", "ref", 1);
    int rc = image_decode(&theirs, f->bytes, f->n, 1 << 20);
    if (rc)
        snprintf(why, sizeof why, "%s", error_last());
    unsetenv("DIHT_ISA");
    bool good = image_decode(&ours, f->bytes, f->n, 1 << 20) == rc && ours.width == theirs.width &&
                ours.height == theirs.height && (!rc || strcmp(why, error_last()) == 0) &&
                (rc || memcmp(ours.rgb, theirs.rgb, (size_t)ours.width * (size_t)ours.height * 3) == 0);
    image_free(&ours);
    image_free(&theirs);
    return good;
}

static void pixels_are_libjpegs(void)
{
    struct rng r = rng_make(11, 1);
#ifdef __x86_64__
    int ours = 0;
#endif
    for (int i = 0; i < 400; i++) {
        struct file f = make(&r, 1 + (int)rng_below(&r, 70), 1 + (int)rng_below(&r, 70));
        CHECK(same(&f));
#ifdef __x86_64__
        struct image im = {0};
        struct decoding how = {.max_pixels = 1 << 20};
        ours += baseline_read(&im, f.bytes, f.n, &how);
        image_free(&im);
#endif
        free(f.bytes);
    }
#ifdef __x86_64__
    printf("# %d of 400 without libjpeg\n", ours);
    CHECK(ours > 150);
#endif
}

static void crops_are_those_of_the_whole(void)
{
    struct rng r = rng_make(11, 2);
    for (int i = 0; i < 300; i++) {
        struct file f = make(&r, 1 + (int)rng_below(&r, 150), 1 + (int)rng_below(&r, 150));
        struct transform t = {1 + (int)rng_below(&r, 90), rng_below(&r, 2) ? FILTER_BICUBIC : FILTER_BILINEAR,
                              {.48f, .46f, .41f}, {.27f, .26f, .28f}};
        size_t n = (size_t)t.size * (size_t)t.size * 3;
        unsigned char *whole = malloc(n), *streamed = malloc(n);
        float *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
        struct image im;
        setenv("DIHT_ISA", "ref", 1);
        CHECK(image_decode(&im, f.bytes, f.n, 0) == 0 && transform_crop(&t, &im, whole) == 0);
        CHECK(transform_apply(&t, &im, x) == 0);
        CHECK(transform_decode(&t, f.bytes, f.n, 0, streamed) == 0 && memcmp(whole, streamed, n) == 0);
        for (int k = 0; k < 2; k++) {
            if (k == 0)
                setenv("DIHT_ISA", "avx2", 1);
            else
                unsetenv("DIHT_ISA");
            CHECK(transform_decode(&t, f.bytes, f.n, 0, streamed) == 0 && memcmp(whole, streamed, n) == 0);
            CHECK(transform_load(&t, f.bytes, f.n, 0, y) == 0 && memcmp(x, y, n * sizeof *x) == 0);
        }
        image_free(&im);
        free(whole);
        free(streamed);
        free(x);
        free(y);
        free(f.bytes);
    }
}

// Bits flipped, bytes gone or put in, ends cut off.
static void damage_is_seen_as_libjpeg_sees_it(void)
{
    const char *more = getenv("DIHT_TEST_ROUNDS");
    struct rng r = rng_make(11, more ? (uint64_t)atoi(more) : 3);
    for (int i = 0; i < (more ? atoi(more) : 150); i++) {
        struct file f = make(&r, 8 + (int)rng_below(&r, 60), 8 + (int)rng_below(&r, 60));
        unsigned char *kept = malloc(f.n);
        memcpy(kept, f.bytes, f.n);
        for (int k = 0; k < 12; k++) {
            struct file g = {malloc(f.n + 8), f.n};
            memcpy(g.bytes, kept, f.n);
            for (uint64_t n = 1 + rng_below(&r, 3); n > 0; n--) {
                size_t at = (size_t)rng_below(&r, rng_below(&r, 2) ? g.n : g.n < 700 ? g.n : 700);
                switch (rng_below(&r, 5)) {
                case 0: g.bytes[at] ^= (unsigned char)(1 << rng_below(&r, 8)); break;
                case 1: g.bytes[at] = rng_below(&r, 2) ? 0xff : (unsigned char)rng_next(&r); break;
                case 2: g.n = at + 1; break;
                case 3:
                    memmove(g.bytes + at, g.bytes + at + 1, g.n - at - 1);
                    g.n -= g.n > 1;
                    break;
                default:
                    if (g.n < f.n + 8) {
                        memmove(g.bytes + at + 1, g.bytes + at, g.n - at);
                        g.bytes[at] = (unsigned char)rng_next(&r);
                        g.n++;
                    }
                }
            }
            bool good = same(&g);
            CHECK(good);
            if (!good && getenv("DIHT_TEST_KEEP")) {
                FILE *out = fopen(getenv("DIHT_TEST_KEEP"), "wb");
                fwrite(g.bytes, 1, g.n, out);
                fclose(out);
            }
            free(g.bytes);
        }
        free(kept);
        free(f.bytes);
    }
}

int main(void)
{
    CASE(pixels_are_libjpegs);
    CASE(crops_are_those_of_the_whole);
    CASE(damage_is_seen_as_libjpeg_sees_it);
    return check_done();
}
