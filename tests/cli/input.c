// SPDX-License-Identifier: Apache-2.0
// `diht preprocess` and `diht tokenize`: what they write, what they say to wrong input.
#include <stdint.h>

#include "check.h"
#include "run.h"

static const char merges[] = "#version: 0.2\nd o\ndo g</w>\n";

// Element i of a float32 .npy; its header's text must hold `shape`.
static float element(const char *path, const char *shape, long i)
{
    char head[256] = "";
    float v = -99;
    FILE *f = fopen(path, "rb");
    if (!f)
        return v;
    size_t got = fread(head, 1, sizeof head - 1, f);
    long start = got > 10 ? 10 + (unsigned char)head[8] + 256 * (unsigned char)head[9] : 0;
    if (got > 10 && memmem(head, got, shape, strlen(shape)) && !fseek(f, start + 4 * i, SEEK_SET) && fread(&v, 4, 1, f) != 1)
        v = -99;
    fclose(f);
    return v;
}

static void pictures_become_an_array(void)
{
    const char *golden = getenv("DIHT_GOLDEN");
    char files[2048];
    snprintf(files, sizeof files, "'%s/formats/bmp_RGB_23x17.bmp' '%s/formats/gifx_a.gif' '%s/preprocess/images/png_gray16_96x64.png'",
             golden, golden, golden);
    CHECK(diht("preprocess --size 16 --out all.npy --json %s", files) == 0 && json_line() && strstr(out, "\"images\": 3"));
    CHECK(diht("preprocess %s -o one.npy --size 16 --threads 1", files) == 0 && strstr(out, "3 pictures"));
    CHECK(system("cmp -s all.npy one.npy") == 0);
    float v = element("all.npy", "(3, 3, 16, 16)", 2 * 768);
    CHECK(v > -1.8f && v < 2.0f);
    CHECK(diht("preprocess --size 16 --out big.npy --max-pixels 100 %s", files) == 1 && said("bmp_RGB_23x17.bmp") &&
          said("23x17") && !scratch_has("big.npy"));
    scratch_file("page.html", "<html>not a picture</html>");
    CHECK(diht("preprocess --size 16 --out no.npy page.html %s", files) == 1 && said("page.html") && said("not a picture"));
    CHECK(!scratch_has("no.npy"));
    CHECK(diht("preprocess --out no.npy gone.jpg") == 1 && said("gone.jpg"));
    CHECK(diht("preprocess --out no.npy") == 2 && said("IMAGE is missing"));
    CHECK(diht("preprocess %s", files) == 2 && said("--out"));
    CHECK(diht("preprocess --size 0 --out no.npy %s", files) == 2 && said("--size 0"));
    CHECK(diht("preprocess --out /proc/x/no.npy %s", files) == 1 && said("/proc/x"));
}

static void captions_become_ids(void)
{
    scratch_file("m.txt", merges);
    scratch_file("lines.txt", "Dog\n\nxdog");
    CHECK(diht("tokenize lines.txt --vocab m.txt --context 5") == 0);
    CHECK_STR(out, "514 513 515 0 0\n514 515 0 0 0\n514 87 513 515 0\n");
    scratch_file("lines.jsonl", "{\"text\": \"dog\"}\n{\"more\": [1, {}], \"text\": \"d\\u006fg\\u0000\"}\n"
                                "{\"text\": \"\\ud800\"}\n{\"text\": \"\\ud83d\\ude00 dog dog dog dog\"}");
    CHECK(diht("tokenize --jsonl lines.jsonl --vocab m.txt --context 6") == 0);
    CHECK(strncmp(out, "{\"ids\": [514, 513, 515, 0, 0, 0]}\n{\"ids\": [514, 513, 515, 0, 0, 0]}\n", 68) == 0);
    // U+FFFD: bytes EF BF BD, ids 171, 123, 121 + 256 to end the word
    CHECK(strstr(out, "{\"ids\": [514, 171, 123, 377, 515, 0]}\n") != NULL);
    CHECK(strstr(out, "515]}\n") != NULL);
    CHECK(system("cat lines.jsonl >piped") == 0 && diht("tokenize --jsonl --vocab m.txt --context 6 <piped") == 0 &&
          strlen(out) > 100);
}

static void faults_are_named(void)
{
    scratch_file("bad.jsonl", "{\"text\": \"a\"}\n{\"text\": 3}\n");
    CHECK(diht("tokenize --jsonl bad.jsonl --vocab m.txt --context 4") == 1 && said("bad.jsonl") && said("line 2") &&
          said("not a string"));
    CHECK_STR(out, "{\"ids\": [514, 320, 515, 0]}\n");   // what was done is printed
    scratch_file("worse.jsonl", "nonsense\n");
    CHECK(diht("tokenize --jsonl worse.jsonl --vocab m.txt") == 1 && said("line 1") && said("{\"text\""));
    CHECK(diht("tokenize gone.txt --vocab m.txt") == 1 && said("gone.txt"));
    CHECK(diht("tokenize lines.txt --vocab gone.txt") == 1 && said("gone.txt"));
    CHECK(diht("tokenize lines.txt --vocab m.txt --context 1") == 2 && said("--context 1"));
    CHECK(diht("tokenize lines.txt --vocab m.txt --model x") == 2 && said("--model"));
    // none given, none installed: how to get one; then one is there
    setenv("XDG_DATA_HOME", "/nonexistent", 1);
    CHECK(diht("tokenize lines.txt") == 1 && said("/nonexistent/diht/bpe_simple_vocab_16e6.txt") && said("./run build"));
    CHECK(system("mkdir -p data/diht && cp m.txt data/diht/bpe_simple_vocab_16e6.txt") == 0);
    char here[1024];
    CHECK(realpath("data", here) != NULL);
    setenv("XDG_DATA_HOME", here, 1);
    CHECK(diht("tokenize lines.txt --context 4") == 0 && strncmp(out, "514 513 515 0\n", 14) == 0);
}

int main(void)
{
    if (!scratch_begin()) {
        printf("Bail out! no scratch directory\n");
        return 1;
    }
    CASE(pictures_become_an_array);
    CASE(captions_become_ids);
    CASE(faults_are_named);
    scratch_end();
    return check_done();
}
