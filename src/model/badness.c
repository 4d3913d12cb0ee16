// SPDX-License-Identifier: Apache-2.0
// Which neighbours give mojibake away: ftfy 6.3.1's rules (ftfy.badness, Apache-2.0), as tables.
#include <stddef.h>
#include <uchar.h>

#include <utf8proc.h>

#include "model/mojibake.h"
#include "model/split.h"

static const struct range {
    uint16_t first, last;
    uint32_t kinds;
} ranges[] = {
    {0x80, 0x9F, C1 | FOLLOWS}, {0xA0, 0xA0, COMMON | FOLLOWS}, {0xA1, 0xA1, OPENING | FOLLOWS},
    {0xA2, 0xA3, CURRENCY | FOLLOWS}, {0xA4, 0xA4, BAD | FOLLOWS}, {0xA5, 0xA5, CURRENCY | FOLLOWS},
    {0xA6, 0xA6, BAD | FOLLOWS}, {0xA7, 0xA7, LAW | FOLLOWS}, {0xA8, 0xA8, BAD | FOLLOWS},
    {0xA9, 0xA9, OPENING | FOLLOWS}, {0xAA, 0xAA, BAD | FOLLOWS}, {0xAB, 0xAB, OPENING | FOLLOWS},
    {0xAC, 0xAC, BAD | FOLLOWS}, {0xAD, 0xAD, COMMON | FOLLOWS}, {0xAE, 0xAE, CLOSING | FOLLOWS},
    {0xAF, 0xAF, BAD | FOLLOWS}, {0xB0, 0xB0, FACE | FOLLOWS}, {0xB1, 0xB3, NUMERIC | FOLLOWS},
    {0xB4, 0xB4, COMMON | FOLLOWS}, {0xB5, 0xB5, NUMERIC | FOLLOWS}, {0xB6, 0xB6, LAW | FOLLOWS},
    {0xB7, 0xB7, COMMON | FOLLOWS}, {0xB8, 0xB8, BAD | FOLLOWS}, {0xB9, 0xB9, NUMERIC | FOLLOWS},
    {0xBA, 0xBA, BAD | FOLLOWS}, {0xBB, 0xBB, CLOSING | FOLLOWS}, {0xBC, 0xBE, NUMERIC | FOLLOWS},
    {0xBF, 0xBF, OPENING | FOLLOWS}, {0xC0, 0xC1, UPPER_ACCENTED}, {0xC2, 0xC5, UPPER_ACCENTED | FIRST_OF_2},
    {0xC6, 0xC6, UPPER_ACCENTED | FIRST_OF_2 | FOLLOWS}, {0xC7, 0xD1, UPPER_ACCENTED | FIRST_OF_2},
    {0xD2, 0xD6, FACE | FIRST_OF_2}, {0xD7, 0xD7, NUMERIC | FIRST_OF_2},
    {0xD8, 0xD8, UPPER_ACCENTED | FIRST_OF_2 | FOLLOWS}, {0xD9, 0xDB, FACE | FIRST_OF_2},
    {0xDC, 0xDC, FACE | UPPER_ACCENTED | FIRST_OF_2}, {0xDD, 0xDD, UPPER_ACCENTED | FIRST_OF_2},
    {0xDE, 0xDE, UPPER_COMMON | FIRST_OF_2}, {0xDF, 0xDF, LOWER_ACCENTED | FIRST_OF_2},
    {0xE0, 0xE5, LOWER_ACCENTED | FIRST_OF_3}, {0xE6, 0xE6, LOWER_ACCENTED | FIRST_OF_3 | FOLLOWS},
    {0xE7, 0xEF, LOWER_ACCENTED | FIRST_OF_3}, {0xF0, 0xF0, LOWER_ACCENTED | FIRST_OF_4},
    {0xF1, 0xF1, LOWER_ACCENTED}, {0xF2, 0xF2, FACE}, {0xF3, 0xF3, FACE | FIRST_OF_4}, {0xF4, 0xF6, FACE},
    {0xF7, 0xF7, NUMERIC}, {0xF8, 0xF8, FACE | FOLLOWS}, {0xF9, 0xFB, FACE}, {0xFC, 0xFC, FACE | LOWER_ACCENTED},
    {0x100, 0x100, UPPER_ACCENTED | FIRST_OF_2}, {0x101, 0x101, LOWER_ACCENTED | FIRST_OF_3},
    {0x102, 0x102, UPPER_ACCENTED | FIRST_OF_2}, {0x103, 0x103, LOWER_ACCENTED | FIRST_OF_3},
    {0x104, 0x104, UPPER_ACCENTED | FOLLOWS}, {0x105, 0x105, LOWER_ACCENTED | FIRST_OF_3 | FOLLOWS},
    {0x106, 0x106, UPPER_ACCENTED | FIRST_OF_2}, {0x107, 0x107, LOWER_ACCENTED | FIRST_OF_3},
    {0x10C, 0x10C, UPPER_ACCENTED | FIRST_OF_2}, {0x10D, 0x10D, LOWER_ACCENTED | FIRST_OF_3},
    {0x10E, 0x10E, UPPER_ACCENTED | FIRST_OF_2}, {0x10F, 0x10F, LOWER_ACCENTED | FIRST_OF_3},
    {0x110, 0x110, UPPER_ACCENTED | FIRST_OF_2}, {0x111, 0x111, LOWER_ACCENTED | FIRST_OF_4},
    {0x112, 0x112, UPPER_ACCENTED | FIRST_OF_2}, {0x113, 0x113, LOWER_ACCENTED | FIRST_OF_3},
    {0x116, 0x116, UPPER_ACCENTED | FIRST_OF_2}, {0x117, 0x117, LOWER_ACCENTED | FIRST_OF_3},
    {0x118, 0x118, UPPER_ACCENTED | FIRST_OF_2}, {0x119, 0x119, LOWER_ACCENTED | FIRST_OF_3},
    {0x11A, 0x11A, UPPER_ACCENTED | FIRST_OF_2}, {0x11B, 0x11B, LOWER_ACCENTED | FIRST_OF_3},
    {0x11E, 0x11E, UPPER_ACCENTED | FIRST_OF_2}, {0x11F, 0x11F, LOWER_ACCENTED | FIRST_OF_4},
    {0x122, 0x122, UPPER_ACCENTED | FIRST_OF_2}, {0x123, 0x123, LOWER_ACCENTED | FIRST_OF_3},
    {0x12A, 0x12A, UPPER_ACCENTED | FIRST_OF_2}, {0x12B, 0x12B, LOWER_ACCENTED | FIRST_OF_3},
    {0x12F, 0x12F, LOWER_ACCENTED | FIRST_OF_3}, {0x130, 0x130, UPPER_ACCENTED | FIRST_OF_2},
    {0x136, 0x136, UPPER_ACCENTED | FIRST_OF_2}, {0x137, 0x137, LOWER_ACCENTED | FIRST_OF_3},
    {0x139, 0x139, UPPER_ACCENTED | FIRST_OF_2}, {0x13A, 0x13A, LOWER_ACCENTED | FIRST_OF_3},
    {0x13B, 0x13B, UPPER_ACCENTED | FIRST_OF_2}, {0x13C, 0x13C, LOWER_ACCENTED | FIRST_OF_3},
    {0x13D, 0x13D, UPPER_ACCENTED | FOLLOWS}, {0x13E, 0x13E, LOWER_ACCENTED | FOLLOWS},
    {0x141, 0x141, UPPER_ACCENTED | FIRST_OF_2 | FOLLOWS}, {0x142, 0x142, LOWER_ACCENTED | FOLLOWS},
    {0x143, 0x143, UPPER_ACCENTED | FIRST_OF_2}, {0x145, 0x145, UPPER_ACCENTED | FIRST_OF_2},
    {0x147, 0x147, UPPER_ACCENTED | FIRST_OF_2}, {0x14C, 0x14C, FACE | FIRST_OF_2}, {0x150, 0x150, FACE | FIRST_OF_2},
    {0x152, 0x152, UPPER_ACCENTED | FOLLOWS}, {0x153, 0x153, LOWER_ACCENTED | FOLLOWS},
    {0x155, 0x155, LOWER_ACCENTED | FIRST_OF_3}, {0x156, 0x157, FOLLOWS}, {0x158, 0x158, UPPER_ACCENTED | FIRST_OF_2},
    {0x15A, 0x15A, UPPER_ACCENTED | FIRST_OF_2 | FOLLOWS}, {0x15B, 0x15B, LOWER_ACCENTED | FOLLOWS},
    {0x15E, 0x15E, UPPER_ACCENTED | FIRST_OF_2 | FOLLOWS}, {0x15F, 0x15F, LOWER_ACCENTED | FOLLOWS},
    {0x160, 0x160, UPPER_ACCENTED | FIRST_OF_2 | FOLLOWS}, {0x161, 0x161, LOWER_ACCENTED | FIRST_OF_4 | FOLLOWS},
    {0x162, 0x162, UPPER_ACCENTED | FIRST_OF_2}, {0x164, 0x164, UPPER_ACCENTED | FOLLOWS},
    {0x165, 0x165, LOWER_ACCENTED | FOLLOWS}, {0x16A, 0x16A, FACE | FIRST_OF_2},
    {0x16E, 0x16E, UPPER_ACCENTED | FIRST_OF_2}, {0x170, 0x170, UPPER_ACCENTED | FIRST_OF_2},
    {0x172, 0x172, FACE | FIRST_OF_2}, {0x178, 0x178, UPPER_ACCENTED | FOLLOWS},
    {0x179, 0x179, UPPER_ACCENTED | FIRST_OF_2 | FOLLOWS}, {0x17A, 0x17A, LOWER_ACCENTED | FIRST_OF_3 | FOLLOWS},
    {0x17B, 0x17B, UPPER_ACCENTED | FIRST_OF_2 | FOLLOWS}, {0x17C, 0x17C, LOWER_ACCENTED | FOLLOWS},
    {0x17D, 0x17D, UPPER_ACCENTED | FIRST_OF_2 | FOLLOWS}, {0x17E, 0x17E, LOWER_ACCENTED | FOLLOWS},
    {0x192, 0x192, BAD | FOLLOWS}, {0x2C6, 0x2C7, BAD | FOLLOWS}, {0x2D8, 0x2D8, BAD | FOLLOWS},
    {0x2DB, 0x2DC, BAD | FOLLOWS}, {0x2DD, 0x2DD, CLOSING | FOLLOWS}, {0x384, 0x385, OPENING | FOLLOWS},
    {0x386, 0x386, UPPER_COMMON | FOLLOWS}, {0x388, 0x38A, UPPER_COMMON | FOLLOWS},
    {0x38C, 0x38C, UPPER_COMMON | FOLLOWS}, {0x38E, 0x38F, UPPER_COMMON | FOLLOWS}, {0x391, 0x391, UPPER_COMMON},
    {0x392, 0x3A1, UPPER_COMMON | FIRST_OF_2}, {0x3A2, 0x3A2, UPPER_COMMON},
    {0x3A3, 0x3AB, UPPER_COMMON | FIRST_OF_2}, {0x3AC, 0x3AF, LOWER_COMMON | FIRST_OF_2},
    {0x3B0, 0x3BF, LOWER_COMMON | FIRST_OF_3}, {0x3C0, 0x3C0, LOWER_COMMON | FIRST_OF_4},
    {0x3C1, 0x3C2, LOWER_COMMON}, {0x3C3, 0x3C3, LOWER_COMMON | FIRST_OF_4}, {0x3C4, 0x3C9, LOWER_COMMON},
    {0x401, 0x40C, UPPER_COMMON | FOLLOWS}, {0x40D, 0x40D, UPPER_COMMON}, {0x40E, 0x40F, UPPER_COMMON | FOLLOWS},
    {0x410, 0x411, UPPER_COMMON}, {0x412, 0x42F, UPPER_COMMON | FIRST_OF_2},
    {0x430, 0x43F, LOWER_COMMON | FIRST_OF_3}, {0x440, 0x440, LOWER_COMMON | FIRST_OF_4},
    {0x441, 0x442, LOWER_COMMON}, {0x443, 0x443, LOWER_COMMON | FIRST_OF_4}, {0x444, 0x450, LOWER_COMMON},
    {0x451, 0x45C, LOWER_COMMON | FOLLOWS}, {0x45D, 0x45D, LOWER_COMMON}, {0x45E, 0x45F, LOWER_COMMON | FOLLOWS},
    {0x490, 0x490, UPPER_ACCENTED | FOLLOWS}, {0x491, 0x491, LOWER_ACCENTED | FOLLOWS},
    {0x2013, 0x2015, COMMON | FOLLOWS_MAYBE}, {0x2018, 0x2018, OPENING | FOLLOWS_MAYBE},
    {0x2019, 0x2019, COMMON | FOLLOWS_MAYBE}, {0x201A, 0x201A, OPENING | FOLLOWS_MAYBE},
    {0x201C, 0x201C, OPENING | FOLLOWS_MAYBE}, {0x201D, 0x201D, CLOSING | FOLLOWS_MAYBE},
    {0x201E, 0x201E, OPENING | FOLLOWS_MAYBE}, {0x2020, 0x2021, BAD | FOLLOWS},
    {0x2022, 0x2022, OPENING | FOLLOWS_MAYBE}, {0x2026, 0x2026, COMMON | FOLLOWS_MAYBE},
    {0x2030, 0x2030, BAD | FOLLOWS}, {0x2039, 0x2039, OPENING | FOLLOWS}, {0x203A, 0x203A, CLOSING | FOLLOWS},
    {0x2044, 0x2044, NUMERIC}, {0x20A7, 0x20A7, CURRENCY}, {0x20AC, 0x20AC, CURRENCY | FOLLOWS},
    {0x2116, 0x2116, NUMERIC | FOLLOWS}, {0x2122, 0x2122, CLOSING | FOLLOWS}, {0x2202, 0x2202, NUMERIC},
    {0x2206, 0x2206, NUMERIC}, {0x220F, 0x220F, NUMERIC}, {0x2211, 0x2211, NUMERIC}, {0x221A, 0x221A, NUMERIC},
    {0x221E, 0x221E, NUMERIC}, {0x2229, 0x2229, NUMERIC}, {0x222B, 0x222B, NUMERIC}, {0x2248, 0x2248, NUMERIC},
    {0x2260, 0x2261, NUMERIC}, {0x2264, 0x2265, NUMERIC}, {0x2310, 0x2310, BAD}, {0x2502, 0x2502, BOX},
    {0x250C, 0x250C, BOX}, {0x2510, 0x2510, BOX}, {0x2518, 0x2518, BOX}, {0x251C, 0x251C, BOX}, {0x2524, 0x2524, BOX},
    {0x252C, 0x252C, BOX}, {0x253C, 0x253C, BOX}, {0x2550, 0x256C, BOX}, {0x2580, 0x2580, BOX}, {0x2584, 0x2584, BOX},
    {0x2588, 0x2588, BOX}, {0x258C, 0x258C, BOX}, {0x2590, 0x2593, BOX}, {0x25CA, 0x25CA, BAD},
    {0xF8FF, 0xF8FF, OPENING}, {0xFB01, 0xFB02, LOWER_ACCENTED}, {0xFFFD, 0xFFFD, BAD},
};

static bool is_word(int32_t c)
{
    utf8proc_category_t k = utf8proc_category(c);
    return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) ||
           (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO);
}

uint32_t rune_kinds(int32_t c)
{
    if (c < 0x80) {
        if (c >= 'a' && c <= 'z')
            return SMALL | WORD;
        if (c >= 'A' && c <= 'Z')
            return CAPITAL | WORD;
        if ((c >= '0' && c <= '9') || c == '_')
            return WORD;
        return c == ' ' ? WHITE | FOLLOWS_MAYBE : (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F) ? WHITE : 0;
    }
    uint32_t kinds = (is_word(c) ? WORD : 0) | (rune_is_space(c) ? WHITE : 0);
    size_t lo = 0, hi = sizeof ranges / sizeof *ranges;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (c > ranges[mid].last)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < sizeof ranges / sizeof *ranges && c >= ranges[lo].first)
        kinds |= ranges[lo].kinds;
    return kinds;
}

enum {
    NOT = 1 << 30,   // any other character
    ACCENTED = LOWER_ACCENTED | UPPER_ACCENTED,
    MARKS = BOX | OPENING | CLOSING | CURRENCY | NUMERIC | LAW,
    POINTS = OPENING | CLOSING,
    ARABIC = COMMON | CURRENCY | BAD | NUMERIC | OPENING,
    ODD = C1 | BAD | OPENING | CLOSING | CURRENCY,
    MOST = 7,        // places of a rule
};

// A rule is one place after the other: a character of these kinds, or one of those named.
static const struct rule {
    struct place {
        uint32_t kinds;
        const char16_t *also;
    } place[MOST];
    bool at_start;
} rules[] = {
    {{{C1}}},
    {{{ACCENTED | MARKS | BAD}, {BAD}}},
    {{{SMALL | CAPITAL}, {LOWER_COMMON | UPPER_COMMON}, {BAD}}},
    {{{BAD}, {ACCENTED | MARKS}}},
    {{{LOWER_ACCENTED | LOWER_COMMON | BOX | CLOSING | CURRENCY | NUMERIC}, {UPPER_ACCENTED}}},
    {{{BOX | CLOSING | CURRENCY | NUMERIC}, {LOWER_ACCENTED}}},
    {{{LOWER_ACCENTED | BOX | CLOSING}, {CURRENCY}}},
    {{{WHITE}, {UPPER_ACCENTED}, {CURRENCY}}},
    {{{UPPER_ACCENTED | BOX}, {NUMERIC | LAW}}},
    {{{ACCENTED | BOX | CURRENCY | CLOSING}, {OPENING}, {NUMERIC}}},
    {{{ACCENTED | CURRENCY | NUMERIC | BOX | LAW}, {CLOSING}, {OPENING}}},
    {{{CURRENCY | NUMERIC | BOX}, {OPENING}}},
    {{{SMALL}, {UPPER_ACCENTED}, {OPENING | CURRENCY}}},
    {{{BOX}, {FACE}}},
    {{{ACCENTED | CURRENCY | NUMERIC | POINTS | LAW}, {BOX}}},
    {{{BOX}, {CLOSING}}},
    {{{ACCENTED}, {POINTS}, {WORD}}},
    {{{0, u"Œœ"}, {NOT | SMALL | CAPITAL}}},
    {{{UPPER_ACCENTED}, {0, u"°"}}},
    // Windows-1252: two characters that the rules above leave out; Arabic; scripts of South Asia
    {{{0, u"ÂÃÎÐ"}, {POINTS, u"€œŠš¢£Ÿž\u00A0\u00AD®©°·»–—´"}}},
    {{{0, u"×"}, {0, u"²³"}}},
    {{{0, u"ØÙ"}, {ARABIC, u"ŸŠ®°µ»"}, {0, u"ØÙ"}, {ARABIC, u"ŸŠ®°µ»"}}},
    {{{0, u"à"}, {0, u"²µ¹¼½¾"}}},
    // MacRoman
    {{{0, u"√"}, {0, u"±∂†≠®™´≤≥¥µø"}}},
    {{{0, u"≈"}, {0, u"°¢"}}},
    {{{0, u"‚"}, {0, u"Ä"}, {0, u"ìîïòôúùû†°¢π"}}},
    {{{0, u"‚"}, {0, u"âó"}, {0, u"àä°ê"}}},
    // Windows-1251: U+2000 and on; Latin-1 or Cyrillic; Latin-1 mistaken for Windows-1252 and that for this
    {{{0, u"в"}, {0, u"Ђ"}}},
    {{{0, u"ВГРС"}, {ODD, u"°µ"}, {0, u"ВГРС"}}},
    {{{0, u"Г"}, {0, u"ў"}, {0, u"В"}, {0, u"Ђ"}, {0, u"В"}, {NOT, u"\n"}, {SMALL | CAPITAL, u" "}}},
    // "à" and "á"; a no-break space, perhaps written as a plain one
    {{{0, u"Ã"}, {0, u"\u00A0¡"}}},
    {{{SMALL}, {0, u"ÃÂ"}, {0, u" "}}},
    {{{SMALL}, {WHITE}, {0, u"ÃÂ"}, {0, u" "}}},
    {{{0, u"ÃÂ"}, {0, u" "}}, .at_start = true},
    // "Â" before the very character it encodes
    {{{SMALL | CLOSING, u".,?!"}, {0, u"Â"}, {POINTS, u" "}}},
    // Windows-1253, Windows-1257
    {{{0, u"β"}, {0, u"€"}, {0, u"™\u00A0Ά\u00AD®°"}}},
    {{{0, u"ΒΓΞΟ"}, {ODD, u"°"}, {0, u"ΒΓΞΟ"}}},
    {{{0, u"ā"}, {0, u"€"}}},
};

static bool stands_at(const struct place *p, int32_t c, uint32_t kinds)
{
    bool found = (p->kinds & kinds) != 0;
    for (const char16_t *a = p->also; a && *a && !found; a++)
        found = *a == c;
    return found != ((p->kinds & NOT) != 0);
}

bool looks_bad(const struct runes *in)
{
    for (size_t i = 0; i < in->len; i++) {
        const int32_t *at = in->at + i;
        size_t left = in->len - i;
        // a rule's first three places hold one outside ASCII
        if (at[0] < 0x80 && (left < 2 || at[1] < 0x80) && (left < 3 || at[2] < 0x80))
            continue;
        uint32_t kinds = rune_kinds(at[0]);
        for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
            const struct place *p = rules[r].place;
            size_t k = 0;
            if ((rules[r].at_start && i > 0) || !stands_at(p, at[0], kinds))
                continue;
            for (k = 1; k < MOST && (p[k].kinds || p[k].also); k++)
                if (k >= left || !stands_at(&p[k], at[k], rune_kinds(at[k])))
                    break;
            if (k == MOST || !(p[k].kinds || p[k].also))
                return true;
        }
    }
    return false;
}
