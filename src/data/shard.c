// SPDX-License-Identifier: Apache-2.0
#include "data/shard.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

enum { BLOCK = 512, END = 2 * BLOCK };

// The ustar header (POSIX.1-1988): all fields text, numbers octal.
struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2],
        user[32], group[32], major[8], minor[8], prefix[155], unused[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar block");

static const char zeros[END];

static void add_header(struct buf *b, const char *name, char type, size_t n)
{
    struct header h = {0};
    memcpy(h.name, name, strnlen(name, sizeof h.name));
    memcpy(h.mode, "0000644", 7);
    memcpy(h.uid, "0000000", 7);
    memcpy(h.gid, "0000000", 7);
    snprintf(h.size, sizeof h.size, "%011" PRIo64, (uint64_t)n);
    memcpy(h.mtime, "00000000000", 11);   // no time: the same samples make the same bytes
    h.type = type;
    memcpy(h.magic, "ustar", 6);
    memcpy(h.version, "00", 2);
    memset(h.sum, ' ', sizeof h.sum);     // the sum counts its own place as spaces
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof h; i++)
        sum += ((unsigned char *)&h)[i];
    char digits[16];
    snprintf(digits, sizeof digits, "%06o", sum);
    memcpy(h.sum, digits, 7);
    buf_add(b, &h, sizeof h);
}

static void add_padding(struct buf *b, size_t n)
{
    buf_add(b, zeros, (BLOCK - n % BLOCK) % BLOCK);
}

// A member's header. A name over 100 bytes goes into a pax record ("LENGTH path=NAME\n", LENGTH counting itself) first.
static void add_named(struct buf *b, const char *name, size_t n)
{
    size_t len = strlen(name);
    if (len > sizeof((struct header *)0)->name) {
        size_t rest = strlen(" path=\n") + len, total = rest + 1;
        for (size_t digits = 1;; digits++) {
            total = rest + digits;
            if ((size_t)snprintf(NULL, 0, "%zu", total) == digits)
                break;
        }
        struct buf record = {0};
        buf_fmt(&record, "%zu path=%s\n", total, name);
        if (record.failed)
            b->failed = record.failed;
        else {
            add_header(b, "PaxHeaders/path", 'x', record.len);
            buf_add(b, record.at, record.len);
            add_padding(b, record.len);
        }
        buf_free(&record);
    }
    add_header(b, name, '0', n);
}

static void add_text(struct buf *b, const char *name, const char *text)
{
    size_t n = strlen(text);
    add_named(b, name, n);
    buf_add(b, text, n);
    add_padding(b, n);
}

// WebDataset readers cut a name at its first dot, and a slash makes a folder: such bytes are written %XX.
static void add_stem(struct buf *b, const char *key)
{
    for (const char *p = key; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '.' || c == '/' || c == '\\' || c == '%' || c < 0x20 || c == 0x7f)
            buf_fmt(b, "%%%02X", c);
        else
            buf_char(b, (char)c);
    }
}

char *shard_path(const char *dataset, int64_t number)
{
    char *path = NULL;
    if (asprintf(&path, "%s/shards/%05" PRId64 ".tar", dataset, number) < 0) {
        FAIL(EMEMORY_, "%s: out of memory", dataset);
        return NULL;
    }
    return path;
}

static int failed(const struct shard *s, const char *what)
{
    int code = error_from_errno(errno);
    if (code == EFULL_)
        return FAIL(EFULL_,
                    "%s: the disk is full: the samples stored before are kept; make room and run the import again",
                    s->path);
    return FAIL(code, "%s: %s: %s", s->path, what, strerror(errno));
}

static int write_at(const struct shard *s, const char *bytes, size_t n, int64_t at)
{
    while (n > 0) {
        ssize_t put = pwrite(s->fd, bytes, n, at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return failed(s, "writing failed");
        bytes += put;
        at += put;
        n -= (size_t)put;
    }
    return 0;
}

// A new shard appears with its end mark: no tar reads an empty file. A crash leaves at most NNNNN.tar.new, which the next
// try takes over.
static int create(struct shard *s)
{
    char *temp = NULL;
    int rc = 0;
    if (asprintf(&temp, "%s.new", s->path) < 0)
        return FAIL(EMEMORY_, "%s: out of memory", s->path);
    s->fd = open(temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (s->fd < 0)
        rc = failed(s, "cannot be made");
    else if ((rc = write_at(s, zeros, END, 0)) == 0 && rename(temp, s->path) != 0)
        rc = failed(s, "cannot be made");
    free(temp);
    return rc;
}

int shard_open(struct shard *s, const char *dataset, int64_t number, int64_t bytes, int64_t samples)
{
    struct buf group = s->group;
    *s = (struct shard){.fd = -1, .number = number, .bytes = bytes, .samples = samples, .group = group};
    s->path = shard_path(dataset, number);
    if (!s->path)
        return EMEMORY_;
    s->fd = open(s->path, O_RDWR | O_CLOEXEC);
    if (s->fd < 0 && (errno != ENOENT || bytes > 0))
        return failed(s, "cannot open for writing");
    int rc = s->fd < 0 ? create(s) : 0;
    if (rc)
        return rc;
    off_t size = lseek(s->fd, 0, SEEK_END);
    if (size < bytes)
        return FAIL(EFORMAT_,
                    "%s: %" PRId64 " bytes, the catalogue expects at least %" PRId64 ": it was cut off or replaced",
                    s->path, (int64_t)size, bytes);
    // End mark first, then the cut: a tar at every moment.
    rc = write_at(s, zeros, END, bytes);
    if (!rc && ftruncate(s->fd, bytes + END) != 0)
        rc = failed(s, "cannot be cut to its known size");
    return rc;
}

// All of `part` but its first `skip` bytes.
static int write_parts(const struct shard *s, struct iovec *part, int count, size_t skip, int64_t at)
{
    at += (int64_t)skip;
    for (;;) {
        for (; count && skip >= part->iov_len; part++, count--)
            skip -= part->iov_len;
        if (!count)
            return 0;
        part->iov_base = (char *)part->iov_base + skip;
        part->iov_len -= skip;
        ssize_t put = pwritev(s->fd, part, count, at);
        if (put <= 0 && !(put < 0 && errno == EINTR))
            return failed(s, "writing failed");
        skip = put > 0 ? (size_t)put : 0;
        at += (int64_t)skip;
    }
}

int shard_add(struct shard *s, const char *key, const char *extension, const void *picture, size_t n,
              const char *caption, const char *json, int64_t *offset)
{
    struct buf *g = &s->group, stem = {0};
    char first[END];
    buf_clear(g);
    add_stem(&stem, key);
    size_t stem_len = stem.len, head = 0;
    buf_fmt(&stem, ".%s", extension);
    if (!stem.failed) {
        add_named(g, stem.at, n);
        head = g->len;
        add_padding(g, n);
        stem.len = stem_len;
        buf_str(&stem, ".txt");
        add_text(g, stem.at, caption);
        stem.len = stem_len;
        buf_str(&stem, ".json");
        add_text(g, stem.at, json);
    }
    int64_t grown = (int64_t)(g->len + n);
    buf_add(g, zeros, END);
    int rc = stem.failed || g->failed ? FAIL(EMEMORY_, "%s: out of memory: no room for sample %s", s->path, key) : 0;
    buf_free(&stem);
    if (rc)
        return rc;
    // The picture is not copied: it is written from where it lies, between its header and what follows it.
    struct iovec part[] = {{g->at, head}, {(void *)(uintptr_t)picture, n}, {g->at + head, g->len - head}};
    size_t got = 0;
    for (int i = 0; i < 3 && got < END; i++) {
        size_t take = part[i].iov_len < END - got ? part[i].iov_len : END - got;
        if (take)
            memcpy(first + got, part[i].iov_base, take);
        got += take;
    }
    // The old end mark is overwritten last, in one piece: until then readers see the old end, from then on the new one.
    if ((rc = write_parts(s, part, 3, END, s->bytes)) != 0 || (rc = write_at(s, first, END, s->bytes)) != 0) {
        int keep = errno;
        write_at(s, zeros, END, s->bytes);
        if (ftruncate(s->fd, s->bytes + END) != 0)
            log_debug("%s: could not be cut back", s->path);   // the next opening does it
        errno = keep;
        return failed(s, "writing failed");
    }
    *offset = s->bytes + (int64_t)head;
    s->bytes += grown;
    s->samples++;
    return 0;
}

int shard_sync(struct shard *s)
{
    return s->fd >= 0 && fdatasync(s->fd) != 0 ? failed(s, "cannot be brought to the disk") : 0;
}

void shard_close(struct shard *s)
{
    if (s->fd >= 0)
        close(s->fd);
    free(s->path);
    buf_free(&s->group);
    *s = (struct shard){.fd = -1};
}

int shard_read(const char *path, int64_t offset, int64_t bytes, struct buf *out)
{
    char block[1 << 15];
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
    if (fd < 0)
        return FAIL(error_from_errno(errno), "%s: cannot open: %s", path, strerror(errno));
    while (!rc && bytes > 0) {
        ssize_t got = pread(fd, block, bytes < (int64_t)sizeof block ? (size_t)bytes : sizeof block, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            rc = FAIL(EIO_, "%s: %s", path, got ? strerror(errno) : "the shard ends before its picture: it was cut off");
        else {
            buf_add(out, block, (size_t)got);
            bytes -= got;
            offset += got;
        }
    }
    if (!rc && out->failed)
        rc = FAIL(EMEMORY_, "%s: out of memory", path);
    close(fd);
    return rc;
}
