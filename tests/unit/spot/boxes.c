// SPDX-License-Identifier: Apache-2.0
// Boxes out of made maps, strips out of made pictures, text out of made probabilities.
#include "base/file.h"
#include "check.h"
#include "spot/boxes.h"
#include "spot/read.h"

enum { W = 160, H = 120 };
static float map[H * W];

// Paint a tilted rectangle around (x, y) of these sides.
static void paint(double x, double y, double w, double h, double angle, float level)
{
    for (int j = 0; j < H; j++)
        for (int i = 0; i < W; i++) {
            double a = (i - x) * cos(angle) + (j - y) * sin(angle), d = (j - y) * cos(angle) - (i - x) * sin(angle);
            if (fabs(a) <= w / 2 && fabs(d) <= h / 2)
                map[j * W + i] = level;
        }
}

static void a_level_box(void)
{
    struct box_finder *f = box_finder_new();
    const struct box *b;
    memset(map, 0, sizeof map);
    for (int y = 40; y <= 50; y++)
        for (int x = 30; x <= 90; x++)
            map[y * W + x] = .9f;
    CHECK(boxes_find(f, map, W, H, &b) == 1);
    // grown by 2 x 60 x 10 / (2 x 70), and at its ends by .15 of what it is thick then
    float by = 2.f * 60 * 10 / 140, ends = by + .15f * (10 + 2 * by);
    CHECK_CLOSE(b->corner[0][0], 30 - ends, 1e-4);
    CHECK_CLOSE(b->corner[0][1], 40 - by, 1e-4);
    CHECK_CLOSE(b->corner[2][0], 90 + ends, 1e-4);
    CHECK_CLOSE(b->corner[2][1], 50 + by, 1e-4);
    CHECK_CLOSE(b->corner[3][0], 30 - ends, 1e-4);
    CHECK_CLOSE(b->score, .9, 1e-5);
    box_finder_free(f);
}

static void tilted_boxes_keep_their_sides(void)
{
    struct box_finder *f = box_finder_new();
    const struct box *b;
    for (int degrees = -44; degrees <= 44; degrees += 8) {
        double angle = degrees * 3.14159265358979 / 180;
        memset(map, 0, sizeof map);
        paint(80, 60, 70, 12, angle, 1);
        CHECK(boxes_find(f, map, W, H, &b) == 1);
        double got = atan2(b->corner[1][1] - b->corner[0][1], b->corner[1][0] - b->corner[0][0]);
        double by = 2. * 70 * 12 / (2 * 82);
        CHECK_CLOSE(got, angle, .06);
        CHECK_CLOSE(b->width, 70 + 2 * by + .3 * (12 + 2 * by), 3);
        CHECK_CLOSE(b->height, 12 + 2 * by, 3);
        CHECK_CLOSE((b->corner[0][0] + b->corner[2][0]) / 2, 80, 1);
        CHECK_CLOSE((b->corner[0][1] + b->corner[2][1]) / 2, 60, 1);
        CHECK(b->score > .85);
    }
    box_finder_free(f);
}

static void parts_are_told_apart(void)
{
    struct box_finder *f = box_finder_new();
    const struct box *b;
    memset(map, 0, sizeof map);
    paint(40, 20, 40, 8, 0, .9f);
    paint(110, 22, 40, 8, 0, .9f);
    paint(40, 60, 40, 8, 0, .5f);    // above the threshold, below the score
    paint(110, 60, 40, 1, 0, .9f);   // too thin
    paint(40, 100, 40, 8, 0, .29f);  // below the threshold
    paint(110, 92, 60, 16, 0, .29f); // below the threshold: joins nothing, but raises the mean
    paint(95, 90, 30, 4, 0, 1);      // ends at 110, 92
    paint(126, 95, 30, 4, 0, 1);     // begins at 111, 93: they touch at a corner and are one part
    CHECK(boxes_find(f, map, W, H, &b) == 3);
    CHECK(b[0].corner[0][0] < 40 && b[1].corner[0][0] > 60 && b[2].corner[0][1] > 70);
    memset(map, 0, sizeof map);
    CHECK(boxes_find(f, map, W, H, &b) == 0);
    for (int i = 0; i < W * H; i++)
        map[i] = 1;
    CHECK(boxes_find(f, map, W, H, &b) == 1);
    for (int i = 0; i < W * H; i++)
        map[i] = (float)NAN;
    CHECK(boxes_find(f, map, W, H, &b) == 0);
    box_finder_free(f);
}

// A U: runs that join only further down are one part.
static void arms_join_below(void)
{
    struct box_finder *f = box_finder_new();
    const struct box *b;
    memset(map, 0, sizeof map);
    paint(40, 50, 10, 60, 0, 1);
    paint(80, 50, 10, 60, 0, 1);
    paint(60, 85, 50, 10, 0, 1);
    CHECK(boxes_find(f, map, W, H, &b) == 0);   // hollow: its mean is low
    paint(60, 50, 30, 60, 0, .59f);
    CHECK(boxes_find(f, map, W, H, &b) == 1);
    box_finder_free(f);
}

static void noise_stays_bounded(void)
{
    enum { N = 640 };
    struct box_finder *f = box_finder_new();
    const struct box *b;
    float *m = malloc(sizeof *m * N * N);
    unsigned seed = 3;
    for (int i = 0; i < N * N; i++) {
        seed = seed * 1664525 + 1013904223;
        m[i] = (float)(seed >> 8) / (1 << 24);
    }
    CHECK(boxes_find(f, m, N, N, &b) >= 0);
    for (int y = 0; y < N; y++)   // a grid of squares of four
        for (int x = 0; x < N; x++)
            m[y * N + x] = (x % 8 < 4 && y % 8 < 4) ? 1 : 0;
    CHECK(boxes_find(f, m, N, N, &b) <= BOX_MOST);
    free(m);
    box_finder_free(f);
}

static void strips_are_cut_level(void)
{
    enum { SIDE = 200, STRIDE = 104 * NET_STEP };
    struct image im = {SIDE, SIDE, malloc(SIDE * SIDE * 3)};
    float *out = calloc(STRIP_HEIGHT * STRIDE, sizeof *out);
    int turned;
    for (int i = 0; i < SIDE * SIDE; i++) {   // red rises to the right, green downwards
        im.rgb[3 * i] = (unsigned char)(i % SIDE);
        im.rgb[3 * i + 1] = (unsigned char)(i / SIDE);
        im.rgb[3 * i + 2] = 255;
    }
    struct box level = {{{50, 60}, {150, 60}, {150, 108}, {50, 108}}, 100, 48, 1};
    CHECK(strip_width(&level, &turned) == 100 && !turned);
    strip_cut(&level, turned, &im, 100, out, STRIDE);
    CHECK_CLOSE(out[0], 1, 1e-6);   // blue first
    CHECK_CLOSE(out[10 * STRIDE + 20 * NET_STEP + 1], (60 + 10) / 127.5 - 1, 1e-4);   // green
    CHECK_CLOSE(out[10 * STRIDE + 20 * NET_STEP + 2], (50 + 20) / 127.5 - 1, 1e-4);   // red
    CHECK(out[100 * NET_STEP + 2] == 0);
    struct box tall = {{{50, 60}, {74, 60}, {74, 160}, {50, 160}}, 24, 100, 1};
    CHECK(strip_width(&tall, &turned) == 200 && turned);
    strip_cut(&tall, turned, &im, 100, out, STRIDE);   // squeezed to half
    CHECK(out[5 * STRIDE + 10 * NET_STEP + 1] > out[5 * STRIDE + 90 * NET_STEP + 1]);    // begins at the bottom
    CHECK(out[5 * STRIDE + 10 * NET_STEP + 2] < out[40 * STRIDE + 10 * NET_STEP + 2]);   // its top is the box's left
    struct box outside = {{{-500, -60}, {-400, -60}, {-400, -12}, {-500, -12}}, 100, 48, 1};
    strip_cut(&outside, 0, &im, 100, out, STRIDE);
    CHECK_CLOSE(out[7 * NET_STEP + 1], -1, 1e-6);   // the picture's edge goes on
    image_free(&im);
    free(out);
}

static void probabilities_become_text(void)
{
    struct dictionary d;
    struct buf text = {0};
    CHECK(!file_write("spot_keys.txt", "a\nb\r\n\xE4\xBD\xA0", 8));
    CHECK(!dictionary_open(&d, "spot_keys.txt") && d.n == 3);
    // blank a a blank a b space you
    static const int says[] = {0, 1, 1, 0, 1, 2, 4, 3};
    float p[8 * 5];
    for (int t = 0; t < 8; t++)
        for (int c = 0; c < 5; c++)
            p[5 * t + c] = c == says[t] ? .6f + .05f * (float)(t == 1) : .1f;
    CHECK_CLOSE(ctc_read(&text, &d, p, 8, 5), (.65 + 4 * .6) / 5, 1e-6);
    CHECK_STR(text.at, "aab \xE4\xBD\xA0");
    buf_clear(&text);
    CHECK_CLOSE(ctc_read(&text, &d, p, 1, 5), 0, 0);
    CHECK(text.len == 0);
    dictionary_close(&d);
    buf_free(&text);
    remove("spot_keys.txt");
}

int main(void)
{
    CASE(a_level_box);
    CASE(tilted_boxes_keep_their_sides);
    CASE(parts_are_told_apart);
    CASE(arms_join_below);
    CASE(noise_stays_bounded);
    CASE(strips_are_cut_level);
    CASE(probabilities_become_text);
    return check_done();
}
