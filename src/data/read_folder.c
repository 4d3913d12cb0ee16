// SPDX-License-Identifier: Apache-2.0
// Class folders, as ImageNet and torchvision's ImageFolder lay them out: CLASS/picture, or SPLIT/CLASS/picture. And a
// folder of pictures themselves, with KEY.txt beside KEY.jpg as its captions, one a line; or folders of such pairs, as
// img2dataset writes its files: 00000/000000012.jpg.
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"
#include "base/map.h"
#include "data/source_inner.h"

bool is_picture_name(const char *name)
{
    static const char *const known[] = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(path_ext(name), known[i]) == 0)
            return true;
    return false;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

void names_free(char **names, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

int directory_names(const char *dir, char ***names, int64_t *count)
{
    DIR *d = opendir(dir);
    int64_t n = 0, room = 0;
    char **all = NULL;
    int rc = d ? 0 : FAIL(error_from_errno(errno), "%s: cannot open: %s", dir, strerror(errno));
    for (struct dirent *e; !rc && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        if (n == room) {
            char **more = realloc(all, (size_t)(room = room ? 2 * room : 64) * sizeof *more);
            if (!more) {
                rc = FAIL(EMEMORY_, "%s: out of memory", dir);
                break;
            }
            all = more;
        }
        if (!(all[n] = strdup(e->d_name)))
            rc = FAIL(EMEMORY_, "%s: out of memory", dir);
        else
            n++;
    }
    if (d)
        closedir(d);
    if (n)
        qsort(all, (size_t)n, sizeof *all, by_name);
    if (rc) {
        names_free(all, n);
        all = NULL;
        n = 0;
    }
    *names = all;
    *count = n;
    return rc;
}

struct walk {
    struct source *s;
    struct map *classes;   // name -> label; filled in the first round
    bool put;              // the second round: samples
    int64_t row;
};

// The pictures of one class. Their number, or a failure.
static int64_t walk_class(struct walk *w, const char *dir, const char *split, const char *class)
{
    char **names;
    int64_t n, found = 0;
    int rc = directory_names(dir, &names, &n);
    for (int64_t i = 0; i < n && !rc; i++) {
        if (!is_picture_name(names[i]))
            continue;
        found++;
        if (!w->put)
            continue;
        char *path = path_join(dir, names[i]);
        struct buf key = {0};
        int stem = (int)(strlen(names[i]) - strlen(path_ext(names[i])));
        buf_fmt(&key, "%s%s%s/%.*s", split, *split ? "/" : "", class, stem, names[i]);
        rc = !path || key.failed ? FAIL(EMEMORY_, "%s: out of memory", dir)
                                 : source_put(w->s, &(struct source_row){
                                       key.at, split, NULL, &class, 1, w->row,
                                       map_get(w->classes, class, strlen(class), -1), path, -1, 0});
        w->row++;
        buf_free(&key);
        free(path);
    }
    names_free(names, n);
    return rc ? rc : found;
}

// Folders of `dir`: classes, or where none holds pictures and splits are allowed, splits.
static int walk_folders(struct walk *w, const char *dir, const char *split, bool splits)
{
    char **names;
    int64_t n;
    int rc = directory_names(dir, &names, &n);
    for (int64_t i = 0; i < n && !rc; i++) {
        char *path = path_join(dir, names[i]);
        if (path && file_is_dir(path)) {
            int64_t found = walk_class(w, path, split, names[i]);
            rc = found < 0 ? (int)found : 0;
            if (!rc && !found && splits)
                rc = walk_folders(w, path, names[i], false);
            else if (!rc && found && !w->put)
                rc = map_put(w->classes, names[i], strlen(names[i]), 0);
        }
        rc = path ? rc : FAIL(EMEMORY_, "%s: out of memory", dir);
        free(path);
    }
    names_free(names, n);
    return rc;
}

// KEY.txt's lines into `caption`; how many, 0 when there is no such file.
static int64_t captions_beside(const char *stem, struct buf *text, const char *caption[], int most)
{
    struct buf path = {0};
    int64_t n = 0;
    buf_fmt(&path, "%s.txt", stem);
    buf_clear(text);
    if (path.failed)
        n = path.failed;
    else if (file_exists(path.at))
        n = file_read(path.at, text);
    char *save = NULL;
    for (char *line = n || !text->at ? NULL : strtok_r(text->at, "\r\n", &save); line && n < most;
         line = strtok_r(NULL, "\r\n", &save))
        if (line[strspn(line, " \t")])
            caption[n++] = line;
    buf_free(&path);
    return n;
}

// Pictures with their texts, in one folder or several.
struct flat {
    struct source *s;
    int64_t row, number, found;   // next running row; the last key's number; pictures
};

// Pictures in `dir` itself, FOLDER/ before their keys. Without any .txt, a picture's caption is its name.
static int read_flat(struct flat *w, const char *dir, const char *folder)
{
    enum { MOST_CAPTIONS = 256 };
    const char *caption[MOST_CAPTIONS];
    struct buf text = {0}, key = {0};
    char **names;
    int64_t n;
    bool texts = false;
    int rc = directory_names(dir, &names, &n);
    for (int64_t i = 0; i < n; i++)
        texts |= strcasecmp(path_ext(names[i]), ".txt") == 0;
    for (int64_t i = 0; i < n && !rc; i++) {
        if (!is_picture_name(names[i]))
            continue;
        char *path = path_join(dir, names[i]), *whole = path ? strndup(path, strlen(path) - strlen(path_ext(names[i]))) : NULL;
        buf_clear(&key);
        buf_fmt(&key, "%s%s%.*s", folder, *folder ? "/" : "", (int)(strlen(names[i]) - strlen(path_ext(names[i]))), names[i]);
        int64_t many = !whole || key.failed ? FAIL(EMEMORY_, "%s: out of memory", dir)
                       : texts              ? captions_beside(whole, &text, caption, MOST_CAPTIONS)
                                            : 1;
        if (!texts)
            caption[0] = path_name(key.at);
        int64_t row = many < 0 ? 0 : source_key_row(key.at, &w->number, w->row);
        w->row = row + 1;
        w->found++;
        if (many < 0)
            rc = (int)many;
        else if (many == 0)
            rc = source_leave_out(w->s, row, "%s: no %s.txt with a caption beside it", path, path_name(key.at));
        else
            rc = source_put(w->s, &(struct source_row){key.at, NULL, NULL, caption, (int)many, row, -1, path, -1, 0});
        free(path);
        free(whole);
    }
    names_free(names, n);
    buf_free(&text);
    buf_free(&key);
    return rc;
}

enum { NO_PICTURES, PICTURES, PAIRS };

// Whether a picture in `dir` has a text of its own beside it. Or a failure.
static int kind_of_folder(const char *dir)
{
    char **names;
    int64_t n;
    int rc = directory_names(dir, &names, &n), kind = NO_PICTURES;
    for (int64_t i = 0; i < n && !rc && kind != PAIRS; i++) {
        if (!is_picture_name(names[i]))
            continue;
        struct buf path = {0};
        buf_fmt(&path, "%s/%.*s.txt", dir, (int)(strlen(names[i]) - strlen(path_ext(names[i]))), names[i]);
        rc = path.failed;
        kind = !rc && file_exists(path.at) ? PAIRS : PICTURES;
        buf_free(&path);
    }
    names_free(names, n);
    return rc ? rc : kind;
}

// Folders of pictures and texts in `dir`, told by the first that holds pictures.
static int read_pairs(struct flat *w, const char *dir)
{
    char **names;
    int64_t n;
    int kind = NO_PICTURES, rc = directory_names(dir, &names, &n);
    for (int64_t i = 0; i < n && !rc && kind != PICTURES; i++) {
        char *path = path_join(dir, names[i]);
        bool folder = path && file_is_dir(path);
        if (folder && kind == NO_PICTURES)
            kind = kind_of_folder(path);
        rc = !path ? FAIL(EMEMORY_, "%s: out of memory", dir) : kind < 0 ? kind : 0;
        if (folder && kind == PAIRS)
            rc = read_flat(w, path, names[i]);
        free(path);
    }
    names_free(names, n);
    return rc;
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

// Labels are the places of the names in order.
static int number_classes(struct map *classes)
{
    int64_t n = map_count(classes);
    char **names = calloc((size_t)n + 1, sizeof *names);
    int rc = names ? 0 : FAIL(EMEMORY_, "out of memory");
    for (int64_t i = 0; i < n && !rc; i++) {
        size_t len;
        const char *name = map_key(classes, i, &len, NULL);
        rc = (names[i] = strndup(name, len)) ? 0 : FAIL(EMEMORY_, "out of memory");
    }
    if (!rc)
        qsort(names, (size_t)n, sizeof *names, by_text);
    for (int64_t i = 0; i < n && !rc; i++)
        rc = map_put(classes, names[i], strlen(names[i]), i);
    if (names)
        names_free(names, n);
    return rc;
}

int read_folders(struct source *s, const char *path)
{
    struct walk w = {.s = s, .classes = map_new()};
    struct flat flat = {.s = s, .number = -1};
    int rc = w.classes ? read_pairs(&flat, path) : FAIL(EMEMORY_, "%s: out of memory", path);
    if (rc || flat.found) {
        map_free(w.classes);
        return rc;
    }
    rc = walk_folders(&w, path, "", true);
    if (!rc && map_count(w.classes) == 0 && (rc = read_flat(&flat, path, "")) == 0 && flat.found == 0)
        rc = FAIL(EMISSING_, "%s: no dataset (catalog-0000.sqlite), no tars, no pictures and no folders of them in here; "
                  "diht import LIST --out %s makes a dataset", path, path);
    if (!rc)
        rc = number_classes(w.classes);
    w.put = true;
    if (!rc)
        rc = walk_folders(&w, path, "", true);
    map_free(w.classes);
    return rc;
}
