// SPDX-License-Identifier: Apache-2.0
// Decoding, resizing, cropping and normalising against Pillow 9.4 and torchvision 0.14.1, bit for bit.
// Every picture here and in tests/fuzz/corpus/image is of our own making, from computed patterns: formats/*_23x17.* were
// written by Pillow in each of its modes, tiffcp_* are such files through libtiff's tiffcp (big-endian, planes apart,
// tiles, Deflate), bmpx_* and gifx_* were put together byte by byte for what Pillow does not write (bit fields, run
// lengths, OS/2 headers; frames off the screen's origin, local palettes), jpeg_arith and jpeg_restart are jpegtran's.
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/npy.h"
#include "check.h"
#include "image/transform.h"

static const struct golden {
    const char *file;
    const char *sha224;   // of the uint8 [224, 224, 3] crop
} cases[] = {
    {"gif_animated_180x120.gif", "908d3016d74e677c017f4008d96c69d0a7d7775cddea7b7f2f30d4252db740ff"},
    {"jpeg_420_640x480.jpg", "e6c6a133bb9161db947cc884dac0de68644e6c0a39c943aa46e57d01bfd131f7"},
    {"jpeg_cmyk_256x192.jpg", "13df99d27481d0b05aea1cf6a2830275b92ad1dee6f1b854f10a36ea16295a48"},
    {"jpeg_exif6_320x240.jpg", "0644d063b79d4e6864490ea7b28538e423cf12c76d11f81904dc4aa8a24beb62"},
    {"jpeg_gray_301x200.jpg", "49d2bbb1ce632d925fc52e950448c77e63879e35cf2389311faedd213a387694"},
    {"jpeg_prog422_500x375.jpg", "45dafda51c63051dc11f7d8f6a040c805c8b8658fe332b95b696dc19ce88c138"},
    {"png_adam7_rgb_151x99.png", "8a93ee0812255869f3719bbe666b41636fe152cf9dc71e84bf81ea3c88e9aeee"},
    {"png_extreme_1x500.png", "d35035a47813100abc760cb18ee19f6cfb62a81c336e42178d7fa6c882946db8"},
    {"png_gray16_96x64.png", "6900763b08c6557df97ced4efdf83f6811bd76484775441826cb57f6f1d239bc"},
    {"png_palette_trns_128x96.png", "f1b00d063c35157a83f47604839d0be0ca2b4040b9de3969cc391c4d76c30d23"},
    {"png_rgba_200x201.png", "edd69fe93b8c5960c0b76cfffe3098e5c975e867d7702a9c485de06b08b7d625"},
    {"webp_lossless_240x320.webp", "e81fd282fccc0710e7456651bc6ed738658e864d6c7623344615ea9dbe044a1f"},
};
// Those whose normalised floats are kept too.
static const char *const floats[] = {"jpeg_cmyk_256x192", "png_gray16_96x64"};

static struct transform clip(int size)
{
    return (struct transform){size, FILTER_BICUBIC, {.48145466f, .4578275f, .40821073f}, {.26862954f, .26130258f, .27577711f}};
}

static const char *path_of(const char *fmt, const char *name, int len)
{
    static char path[1024];
    const char *root = getenv("DIHT_GOLDEN");
    int n = snprintf(path, sizeof path, "%s/preprocess/", root ? root : "tests/golden");
    snprintf(path + n, sizeof path - (size_t)n, fmt, len, name);
    return path;
}

static int load(struct image *im, const char *file)
{
    struct buf bytes = {0};
    int rc = file_read(path_of("images/%.*s", file, 100), &bytes);
    if (!rc)
        rc = image_decode(im, bytes.at, bytes.len, 0);
    buf_free(&bytes);
    CHECK(rc == 0);
    return rc;
}

static void crops_equal_pillow(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct image im;
        struct npy want;
        if (load(&im, cases[i].file))
            continue;
        struct transform t = clip(64);
        unsigned char *got = malloc(224 * 224 * 3);
        int stem = (int)strcspn(cases[i].file, ".");
        CHECK(transform_crop(&t, &im, got) == 0);
        CHECK(npy_open(&want, path_of("expected/%.*s.64.u8.npy", cases[i].file, stem)) == 0);
        CHECK(want.count == 64 * 64 * 3 && memcmp(want.data, got, 64 * 64 * 3) == 0);
        npy_close(&want);
        t.size = 224;
        char sha[SHA256_HEX];
        CHECK(transform_crop(&t, &im, got) == 0);
        sha256_hex(sha, got, 224 * 224 * 3);
        CHECK_STR(sha, cases[i].sha224);
        free(got);
        image_free(&im);
    }
}

static void floats_equal_torch(void)
{
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        struct image im;
        struct npy want;
        char file[64];
        snprintf(file, sizeof file, "%s.%s", floats[i], floats[i][0] == 'j' ? "jpg" : "png");
        if (load(&im, file))
            continue;
        struct transform t = clip(64);
        float *got = malloc(64 * 64 * 3 * sizeof *got);
        CHECK(transform_apply(&t, &im, got) == 0);
        CHECK(npy_open(&want, path_of("expected/%.*s.64.f32.npy", floats[i], 100)) == 0);
        float *expected = npy_all_f32(&want);
        for (int k = 0; k < 64 * 64 * 3; k++)
            CHECK_CLOSE(got[k], expected[k], 1e-6);
        free(expected);
        free(got);
        npy_close(&want);
        image_free(&im);
    }
}

// Every kind of file, against Pillow's convert("RGB"): formats.txt has name, width, height, SHA-256 of the pixels.
static void pixels_equal_pillow(void)
{
    char list[1024], name[128], sha[SHA256_HEX], want[SHA256_HEX];
    const char *root = getenv("DIHT_GOLDEN");
    int width, height, files = 0;
    snprintf(list, sizeof list, "%s/formats/formats.txt", root ? root : "tests/golden");
    FILE *f = fopen(list, "r");
    CHECK(f != NULL);
    while (f && fscanf(f, "%127s %d %d %64s", name, &width, &height, want) == 4) {
        struct image im;
        struct buf bytes = {0};
        char path[1200];
        snprintf(path, sizeof path, "%s/formats/%s", root ? root : "tests/golden", name);
        int rc = file_read(path, &bytes);
        if (!rc)
            rc = image_decode(&im, bytes.at, bytes.len, 0);
        if (rc) {
            printf("# %s: %s\n", name, error_last());
            CHECK(!"decoded");
        } else {
            sha256_hex(sha, im.rgb, (size_t)im.width * (size_t)im.height * 3);
            if (strcmp(sha, want) != 0)
                printf("# %s: %dx%d\n", name, im.width, im.height);
            CHECK(im.width == width && im.height == height);
            CHECK_STR(sha, want);
            image_free(&im);
            CHECK(image_decode(&im, bytes.at, bytes.len, width * height - 1) == EUNSUPPORTED_ && !im.rgb);
        }
        buf_free(&bytes);
        files++;
    }
    if (f)
        fclose(f);
    CHECK(files > 130);
}

int main(void)
{
    CASE(pixels_equal_pillow);
    CASE(crops_equal_pillow);
    CASE(floats_equal_torch);
    return check_done();
}
