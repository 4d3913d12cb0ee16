// SPDX-License-Identifier: Apache-2.0
// Who may be asked when: connections a host, those that stand still, delays.
#include "check.h"
#include "net/hosts.h"

enum { JOBS = 200, PER_HOST = 8 };

static struct job job[JOBS];

static struct hosts *made(double delay)
{
    struct hosts *h;
    CHECK(hosts_new(&h, &(struct hosts_options){.per_host = PER_HOST, .delay = delay, .budget = 10, .most = 10}) == 0);
    return h;
}

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
    struct hosts *h = made(0);
    struct host *host = queued(h);
    CHECK(started(h, 0) == PER_HOST);
    ended(h, host, 3);
    CHECK(started(h, 0) == 3);
    hosts_stalled(h, host, true, 0);   // one that stands still keeps nobody waiting
    CHECK(started(h, 0) == 1);
    hosts_free(h);
}

// When the first ones only hang, the next come from elsewhere in the queue.
static void out_of_order(void)
{
    struct hosts *h = made(0);
    struct host *host = queued(h);
    CHECK(started(h, 0) == PER_HOST);
    for (int i = 0; i < PER_HOST; i++)
        hosts_stalled(h, host, true, 0);
    int quarter[4] = {0};
    for (struct job *j; (j = hosts_next(h, 3)) != NULL;)
        quarter[(j - job) * 4 / JOBS]++;
    CHECK(quarter[0] && quarter[1] && quarter[2] && quarter[3] && host->hung_since == 0);
    int left = 0;
    for (struct job *j = host->head; j; j = j->next)
        left += j->next || j == host->tail;
    CHECK(left == host->queued && left == JOBS - 2 * PER_HOST);
    hosts_free(h);
}

static void long_queues_first(void)
{
    struct hosts *h = made(0);
    struct job one[3];
    struct host *host = queued(h);
    for (int i = 0; i < 3; i++) {
        char name[] = "http://a:80";
        name[7] = (char)(name[7] + i);
        one[i].host = hosts_get(h, name);
        hosts_keep(h, one[i].host);
        hosts_add(h, &one[i], false);
    }
    for (int i = 0; i < 1 + JOBS / 64; i++)   // a turn of some, then those that have but one
        CHECK(hosts_next(h, 0)->host == host);
    for (int i = 0; i < 3; i++)
        CHECK(hosts_next(h, 0) == &one[i]);
    CHECK(hosts_next(h, 0)->host == host);
    hosts_free(h);
}

static bool answered(struct hosts *h, struct host *host, bool busy, double retry_after, double now)
{
    bool over = hosts_answered(h, host, 0.01, 0.02, busy, retry_after, now);
    hosts_done(h, host);
    return over;
}

// Too busy: a pause that grows, then one connection; good answers open the others again.
static void busy(void)
{
    struct hosts *h = made(0);
    struct host *host = queued(h);
    CHECK(started(h, 1) == PER_HOST);
    CHECK(!answered(h, host, true, 0, 1) && started(h, 1) == 1);   // one of many says nothing of the host
    for (int i = 0; i < PER_HOST; i++)
        CHECK(!answered(h, host, true, 0, 1));
    CHECK(started(h, 1.4) == 0 && started(h, 1.6) == 1);
    CHECK(!answered(h, host, true, 0, 1.6) && started(h, 2.5) == 0 && started(h, 2.7) == 1);
    CHECK(!answered(h, host, true, 3, 2.7) && started(h, 5.6) == 0 && started(h, 5.8) == 1);   // what it asks for
    int under_way = 1, answers = 0;
    while (under_way < PER_HOST && answers < 100) {
        CHECK(!answered(h, host, false, 0, 6));
        int more = started(h, 6) - 1;
        CHECK(more == 0 || more == 1);
        under_way += more;
        answers++;
    }
    CHECK(answers >= 20 && answers < 50);
    ended(h, host, PER_HOST);
    hosts_free(h);
}

// Its jobs are not waited for without end.
static void busy_for_ever(void)
{
    for (int hour = 0; hour < 2; hour++) {
        struct hosts *h = made(0);
        struct host *host = queued(h);
        int asked = 0;
        bool over = false;
        double now = 1;
        for (int i = 0; !over && i < 100; i++) {
            for (int n = started(h, now); n > 0; n--, asked++)
                over |= answered(h, host, true, hour ? 3600 : 0, now);
            now = over || hosts_due(h) == 0 ? now : hosts_due(h);
        }
        CHECK(over && asked < (hour ? 14 : 20));
        CHECK(now <= 11 + 1e-9 && (!hour || now < 4));
        hosts_free(h);
    }
}

// What hangs is told by what most answers take: neither a few slow ones nor those that hang make it slower.
static void patience(void)
{
    struct hosts *h = made(0);
    struct host *host = queued(h);
    CHECK_CLOSE(host->patience.first, 2.5, 1e-9);
    for (int i = 0; i < 100; i++)
        hosts_answered(h, host, i % 10 ? 0.1 : 3, i % 10 ? 0.2 : 9, false, 0, i);
    CHECK(host->patience.first > 0.15 && host->patience.first < 0.6 && host->patience.whole < 3);
    CHECK_CLOSE(host->slowest, 9, 1e-9);
    for (int i = 0; i < 30; i++)
        hosts_answered(h, host, 2, 2, false, 0, 200);
    CHECK_CLOSE(host->patience.first, 6, 1e-6);   // it is slow now
    double gap = host->patience.gap;
    for (int i = 0; i < PER_HOST; i++)
        CHECK(hosts_next(h, 300) != NULL);
    for (int i = 0; i < PER_HOST; i++)
        hosts_stalled(h, host, true, 300);
    CHECK(host->patience.gap < gap / 2 && host->hung_since == 300);
    hosts_free(h);
}

static void delayed(void)
{
    struct hosts *h = made(0.5);
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
    CASE(out_of_order);
    CASE(long_queues_first);
    CASE(busy);
    CASE(busy_for_ever);
    CASE(patience);
    CASE(delayed);
    return check_done();
}
