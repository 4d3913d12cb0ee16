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

// A job's answer, started a moment ago.
static bool answered(struct hosts *h, const struct job *j, bool busy_, double retry_after, double now)
{
    struct answer a = {.busy = busy_, .retry_after = retry_after, .sample = j->sample, .started = now, .waited = 0.01,
                       .seconds = 0.02};
    bool over = hosts_answered(h, j->host, &a, now);
    hosts_done(h, j->host);
    return over;
}

static int refused_until_left_alone(struct hosts *h, struct host *host, double now)
{
    int n = 0;
    struct job *j;
    while (host->busy.since == 0 && n < JOBS && (j = hosts_next(h, now)) != NULL) {
        CHECK(!answered(h, j, true, 0, now));
        n++;
    }
    return n;
}

// Too busy: a pause that grows, then one connection; good answers open the others again.
static void busy(void)
{
    struct hosts *h = made(0);
    struct host *host = queued(h);
    struct job *j = NULL;
    CHECK(refused_until_left_alone(h, host, 1) == 4);   // it has never said anything else
    CHECK(started(h, 1.4) == 0 && (j = hosts_next(h, 1.6)) && started(h, 1.6) == 0);
    CHECK(!answered(h, j, true, 0, 1.6) && started(h, 2.5) == 0 && (j = hosts_next(h, 2.7)));
    CHECK(!answered(h, j, true, 3, 2.7) && started(h, 5.6) == 0 && (j = hosts_next(h, 5.8)));   // what it asks for
    int under_way = 1, answers = 0;
    while (under_way < PER_HOST && answers < 100) {
        CHECK(!answered(h, j, false, 0, 6));
        struct job *first = hosts_next(h, 6);
        int more = started(h, 6);
        CHECK(first && (more == 0 || more == 1));
        under_way += more;
        answers++;
        j = first;
    }
    CHECK(answers >= 20 && answers < 50 && host->busy.since == 0);
    hosts_free(h);
}

// Some of a host's addresses are always refused, in a row: it is not left alone, others are found.
static void some_refused(void)
{
    struct hosts *h = made(0);
    struct host *host = queued(h);
    int of_them = 0, n = 0;
    CHECK(!answered(h, hosts_next(h, 1), false, 0, 1));
    for (struct job *j; (j = hosts_next(h, 1)) != NULL; n++) {
        bool refused = j - job < JOBS / 2;
        of_them += refused;
        CHECK(!answered(h, j, refused, 0, 1) && host->most >= PER_HOST);
        if (of_them < JOBS / 2 - 20)   // these come when nothing else is left
            CHECK(host->busy.since == 0);
        else
            break;
    }
    CHECK(of_them == JOBS / 2 - 20 && n < JOBS - 20);
    hosts_free(h);
}

// Its jobs are not waited for without end: when pauses change nothing each is asked for once, slowly; when it said that
// it is busy for an hour, not even that.
static void busy_for_ever(void)
{
    for (int hour = 0; hour < 2; hour++) {
        struct hosts *h = made(0);
        struct host *host = queued(h);
        int asked = 0;
        bool over = false;
        double now = 1;
        while (!over && host->queued && asked < 2 * JOBS) {
            struct job *j = hosts_next(h, now);
            if (j) {
                over = answered(h, j, true, hour ? 3600 : 0, now);
                asked++;
            } else
                now = hosts_due(h);
        }
        CHECK(hour ? over && asked < 14 : asked == JOBS);
        CHECK(hour ? now < 4 : now > 6 && now <= 11);
        hosts_free(h);
    }
}

// One that has answered before is believed later than that.
static void busy_from_then_on(void)
{
    struct hosts *h = made(0);
    struct host *host = queued(h);
    int asked = 0;
    bool over = false;
    double now = 1;
    for (int i = 0; i < 5; i++)
        CHECK(!answered(h, hosts_next(h, 1), false, 0, 1));
    while (!over && host->queued) {
        struct job *j = hosts_next(h, now);
        if (j) {
            over = answered(h, j, true, 3600, now);
            asked++;
        } else
            now = hosts_due(h);
    }
    CHECK(over && asked > 128 && asked < 170 && now <= 11);
    hosts_free(h);
}

// What hangs is told by what most answers take: neither a few slow ones nor those that hang make it slower.
static void patience(void)
{
    struct hosts *h = made(0);
    struct host *host = queued(h);
    CHECK_CLOSE(host->patience.first, 2.5, 1e-9);
    for (int i = 0; i < 100; i++)
        hosts_answered(h, host, &(struct answer){.waited = i % 10 ? 0.1 : 3, .seconds = i % 10 ? 0.2 : 9}, i);
    CHECK(host->patience.first > 0.15 && host->patience.first < 0.6 && host->patience.whole < 3);
    hosts_answered(h, host, &(struct answer){.waited = 0.1, .seconds = 30, .cut = true}, 100);
    CHECK_CLOSE(host->slowest, 9, 1e-9);
    for (int i = 0; i < 30; i++)
        hosts_answered(h, host, &(struct answer){.waited = 2, .seconds = 2}, 200);
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
    CASE(some_refused);
    CASE(busy_for_ever);
    CASE(busy_from_then_on);
    CASE(patience);
    CASE(delayed);
    return check_done();
}
