// SPDX-License-Identifier: Apache-2.0
// A directory of its own for a test program, with drawn pictures; removed at the end.
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <stdarg.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "image/encode.h"

static char scratch_dir[64];

static inline const char *scratch(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline const char *scratch(const char *fmt, ...)
{
    static char path[8][512];   // several in one expression
    static int turn;
    char *p = path[turn = (turn + 1) % 8];
    int n = snprintf(p, sizeof path[0], "%s/", scratch_dir);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p + n, sizeof path[0] - (size_t)n, fmt, ap);
    va_end(ap);
    return p;
}

static inline int shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline int shell(const char *fmt, ...)
{
    char command[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    return system(command);
}

static inline void scratch_begin(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(scratch_dir, sizeof scratch_dir, "%.40s/diht-test-XXXXXX", tmp && strlen(tmp) <= 40 ? tmp : "/tmp");
    if (!mkdtemp(scratch_dir)) {
        perror(scratch_dir);
        exit(99);
    }
}

static inline void scratch_end(void) { shell("rm -rf '%s'", scratch_dir); }

static inline void write_text(const char *name, const char *text, size_t n)
{
    CHECK(file_write(scratch("%s", name), text, n) == 0);
}

// Picture number k: its colours tell it from the others.
static inline void draw(const char *name, int k, int side, int jpeg)
{
    struct image im = {side, side, malloc((size_t)side * (size_t)side * 3)};
    for (int i = 0; i < side * side; i++) {
        im.rgb[3 * i] = (unsigned char)(k * 37 + i / side);
        im.rgb[3 * i + 1] = (unsigned char)(k * 11 + i % side);
        im.rgb[3 * i + 2] = (unsigned char)(k * 5 + 80);
    }
    struct buf b = {0};
    CHECK((jpeg ? image_jpeg(&b, &im, 90) : image_png(&b, &im)) == 0);
    write_text(name, b.at, b.len);
    buf_free(&b);
    image_free(&im);
}

#endif
