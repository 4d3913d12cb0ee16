// SPDX-License-Identifier: Apache-2.0
#include "model/split.h"

#include <string.h>

#include <utf8proc.h>

#include "base/utf8.h"

bool rune_is_space(int32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

enum kind { SPACE, LETTER, DIGIT, OTHER };

static const uint8_t ascii_kind[128] = {
    ['\t' ... '\r'] = SPACE, [' '] = SPACE, [0 ... 8] = OTHER, [14 ... 31] = OTHER, ['!' ... '/'] = OTHER,
    ['0' ... '9'] = DIGIT, [':' ... '@'] = OTHER, ['A' ... 'Z'] = LETTER, ['[' ... '`'] = OTHER,
    ['a' ... 'z'] = LETTER, ['{' ... 127] = OTHER,
};

static enum kind kind_wide(int32_t c)
{
    static const uint8_t of[] = {
        [UTF8PROC_CATEGORY_LU] = LETTER, [UTF8PROC_CATEGORY_LL] = LETTER, [UTF8PROC_CATEGORY_LT] = LETTER,
        [UTF8PROC_CATEGORY_LM] = LETTER, [UTF8PROC_CATEGORY_LO] = LETTER, [UTF8PROC_CATEGORY_ND] = DIGIT,
        [UTF8PROC_CATEGORY_NL] = DIGIT, [UTF8PROC_CATEGORY_NO] = DIGIT, [UTF8PROC_CATEGORY_CO] = 0,
    };
    if (rune_is_space(c))
        return SPACE;
    uint8_t k = of[utf8proc_category(c)];
    return k ? (enum kind)k : OTHER;
}

static enum kind kind_at(const unsigned char *p, const unsigned char *end, const unsigned char **next)
{
    if (*p < 0x80) {
        *next = p + 1;
        return ascii_kind[*p];
    }
    return kind_wide(utf8_next(p, end, next));
}

static const struct fixed {
    const char *text;
    size_t len;
    enum piece piece;
} fixed[] = {
    {"<start_of_text>", 15, PIECE_START}, {"<end_of_text>", 13, PIECE_END}, {"'s", 2, PIECE_WORD},
    // the reference's expression ignores case, and a long s folds to s: one piece, though not the special one
    {"<\xC5\xBFtart_of_text>", 16, PIECE_WORD}, {"'\xC5\xBF", 3, PIECE_WORD},
    {"'t", 2, PIECE_WORD}, {"'re", 3, PIECE_WORD},
    {"'ve", 3, PIECE_WORD}, {"'m", 2, PIECE_WORD}, {"'ll", 3, PIECE_WORD}, {"'d", 2, PIECE_WORD},
};

enum piece split_next(const char *text, size_t len, size_t *at, size_t *from)
{
    const unsigned char *base = (const unsigned char *)text, *end = base + len, *p = base + *at, *next;
    while (p < end && kind_at(p, end, &next) == SPACE)
        p = next;
    *from = *at = (size_t)(p - base);
    if (p == end)
        return PIECE_NONE;
    if (*p == '\'' || *p == '<')
        for (size_t k = 0; k < sizeof fixed / sizeof *fixed; k++)
            if ((size_t)(end - p) >= fixed[k].len && memcmp(p, fixed[k].text, fixed[k].len) == 0) {
                *at += fixed[k].len;
                return fixed[k].piece;
            }
    enum kind kind = kind_at(p, end, &p);
    while (kind != DIGIT && p < end && kind_at(p, end, &next) == kind)
        p = next;
    *at = (size_t)(p - base);
    return PIECE_WORD;
}
