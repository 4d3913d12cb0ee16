// SPDX-License-Identifier: Apache-2.0
// A caption's parse: its objects with their attributes, the actions between them, and the filter's verdict.
//
//   bytes -> words (normalised) -> tags -> phrases -> relations -> verdict
//
// The table is shared by all threads; a parser is one thread's, and allocates nothing after it was opened.
#ifndef CAPTION_CAPTION_H
#define CAPTION_CAPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "caption/scan.h"
#include "caption/table.h"

enum {
    CAPTION_BYTES = 4096,   // of a caption that are read; what follows is left out
    CAPTION_WORDS = 256,    // and so are words beyond these
    CAPTION_ATTRIBUTES = 512,
    CAPTION_RELATIONS = 512,
    CAPTION_SCANNED = CAPTION_BYTES / SCAN_BLOCK + 3,
    CAPTION_AT_ONCE = 16,
    CAPTION_AROUND = 4,     // pieces before the first and behind the last
};

struct piece {            // one word or sign
    uint16_t start, len;  // in parser.text
    uint8_t shape, tag;
    uint8_t flags;        // PIECE_*
    uint8_t class;        // of its word, as are the rest, in its order
    uint32_t marks;
    uint16_t is;
    uint8_t kind, traits;
};
enum { PIECE_HASH = 1, PIECE_ALONE = 2 };   // #word; a sign with blanks on both sides

struct object {
    uint8_t head, first, last;   // pieces
    uint8_t attributes;          // how many
    uint8_t relations;           // actions it takes part in
    bool hashtag;
};

struct attribute {
    uint8_t object, piece;
};

struct relation {
    int16_t subject, object;   // -1: none
    uint8_t verb;              // piece
    uint8_t prep, preps;       // first piece of its preposition and how many; preps 0: none
};

struct verdict {
    int complexity, actions;
    bool foreign, keep;
};

struct parser {
    const struct table *table;
    char text[CAPTION_BYTES + 2 * SCAN_BLOCK];    // normalised
    char lower[CAPTION_BYTES + 2 * SCAN_BLOCK];
    uint64_t is_word[CAPTION_SCANNED], is_upper[CAPTION_SCANNED], is_lower[CAPTION_SCANNED], is_blank[CAPTION_SCANNED];   // scan.h
    int length, pieces, objects, attributes, relations;
    struct piece *piece;                          // those around the first and the last are there, with NO_TAG
    struct piece piece_room[CAPTION_WORDS + 2 * CAPTION_AROUND];
    const struct word *word[CAPTION_WORDS + 4];   // [2]: of piece 0
    struct word unknown[CAPTION_WORDS];
    struct object object[CAPTION_WORDS];
    struct attribute attribute[CAPTION_ATTRIBUTES];
    struct relation relation[CAPTION_RELATIONS];
    struct verdict verdict;
    uint64_t hash[CAPTION_WORDS + 2 * CAPTION_AROUND];   // [CAPTION_AROUND]: of piece 0's word; 0 around
    uint8_t *shape;                               // as in the pieces, LOWER around
    uint8_t shape_room[CAPTION_WORDS + 2];
    int foreign_letters, letters;
    bool high;                                    // bytes beyond ASCII
    bool hashtags;
    bool strange;                                 // worth asking whether this is English
};

struct parser *parser_new(const struct table *t);   // NULL: out of memory
void parser_free(struct parser *p);

struct text {
    const char *at;
    size_t len;
};

// Parse any bytes; the results are the parser's fields until the next call.
const struct verdict *parser_run(struct parser *p, const char *bytes, size_t n, int min_complexity, bool need_action);
// n captions, at most CAPTION_AT_ONCE, each by a parser of its own, all of one table: their words are under way from memory
// at once.
void parser_run_many(struct parser *const *p, const struct text *captions, int n, int min_complexity, bool need_action);

// Lemma of a piece as noun or as verb; bytes written to out (never more than 79, NUL after them).
int parser_lemma(const struct parser *p, int piece, bool verb, char out[80]);

// --- the parts, for each other and for tests ---------------------------------------------------------------------------
void words_normalise(struct parser *p, const char *bytes, size_t n);   // text, lower, masks
void words_cut(struct parser *p, const char *bytes, size_t n);   // text, pieces; their words' slots are on their way to the cache
void words_find(struct parser *p);                                 // ... and now the words themselves
void words_settle(struct parser *p);                               // what they are, beside the pieces
void words_tag(struct parser *const *p, int n);                      // n: 1 to CAPTION_AT_ONCE, of one table
bool words_foreign(const struct parser *p);
void phrases_find(struct parser *p);                               // objects, attributes, relations

#endif
