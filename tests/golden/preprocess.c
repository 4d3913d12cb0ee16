// SPDX-License-Identifier: Apache-2.0
// Decoding, resizing, cropping and normalising against Pillow 9.4 and torchvision 0.14.1, bit for bit.
#include "base/file.h"
#include "base/hash.h"
#include "base/npy.h"
#include "check.h"
#include "image/transform.h"

static const struct golden {
    const char *file;
    const char *sha224;   // of the uint8 [224, 224, 3] crop
} cases[] = {
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

int main(void)
{
    CASE(crops_equal_pillow);
    CASE(floats_equal_torch);
    return check_done();
}
