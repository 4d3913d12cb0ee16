// SPDX-License-Identifier: Apache-2.0
// The caption match and the files of spotted lines.
#include <stdbool.h>

#include "base/error.h"
#include "check.h"
#include "spot/lines.h"
#include "spot/match.h"

static const float square[4][2] = {{0, 0}, {9, 0}, {9, 9}, {0, 9}};

static struct match run_of(const char *caption, const char *text, double confidence)
{
    struct spot_lines l = {0};
    struct match m;
    CHECK(!spot_lines_add(&l, text, strlen(text), confidence, square));
    CHECK(!match_run(&m, caption, strlen(caption), &l, .8));
    spot_lines_free(&l);
    return m;
}

static double ratio_of(const char *caption, const char *text)
{
    struct spot_lines l = {0};
    struct match m;
    CHECK(!spot_lines_add(&l, text, strlen(text), .9, square));
    CHECK(!match_ratio(&m, caption, strlen(caption), &l, .8));
    CHECK(m.line == (m.ratio > 0 ? 0 : -1));
    spot_lines_free(&l);
    return m.ratio;
}

static void runs_ignore_case_and_spaces(void)
{
    CHECK(run_of("keep calm and carry on, printed", "KEEP CALM", .9).characters == 8);
    CHECK(run_of("a mug that says hel lo", "HELLO", .9).characters == 5);
    CHECK(run_of("a mug", "HELLO", .9).characters == 0);
    CHECK(run_of("a mug", "HELLO", .9).line == -1);
    CHECK(run_of("yellow hells", "hello", .9).characters == 4);   // ello, hell
    CHECK(run_of("www.stock-photo.com", "STOCKPHOTO", .9).characters == 10);
    CHECK(run_of("", "hello", .9).characters == 0);
    CHECK(run_of("hello", "", .9).characters == 0);
    CHECK(run_of("..... !!!!!", "..... !!!!!", .9).characters == 0);
}

static void confidence_decides_which_lines_count(void)
{
    struct spot_lines l = {0};
    struct match m;
    CHECK(run_of("hello", "hello", .79).characters == 0);
    CHECK(run_of("hello", "hello", .8).characters == 5);
    CHECK(!spot_lines_add(&l, "holiday", 7, .5, square) && !spot_lines_add(&l, "sale", 4, .95, square) &&
          !spot_lines_add(&l, "summer", 6, .95, square));
    CHECK(!match_run(&m, "summer holiday sale", 19, &l, .8) && m.line == 2 && m.characters == 6);
    CHECK(!match_run(&m, "summer holiday sale", 19, &l, .4) && m.line == 0 && m.characters == 7);
    spot_lines_free(&l);
}

static void unicode_is_folded(void)
{
    CHECK(run_of("Café au lait", "CAFE AU", .9).characters == 6);
    CHECK(run_of("Cafe\xCC\x81 au lait", "CAF\xC3\x89 AU", .9).characters == 6);
    CHECK(run_of("STRASSE", "straße", .9).characters == 7);
    CHECK(run_of("\xEF\xBC\xA8\xEF\xBC\xA5\xEF\xBC\xAC\xEF\xBC\xAC\xEF\xBC\xAF", "hello", .9).characters == 5);
    CHECK(run_of("o\xEF\xAC\x83""ce", "OFFICE", .9).characters == 6);   // ligature
    CHECK(run_of("ПРИВЕТ МИР", "привет", .9).characters == 6);
    CHECK(run_of("서울특별시", "서울특별시", .9).characters == 5);
    CHECK(run_of("hel\xFF\xFElo\xC3", "hello", .9).characters == 5);   // bytes that are no UTF-8 are no letters
}

static void whole_words_by_edits(void)
{
    CHECK_CLOSE(ratio_of("a cat on a mat", "CAT"), 1, 0);
    CHECK_CLOSE(ratio_of("a cat on a mat", "concatenate"), 3. / 11, 1e-12);   // a part of a word is not a word
    CHECK_CLOSE(ratio_of("coffee shop", "COFFE"), 5. / 6, 1e-12);
    CHECK_CLOSE(ratio_of("coffee shop", "cofree"), 5. / 6, 1e-12);
    CHECK_CLOSE(ratio_of("an ox is a pig", "a IS an"), 0, 0);   // too short to mean anything
    CHECK_CLOSE(ratio_of("don't stop", "DONT"), 1, 0);
    CHECK_CLOSE(ratio_of("kitten", "sitting"), 4. / 7, 1e-12);
}

// The dynamic programs against the plain definition, on many small texts.
static void runs_equal_the_definition(void)
{
    unsigned seed = 1;
    for (int t = 0; t < 2000; t++) {
        char a[13], b[13];
        int na = 0, nb = 0, best = 0;
        for (int i = 0; i < 12; i++) {
            seed = seed * 1664525 + 1013904223;
            a[na++] = (char)('a' + (seed >> 24) % 3);
            seed = seed * 1664525 + 1013904223;
            b[nb++] = (char)('A' + (seed >> 24) % 3);
        }
        a[na] = b[nb] = 0;
        for (int i = 0; i < na; i++)
            for (int j = 0; j < nb; j++) {
                int k = 0;
                while (i + k < na && j + k < nb && a[i + k] == (b[j + k] | 32))
                    k++;
                best = k > best ? k : best;
            }
        CHECK(run_of(a, b, 1).characters == best);
    }
}

static void long_texts_are_bounded(void)
{
    enum { N = 1 << 20 };
    char *caption = malloc(N + 1);
    memset(caption, 'a', N);
    caption[N] = 0;
    CHECK(run_of(caption, caption, 1).characters == MATCH_MAX);
    CHECK_CLOSE(ratio_of(caption, caption), 1, 0);
    free(caption);
}

static int read_lines(struct spot_lines *l, struct buf *file, const char *text)
{
    return spot_lines_read(l, file, text, strlen(text));
}

static void lines_come_back_as_written(void)
{
    static const float tilted[4][2] = {{1.5f, 2}, {100, 4.25f}, {99, 30}, {.5f, 28}};
    struct spot_lines l = {0}, back = {0};
    struct buf text = {0}, again = {0}, file = {0};
    CHECK(!spot_lines_add(&l, "a \"b\"\\ \xE4\xBD\xA0", 10, .87654, tilted) && !spot_lines_add(&l, "", 0, 1, square));
    CHECK(!spot_lines_write(&text, "dir/a b.jpg", &l));
    CHECK(!spot_lines_read(&back, &file, text.at, text.len) && back.n == 2);
    CHECK_STR(file.at, "dir/a b.jpg");
    CHECK_STR(back.line[0].text, l.line[0].text);
    CHECK_CLOSE(back.line[0].confidence, .8765, 1e-4);
    CHECK_CLOSE(back.line[0].box[1][1], 4.25, .06);
    CHECK(!spot_lines_write(&again, file.at, &back));
    CHECK_STR(again.at, text.at);
    CHECK(!spot_lines_write(&again, NULL, &(struct spot_lines){0}) && strstr(again.at, "{\"lines\":[]}\n"));
    spot_lines_free(&l);
    spot_lines_free(&back);
    buf_free(&text);
    buf_free(&again);
    buf_free(&file);
}

static void others_forms_are_read(void)
{
    struct spot_lines l = {0};
    struct buf file = {0};
    CHECK(!read_lines(&l, &file, "{\"img_path\": \"x.png\", \"predictions\": [{\"rec_texts\": [\"stop\", \"now\"], "
                      "\"rec_scores\": [0.9, [0.5, 0.7]], \"det_polygons\": [[1, 2, 11, 2, 11, 8, 1, 8], "
                      "[0, 0, 4, 1, 9, 0, 9, 5, 4, 6, 0, 5]]}]}"));
    CHECK(l.n == 2 && !strcmp(l.line[1].text, "now"));
    CHECK_STR(file.at, "x.png");
    CHECK_CLOSE(l.line[1].confidence, .6, 1e-12);
    CHECK(l.line[0].box[2][0] == 11 && l.line[0].box[2][1] == 8);
    CHECK(l.line[1].box[2][0] == 9 && l.line[1].box[2][1] == 6 && l.line[1].box[3][0] == 0);
    CHECK(!read_lines(&l, &file, "{\"rec_texts\": [\"go\"], \"rec_scores\": [1]}") && l.n == 1 && !file.len);
    CHECK(!read_lines(&l, &file, "{\"filename\": \"y\", \"result\": [{\"box\": [0,0,5,0,5,5,0,5], \"box_score\": 1, "
                      "\"text\": \"hi\", \"text_score\": [0.25, 0.75]}]}"));
    CHECK(l.n == 1 && l.line[0].confidence == .5 && l.line[0].box[1][0] == 5);
    CHECK(!read_lines(&l, NULL, "{\"lines\": []}") && l.n == 0);
    spot_lines_free(&l);
    buf_free(&file);
}

static void damage_is_named(void)
{
    static const struct { const char *text, *says; } bad[] = {
        {"", "not JSON"},
        {"[1]", "not a JSON object"},
        {"{\"file\": \"a\"}", "neither \"lines\""},
        {"{\"lines\": 3}", "\"lines\" is not a list"},
        {"{\"lines\": [{\"text\": \"a\", \"confidence\": 1}, {\"text\": 5}]}", "\"lines\" 2: a line's text"},
        {"{\"lines\": [{\"text\": \"a\"}]}", "\"confidence\" is not a number"},
        {"{\"lines\": [{\"text\": \"a\", \"confidence\": 7}]}", "\"confidence\" is 7"},
        {"{\"lines\": [{\"text\": \"a\", \"confidence\": 1, \"box\": [1, 2, 3]}]}", "\"box\" is not a list of corners"},
        {"{\"lines\": [{\"text\": \"a\", \"confidence\": 1, \"box\": [[1, 2], [1]]}]}", "corner 2 is not two numbers"},
        {"{\"rec_texts\": [\"a\"], \"rec_scores\": []}", "not two lists of one length"},
        {"{\"predictions\": [{}, {}]}", "one picture's results"},
    };
    struct spot_lines l = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(read_lines(&l, NULL, bad[i].text) == EFORMAT_ && l.n == 0);
        if (!strstr(error_last(), bad[i].says))
            check_str(__FILE__, __LINE__, bad[i].text, error_last(), bad[i].says);
    }
    spot_lines_free(NULL);
}

int main(void)
{
    CASE(runs_ignore_case_and_spaces);
    CASE(confidence_decides_which_lines_count);
    CASE(unicode_is_folded);
    CASE(whole_words_by_edits);
    CASE(runs_equal_the_definition);
    CASE(long_texts_are_bounded);
    CASE(lines_come_back_as_written);
    CASE(others_forms_are_read);
    CASE(damage_is_named);
    return check_done();
}
