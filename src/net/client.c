// SPDX-License-Identifier: Apache-2.0
#include "net/client.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "net/guard.h"
#include "net/optout.h"
#include "net/usual.h"

enum { STEP = 64 << 10, PIECE = 8 << 10, SNIFF = 16, EVENTS = 256, HEAD_MOST = 256 << 10, BIG = 1 << 20 };
// A body that is nothing we want is read on to keep its connection, or to see whether it ends: but not further than this.
enum { NAMES = 2000 /* remembered, about */, UNWANTED_REST = 256 << 10, UNWANTED_MOST = 4 << 20 };
static const double look_every = 0.02, slow_after = 5, dripping = 2, idle_first = 0.1, idle_most = 1, slow_seen = 1;
// A rate of so many times --min-rate is a good one; a body of unknown length is thought to have twice what came, at least
// so many bytes.
static const double good_rate = 8, usual_body = 64 << 10;

// A transfer under way; the handle stays with its seat for the next one.
struct flight {
    struct client *c;
    struct transfer *t;             // NULL: free
    CURL *easy;
    int fd;                         // its connection's, -1 none
    int64_t head, wire, window_wire;   // bytes of headers; of all at the last look, and when the rate's window began
    int64_t want;                   // of the memory, when it waits for some
    int64_t length;                 // of the body as it comes, as the headers say; -1: they do not
    double window, rate;            // since when a rate is measured; the one before, -1 none
    double moved, paused_at, still_at;
    bool idle, overlong;            // not among client.moving; it takes too long to keep others waiting
    bool kept;                      // the body is stored, not only counted
    bool sniffed, opted_out, too_large, long_head, blocked, memory, paused;
    bool encoded, crowded;          // comes packed; there was no memory for what it unpacks to
    bool enough;                    // the rest of the body is not worth reading
    bool headed;                    // the answer's headers have ended
    bool fresh;                     // on a connection of its own, because a kept one was out of step
    int place;                      // in client.flying
};

struct client {
    struct client_options o;
    CURLM *multi;
    CURLSH *share;
    int epoll, wake;
    double timer;                   // when libcurl wants to be called, < 0 never
    double looked;
    struct flight *seat;            // [o.most]
    struct flight **flying;         // [o.most] those in use
    struct flight **resting;        // [o.most]
    struct flight **paused;         // [o.most] waiting for memory, in order
    int count, rest, paused_count, moving;
    // Half of the memory is for bodies of up to BIG bytes, half for larger ones: these wait for each other alone.
    struct lane {
        int64_t held;
        struct flight *beyond;      // the one that may go over it
    } lane[2];
    int64_t received;
    // libcurl looks at every name it remembers for every one it looks up: the more are asked for, the sooner they go.
    int64_t opened;                 // connections since `opened_at`
    double opened_at;
    long names_last;                // seconds that a name's address is remembered
    struct usual usual;             // seconds from a start to the answer's first line
};

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known)
{
    struct client *c = user;
    struct epoll_event e = {.data.fd = fd};
    struct flight *f = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &f) == CURLE_OK && f)
        f->fd = what == CURL_POLL_REMOVE ? -1 : fd;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(c->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    e.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    // the number may be an older socket's, closed since
    if (epoll_ctl(c->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) != 0)
        epoll_ctl(c->epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e);
    if (!known)
        curl_multi_assign(c->multi, fd, c);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *user)
{
    ((struct client *)user)->timer = ms < 0 ? -1 : clock_now() + 1e-3 * (double)ms;
    return 0;
}

// The address is known now, and used for this very socket.
static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct flight *f = user;
    f->c->opened++;
    const char *why = guard_refuses(f->c->o.guard, &a->addr);
    if (why) {
        f->blocked = true;
        if (f->t)
            snprintf(f->t->detail, sizeof f->t->detail, "the address is %s: --allow-net opens a network", why);
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
}

static struct lane *lane_of(struct client *c, int64_t held) { return &c->lane[held > BIG]; }

static bool has_room(const struct flight *f)
{
    const struct lane *from = lane_of(f->c, f->t->held), *to = lane_of(f->c, f->want);
    return to->held + f->want - (from == to ? f->t->held : 0) <= f->c->o.memory / 2 || !to->beyond || to->beyond == f;
}

static bool hold(struct flight *f, int64_t want)
{
    int64_t had = f->t->held;
    struct lane *from = lane_of(f->c, had), *to = lane_of(f->c, want);
    f->want = want;
    if (!has_room(f) && !(f->encoded && want <= BIG))
        return false;
    if (to->held + want - (from == to ? had : 0) > f->c->o.memory / 2)
        to->beyond = f;   // one always gets on, so that those who wait for each other do not wait for ever
    from->held -= had;
    to->held += want;
    f->t->held = want;
    return true;
}

static void pause_flight(struct flight *f)
{
    f->paused = true;
    f->paused_at = clock_now();
    f->c->paused[f->c->paused_count++] = f;
}

static size_t on_body(char *at, size_t size, size_t n, void *user)
{
    struct flight *f = user;
    struct transfer *t = f->t;
    n *= size;
    if (t->bytes + (int64_t)n > t->most) {
        f->too_large = true;
        return 0;
    }
    curl_off_t length = -1;
    curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (!f->kept) {
        t->bytes += (int64_t)n;
        f->enough = f->sniffed && length > t->bytes + UNWANTED_REST;
        f->too_large = f->sniffed && t->bytes > UNWANTED_MOST;
        return f->enough || f->too_large ? 0 : n;
    }
    int64_t need = (int64_t)t->body.len + (int64_t)n + 1;
    if (need > t->held) {
        bool known = length + 1 >= need && length < t->most;
        int64_t want = need < 2 * t->held && !known ? 2 * t->held : (need + PIECE - 1) / PIECE * PIECE;
        // room is made for all of it at once, but what has not come takes no memory: those that hang leave it to others
        if (known && (want > length + 1 || length + 1 > BIG))
            want = length + 1;
        want = want > t->most + 1 ? t->most + 1 : want;
        if (!hold(f, want)) {
            if (f->encoded) {   // libcurl would unpack all it has into memory of its own
                f->too_large = f->crowded = true;
                return 0;
            }
            if (!f->paused)
                pause_flight(f);
            return CURL_WRITEFUNC_PAUSE;
        }
        size_t room = (size_t)(known ? length + 1 : want);
        if (!t->body.len && (t->body.at = malloc(room)) != NULL)
            t->body.room = room;
    }
    t->bytes += (int64_t)n;
    buf_add(&t->body, at, n);
    if (t->body.failed) {
        f->memory = true;
        return 0;
    }
    // What cannot be wanted is counted on, so that its class is found, but not kept.
    if (!f->sniffed && t->body.len >= SNIFF) {
        f->sniffed = true;
        if (!t->any && f->c->o.wanted && !f->c->o.wanted(t->body.at, t->body.len)) {
            f->kept = false;
            buf_free(&t->body);
            client_release(f->c, t->held);
            t->held = 0;
        }
    }
    return n;
}

static bool header_is(const char *at, size_t n, const char *name, const char **value, size_t *len)
{
    size_t m = strlen(name);
    if (n <= m || at[m] != ':' || strncasecmp(at, name, m) != 0)
        return false;
    for (m++; m < n && isspace((unsigned char)at[m]);)
        m++;
    while (n > m && isspace((unsigned char)at[n - 1]))
        n--;
    *value = at + m;
    *len = n - m;
    return true;
}

static size_t on_header(char *at, size_t size, size_t n, void *user)
{
    struct flight *f = user;
    struct transfer *t = f->t;
    const char *value;
    size_t len;
    n *= size;
    f->head += (int64_t)n;
    if (f->head > HEAD_MOST) {
        f->long_head = true;
        return 0;
    }
    if (n >= 5 && memcmp(at, "HTTP/", 5) == 0) {   // a new answer (after 100 Continue)
        f->opted_out = false;
        f->moved = clock_now();
        if (t->waited == 0) {
            t->waited = f->moved - t->started;
            usual_add(&f->c->usual, t->waited);
        }
        return n;
    }
    if (t->any) {
        f->headed |= n <= 2;
        return n;
    }
    f->encoded |= header_is(at, n, "content-encoding", &value, &len);
    if (header_is(at, n, "x-robots-tag", &value, &len))
        f->opted_out |= optout_says_no(value, len, f->c->o.token);
    if (n > 2)
        return n;
    long status = 0;
    curl_off_t length = -1;
    curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200)   // 100 Continue, 103 Early Hints: the answer is still to come
        return n;
    f->headed = true;
    if (f->opted_out && status < 400)
        return 0;   // before the first byte of the body
    curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    f->length = length;
    if (status == 200 && length > t->most) {
        f->too_large = true;
        return 0;
    }
    f->kept = status == 200;
    return n;
}

static CURL *make_handle(struct client *c, struct flight *f)
{
    CURL *e = curl_easy_init();
    if (!e)
        return NULL;
    curl_easy_setopt(e, CURLOPT_PRIVATE, f);
    curl_easy_setopt(e, CURLOPT_SHARE, c->share);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);   // a resolver that hangs must not hold up the rest
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_PROXY, "");        // a proxy would connect where we cannot look
    curl_easy_setopt(e, CURLOPT_USERAGENT, c->o.agent);
    curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    if (c->o.ca_file)
        curl_easy_setopt(e, CURLOPT_CAINFO, c->o.ca_file);
    curl_easy_setopt(e, CURLOPT_BUFFERSIZE, (long)STEP);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(1000 * c->o.connect_timeout));
    curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, f);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, f);
    return e;
}

int client_new(struct client **out, const struct client_options *o)
{
    struct client *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c)
        return FAIL(EMEMORY_, "out of memory");
    static int global;   // libcurl's own; the first client is made before any thread of ours uses it
    if (!global++)
        curl_global_init(CURL_GLOBAL_DEFAULT);
    c->o = *o;
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->timer = -1;
    c->names_last = 1;
    c->opened_at = clock_now();
    c->multi = curl_multi_init();
    c->share = curl_share_init();
    size_t n = (size_t)o->most;
    c->seat = calloc(n, sizeof *c->seat);
    c->flying = calloc(n, sizeof *c->flying);
    c->resting = calloc(n, sizeof *c->resting);
    c->paused = calloc(n, sizeof *c->paused);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = c->wake};
    if (c->epoll < 0 || c->wake < 0 || !c->multi || !c->share || !c->seat || !c->flying || !c->resting || !c->paused ||
        epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->wake, &e) != 0) {
        client_free(c);
        return FAIL(EMEMORY_, "the network client could not be made: out of memory or of file descriptors");
    }
    curl_share_setopt(c->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)o->most + 16);
    for (int i = o->most; i-- > 0;) {
        c->seat[i].c = c;
        c->resting[c->rest++] = &c->seat[i];
    }
    *out = c;
    return 0;
}

void client_free(struct client *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->count; i++)
        curl_multi_remove_handle(c->multi, c->flying[i]->easy);
    for (int i = 0; c->seat && i < c->o.most; i++)
        if (c->seat[i].easy)
            curl_easy_cleanup(c->seat[i].easy);
    curl_multi_cleanup(c->multi);
    curl_share_cleanup(c->share);
    if (c->epoll >= 0)
        close(c->epoll);
    if (c->wake >= 0)
        close(c->wake);
    free(c->seat);
    free(c->flying);
    free(c->resting);
    free(c->paused);
    free(c);
}

static bool begin(struct flight *f, struct transfer *t, double now, bool fresh)
{
    struct client *c = f->c;
    CURL *easy = f->easy;
    *f = (struct flight){.c = c, .t = t, .easy = easy, .fd = -1, .length = -1, .rate = -1, .moved = now, .kept = t->any, .fresh = fresh,
                         .idle = f->t && f->idle, .place = f->place};
    *t->class = *t->detail = 0;
    t->again = false;
    t->status = 0;
    t->retry_after = t->waited = 0;
    t->bytes = 0;
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, c->names_last);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)fresh);
    // where one connection may carry all, the first one's handshake is waited for
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, (long)(strncmp(t->url, "https:", 6) == 0));
    if (curl_easy_setopt(easy, CURLOPT_URL, t->url) == CURLE_OK && curl_multi_add_handle(c->multi, easy) == CURLM_OK)
        return true;
    f->t = NULL;
    return false;
}

int client_start(struct client *c, struct transfer *t)
{
    if (!c->rest)
        return FAIL(EUSAGE_, "more transfers at once than the client was made for");
    struct flight *f = c->resting[c->rest - 1];
    if (!f->easy && !(f->easy = make_handle(c, f)))
        return FAIL(EMEMORY_, "out of memory: no further transfer");
    double now = clock_now();
    t->still = false;
    t->started = now;
    if (!begin(f, t, now, false))
        return FAIL(EMEMORY_, "out of memory: no further transfer");
    c->rest--;
    f->place = c->count;
    c->flying[c->count++] = f;
    c->moving++;
    return 0;
}

static void unpause(struct client *c, struct flight *f)
{
    int k = 0;
    for (int i = 0; i < c->paused_count; i++)
        if (c->paused[i] != f)
            c->paused[k++] = c->paused[i];
    c->paused_count = k;
    f->paused = false;
}

// Bytes a second: of the last seconds, not of a moment between two packets.
static double rate_of(const struct flight *f, double now)
{
    double span = f->window > 0 ? now - f->window : 0;
    return f->rate >= 0 && span < slow_seen ? f->rate : span > 0 ? (double)(f->wire - f->window_wire) / span : 0;
}

// It comes too slowly to be whole in time.
static bool hopeless(const struct flight *f, double now)
{
    if (f->window == 0 || now - f->window < slow_seen)
        return false;
    double came = (double)f->t->bytes, rest = (double)f->length - came;
    return (rest > 0 ? rest : fmax(usual_body - came, came)) > rate_of(f, now) * (f->t->deadline - now);
}

// What hangs? What is too long is one thing for all transfers together and another for a host. It hangs until it moves
// again, even if that host is seen to be slower meanwhile: its place is another's now. A large body may take its time.
static bool hangs(struct flight *f, double now)
{
    const struct transfer *t = f->t;
    const struct patience *p = t->patience;
    if (!p)
        return false;
    bool large = f->length >= 0 && rate_of(f, now) >= good_rate * fmax(f->c->o.min_rate, 1);
    f->overlong |= now - t->started > p->whole && !large;
    return f->overlong || hopeless(f, now) || now - f->moved > (t->waited > 0 ? p->gap : p->first) || (t->still && f->moved <= f->still_at);
}

static void set_still(struct flight *f, bool still, bool idle, double now)
{
    struct transfer *t = f->t;
    idle |= still;
    f->c->moving += f->idle - idle;
    if (still && !t->still)
        f->still_at = now;
    f->idle = idle;
    if (t->still == still)
        return;
    t->still = still;
    f->c->o.still(f->c->o.user, t);
}

// It is over: give the seat free and hand the transfer back.
static void land(struct flight *f)
{
    struct client *c = f->c;
    struct transfer *t = f->t;
    curl_multi_remove_handle(c->multi, f->easy);
    if (f->paused)
        unpause(c, f);
    for (int i = 0; i < 2; i++)
        if (c->lane[i].beyond == f)
            c->lane[i].beyond = NULL;
    set_still(f, false, false, 0);
    c->count--;
    c->moving--;
    c->flying[f->place] = c->flying[c->count];
    c->flying[f->place]->place = f->place;
    c->resting[c->rest++] = f;
    f->t = NULL;
    if (*t->class) {
        buf_free(&t->body);
        client_release(c, t->held);
        t->held = 0;
    }
    c->received += t->bytes;
    c->o.done(c->o.user, t);
}

static void note(struct flight *f)
{
    long status = 0, connects = 1;
    curl_off_t connect = 0;
    curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(f->easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(f->easy, CURLINFO_CONNECT_TIME_T, &connect);
    f->t->status = (int)status;
    f->t->connected = status > 0 || connect > 0 || connects == 0;
}

static void fail(struct transfer *t, const char *class, bool again, const char *detail)
{
    snprintf(t->class, sizeof t->class, "%s", class);
    t->again = again;
    if (detail)
        snprintf(t->detail, sizeof t->detail, "%s", detail);
}

static void redirected(struct flight *f)
{
    char *to = NULL;
    curl_easy_getinfo(f->easy, CURLINFO_REDIRECT_URL, &to);
    if (to)
        f->t->location = strdup(to);
    else
        class_of_status(f->t->class, f->t->status, &f->t->again);
}

// No answer or none in HTTP, but on a connection that was used before: the server may have given it up, or what the last
// answer sent beyond its length has come after that was judged whole. Then a new connection tells.
static bool out_of_step(const struct flight *f, CURLcode code)
{
    static const CURLcode codes[] = {CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_SEND_ERROR, CURLE_RECV_ERROR,
                                     CURLE_GOT_NOTHING};
    long connects = 1;
    curl_easy_getinfo(f->easy, CURLINFO_NUM_CONNECTS, &connects);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (code == codes[i])
            return connects == 0 && !f->fresh && !f->headed;
    return false;
}

// libcurl says that it ended with `code`.
static void finish(struct flight *f, CURLcode code)
{
    struct transfer *t = f->t;
    note(f);
    int status = t->status;
    if (out_of_step(f, code)) {
        curl_multi_remove_handle(f->c->multi, f->easy);
        if (begin(f, t, clock_now(), true))
            return;
        f->t = t;
        f->memory = true;
    }
    if (f->memory)
        fail(t, "protocol", true, "out of memory");
    else if (f->long_head || (code == CURLE_OUT_OF_MEMORY && !t->bytes))   // libcurl's word for a line of 100 kB
        fail(t, "too-large", false, "the answer's headers have no end in sight");
    else if (f->opted_out && status < 400 && !t->any)
        fail(t, "opt-out", false, "X-Robots-Tag forbids it");
    else if (status >= 300 && status < 400 && status != 304)
        redirected(f);
    else if (status >= 100 && status != 200) {
        curl_off_t wait = 0;
        class_of_status(t->class, t->status, &t->again);
        curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &wait);
        t->retry_after = (double)wait;
    } else if (f->too_large && !t->any)   // of a robots.txt, what came is enough
        fail(t, "too-large", f->crowded, f->crowded ? "it unpacks to more than there is memory for at the moment" :
             "the body is larger than --max-bytes");
    else if (code != CURLE_OK && !f->too_large && !f->enough) {
        double resolved = 0;
        curl_easy_getinfo(f->easy, CURLINFO_NAMELOOKUP_TIME, &resolved);
        bool again;
        const char *class = class_of_code(code, resolved > 0, status > 0, &again);
        if (f->blocked && code == CURLE_COULDNT_CONNECT)
            fail(t, "blocked-address", false, NULL);
        else
            fail(t, class, again, curl_easy_strerror(code));
    } else if (!f->headed)
        fail(t, status ? "truncated" : "reset", true, "closed in the middle of the answer's headers");
    land(f);
}

// No line of an answer is there yet, but bytes keep coming?
static bool drips(const struct flight *f, double now)
{
    struct tcp_info info;
    socklen_t n = sizeof info;
    for (int i = 0; i < f->c->count; i++)   // HTTP/2: they may be another's
        if (f->c->flying[i] != f && f->c->flying[i]->fd == f->fd)
            return false;
    if (f->fd < 0 || getsockopt(f->fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0)
        return false;
    double ago = 1e-3 * info.tcpi_last_data_recv;
    return ago < dripping && ago < 0.5 * (now - f->t->started);
}

// Deadlines and rates.
static void look(struct client *c, double now)
{
    double usually = c->usual.seconds == 0 ? idle_first : fmin(fmax(c->usual.seconds, look_every), idle_most);
    for (int i = c->count; i-- > 0;) {
        struct flight *f = c->flying[i];
        struct transfer *t = f->t;
        if (f->paused) {   // our own doing: costs it no time
            t->deadline += now - f->paused_at;
            f->paused_at = f->moved = f->window = now;
            f->window_wire = f->wire;
            set_still(f, false, false, now);
            continue;
        }
        int64_t wire = t->bytes + f->head;
        // a trickle is no movement
        if ((double)(wire - f->wire) > c->o.min_rate * (now - c->looked))
            f->moved = now;
        if (wire > 0 && f->window == 0) {
            f->window = now;
            f->window_wire = wire;
        }
        f->wire = wire;
        set_still(f, hangs(f, now), now - f->moved > usually, now);
        double span = now - f->window, rate = rate_of(f, now);
        bool slow = f->window > 0 && span > 0 && rate < c->o.min_rate;
        bool early = t->still && t->still_until > 0 && now >= t->still_until;
        bool late = now >= t->deadline || (early && rate < good_rate * fmax(c->o.min_rate, 1));
        if (late || (slow && span >= slow_after)) {
            note(f);
            if (!slow && wire == 0)
                slow = drips(f, now);
            if (slow)
                fail(t, "too-slow", !late, "fewer bytes a second than --min-rate");
            else
                fail(t, "timeout", false, wire ? "not whole within --deadline" : "no answer within --deadline");
            land(f);
        } else if (f->window > 0 && span >= slow_after) {
            f->rate = rate;
            f->window = now;
            f->window_wire = wire;
        }
    }
    c->looked = now;
    if (now - c->opened_at > 1) {
        double rate = (double)c->opened / (now - c->opened_at);
        c->names_last = rate < 1. * NAMES / 600 ? 600 : rate < NAMES ? (long)(NAMES / rate) : 1;
        c->opened = 0;
        c->opened_at = now;
    }
}

static void act(struct client *c, curl_socket_t fd, int what)
{
    int running;
    curl_multi_socket_action(c->multi, fd, what, &running);
}

static void collect(struct client *c)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left)) != NULL;) {
        struct flight *f = NULL;
        CURLcode code = m->data.result;
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &f);
        if (f && f->t)
            finish(f, code);
    }
}

// Those that waited for memory go on when there is some.
static void resume(struct client *c)
{
    for (int i = 0, n = c->paused_count; i < n; i++) {
        struct flight *f = c->paused[0];
        unpause(c, f);
        if (has_room(f)) {
            f->moved = clock_now();
            curl_easy_pause(f->easy, CURLPAUSE_CONT);
        } else {
            c->paused[c->paused_count++] = f;
            f->paused = true;
        }
    }
}

int client_wait(struct client *c, double seconds)
{
    struct epoll_event e[EVENTS];
    double now = clock_now(), until = now + seconds;
    if (c->timer >= 0 && c->timer < until)
        until = c->timer;
    if (c->count && c->looked + look_every < until)
        until = c->looked + look_every;
    int ms = until <= now ? 0 : (int)(1000 * (until - now)) + 1;
    int n = epoll_wait(c->epoll, e, EVENTS, ms);
    if (n < 0 && errno != EINTR)
        return FAIL(EIO_, "waiting for the network failed: %s", strerror(errno));
    for (int i = 0; i < n; i++) {
        if (e[i].data.fd == c->wake) {
            uint64_t count;
            if (read(c->wake, &count, sizeof count) < 0)
                continue;
            continue;
        }
        // of an error alone libcurl says only that: what came before it is to be read first
        bool broken = e[i].events & (EPOLLERR | EPOLLHUP);
        int what = (e[i].events & EPOLLIN || broken ? CURL_CSELECT_IN : 0) |
                   (e[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) | (broken ? CURL_CSELECT_ERR : 0);
        act(c, e[i].data.fd, what);
    }
    now = clock_now();
    if (c->timer >= 0 && now >= c->timer) {
        c->timer = -1;
        act(c, CURL_SOCKET_TIMEOUT, 0);
    }
    if (c->paused_count)
        resume(c);
    collect(c);
    if (now - c->looked >= look_every)
        look(c, now);
    return 0;
}

void client_wake(struct client *c)
{
    uint64_t one = 1;
    if (write(c->wake, &one, sizeof one) < 0)
        return;   // full: it is awake already
}

void client_release(struct client *c, int64_t held)
{
    lane_of(c, held)->held -= held;
}

int client_active(const struct client *c) { return c->count; }
int client_moving(const struct client *c) { return c->moving; }
int64_t client_received(const struct client *c) { return c->received; }
bool client_full(const struct client *c) { return c->lane[0].held > c->o.memory / 8 * 3; }

void transfer_clear(struct transfer *t)
{
    free(t->location);
    t->location = NULL;
    buf_free(&t->body);
}
