// SPDX-License-Identifier: Apache-2.0
// How long something usually takes, and what is longer than that: a running mean and mean deviation, as TCP keeps them
// for its retransmission timer (RFC 6298).
#ifndef NET_USUAL_H
#define NET_USUAL_H

#include <math.h>

struct usual {
    double mean, spread;   // seconds; 0: nothing was seen
};

static inline void usual_add(struct usual *u, double seconds)
{
    if (u->mean == 0) {
        u->mean = seconds;
        u->spread = seconds / 2;
        return;
    }
    u->spread += (fabs(seconds - u->mean) - u->spread) / 4;
    u->mean += (seconds - u->mean) / 8;
}

// What takes longer is no more expected soon; `before` when nothing was seen yet.
static inline double usual_most(const struct usual *u, double before)
{
    return u->mean == 0 ? before : fmax(0.03, 2 * u->mean + 4 * u->spread);
}

#endif
