// SPDX-License-Identifier: Apache-2.0
// What the files of the fetch share. Three stages: one thread asks the net (fetch.c, fetch_ask.c), workers look into
// what came (fetch_check.c), one thread stores and journals (fetch_store.c). A row is handed from one to the next and
// belongs to one stage at a time.
#ifndef TASK_FETCH_H
#define TASK_FETCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/map.h"
#include "data/catalogue.h"
#include "data/list.h"
#include "data/shard.h"
#include "diht.h"
#include "image/remake.h"
#include "net/client.h"
#include "net/guard.h"
#include "net/hosts.h"
#include "net/url.h"

struct row {
    struct job job;                // first: the hosts' queues
    struct transfer t;
    struct url url;                // where it is asked for now: redirects change it
    int64_t list, row;
    // as the list has it, all in `text`
    char *text;
    const char *key, *address, *caption, *captions, *tags, *split, *extra, *hash;
    bool key_given, waited;        // waited: it came from the journal
    bool put_off;                  // it goes there, so that others may be asked for
    int tries, hops;
    double deadline;               // of all tries together; 0 before the first
    // what became of it
    bool ok;
    char class[CLASS_ROOM], detail[160];
    char sha256[SHA256_HEX];
    const char *format;
    int width, height, original_width, original_height;
    struct buf made;               // resized or converted bytes; empty: the original's
    char *json;                    // KEY.json
    struct row *next;              // in a line between stages
    struct row *younger, **self;   // among the living, for the asking thread
};

// A line of rows from one stage to the next.
struct line {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct row *head, *tail;
    bool closed;
};
void line_init(struct line *l);
void line_free(struct line *l);
void line_put(struct line *l, struct row *chain);                // one or several, chained by `next`
struct row *line_take(struct line *l, int most);                 // up to `most`, chained; waits; NULL: closed and empty
struct row *line_take_all(struct line *l, double seconds);       // waits at most that long (0: not at all); chained
void line_close(struct line *l);

// Counts that any thread may read at any moment.
struct tally {
    pthread_mutex_t lock;
    struct map *classes;           // class -> rows of this run
    int64_t ok, failed, bytes;
};

// Shards on their way to the disk (fetch_sync.c).
enum { SYNC_MOST = 32 };
struct sync {
    pthread_t thread;
    bool running, done;
    int error, count, kept;
    int fd[SYNC_MOST], keep[SYNC_MOST];   // being brought; closed since, to be brought next
    double last;
};

// Somebody who wants to know how rows end, not a dataset: called by the storing thread.
struct fetch_look {
    int (*seen)(void *user, const struct row *r, double seconds);   // since the start
    void *user;
};

struct fetch {
    const diht_fetch_options *o;
    const struct fetch_look *look; // NULL: a dataset is made
    int64_t again;                 // rows that a refetch put back
    // asking
    struct client *client;
    struct guard *guard;
    struct hosts *hosts;
    struct list *list;
    struct ask_robots *asks;       // under way
    struct row *living;            // admitted and not yet stored
    int64_t list_id, admitted, finished, list_rows, putting_off;
    bool list_over, waiting_over;
    int list_rc;                   // it could not be read to its end: what was read is fetched first
    char list_why[600];
    int64_t waiting_after;         // id in the journal's waiting rows
    struct catalogue *reader;      // the journal as it was at the start
    int64_t *done;                 // rows of the list that are done, read ahead
    int64_t done_count, done_at, done_from;
    bool done_over;
    char agent[256];
    double started, looked, goodput, limit;
    int seats;                     // transfers possible at once
    int64_t look_bytes, look_rows;
    struct rng *rng;
    // looking into what came
    struct remake remake;          // `format` NULL: pictures are stored as they came
    pthread_mutex_t big;           // one of the big ones at a time: memory does not grow with the threads
    // between the stages
    struct row *fresh, **fresh_end; // come since the last hand-over to the workers
    struct line checks, stores, spent;
    pthread_t *worker;
    int workers;
    pthread_t store;
    bool storing;
    struct tally tally;
    // storing
    struct catalogue *journal;
    struct shard shard;
    struct sync sync;
    double committed;
    int64_t since;                 // rows put since the last commit
    FILE *log;
    int rc;                        // the store's failure, with its sentence
    char *why;
    bool failed;                   // set with rc; read by the asking thread
};

// fetch.c: from o->list, or, when it is NULL, the rows that wait in the journal. With `look` no result is made.
int fetch_run(const diht_fetch_options *o, const struct fetch_look *look, char **result);
int fetch_open_list(struct list **out, const diht_fetch_options *o);
// fetch_rows.c: one more row from the waiting ones or the list: 1, 0 none left, negative a failure.
int fetch_admit(struct fetch *f, struct row **out);
void row_free(struct row *r);
// fetch_ask.c
int fetch_queue(struct fetch *f, struct row *r);     // into its host's queue, or straight to its end
bool fetch_may_start(const struct fetch *f);         // is there room for one more transfer?
int fetch_start(struct fetch *f);                    // as many transfers as may be under way
void fetch_done(void *user, struct transfer *t);
void fetch_still(void *user, struct transfer *t);
void fetch_drop_asks(struct fetch *f);
void fetch_put_off(struct fetch *f);                 // rows of the host with the longest queue wait in the journal
void fetch_end(struct fetch *f, struct row *r, const char *class, const char *detail);   // failed: to the journal
// fetch_check.c
void *fetch_worker(void *fetch);
// fetch_remake.c
int fetch_remake_open(struct fetch *f);
int fetch_remake(struct fetch *f, struct row *r, const char **why);   // into r->made; *why: a word that says what is bad
// fetch_store.c
int store_open(struct fetch *f);
void *store_run(void *fetch);
int store_close(struct fetch *f);
// fetch_sync.c, all by the storing thread
int sync_shard(struct fetch *f);                       // the shard is closed now: in the next round
int sync_now_and_then(struct fetch *f, double now);
int sync_end(struct fetch *f, double seconds);         // the last round, of a run of so many seconds
// fetch_report.c
void fetch_progress(struct fetch *f, double now);
void fetch_adapt(struct fetch *f, double now);
int fetch_result(const char *dataset, double seconds, int64_t added, bool json, bool hosts, char **result);

#endif
