// SPDX-License-Identifier: Apache-2.0
// A growing byte string: text being built, a file read whole. Always NUL-terminated beyond `len`.
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

struct buf {
    char *at;     // NULL while empty; owned
    size_t len;   // bytes used
    size_t room;  // bytes allocated
    int failed;   // EMEMORY_ once an append did not fit; later appends do nothing
};

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_str(struct buf *b, const char *text);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_char(struct buf *b, char c);
void buf_clear(struct buf *b);           // keeps the memory
char *buf_steal(struct buf *b);          // the caller frees; "" when empty; NULL after a failed append
void buf_free(struct buf *b);

#endif
