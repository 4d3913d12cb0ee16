// SPDX-License-Identifier: Apache-2.0
// Lines through a function, several threads at once, what it writes kept in the lines' order. What has come through a
// pipe is answered before more is waited for; a file is read a few megabytes at a time.
#ifndef TASK_LINES_H
#define TASK_LINES_H

#include <stdint.h>

#include "base/buf.h"

enum { LINES_AT_ONCE = 64 };

struct line {
    const char *text;   // without its line feed
    size_t n;
    int64_t number;     // from 1
};

struct lines_job {
    const char *input;   // NULL or "-": standard input; packed with gzip or zstd or not
    int threads;         // 0: one a processor
    // Consecutive lines, at most LINES_AT_ONCE; 0 or EMEMORY_. What a line becomes may depend on the line alone.
    int (*lines)(void *arg, int worker, const struct line *line, int count, struct buf *out);
    int (*start)(void *arg, int workers);                       // before anything is read
    void (*first)(void *arg, const char *text, size_t n);       // may be NULL: sees line 1 before any line is done
    void *arg;
    void (*write)(void *user, const char *text, size_t n);
    void *user;
};

int lines_run(const struct lines_job *job);

#endif
