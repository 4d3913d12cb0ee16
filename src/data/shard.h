// SPDX-License-Identifier: Apache-2.0
// WebDataset shards: KEY.jpg, KEY.txt, KEY.json in tar files that any tar reads at every moment.
#ifndef DATA_SHARD_H
#define DATA_SHARD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct shard {
    int fd;               // -1: none open
    char *path;
    int64_t number;
    int64_t bytes;        // members so far; the end mark of 1024 zero bytes follows them
    int64_t samples;
    struct buf group;     // a sample's members on their way to the file
};

// "DATASET/shards/00012.tar", fresh; NULL: out of memory.
char *shard_path(const char *dataset, int64_t number);

// Open for adding behind the first `bytes` bytes; what lies behind them (left by a crash) is dropped.
int shard_open(struct shard *s, const char *dataset, int64_t number, int64_t bytes, int64_t samples);
// Add a sample's members; *offset: where the picture's bytes lie. EFULL_, EIO_: nothing of the sample counts then.
int shard_add(struct shard *s, const char *key, const char *extension, const void *picture, size_t n,
              const char *caption, const char *json, int64_t *offset);
int shard_sync(struct shard *s);     // everything added is on the disk when it returns
void shard_close(struct shard *s);   // accepts one never opened (all zero with fd -1)

// Bytes offset .. offset + bytes - 1 of any file, appended. Opened anew each time: cheap beside decoding, and no limit on
// the number of shards. EMISSING_, EIO_ (also: the file ends before), EMEMORY_; the sentence names the file.
int shard_read(const char *path, int64_t offset, int64_t bytes, struct buf *out);

#endif
