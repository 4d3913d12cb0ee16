// SPDX-License-Identifier: Apache-2.0
// A web server that misbehaves on request, on every address of loopback (127.0.0.0/8), for at most two minutes unless
// `seconds` says more, in a process of its own. What it does stands in the path's first part:
//   ok busy nolen      a picture of its own for every name; busy: 503 with Retry-After: 1 first; nolen: chunked
//   silent trickle drip stall                  says nothing; a byte a second of the body, of everything; half, then nothing
//   endless endless-zero endless-head continue for ever: a body, headers, 100 Continue
//   long-head wide-head cookies                a megabyte of header: one line, many, Set-Cookie
//   longer shorter half broken-off chunks      Content-Length lies; half a picture; a reset in the middle; broken chunks
//   creep creep-on     2,000 bytes a second of a picture's body; without a Content-Length
//   hints              103 Early Hints with an X-Robots-Tag of its own, then a picture
//   cut-head once      closes within the headers; resets a connection's second request
//   html empty garbage old reset bomb mislabelled huge
//   status/NNN limit/N (429, Retry-After: 3600) rate/N (50 pictures a second, else 429)
//   hops/N (N redirects) loop to-loopback to-name to-tls to-file
//   optout optout-us optout-other none         X-Robots-Tag
//   private            robots.txt forbids it
// The robots.txt of 127.SERVER_ROBOTS.K.* leads to a blocked address, to a file, in a circle, to a blocked name.
// A host 127.SERVER_WHOLE.K.* does what server_whole[K] says, whatever it is asked for.
#ifndef TESTS_NET_SERVER_H
#define TESTS_NET_SERVER_H

#include <stdint.h>
#include <sys/types.h>

enum { SERVER_NAMES = 1 << 17, SERVER_WHOLE = 30, SERVER_ROBOTS = 31 };

struct server_host { const char *path, *class; };
extern const struct server_host server_whole[];
extern const unsigned server_wholes;

struct server {
    double seconds;           // set before the start; 0: two minutes
    double answers;           // set before the start: a second, at most; 0: as many as it can
    pid_t pid;
    int port;
    uint32_t *hits;           // [SERVER_NAMES] requests for /ok/N, /rate/N and so on, seen by both processes
    uint32_t *optout_bytes;   // bytes of forbidden bodies that were taken
};

int server_start(struct server *s);   // 0, or -1
void server_stop(struct server *s);
int closed_port(void);                // a port of loopback where nobody listens

#endif
