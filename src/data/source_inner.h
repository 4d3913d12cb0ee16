// SPDX-License-Identifier: Apache-2.0
// What the readers behind a source put into it.
#ifndef DATA_SOURCE_INNER_H
#define DATA_SOURCE_INNER_H

#include "data/source.h"

struct source_row {            // strings are copied
    const char *key;           // NULL or "": the row's number in eight digits
    const char *split, *tags;  // NULL: none
    const char *const *captions;
    int caption_count;         // at least one
    int64_t row, label;        // label -1: none
    const char *path;          // the file that holds the picture
    int64_t offset, bytes;     // where in it; offset -1: the whole file
};
int source_put(struct source *s, const struct source_row *r);   // a sample of another split is only counted
// A row that cannot be used: counted, listed, the first few logged. EMEMORY_.
int source_leave_out(struct source *s, int64_t row, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

// The row of the list that a sample's key names: img2dataset's are the shard's number and the row's in it, in nine digits
// for shards of 10,000, eight for 1,000, and so are ours: the number is the row, and dead rows leave gaps. Keys of eight
// or nine digits whose numbers rise are such keys; else `row`. *last: the last such number, -1 at first.
int64_t source_key_row(const char *key, int64_t *last, int64_t row);

const char *source_images(const struct source *s);   // directory the user gave, NULL: none
// "DIR/path" for a path as a list writes it: from the directory given, else from the list's own, or where it exists
// from the working directory. Fresh; NULL: out of memory.
char *source_locate(struct source *s, const char *dir, const char *path);

// The readers. `path` is what the user gave; EFORMAT_, EIO_, EMEMORY_.
int read_json(struct source *s, const char *path);          // ALBEF, COCO, Karpathy
int read_tars(struct source *s, const char *path);          // a WebDataset's directory, or one tar
int read_folders(struct source *s, const char *path);       // class folders

int has_tars(const char *dir);                              // 1 or 0; EIO_, EMEMORY_
bool is_picture_name(const char *name);                     // by its extension

// The names in a directory but those with a leading dot, sorted; the caller frees each and the array. EIO_, EMEMORY_.
int directory_names(const char *dir, char ***names, int64_t *count);
void names_free(char **names, int64_t count);

#endif
