// SPDX-License-Identifier: Apache-2.0
#include "data/list.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "data/stream.h"

enum { MOST_COLUMNS = 256, MOST_CAPTIONS = 1024, MOST_ROW = 1 << 20, MOST_PICTURE = 256 << 20 };
enum { WINDOW = 4 * MOST_ROW, HEAD = 1 << 16 };
enum column { CAPTION, PATH, TAGS, SPLIT, KEY, HASH, COLUMNS };
enum list_kind { LIST_TSV, LIST_CSV, LIST_JSON, LIST_LINES };

// Names of the columns; where a list has several of one kind, the first here counts.
static const struct { const char *name; enum column column; enum { ANY, FILES, WEB } where; } names[] = {
    {"caption", CAPTION, ANY}, {"captions", CAPTION, ANY}, {"text", CAPTION, ANY}, {"title", CAPTION, ANY},
    {"path", PATH, FILES}, {"image", PATH, FILES}, {"image_path", PATH, FILES}, {"filepath", PATH, FILES},
    {"filename", PATH, FILES}, {"file", PATH, FILES},
    {"url", PATH, WEB}, {"image_url", PATH, WEB}, {"img_url", PATH, WEB}, {"uri", PATH, WEB}, {"link", PATH, WEB},
    {"tags", TAGS, ANY}, {"split", SPLIT, ANY}, {"key", KEY, ANY},
};
enum { NAMES = sizeof names / sizeof *names };
static const char *const column_word[] = {"caption", "path", "tags", "split", "key", "hash"};

struct list {
    char *path, *dir;
    struct stream *in;
    char *window;                      // WINDOW bytes: what is unread lies somewhere in here
    const char *at, *end;              // unread; more than MOST_ROW bytes, or all that is left
    bool ended;                        // nothing comes behind `end`,
    int broken;                        // for this reason, when not 0: said in `broke`
    char broke[512];
    char *head;                        // the first HEAD bytes or fewer
    size_t head_len;
    struct list_columns want;          // names the user gave; strings borrowed
    struct buf titles;                 // the header's names, each with a NUL
    size_t title[MOST_COLUMNS];        // offsets into titles
    struct buf extra;                  // JSON object of a row's other columns
    enum list_kind kind;
    char comma;                        // between a CSV's cells: ',' or, as open_clip has it, a tab
    int64_t row, line;                 // of the next row
    int column[COLUMNS];               // place of each in a row, -1 none
    int columns;                       // the header's, or 2
    struct buf text;                   // the row's fields, each with a NUL
    size_t field[MOST_COLUMNS];        // offsets into text
    int fields;
    const char *captions[MOST_CAPTIONS];
    char key[32];
    char why[256];
};

static bool utf8_valid(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + n;
    while (p < end) {
        if (*p < 0x80) {
            p++;
            continue;
        }
        int more = *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : 1;
        if (*p < 0xc2 || *p > 0xf4 || end - p <= more)
            return false;
        // overlong forms, surrogates and what lies past U+10FFFF show in the second byte
        if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) || (*p == 0xf0 && p[1] < 0x90) ||
            (*p == 0xf4 && p[1] > 0x8f))
            return false;
        for (int i = 1; i <= more; i++)
            if ((p[i] & 0xc0) != 0x80)
                return false;
        p += more + 1;
    }
    return true;
}

// Which column a name means, -1 unknown; *rank: the lower, the better. A name that the user gave beats the known ones.
static int column_of(const struct list *l, const char *name, int *rank)
{
    const struct { const char *name; enum column column; } given[] = {
        {l->want.url, PATH}, {l->want.caption, CAPTION}, {l->want.hash, HASH}};
    *rank = -1;
    for (int i = 0; i < 3; i++)
        if (given[i].name && strcmp(given[i].name, name) == 0)
            return given[i].column;
    for (*rank = 0; *rank < NAMES; ++*rank) {
        bool here = names[*rank].where == ANY || l->want.captions || (names[*rank].where == WEB) == l->want.web;
        if (here && strcasecmp(names[*rank].name, name) == 0)
            return names[*rank].column;
    }
    return -1;
}

// Make sure that a whole row lies in the window: more than MOST_ROW bytes, or the rest of the list.
static int fill(struct list *l)
{
    if (l->ended || l->end - l->at > 2 * MOST_ROW)
        return 0;
    size_t have = (size_t)(l->end - l->at);
    memmove(l->window, l->at, have);
    while (!l->ended && have < WINDOW) {
        ssize_t got = stream_read(l->in, l->window + have, WINDOW - have);
        if (got < 0) {   // whole lines before it are given out first
            const char *last = memrchr(l->window, '\n', have);
            l->broken = (int)got;
            snprintf(l->broke, sizeof l->broke, "%s", error_last());
            have = last ? (size_t)(last + 1 - l->window) : 0;
        } else
            have += (size_t)got;
        l->ended = got <= 0;
    }
    l->at = l->window;
    l->end = l->window + have;
    return 0;
}

// The row before `at` was cut in a window that held no line end: its rest is passed over.
static int drop_rest(struct list *l)
{
    while (l->at == l->end && !l->ended && l->at > l->window && l->at[-1] != '\n') {
        int rc = fill(l);
        const char *stop = rc ? NULL : memchr(l->at, '\n', (size_t)(l->end - l->at));
        if (rc)
            return rc;
        l->at = stop ? stop + 1 : l->end;
        l->line += stop != NULL;
        if (stop)
            break;
    }
    return 0;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        text[--n] = 0;
    return text;
}

static char *field(const struct list *l, int i) { return l->text.at + l->field[i]; }

// Cut the line [at, end) at tabs.
static const char *cut_tabs(struct list *l, const char *at, const char *end)
{
    for (;;) {
        const char *tab = memchr(at, '\t', (size_t)(end - at)), *stop = tab ? tab : end;
        if (l->fields == MOST_COLUMNS)
            return "more than 256 columns";
        l->field[l->fields++] = l->text.len;
        buf_add(&l->text, at, (size_t)(stop - at));
        buf_char(&l->text, 0);
        if (!tab)
            return NULL;
        at = tab + 1;
    }
}

// Read a CSV row from *at, which moves past it (line break included); quoted fields may hold line breaks.
static const char *cut_commas(struct list *l, const char **at, const char *end)
{
    const char *p = *at;
    for (;;) {
        if (l->fields == MOST_COLUMNS)
            return "more than 256 columns";
        l->field[l->fields++] = l->text.len;
        if (p < end && *p == '"') {
            for (p++;;) {
                const char *quote = p < end ? memchr(p, '"', (size_t)(end - p)) : NULL;
                if (!quote || quote - *at > MOST_ROW)
                    return "a quote (\") is not closed";
                buf_add(&l->text, p, (size_t)(quote - p));
                p = quote + 1;
                if (p == end || *p != '"')
                    break;
                buf_char(&l->text, '"');   // doubled: stands for itself
                p++;
            }
            if (p < end && *p == '\r' && p + 1 < end && p[1] == '\n')
                p++;
            if (p < end && *p != l->comma && *p != '\n')
                return "text follows a closing quote (\")";
        } else {
            const char *start = p;
            while (p < end && *p != l->comma && *p != '\n')
                p++;
            bool cr = p > start && p[-1] == '\r' && (p == end || *p == '\n');
            buf_add(&l->text, start, (size_t)(p - start) - cr);
        }
        buf_char(&l->text, 0);
        if (p == end || *p == '\n') {
            *at = p < end ? p + 1 : p;
            return NULL;
        }
        p++;
    }
}

static const char *line_end(const char *at, const char *end)
{
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    return stop ? stop : end;
}

static bool blank(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
        at++;
    return at == end;
}

// Split the row at l->at into fields and move past it. A row that cannot be cut costs its first line only.
static const char *cut(struct list *l)
{
    const char *start = l->at, *stop = line_end(start, l->end), *why, *next = stop < l->end ? stop + 1 : stop;
    buf_clear(&l->text);
    l->fields = 0;
    if (l->kind == LIST_CSV) {
        const char *p = start;
        why = cut_commas(l, &p, l->end);
        next = why ? next : p;
    } else {
        bool cr = stop > start && stop[-1] == '\r';
        if (stop - start > MOST_ROW)
            why = "longer than 1 MiB";
        else if (l->kind == LIST_TSV)
            why = cut_tabs(l, start, stop - cr);
        else {
            l->field[l->fields++] = 0;
            buf_add(&l->text, start, (size_t)(stop - start) - cr);
            buf_char(&l->text, 0);
            why = NULL;
        }
    }
    if (!why && next - start > MOST_ROW)
        why = "longer than 1 MiB";
    if (!why && memchr(start, 0, (size_t)(next - start)))
        why = "a zero byte: not text";
    if (!why && !utf8_valid(start, (size_t)(next - start)))
        why = "not UTF-8";
    for (const char *p = start; p < next; p++)
        l->line += *p == '\n';
    l->at = next;
    return why;
}

// A list of strings or one string to "a, b".
static const char *json_words(struct list *l, const json_t *v, size_t *offset)
{
    *offset = l->text.len;
    for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++) {
        const json_t *one = json_array_get(v, i);
        if (!json_is_string(one))
            return "tags must be texts";
        buf_fmt(&l->text, "%s%s", i ? ", " : "", json_string_value(one));
    }
    if (json_is_string(v))
        buf_str(&l->text, json_string_value(v));
    else if (v && !json_is_array(v) && !json_is_null(v))
        return "tags must be a text or a list of texts";
    buf_char(&l->text, 0);
    return NULL;
}

// Put one more column into l->extra; `text` is JSON already.
static void add_extra(struct list *l, const char *name, const char *text)
{
    json_t *word = json_string(name);
    char *quoted = word ? json_dumps(word, JSON_ENCODE_ANY) : NULL;
    buf_fmt(&l->extra, "%s%s:%s", l->extra.len ? "," : "{", quoted ? quoted : "\"\"", text);
    if (!quoted)
        l->extra.failed = EMEMORY_;
    free(quoted);
    json_decref(word);
}

// One JSON object: fields CAPTION .. HASH in that order, further captions behind them.
static const char *cut_json(struct list *l)
{
    const char *start = l->at, *stop = line_end(start, l->end), *why = NULL;
    const json_t *value[COLUMNS] = {0};
    json_error_t error;
    json_t *object = NULL;
    buf_clear(&l->text);
    l->fields = 0;
    l->at = stop < l->end ? stop + 1 : stop;
    l->line++;
    if (stop - start > MOST_ROW)
        return "longer than 1 MiB";
    object = json_loadb(start, (size_t)(stop - start), 0, &error);
    if (!json_is_object(object)) {
        snprintf(l->why, sizeof l->why, "not a JSON object: %s", object ? "another value" : error.text);
        why = l->why;
        goto done;
    }
    int best[COLUMNS] = {NAMES, NAMES, NAMES, NAMES, NAMES, NAMES}, rank;
    const char *name;
    json_t *v;
    json_object_foreach(object, name, v) {
        int c = column_of(l, name, &rank);
        if (c >= 0 && rank < best[c]) {
            value[c] = v;
            best[c] = rank;
        }
    }
    if (l->want.web)
        json_object_foreach(object, name, v) {
            int c = column_of(l, name, &rank);
            char *text = c < 0 || value[c] != v || c == HASH ? json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
            if (text)
                add_extra(l, name, text);
            free(text);
        }
    for (int c = 0; c < COLUMNS && !why; c++) {
        const json_t *one = value[c];
        if (c == CAPTION && json_is_array(one))
            one = json_array_get(one, 0);
        if (c == TAGS) {
            why = json_words(l, one, &l->field[c]);
            continue;
        }
        if (one && !json_is_string(one) && !json_is_null(one) && !(c == KEY && json_is_integer(one))) {
            snprintf(l->why, sizeof l->why, "\"%s\" is not a text", c == PATH && l->want.web ? "url" : column_word[c]);
            why = l->why;
            break;
        }
        l->field[c] = l->text.len;
        if (json_is_integer(one))
            buf_fmt(&l->text, "%" JSON_INTEGER_FORMAT, json_integer_value(one));
        else
            buf_str(&l->text, json_is_string(one) ? json_string_value(one) : "");
        buf_char(&l->text, 0);
    }
    l->fields = COLUMNS;
    for (size_t i = 1; !why && json_is_array(value[CAPTION]) && i < json_array_size(value[CAPTION]); i++) {
        const json_t *one = json_array_get(value[CAPTION], i);
        if (!json_is_string(one) || l->fields == MOST_COLUMNS) {
            why = l->fields == MOST_COLUMNS ? "more than 250 captions" : "a caption is not a text";
            break;
        }
        l->field[l->fields++] = l->text.len;
        buf_str(&l->text, json_string_value(one));
        buf_char(&l->text, 0);
    }
done:
    json_decref(object);
    return why;
}

// What kind of list: by the file's name (without what says how it is packed), else by its first line.
static enum list_kind kind_of(const struct list *l)
{
    static const struct { const char *ext; enum list_kind kind; } known[] = {
        {".tsv", LIST_TSV}, {".csv", LIST_CSV}, {".jsonl", LIST_JSON}, {".ndjson", LIST_JSON},
    };
    size_t n = strlen(l->path);
    const char *packed = path_ext(l->path);
    if (strcasecmp(packed, ".gz") == 0 || strcasecmp(packed, ".zst") == 0)
        n -= strlen(packed);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t e = strlen(known[i].ext);
        if (n > e && strncasecmp(l->path + n - e, known[i].ext, e) == 0)
            return known[i].kind;
    }
    if (l->want.captions && n > 4 && strncasecmp(l->path + n - 4, ".txt", 4) == 0)
        return LIST_LINES;   // of captions
    if (l->at < l->end && *l->at == '{')
        return LIST_JSON;
    const char *stop = line_end(l->at, l->end);
    if (memchr(l->at, '\t', (size_t)(stop - l->at)))
        return LIST_TSV;
    // addresses hold commas: a list of bare ones is cut at line ends only
    return l->want.web && stop - l->at > 4 && strncasecmp(l->at, "http", 4) == 0 ? LIST_LINES : LIST_CSV;
}

static int skip_blank(struct list *l)
{
    for (;;) {
        int rc = fill(l);
        const char *stop = line_end(l->at, l->end);
        if (rc || l->at == l->end || !blank(l->at, stop))
            return rc;
        l->at = stop < l->end ? stop + 1 : stop;
        l->line++;
    }
}

// Without a header: two columns, caption and path; on the web the first address shows which is which.
static void guess_columns(struct list *l)
{
    for (int c = 0; c < COLUMNS; c++)
        l->column[c] = l->kind == LIST_JSON ? c : c <= PATH ? c : -1;
    l->columns = 2;
    if (!l->want.web || l->kind == LIST_JSON)
        return;
    const char *start = l->at;
    int64_t line = l->line;
    if (l->want.captions && l->kind == LIST_LINES) {
        l->column[PATH] = -1;
        l->columns = 1;
    } else if (!cut(l) && !l->text.failed) {
        int at = 0;
        while (at < l->fields && !strstr(field(l, at), "://"))
            at++;
        if (at < l->fields) {
            l->columns = l->fields;
            l->column[PATH] = at;
            l->column[CAPTION] = l->fields == 1 ? -1 : at == 0;
        }
    }
    l->at = start;
    l->line = line;
}

// Column i's name. One met before gets a number, NAME_2: both columns are kept.
static void add_title(struct list *l, int i, const char *name)
{
    bool met = true;
    l->title[i] = l->titles.len;
    for (int number = 1; met && !l->titles.failed; number++) {
        l->titles.len = l->title[i];
        buf_str(&l->titles, name);
        if (number > 1)
            buf_fmt(&l->titles, "_%d", number);
        met = false;
        for (int k = 0; k < i && !l->titles.failed && !met; k++)
            met = strcmp(l->titles.at + l->title[k], l->titles.at + l->title[i]) == 0;
    }
    buf_char(&l->titles, 0);
}

// The header, when the first row is one. Else rewinds.
static int read_header(struct list *l)
{
    int rc = skip_blank(l);
    if (rc)
        return rc;
    guess_columns(l);
    if (l->kind == LIST_JSON || l->at == l->end)
        return 0;
    const char *start = l->at, *need = l->want.web ? "url" : "path";
    int64_t line = l->line;
    int place[COLUMNS] = {-1, -1, -1, -1, -1, -1}, best[COLUMNS] = {NAMES, NAMES, NAMES, NAMES, NAMES, NAMES}, known = 0;
    if (!cut(l) && !l->text.failed)
        for (int i = 0; i < l->fields; i++) {
            int rank, c = column_of(l, trim(field(l, i)), &rank);
            known += c >= 0;
            if (c >= 0 && rank < best[c]) {
                place[c] = i;
                best[c] = rank;
            }
        }
    const struct { const char *name; enum column c; } given[] = {
        {l->want.url, PATH}, {l->want.caption, CAPTION}, {l->want.hash, HASH}};
    for (int i = 0; i < 3; i++)
        if (given[i].name && place[given[i].c] < 0)
            return FAIL(EFORMAT_, "%s: the first row names no column \"%s\"", l->path, given[i].name);
    if ((place[PATH] >= 0 && (place[CAPTION] >= 0 || l->want.web)) || (place[CAPTION] >= 0 && l->want.captions)) {
        memcpy(l->column, place, sizeof place);
        l->columns = l->fields;
        for (int i = 0; i < l->fields; i++) {
            add_title(l, i, trim(field(l, i)));
        }
        return l->titles.failed ? FAIL(EMEMORY_, "%s: out of memory", l->path) : 0;
    }
    if (known > 0 && known == l->fields)
        return FAIL(EFORMAT_,
                    "%s: the header has no column \"%s\": it needs caption and %s, and may have tags, split, key",
                    l->path, place[CAPTION] < 0 ? "caption" : need, need);
    l->at = start;
    l->line = line;
    return 0;
}

int list_open(struct list **out, const char *path) { return list_open_columns(out, path, NULL); }

int list_open_columns(struct list **out, const char *path, const struct list_columns *want)
{
    *out = NULL;
    struct list *l = calloc(1, sizeof *l);
    if (!l)
        return FAIL(EMEMORY_, "out of memory: no room to read %s", path);
    int rc = EMEMORY_;
    if (want)
        l->want = *want;
    l->path = strdup(path);
    l->dir = path_dir(path);
    l->window = malloc(WINDOW);
    l->head = malloc(HEAD);
    if (!l->path || !l->dir || !l->window || !l->head) {
        rc = FAIL(EMEMORY_, "out of memory: no room to read %s", path);
        goto done;
    }
    l->at = l->end = l->window;
    if ((rc = stream_open(&l->in, path)) != 0 || (rc = fill(l)) != 0)
        goto done;
    l->head_len = l->end - l->at < HEAD ? (size_t)(l->end - l->at) : HEAD;
    memcpy(l->head, l->at, l->head_len);
    if (l->broken && l->at == l->end) {
        rc = error_adopt(l->broken, l->broke);
        goto done;
    }
    if (l->end - l->at >= 3 && memcmp(l->at, "\xef\xbb\xbf", 3) == 0)
        l->at += 3;
    l->line = 1;
    l->kind = kind_of(l);
    size_t first = (size_t)(line_end(l->at, l->end) - l->at);
    l->comma = l->kind == LIST_CSV && memchr(l->at, '\t', first) && !memchr(l->at, ',', first) ? '\t' : ',';
    rc = read_header(l);
done:
    if (rc)
        list_close(l);
    else
        *out = l;
    return rc;
}

void list_close(struct list *l)
{
    if (!l)
        return;
    stream_close(l->in);
    free(l->window);
    free(l->head);
    buf_free(&l->text);
    buf_free(&l->titles);
    buf_free(&l->extra);
    free(l->path);
    free(l->dir);
    free(l);
}

// Fill `row` from the fields; a sentence when something needed is not there.
static const char *take(struct list *l, struct list_row *row)
{
    if (l->kind != LIST_JSON && l->fields != l->columns) {
        // empty cells behind the last column do no harm
        int used = l->fields;
        while (used > l->columns && !*field(l, used - 1))
            used--;
        if (used != l->columns) {
            snprintf(l->why, sizeof l->why, "%d columns, %d expected", l->fields, l->columns);
            return l->why;
        }
    }
    char *cell[COLUMNS];
    for (int c = 0; c < COLUMNS; c++)
        cell[c] = l->column[c] >= 0 ? trim(field(l, l->column[c])) : "";
    row->path = cell[PATH];
    row->tags = cell[TAGS];
    row->split = cell[SPLIT];
    if (*cell[KEY]) {
        row->key = cell[KEY];
        row->key_given = 1;
        if (strlen(cell[KEY]) > 1024)
            return "the key is longer than 1024 bytes";
    }
    if (*cell[CAPTION])
        l->captions[row->caption_count++] = cell[CAPTION];
    for (int i = COLUMNS; l->kind == LIST_JSON && i < l->fields; i++) {
        char *more = trim(field(l, i));
        if (*more)
            l->captions[row->caption_count++] = more;
    }
    row->hash = *cell[HASH] ? cell[HASH] : NULL;
    if (l->want.web) {
        for (int i = 0; l->kind != LIST_JSON && l->titles.len && i < l->columns; i++) {
            bool claimed = false;
            for (int c = 0; c < HASH; c++)
                claimed |= l->column[c] == i;
            json_t *text = claimed ? NULL : json_string(field(l, i));
            char *quoted = text ? json_dumps(text, JSON_ENCODE_ANY) : NULL;
            if (quoted)
                add_extra(l, l->titles.at + l->title[i], quoted);
            free(quoted);
            json_decref(text);
        }
        if (l->extra.len) {
            buf_char(&l->extra, '}');
            row->extra = l->extra.at;
        }
        if (row->caption_count == 0)
            l->captions[row->caption_count++] = "";
        return *cell[PATH] || l->want.captions ? NULL : "the address is empty";
    }
    if (row->caption_count == 0)
        return "the caption is empty";
    if (!*cell[PATH])
        return "the path is empty";
    if (strstr(cell[PATH], "://"))
        return "the path is a web address: only files can be read (diht fetch reads the web)";
    return NULL;
}

static int broken_off(const struct list *l)
{
    return FAIL(l->broken, "%s; behind line %" PRId64, l->broke, l->line - 1);
}

int list_next(struct list *l, struct list_row *row)
{
    int rc = skip_blank(l);
    memset(row, 0, sizeof *row);
    if (rc)
        return rc;
    if (l->at == l->end)
        return l->broken ? broken_off(l) : 0;
    snprintf(l->key, sizeof l->key, "%08" PRId64, l->row);
    row->row = l->row++;
    row->line = l->line;
    row->key = l->key;
    row->captions = l->captions;
    buf_clear(&l->extra);
    row->bad = l->kind == LIST_JSON ? cut_json(l) : cut(l);
    if (!l->text.failed && !row->bad)
        row->bad = take(l, row);
    if (l->text.failed || l->extra.failed)
        return FAIL(EMEMORY_, "%s: line %" PRId64 ": out of memory", l->path, row->line);
    // a row that fits is used before the window moves on
    rc = row->bad ? drop_rest(l) : 0;
    if (!rc && row->bad && l->broken && l->at == l->end)
        rc = broken_off(l);   // a row of several lines
    return rc ? rc : 1;
}

double list_share(const struct list *l)
{
    if (l->ended && l->at == l->end)
        return 1;
    double share = stream_share(l->in);
    return l->ended && share >= 1 ? 1 - (double)(l->end - l->at) / (double)(l->end - l->window + 1) : share;
}

const char *list_dir(const struct list *l) { return l->dir; }

const void *list_head(const struct list *l, size_t most, size_t *n)
{
    *n = l->head_len < most ? l->head_len : most;
    return l->head;
}

int picture_read(const char *path, struct buf *out)
{
    buf_clear(out);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);   // a pipe must not hold us up
    if (fd < 0)
        return FAIL(error_from_errno(errno), "%s: cannot open: %s", path, strerror(errno));
    struct stat s;
    char block[1 << 16];
    ssize_t got = 0;
    int rc = 0;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
        rc = FAIL(EIO_, "%s: is not a regular file", path);
    else if (s.st_size > MOST_PICTURE)
        rc = FAIL(EUNSUPPORTED_, "%s: the file is larger than 256 MiB", path);
    while (!rc && out->len <= MOST_PICTURE && (got = read(fd, block, sizeof block)) > 0)
        buf_add(out, block, (size_t)got);
    if (!rc && got < 0)
        rc = FAIL(EIO_, "%s: reading failed: %s", path, strerror(errno));
    if (!rc && out->failed)
        rc = FAIL(EMEMORY_, "%s: out of memory", path);
    close(fd);
    return rc;
}
