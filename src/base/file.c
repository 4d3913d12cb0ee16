// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"

int file_read(const char *path, struct buf *out)
{
    char block[1 << 16];
    FILE *f = fopen(path, "rb");
    if (!f)
        return FAIL(error_from_errno(errno), "%s: cannot open: %s", path, strerror(errno));
    size_t n;
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        buf_add(out, block, n);
    buf_add(out, "", 0);   // an empty file is an empty text, not NULL
    int rc = ferror(f) ? FAIL(EIO_, "%s: reading failed: %s", path, strerror(errno)) : out->failed;
    fclose(f);
    return rc;
}

bool file_exists(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0;
}

bool file_is_dir(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

int dir_make(const char *path)
{
    if (!*path)
        return FAIL(EUSAGE_, "the name of a directory is empty");
    char *copy = strdup(path);
    if (!copy)
        return FAIL(EMEMORY_, "out of memory");
    int rc = 0;
    for (char *p = copy + 1;; p++) {
        if (*p != '/' && *p)
            continue;
        char keep = *p;
        *p = 0;
        if (mkdir(copy, 0777) != 0 && errno != EEXIST) {
            rc = FAIL(error_from_errno(errno), "%s: cannot make the directory: %s", copy, strerror(errno));
            break;
        }
        *p = keep;
        if (!keep)
            break;
    }
    if (!rc && !file_is_dir(path))
        rc = FAIL(EIO_, "%s: is a file, a directory was expected", path);
    free(copy);
    return rc;
}

int file_map(struct file_map *m, const char *path)
{
    memset(m, 0, sizeof *m);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return FAIL(error_from_errno(errno), "%s: cannot open: %s", path, strerror(errno));
    struct stat s;
    int rc = 0;
    if (fstat(fd, &s) != 0)
        rc = FAIL(EIO_, "%s: cannot read its size: %s", path, strerror(errno));
    else if (!S_ISREG(s.st_mode))
        rc = FAIL(EIO_, "%s: is not a regular file", path);
    else if (s.st_size > 0) {
        void *p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            rc = FAIL(error_from_errno(errno), "%s: cannot map: %s", path, strerror(errno));
        else {
            m->base = p;
            m->at = p;
            m->size = (size_t)s.st_size;
        }
    }
    close(fd);
    return rc;
}

void file_unmap(struct file_map *m)
{
    if (m->base)
        munmap(m->base, m->size);
    memset(m, 0, sizeof *m);
}

void file_map_forget(const void *at, size_t n)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = ((uintptr_t)at + page - 1) / page * page,
              to = ((uintptr_t)at + n) / page * page;   // whole pages: the others hold a neighbour's bytes
    if (from < to)
        (void)madvise((void *)from, to - from, MADV_DONTNEED);
}

int atomic_open(struct atomic_file *a, const char *path)
{
    struct stat s;
    memset(a, 0, sizeof *a);
    // renaming over /dev/null or a pipe would put a plain file in its place
    if (stat(path, &s) == 0 && !S_ISREG(s.st_mode))
        return FAIL(EUSAGE_, "%s: is %s; name a plain file to write", path,
                    S_ISDIR(s.st_mode) ? "a directory" : "a device or a pipe");
    a->path = strdup(path);
    // the process id keeps two writers of one target apart
    if (!a->path || asprintf(&a->temp, "%s.%ld.part", path, (long)getpid()) < 0) {
        a->temp = NULL;
        atomic_abort(a);
        return FAIL(EMEMORY_, "out of memory");
    }
    a->f = fopen(a->temp, "wb");
    if (!a->f) {
        int rc = FAIL(error_from_errno(errno), "%s: cannot write: %s", a->temp, strerror(errno));
        atomic_abort(a);
        return rc;
    }
    return 0;
}

static void sync_dir(const char *path)
{
    char *dir = path_dir(path);
    int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        fsync(fd);   // best effort: some file systems refuse it for directories
        close(fd);
    }
    free(dir);
}

static bool no_space(const char *path)
{
    char *dir = path_dir(path);
    struct statvfs v;
    bool none = dir && statvfs(dir, &v) == 0 && v.f_bavail * v.f_frsize < 1 << 20;
    free(dir);
    return none;
}

int atomic_commit(struct atomic_file *a)
{
    int rc = 0;
    bool earlier = ferror(a->f) != 0;   // a write failed before: its errno is gone, space is the usual reason
    if (fflush(a->f) != 0 || fsync(fileno(a->f)) != 0)
        rc = FAIL(error_from_errno(errno), "%s: writing failed: %s (what was there before is untouched)", a->path,
                  strerror(errno));
    else if (earlier)
        rc = no_space(a->path)
                 ? FAIL(EFULL_, "%s: writing failed: the disk is full (what was there before is untouched)", a->path)
                 : FAIL(EIO_, "%s: writing failed (what was there before is untouched)", a->path);
    if (fclose(a->f) != 0 && !rc)
        rc = FAIL(error_from_errno(errno), "%s: writing failed: %s (what was there before is untouched)", a->path,
                  strerror(errno));
    a->f = NULL;
    if (!rc && rename(a->temp, a->path) != 0)
        rc = FAIL(error_from_errno(errno), "%s: cannot rename %s to it: %s", a->path, a->temp, strerror(errno));
    if (!rc) {
        free(a->temp);
        a->temp = NULL;
        sync_dir(a->path);
    }
    atomic_abort(a);
    return rc;
}

void atomic_abort(struct atomic_file *a)
{
    if (a->f)
        fclose(a->f);
    if (a->temp)
        unlink(a->temp);
    free(a->temp);
    free(a->path);
    memset(a, 0, sizeof *a);
}

int file_write(const char *path, const void *bytes, size_t n)
{
    struct atomic_file a;
    int rc = atomic_open(&a, path);
    if (rc)
        return rc;
    fwrite(bytes, 1, n, a.f);   // a short write shows in atomic_commit's ferror
    return atomic_commit(&a);
}

int file_write_in(const char *dir, const char *name, const char *text)
{
    char *path = text ? path_join(dir, name) : NULL;
    int rc = path ? file_write(path, text, strlen(text)) : text ? EMEMORY_ : 0;
    free(path);
    return rc;
}

char *path_join(const char *dir, const char *name)
{
    char *out = NULL;
    if (name[0] == '/' || !dir || !dir[0])
        out = strdup(name);
    else if (asprintf(&out, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name) < 0)
        out = NULL;
    if (!out)
        FAIL(EMEMORY_, "out of memory");
    return out;
}

char *path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *out = !slash ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    if (!out)
        FAIL(EMEMORY_, "out of memory");
    return out;
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *path_ext(const char *path)
{
    const char *dot = strrchr(path_name(path), '.');
    return dot && dot != path_name(path) ? dot : "";
}
