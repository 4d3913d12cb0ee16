// SPDX-License-Identifier: Apache-2.0
// How a transfer failed, as one word: dns, refused, reset, tls, timeout, too-slow, http-404 (and so by code), too-large,
// redirect-loop, truncated, opt-out, blocked-address, bad-url, protocol.
#ifndef NET_CLASS_H
#define NET_CLASS_H

#include <stdbool.h>

enum { CLASS_ROOM = 24 };

// libcurl's code in that word; *again: another try may fare better. `resolved`: the name had become an address.
const char *class_of_code(int curlcode, bool resolved, bool answered, bool *again);
// The same for HTTP's answer: writes "http-NNN".
void class_of_status(char out[CLASS_ROOM], int status, bool *again);

#endif
