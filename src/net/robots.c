// SPDX-License-Identifier: Apache-2.0
#include "net/robots.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

enum { MOST_RULES = 2000, MOST_BYTES = 64 << 10, MOST_PATTERN = 2000 };

struct robots {
    struct buf rules;   // 'a' or 'd', the pattern, a NUL; one after the other
    int count;
    double delay;
};

// A pattern's '*' is any run of bytes, a last '$' the end. Greedy with one point of return: linear space, no recursion.
static bool matches(const char *pattern, const char *path)
{
    const char *star = NULL, *mark = NULL;
    for (;;) {
        if (*pattern == '*') {
            star = ++pattern;
            mark = path;
        } else if (!*pattern)
            return true;   // a rule is a prefix
        else if (*pattern == '$' && !pattern[1] && !*path)
            return true;
        else if (*path && *pattern == *path) {
            pattern++;
            path++;
        } else if (star && *mark) {
            pattern = star;
            path = ++mark;
        } else
            return false;
    }
}

struct line {
    const char *name, *value;
    size_t name_len, value_len;
};

// The next "name: value" line; comments and others are passed over.
static bool next(const char **at, const char *end, struct line *l)
{
    while (*at < end) {
        const char *p = *at, *stop = p;
        while (stop < end && *stop != '\n' && *stop != '\r')
            stop++;
        *at = stop < end ? stop + 1 : stop;
        const char *hash = memchr(p, '#', (size_t)(stop - p));
        if (hash)
            stop = hash;
        const char *colon = memchr(p, ':', (size_t)(stop - p));
        if (!colon)
            continue;
        const char *name_end = colon, *value = colon + 1;
        while (p < name_end && isspace((unsigned char)*p))
            p++;
        while (name_end > p && isspace((unsigned char)name_end[-1]))
            name_end--;
        while (value < stop && isspace((unsigned char)*value))
            value++;
        while (stop > value && isspace((unsigned char)stop[-1]))
            stop--;
        *l = (struct line){p, value, (size_t)(name_end - p), (size_t)(stop - value)};
        return true;
    }
    return false;
}

static bool is(const char *at, size_t n, const char *word) { return n == strlen(word) && strncasecmp(at, word, n) == 0; }

// "diht/1.0" speaks to diht.
static bool names(const struct line *l, const char *agent)
{
    size_t n = 0;
    while (n < l->value_len && (isalpha((unsigned char)l->value[n]) || l->value[n] == '_' || l->value[n] == '-'))
        n++;
    return is(l->value, n, agent);
}

// Take the rules of every group for `agent` (NULL: for "*"); false when there is no such group.
static bool take(struct robots *r, const char *text, size_t n, const char *agent)
{
    const char *at = text, *end = text + n;
    struct line l;
    bool found = false, ours = false, naming = false;
    while (next(&at, end, &l)) {
        if (is(l.name, l.name_len, "user-agent")) {
            bool hit = agent ? names(&l, agent) : is(l.value, l.value_len, "*");
            ours = naming ? ours || hit : hit;   // lines in a row name one group
            naming = true;
            found |= hit;
            continue;
        }
        bool allow = is(l.name, l.name_len, "allow"), disallow = is(l.name, l.name_len, "disallow");
        bool delay = is(l.name, l.name_len, "crawl-delay");
        if (!allow && !disallow && !delay)
            continue;   // Sitemap and the like end no group
        naming = false;
        if (!ours)
            continue;
        if (delay) {
            char text_[32] = {0};
            memcpy(text_, l.value, l.value_len < 31 ? l.value_len : 31);
            double s = strtod(text_, NULL);
            if (s > 0 && s < 3600)
                r->delay = s;
        } else if (l.value_len && l.value_len < MOST_PATTERN && r->count < MOST_RULES && r->rules.len < MOST_BYTES &&
                   !memchr(l.value, 0, l.value_len)) {
            buf_char(&r->rules, allow ? 'a' : 'd');
            buf_add(&r->rules, l.value, l.value_len);
            buf_char(&r->rules, 0);
            r->count++;
        }
    }
    return found;
}

struct robots *robots_parse(const char *text, size_t n, const char *agent)
{
    struct robots *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        n -= 3;
    }
    if (n > ROBOTS_MOST)
        n = ROBOTS_MOST;
    if (!take(r, text, n, agent))
        take(r, text, n, NULL);
    if (r->rules.failed) {
        robots_free(r);
        return NULL;
    }
    return r;
}

void robots_free(struct robots *r)
{
    if (!r)
        return;
    buf_free(&r->rules);
    free(r);
}

bool robots_allow(const struct robots *r, const char *path)
{
    size_t longest = 0;
    bool allow = true;
    if (!r || strcmp(path, "/robots.txt") == 0)
        return true;
    const char *p = r->rules.at;
    for (int i = 0; i < r->count; i++) {
        size_t n = strlen(p + 1);
        bool yes = *p == 'a';
        if (n >= longest && matches(p + 1, path)) {
            allow = n > longest ? yes : allow || yes;   // of equals the milder
            longest = n;
        }
        p += n + 2;
    }
    return allow;
}

double robots_delay(const struct robots *r) { return r ? r->delay : 0; }
