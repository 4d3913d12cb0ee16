// SPDX-License-Identifier: Apache-2.0
#include "model/clean.h"

#include <stdbool.h>
#include <stdlib.h>

#include <utf8proc.h>

#include "base/error.h"
#include "base/utf8.h"
#include "model/split.h"

void runes_put(struct runes *r, int32_t c)
{
    if (r->len == r->room && !r->failed) {
        size_t room = r->room ? 2 * r->room : 256;
        int32_t *p = realloc(r->at, room * sizeof *p);
        if (!p) {
            r->failed = FAIL(EMEMORY_, "out of memory: a caption of %zu characters did not fit", r->len);
            return;
        }
        r->at = p;
        r->room = room;
    }
    if (!r->failed)
        r->at[r->len++] = c;
}

void clean_free(struct clean *c)
{
    struct runes *all[] = {&c->a, &c->b, &c->line, &c->next, &c->chars};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        free(all[i]->at);
        *all[i] = (struct runes){0};
    }
}

static void step_spaces(struct clean *c, struct runes *out, const struct runes *in)
{
    bool gap = false;
    for (size_t i = 0; i < in->len; i++) {
        if (rune_is_space(in->at[i])) {
            gap = out->len > 0;
            continue;
        }
        if (gap)
            runes_put(out, ' ');
        gap = false;
        runes_put(out, in->at[i]);
    }
}

static bool cased(int32_t c)
{
    utf8proc_category_t k = utf8proc_category(c);
    return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT || c == 0xAA ||
           c == 0xBA || (c >= 0x2160 && c <= 0x217F) || (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||
           (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189);
}

static bool case_ignorable(int32_t c)
{
    utf8proc_category_t k = utf8proc_category(c);
    if (k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_ME || k == UTF8PROC_CATEGORY_CF ||
        k == UTF8PROC_CATEGORY_LM || k == UTF8PROC_CATEGORY_SK)
        return true;
    static const uint16_t marks[] = {'\'', '.', ':', 0xB7, 0x387, 0x55F, 0x5F4, 0x2018, 0x2019, 0x2024, 0x2027, 0xFE13,
                                     0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (marks[i] == c)
            return true;
    return false;
}

// A capital sigma ends a word: a letter before it, none after, marks between not counted.
static bool final_sigma(const struct runes *in, size_t i)
{
    size_t k = i;
    while (k > 0 && case_ignorable(in->at[k - 1]))
        k--;
    if (k == 0 || !cased(in->at[k - 1]))
        return false;
    for (k = i + 1; k < in->len && case_ignorable(in->at[k]); k++)
        ;
    return k == in->len || !cased(in->at[k]);
}

static void step_lower(struct clean *c, struct runes *out, const struct runes *in)
{
    for (size_t i = 0; i < in->len; i++) {
        int32_t r = in->at[i];
        if (r < 0x80) {
            runes_put(out, r >= 'A' && r <= 'Z' ? r + 32 : r);
        } else if (r == 0x130) {
            runes_put(out, 'i');
            runes_put(out, 0x307);
        } else if (r == 0x3A3) {
            runes_put(out, final_sigma(in, i) ? 0x3C2 : 0x3C3);
        } else {
            runes_put(out, utf8proc_tolower(r));
        }
    }
}

// The order the reference works in; ftfy's repair comes first.
static void (*const steps[])(struct clean *c, struct runes *out, const struct runes *in) = {
    step_fix, step_unescape, step_unescape, step_spaces, step_lower,
};

// Text that only spaces and lower case can change: printable ASCII without '&'.
static bool simple(const unsigned char *p, size_t len)
{
    unsigned bad = 0;
    for (size_t i = 0; i < len; i++)
        bad |= (p[i] > 126) | (p[i] == '&') | (p[i] < 32 && p[i] != '\n' && p[i] != '\t' && p[i] != '\r');
    return !bad;
}

static int clean_simple(struct buf *out, const char *text, size_t len)
{
    buf_add(out, text, len);
    if (out->failed)
        return out->failed;
    size_t to = 0;
    bool gap = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c <= ' ') {
            gap = to > 0;
            continue;
        }
        if (gap)
            out->at[to++] = ' ';
        gap = false;
        out->at[to++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    out->at[to] = 0;
    out->len = to;
    return 0;
}

int clean_text(struct clean *c, struct buf *out, const char *text, size_t len)
{
    buf_clear(out);
    if (simple((const unsigned char *)text, len))
        return clean_simple(out, text, len);
    struct runes *in = &c->a, *to = &c->b;
    in->len = 0;
    const unsigned char *p = (const unsigned char *)text, *end = p + len;
    while (p < end)
        runes_put(in, utf8_next(p, end, &p));
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        to->len = 0;
        steps[s](c, to, in);
        struct runes *t = in;
        in = to;
        to = t;
    }
    if (in->failed || to->failed) {
        clean_free(c);
        return FAIL(EMEMORY_, "out of memory: a caption of %zu bytes did not fit", len);
    }
    for (size_t i = 0; i < in->len; i++) {
        char bytes[4];
        buf_add(out, bytes, (size_t)utf8_put(bytes, in->at[i]));
    }
    return out->failed;
}
