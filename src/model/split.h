// SPDX-License-Identifier: Apache-2.0
// Cleaned text -> the pieces that byte-pair merging works on:
//   <start_of_text> | <end_of_text> | 's | 't | 're | 've | 'm | 'll | 'd | letters | one digit | the rest but spaces
#ifndef MODEL_SPLIT_H
#define MODEL_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum piece { PIECE_NONE, PIECE_WORD, PIECE_START, PIECE_END };

// The piece at or after text[*at]: text[*from .. *at) once *at has moved past it. PIECE_NONE: no more.
enum piece split_next(const char *text, size_t len, size_t *at, size_t *from);

bool rune_is_space(int32_t c);   // Unicode's White_Space

#endif
