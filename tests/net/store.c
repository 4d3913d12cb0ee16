// SPDX-License-Identifier: Apache-2.0
// What diht fetch stores: pictures made smaller or other, the fields that img2dataset's readers look for, hashes
// verified, repeats known by the bytes that came.
#include <jansson.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "check.h"
#include "cli/run.h"
#include "image/image.h"
#include "image/probe.h"
#include "server.h"

static struct server server;
static const char allow[] = "--allow-net 127.0.0.1 --robots ignore --deadline 20";

// KEY.ENDING of DATASET's first shard; empty when it is not there.
static struct buf member(const char *dataset, const char *name)
{
    char line[300];
    struct buf b = {0};
    snprintf(line, sizeof line, "rm -f member; tar xOf %s/shards/00000.tar %s >member 2>/dev/null", dataset, name);
    if (system(line) == 0)
        CHECK(file_read("member", &b) == 0);
    return b;
}

static json_t *sample(const char *dataset, const char *key)
{
    char name[100];
    snprintf(name, sizeof name, "%s.json", key);
    struct buf b = member(dataset, name);
    json_t *o = b.len ? json_loadb(b.at, b.len, 0, NULL) : NULL;
    CHECK(json_is_object(o));
    buf_free(&b);
    return o;
}

static bool text_is(const json_t *o, const char *field, const char *want)
{
    const char *is = json_string_value(json_object_get(o, field));
    return is && strcmp(is, want) == 0;
}

static int number(const json_t *o, const char *field) { return (int)json_integer_value(json_object_get(o, field)); }

static FILE *list(const char *name)
{
    FILE *f = fopen(name, "w");
    if (!f)
        abort();
    return f;
}

static void fields_are_img2datasets(void)
{
    FILE *f = list("fields.csv");
    fprintf(f, "url,caption,aesthetic,similarity,\"a, b\"\n");
    fprintf(f, "http://127.0.0.1:%d/ok/1,\"a cat, asleep\",5.5,0.3,\"x \"\"y\"\"\"\n", server.port);
    fclose(f);
    CHECK(diht("fetch fields.csv --out fields --json %s", allow) == 0);
    json_t *o = sample("fields", "00000000");
    CHECK(text_is(o, "caption", "a cat, asleep") && text_is(o, "key", "00000000") && text_is(o, "status", "success"));
    CHECK(json_is_null(json_object_get(o, "error_message")) && text_is(o, "exif", "{}"));
    CHECK(number(o, "width") == 400 && number(o, "height") == 300 && number(o, "original_width") == 400);
    CHECK(text_is(o, "aesthetic", "5.5") && text_is(o, "similarity", "0.3") && text_is(o, "a, b", "x \"y\""));
    struct buf picture = member("fields", "00000000.jpg"), caption = member("fields", "00000000.txt");
    char sha[SHA256_HEX];
    sha256_hex(sha, picture.at ? picture.at : "", picture.len);
    CHECK(text_is(o, "sha256", sha));   // originals: the bytes are those that came
    CHECK(caption.at && strcmp(caption.at, "a cat, asleep") == 0);
    json_decref(o);
    buf_free(&picture);
    buf_free(&caption);
}

static void pictures_are_made_smaller(void)
{
    static const struct { const char *options, *ending, *format; int w, h; } cases[] = {
        {"--resize 128", "jpg", "jpeg", 171, 128}, {"--resize 128 --resize-mode longer --format webp", "webp", "webp", 128, 96},
        {"--resize 128 --resize-mode border --format png", "png", "png", 128, 128},
        {"--resize 128 --resize-mode crop --quality 50", "jpg", "jpeg", 128, 128},
        {"--resize 1000", "jpg", "jpeg", 400, 300}, {"--format png", "png", "png", 400, 300},
        {"--resize 500 --resize-mode border --enlarge", "jpg", "jpeg", 500, 500},
    };
    FILE *f = list("made.tsv");
    for (int i = 0; i < 20; i++)
        fprintf(f, "picture %d\thttp://127.0.0.1:%d/ok/%d\n", i, server.port, i);
    fclose(f);
    char came[SHA256_HEX] = "";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char set[20], name[40], sha[SHA256_HEX];
        snprintf(set, sizeof set, "made%zu", i);
        CHECK(diht("fetch made.tsv --out %s --json %s %s", set, allow, cases[i].options) == 0);
        CHECK(strstr(out, "\"ok\":20") != NULL);
        snprintf(name, sizeof name, "00000007.%s", cases[i].ending);
        struct buf b = member(set, name);
        struct image im = {0};
        CHECK(b.len && strcmp(image_format(b.at, b.len), cases[i].format) == 0);
        CHECK(image_decode(&im, b.at, b.len, 0) == 0 && im.width == cases[i].w && im.height == cases[i].h);
        json_t *o = sample(set, "00000007");
        CHECK(number(o, "width") == cases[i].w && number(o, "height") == cases[i].h);
        CHECK(number(o, "original_width") == 400 && number(o, "original_height") == 300);
        // the hash is that of the bytes that came, however they are stored
        sha256_hex(sha, b.at, b.len);
        CHECK(text_is(o, "sha256", sha) == (strstr(cases[i].options, "1000") != NULL));
        if (!*came)
            snprintf(came, sizeof came, "%s", json_string_value(json_object_get(o, "sha256")));
        CHECK(text_is(o, "sha256", came));
        json_decref(o);
        image_free(&im);
        buf_free(&b);
    }
    CHECK(diht("info made0 --json") == 0 && strstr(out, "20"));
}

static void hashes_are_verified(void)
{
    struct buf b = member("made5", "00000003.png");
    CHECK(b.len > 0);
    buf_free(&b);
    b = member("fields", "00000000.jpg");   // the bytes of ok/1
    CHECK(file_write("one.jpg", b.at, b.len) == 0);
    buf_free(&b);
    CHECK(system("for s in md5 sha1 sha256 sha512; do ${s}sum one.jpg | cut -d' ' -f1 | tr a-f A-F; done >sums") == 0);
    CHECK(file_read("sums", &b) == 0);
    FILE *f = list("hash.jsonl");
    int rows = 0;
    for (char *at = b.at, *end; at && (end = strchr(at, '\n')); at = end + 1, rows++)
        for (int wrong = 0; wrong < 2; wrong++)
            fprintf(f, "{\"url\":\"http://127.0.0.1:%d/ok/1\",\"caption\":\"c\",\"sum\":\"%s%.*s\"}\n", server.port,
                    wrong ? "0" : "", (int)(end - at) - wrong, at);
    fprintf(f, "{\"url\":\"http://127.0.0.1:%d/ok/1\",\"caption\":\"c\",\"sum\":null}\n", server.port);
    fclose(f);
    buf_free(&b);
    CHECK(rows == 4);
    CHECK(diht("fetch hash.jsonl --out hash --hash-column sum --json %s", allow) == 0);
    CHECK(strstr(out, "\"rows\":9,\"ok\":5,\"failed\":{\"hash-mismatch\":4}") && strstr(out, "\"duplicates\":4"));
    // the same bytes, left out on request, also when they are stored smaller
    CHECK(diht("fetch hash.jsonl --out hash2 --hash-column sum --dedup --resize 64 --json %s", allow) == 0);
    CHECK(strstr(out, "\"ok\":1,") && strstr(out, "\"duplicate\":4"));
}

// What is fetched again is stored as the rest was, by the same rules.
static void options_are_remembered(void)
{
    FILE *f = list("kept.tsv");
    fprintf(f, "a\thttp://127.0.0.1:%d/busy/99001\n", server.port);
    fclose(f);
    CHECK(diht("fetch kept.tsv --out kept --retries 0 --resize 100 --format png --json %s", allow) == 0);
    CHECK(strstr(out, "\"http-503\":1") != NULL);
    CHECK(diht("refetch kept --json") == 0 && strstr(out, "\"ok\":1,") && said("kept/fetch.conf says"));
    CHECK(said("--retries 0") && said("--resize 100") && said("--format png") && !strstr(err, "--quality"));
    struct buf b = member("kept", "00000000.png");
    struct image im = {0};
    CHECK(b.len && image_decode(&im, b.at, b.len, 0) == 0 && im.height == 100);
    image_free(&im);
    buf_free(&b);
    // what is said now goes before it
    CHECK(diht("fetch kept.tsv --out kept2 --retries 0 --resize 100 --robots ignore --json") == 0);
    CHECK(strstr(out, "\"blocked-address\":1") != NULL);
    CHECK(diht("refetch kept2 --resize 0 --json %s", allow) == 0 && strstr(out, "\"ok\":1,") && said("--robots ignore"));
    b = member("kept2", "00000000.jpg");
    CHECK(b.len && image_decode(&im, b.at, b.len, 0) == 0 && im.height == 300);
    image_free(&im);
    buf_free(&b);
    CHECK(diht("refetch --help") == 0);
}

static void nonsense_is_refused(void)
{
    CHECK(diht("fetch made.tsv --out x --resize 70000") == 2 && said("--resize"));
    CHECK(diht("fetch made.tsv --out x --resize 64 --resize-mode fixed") == 2 && said("shorter, longer, border or crop"));
    CHECK(diht("fetch made.tsv --out x --format gif") == 2 && said("jpg, webp or png"));
    CHECK(diht("fetch made.tsv --out x --format png --quality 95") == 2 && said("from 1 to 9"));
    CHECK(diht("fetch made.tsv --out x --quality 95") == 2 && said("--quality changes nothing"));
    CHECK(!file_exists("x"));
}

int main(void)
{
    if (!scratch_begin() || server_start(&server) != 0)
        return 1;
    CASE(fields_are_img2datasets);
    CASE(pictures_are_made_smaller);
    CASE(hashes_are_verified);
    CASE(options_are_remembered);
    CASE(nonsense_is_refused);
    server_stop(&server);
    scratch_end();
    return check_done();
}
