// SPDX-License-Identifier: Apache-2.0
// robots.txt as RFC 9309 reads it: the groups for our name, else those for everybody; the longest matching rule decides.
#ifndef NET_ROBOTS_H
#define NET_ROBOTS_H

#include <stdbool.h>
#include <stddef.h>

enum { ROBOTS_MOST = 500 * 1024 };   // bytes of a file that are read, as the RFC asks at least

struct robots;

// Rules for `agent` in the file's text. NULL: no memory. No rules at all need none: see robots_allow.
struct robots *robots_parse(const char *text, size_t n, const char *agent);
void robots_free(struct robots *r);                          // accepts NULL
bool robots_allow(const struct robots *r, const char *path); // path with query; NULL rules allow all
double robots_delay(const struct robots *r);                 // Crawl-delay in seconds, 0 none

#endif
