// SPDX-License-Identifier: Apache-2.0
#include "data/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "base/error.h"
#include "base/file.h"
#include "data/parquet.h"

enum { BLOCK = 1 << 17 };

struct stream {
    char *path;
    int fd;
    double size, taken;            // of the file, read from it
    enum { PLAIN, GZIP, ZSTD, PARQUET } kind;
    bool ended;                    // the file has no more bytes
    bool inside;                   // a packed member has begun and not ended
    unsigned char in[BLOCK];
    size_t at, len;                // unread part of `in`
    z_stream z;
    bool z_ready;
    ZSTD_DStream *zstd;
    struct parquet *parquet;
};

static int refill(struct stream *s)
{
    if (s->at < s->len || s->ended)
        return 0;
    ssize_t got;
    do
        got = read(s->fd, s->in, sizeof s->in);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return FAIL(EIO_, "%s: reading failed: %s", s->path, strerror(errno));
    s->ended = got == 0;
    s->at = 0;
    s->len = (size_t)got;
    s->taken += (double)got;
    return 0;
}

int stream_open(struct stream **out, const char *path)
{
    *out = NULL;
    struct stream *s = calloc(1, sizeof *s);
    struct stat st;
    int rc = 0;
    bool standard = strcmp(path, "-") == 0;
    if (!s || !(s->path = strdup(standard ? "standard input" : path))) {
        free(s);
        return FAIL(EMEMORY_, "%s: out of memory", path);
    }
    s->fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0 || fstat(s->fd, &st) != 0) {
        rc = FAIL(error_from_errno(errno), "%s: cannot open: %s", path, strerror(errno));
        goto done;
    }
    if (S_ISDIR(st.st_mode)) {
        rc = FAIL(EIO_, "%s: is a directory, a file was expected", path);
        goto done;
    }
    s->size = (double)st.st_size;
    if ((rc = refill(s)) != 0)
        goto done;
    static const unsigned char gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    if (s->len >= 2 && memcmp(s->in, gzip, 2) == 0)
        s->kind = GZIP;
    else if (s->len >= 4 && memcmp(s->in, zstd, 4) == 0)
        s->kind = ZSTD;
    else if (parquet_is(s->in, s->len)) {
        s->kind = PARQUET;
        rc = parquet_open(&s->parquet, path);
    }
    else if (strcasecmp(path_ext(path), ".parquet") == 0)
        rc = FAIL(EFORMAT_, "%s: does not begin as Parquet does (PAR1)", path);
    if (s->kind == GZIP && !(s->z_ready = inflateInit2(&s->z, 15 + 16) == Z_OK))
        rc = FAIL(EMEMORY_, "%s: out of memory", path);
    if (s->kind == ZSTD && !(s->zstd = ZSTD_createDStream()))
        rc = FAIL(EMEMORY_, "%s: out of memory", path);
done:
    if (rc)
        stream_close(s);
    else
        *out = s;
    return rc;
}

// One step of unpacking: bytes put at `to`, maybe 0.
static ssize_t gzip_step(struct stream *s, void *to, size_t n)
{
    if (!s->inside)
        inflateReset(&s->z);   // members may follow each other
    s->inside = true;
    s->z.next_in = s->in + s->at;
    s->z.avail_in = (uInt)(s->len - s->at);
    s->z.next_out = to;
    s->z.avail_out = n > BLOCK ? BLOCK : (uInt)n;
    uInt room = s->z.avail_out;
    int code = inflate(&s->z, Z_NO_FLUSH);
    s->at = s->len - s->z.avail_in;
    s->inside = code != Z_STREAM_END;
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return FAIL(EFORMAT_, "%s: the gzip data is damaged (%s)", s->path, s->z.msg ? s->z.msg : "bad header");
    return (ssize_t)(room - s->z.avail_out);
}

static ssize_t zstd_step(struct stream *s, void *to, size_t n)
{
    ZSTD_inBuffer in = {s->in, s->len, s->at};
    ZSTD_outBuffer out = {to, n, 0};
    size_t code = ZSTD_decompressStream(s->zstd, &out, &in);
    s->at = in.pos;
    if (ZSTD_isError(code))
        return FAIL(EFORMAT_, "%s: the zstd data is damaged (%s)", s->path, ZSTD_getErrorName(code));
    s->inside = code != 0;
    return (ssize_t)out.pos;
}

ssize_t stream_read(struct stream *s, void *to, size_t n)
{
    if (s->kind == PARQUET)
        return parquet_read(s->parquet, to, n);
    for (;;) {
        int rc = refill(s);
        if (rc)
            return rc;
        if (s->ended) {
            if (s->inside)
                return FAIL(EFORMAT_, "%s: the packed data ends too early: the file was cut off", s->path);
            return 0;
        }
        if (s->kind == PLAIN) {
            size_t have = s->len - s->at, take = have < n ? have : n;
            memcpy(to, s->in + s->at, take);
            s->at += take;
            return (ssize_t)take;
        }
        ssize_t got = s->kind == GZIP ? gzip_step(s, to, n) : zstd_step(s, to, n);
        if (got != 0)
            return got;
    }
}

double stream_share(const struct stream *s)
{
    if (s->kind == PARQUET)
        return parquet_share(s->parquet);
    double used = s->taken - (double)(s->len - s->at);
    return s->size <= 0 || used >= s->size ? 1 : used / s->size;
}

void stream_close(struct stream *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    if (s->z_ready)
        inflateEnd(&s->z);
    ZSTD_freeDStream(s->zstd);
    parquet_close(s->parquet);
    free(s->path);
    free(s);
}
