// SPDX-License-Identifier: Apache-2.0
// The entries of a zip file in memory, as PyTorch writes them: stored, never compressed; 64-bit sizes. Nothing is
// copied: an entry's bytes are known to lie inside the file, and no two entries share a byte.
#ifndef MODEL_ZIP_H
#define MODEL_ZIP_H

#include <stddef.h>
#include <stdint.h>

struct zip_entry {
    const char *name;            // in the file, not terminated
    size_t name_len;
    const unsigned char *at;
    uint64_t size;
    uint32_t crc;
};

struct zip {
    struct zip_entry *entries;   // in the order of the directory
    int64_t n;
    struct map *index;           // name -> entry
};
int zip_open(struct zip *z, const unsigned char *at, size_t size, const char *path);   // `path` names it in sentences
void zip_close(struct zip *z);
const struct zip_entry *zip_find(const struct zip *z, const char *name);   // NULL: absent
int zip_check(const struct zip_entry *e, const char *path);                // its bytes have the checksum promised

#endif
