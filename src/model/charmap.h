// SPDX-License-Identifier: Apache-2.0
// One-byte encodings that UTF-8 text is mistaken for, in the order ftfy tries them.
#ifndef MODEL_CHARMAP_H
#define MODEL_CHARMAP_H

#include <stdbool.h>
#include <stdint.h>

enum charmap {
    LATIN_1, WINDOWS_1252, WINDOWS_1251, WINDOWS_1250, WINDOWS_1253, WINDOWS_1254, WINDOWS_1257, ISO_8859_2, MAC_ROMAN,
    CP437, CHARMAPS
};

// What bytes 0x80 .. 0xFF stand for. A Windows code page's holes stand for themselves, as browsers read them.
extern const uint16_t charmap_high[CHARMAPS][128];

// The Windows code pages are read sloppily: byte 0x1A is U+FFFD, a character that was lost.
bool charmap_is_sloppy(enum charmap m);
int charmap_byte(enum charmap m, int32_t c);   // -1: the encoding has no such character

#endif
