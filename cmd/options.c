// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char **kept;      // strings read from files: options point into them until the program ends
static size_t nkept;

static char *keep(char *s)
{
    char **p = s ? realloc(kept, (nkept + 1) * sizeof *p) : NULL;
    if (!p) {
        fprintf(stderr, "diht: out of memory\n");
        exit(1);
    }
    kept = p;
    return kept[nkept++] = s;
}

void options_free(void)
{
    for (size_t i = 0; i < nkept; i++)
        free(kept[i]);
    free(kept);
    kept = NULL;
    nkept = 0;
}

// One more text at the end of a list. Its room doubles: lists are as long as a shell's argument lists.
static void append(const char ***list, const char *text)
{
    size_t n = 0;
    while (*list && (*list)[n])
        n++;
    if ((n & (n + 1)) == 0) {   // n + 1 places are taken, the NULL's too, and that is all there are
        const char **more = (const char **)keep(calloc(2 * (n + 1), sizeof **list));
        if (n)
            memcpy(more, *list, n * sizeof **list);
        *list = more;
    }
    (*list)[n] = text;
}

static const struct option *find(const struct command *c, const char *name)
{
    for (const struct option *o = c->options; o->name; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

// Edit distance, for "did you mean": short words only.
static int distance(const char *a, const char *b)
{
    int row[40], la = (int)strlen(a), lb = (int)strlen(b);
    if (la > 38 || lb > 38)
        return 99;
    for (int j = 0; j <= lb; j++)
        row[j] = j;
    for (int i = 1; i <= la; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= lb; j++) {
            int keep_ = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = keep_;
        }
    }
    return row[lb];
}

static void unknown(const struct command *c, const char *name, const char *where)
{
    const char *nearest = NULL;
    int best = 4;
    for (const struct option *o = c->options; o->name; o++) {
        int d = distance(name, o->name);
        if (d < best) {
            best = d;
            nearest = o->name;
        }
    }
    fprintf(stderr, "diht %s: %sunknown option '%s'", c->name, where, name);
    if (nearest)
        fprintf(stderr, "; did you mean '%s'?", nearest);
    fprintf(stderr, " ('diht %s --help' lists them)\n", c->name);
}

static int set(const struct command *c, const struct option *o, const char *text, void *into, const char *where)
{
    char *field = (char *)into + o->at, *end = NULL;
    const char *want = "a whole number";
    errno = 0;
    switch (o->kind) {
    case OPT_TEXT:
        *(const char **)field = text;
        return 0;
    case OPT_TEXTS:
        append((const char ***)field, text);
        return 0;
    case OPT_FLAG:
        if (!strcmp(text, "true") || !strcmp(text, "yes") || !strcmp(text, "1"))
            *(bool *)field = true;
        else if (!strcmp(text, "false") || !strcmp(text, "no") || !strcmp(text, "0"))
            *(bool *)field = false;
        else {
            want = "true or false";
            break;
        }
        return 0;
    case OPT_INT: {
        long v = strtol(text, &end, 10);
        if (end == text || *end || errno || v < -1 || v > INT32_MAX)
            break;
        *(int *)field = (int)v;
        return 0;
    }
    case OPT_INT64: {
        long long v = strtoll(text, &end, 10);
        if (end == text || *end || errno || v < 0)
            break;
        *(int64_t *)field = v;
        return 0;
    }
    case OPT_SEED: {
        unsigned long long v = strtoull(text, &end, 0);
        if (end == text || *end || errno || *text == '-')
            break;
        *(uint64_t *)field = v;
        return 0;
    }
    case OPT_REAL: {
        double v = strtod(text, &end);
        want = "a number";
        if (end == text || *end || !isfinite(v))
            break;
        *(double *)field = v;
        return 0;
    }
    }
    fprintf(stderr, "diht %s: %s%s%s takes %s, '%s' was given\n", c->name, where, *where ? "" : "--", o->name, want,
            text);
    return -1;
}

static int read_config(const struct command *c, const char *path, void *into)
{
    FILE *f = fopen(path, "r");
    if (!f) {
        fprintf(stderr, "diht %s: --config %s: %s\n", c->name, path, strerror(errno));
        return -1;
    }
    char *line = NULL;
    size_t room = 0;
    int number = 0, rc = 0;
    while (rc == 0 && getline(&line, &room, f) >= 0) {
        number++;
        char where[512], *key = line;
        snprintf(where, sizeof where, "%s: line %d: ", path, number);
        while (isspace((unsigned char)*key))
            key++;
        if (!*key || *key == '#')
            continue;
        char *eq = strchr(key, '=');
        if (!eq) {
            fprintf(stderr, "diht %s: %sexpected 'key = value'\n", c->name, where);
            rc = -1;
            break;
        }
        char *end = eq, *value = eq + 1;
        while (end > key && isspace((unsigned char)end[-1]))
            end--;
        *end = 0;
        while (isspace((unsigned char)*value))
            value++;
        end = value + strlen(value);
        while (end > value && isspace((unsigned char)end[-1]))
            end--;
        if (end - value >= 2 && *value == '"' && end[-1] == '"') {   // quotes keep outer spaces, or nothing at all
            value++;
            end--;
        }
        *end = 0;
        const struct option *o = find(c, key);
        if (!o) {
            unknown(c, key, where);
            rc = -1;
        } else
            rc = set(c, o, keep(strdup(value)), into, where);
    }
    if (rc == 0 && ferror(f)) {   // a directory opens, and fails only here
        fprintf(stderr, "diht %s: --config %s: reading failed: %s\n", c->name, path, strerror(errno));
        rc = -1;
    }
    free(line);
    fclose(f);
    return rc;
}

int options_file(const struct command *c, const char *path, void *into)
{
    c->defaults(into);
    return path ? read_config(c, path, into) : 0;
}

void option_default(const struct option *o, const void *defaults)
{
    const char *field = (const char *)defaults + o->at;
    switch (o->kind) {
    case OPT_TEXT:
        if (*(const char *const *)field)
            printf(" [%s]", *(const char *const *)field);
        break;
    case OPT_TEXTS:
    case OPT_FLAG: break;
    case OPT_INT: printf(" [%d]", *(const int *)field); break;
    case OPT_INT64: printf(" [%" PRId64 "]", *(const int64_t *)field); break;
    case OPT_SEED: printf(" [%" PRIu64 "]", *(const uint64_t *)field); break;
    case OPT_REAL: printf(" [%g]", *(const double *)field); break;
    }
}

void options_help(const struct command *c, const void *defaults)
{
    printf("diht %s: %s\n\nusage: diht %s", c->name, c->summary, c->name);
    for (const struct option *o = c->options; o->name; o++)
        if (o->positional)
            printf(o->required ? " %s%s" : " [%s%s]", o->value, o->kind == OPT_TEXTS ? "..." : "");
    printf(" [options]\n\n");
    for (const struct option *o = c->options; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s%s", o->name, o->kind == OPT_FLAG ? "" : " ",
                 o->kind == OPT_FLAG ? "" : o->value, o->rest ? "..." : "");
        printf("  %-26s %s", left, o->help);
        option_default(o, defaults);
        printf("\n");
    }
    printf("  %-26s %s\n  %-26s %s\n", "--config FILE", "read options from 'key = value' lines (flags win)",
           "--help", "this text");
    if (c->example)
        printf("\nexample: %s\n", c->example);
}

// Fewest digits that read back to the same number.
static void print_real(FILE *f, double v)
{
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    fputs(text, f);
}

// false, with a sentence printed: the text cannot stand in a file of options.
static bool write_text(const struct command *c, const struct option *o, FILE *f, const char *text)
{
    size_t n = strlen(text);
    bool quote = !n || isspace((unsigned char)text[0]) || isspace((unsigned char)text[n - 1]) || text[0] == '"';
    fprintf(f, quote ? "\"%s\"" : "%s", text);
    if (!strpbrk(text, "\r\n"))
        return true;
    fprintf(stderr, "diht %s: the value of --%s holds a line break, which a file of options cannot keep\n", c->name,
            o->name);
    return false;
}

char *options_text(const struct command *c, const void *from)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return NULL;
    bool whole = true;
    fprintf(f, "# diht %s: the options of this run; --config takes this file\n", c->name);
    for (const struct option *o = c->options; o->name; o++) {
        const char *field = (const char *)from + o->at;
        if ((o->kind == OPT_TEXT || o->kind == OPT_TEXTS) && !*(const char *const *)field) {
            fprintf(f, "# %s is not set\n", o->name);
            continue;
        }
        if (o->kind == OPT_TEXTS) {
            for (const char *const *t = *(const char *const *const *)field; *t; t++) {
                fprintf(f, "%s = ", o->name);
                whole &= write_text(c, o, f, *t);
                fputc('\n', f);
            }
            continue;
        }
        fprintf(f, "%s = ", o->name);
        switch (o->kind) {
        case OPT_TEXT:
            whole &= write_text(c, o, f, *(const char *const *)field);
            break;
        case OPT_TEXTS: break;   // above
        case OPT_FLAG: fputs(*(const bool *)field ? "true" : "false", f); break;
        case OPT_INT: fprintf(f, "%d", *(const int *)field); break;
        case OPT_INT64: fprintf(f, "%" PRId64, *(const int64_t *)field); break;
        case OPT_SEED: fprintf(f, "%" PRIu64, *(const uint64_t *)field); break;
        case OPT_REAL: print_real(f, *(const double *)field); break;
        }
        fputc('\n', f);
    }
    bool failed = ferror(f) != 0;
    if (fclose(f) != 0 || failed || !whole) {
        free(text);
        return NULL;
    }
    return text;
}

// --config FILE, then the arguments.
static int parse(const struct command *c, int argc, char **argv, void *into)
{
    bool only_positional = false;
    const struct option *next = c->options;
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {   // the file first: flags win wherever they stand
        const char *path = strncmp(argv[i], "--config=", 9) == 0 ? argv[i] + 9 : NULL;
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            path = argv[i + 1];
        if (path && read_config(c, path, into))
            return -1;
    }
    for (int i = 0; i < argc; i++) {
        const char *a = argv[i];
        if (only_positional || a[0] != '-' || !a[1]) {
            while (next->name && !next->positional)
                next++;
            if (!next->name) {
                fprintf(stderr, "diht %s: nothing expects '%s' ('diht %s --help')\n", c->name, a, c->name);
                return -1;
            }
            if (set(c, next, a, into, ""))
                return -1;
            next += next->kind != OPT_TEXTS;   // a list takes all that follow
            continue;
        }
        if (strcmp(a, "--") == 0) {
            only_positional = true;
            continue;
        }
        if (strcmp(a, "-o") == 0 && find(c, "out"))   // as compilers have taught everyone
            a = "--out";
        if (strncmp(a, "--", 2) != 0) {
            unknown(c, a, "");
            return -1;
        }
        const char *eq = strchr(a, '=');
        char name[64];
        snprintf(name, sizeof name, "%.*s", eq ? (int)(eq - a - 2) : (int)strlen(a) - 2, a + 2);
        if (strcmp(name, "config") == 0) {
            i += eq ? 0 : 1;
            if (i >= argc) {
                fprintf(stderr, "diht %s: --config needs a file\n", c->name);
                return -1;
            }
            continue;
        }
        const struct option *o = find(c, name);
        if (!o && strncmp(name, "no-", 3) == 0) {
            o = find(c, name + 3);
            if (o && o->kind == OPT_FLAG && !eq) {
                *(bool *)((char *)into + o->at) = false;
                continue;
            }
            o = NULL;
        }
        if (!o) {
            unknown(c, name, "");
            return -1;
        }
        const char *value = eq ? eq + 1 : o->kind == OPT_FLAG ? "true" : i + 1 < argc ? argv[++i] : NULL;
        if (!value) {
            fprintf(stderr, "diht %s: --%s needs a value (%s)\n", c->name, o->name, o->value);
            return -1;
        }
        if (set(c, o, value, into, ""))
            return -1;
        while (o->rest && i + 1 < argc && strncmp(argv[i + 1], "--", 2) != 0)
            if (set(c, o, argv[++i], into, ""))
                return -1;
    }
    for (const struct option *o = c->options; o->name; o++)
        if (o->required && (o->kind == OPT_TEXT || o->kind == OPT_TEXTS) && !*(void **)((char *)into + o->at)) {
            fprintf(stderr, "diht %s: %s%s is missing: %s ('diht %s --help')\n", c->name, o->positional ? "" : "--",
                    o->positional ? o->value : o->name, o->help, c->name);
            return -1;
        }
    return 0;
}

// What differs from the defaults, on one line of stderr.
static int say_kept(const struct command *c, const char *path, const void *into)
{
    const struct command *by = c->kept->by;
    void *plain = malloc(by->size);
    char *line = NULL, *other = NULL, *at = NULL, *other_at = NULL;
    if (plain) {
        by->defaults(plain);
        line = options_text(by, into);
        other = options_text(by, plain);
    }
    int rc = line && other ? 0 : -1;
    if (!rc)
        fprintf(stderr, "diht %s: as %s says, where nothing else is given:", c->name, path);
    char *l = rc ? NULL : strtok_r(line, "\n", &at), *o = rc ? NULL : strtok_r(other, "\n", &other_at);
    for (; l && o; l = strtok_r(NULL, "\n", &at), o = strtok_r(NULL, "\n", &other_at)) {
        char *eq = strstr(l, " = ");
        if (*l == '#' || !eq || strcmp(l, o) == 0)
            continue;
        *eq = 0;
        fprintf(stderr, " --%s %s", l, eq + 3);
    }
    if (!rc)
        fputc('\n', stderr);
    free(line);
    free(other);
    free(plain);
    return rc;
}

int options_parse(const struct command *c, int argc, char **argv, void *into)
{
    c->defaults(into);
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            options_help(c, into);
            return 1;
        }
    }
    int rc = parse(c, argc, argv, into);
    const char *dir = rc || !c->kept ? NULL : *(const char *const *)((const char *)into + c->kept->dir);
    char *path = NULL;
    if (!dir)
        return rc;
    if (asprintf(&path, "%s/%s", dir, c->kept->file) < 0)
        return -1;
    if (access(path, F_OK) == 0) {
        c->defaults(into);
        rc = read_config(c->kept->by, path, into);
        if (!rc)
            rc = say_kept(c, path, into);
        if (!rc)
            rc = parse(c, argc, argv, into);
    }
    free(path);
    return rc;
}
