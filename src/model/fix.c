// SPDX-License-Identifier: Apache-2.0
// Damaged text repaired as ftfy 6.3.1 does with its default settings, line by line until nothing changes.
#include <stdbool.h>
#include <string.h>

#include <utf8proc.h>

#include "model/charmap.h"
#include "model/clean.h"
#include "model/mojibake.h"

enum { ROUNDS = 32 };   // entities nested deeper ("&amp;amp;amp;...") stay: a hostile text costs no more than this

static bool removed(int32_t c)
{
    return c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || (c >= 0x206A && c <= 0x206F) ||
           c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC);
}

// Latin ligatures as their letters.
static const struct ligature {
    uint16_t c, as[3];
} ligatures[] = {
    {0x132, {'I', 'J'}}, {0x133, {'i', 'j'}}, {0x149, {0x2BC, 'n'}},
    {0x1C4, {'D', 0x17D}}, {0x1C5, {'D', 0x17E}}, {0x1C6, {'d', 0x17E}},
    {0x1C7, {'L', 'J'}}, {0x1C8, {'L', 'j'}}, {0x1C9, {'l', 'j'}},
    {0x1CA, {'N', 'J'}}, {0x1CB, {'N', 'j'}}, {0x1CC, {'n', 'j'}},
    {0x1F1, {'D', 'Z'}}, {0x1F2, {'D', 'z'}}, {0x1F3, {'d', 'z'}},
    {0xFB00, {'f', 'f'}}, {0xFB01, {'f', 'i'}}, {0xFB02, {'f', 'l'}}, {0xFB03, {'f', 'f', 'i'}},
    {0xFB04, {'f', 'f', 'l'}}, {0xFB05, {0x17F, 't'}}, {0xFB06, {'s', 't'}},
};

static void put_plain(struct runes *out, int32_t c)
{
    if ((c >= 0x2018 && c <= 0x201B) || c == 0x2BC)
        c = '\'';
    else if (c >= 0x201C && c <= 0x201F)
        c = '"';
    else if (c == 0x2028 || c == 0x2029)
        c = '\n';
    runes_put(out, c);
}

// One character through C1 controls, ligatures, width and quotes.
static void put_fixed(struct runes *out, int32_t c)
{
    if (c < 0x80) {
        runes_put(out, c);
        return;
    }
    if (c < 0xA0)
        c = charmap_high[WINDOWS_1252][c - 0x80];
    for (size_t k = 0; k < sizeof ligatures / sizeof *ligatures; k++) {
        if (ligatures[k].c != c)
            continue;
        for (int j = 0; j < 3 && ligatures[k].as[j]; j++)
            put_plain(out, ligatures[k].as[j]);
        return;
    }
    if (c == 0x3000)
        c = ' ';
    if (c >= 0xFF01 && c <= 0xFFEF) {
        int32_t as[8];
        int last = 0;
        utf8proc_ssize_t n = utf8proc_decompose_char(c, as, 8, UTF8PROC_COMPAT | UTF8PROC_COMPOSE, &last);
        for (utf8proc_ssize_t k = 0; k < n && k < 8; k++)
            put_plain(out, as[k]);
        return;
    }
    put_plain(out, c == 0x85 ? '\n' : c);
}

// "ESC [ digits and ; letter" at in[i]: the place after it, else i.
static size_t after_escape(const struct runes *in, size_t i)
{
    if (in->at[i] != 0x1B || i + 1 >= in->len || in->at[i + 1] != '[')
        return i;
    size_t k = i + 2;
    while (k < in->len && ((in->at[k] >= '0' && in->at[k] <= '9') || in->at[k] == ';'))
        k++;
    if (k >= in->len)
        return i;
    int32_t c = in->at[k] | 32;
    return c >= 'a' && c <= 'z' ? k + 1 : i;
}

static bool high(int32_t c) { return c >= 0xD800 && c <= 0xDBFF; }
static bool low(int32_t c) { return c >= 0xDC00 && c <= 0xDFFF; }

static void pass_entities(struct runes *out, const struct runes *in, bool unescape)
{
    out->len = 0;
    for (size_t i = 0; i < in->len;) {
        if (in->at[i] == '&' && unescape)
            unescape_strict(out, in, &i);
        else
            runes_put(out, in->at[i++]);
    }
}

static void pass_characters(struct runes *out, const struct runes *in)
{
    out->len = 0;
    for (size_t i = 0; i < in->len; i++)
        put_fixed(out, in->at[i]);
}

static void pass_controls(struct runes *out, const struct runes *in)
{
    out->len = 0;
    for (size_t i = 0; i < in->len; i++) {
        int32_t c = in->at[i];
        if (c == '\r') {
            runes_put(out, '\n');
            i += i + 1 < in->len && in->at[i + 1] == '\n';
        } else if (high(c) && i + 1 < in->len && low(in->at[i + 1])) {
            runes_put(out, 0x10000 + ((c - 0xD800) << 10) + (in->at[i + 1] - 0xDC00));
            i++;
        } else if (high(c) || low(c)) {
            runes_put(out, 0xFFFD);
        } else if (c == 0x1B && after_escape(in, i) > i) {
            i = after_escape(in, i) - 1;
        } else if (!removed(c)) {
            runes_put(out, c);
        }
    }
}

static int combining(int32_t c) { return utf8proc_get_property(c)->combining_class; }

// A letter and its marks: the marks by class, each class in the order it came.
static void order_marks(int32_t *at, size_t n, struct runes *spare)
{
    if (n < 2)
        return;
    bool present[256] = {0};
    for (size_t i = 0; i < n; i++)
        present[combining(at[i])] = true;
    spare->len = 0;
    for (int order = 0; order < 256; order++)
        for (size_t i = 0; present[order] && i < n; i++)
            if (combining(at[i]) == order)
                runes_put(spare, at[i]);
    if (!spare->failed)
        memcpy(at, spare->at, n * sizeof *at);
}

// NFC, in place.
static void compose(struct runes *r, struct runes *spare)
{
    bool plain = true;
    for (size_t i = 0; i < r->len && plain; i++)
        plain = r->at[i] < 0x300;   // nothing below U+0300 combines or decomposes under NFC
    if (plain)
        return;
    spare->len = 0;
    int last = 0;
    for (size_t i = 0; i < r->len; i++) {
        int32_t as[16];
        utf8proc_ssize_t n = utf8proc_decompose_char(r->at[i], as, 16, UTF8PROC_DECOMPOSE, &last);
        for (utf8proc_ssize_t k = 0; k < n && k < 16; k++)
            runes_put(spare, as[k]);
    }
    for (size_t i = 0, to; i < spare->len; i = to) {
        for (to = i + 1; to < spare->len && combining(spare->at[to]); to++)
            ;
        order_marks(spare->at + i, to - i, r);
    }
    utf8proc_ssize_t n = (utf8proc_ssize_t)spare->len;
    if (n > 0)
        n = utf8proc_normalize_utf32(spare->at, n, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    r->len = 0;
    for (utf8proc_ssize_t i = 0; i < n; i++)
        runes_put(r, spare->at[i]);
}

static bool same(const struct runes *a, const struct runes *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->at, b->at, a->len * sizeof *a->at) == 0);
}

void step_fix(struct clean *c, struct runes *out, const struct runes *in)
{
    struct runes *work = &c->line, *next = &c->next;
    bool unescape = true;
    for (size_t from = 0; from < in->len;) {
        size_t to = from;
        while (to < in->len && in->at[to] != '\n')
            unescape &= in->at[to++] != '<';
        to += to < in->len;
        work->len = 0;
        for (size_t i = from; i < to; i++)
            runes_put(work, in->at[i]);
        for (int round = 0; round < ROUNDS; round++) {
            pass_entities(next, work, unescape);
            fix_encoding(next);
            pass_characters(&c->chars, next);
            pass_controls(next, &c->chars);
            compose(next, &c->chars);
            bool settled = same(next, work);
            struct runes t = *work;
            *work = *next;
            *next = t;
            if (settled)
                break;
        }
        for (size_t i = 0; i < work->len; i++)
            runes_put(out, work->at[i]);
        out->failed |= work->failed | next->failed | c->chars.failed;
        from = to;
    }
}
