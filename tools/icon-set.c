// SPDX-License-Identifier: Apache-2.0
// Named icons out of unpacked packages, for trying the filter on (tools/open-set.sh calls it):
//   icon-set count JSON                          how many drawings an icon set has
//   icon-set sheet JSON FROM SHEET.svg           up to 800 of them, from number FROM on, as one to render
//   icon-set cut JSON FROM SHEET.png OUT_DIR     their pictures into OUT_DIR, a row each
//   icon-set emoji JSON IMAGE_DIR STYLE          emoji by their names in Unicode, a row each
// Rows (caption TAB path TAB tags TAB source) go to standard output. An icon's caption is its name with blanks for hyphens.
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "image/encode.h"
#include "image/image.h"
#include "die.h"

enum { SIDE = 96, COLUMNS = 40, MOST = 800 };

static json_t *load(const char *path)
{
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    if (!root)
        die(error.text);
    return root;
}

static void put_spaced(const char *name, char gap)
{
    for (; *name; name++)
        putchar(*name == gap ? ' ' : tolower((unsigned char)*name));
}

// A measure of the icon, else of its set, else the set's default in the package's format.
static double measure(const json_t *set, const json_t *icon, const char *name, double usual)
{
    const json_t *own = json_object_get(icon, name), *common = json_object_get(set, name);
    return own ? json_number_value(own) : common ? json_number_value(common) : usual;
}

struct icon { const char *name; json_t *drawing; };

// Those that the set still shows: returns how many; numbers from .. from + MOST - 1 into `out`, their number into *n.
static int icons_of(json_t *set, int from, struct icon *out, int *n)
{
    const char *name;
    json_t *icon;
    int number = 0;
    *n = 0;
    json_object_foreach(json_object_get(set, "icons"), name, icon)
        if (!json_is_true(json_object_get(icon, "hidden")) && number++ >= from && *n < MOST)
            out[(*n)++] = (struct icon){name, icon};
    return number;
}

static int count(const char *path)
{
    static struct icon icon[MOST];
    int n;
    json_t *set = load(path);
    printf("%d\n", icons_of(set, 0, icon, &n));
    json_decref(set);
    return 0;
}

static int write_sheet(char **a)
{
    static struct icon icon[MOST];
    json_t *set = load(a[0]);
    int n;
    icons_of(set, atoi(a[1]), icon, &n);
    struct buf out = {0};
    buf_fmt(&out, "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"%d\" height=\"%d\">\n",
            COLUMNS * SIDE, (n + COLUMNS - 1) / COLUMNS * SIDE);
    for (int i = 0; i < n; i++) {
        const json_t *d = icon[i].drawing;
        buf_fmt(&out, "<svg x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" viewBox=\"%g %g %g %g\">%s</svg>\n", i % COLUMNS * SIDE,
                i / COLUMNS * SIDE, SIDE, SIDE, measure(set, d, "left", 0), measure(set, d, "top", 0), measure(set, d, "width", 16),
                measure(set, d, "height", 16), json_string_value(json_object_get(d, "body")));
    }
    buf_str(&out, "</svg>\n");
    check(out.failed ? out.failed : file_write(a[2], out.at, out.len));
    buf_free(&out);
    json_decref(set);
    return 0;
}

static void cut(const struct image *sheet, int number, const char *path)
{
    unsigned char rgb[SIDE * SIDE * 3];
    struct buf png = {0};
    for (int y = 0; y < SIDE; y++)
        memcpy(rgb + y * SIDE * 3, sheet->rgb + 3 * ((size_t)(number / COLUMNS * SIDE + y) * (size_t)sheet->width +
                                                     (size_t)(number % COLUMNS * SIDE)), SIDE * 3);
    check(image_png(&png, &(struct image){SIDE, SIDE, rgb}));
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(png.at, 1, png.len, f) != png.len || fclose(f) != 0)
        die(path);
    buf_free(&png);
}

static int cut_sheet(char **a)
{
    static struct icon icon[MOST];
    json_t *set = load(a[0]);
    const char *source = json_string_value(json_object_get(set, "prefix"));
    int n;
    icons_of(set, atoi(a[1]), icon, &n);
    struct buf bytes = {0};
    struct image sheet;
    check(file_read(a[2], &bytes));
    check(image_decode(&sheet, bytes.at, bytes.len, 0));
    if (sheet.width != COLUMNS * SIDE || sheet.height < (n + COLUMNS - 1) / COLUMNS * SIDE)
        die(a[2]);
    check(dir_make(a[3]));
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s-%s.png", a[3], source, icon[i].name);
        cut(&sheet, i, path);
        put_spaced(icon[i].name, '-');
        printf("\t%s\t\t%s\n", path, source);
    }
    image_free(&sheet);
    buf_free(&bytes);
    json_decref(set);
    return 0;
}

static int emoji(char **a)
{
    json_t *all = load(a[0]), *entry;
    size_t i;
    json_array_foreach(all, i, entry) {
        const char *name = json_string_value(json_object_get(entry, "name"));
        const char *file = json_string_value(json_object_get(entry, "image"));
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", a[1], file ? file : "");
        if (!name || !file || access(path, R_OK) != 0)
            continue;
        put_spaced(name, '\t');
        printf("\t%s\t\t%s\n", path, a[2]);
    }
    json_decref(all);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "count") == 0)
        return count(argv[2]);
    if (argc == 5 && strcmp(argv[1], "sheet") == 0)
        return write_sheet(argv + 2);
    if (argc == 6 && strcmp(argv[1], "cut") == 0)
        return cut_sheet(argv + 2);
    if (argc == 5 && strcmp(argv[1], "emoji") == 0)
        return emoji(argv + 2);
    fprintf(stderr, "usage: icon-set count JSON | sheet JSON FROM SHEET.svg | cut JSON FROM SHEET.png OUT_DIR | emoji JSON IMAGE_DIR STYLE\n");
    return 2;
}
