// SPDX-License-Identifier: Apache-2.0
// UTF-8 <-> code points.
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UTF8_BAD = 0xFFFD };

// Code point at p (p < end), *next after it. A byte that starts no well-formed sequence reads as U+FFFD and is one byte
// long; surrogates written as three bytes are handed through (the cleaning joins them).
int32_t utf8_next(const unsigned char *p, const unsigned char *end, const unsigned char **next);
int utf8_put(char out[4], int32_t c);   // bytes written; what is no scalar value is written as U+FFFD

#endif
