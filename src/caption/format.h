// SPDX-License-Identifier: Apache-2.0
// The word table's file (zlib over it all): head, edits, profiles, weights, words, the first `rows` words' own scores,
// pairs (the first, then the distance of each from the one before).
#ifndef CAPTION_FORMAT_H
#define CAPTION_FORMAT_H

#include <stdint.h>

#define TABLE_MAGIC "dihtwr3"
enum { WORD_BYTES = 64 };   // longest word the table holds

struct table_head {
    char magic[8];
    uint32_t edits, profiles, words, rows, pairs;
};

// What many words have in common. A word: bytes shared with the word before, bytes of its own, profile (two bytes), its
// own bytes.
struct profile {
    uint16_t is, noun, verb;
    uint8_t class, tag, kind, frames;
};
_Static_assert(sizeof(struct profile) == 10, "as it lies in the file");

int table_path(char **out);   // where the program's table is installed; the caller frees; EMISSING_

#endif
