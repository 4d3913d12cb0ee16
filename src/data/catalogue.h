// SPDX-License-Identifier: Apache-2.0
// The catalogue of a dataset: one row a sample in SQLite, good or bad, and how much of each shard counts. A shard's
// bytes reach the disk before the rows that point to them are committed; after a crash the shard is cut back to what
// the catalogue knows, so nothing half-written is ever read as whole.
#ifndef DATA_CATALOGUE_H
#define DATA_CATALOGUE_H

#include <stdbool.h>
#include <stdint.h>

struct catalogue;
struct list;

struct catalogue_sample {
    int64_t id;                     // 0: new
    int64_t list, row;              // which list, which of its rows
    const char *key;
    const char *url;                // path or address as the list gives it
    const char *caption;            // the first; NULL in a row that could not be read
    const char *captions;           // JSON array when there are several, else NULL
    const char *tags, *split;       // NULL or "" when none
    bool ok;
    const char *reason, *detail;    // why it is bad: a word or two to count by, and the sentence
    int64_t bytes;                  // of the picture file
    const char *sha256, *format;    // NULL when bad
    int width, height;
    int64_t shard, offset;          // of the picture's bytes in shards/SHARD.tar
    const char *extra;              // JSON object of the list's further columns, or NULL
    const char *duplicate;          // key of an earlier sample of the same bytes, or NULL
    int status;                     // HTTP's answer, 0 when there was none
    const char *verdict;            // catalogue_walk: the filter's, "kept" or what dropped it; NULL: it was not asked
};

// To write: made when absent, one writer at a time.
int catalogue_open(struct catalogue **out, const char *dataset, bool write);
// The same for a fetch (data/journal.h): one catalogue and one writer a rank.
int catalogue_open_journal(struct catalogue **out, const char *dataset, int rank);
void catalogue_close(struct catalogue *c);   // what was not committed is dropped; accepts NULL

// The list's number: known by its path, or by its first bytes when it was moved.
int catalogue_list(struct catalogue *c, const struct list *l, const char *path, int64_t *id);

// 1 and the row's id, list, state, url and caption (valid until the next call), or 0 when there is none. By list and
// row, or by key among the good ones.
int catalogue_find(struct catalogue *c, int64_t list, int64_t row, struct catalogue_sample *out);
int catalogue_find_key(struct catalogue *c, const char *key, struct catalogue_sample *out);
int catalogue_put(struct catalogue *c, const struct catalogue_sample *s);      // insert, or replace row `id`

// The last shard; number -1 when there is none.
int catalogue_shard(struct catalogue *c, int64_t *shard, int64_t *bytes, int64_t *samples);
int catalogue_shard_put(struct catalogue *c, int64_t shard, int64_t bytes, int64_t samples);
int catalogue_totals(struct catalogue *c, int64_t *shards, int64_t *bytes, int64_t *ok, int64_t *bad);
int catalogue_commit(struct catalogue *c);

// Every sample in the order of lists and rows: 0, or the first nonzero result of `each`.
int catalogue_walk(struct catalogue *c, int (*each)(void *user, const struct catalogue_sample *s), void *user);

// The catalogues of a dataset directory, sorted; the caller frees each and the array. EMISSING_ when there is none.
int catalogue_paths(const char *dataset, char ***paths, int *count);
int catalogue_open_file(struct catalogue **out, const char *path);             // for reading

#endif
