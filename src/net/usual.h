// SPDX-License-Identifier: Apache-2.0
// How long something usually takes: a running estimate of what four of five stay below. A mean would follow the few that
// take a thousand times as long, and those are what it is to tell apart.
#ifndef NET_USUAL_H
#define NET_USUAL_H

#include <math.h>

struct usual {
    double seconds;   // 0: nothing was seen
};

// Up by 1.3 or down by 0.93: in balance where a fifth lie above.
static inline void usual_add(struct usual *u, double seconds)
{
    u->seconds = u->seconds == 0 ? seconds : seconds > u->seconds ? fmin(1.3 * u->seconds, seconds) : 0.93 * u->seconds;
}

// What takes longer is no more expected soon; `before` when nothing was seen yet.
static inline double usual_most(const struct usual *u, double before)
{
    return u->seconds == 0 ? before : fmax(0.03, 3 * u->seconds);
}

#endif
