// SPDX-License-Identifier: Apache-2.0
#include "task/lines.h"

#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/threads.h"
#include "data/stream.h"

enum { READ = 1 << 17, BLOCK = 4 << 20, PIECE = 1 << 16, PIECES = 2 * BLOCK / PIECE, LINE_MAX_BYTES = 1 << 28 };

struct part {              // of the block: whole lines
    size_t from, to;
    int64_t line;          // number of the first
    struct buf out;
    int rc;
};

struct lines {
    const struct lines_job *job;
    char *block;
    size_t len, room;
    int64_t next_line;
    struct part part[PIECES];
    int parts;
};

static void do_part(void *arg, int64_t piece, int worker)
{
    struct lines *l = arg;
    struct part *p = &l->part[piece];
    struct line line[LINES_AT_ONCE];
    int64_t number = p->line;
    buf_clear(&p->out);
    for (size_t at = p->from; at < p->to && !p->rc;) {
        int count = 0;
        for (; count < LINES_AT_ONCE && at < p->to; count++) {
            const char *text = l->block + at, *end = memchr(text, '\n', p->to - at);
            size_t n = end ? (size_t)(end - text) : p->to - at;
            line[count] = (struct line){text, n, number++};
            at += n + 1;
        }
        p->rc = l->job->lines(l->job->arg, worker, line, count, &p->out);
    }
    if (!p->rc)
        p->rc = p->out.failed;
}

// Where the first PIECE bytes of the block from `at` on end, moved to the end of a line.
static size_t part_end(const struct lines *l, size_t at, size_t whole)
{
    size_t end = at + PIECE;
    if (end >= whole)
        return whole;
    const char *feed = memchr(l->block + end, '\n', whole - end);
    return feed ? (size_t)(feed - l->block) + 1 : whole;
}

// The first `whole` bytes of the block: lines, the last of the input maybe without a line feed.
static int do_block(struct lines *l, struct pool *pool, size_t whole)
{
    int rc = 0;
    if (l->next_line == 1 && whole && l->job->first) {
        const char *feed = memchr(l->block, '\n', whole);
        l->job->first(l->job->arg, l->block, feed ? (size_t)(feed - l->block) : whole);
    }
    for (size_t at = 0; at < whole && !rc;) {
        for (l->parts = 0; at < whole && l->parts < PIECES; l->parts++) {
            struct part *p = &l->part[l->parts];
            p->from = at;
            p->line = l->next_line;
            p->rc = 0;
            at = p->to = part_end(l, at, whole);
            for (const char *c = l->block + p->from; (c = memchr(c, '\n', (size_t)(l->block + p->to - c))); c++)
                l->next_line++;
        }
        pool_run(pool, l->parts, do_part, l);
        for (int i = 0; i < l->parts && !rc; i++) {
            rc = l->part[i].rc ? FAIL(l->part[i].rc, "out of memory near line %" PRId64, l->part[i].line) : 0;
            if (!rc && l->part[i].out.len)
                l->job->write(l->job->user, l->part[i].out.at, l->part[i].out.len);
        }
    }
    memmove(l->block, l->block + whole, l->len - whole);
    l->len -= whole;
    return rc;
}

static int make_room(struct lines *l)
{
    if (l->room - l->len >= READ)
        return 0;
    if (l->room >= LINE_MAX_BYTES)
        return FAIL(EFORMAT_, "line %" PRId64 " is longer than %d MiB: is this text?", l->next_line, LINE_MAX_BYTES >> 20);
    char *more = realloc(l->block, 2 * l->room);
    if (!more)
        return FAIL(EMEMORY_, "out of memory for line %" PRId64, l->next_line);
    l->block = more;
    l->room *= 2;
    return 0;
}

// Would the next read of standard input wait?
static bool waiting(bool standard)
{
    struct pollfd p = {STDIN_FILENO, POLLIN, 0};
    return standard && poll(&p, 1, 0) == 0;
}

static int read_all(struct lines *l, struct stream *s, struct pool *pool, bool standard)
{
    for (;;) {
        if (stop_requested())
            return FAIL(ESTOPPED_, "stopped before line %" PRId64, l->next_line);
        int rc = make_room(l);
        if (rc)
            return rc;
        size_t from = l->len;
        ssize_t got = stream_read(s, l->block + l->len, READ);
        if (got < 0)
            return (int)got;
        if (got == 0)
            return do_block(l, pool, l->len);
        l->len += (size_t)got;
        if (l->len < BLOCK && !waiting(standard))
            continue;
        const char *feed = memrchr(l->block + from, '\n', l->len - from);
        if (!feed && from)   // lines may have come whole while more was at hand
            feed = memrchr(l->block, '\n', from);
        if (feed && (rc = do_block(l, pool, (size_t)(feed - l->block) + 1)) != 0)
            return rc;
    }
}

int lines_run(const struct lines_job *job)
{
    bool standard = !job->input || strcmp(job->input, "-") == 0;
    struct lines *l = calloc(1, sizeof *l);
    struct stream *s = NULL;
    struct pool *pool = NULL;
    int rc = 0;
    stop_clear();
    if (!l || !(l->block = malloc(2 * BLOCK)) || !(pool = pool_new(job->threads, NULL)))
        rc = FAIL(EMEMORY_, "out of memory for reading lines");
    if (!rc) {
        l->job = job;
        l->room = 2 * BLOCK;
        l->next_line = 1;
        rc = job->start(job->arg, pool_threads(pool));
    }
    if (!rc)
        rc = stream_open(&s, standard ? "-" : job->input);
    if (!rc)
        rc = read_all(l, s, pool, standard);
    stream_close(s);
    pool_free(pool);
    for (int i = 0; l && i < PIECES; i++)
        buf_free(&l->part[i].out);
    if (l)
        free(l->block);
    free(l);
    return rc;
}
