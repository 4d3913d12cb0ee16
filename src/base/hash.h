// SPDX-License-Identifier: Apache-2.0
// SHA-256 (libcrypto) as lower-case hex.
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>

enum { SHA256_HEX = 65 };

void sha256_hex(char out[SHA256_HEX], const void *bytes, size_t n);
// Is `hex` the bytes' MD5, SHA-1, SHA-256 or SHA-512 (by its length; either case)?
bool hash_matches(const char *hex, const void *bytes, size_t n);
int sha256_file(char out[SHA256_HEX], const char *path);

struct sha256;                                   // streaming
struct sha256 *sha256_new(void);                 // NULL: out of memory
void sha256_add(struct sha256 *s, const void *bytes, size_t n);
void sha256_end(struct sha256 *s, char out[SHA256_HEX]);   // frees s

#endif
