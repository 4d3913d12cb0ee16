// SPDX-License-Identifier: Apache-2.0
// Bytes -> int64 hash map, keys copied; insertion only (nothing here ever needs removal).
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map;

struct map *map_new(void);                                              // NULL: out of memory
void map_free(struct map *m);
int64_t map_count(const struct map *m);
// Value of key, or `otherwise`.
int64_t map_get(const struct map *m, const void *key, size_t len, int64_t otherwise);
// Insert or overwrite; EMEMORY_.
int map_put(struct map *m, const void *key, size_t len, int64_t value);
// Where the key's value lives (inserted as `initial` when new), valid until the next insertion; NULL: out of memory.
int64_t *map_slot(struct map *m, const void *key, size_t len, int64_t initial);
// Walk in insertion order: i in 0 .. map_count-1.
const char *map_key(const struct map *m, int64_t i, size_t *len, int64_t *value);

// The entries, highest value first, equal ones by key; the caller frees. NULL: out of memory.
struct map_entry {
    const char *key;   // the map's
    int len;
    int64_t n;
};
struct map_entry *map_by_value(const struct map *m);

#endif
