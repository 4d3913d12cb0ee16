// SPDX-License-Identifier: Apache-2.0
// X-Robots-Tag: does a picture's owner say no?
#ifndef NET_OPTOUT_H
#define NET_OPTOUT_H

#include <stdbool.h>
#include <stddef.h>

// One header's value (not terminated): true when it forbids use by `agent` ("diht") or by everybody: noai, noimageai,
// noindex, noimageindex, none. A part "name: ..." speaks to that agent only, until the next name.
bool optout_says_no(const char *value, size_t n, const char *agent);

#endif
