// SPDX-License-Identifier: Apache-2.0
//   header: 256 bytes of text | row: a mark that only row i can have, d floats | row ...
#include "task/feature_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

enum { HEADER = 256, GOOD = 1, BAD = 2 };

struct feature_file {
    FILE *f;
    char *path;
    float *zeros;      // [d]
    int64_t d, rows;
    bool full;         // writing failed: what is there stays, nothing more is kept
};

static uint32_t mark_of(int64_t i, uint32_t state) { return ((uint32_t)i + 1) * 0x9E3779B1u ^ state; }
static int64_t row_bytes(const struct feature_file *f) { return 4 + 4 * f->d; }
static int64_t row_at(const struct feature_file *f, int64_t i) { return HEADER + i * row_bytes(f); }

static int failed(const struct feature_file *f, const char *what)
{
    int err = errno;
    return FAIL(error_from_errno(err), "%s: %s: %s", f->path, what, strerror(err));
}

// A job does not fail for what is only kept for the next one.
static int give_up(struct feature_file *f)
{
    if (!f->full)
        log_warn("%s: writing failed: %s; features are not kept any more", f->path, strerror(errno));
    f->full = true;
    return 0;
}

// Its mark tells a row that was written from what a crash of the machine may leave.
static uint32_t state_of(struct feature_file *f, int64_t i)
{
    uint32_t mark = 0;
    if (fseeko(f->f, row_at(f, i), SEEK_SET) != 0 || fread(&mark, sizeof mark, 1, f->f) != 1)
        return 0;
    return mark ^ mark_of(i, 0);
}

static int find_end(struct feature_file *f, const char *header, int64_t n)
{
    char found[HEADER];
    struct stat st;
    if (fstat(fileno(f->f), &st) != 0)
        return failed(f, "cannot be looked at");
    f->rows = 0;
    if (fread(found, HEADER, 1, f->f) == 1 && memcmp(found, header, HEADER) == 0) {
        f->rows = (st.st_size - HEADER) / row_bytes(f);
        f->rows = f->rows > n ? n : f->rows;
        while (f->rows > 0 && state_of(f, f->rows - 1) != GOOD && state_of(f, f->rows - 1) != BAD)
            f->rows--;
        return feature_file_cut(f, f->rows);
    }
    if (ftruncate(fileno(f->f), 0) != 0 || fseeko(f->f, 0, SEEK_SET) != 0 || fwrite(header, HEADER, 1, f->f) != 1)
        return failed(f, "writing failed");
    return feature_file_flush(f);
}

int feature_file_open(struct feature_file **out, const char *dir, const char *name, const char *what, int64_t d,
                      int64_t n)
{
    char header[HEADER] = "";
    *out = NULL;
    if (!dir)
        return 0;
    snprintf(header, sizeof header, "diht features 1\n%.200s\nwidth %lld\n", what, (long long)d);
    struct feature_file *f = calloc(1, sizeof *f);
    int rc = f && (f->path = path_join(dir, name)) && (f->zeros = calloc((size_t)d, sizeof *f->zeros)) ? 0 : EMEMORY_;
    if (rc) {
        feature_file_close(f);
        return FAIL(EMEMORY_, "%s: out of memory", dir);
    }
    f->d = d;
    rc = dir_make(dir);
    int fd = rc ? -1 : open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (!rc && fd < 0)
        rc = failed(f, "cannot be written");
    if (!rc && flock(fd, LOCK_EX | LOCK_NB) != 0)
        rc = FAIL(EIO_, "%s: another process is writing it", f->path);
    if (!rc && !(f->f = fdopen(fd, "r+b")))
        rc = failed(f, "cannot be written");
    if (rc && fd >= 0)
        close(fd);
    if (!rc)
        rc = find_end(f, header, n);
    if (rc) {
        log_warn("features are not kept: %s", error_last());
        feature_file_close(f);
        return rc == EMEMORY_ ? rc : 0;
    }
    *out = f;
    return 0;
}

void feature_file_close(struct feature_file *f)
{
    if (!f)
        return;
    if (f->f)
        fclose(f->f);
    free(f->path);
    free(f->zeros);
    free(f);
}

int64_t feature_file_rows(const struct feature_file *f) { return f ? f->rows : 0; }

int feature_file_read(struct feature_file *f, int64_t i, bool *good, float *row)
{
    uint32_t state = state_of(f, i);
    if ((state != GOOD && state != BAD) || fread(row, sizeof *row, (size_t)f->d, f->f) != (size_t)f->d)
        return FAIL(EFORMAT_, "%s: row %lld is damaged: remove the file", f->path, (long long)i);
    *good = state == GOOD;
    return 0;
}

int feature_file_cut(struct feature_file *f, int64_t rows)
{
    if (!f || f->full)
        return 0;
    if (fflush(f->f) != 0 || ftruncate(fileno(f->f), row_at(f, rows)) != 0 ||
        fseeko(f->f, row_at(f, rows), SEEK_SET) != 0)
        return give_up(f);
    f->rows = rows;
    return 0;
}

int feature_file_add(struct feature_file *f, bool good, const float *row)
{
    if (!f || f->full)
        return 0;
    uint32_t mark = mark_of(f->rows, good ? GOOD : BAD);
    if (fwrite(&mark, sizeof mark, 1, f->f) != 1 ||
        fwrite(good ? row : f->zeros, sizeof *row, (size_t)f->d, f->f) != (size_t)f->d)
        return give_up(f);
    f->rows++;
    return 0;
}

int feature_file_flush(struct feature_file *f)
{
    return f && !f->full && fflush(f->f) != 0 ? give_up(f) : 0;
}
