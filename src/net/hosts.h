// SPDX-License-Identifier: Apache-2.0
// Politeness: who may be asked when. Every host has a queue of jobs, a limit of connections and a least time between
// two starts; hosts with something to do are served in turn. Jobs that are to be tried again come back at their time.
#ifndef NET_HOSTS_H
#define NET_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/busy.h"
#include "net/class.h"
#include "net/client.h"
#include "net/usual.h"

struct robots;

struct job {                  // first member of what the caller queues
    struct job *next;
    struct host *host;
    bool begun;               // its clock runs: it is not to wait behind others, unless,
    bool again;               // asked before, it waits for its host, which is left alone
    bool sample;              // taken from anywhere in the queue
};

struct host {
    char *name;               // "http://example.org:80"
    // the caller's knowledge of it
    enum { ROBOTS_UNKNOWN, ROBOTS_ASKED /* nobody starts */, ROBOTS_KNOWN, ROBOTS_SHUT /* all refused */ } robots;
    const char *refused;      // its name is an address that may not be connected to: what it is; else NULL
    struct robots *rules;     // owned
    double rules_until;       // ROBOTS_KNOWN or ROBOTS_SHUT until then
    int robots_tries;
    double delay;             // seconds between starts, at least
    int answers;              // any answer by HTTP
    int lost;                 // tries in a row, all over the queue, that came to nothing
    int trouble;              // transfers in a row that hang, were refused or came to nothing
    double given_up_until;    // no tries before
    char given_up_class[CLASS_ROOM];   // how its rows end until then
    struct patience patience; // what takes longer hangs
    double hung_since;        // some of its transfers have hung ever since
    double slowest;           // seconds that an answer took that ended by itself, at most
    // the queue's own
    struct usual usual, whole;   // seconds to an answer, to its end
    double most;              // connections now: fewer than per_host while it is left alone
    struct busy busy;
    int fine;                 // answers to rows that were not "too busy"
    struct job *head, *tail;
    struct job *finger;       // behind it the next sample is sought; NULL: at the head
    int queued, active, refs; // refs: jobs anywhere, so that it is not forgotten
    int stalled;              // under way and standing still: not among the active
    bool ready, slept;        // in the ring; in the timers
    int turn;                 // jobs started in a row
    double next_start;
    struct host *ring;        // next in the ring
    struct host *chain, *older, *newer;
};

struct hosts;

struct hosts_options {
    int per_host;             // connections
    double delay;             // seconds between two starts
    double budget;            // seconds that a job may take: how long one host may be waited for
    int most;                 // remembered without jobs
};

int hosts_new(struct hosts **out, const struct hosts_options *o);
void hosts_free(struct hosts *h);                                      // jobs are the caller's; accepts NULL

struct host *hosts_get(struct hosts *h, const char *name);             // NULL: no memory
void hosts_keep(struct hosts *h, struct host *host);                   // one job more holds it
void hosts_drop(struct hosts *h, struct host *host);                   // one less
void hosts_add(struct hosts *h, struct job *j, bool front);            // j->host set and held
int hosts_later(struct hosts *h, struct job *j, double when);          // joins its host's queue then
// A job whose host may be asked now (it counts as active until hosts_done), or NULL. Hosts take turns, those with much to
// do longer ones: they are what all will wait for in the end.
struct job *hosts_next(struct hosts *h, double now);
void hosts_wake(struct hosts *h, struct host *host);                   // its robots.txt is known now
void hosts_done(struct hosts *h, struct host *host);
void hosts_undone(struct hosts *h, struct host *host);                 // it was not asked after all: costs no delay
// One of its transfers, begun at `started`, stands still, or moves again. Such ones do not keep others from being asked
// for, but for a host that answers nothing there are few of them.
void hosts_stalled(struct hosts *h, struct host *host, bool still, double started);
void hosts_greeted(struct hosts *h, struct host *host, double waited);   // its robots.txt was answered after so long
// It answered. When all its answers are that it is too busy it is left alone for a time that grows, then one connection
// tries; every other answer opens more again (net/busy.h). true: that took the whole budget, or what it asks for would.
bool hosts_answered(struct hosts *h, struct host *host, const struct answer *a, double now);
// The jobs of the host with the longest queue, but its first `keep`, chained; NULL: no queue is longer. They are the
// caller's again, still holding the host.
struct job *hosts_take_rest(struct hosts *h, int keep);
double hosts_due(const struct hosts *h);                               // when something changes by itself; HUGE_VAL never

#endif
