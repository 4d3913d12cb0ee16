// SPDX-License-Identifier: Apache-2.0
// Which addresses may be connected to. Asked with the address a socket is about to use, after resolution and on every
// connection: a name that resolves to something else the second time gains nothing.
#ifndef NET_GUARD_H
#define NET_GUARD_H

#include <stdbool.h>

struct sockaddr;
struct guard;

// `allow`: networks ("127.0.0.0/8,fd00::/8", an address alone is one) that are open in spite of their class; NULL: none.
int guard_new(struct guard **out, const char *allow);      // EUSAGE_ names the part that is no network
void guard_free(struct guard *g);                          // accepts NULL

// NULL when it may be connected to, else what the address is ("loopback", "private", ...).
const char *guard_refuses(const struct guard *g, const struct sockaddr *a);

#endif
