// SPDX-License-Identifier: Apache-2.0
#include "net/optout.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is(const char *at, size_t n, const char *word) { return n == strlen(word) && strncasecmp(at, word, n) == 0; }

static bool any_of(const char *at, size_t n, const char *const *words)
{
    for (; *words; words++)
        if (is(at, n, *words))
            return true;
    return false;
}

static void trim(const char **at, size_t *n)
{
    while (*n && isspace((unsigned char)**at))
        ++*at, --*n;
    while (*n && isspace((unsigned char)(*at)[*n - 1]))
        --*n;
}

bool optout_says_no(const char *value, size_t n, const char *agent)
{
    static const char *const no[] = {"noai", "noimageai", "noindex", "noimageindex", "none", NULL};
    // directives that have a colon of their own
    static const char *const valued[] = {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview", NULL};
    bool for_us = true;
    while (n) {
        const char *comma = memchr(value, ',', n), *part = value;
        size_t len = comma ? (size_t)(comma - value) : n, used = comma ? len + 1 : n;
        const char *colon = memchr(part, ':', len);
        size_t name = colon ? (size_t)(colon - part) : 0;
        const char *who = part;
        trim(&who, &name);
        if (colon && !any_of(who, name, valued)) {
            for_us = is(who, name, agent) || is(who, name, "*");
            len -= (size_t)(colon + 1 - part);
            part = colon + 1;
        }
        trim(&part, &len);
        if (for_us && any_of(part, len, no))
            return true;
        value += used;
        n -= used;
    }
    return false;
}
