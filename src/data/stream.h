// SPDX-License-Identifier: Apache-2.0
// A file read from front to end, unpacked on the way when its first bytes say gzip or zstd; Parquet
// comes as lines of JSON (data/parquet.h). Memory does not depend on
// its length, packed or not.
#ifndef DATA_STREAM_H
#define DATA_STREAM_H

#include <stddef.h>
#include <sys/types.h>

struct stream;

int stream_open(struct stream **out, const char *path);          // "-": standard input; EMISSING_, EIO_, EMEMORY_
ssize_t stream_read(struct stream *s, void *to, size_t n);       // bytes, 0 at the end, EIO_, EFORMAT_ (damaged, cut off)
double stream_share(const struct stream *s);                     // of the file on the disk read so far, 0 .. 1
void stream_close(struct stream *s);                             // accepts NULL

#endif
