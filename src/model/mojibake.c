// SPDX-License-Identifier: Apache-2.0
// The repair goes the mistake's way back: characters to the bytes of the encoding they were read in, bytes read as UTF-8.
#include "model/mojibake.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/charmap.h"

enum {
    ROUNDS = 32,   // mojibake of mojibake: each round shortens it
    DEPTH = 16,    // of mojibake within mojibake: each is at most half as long
};

static bool follows(unsigned char b) { return b >= 0x80 && b <= 0xBF; }
static bool same(const struct runes *a, const struct runes *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->at, b->at, a->len * sizeof *a->at) == 0);
}

// A sequence at p that would be UTF-8 if the space in it were A0: some program took that for a space. Its length, or 0.
static size_t spaced(const unsigned char *p, size_t n)
{
    if (n >= 2 && p[1] == ' ' && p[0] && strchr("\xC2\xC3\xC5\xCE\xD0\xD9", p[0]))
        return 2;
    if (n >= 3 && p[0] >= 0xE0 && p[0] <= 0xE3) {
        unsigned char other = p[1] == ' ' ? p[2] : p[1];
        bool plain = follows(other) && other != 0x85 && other != 0xA0;
        if (plain && (p[1] == ' ' ? p[0] >= 0xE2 : p[2] == ' '))
            return 3;
    }
    if (n >= 4 && p[0] == 0xF0) {
        int spaces = 0, rest = 0;
        for (int i = 1; i < 4; i++) {
            spaces += p[i] == ' ';
            rest += follows(p[i]);
        }
        return spaces == 1 && rest == 2 ? 4 : 0;
    }
    return 0;
}

// "\xC3 " before a word is a word of its own, "à ", but not in Portuguese "às", "àquele", "àquela", "àquilo".
static bool lone_a(const unsigned char *p, size_t n)
{
    static const char *const longer[] = {" ", "quele", "quela", "quilo", "s "};
    if (n < 2 || p[0] != 0xC3 || p[1] != ' ')
        return false;
    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++)
        if (n - 2 >= strlen(longer[i]) && memcmp(p + 2, longer[i], strlen(longer[i])) == 0)
            return false;
    return true;
}

// `bytes` with A0 put back, into `out`.
static void restore_spaces(struct buf *bytes, struct buf *out)
{
    const unsigned char *p = (const unsigned char *)bytes->at;
    bool any = false;
    for (size_t i = 0; i < bytes->len && !any; i++)
        any = spaced(p + i, bytes->len - i) > 0;
    if (!any)
        return;
    buf_clear(out);
    for (size_t i = 0; i < bytes->len; i++) {
        buf_char(out, (char)p[i]);
        if (lone_a(p + i, bytes->len - i))
            buf_char(out, '\xA0');
    }
    p = (const unsigned char *)out->at;
    for (size_t i = 0, n; i < out->len; i += n ? n : 1) {
        n = spaced(p + i, out->len - i);
        for (size_t k = i; k < i + n; k++)
            if (out->at[k] == ' ')
                out->at[k] = '\xA0';
    }
    struct buf t = *bytes;
    *bytes = *out;
    *out = t;
}

// A UTF-8 sequence (or a CESU-8 pair of them) at p with a byte lost: 1A, or for one of them '?'. Its length, or 0.
static size_t lossy(const unsigned char *p, size_t n)
{
    bool lost[6], kept[6];   // lost: 1A or '?'; kept: as good as a byte that follows
    for (size_t i = 0; i < 6; i++) {
        lost[i] = i < n && (p[i] == 0x1A || p[i] == '?');
        kept[i] = i < n && (p[i] == 0x1A || follows(p[i]));
    }
    if (n >= 2 && p[0] >= 0xC2 && p[0] <= 0xDF && lost[1] && (p[1] == 0x1A || p[0] <= 0xC3))
        return 2;
    if (n >= 6 && p[0] == 0xED && p[1] >= 0xA0 && p[1] <= 0xAF && p[3] == 0xED && p[4] >= 0xB0 && p[4] <= 0xBF &&
        ((lost[2] && (lost[5] || kept[5])) || (lost[5] && kept[2])))
        return 6;
    if (n >= 3 && p[0] >= 0xE0 && p[0] <= 0xEF && ((lost[1] && kept[2]) || (kept[1] && lost[2])))
        return 3;
    if (n >= 4 && p[0] >= 0xF0 && p[0] <= 0xF4 &&
        ((lost[1] && kept[2] && kept[3]) || (kept[1] && lost[2] && kept[3]) || (kept[1] && kept[2] && lost[3])))
        return 4;
    return p[0] == 0x1A;
}

static void replace_lossy(struct buf *bytes, struct buf *out)
{
    const unsigned char *p = (const unsigned char *)bytes->at;
    buf_clear(out);
    for (size_t i = 0, n; i < bytes->len; i += n ? n : 1) {
        n = lossy(p + i, bytes->len - i);
        if (n)
            buf_str(out, "\xEF\xBF\xBD");
        else
            buf_char(out, (char)p[i]);
    }
    struct buf t = *bytes;
    *bytes = *out;
    *out = t;
}

// Strict UTF-8, and its common variants: C0 80 for U+0000, a pair of surrogates of three bytes each. false: it is not.
static bool decode(struct runes *out, const struct buf *bytes)
{
    const unsigned char *p = (const unsigned char *)bytes->at, *end = p + bytes->len;
    out->len = 0;
    while (p < end) {
        size_t left = (size_t)(end - p);
        if (left >= 2 && p[0] == 0xC0 && p[1] == 0x80) {
            runes_put(out, 0);
            p += 2;
        } else if (left >= 6 && p[0] == 0xED && p[1] >= 0xA0 && p[1] <= 0xAF && follows(p[2]) && p[3] == 0xED &&
                   p[4] >= 0xB0 && p[4] <= 0xBF && follows(p[5])) {
            runes_put(out, 0x10000 + ((p[1] & 15) << 16) + ((p[2] & 63) << 10) + ((p[4] & 15) << 6) + (p[5] & 63));
            p += 6;
        } else {
            bool replacement = left >= 3 && memcmp(p, "\xEF\xBF\xBD", 3) == 0;
            int32_t c = utf8_next(p, end, &p);
            if ((c == UTF8_BAD && !replacement) || (c >= 0xD800 && c <= 0xDFFF))
                return false;
            runes_put(out, c);
        }
    }
    return true;
}

// The text's bytes in `m`; false when some character has none.
static bool encode(struct buf *bytes, const struct runes *text, enum charmap m)
{
    buf_clear(bytes);
    for (size_t i = 0; i < text->len; i++) {
        int b = charmap_byte(m, text->at[i]);
        if (b < 0)
            return false;
        buf_char(bytes, (char)b);
    }
    return true;
}

// The length of the run of whole sequences at in[i] that look like UTF-8 in a one-byte encoding, 0: none.
static size_t sequences(const struct runes *in, size_t i)
{
    size_t from = i;
    while (i < in->len) {
        uint32_t kinds = rune_kinds(in->at[i]);
        size_t n = kinds & FIRST_OF_2 ? 1 : kinds & FIRST_OF_3 ? 2 : kinds & FIRST_OF_4 ? 3 : 0, k = 0;
        while (k < n && i + 1 + k < in->len && rune_kinds(in->at[i + 1 + k]) & (FOLLOWS | FOLLOWS_MAYBE))
            k++;
        if (!n || k < n)
            break;
        i += 1 + n;
    }
    return i - from;
}

static void repair(struct runes *text, int depth);

// Each such run repaired by itself, where it looks bad and is not all there is.
static void repair_parts(struct runes *out, const struct runes *in, int depth)
{
    struct runes part = {0};
    out->len = 0;
    for (size_t i = 0; i < in->len;) {
        bool fresh = i == 0 || !(rune_kinds(in->at[i - 1]) & FOLLOWS);
        size_t n = fresh ? sequences(in, i) : 0;
        part.len = 0;
        for (size_t k = 0; k < (n ? n : 1); k++)
            runes_put(&part, in->at[i + k]);
        if (n && n < in->len && depth < DEPTH && looks_bad(&part))
            repair(&part, depth + 1);
        for (size_t k = 0; k < part.len; k++)
            runes_put(out, part.at[k]);
        i += n ? n : 1;
    }
    out->failed |= part.failed;
    free(part.at);
}

struct scratch {
    struct runes out;
    struct buf bytes, spare;
};

// One step from `text` into s->out.
static void step(struct scratch *s, const struct runes *text, int depth)
{
    for (enum charmap m = 0; m < CHARMAPS; m++) {
        if (!encode(&s->bytes, text, m))
            continue;
        if (m != MAC_ROMAN)   // there it would be a dash and a space
            restore_spaces(&s->bytes, &s->spare);
        if (charmap_is_sloppy(m))
            replace_lossy(&s->bytes, &s->spare);
        if (decode(&s->out, &s->bytes))
            return;
    }
    repair_parts(&s->out, text, depth);
    if (!same(&s->out, text))
        return;
    // Windows-1252 read as Latin-1
    for (size_t i = 0; i < s->out.len; i++)
        if (s->out.at[i] >= 0x80 && s->out.at[i] < 0xA0)
            s->out.at[i] = charmap_high[WINDOWS_1252][s->out.at[i] - 0x80];
}

static void repair(struct runes *text, int depth)
{
    struct scratch s = {0};
    for (int round = 0; round < ROUNDS && looks_bad(text); round++) {
        step(&s, text, depth);
        text->failed |= s.out.failed | s.bytes.failed | s.spare.failed;
        if (text->failed || same(&s.out, text))
            break;
        struct runes t = *text;
        *text = s.out;
        s.out = t;
    }
    free(s.out.at);
    buf_free(&s.bytes);
    buf_free(&s.spare);
}

void fix_encoding(struct runes *text) { repair(text, 0); }
