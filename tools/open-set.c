// SPDX-License-Identifier: Apache-2.0
// A list of real captions with their pictures out of unpacked packages, for trying the filter on:
//   open-set clipart SVG_DIR PNG_DIR      titles, descriptions and keywords out of each drawing's metadata; its PNG beside
//   open-set stamps DIR                   one line a stamp: the first line of its .txt
//   open-set emoji PAIRS_TSV              labels and tags of the demo's list, by style
// Rows (caption TAB path TAB tags TAB source) are added to standard output.
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"

static const char *svg_root, *png_root;

// Text with the entities undone, white space folded; tabs and line ends become blanks.
static void put_plain(struct buf *out, const char *text, size_t n)
{
    static const struct { const char *entity; char c; } entities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    size_t start = out->len;
    for (size_t i = 0; i < n;) {
        char c = text[i];
        size_t step = 1;
        for (size_t e = 0; c == '&' && e < sizeof entities / sizeof *entities; e++)
            if (strncmp(text + i, entities[e].entity, strlen(entities[e].entity)) == 0) {
                c = entities[e].c;
                step = strlen(entities[e].entity);
                break;
            }
        i += step;
        if (strchr(" \t\r\n", c)) {
            if (out->len > start && out->at[out->len - 1] != ' ')
                buf_char(out, ' ');
        } else {
            buf_char(out, c);
        }
    }
    while (out->len > start && out->at[out->len - 1] == ' ')
        out->at[--out->len] = 0;
}

// Content of the first element of this name behind `from`, or NULL.
static const char *element(const char *from, const char *end, const char *open, const char *close, size_t *n)
{
    const char *at = strstr(from, open);
    if (!at || at >= end)
        return NULL;
    at += strlen(open);
    const char *stop = strstr(at, close);
    if (!stop || stop > end)
        return NULL;
    *n = (size_t)(stop - at);
    return at;
}

// Who made a drawing has a title too: blank these parts out.
static void forget_agents(char *text)
{
    for (char *at = text; (at = strstr(at, "<cc:Agent")) != NULL;) {
        char *stop = strstr(at, "</cc:Agent>");
        if (!stop)
            return;
        memset(at, ' ', (size_t)(stop - at));
        at = stop;
    }
}

static int drawing(const char *path, const struct stat *st, int type, struct FTW *where)
{
    if (type != FTW_F || strcmp(path_ext(path), ".svg") != 0)
        return 0;
    struct buf text = {0}, caption = {0}, tags = {0};
    char png[4096];
    size_t n, root = strlen(svg_root);
    snprintf(png, sizeof png, "%s%.*s.png", png_root, (int)(strlen(path) - root - 4), path + root);
    if (access(png, R_OK) != 0 || file_read(path, &text) != 0)
        goto done;
    char *metadata = strstr(text.at, "<metadata"), *end = metadata ? strstr(metadata, "</metadata>") : NULL;
    if (!end)
        goto done;
    *end = 0;
    forget_agents(metadata);
    // the description where it says something, else the title
    const char *d = element(metadata, end, "<dc:description>", "</dc:description>", &n);
    if (d)
        put_plain(&caption, d, n);
    if (caption.len < 4 && (d = element(metadata, end, "<dc:title>", "</dc:title>", &n)) != NULL) {
        buf_clear(&caption);
        put_plain(&caption, d, n);
    }
    for (const char *at = metadata; (at = element(at, end, "<rdf:li>", "</rdf:li>", &n)) != NULL; at += n) {
        if (tags.len)
            buf_str(&tags, ", ");
        put_plain(&tags, at, n);
    }
    if (caption.len)
        printf("%s\t%s\t%s\tclip art\n", caption.at, png, tags.len ? tags.at : "");
done:
    buf_free(&text);
    buf_free(&caption);
    buf_free(&tags);
    return 0;
}

static int stamp(const char *path, const struct stat *st, int type, struct FTW *where)
{
    if (type != FTW_F || strcmp(path_ext(path), ".txt") != 0)
        return 0;
    struct buf text = {0}, caption = {0};
    char picture[4096];
    int stem = (int)(strlen(path) - 4);
    snprintf(picture, sizeof picture, "%.*s.png", stem, path);
    if (access(picture, R_OK) == 0 && file_read(path, &text) == 0 && text.len) {
        put_plain(&caption, text.at, strcspn(text.at, "\r\n"));
        if (caption.len)
            printf("%s\t%s\t\tstamps\n", caption.at, picture);
    }
    buf_free(&text);
    buf_free(&caption);
    return 0;
}

// label, path, tags ... as tools/demo-data writes them
static int emoji(const char *path)
{
    char dir[4096], *line = NULL, *slash;
    size_t room = 0;
    FILE *f = fopen(path, "r");
    if (!f) {
        perror(path);
        return 1;
    }
    snprintf(dir, sizeof dir, "%s", path);
    slash = strrchr(dir, '/');
    *(slash ? slash : dir) = 0;
    int at[4] = {-1, -1, -1, -1};   // caption, path, tags
    static const char *const names[] = {"caption", "path", "tags"};
    for (int64_t row = 0; getline(&line, &room, f) > 0; row++) {
        char *cell[32];
        int n = 0;
        line[strcspn(line, "\r\n")] = 0;
        for (char *p = line; n < 32 && p; p = strchr(p, '\t'), p += p != NULL) {
            cell[n++] = p;
            if (n > 1)
                p[-1] = 0;
        }
        if (row == 0) {
            for (int c = 0; c < n; c++)
                for (int i = 0; i < 3; i++)
                    if (strcmp(cell[c], names[i]) == 0)
                        at[i] = c;
            continue;
        }
        if (at[0] >= 0 && at[1] >= 0 && at[0] < n && at[1] < n)
            printf("%s\t%s%s%s\t%s\temoji\n", cell[at[0]], *cell[at[1]] == '/' ? "" : dir, *cell[at[1]] == '/' ? "" : "/",
                   cell[at[1]], at[2] >= 0 && at[2] < n ? cell[at[2]] : "");
    }
    free(line);
    fclose(f);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "clipart") == 0) {
        svg_root = argv[2];
        png_root = argv[3];
        return nftw(svg_root, drawing, 16, FTW_PHYS) != 0;
    }
    if (argc == 3 && strcmp(argv[1], "stamps") == 0)
        return nftw(argv[2], stamp, 16, FTW_PHYS) != 0;
    if (argc == 3 && strcmp(argv[1], "emoji") == 0)
        return emoji(argv[2]);
    fprintf(stderr, "usage: open-set clipart SVG_DIR PNG_DIR | stamps DIR | emoji PAIRS_TSV\n");
    return 2;
}
