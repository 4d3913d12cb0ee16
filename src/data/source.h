// SPDX-License-Identifier: Apache-2.0
// Samples behind one interface: a dataset directory (catalogue + shards), a caption list, and what others keep their
// evaluation data in: WebDataset tars, class folders, JSON of the ALBEF, COCO and Karpathy kinds.
#ifndef DATA_SOURCE_H
#define DATA_SOURCE_H

#include <stdbool.h>
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
    int64_t label;                 // class, -1: none
};

struct source_options {            // NULL and 0: not given
    const char *split;             // only its samples
    const char *images;            // directory that picture paths start from; rows of web addresses: files named by row
    int64_t first, last;           // only rows first .. last-1 of the list; last 0: to the end
    bool kept;                     // only samples of a dataset that the filter kept
};

// `path`: a dataset directory; a TSV/CSV/JSONL list; a directory of tars (ours, img2dataset's, open_clip's; one with
// nshards.txt, as CLIP_benchmark lays its sets out, holds one caption a line) or one tar; a directory of class folders,
// maybe inside split folders (captions are the folders' names, labels their places in order); a directory of pictures
// with KEY.txt beside KEY.jpg (no .txt at all: the name is the caption), or of folders of such pairs (img2dataset's
// files); a JSON file: a list of
// {"image", "caption": text or texts}, COCO's captions, Karpathy's splits.
// Samples marked bad in the catalogue, or rows a list cannot give, are left out, counted and listed. EMISSING_ when
// nothing is left, naming the splits there are.
int source_open(struct source **out, const char *path, const char *split);   // split NULL or "": all
int source_open_with(struct source **out, const char *path, const struct source_options *o);
void source_close(struct source *s);                             // accepts NULL

int64_t source_count(const struct source *s);                    // samples, in the order of the list
int64_t source_excluded(const struct source *s);                 // left out at open: bad rows of the chosen split
// One that was left out, 0 .. listed-1: its row and why. Only so many are kept.
int64_t source_excluded_listed(const struct source *s);
const char *source_excluded_at(const struct source *s, int64_t i, int64_t *row);
int64_t source_rows(const struct source *s);                     // 1 + highest row of the list, left out ones included
const char *source_path(const struct source *s);
void source_sample(const struct source *s, int64_t i, struct sample *out);

// The picture file's bytes, read now. Thread-safe. EIO_, EMISSING_, naming the file and the key.
int source_image(const struct source *s, int64_t i, struct buf *out);

// The file that holds the picture and where in it (offset -1: all of it); NULL: a dataset's own shard.
const char *source_place(const struct source *s, int64_t i, int64_t *offset, int64_t *bytes);

// What names the picture besides its key: file, place in it, size and time of change; appended as a line of text.
void source_identity(const struct source *s, int64_t i, struct buf *out);

// Samples grouped by their first caption: group[i] in 0 .. groups-1 by first occurrence. The caller frees *group.
int source_groups(const struct source *s, int64_t **group /* count */, int64_t *groups);

#endif
