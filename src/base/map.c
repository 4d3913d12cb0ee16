// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct entry {
    uint64_t hash;
    size_t key;    // offset into text
    uint32_t len;
    int64_t value;
};

struct map {
    struct entry *entry;  // in insertion order
    int64_t count, room;
    uint32_t *slot;       // index into entry + 1; 0 = free
    uint64_t mask;
    char *text;
    size_t text_len, text_room;
};

static uint64_t hash_bytes(const unsigned char *p, size_t n)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ n;
    while (n >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        h = (h ^ w) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
        p += 8;
        n -= 8;
    }
    uint64_t w = 0;
    memcpy(&w, p, n);
    h = (h ^ w) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 29;
}

struct map *map_new(void)
{
    struct map *m = calloc(1, sizeof *m);
    if (m)
        m->slot = calloc(64, sizeof *m->slot);
    if (!m || !m->slot) {
        FAIL(EMEMORY_, "out of memory: no room for a table");
        map_free(m);
        return NULL;
    }
    m->mask = 63;
    return m;
}

void map_free(struct map *m)
{
    if (!m)
        return;
    free(m->entry);
    free(m->slot);
    free(m->text);
    free(m);
}

int64_t map_count(const struct map *m) { return m->count; }

static const struct entry *find(const struct map *m, const void *key, size_t len, uint64_t h)
{
    for (uint64_t i = h & m->mask;; i = (i + 1) & m->mask) {
        if (!m->slot[i])
            return NULL;
        const struct entry *e = &m->entry[m->slot[i] - 1];
        if (e->hash == h && e->len == len && (len == 0 || memcmp(m->text + e->key, key, len) == 0))
            return e;
    }
}

int64_t map_get(const struct map *m, const void *key, size_t len, int64_t otherwise)
{
    const struct entry *e = find(m, key, len, hash_bytes(key, len));
    return e ? e->value : otherwise;
}

static int grow(struct map *m, size_t len)
{
    if (m->count == m->room) {
        int64_t room = m->room ? 2 * m->room : 32;
        struct entry *e = realloc(m->entry, (size_t)room * sizeof *e);
        if (!e)
            return -1;
        m->entry = e;
        m->room = room;
    }
    if (m->text_len + len > m->text_room) {
        size_t room = m->text_room ? m->text_room : 256;
        while (room < m->text_len + len)
            room *= 2;
        char *t = realloc(m->text, room);
        if (!t)
            return -1;
        m->text = t;
        m->text_room = room;
    }
    if (2 * (uint64_t)(m->count + 1) > m->mask) {
        uint64_t mask = 2 * m->mask + 1;
        uint32_t *slot = calloc(mask + 1, sizeof *slot);
        if (!slot)
            return -1;
        for (int64_t k = 0; k < m->count; k++) {
            uint64_t i = m->entry[k].hash & mask;
            while (slot[i])
                i = (i + 1) & mask;
            slot[i] = (uint32_t)(k + 1);
        }
        free(m->slot);
        m->slot = slot;
        m->mask = mask;
    }
    return 0;
}

int64_t *map_slot(struct map *m, const void *key, size_t len, int64_t initial)
{
    uint64_t h = hash_bytes(key, len);
    const struct entry *old = find(m, key, len, h);
    if (old)
        return &m->entry[old - m->entry].value;
    if (len > UINT32_MAX || m->count >= UINT32_MAX - 1 || grow(m, len)) {
        FAIL(EMEMORY_, "out of memory: a table of %lld entries cannot grow", (long long)m->count);
        return NULL;
    }
    struct entry *e = &m->entry[m->count++];
    *e = (struct entry){.hash = h, .key = m->text_len, .len = (uint32_t)len, .value = initial};
    if (len)
        memcpy(m->text + m->text_len, key, len);
    m->text_len += len;
    uint64_t i = h & m->mask;
    while (m->slot[i])
        i = (i + 1) & m->mask;
    m->slot[i] = (uint32_t)m->count;
    return &e->value;
}

int map_put(struct map *m, const void *key, size_t len, int64_t value)
{
    int64_t *v = map_slot(m, key, len, value);
    if (!v)
        return EMEMORY_;
    *v = value;
    return 0;
}

const char *map_key(const struct map *m, int64_t i, size_t *len, int64_t *value)
{
    const struct entry *e = &m->entry[i];
    if (len)
        *len = e->len;
    if (value)
        *value = e->value;
    return m->text + e->key;
}

static int by_value(const void *a, const void *b)
{
    const struct map_entry *x = a, *y = b;
    int least = x->len < y->len ? x->len : y->len, order = memcmp(x->key, y->key, (size_t)least);
    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : order ? order : x->len - y->len;
}

struct map_entry *map_by_value(const struct map *m)
{
    int64_t n = map_count(m);
    struct map_entry *e = malloc((size_t)(n + 1) * sizeof *e);
    for (int64_t i = 0; e && i < n; i++) {
        size_t len;
        e[i].key = map_key(m, i, &len, &e[i].n);
        e[i].len = (int)len;
    }
    if (e)
        qsort(e, (size_t)n, sizeof *e, by_value);
    return e;
}
