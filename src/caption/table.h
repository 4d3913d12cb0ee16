// SPDX-License-Identifier: Apache-2.0
// The word table: what every English word form may be (WordNet), and the int8 weights that decide it in its sentence.
//
// A known word is one cache line: its own scores and what it says about its neighbours, all suffix, class and lexicon
// features folded in when the table is loaded. Tagging a token then is a sum of twelve 16-byte rows and one of 32.
#ifndef CAPTION_TABLE_H
#define CAPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Universal part-of-speech tags (UD v2), VERB in three: finite or base, -ing, past participle. The first 16 compete;
// the last three are a matter of the token alone.
enum tag {
    ADJ, ADP, ADV, AUX, CCONJ, DET, INTJ, NOUN, NUM, PART, PRON, PROPN, SCONJ, VERB, VBG, VBN,
    PUNCT, SYM, OTHER, NO_TAG,
    TAGS = 16,
};
extern const char *const tag_names[];   // "ADJ" ...

// What WordNet knows of a form.
enum {
    IS_NOUN = 1, IS_PLURAL = 2, IS_VERB = 4, IS_THIRD = 8, IS_ING = 16, IS_PAST = 32, IS_PARTICIPLE = 64,
    IS_ADJ = 128, IS_ADV = 256, IS_NAME = 512,           // a noun only ever written with a capital
    MOSTLY_NOUN = 1024, MOSTLY_VERB = 2048, MOSTLY_ADJ = 4096,   // of WordNet's tagged senses, three of four
    PAIR_FIRST = 8192, PAIR_SECOND = 16384,   // of a noun of two words that WordNet has: magnifying glass
};

// How a word is written.
enum shape { LOWER, FIRST_CAPITAL, CAPITAL, UPPER, MIXED, SHAPES };

// Class 0 is the boundary; those below UNKNOWN_CLASSES are for words the table does not hold, by their looks.
enum { CLASS_NUMBER = 1, CLASS_CODE, CLASS_SIGN, UNKNOWN_CLASSES = 13 };
enum { CLASSES = 128, SUFFIX_ROWS = 1 << 14, TRIPLE_ROWS = 1 << 14, HISTORY = NO_TAG + 1, TAG_ROOM = 32 };

typedef int8_t scores[TAGS];

struct word {
    scores self;       // for this word's tag
    scores before;     // what it adds to the tag of the word after it
    scores after;      // ... and to the tag of the word before it
    uint16_t noun;     // how its noun lemma is made: index into edits; 0: the form itself
    uint16_t verb;     // its verb lemma
    uint8_t class;
    uint8_t tag;       // NO_TAG, or the only tag it has: signs (PUNCT, SYM, OTHER), words that hardly ever have another
    uint16_t set;      // index into the table's mends, and SET_* above it
    uint32_t marks;    // what lists.c says of it
    uint16_t is;       // IS_* and MOSTLY_*
    uint8_t kind;      // WordNet's lexicographer file of its first noun sense (18: person), 0: none
    uint8_t traits;    // verbs: FRAME_*; all: TRAIT_*
};
_Static_assert(sizeof(struct word) == 64, "a word is a cache line");

enum { FRAME_OBJECT = 1, FRAME_NONE = 2 };   // can take an object; can stand without
// What no rule for single words stands in the way of; from the marks and the spelling, for chunks.c.
enum {
    TRAIT_INSIDE = 4,    // it stands in a noun phrase
    TRAIT_HEAD = 8,      // it is a noun phrase's head
    TRAIT_START = 16,    // its tag alone says what phrase begins with it
    TRAIT_PREP = 32,     // as ADP it is a preposition of one word; possessives, and words of days, have all but this
    TRAIT_STOP = 64,     // no noun phrase goes on with it, if its tag does not
    TRAIT_DOUBT = 128,   // whether it is an attribute, or half a fixed pair, its tag does not say
};
enum { KIND_ANIMAL = 5, KIND_ARTIFACT = 6, KIND_BODY = 8, KIND_PERSON = 18, KIND_TIME = 28 };

struct edit {
    uint8_t strip;     // bytes off the end
    char add[15];      // then this
};

// All rows that are not a word's. Every array's last dimension is a tag's score.
struct weights {
    scores suffix[SUFFIX_ROWS];                  // hashed endings and beginnings of words not in the table
    scores class_self[CLASSES], class_before[CLASSES], class_after[CLASSES];
    scores shape[SHAPES][CLASSES];
    scores shape_before[SHAPES], shape_after[SHAPES];
    scores pair_before[CLASSES][CLASSES];        // class of the word before, of this one
    scores pair_after[CLASSES][CLASSES];         // class of this one, of the word after
    scores pair_around[CLASSES][CLASSES];        // class before, class after
    scores pair_ahead[CLASSES][CLASSES];         // classes of the two words after
    scores pair_behind[CLASSES][CLASSES];        // classes of the two words before
    scores tags[HISTORY][HISTORY];               // the two tags before
    scores tag_class[HISTORY][CLASSES];          // the tag before, this word's class
    scores tag_after[HISTORY][CLASSES];          // the tag before, the class after
    scores triple[TRIPLE_ROWS];                  // hashed: the tag before, this class, the class after
};

enum { FIXED_PREPOSITIONS = 20 };

struct pair_rows {    // what `weights` has of two neighbours, in one cache line
    scores before, after, ahead, behind;
};

// What `weights` has, as the tagger goes through it: what a token knows before it knows the tag before selects the line.
struct rows {
    int16_t written[SHAPES * SHAPES * SHAPES][CLASSES][TAGS];   // [written_row]: shape, shape_before and shape_after
    struct pair_rows pair[CLASSES][CLASSES];
    scores tags[TAG_ROOM][TAG_ROOM];
    scores class[CLASSES][2][TAG_ROOM];                         // tag_class, tag_after
};

// Which rules of mend.c may have another tag for a word, a bit a rule: those that it has with its tag, that the words beside
// it let through, and the tags there (mends.c).
enum { MENDS_SLOTS = 6, MENDS_TAGS = 44, MENDS_LOOKS = 56 };
struct mends {
    uint64_t behind;            // what such a word lets through for the one behind it; from bit MENDS_TAGS on 1 << tag: with which it has rules
    uint64_t ahead;             // ... for the one before it; from bit MENDS_LOOKS on LOOK_*, for masks
    uint64_t at[MENDS_SLOTS];   // by mends_slot of its tag
};
_Static_assert(sizeof(struct mends) == 64, "a cache line: some are asked of each word");
struct mends_key {
    uint64_t key;
    uint16_t index;           // 0: none
};
enum { MENDS_ROOM = 1 << 11, MENDS_KEYS = 1 << 13 };
enum {
    LOOK_BE = 1, LOOK_HAVE = 2, LOOK_AUX = 4, LOOK_LINK = 8, LOOK_PAIR = 16, LOOK_QUANTITY = 32,   // as M_*
    LOOK_BODY = 64,        // "headed", "eyed": the word before describes half of it
    LOOK_PARTICLE = 128,   // "to"; "not"
};
// Beside a word's index: what tells a plain phrase's kind and form, and where a preposition of several words may begin.
enum {
    SET_SHIFT = 11,
    SET_FIRST = 1 << SET_SHIFT,          // begins a clause (M_WHEN); of signs: a comma; of helpers: be
    SET_SECOND = 1 << (SET_SHIFT + 1),   // a relative pronoun; of signs: a quote; of helpers: have
    SET_PAST = 1 << (SET_SHIFT + 2),     // a verb's past form, and not its base
    SET_KINDS = 8,                       // of these three
    SET_FIXED = 1 << (SET_SHIFT + 3), SET_FIXED_SECOND = 1 << (SET_SHIFT + 4),   // M_FIXED_*
};
static inline const struct mends *word_mends(const struct mends *all, const struct word *w) { return &all[w->set % MENDS_ROOM]; }

struct table {
    struct rows *rows;
    struct word *words;     // words[0]: the boundary, before the first and after the last token
    int64_t count;
    uint64_t *slots;        // what of a hash selects a word, and its index: table.c
    uint32_t mask;
    struct edit *edits;
    int n_edits;
    uint32_t *pairs;        // pair_hash of nouns of two words, one of which could be a verb; 0: an empty place
    uint32_t pair_mask;
    struct weights *weights;
    struct mends *mends;
    int n_mends, n_mends_keys;
    struct mends_key *mends_keys;             // MENDS_KEYS: what the sets were made of
    uint64_t mends_own[TAG_ROOM];                             // which of them a tag may have
    uint64_t mends_behind[TAG_ROOM], mends_ahead[TAG_ROOM];   // as a set's, of the tags beside a word
    uint64_t prepositions[FIXED_PREPOSITIONS][3];   // hashes of the words of lists.c's, at most three; 0: no more
    void *memory;
};

int table_open(struct table **out, const char *path);   // NULL: where the program's data is installed
// The same, each word's spelling told on the way, in the table's order: those the treebank knows first.
int table_open_spelled(struct table **out, const char *path, void (*word)(void *user, const char *text, size_t len), void *user);
void table_close(struct table *t);

// A word's hash: over its lower-case bytes in blocks of 16, zero-padded. Start with WORD_SEED.
#define WORD_SEED 0x9e3779b97f4a7c15u
static inline uint64_t word_hash_block(uint64_t h, uint64_t lo, uint64_t hi)
{
    unsigned __int128 product = (unsigned __int128)(h ^ lo) * (hi ^ 0x9fb21c651e98df25u);   // one instruction
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}
uint64_t word_hash(const char *lower, size_t len);

// A slot: the hash's upper 40 bits and the word's index in the lower 24.
enum { INDEX_BITS = 24 };

// NULL: not there. The whole 64-bit hash stands for the word: a stranger taken for a known one is a 2^-40 chance.
static inline const struct word *table_find(const struct table *t, uint64_t hash)
{
    uint64_t check = hash >> INDEX_BITS;
    for (uint32_t i = (uint32_t)hash & t->mask;; i = (i + 1) & t->mask) {
        uint64_t slot = t->slots[i];
        if (!slot)   // first: an empty one has a check, too
            return NULL;
        if (slot >> INDEX_BITS == check)
            return &t->words[slot & ((1u << INDEX_BITS) - 1)];
    }
}

const struct word *table_word(const struct table *t, const char *lower, size_t len);

// Two words' hashes as one of 28 bits, never 0.
static inline uint32_t pair_hash(uint64_t first, uint64_t second)
{
    return (uint32_t)(((first ^ (second << 1 | second >> 63)) * 0xff51afd7ed558ccdu) >> 36) | 1;
}

static inline bool table_pair(const struct table *t, uint32_t pair)
{
    for (uint32_t i = (pair >> 1) & t->pair_mask; t->pairs[i]; i = (i + 1) & t->pair_mask)
        if (t->pairs[i] == pair)
            return true;
    return false;
}

// A word the table does not hold, from its looks: class, tag and `self`. has: which kinds of bytes it has, as word_has says.
enum { HAS_DIGIT = 1, HAS_LETTER = 2, HAS_HIGH = 4, HAS_HYPHEN = 8 };
unsigned word_has(const char *lower, size_t len);
void table_unknown(const struct table *t, const char *lower, size_t len, unsigned has, struct word *out);
int unknown_class(const char *lower, size_t len);
// From all the rest of a word and its spelling: TRAIT_*.
uint8_t word_traits(const struct word *w, const char *text, size_t len);
// The rows of `suffix` that a word's spelling selects; how many.
enum { SPELLING_MAX = 10 };
int spelling_rows(const char *lower, size_t len, int32_t rows[SPELLING_MAX]);

// A row of `triple`: what is known before the tag, and all of it.
static inline uint32_t triple_part(unsigned classes) { return classes * 2654435761u; }
static inline uint32_t triple_of(unsigned tag, uint32_t part) { return ((tag << 14) * 2654435761u + part) >> 18; }
static inline uint32_t triple_row(int tag, int class, int after)
{
    return triple_of((unsigned)tag, triple_part((unsigned)(class << 7 | after)));
}

// How a word is written and those beside it.
static inline unsigned written_row(unsigned before, unsigned here, unsigned after) { return (here * SHAPES + before) * SHAPES + after; }

#endif
