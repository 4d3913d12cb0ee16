// SPDX-License-Identifier: Apache-2.0
#include "net/busy.h"

#include <math.h>

enum { SIGNS = 16, SIGNS_FIRST = 4, SIGNS_AGAIN = 3, VAIN = 3, ASKED = 128 };
static const double first_pause = 0.5, most_pause = 60, least_gap = 0.02, round_over = 0.75;

double busy_refused(struct busy *b, const struct answer *a, const struct busy_of *host, double now)
{
    if (b->since > 0 && a->started < b->until)
        return 0;   // it was under way when the host was left alone
    if (!busy_probes(b)) {
        // a page that is always refused among others that come says nothing of the host
        b->signs += b->since > 0 ? 1 + a->sample : a->sample || !host->answers;
        if (b->signs < (!host->answers ? SIGNS_FIRST : b->since > 0 ? SIGNS_AGAIN : SIGNS))
            return 0;
        b->signs = 0;
    }
    if (b->since == 0)
        *b = (struct busy){.since = now};
    b->vain += b->untold;
    double end = b->since + host->budget;
    bool late = now + a->retry_after > end;   // told to come when nobody waits any more
    if (now >= end)
        return HUGE_VAL;
    b->round |= b->vain > b->helped + VAIN || (late && b->vain) || (!b->helped && now > b->since + host->budget / 2);
    // one that says so of everything is believed, others when all that were asked say the same
    if (b->round && late && (!host->answers || b->asked++ >= ASKED))
        return HUGE_VAL;
    double wait = fmax(least_gap, (b->since + round_over * host->budget - now) / (host->queued + 1));
    if (!b->round) {
        b->pause = fmin(fmax(first_pause, 2 * b->pause), most_pause);
        wait = b->helped ? b->pause : fmin(b->pause, fmax(b->since + host->budget / 2 - now, least_gap));
        wait = late ? host->budget / 4 : fmax(a->retry_after, wait);
    }
    b->untold = !b->round;
    b->until = fmin(now + wait, end);
    return b->until;
}

void busy_answered(struct busy *b, const struct answer *a, double now)
{
    b->signs = 0;
    if (b->since == 0 || !b->untold || a->started < b->until)
        return;
    b->untold = false;
    b->helped++;
    b->since = now;
    b->pause /= 4;   // next time half as long as what helped
}
