// SPDX-License-Identifier: Apache-2.0
// The catalogue as a fetch's journal. A row of a list is waiting (put off, or to be tried again), done (ok, or bad with
// its class as the reason), or not yet met. What was committed outlives a kill at any moment.
#ifndef DATA_JOURNAL_H
#define DATA_JOURNAL_H

#include <stddef.h>

#include "data/catalogue.h"

// Rows >= `from` of a list that are done or waiting, ascending, at most `most`; *n of them.
int journal_done(struct catalogue *c, int64_t list, int64_t from, int64_t most, int64_t *rows /* most */, int64_t *n);

// `s` with its row's fields; hash: what the list expects, or NULL.
int journal_wait(struct catalogue *c, const struct catalogue_sample *s, const char *hash);
// The first waiting row behind id `after`: 1 and its fields (valid until the next call), 0 none.
int journal_waiting(struct catalogue *c, int64_t after, struct catalogue_sample *out, const char **hash);
int journal_waited(struct catalogue *c, int64_t list, int64_t row);   // it waits no more
// Bad rows of these classes ("timeout,http-503", "all") wait from now on; *n of them.
int journal_again(struct catalogue *c, const char *classes, int64_t *n);

// Key of the first good sample with these bytes into key[room]: 1, or 0 when there is none.
int journal_same_bytes(struct catalogue *c, const char *sha256, char *key, size_t room);
int journal_list_rows(struct catalogue *c, int64_t list, int64_t rows);   // how many the list has, once known

int journal_checkpoint(struct catalogue *c);   // after what was committed is on the disk too: the log into the file
int journal_end(struct catalogue *c);          // commit; one plain file again

// By class: "ok", "repeats" (ok ones that repeat another's bytes; counted in ok too), "waiting", and every class of
// failure.
int journal_classes(struct catalogue *c, int (*each)(void *user, const char *class, int64_t count, int64_t bytes),
                    void *user);
// Every bad row's address and class, in no order.
int journal_bad(struct catalogue *c, int (*each)(void *user, const char *url, const char *class), void *user);

#endif
