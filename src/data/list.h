// SPDX-License-Identifier: Apache-2.0
// Caption lists: TSV (as it comes, no quoting), CSV (quotes, line breaks inside them; or tabs between the cells, as
// open_clip has it), JSON lines. UTF-8, with or
// without a byte-order mark, LF or CRLF. A first row naming the columns (caption, path; maybe tags, split, key; others
// are passed over) is a header; without one a row is caption, path. Blank lines are no rows. Files packed with gzip or
// zstd are unpacked on the way, Parquet is read as JSON lines; memory does not depend on a list's length.
#ifndef DATA_LIST_H
#define DATA_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct list;

struct list_row {                  // strings live until the next list_next
    int64_t row;                   // 0-based, header not counted
    int64_t line;                  // of the file, 1-based, where the row starts
    const char *key;               // as given, else the row number in eight digits
    int key_given;
    const char *const *captions;   // [caption_count] >= 1, trimmed, not empty
    int caption_count;
    const char *path;              // as written: relative ones are meant from the list's directory
    const char *tags, *split;      // "" when none
    const char *hash;              // expected hash of the picture's bytes; NULL when none
    const char *extra;             // lists of addresses: JSON object of the columns that mean nothing here, or NULL
    const char *bad;               // NULL, or one sentence why the row cannot be used; then only row, line and key hold
                                   // (a path that is a web address is bad too, but all holds)
};

// How a list of web addresses is read: `path` is then the address, a caption may be empty, and lines of bare addresses
// are a list too. Names given here stand before the known ones (url, caption, ...). All zero: a list of files.
// `captions`, with `web`: addresses and files alike, and rows of captions alone; a .txt holds a caption a line.
struct list_columns {
    bool web, captions;
    const char *url, *caption, *hash;   // NULL: the known names; hash: none
};

int list_open_columns(struct list **out, const char *path, const struct list_columns *want);   // NULL: a list of files
int list_open(struct list **out, const char *path); // EMISSING_, EIO_, EFORMAT_ (a header without caption or path)
void list_close(struct list *l);                              // accepts NULL
int list_next(struct list *l, struct list_row *row);          // 1 a row, 0 the end, EMEMORY_, EIO_, EFORMAT_ (packing)
double list_share(const struct list *l);                      // of the file read so far, 0 .. 1
const char *list_dir(const struct list *l);                   // where relative paths start
// The first bytes of the file (up to `most`), to know a list again under another name.
const void *list_head(const struct list *l, size_t most, size_t *n);

// A whole picture file into `out` (cleared first). EMISSING_, EIO_ (also: not a regular file), EUNSUPPORTED_ (over 256
// MiB).
int picture_read(const char *path, struct buf *out);

#endif
