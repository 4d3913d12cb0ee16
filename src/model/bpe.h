// SPDX-License-Identifier: Apache-2.0
// Byte-pair merges: the table read from a merges file, and a word's bytes -> ids.
#ifndef MODEL_BPE_H
#define MODEL_BPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct bpe;

// `text`: a header line, then "a b" per line; lines past `most` are not read. EFORMAT_ names the line.
int bpe_parse(struct bpe **out, const char *text, size_t len, int most, const char *from);
void bpe_free(struct bpe *b);            // accepts NULL
int bpe_merges(const struct bpe *b);

// The alphabet of the file: a byte's code point there (printable bytes are themselves, others 256 and up), and its id.
int32_t bpe_letter(int byte);
int bpe_byte_id(int byte);

// Ids of a word of n > 0 bytes into ids [n]; returns how many. `work` is used from BPE_SHORT bytes on: grown and kept.
enum { BPE_SHORT = 48 };
int bpe_word(const struct bpe *b, const unsigned char *word, int n, uint16_t *ids, struct buf *work);

#endif
