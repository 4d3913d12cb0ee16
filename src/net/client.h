// SPDX-License-Identifier: Apache-2.0
// Many transfers at once in one thread (libcurl multi over epoll): kept connections, HTTP/2, shared TLS sessions, every
// limit held by us: total deadline, minimum rate, bytes, memory of all bodies together. Redirects are not followed:
// the caller asks again, so that each hop passes its own checks.
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/class.h"

struct guard;
struct client;

// Seconds after which a transfer is said to hang.
struct patience {
    double first, gap, whole;     // to the answer's first line, from one byte of the answer to the next, to its end
};

struct transfer {
    // what is asked for; borrowed until it is done
    const char *url;
    double deadline;              // as clock_now()
    double still_until;           // given up from then on if it hangs; 0: at the deadline
    const struct patience *patience;   // when it hangs; borrowed, may change; NULL: it never does
    int64_t most;                 // bytes of the body, unpacked
    bool any;                     // whatever its content and headers say (robots.txt)
    void *user;
    // how it went, once done
    char class[CLASS_ROOM];       // "": answered with 200 and a whole body, or redirected (location)
    bool again;                   // another try may fare better
    char detail[160];
    int status;                   // 0: no answer
    bool connected;               // there was a connection to ask over
    char *location;               // where a redirect leads, absolute; owned
    double retry_after;           // seconds that the server asked for, 0 none
    struct buf body;              // owned; empty when it did not pass `wanted`
    int64_t bytes;                // of the body as unpacked, kept or not
    int64_t held;                 // of the memory budget: give back with client_release when the body is freed
    double started, waited;       // as clock_now(); seconds to the answer's first line, 0 none came
    bool still;                   // it hangs
};

struct client_options {
    const struct guard *guard;    // borrowed
    const char *agent;            // User-Agent header
    const char *token;            // our name in X-Robots-Tag
    const char *ca_file;          // PEM, certificates that are trusted; NULL: the system's
    double connect_timeout;       // seconds
    double min_rate;              // bytes a second, looked at every few seconds after the first byte
    int64_t memory;               // bytes of bodies held at once; one body may go beyond
    int most;                     // transfers at once, for tables
    bool (*wanted)(const void *bytes, size_t n);   // may the body be what is sought, by its first bytes? NULL: always
    void (*done)(void *user, struct transfer *t);
    void (*still)(void *user, struct transfer *t);   // t->still changed; false again before `done` is called
    void *user;
};

int client_new(struct client **out, const struct client_options *o);
void client_free(struct client *c);                    // drops what is under way; accepts NULL
int client_start(struct client *c, struct transfer *t);
int client_active(const struct client *c);
int client_moving(const struct client *c);             // those that got a byte not longer ago than answers usually take
int64_t client_received(const struct client *c);       // bytes of bodies so far
bool client_full(const struct client *c);              // no memory for more bodies: start none
// Work for up to `seconds`, earlier when a transfer ends or client_wake is called; `done` is called from here.
int client_wait(struct client *c, double seconds);
void client_wake(struct client *c);                    // from any thread
void client_release(struct client *c, int64_t held);   // the client's thread
void transfer_clear(struct transfer *t);               // frees location and body

#endif
