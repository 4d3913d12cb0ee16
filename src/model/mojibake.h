// SPDX-License-Identifier: Apache-2.0
// Text that was UTF-8 and was read in another encoding ("schÃ¶n"), found and repaired by the rules of ftfy 6.3.1.
#ifndef MODEL_MOJIBAKE_H
#define MODEL_MOJIBAKE_H

#include "model/clean.h"

// Kinds of characters, as ftfy.badness and ftfy.chardata sort those that occur in mojibake.
enum {
    COMMON = 1 << 0,           // may stand anywhere
    C1 = 1 << 1,               // control characters 80 - 9F
    BAD = 1 << 2,              // hardly ever meant
    LAW = 1 << 3,
    CURRENCY = 1 << 4,
    OPENING = 1 << 5,          // punctuation before a word
    CLOSING = 1 << 6,          // and after one
    NUMERIC = 1 << 7,
    FACE = 1 << 8,             // letters that emoticons are drawn with
    UPPER_ACCENTED = 1 << 9,
    LOWER_ACCENTED = 1 << 10,
    UPPER_COMMON = 1 << 11,    // Greek, Cyrillic
    LOWER_COMMON = 1 << 12,
    BOX = 1 << 13,             // lines and blocks
    FIRST_OF_2 = 1 << 14,      // read for a byte C2 - DF
    FIRST_OF_3 = 1 << 15,      // E0 - EF
    FIRST_OF_4 = 1 << 16,      // F0, F3
    FOLLOWS = 1 << 17,         // 80 - BF
    FOLLOWS_MAYBE = 1 << 18,   // 80 - BF, but meant as it stands often enough: space, dashes, quotes
    SMALL = 1 << 19,           // a - z
    CAPITAL = 1 << 20,         // A - Z
    WORD = 1 << 21,            // letter, digit, _
    WHITE = 1 << 22,
};
uint32_t rune_kinds(int32_t c);

// Whether two or three neighbours stand in it that no one writes.
bool looks_bad(const struct runes *in);

// Repairs the text in place, as often as it finds something; out of memory shows in text->failed.
void fix_encoding(struct runes *text);

#endif
