// SPDX-License-Identifier: Apache-2.0
// The members of a tar file of any origin (ustar, GNU, pax), their data left where it lies.
#ifndef DATA_TAR_H
#define DATA_TAR_H

#include <stdint.h>

#include "base/buf.h"

struct tar;

struct tar_member {
    const char *name;        // until the next tar_next
    int64_t offset, bytes;   // of its data in the file
};

int tar_open(struct tar **out, const char *path);                                  // EMISSING_, EIO_
int tar_next(struct tar *t, struct tar_member *m);   // 1 a regular file, 0 the end, EFORMAT_ (damaged, cut off), EIO_
int tar_read(struct tar *t, const struct tar_member *m, struct buf *out);          // its data; `out` is cleared first
void tar_close(struct tar *t);                                                     // accepts NULL

#endif
