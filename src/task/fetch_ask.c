// SPDX-License-Identifier: Apache-2.0
// A row's way through the net: into its host's queue, robots.txt first, then as many tries, redirects and waits as its
// deadline allows.
#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/rng.h"
#include "net/robots.h"
#include "task/fetch.h"

enum { LOST = 16, ROBOTS_HOPS = 5, KEPT = 1024 };
static const double lost_seconds = 60, slow_seconds = 6, robots_seconds = 5, rules_seconds = 86400, shut_seconds = 300;

// A host's robots.txt on its way; `first` is the row that asked.
struct ask_robots {
    struct transfer t;
    struct ask_robots *next, **back;
    struct host *host;
    struct row *first;
    char *url;
    int hops;
};

void fetch_end(struct fetch *f, struct row *r, const char *class, const char *detail)
{
    r->ok = false;
    if (class != r->class)
        snprintf(r->class, sizeof r->class, "%s", class);
    if (detail && detail != r->detail)
        snprintf(r->detail, sizeof r->detail, "%s", detail);
    if (r->job.host) {
        hosts_drop(f->hosts, r->job.host);
        r->job.host = NULL;
    }
    r->next = NULL;
    line_put(&f->stores, r);
}

// "http://[::1]:80" -> an address that may not be connected to? Saves asking; names are judged once they are resolved.
static const char *literal_refused(const struct fetch *f, const char *host)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    const char *at = strstr(host, "://") + 3, *end = strrchr(host, ':');
    char name[64] = {0};
    size_t n = (size_t)(end - at);
    if (n >= sizeof name)
        return NULL;
    memcpy(name, at, n);
    if (*name == '[') {
        name[strcspn(name, "]%")] = 0;
        return inet_pton(AF_INET6, name + 1, &v6.sin6_addr) == 1 ? guard_refuses(f->guard, (struct sockaddr *)&v6) : NULL;
    }
    return inet_pton(AF_INET, name, &v4.sin_addr) == 1 ? guard_refuses(f->guard, (struct sockaddr *)&v4) : NULL;
}

int fetch_queue(struct fetch *f, struct row *r)
{
    if (*r->class) {
        fetch_end(f, r, r->class, r->detail);
        return 0;
    }
    struct url u;
    const char *why = url_parse(&u, r->hops ? r->t.location : r->address);
    if (why && strcmp(why, "memory") == 0)
        return FAIL(EMEMORY_, "sample %s: out of memory", r->key);
    if (why) {
        fetch_end(f, r, why, strcmp(why, "bad-url") == 0 ? "not a web address" : "only http and https are fetched");
        return 0;
    }
    url_free(&r->url);
    r->url = u;
    struct host *old = r->job.host, *host = hosts_get(f->hosts, u.host);
    if (!host)
        return FAIL(EMEMORY_, "sample %s: out of memory", r->key);
    if (host->robots == ROBOTS_UNKNOWN && !host->refused) {
        host->refused = literal_refused(f, host->name);
        if (strcmp(f->o->robots, "ignore") == 0) {
            host->robots = ROBOTS_KNOWN;
            host->rules_until = HUGE_VAL;
        }
    }
    if (host->refused) {
        snprintf(r->detail, sizeof r->detail, "the address is %s: --allow-net opens a network", host->refused);
        fetch_end(f, r, "blocked-address", r->detail);
        return 0;
    }
    hosts_keep(f->hosts, host);
    if (old)
        hosts_drop(f->hosts, old);
    r->job.host = host;
    hosts_add(f->hosts, &r->job, r->hops > 0);
    return 0;
}

void fetch_put_off(struct fetch *f)
{
    struct row *chain = NULL;
    for (struct job *j = hosts_take_rest(f->hosts, KEPT), *next; j; j = next) {
        struct row *r = (struct row *)j;
        next = j->next;
        hosts_drop(f->hosts, j->host);
        j->host = NULL;
        r->put_off = true;
        r->next = chain;
        chain = r;
        f->putting_off++;
    }
    line_put(&f->stores, chain);
}

static int ask_robots(struct fetch *f, struct row *r, double now)
{
    struct ask_robots *a = calloc(1, sizeof *a);
    struct host *host = r->job.host;
    if (!a || asprintf(&a->url, "%s/robots.txt", host->name) < 0) {
        free(a);
        return FAIL(EMEMORY_, "%s: out of memory", host->name);
    }
    // what the row waits for its host's rules counts as its own time
    if (r->deadline == 0)
        r->deadline = now + f->o->deadline;
    a->host = host;
    a->first = r;
    a->t = (struct transfer){.url = a->url, .deadline = fmin(r->deadline, now + fmax(robots_seconds, f->o->deadline / 2)),
                             .most = 2 * ROBOTS_MOST, .any = true, .user = a};
    host->robots_tries++;
    host->robots = ROBOTS_ASKED;
    a->next = f->asks;
    a->back = &f->asks;
    if (a->next)
        a->next->back = &a->next;
    f->asks = a;
    return client_start(f->client, &a->t);
}

static void ask_free(struct ask_robots *a)
{
    *a->back = a->next;
    if (a->next)
        a->next->back = a->back;
    transfer_clear(&a->t);
    free(a->url);
    free(a);
}

void fetch_drop_asks(struct fetch *f)
{
    while (f->asks)
        ask_free(f->asks);
}

// Back-off 0.5 s, 1 s, 2 s ... with jitter, or what the server asks for.
static double wait_of(struct fetch *f, int tries, double retry_after)
{
    double s = 0.5 * exp2(tries - 1) * rng_range(f->rng, 0.75, 1.25);
    return fmax(s, retry_after * rng_range(f->rng, 1, 1.1));
}

// Follow a redirect of robots.txt: true when it is on its way.
static bool robots_redirected(struct fetch *f, struct ask_robots *a)
{
    struct url u = {0};
    if (*a->t.class || !a->t.location || a->hops++ >= ROBOTS_HOPS || url_parse(&u, a->t.location))
        return false;
    bool open = !literal_refused(f, u.host);
    if (open) {
        free(a->url);
        a->url = u.text;
        u.text = NULL;
        a->t.url = a->url;
        client_release(f->client, a->t.held);
        a->t.held = 0;
        transfer_clear(&a->t);
    }
    url_free(&u);
    return open && client_start(f->client, &a->t) == 0;
}

static void give_up(struct host *host, const char *class, double until)
{
    host->given_up_until = until;
    snprintf(host->given_up_class, sizeof host->given_up_class, "%s", class);
}

// What RFC 9309 makes of it: rules; none at all (4xx, redirects without end); or a server that has said nothing, which is
// not a yes: then the rows end as the asking did. Rules that lie where we do not go are unreachable, not unavailable.
static void robots_judge(struct fetch *f, struct ask_robots *a, double now)
{
    struct host *host = a->host;
    struct transfer *t = &a->t;
    host->robots = ROBOTS_KNOWN;
    host->rules_until = now + rules_seconds;
    robots_free(host->rules);
    host->rules = NULL;
    if (t->status > 0)
        hosts_greeted(f->hosts, host, t->waited);
    if (!*t->class && t->status == 200) {
        host->rules = robots_parse(t->body.at ? t->body.at : "", t->body.len, "diht");
        if (robots_delay(host->rules) > host->delay)
            host->delay = fmin(robots_delay(host->rules), 60);
        return;
    }
    bool trouble = t->status >= 500, silent = *t->class && strncmp(t->class, "http-", 5) != 0;
    bool astray = !*t->class && t->location && a->hops <= ROBOTS_HOPS;
    if (!trouble && !silent && !astray)
        return;
    double wait = wait_of(f, host->robots_tries, t->retry_after);
    // what took its whole time once is not waited for again
    bool late = strcmp(t->class, "timeout") == 0 || strcmp(t->class, "too-slow") == 0;
    if (t->again && !late && host->robots_tries <= f->o->retries && now + wait < a->first->deadline) {
        host->robots = ROBOTS_UNKNOWN;
        host->next_start = now + wait;
    } else if (trouble || astray || a->hops) {
        host->robots = ROBOTS_SHUT;
        host->rules_until = now + shut_seconds;
    } else {
        host->robots = ROBOTS_UNKNOWN;
        host->robots_tries = 0;
        give_up(host, t->class, now + lost_seconds);
        snprintf(a->first->detail, sizeof a->first->detail, "robots.txt: %.140s", t->detail);
    }
}

static void robots_done(struct fetch *f, struct ask_robots *a)
{
    struct host *host = a->host;
    if (robots_redirected(f, a))
        return;
    robots_judge(f, a, clock_now());
    client_release(f->client, a->t.held);
    hosts_add(f->hosts, &a->first->job, true);
    hosts_done(f->hosts, host);
    ask_free(a);
}

// Why the row is not asked for; NULL: it is.
static const char *no_start(const struct row *r, double now, const char **class)
{
    const struct host *host = r->job.host;
    if (now < host->given_up_until) {
        *class = host->given_up_class;
        return *r->detail ? r->detail : strncmp(*class, "http-", 5) == 0 ?
            "the host answered nothing else for so long: not asked for a time" :
            "the host failed so many times in a row: not asked for a minute";
    }
    // it waited for its next try until there was no time for it
    if (r->tries > 0 && now + host->usual.seconds >= r->deadline) {
        *class = *r->t.class ? r->t.class : "timeout";
        return *r->t.class ? r->t.detail : "not whole within --deadline";
    }
    *class = "robots";
    if (host->robots == ROBOTS_SHUT)
        return "robots.txt could not be read: the server is in trouble, or it lies where may not be asked";
    return host->robots == ROBOTS_KNOWN && !robots_allow(host->rules, r->url.path) ? "robots.txt forbids it" : NULL;
}

// What hangs at one host, others and others without end, is given up together with the first of them, and what hangs of
// those that were asked for one by one, together with these: but none before it had far longer than any answer of that host
// took. 0: nothing hangs there yet.
static double together(const struct host *host, double deadline, double now)
{
    double since = host->stalled ? host->hung_since : HUGE_VAL;
    if (host->busy.since > 0)
        since = fmin(since, host->busy.since);
    return since == HUGE_VAL ? 0 : fmax(since + deadline, now + fmin(fmax(2 * host->slowest, deadline / 4), deadline / 2));
}

// The row's transfer, unless it ends here or waits for robots.txt.
static int start_row(struct fetch *f, struct row *r, double now)
{
    struct host *host = r->job.host;
    if ((host->robots == ROBOTS_KNOWN || host->robots == ROBOTS_SHUT) && now >= host->rules_until) {
        host->robots = ROBOTS_UNKNOWN;
        host->robots_tries = 0;
    }
    const char *class, *why = no_start(r, now, &class);
    if (why) {
        hosts_undone(f->hosts, host);
        fetch_end(f, r, class, why);
        return 0;
    }
    if (host->robots == ROBOTS_UNKNOWN)
        return ask_robots(f, r, now);
    if (r->deadline == 0)
        r->deadline = now + f->o->deadline;
    free(r->t.location);
    r->t = (struct transfer){
        .url = r->url.text, .deadline = r->deadline, .most = f->o->max_bytes, .patience = &host->patience,
        .still_until = together(host, f->o->deadline, now),
    };
    r->tries++;
    return client_start(f->client, &r->t);
}

bool fetch_may_start(const struct fetch *f)
{
    int active = client_active(f->client), moving = client_moving(f->client);
    // the more stand still, the more of the others soon will
    return moving < (int)f->limit + (active - moving) / 4 && active < f->seats && !client_full(f->client);
}

int fetch_start(struct fetch *f)
{
    int rc = 0;
    double now = clock_now();
    while (!rc && fetch_may_start(f)) {
        struct job *j = hosts_next(f->hosts, now);
        if (!j)
            break;
        rc = start_row(f, (struct row *)j, now);
    }
    return rc;
}

// What the host makes of it.
static void count(struct fetch *f, const struct row *r, double now)
{
    const struct transfer *t = &r->t;
    struct host *host = r->job.host;
    if (t->status > 0) {
        static const char *const ours[] = {"timeout", "too-slow", "too-large"};
        struct answer a = {
            .busy = t->status == 429 || t->status == 503, .retry_after = t->retry_after, .sample = r->job.sample,
            .started = t->started, .waited = t->waited, .seconds = now - t->started,
        };
        for (int i = 0; i < 3; i++)
            a.cut |= strcmp(t->class, ours[i]) == 0;
        host->lost = 0;
        host->given_up_until = a.busy ? host->given_up_until : 0;
        if (hosts_answered(f->hosts, host, &a, now))
            give_up(host, t->class, now + fmax(lost_seconds, t->retry_after));
    } else if (t->connected && host->answers)
        host->lost = 0;
    else if (strcmp(t->class, "blocked-address") != 0) {
        host->trouble++;
        host->lost += r->job.sample;
        if (host->lost >= LOST)
            give_up(host, t->class, now + lost_seconds);
    }
}

static int row_done(struct fetch *f, struct row *r)
{
    struct transfer *t = &r->t;
    struct host *host = r->job.host;
    double now = clock_now();
    r->deadline = t->deadline;   // our own pauses cost it nothing
    count(f, r, now);
    hosts_done(f->hosts, host);
    if (!*t->class && t->location) {
        client_release(f->client, t->held);
        t->held = 0;
        buf_free(&t->body);
        if (++r->hops > f->o->redirects) {
            fetch_end(f, r, "redirect-loop", "more redirects than --redirects");
            return 0;
        }
        r->tries--;
        return fetch_queue(f, r);
    }
    if (!*t->class) {
        // its bytes are the workers' now; the host may forget it
        hosts_drop(f->hosts, host);
        r->job.host = NULL;
        r->next = NULL;
        *f->fresh_end = r;
        f->fresh_end = &r->next;
        return 0;
    }
    double wait = wait_of(f, r->tries, t->retry_after);
    // a rate takes its time to be found too low: less of it would say "timeout" of the same server
    double least = strcmp(t->class, "too-slow") == 0 ? slow_seconds : 0;
    if (t->again && r->tries <= f->o->retries && now + wait + least < r->deadline) {
        transfer_clear(t);
        return hosts_later(f->hosts, &r->job, now + wait);
    }
    fetch_end(f, r, t->class, t->detail);
    return 0;
}

void fetch_still(void *user, struct transfer *t)
{
    struct fetch *f = user;
    struct row *r = (struct row *)((char *)t - offsetof(struct row, t));
    if (!t->user)
        hosts_stalled(f->hosts, r->job.host, t->still, t->started);
}

void fetch_done(void *user, struct transfer *t)
{
    struct fetch *f = user;
    int rc = 0;
    if (t->user)
        robots_done(f, t->user);
    else
        rc = row_done(f, (struct row *)((char *)t - offsetof(struct row, t)));
    if (rc && !f->rc)
        f->rc = rc;
}
