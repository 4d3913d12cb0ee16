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
    CAPTION_AT_ONCE = 64,
    CAPTION_AROUND = 4,     // pieces before the first and behind the last
    CUTS_ROUND = 16,        // loops over a caption's words may go on to a multiple of this, and over all words write as many more
    MENDS_ROUND = 64,       // ... over rules, of this
    CUT_SLACK = 640,        // and where it is cut, beyond its last word
    MASK_SLACK = 64,        // and of tags, traits, looks and sets
};

// Of one word or sign, a piece of the caption.
enum { PIECE_HASH = 1, PIECE_ALONE = 2, PIECE_UNKNOWN = 4 };   // #word; a sign with blanks on both sides; not in the table

struct object {
    uint8_t head, first, last;   // pieces
    uint8_t attributes;          // how many
    uint8_t relations;           // actions it takes part in
    bool hashtag;
    uint8_t spare[2];            // eight bytes: written as one
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

// One caption's parse. Its arrays lie in the rooms of the `parsers` it belongs to: text and pieces behind those of the caption
// before it, what is found at places of its own.
struct parser {
    const struct table *table;
    struct parsers *all;
    char *text, *lower;                // normalised; as small letters
    struct scan *is;                   // of its blocks of text
    // Of piece 0 on; CAPTION_AROUND before the first and behind the last are there, with NO_TAG, the table's boundary and zeros.
    uint16_t *start, *end;             // in text
    uint8_t *flags, *shape, *tag;      // PIECE_*, ...
    uint8_t *traits, *looks, *sets;    // TRAIT_*, LOOK_*, SET_* / 256; anything around
    const struct word **word;          // [2]: of piece 0
    uint64_t *hash;                    // [CAPTION_AROUND]: of piece 0's word
    struct object *object;
    struct attribute *attribute;
    struct relation *relation;
    int length, pieces, objects, attributes, relations;
    int foreign_letters, letters;
    struct verdict verdict;
    bool high;                         // bytes beyond ASCII
    bool hashtags;
    bool strange;                      // worth asking whether this is English
};

// Captions side by side. A stage goes over all their words in a loop or two: it ends once, where a loop a caption would end
// as often, each time where the processor did not foresee it.
struct parsers {
    const struct table *table;
    int most;                          // captions at once: as many of `parser`
    struct parser *parser;
    char *text, *lower;                // rooms
    struct scan *is;
    const struct word **word;
    uint64_t *hash;
    uint8_t *shape;
    struct object *object;
    struct attribute *attribute;
    struct relation *relation;
    struct phrase *phrase;             // of all captions, PHRASES_AROUND around each one's (phrases.h)
    struct word *unknown;              // words the table does not hold
    int cuts;                          // words of all captions, in their order
    int32_t *at;                       // of each: its place in the rooms of pieces
    int32_t *open;                     // the places of those the tagger is asked about
    int opens;
    uint8_t *owner;                    // its caption
    uint16_t *start, *end;             // by place, as all below
    uint16_t *set;                     // as its word's: what follows finds it in the first cache
    uint8_t *flags, *class, *tag, *traits, *looks, *sets;
    uint64_t *own, *behind, *ahead;    // rules it has with its tag, that it lets through for the next one and for the one before (candidates.h)
    uint64_t *foreign;                 // a bit a place: a small word of another language
    uint64_t *may;                     // a bit a place, from place 1 on: a rule of its may have another tag for it
    void *memory;
};

// Bits [at, at + n) of a mask by place, as they are of 64 at most.
static inline uint64_t place_bits(const uint64_t *mask, int at, int n)
{
    return scan_window(mask[at / 64], mask[at / 64 + 1], at % 64) & ~(uint64_t)0 >> (n < 64 ? 64 - n : 0);
}

static inline int piece_len(const struct parser *p, int i) { return p->end[i] - p->start[i]; }   // bytes

struct text {
    const char *at;
    size_t len;
};

struct parsers *parsers_new(const struct table *t, int most);   // 1 to CAPTION_AT_ONCE; NULL: out of memory
void parsers_free(struct parsers *all);
struct parser *parser_new(const struct table *t);               // for one caption at a time
void parser_free(struct parser *p);

// Parse n captions of any bytes, at most all->most; the results are the fields of all->parser[0 .. n) until the next call.
void parsers_run(struct parsers *all, const struct text *captions, int n, int min_complexity, bool need_action);
const struct verdict *parser_run(struct parser *p, const char *bytes, size_t n, int min_complexity, bool need_action);

// Lemma of a piece as noun or as verb; bytes written to out (never more than 79, NUL after them).
int parser_lemma(const struct parser *p, int piece, bool verb, char out[80]);

// --- the parts, for each other and for tests ---------------------------------------------------------------------------
void parsers_read(struct parsers *all, const struct text *captions, int n);   // words, all but their tags
void words_normalise(struct parser *p, const char *bytes, size_t n);          // text, lower, masks
void words_cut(struct parsers *all, int caption);                             // where its words lie, how they are written
void words_around(struct parsers *all, int at);                                // nothing before or behind words, from a place on
void words_find(struct parsers *all, int n);                                  // what the table knows of them
void words_tag(struct parsers *all);
bool words_foreign(const struct parser *p);

#endif
