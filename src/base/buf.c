// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static int reserve(struct buf *b, size_t more)
{
    if (b->failed)
        return b->failed;
    size_t need = b->len + more + 1;
    if (need <= b->room)
        return 0;
    size_t room = b->room ? b->room : 64;
    while (room < need)
        room *= 2;
    char *p = realloc(b->at, room);
    if (!p)
        return b->failed = FAIL(EMEMORY_, "out of memory: a text of %zu bytes did not fit", need);
    b->at = p;
    b->room = room;
    return 0;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
    if (reserve(b, n))
        return;
    if (n)
        memcpy(b->at + b->len, bytes, n);
    b->len += n;
    b->at[b->len] = 0;
}

void buf_str(struct buf *b, const char *text) { buf_add(b, text, strlen(text)); }
void buf_char(struct buf *b, char c) { buf_add(b, &c, 1); }

void buf_fmt(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n >= 0 && !reserve(b, (size_t)n)) {
        vsnprintf(b->at + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->at)
        b->at[0] = 0;
}

char *buf_steal(struct buf *b)
{
    buf_add(b, "", 0);
    char *p = b->failed ? NULL : b->at;
    if (b->failed)
        free(b->at);
    memset(b, 0, sizeof *b);
    return p;
}

void buf_free(struct buf *b)
{
    free(b->at);
    memset(b, 0, sizeof *b);
}
