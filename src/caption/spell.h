// SPDX-License-Identifier: Apache-2.0
// Kinds of bytes, all beyond ASCII are letters; words among some.
#ifndef CAPTION_SPELL_H
#define CAPTION_SPELL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
static inline bool is_lower(unsigned char c) { return c >= 'a' && c <= 'z'; }
static inline bool is_upper(unsigned char c) { return c >= 'A' && c <= 'Z'; }
static inline bool is_letter(unsigned char c) { return is_lower(c | 32) || c >= 0x80; }
static inline bool is_word(unsigned char c) { return is_letter(c) || is_digit(c); }

static inline bool spelled_as(const char *text, size_t n, const char *const *words)   // one of them? NULL behind the last
{
    for (; n && *words; words++)
        if (**words == *text && strlen(*words) == n && memcmp(text, *words, n) == 0)
            return true;
    return false;
}

#endif
