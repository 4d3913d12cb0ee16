// SPDX-License-Identifier: Apache-2.0
// A web server that misbehaves on request, on 127.0.0.1 and 127.0.0.2, for at most two minutes, in a process of its own. What it does
// stands in the path's first part:
//   ok busy nolen      a picture of its own for every name; busy: 503 with Retry-After: 1 first; nolen: chunked
//   silent trickle endless endless-zero longer shorter half html garbage reset bomb huge empty
//   status/NNN limit (429, Retry-After: 3600) hops/N (N redirects) loop to-loopback to-file
//   optout optout-us optout-other none          X-Robots-Tag
//   private            robots.txt forbids it
#ifndef TESTS_NET_SERVER_H
#define TESTS_NET_SERVER_H

#include <stdint.h>
#include <sys/types.h>

enum { SERVER_NAMES = 1 << 17 };

struct server {
    pid_t pid;
    int port;
    uint32_t *hits;           // [SERVER_NAMES] requests for /ok/N, seen by both processes
    uint32_t *optout_bytes;   // bytes of forbidden bodies that were taken
};

int server_start(struct server *s);   // 0, or -1
void server_stop(struct server *s);
int closed_port(void);                // a port of loopback where nobody listens

#endif
