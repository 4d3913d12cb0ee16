// SPDX-License-Identifier: Apache-2.0
#include "net/download.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

enum { TRIES = 5, REDIRECTS = 10, CONNECT_SECONDS = 20, SLOW_SECONDS = 30, SLOW_BYTES = 1000 };

struct state {
    const struct download *d;
    CURL *easy;
    int64_t have, all;            // bytes in the file; of the whole, 0: not known
    bool started;                 // a body of this answer was looked at
    bool useless;                 // its body is not the file's
    int write_errno;
};

static void set_up(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

// The first bytes of an answer: does it go on where the file ends (206), or begin anew (200)?
static bool begin(struct state *s)
{
    long status = 0;
    curl_off_t length = -1;
    s->started = true;
    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(s->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    s->useless = status != 200 && status != 206;
    if (s->useless)
        return true;
    if (status == 200 && s->have) {
        if (ftruncate(s->d->fd, 0) != 0) {
            s->write_errno = errno;
            return false;
        }
        s->have = 0;
    }
    s->all = length >= 0 ? s->have + length : 0;
    return true;
}

static size_t on_body(char *at, size_t size, size_t n, void *user)
{
    struct state *s = user;
    n *= size;
    if (!s->started && !begin(s))
        return CURL_WRITEFUNC_ERROR;
    if (s->useless)   // a page of words about an error
        return n;
    for (size_t done = 0; done < n;) {
        ssize_t k = pwrite(s->d->fd, at + done, n - done, (off_t)s->have);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0) {
            s->write_errno = k < 0 ? errno : ENOSPC;
            return CURL_WRITEFUNC_ERROR;
        }
        done += (size_t)k;
        s->have += k;
    }
    return n;
}

static int on_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up, curl_off_t upped)
{
    struct state *s = user;
    if (s->d->progress && s->started && !s->useless)
        s->d->progress(s->d->user, s->have, s->all);
    return stop_requested();
}

static bool lasting(CURLcode code, long status)
{
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT || code == CURLE_PEER_FAILED_VERIFICATION ||
        code == CURLE_TOO_MANY_REDIRECTS)
        return true;
    return status >= 400 && status < 500 && status != 408 && status != 429;
}

// One answer. 0: the whole file is there; 1: worth another try, with the sentence set.
static int ask(struct state *s)
{
    char range[32], said[CURL_ERROR_SIZE] = "";
    CURL *e = s->easy;
    snprintf(range, sizeof range, "%lld-", (long long)s->have);
    s->started = s->useless = false;
    curl_easy_setopt(e, CURLOPT_RANGE, s->have ? range : NULL);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, said);
    CURLcode code = curl_easy_perform(e);
    long status = 0;
    curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, NULL);
    if (s->write_errno)
        return FAIL(error_from_errno(s->write_errno), "%s: writing failed after %lld bytes: %s", s->d->name,
                    (long long)s->have, strerror(s->write_errno));
    if (stop_requested())
        return FAIL(ESTOPPED_, "stopped; %lld bytes of %s are kept, the same command goes on from there",
                    (long long)s->have, s->d->name);
    if (code == CURLE_OK && (status == 200 || status == 206) && (s->started || status == 200))
        return 0;
    if (code == CURLE_OK && status == 416 && s->have)   // nothing lies behind what we have
        return 0;
    const char *why = code != CURLE_OK ? (*said ? said : curl_easy_strerror(code)) : NULL;
    int rc = why ? FAIL(EMISSING_, "%s: %s", s->d->url, why) : FAIL(EMISSING_, "%s: the server answered %ld", s->d->url, status);
    return lasting(code, status) ? rc : 1;
}

static int run(struct state *s)
{
    int rc = 1, idle = 0;
    while (rc == 1) {
        int64_t before = s->have;
        rc = ask(s);
        if (rc != 1)
            break;
        idle = s->have > before ? 0 : idle + 1;
        if (idle >= TRIES)
            return EMISSING_;
        for (int i = 0; i < 5 << idle && !stop_requested(); i++)   // tenths of a second
            nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return rc;
}

int download(const struct download *d)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct state s = {.d = d, .have = lseek(d->fd, 0, SEEK_END)};
    pthread_once(&once, set_up);
    if (s.have < 0)
        return FAIL(EIO_, "%s: cannot read its size: %s", d->name, strerror(errno));
    if (!(s.easy = curl_easy_init()))
        return FAIL(EMEMORY_, "out of memory");
    curl_easy_setopt(s.easy, CURLOPT_URL, d->url);
    curl_easy_setopt(s.easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(s.easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(s.easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(s.easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(s.easy, CURLOPT_MAXREDIRS, (long)REDIRECTS);
    curl_easy_setopt(s.easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(s.easy, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
    curl_easy_setopt(s.easy, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
    curl_easy_setopt(s.easy, CURLOPT_USERAGENT, "diht");
    curl_easy_setopt(s.easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(s.easy, CURLOPT_WRITEDATA, &s);
    curl_easy_setopt(s.easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(s.easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(s.easy, CURLOPT_XFERINFODATA, &s);
    int rc = run(&s);
    curl_easy_cleanup(s.easy);
    return rc;
}
