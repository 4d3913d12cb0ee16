// SPDX-License-Identifier: Apache-2.0
#include "data/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum { BLOCK = 512, LONGEST_NAME = 1 << 16 };

struct tar {
    int fd;
    char *path;
    int64_t size, at;        // of the file; of the next header
    struct buf name, data;   // of this member; of a header before it
    int64_t bytes;           // its size by a pax header, -1: none
};

int tar_open(struct tar **out, const char *path)
{
    struct stat st;
    struct tar *t = *out = calloc(1, sizeof *t);
    if (!t || !(t->path = strdup(path))) {
        free(t);
        *out = NULL;
        return FAIL(EMEMORY_, "%s: out of memory", path);
    }
    t->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc = 0;
    if (t->fd < 0)
        rc = FAIL(error_from_errno(errno), "%s: cannot open: %s", path, strerror(errno));
    else if (fstat(t->fd, &st) != 0 || !S_ISREG(st.st_mode))
        rc = FAIL(EIO_, "%s: is not a regular file", path);
    else
        t->size = st.st_size;
    if (rc) {
        tar_close(t);
        *out = NULL;
    }
    return rc;
}

void tar_close(struct tar *t)
{
    if (!t)
        return;
    if (t->fd >= 0)
        close(t->fd);
    buf_free(&t->name);
    buf_free(&t->data);
    free(t->path);
    free(t);
}

static int read_at(struct tar *t, int64_t at, void *to, size_t n)
{
    char *p = to;
    while (n > 0) {
        ssize_t got = pread(t->fd, p, n, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return FAIL(EIO_, "%s: reading failed: %s", t->path, got ? strerror(errno) : "the file became shorter");
        p += got;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

int tar_read(struct tar *t, const struct tar_member *m, struct buf *out)
{
    char block[1 << 14];
    int rc = 0;
    buf_clear(out);
    for (int64_t done = 0; !rc && done < m->bytes;) {
        size_t n = m->bytes - done < (int64_t)sizeof block ? (size_t)(m->bytes - done) : sizeof block;
        rc = read_at(t, m->offset + done, block, n);
        if (!rc)
            buf_add(out, block, n);
        rc = rc ? rc : out->failed;
        done += (int64_t)n;
    }
    return rc;
}

// An octal field, or GNU's binary one (high bit set); -1: neither, or too large.
static int64_t number(const unsigned char *p, size_t n)
{
    int64_t v = 0;
    if (*p & 0x80) {
        v = *p & 0x7F;
        for (size_t i = 1; i < n; i++) {
            if (v >> 54)
                return -1;
            v = v << 8 | p[i];
        }
        return v;
    }
    size_t i = 0;
    while (i < n && p[i] == ' ')
        i++;
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
        v = v << 3 | (p[i] - '0');
    return i == n || p[i] == 0 || p[i] == ' ' ? v : -1;
}

static bool sums_up(const unsigned char *h)
{
    int64_t sum = 0;
    for (int i = 0; i < BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : h[i];
    return sum == number(h + 148, 8);
}

static bool empty(const unsigned char *h)
{
    for (int i = 0; i < BLOCK; i++)
        if (h[i])
            return false;
    return true;
}

// "LENGTH key=value\n" records of a pax header: path and size are what matters.
static void read_pax(struct tar *t)
{
    const char *p = t->data.at, *end = p + t->data.len;
    while (p < end) {
        char *after;
        const char *from = p;
        unsigned long n = strtoul(p, &after, 10);
        if (after == p || *after != ' ' || n > (size_t)(end - from) || n < (size_t)(after - from) + 3)
            return;
        const char *key = after + 1, *stop = from + n - 1;   // at the line's end
        if (stop - key > 5 && memcmp(key, "path=", 5) == 0) {
            buf_clear(&t->name);
            buf_add(&t->name, key + 5, (size_t)(stop - key - 5));
        } else if (stop - key > 5 && memcmp(key, "size=", 5) == 0) {
            t->bytes = strtoll(key + 5, NULL, 10);
        }
        p = from + n;
    }
}

static int broken(const struct tar *t, const char *what)
{
    return FAIL(EFORMAT_, "%s: byte %lld: %s", t->path, (long long)t->at, what);
}

int tar_next(struct tar *t, struct tar_member *m)
{
    unsigned char h[BLOCK];
    buf_clear(&t->name);
    t->bytes = -1;
    for (;;) {
        if (t->at == t->size)   // without its end mark: some writers leave it out
            return 0;
        if (t->size - t->at < BLOCK)
            return broken(t, "the tar file is cut off in a header");
        int rc = read_at(t, t->at, h, BLOCK);
        if (rc)
            return rc;
        if (empty(h))
            return 0;
        int64_t bytes = number(h + 124, 12);
        if (!sums_up(h) || bytes < 0)
            return broken(t, "no tar header: the file is damaged or of another kind (a packed one must be unpacked)");
        char type = (char)h[156];
        bool file = type == '0' || type == 0 || type == '7', before = type == 'L' || type == 'x';
        if (file && t->bytes >= 0)
            bytes = t->bytes;
        if (bytes > t->size - t->at - BLOCK)
            return broken(t, "the tar file is cut off in a member");
        *m = (struct tar_member){.offset = t->at + BLOCK, .bytes = bytes};
        t->at += BLOCK + (bytes + BLOCK - 1) / BLOCK * BLOCK;
        t->at = t->at > t->size ? t->size : t->at;
        if (before && bytes <= LONGEST_NAME) {
            rc = tar_read(t, m, &t->data);
            if (rc)
                return rc;
            buf_char(&t->data, 0);
            t->data.len--;
            if (type == 'x')
                read_pax(t);
            else if (t->name.len == 0)
                buf_str(&t->name, t->data.at);
            continue;
        }
        if (file)
            break;
        if (!before && type != 'g') {   // a directory, a link: what stood before it was its
            buf_clear(&t->name);
            t->bytes = -1;
        }
    }
    if (t->name.len == 0) {
        if (memcmp(h + 257, "ustar", 6) == 0 && h[345]) {
            buf_add(&t->name, h + 345, strnlen((char *)h + 345, 155));
            buf_char(&t->name, '/');
        }
        buf_add(&t->name, h, strnlen((char *)h, 100));
    }
    buf_char(&t->name, 0);
    m->name = t->name.at;
    return t->name.failed || t->data.failed ? FAIL(EMEMORY_, "%s: out of memory", t->path) : 1;
}
