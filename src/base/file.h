// SPDX-License-Identifier: Apache-2.0
// Files: whole reads, read-only maps, writes that are either complete or absent.
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

int file_read(const char *path, struct buf *out);            // appends the whole file
bool file_exists(const char *path);
bool file_is_dir(const char *path);
int dir_make(const char *path);                               // with parents; present is fine

struct file_map {
    const unsigned char *at;   // NULL for an empty file
    size_t size;
    void *base;                // owned by file_unmap
};
int file_map(struct file_map *m, const char *path);
void file_unmap(struct file_map *m);
// These bytes of a map will not be needed soon: they leave this process's memory, and are read again if they are after all.
void file_map_forget(const void *at, size_t n);

// Write beside the target, then rename over it: a reader sees the old file or the new one, never a part.
struct atomic_file {
    FILE *f;
    char *path, *temp;
};
int atomic_open(struct atomic_file *a, const char *path);
int atomic_commit(struct atomic_file *a);    // flush, fsync, rename, fsync the directory; on failure nothing is replaced
void atomic_abort(struct atomic_file *a);    // after commit: nothing
int file_write(const char *path, const void *bytes, size_t n);   // atomically
int file_write_in(const char *dir, const char *name, const char *text);   // the same; NULL: nothing to write

// "dir/name" in a fresh string (free it); an absolute name stands alone. NULL: out of memory.
char *path_join(const char *dir, const char *name);
char *path_dir(const char *path);            // fresh "." when none
const char *path_name(const char *path);     // part after the last '/', borrowed
const char *path_ext(const char *path);      // ".jpg" or "", borrowed

#endif
