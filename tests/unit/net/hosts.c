// SPDX-License-Identifier: Apache-2.0
// Who may be asked when: connections a host, those that stand still, delays.
#include "check.h"
#include "net/hosts.h"

enum { JOBS = 200, PER_HOST = 8 };

static struct job job[JOBS];

static struct host *queued(struct hosts *h)
{
    struct host *host = hosts_get(h, "http://127.0.0.1:80");
    for (int i = 0; i < JOBS; i++) {
        job[i].host = host;
        hosts_keep(h, host);
        hosts_add(h, &job[i], false);
    }
    return host;
}

// How many of its jobs may start now; they count as active.
static int started(struct hosts *h, double now)
{
    int n = 0;
    while (hosts_next(h, now))
        n++;
    return n;
}

static void ended(struct hosts *h, struct host *host, int n)
{
    for (; n > 0; n--)
        hosts_done(h, host);
}

static void at_once(void)
{
    struct hosts *h;
    CHECK(hosts_new(&h, PER_HOST, 0, 10) == 0);
    struct host *host = queued(h);
    CHECK(started(h, 0) == PER_HOST);
    ended(h, host, 3);
    CHECK(started(h, 0) == 3);
    hosts_stalled(h, host, true);   // one that stands still keeps nobody waiting
    CHECK(started(h, 0) == 1);
    hosts_free(h);
}

static void delayed(void)
{
    struct hosts *h;
    CHECK(hosts_new(&h, PER_HOST, 0.5, 10) == 0);
    struct host *host = queued(h);
    CHECK(started(h, 10) == 1 && started(h, 10.4) == 0);
    CHECK_CLOSE(hosts_due(h), 10.5, 1e-9);
    CHECK(started(h, 10.6) == 1);
    ended(h, host, 2);
    hosts_free(h);
}

int main(void)
{
    CASE(at_once);
    CASE(delayed);
    return check_done();
}
