// SPDX-License-Identifier: Apache-2.0
// The demo's pictures and captions out of the four unpacked packages (tools/demo-data.sh fetches them):
//   demo-data sheet  openmoji|twemoji SVG_DIR CONCEPTS SHEET.svg    every concept's drawing as one picture to render
//   demo-data concepts GEMOJIONE_DIR TANUKI_DIR TWEMOJI_DIR OPENMOJI_DIR CONCEPTS
//   demo-data pairs  CONCEPTS GEMOJIONE_DIR TANUKI_DIR TWEMOJI.png OPENMOJI.png OPENMOJI.json OUT_DIR
// CONCEPTS has a line per concept: code TAB its file name in each of the four.
#include <ctype.h>
#include <dirent.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "image/encode.h"
#include "image/image.h"
#include "image/resample.h"
#include "die.h"

enum { SIDE = 64, COLUMNS = 40, STYLES = 4, NAME = 128, MAX = 8192 };

// --- code points
// -------------------------------------------------------------------------------------------------------

// "1F469-200D-2695-FE0F", "emoji_u1f469_200d_2695" or "AF" (a flag's letters) -> "1f469-200d-2695"; 0 when it is none.
static int normal_code(const char *name, char out[NAME])
{
    char stem[NAME];
    size_t len = strcspn(name, "."), n = 0;
    if (len >= NAME || !len)
        return 0;
    memcpy(stem, name, len);
    stem[len] = 0;
    const char *p = strncmp(stem, "emoji_u", 7) == 0 ? stem + 7 : stem;
    out[0] = 0;
    if (strlen(p) == 2 && isupper((unsigned char)p[0]) && isupper((unsigned char)p[1]))
        return snprintf(out, NAME, "%x-%x", 0x1f1e6 + p[0] - 'A', 0x1f1e6 + p[1] - 'A') > 0;
    while (*p) {
        char *end;
        unsigned long code = strtoul(p, &end, 16);
        if (end == p || code > 0x10ffff || (*end && *end != '-' && *end != '_'))
            return 0;
        if (code != 0xfe0f)
            n += (size_t)snprintf(out + n, NAME - n, "%s%lx", n ? "-" : "", code);
        p = *end ? end + 1 : end;
    }
    return n > 0;
}

// Skin tones repeat a concept; the keycaps (20E3) are digits in a box, which the published floors' split leaves out.
static int left_out(const char *code)
{
    if (strstr(code, "-20e3"))
        return 1;
    for (int tone = 0x1f3fb; tone <= 0x1f3ff; tone++) {
        char text[8];
        snprintf(text, sizeof text, "%x", tone);
        if (strstr(code, text))
            return 1;
    }
    return 0;
}

// Held out: the concept's family (joiners and gender signs removed), first 8 hex digits of its MD5, modulo 5.
static int held_out(const char *code)
{
    char family[NAME] = "", copy[NAME], *save = NULL;
    snprintf(copy, sizeof copy, "%s", code);
    for (char *part = strtok_r(copy, "-", &save); part; part = strtok_r(NULL, "-", &save))
        if (strcmp(part, "200d") && strcmp(part, "2640") && strcmp(part, "2642")) {
            if (*family)
                strcat(family, "-");
            strcat(family, part);
        }
    for (char *p = family; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    unsigned char digest[16];
    EVP_Digest(family, strlen(family), digest, NULL, EVP_md5(), NULL);
    unsigned value = (unsigned)digest[0] << 24 | (unsigned)digest[1] << 16 | (unsigned)digest[2] << 8 | digest[3];
    return value % 5 == 0;
}

struct concept { char code[NAME], file[STYLES][NAME]; };

static int by_code(const void *a, const void *b)
{
    return strcmp(((const struct concept *)a)->code, ((const struct concept *)b)->code);
}

static struct map *list_dir(const char *dir, const char *ext, char names[MAX][NAME])
{
    struct map *m = map_new();
    DIR *d = opendir(dir);
    if (!d || !m)
        die(dir);
    int n = 0;
    char code[NAME];
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(path_ext(e->d_name), ext) == 0 && strlen(e->d_name) < NAME && n < MAX &&
            normal_code(e->d_name, code)) {
            snprintf(names[n], NAME, "%s", e->d_name);
            check(map_put(m, code, strlen(code), n++));
        }
    closedir(d);
    return m;
}

static int write_concepts(char **a)
{
    static char names[STYLES][MAX][NAME];
    static const char *const ext[STYLES] = {".png", ".png", ".svg", ".svg"};
    static struct concept all[MAX];
    struct map *m[STYLES];
    int n = 0;
    for (int s = 0; s < STYLES; s++)
        m[s] = list_dir(a[s], ext[s], names[s]);
    for (int64_t i = 0; i < map_count(m[0]); i++) {
        size_t len;
        const char *key = map_key(m[0], i, &len, NULL);
        struct concept *c = &all[n];
        snprintf(c->code, NAME, "%.*s", (int)len, key);
        int found = !left_out(c->code);
        for (int s = 0; s < STYLES && found; s++) {
            int64_t at = map_get(m[s], c->code, len, -1);
            found = at >= 0;
            if (found)
                snprintf(c->file[s], NAME, "%s", names[s][at]);
        }
        n += found;
    }
    qsort(all, (size_t)n, sizeof *all, by_code);
    struct buf b = {0};
    for (int i = 0; i < n; i++)
        buf_fmt(&b, "%s\t%s\t%s\t%s\t%s\n", all[i].code, all[i].file[0], all[i].file[1], all[i].file[2],
                all[i].file[3]);
    check(file_write(a[4], b.at ? b.at : "", b.len));
    printf("demo-data: %d concepts in all four styles\n", n);
    for (int s = 0; s < STYLES; s++)
        map_free(m[s]);
    buf_free(&b);
    return n ? 0 : 1;
}

static int read_concepts(const char *path, struct concept *all)
{
    FILE *f = fopen(path, "r");
    int n = 0;
    if (!f)
        die(path);
    while (n < MAX && fscanf(f, "%127s %127s %127s %127s %127s", all[n].code, all[n].file[0], all[n].file[1],
                             all[n].file[2], all[n].file[3]) == 5)
        n++;
    fclose(f);
    return n;
}

// --- one sheet of drawings
// ---------------------------------------------------------------------------------------------

// Ids of a drawing get a prefix, so that gradients of different drawings stay apart on one sheet.
static void add_prefixed(struct buf *out, const char *p, const char *end, int number)
{
    static const char *const marks[] = {" id=\"", "url(#", "href=\"#"};
    while (p < end) {
        int hit = 0;
        for (int m = 0; m < 3 && !hit; m++) {
            size_t len = strlen(marks[m]);
            if ((size_t)(end - p) >= len && strncmp(p, marks[m], len) == 0) {
                buf_fmt(out, "%sp%d_", marks[m], number);
                p += len;
                hit = 1;
            }
        }
        if (!hit)
            buf_char(out, *p++);
    }
}

// The value of an attribute in a tag, or NULL.
static const char *attribute(const char *tag, size_t len, const char *name, size_t *size)
{
    char key[32];
    size_t n = (size_t)snprintf(key, sizeof key, " %s=\"", name);
    for (const char *p = tag; p + n < tag + len; p++)
        if (strncmp(p, key, n) == 0) {
            *size = strcspn(p + n, "\"");
            return p + n;
        }
    return NULL;
}

static int write_sheet(char **a)
{
    static struct concept all[MAX];
    int style = strcmp(a[0], "twemoji") == 0 ? 2 : 3, n = read_concepts(a[2], all), rows = (n + COLUMNS - 1) / COLUMNS;
    struct buf out = {0};
    buf_fmt(&out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"%d\" "
            "height=\"%d\">\n",
            COLUMNS * SIDE, rows * SIDE);
    for (int i = 0; i < n; i++) {
        struct buf svg = {0};
        char *path = path_join(a[1], all[i].file[style]);
        check(file_read(path, &svg));
        char *tag = strstr(svg.at, "<svg"), *body = tag ? strchr(tag, '>') : NULL,
             *end = body ? strstr(body, "</svg>") : NULL;
        size_t size = 0;
        const char *box = body ? attribute(tag, (size_t)(body - tag), "viewBox", &size) : NULL;
        if (!end || !box)
            die(path);
        for (char *next; (next = strstr(end + 1, "</svg>"));)
            end = next;
        buf_fmt(&out, "<svg x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" viewBox=\"%.*s\">", i % COLUMNS * SIDE,
                i / COLUMNS * SIDE, SIDE, SIDE, (int)size, box);
        add_prefixed(&out, body + 1, end, i);
        buf_str(&out, "</svg>\n");
        free(path);
        buf_free(&svg);
    }
    buf_str(&out, "</svg>\n");
    check(file_write(a[3], out.at, out.len));
    buf_free(&out);
    return 0;
}

// --- pictures
// ------------------------------------------------------------------------------------------------------------

// Any PNG, flattened on white.
static void read_on_white(struct image *im, const char *path)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_file(&png, path))
        die(path);
    png.format = PNG_FORMAT_RGBA;
    unsigned char *rgba = malloc(PNG_IMAGE_SIZE(png));
    if (!rgba || !png_image_finish_read(&png, NULL, rgba, 0, NULL))
        die(path);
    *im = (struct image){(int)png.width, (int)png.height, malloc((size_t)png.width * png.height * 3)};
    if (!im->rgb)
        die("out of memory");
    for (size_t i = 0; i < (size_t)png.width * png.height; i++)
        for (int k = 0; k < 3; k++)
            im->rgb[3 * i + (size_t)k] =
                (unsigned char)((rgba[4 * i + (size_t)k] * rgba[4 * i + 3] + 255 * (255 - rgba[4 * i + 3]) + 127) /
                                255);
    free(rgba);
}

static void picture_of(const struct concept *c, int number, int style, char **dir, const struct image *sheet,
                       unsigned char out[SIDE * SIDE * 3])
{
    struct image im = {0};
    struct region all;
    if (style >= 2)
        all =
            (struct region){sheet[style - 2].rgb + ((size_t)(number / COLUMNS) * SIDE * (size_t)sheet[style - 2].width +
                                                    (size_t)(number % COLUMNS) * SIDE) *
                                                       3,
                            SIDE, SIDE, (size_t)sheet[style - 2].width * 3};
    else {
        char *path = path_join(dir[style], c->file[style]);
        read_on_white(&im, path);
        free(path);
        all = (struct region){im.rgb, im.width, im.height, (size_t)im.width * 3};
    }
    check(image_resample(&all, SIDE, SIDE, FILTER_BICUBIC, 0, 0, SIDE, SIDE, out));
    image_free(&im);
}

static void add_tags(struct buf *out, const char *tags, struct map *seen)
{
    while (*tags) {
        size_t len = strcspn(tags, ",");
        const char *a = tags, *b = tags + len;
        while (a < b && isspace((unsigned char)*a))
            a++;
        while (b > a && isspace((unsigned char)b[-1]))
            b--;
        int64_t before = map_count(seen);
        if (b > a)
            check(map_put(seen, a, (size_t)(b - a), 1));
        if (map_count(seen) > before)
            buf_fmt(out, "%s%.*s", before ? ", " : "", (int)(b - a), a);
        tags += len + (tags[len] == ',');
    }
}

static int write_pairs(char **a)
{
    static struct concept all[MAX];
    static const char *const style_name[STYLES] = {"gemojione", "tanuki", "twemoji", "openmoji"};
    int n = read_concepts(a[0], all), count[4] = {0};
    static const char *const split_name[4] = {"train", "val_style", "val_concept", "val_both"};
    struct image sheet[2];
    json_error_t error;
    json_t *book = json_load_file(a[5], 0, &error), *entry;
    struct map *meta = map_new(), *seen = map_new();
    size_t i;
    struct buf list = {0};
    if (!book)
        die(a[5]);
    for (int s = 0; s < 2; s++)
        read_on_white(&sheet[s], a[3 + s]);
    json_array_foreach(book, i, entry) {
        char code[NAME];
        const char *hex = json_string_value(json_object_get(entry, "hexcode"));
        if (hex && normal_code(hex, code))
            check(map_put(meta, code, strlen(code), (int64_t)i));
    }
    buf_str(&list, "key\tcaption\tpath\ttags\tsplit\n");
    check(dir_make(a[6]));
    for (int style = 0; style < STYLES; style++)
        for (int c = 0; c < n; c++) {
            int64_t at = map_get(meta, all[c].code, strlen(all[c].code), -1);
            int out_of = held_out(all[c].code), split = style == 3 ? (out_of ? 3 : 1)
                                                        : out_of   ? (style == 1 ? 2 : -1)
                                                                   : 0;
            if (at < 0)
                die(all[c].code);
            if (split < 0)
                continue;
            unsigned char rgb[SIDE * SIDE * 3];
            picture_of(&all[c], c, style, a + 1, sheet, rgb);
            if (split == 1) {   // val_style: the same drawing twice has two right names
                char hash[SHA256_HEX];
                sha256_hex(hash, rgb, sizeof rgb);
                if (map_get(seen, hash, sizeof hash, -1) >= 0)
                    continue;
                check(map_put(seen, hash, sizeof hash, c));
            }
            entry = json_array_get(book, (size_t)at);
            struct buf png = {0}, tags = {0};
            struct map *words = map_new();
            char name[2 * NAME];
            snprintf(name, sizeof name, "%s-%s", style_name[style], all[c].code);
            check(image_png(&png, &(struct image){SIDE, SIDE, rgb}));
            add_tags(&tags, json_string_value(json_object_get(entry, "tags")), words);
            add_tags(&tags, json_string_value(json_object_get(entry, "openmoji_tags")), words);
            buf_fmt(&list, "%s\t%s\t%s.png\t%s\t%s\n", name, json_string_value(json_object_get(entry, "annotation")),
                    name, tags.at ? tags.at : "", split_name[split]);
            strcat(name, ".png");
            char *path = path_join(a[6], name);
            FILE *f = fopen(path, "wb");
            if (!f || fwrite(png.at, 1, png.len, f) != png.len || fclose(f) != 0)
                die(path);
            free(path);
            count[split]++;
            map_free(words);
            buf_free(&png);
            buf_free(&tags);
        }
    char *path = path_join(a[6], "pairs.tsv");
    check(file_write(path, list.at, list.len));
    for (int s = 0; s < 4; s++)
        printf("demo-data: %-12s %5d pairs\n", split_name[s], count[s]);
    free(path);
    buf_free(&list);
    map_free(meta);
    map_free(seen);
    json_decref(book);
    image_free(&sheet[0]);
    image_free(&sheet[1]);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 7 && strcmp(argv[1], "concepts") == 0)
        return write_concepts(argv + 2);
    if (argc == 6 && strcmp(argv[1], "sheet") == 0)
        return write_sheet(argv + 2);
    if (argc == 9 && strcmp(argv[1], "pairs") == 0)
        return write_pairs(argv + 2);
    fprintf(stderr, "usage: demo-data concepts|sheet|pairs ... (tools/demo-data.sh calls it)\n");
    return 2;
}
