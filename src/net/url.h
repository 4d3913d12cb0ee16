// SPDX-License-Identifier: Apache-2.0
// Web addresses, taken apart.
#ifndef NET_URL_H
#define NET_URL_H

#include <stdbool.h>

struct url {
    char *text;    // as it will be asked for, without fragment; owned
    char *host;    // "http://example.org:80": what politeness counts by; owned
    char *path;    // "/a.jpg?x=1"; owned
};

// What is wrong with it when it cannot be asked for: "bad-url" (nothing that can be read as an address) or
// "blocked-address" (another scheme than http and https); NULL when it is fine; "memory".
const char *url_parse(struct url *out, const char *text);
void url_free(struct url *u);   // accepts an empty one

#endif
