// SPDX-License-Identifier: Apache-2.0
// Samples behind one interface: a dataset directory (catalogue + shards) or a plain caption list.
#ifndef DATA_SOURCE_H
#define DATA_SOURCE_H

#include <stdint.h>

#include "base/buf.h"

struct source;

struct sample {                    // strings live as long as the source
    const char *key;
    const char *tags;              // comma-separated, "" when none
    const char *split;             // "" when none
    const char *const *captions;   // [caption_count], at least one; the first is the label
    int caption_count;
    int64_t row;                   // row of the source list, 0-based (header not counted): what --ranges means
};

// `path`: a dataset directory or a TSV/CSV/JSONL list. `split`: only its samples (NULL or "": all).
// Samples marked bad in the catalogue, or rows a list cannot give, are left out and counted. EMISSING_ when nothing is
// left, naming the splits there are.
int source_open(struct source **out, const char *path, const char *split);
void source_close(struct source *s);                             // accepts NULL

int64_t source_count(const struct source *s);                    // samples, in the order of the list
int64_t source_excluded(const struct source *s);                 // left out at open: bad rows of the chosen split
int64_t source_rows(const struct source *s);                     // 1 + highest row of the list, left out ones included
const char *source_path(const struct source *s);
void source_sample(const struct source *s, int64_t i, struct sample *out);

// The picture file's bytes, read now. Thread-safe. EIO_, EMISSING_, naming the file and the key.
int source_image(const struct source *s, int64_t i, struct buf *out);

// Samples grouped by their first caption: group[i] in 0 .. groups-1 by first occurrence. The caller frees *group.
int source_groups(const struct source *s, int64_t **group /* count */, int64_t *groups);

#endif
