// SPDX-License-Identifier: Apache-2.0
#include "model/zip.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "base/map.h"

// Sizes of the fixed parts, and the marks they begin with.
enum { LOCAL = 30, CENTRAL = 46, END = 22, LOCATOR64 = 20, END64 = 56, COMMENT_MAX = 65535 };
enum { MARK_LOCAL = 0x04034b50, MARK_CENTRAL = 0x02014b50, MARK_END = 0x06054b50, MARK_LOCATOR64 = 0x07064b50,
       MARK_END64 = 0x06064b50 };

// A file's bytes and what is asked of them so far.
struct bytes {
    const unsigned char *at;
    uint64_t size;
    const char *path;
};

static uint64_t number(const unsigned char *p, int n)
{
    uint64_t x = 0;
    for (int i = n - 1; i >= 0; i--)
        x = x << 8 | p[i];
    return x;
}

static bool inside(const struct bytes *b, uint64_t at, uint64_t n) { return n <= b->size && at <= b->size - n; }

// Where the directory lies and how many entries it promises.
struct directory {
    uint64_t at, size, n;
};

static int find_end(const struct bytes *b, uint64_t *end)
{
    uint64_t tail = b->size < END + COMMENT_MAX ? b->size : END + COMMENT_MAX;
    for (uint64_t back = END; back <= tail; back++) {
        const unsigned char *p = b->at + b->size - back;
        if (number(p, 4) == MARK_END && number(p + 20, 2) == back - END) {
            *end = b->size - back;
            return 0;
        }
    }
    return FAIL(EFORMAT_, "%s: a zip file without its end record in %llu bytes (a truncated copy?)", b->path,
                (unsigned long long)b->size);
}

static int find_directory(const struct bytes *b, struct directory *d)
{
    uint64_t end = 0;
    int rc = find_end(b, &end);
    if (rc)
        return rc;
    const unsigned char *p = b->at + end;
    *d = (struct directory){.n = number(p + 10, 2), .size = number(p + 12, 4), .at = number(p + 16, 4)};
    bool big = d->n == 0xFFFF || d->size == 0xFFFFFFFF || d->at == 0xFFFFFFFF;
    if (end >= LOCATOR64 && number(p - LOCATOR64, 4) == MARK_LOCATOR64) {
        uint64_t at = number(p - LOCATOR64 + 8, 8);
        if (!inside(b, at, END64) || at > end - LOCATOR64 || number(b->at + at, 4) != MARK_END64)
            return FAIL(EFORMAT_, "%s: the zip file's 64-bit end record is not at byte %llu, where it is promised",
                        b->path, (unsigned long long)at);
        p = b->at + at;
        *d = (struct directory){.n = number(p + 32, 8), .size = number(p + 40, 8), .at = number(p + 48, 8)};
        end = at;
    } else if (big) {
        return FAIL(EFORMAT_, "%s: the zip file's 64-bit end record is missing", b->path);
    }
    if (d->at > end || d->size > end - d->at || d->n > d->size / CENTRAL)
        return FAIL(EFORMAT_, "%s: a zip directory of %llu entries in %llu bytes at byte %llu does not fit the file",
                    b->path, (unsigned long long)d->n, (unsigned long long)d->size, (unsigned long long)d->at);
    return 0;
}

// Sizes and place that do not fit 32 bits stand in an extra field of kind 1, in this order, only those that need it.
static bool widen(const unsigned char *extra, uint64_t len, uint64_t *values[3])
{
    while (len >= 4) {
        uint64_t kind = number(extra, 2), n = number(extra + 2, 2);
        if (n > len - 4)
            return false;
        const unsigned char *p = extra + 4;
        for (int i = 0; i < 3 && kind == 1; i++) {
            if (*values[i] != 0xFFFFFFFF)
                continue;
            if (n < 8)
                return false;
            *values[i] = number(p, 8);
            p += 8;
            n -= 8;
        }
        if (kind == 1)
            return true;
        extra += 4 + n;
        len -= 4 + n;
    }
    return true;
}

// The entry described at `p` of the directory; `limit`: where the directory begins, past which no data may lie.
static int read_entry(const struct bytes *b, const unsigned char *p, uint64_t limit, struct zip_entry *e)
{
    uint64_t flags = number(p + 8, 2), method = number(p + 10, 2), packed = number(p + 20, 4),
             size = number(p + 24, 4), name_len = number(p + 28, 2), extra_len = number(p + 30, 2),
             local = number(p + 42, 4);
    *e = (struct zip_entry){.name = (const char *)p + CENTRAL, .name_len = name_len, .crc = (uint32_t)number(p + 16, 4)};
    int shown = name_len < 80 ? (int)name_len : 80;
    if (!name_len || memchr(e->name, 0, name_len))
        return FAIL(EFORMAT_, "%s: a zip entry without a possible name", b->path);
    if (!widen(p + CENTRAL + name_len, extra_len, (uint64_t *[]){&size, &packed, &local}))
        return FAIL(EFORMAT_, "%s: zip entry %.*s: its extra fields do not fit", b->path, shown, e->name);
    if (method != 0 || flags & 1)
        return FAIL(EUNSUPPORTED_, "%s: zip entry %.*s is %s; PyTorch stores its entries plainly", b->path, shown,
                    e->name, flags & 1 ? "encrypted" : "compressed");
    if (packed != size)
        return FAIL(EFORMAT_, "%s: zip entry %.*s: %llu bytes stored, %llu promised", b->path, shown, e->name,
                    (unsigned long long)packed, (unsigned long long)size);
    const unsigned char *l = b->at + local;
    if (local > limit || limit - local < LOCAL || number(l, 4) != MARK_LOCAL)
        return FAIL(EFORMAT_, "%s: zip entry %.*s: no header at byte %llu", b->path, shown, e->name,
                    (unsigned long long)local);
    uint64_t before = LOCAL + number(l + 26, 2) + number(l + 28, 2), room = limit - local;
    if (number(l + 26, 2) != name_len || before > room || memcmp(l + LOCAL, e->name, name_len) != 0)
        return FAIL(EFORMAT_, "%s: zip entry %.*s: its own header names another", b->path, shown, e->name);
    if (size > room - before)
        return FAIL(EFORMAT_, "%s: zip entry %.*s: %llu bytes promised, %llu there", b->path, shown, e->name,
                    (unsigned long long)size, (unsigned long long)(room - before));
    e->at = l + before;
    e->size = size;
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct zip_entry *x = *(const struct zip_entry *const *)a, *y = *(const struct zip_entry *const *)b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->size > y->size) - (x->size < y->size);
}

static int check_apart(const struct zip *z, const char *path)
{
    const struct zip_entry **order = malloc(((size_t)z->n + 1) * sizeof *order);
    if (!order)
        return FAIL(EMEMORY_, "out of memory");
    for (int64_t i = 0; i < z->n; i++)
        order[i] = &z->entries[i];
    qsort(order, (size_t)z->n, sizeof *order, by_place);
    int rc = 0;
    for (int64_t i = 1; i < z->n && !rc; i++)
        if (order[i - 1]->at + order[i - 1]->size > order[i]->at)
            rc = FAIL(EFORMAT_, "%s: zip entries %.*s and %.*s overlap", path,
                      (int)(order[i - 1]->name_len < 80 ? order[i - 1]->name_len : 80), order[i - 1]->name,
                      (int)(order[i]->name_len < 80 ? order[i]->name_len : 80), order[i]->name);
    free(order);
    return rc;
}

int zip_open(struct zip *z, const unsigned char *at, size_t size, const char *path)
{
    struct bytes b = {at, size, path};
    struct directory d;
    memset(z, 0, sizeof *z);
    int rc = find_directory(&b, &d);
    if (rc)
        return rc;
    z->entries = calloc((size_t)d.n + 1, sizeof *z->entries);   // the file holds 46 bytes for each
    z->index = map_new();
    if (!z->entries || !z->index)
        rc = FAIL(EMEMORY_, "out of memory");
    const unsigned char *p = at + d.at;
    for (uint64_t i = 0, left = d.size; i < d.n && !rc; i++) {
        uint64_t len = left < CENTRAL ? UINT64_MAX : CENTRAL + number(p + 28, 2) + number(p + 30, 2) + number(p + 32, 2);
        struct zip_entry *e = &z->entries[z->n];
        if (len > left || number(p, 4) != MARK_CENTRAL)
            rc = FAIL(EFORMAT_, "%s: the zip directory ends within entry %llu of %llu", path, (unsigned long long)i,
                      (unsigned long long)d.n);
        else if (!(rc = read_entry(&b, p, d.at, e)) && map_get(z->index, e->name, e->name_len, -1) >= 0)
            rc = FAIL(EFORMAT_, "%s: two zip entries named %.*s", path, (int)(e->name_len < 80 ? e->name_len : 80),
                      e->name);
        else if (!rc)
            rc = map_put(z->index, e->name, e->name_len, z->n++);
        p += len;
        left -= len;
    }
    if (!rc)
        rc = check_apart(z, path);
    if (rc)
        zip_close(z);
    return rc;
}

void zip_close(struct zip *z)
{
    free(z->entries);
    map_free(z->index);
    memset(z, 0, sizeof *z);
}

const struct zip_entry *zip_find(const struct zip *z, const char *name)
{
    int64_t i = map_get(z->index, name, strlen(name), -1);
    return i < 0 ? NULL : &z->entries[i];
}

int zip_check(const struct zip_entry *e, const char *path)
{
    uint32_t crc = (uint32_t)crc32_z(0, e->at, e->size);
    if (crc != e->crc)
        return FAIL(EFORMAT_, "%s: zip entry %.*s is damaged: checksum %08x, %08x promised", path,
                    (int)(e->name_len < 80 ? e->name_len : 80), e->name, crc, e->crc);
    return 0;
}
