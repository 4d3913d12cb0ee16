// SPDX-License-Identifier: Apache-2.0
// Does a caption say what is written in its picture? Then the pair teaches reading, not seeing: the filter drops it.
//
// Compared are letters and digits alone, case folded, accents and compatibility forms (full-width, ligatures) undone:
// spaces and punctuation neither match nor part a match.
#ifndef SPOT_MATCH_H
#define SPOT_MATCH_H

#include <stddef.h>

#include "spot/lines.h"

// Longest caption, and longest text of all lines together, that is compared, in letters and digits: the rest is not looked
// at, so that hostile input costs a bounded time.
enum { MATCH_MAX = 1 << 14 };
enum { MATCH_WORD = 3 };   // shortest word that match_ratio compares: "cat"; "a" and "of" stand in every caption

struct match {
    int characters;   // length of the longest run in a row that a line shares with the caption (match_run)
    double ratio;     // 1 - edits / the longer word's letters, of the two words most alike (match_ratio)
    int line;         // which line; -1: none matches at all
};

// The longest run over all lines of at least this confidence: "at least N characters in a sliding window" holds exactly
// where `characters` >= N. EMEMORY_.
int match_run(struct match *out, const char *caption, size_t n, const struct spot_lines *lines, double confidence);
// The most alike pair of a whole spotted word and a caption's word, by edit distance. EMEMORY_.
int match_ratio(struct match *out, const char *caption, size_t n, const struct spot_lines *lines, double confidence);

#endif
