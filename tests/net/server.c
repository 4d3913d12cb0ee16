// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/rng.h"
#include "image/encode.h"
#include "server.h"

enum { SECONDS = 120, MOST = 8192 };

struct peer {
    int fd;
    uint32_t at;                // our address that it came to
    char in[4096];
    size_t in_len;
    char head[1024];            // the answer: this, then `body`, then what `mode` does
    size_t head_len;
    const char *body;
    size_t body_len, sent;
    // behind the body: go on; say nothing; a byte a second, from the body on; CREPT bytes every creep_every; `unit` for ever; close; close with a reset
    enum { NORMAL, SILENT, TRICKLE, CREEP, ENDLESS, CLOSE, RESET } mode;
    const char *unit;
    size_t unit_len;
    bool answering, counted;
    int requests;
    double next;                // TRICKLE, CREEP
};

static struct peer *peers[MOST];
static int epoll;
static uint32_t *optout_bytes;

const struct server_host server_whole[] = {
    {"silent", "timeout"}, {"drip", "too-slow"}, {"endless", "too-large"}, {"endless-head", "too-large"},
    {"garbage", "protocol"}, {"reset", "reset"}, {"status/404", "http-404"}, {"status/503", "robots"},
    {"loop", "redirect-loop"}, {"html", "not-an-image"}, {"old", "protocol"},
};
const unsigned server_wholes = sizeof server_whole / sizeof *server_whole;

enum { BLOCK = 1 << 16, MEGABYTE = 1 << 20, CREPT = 600 };
static const double creep_every = 0.3;

static struct buf picture, bomb, half, huge, page, robots, long_head, wide_head, cookies, drip, broken;
static char garbage[BLOCK], zeros[BLOCK];
static uint32_t *hits;
static int port;
static double answer_takes;    // seconds of our one thread

// About 45 kB of JPEG.
static void make_picture(void)
{
    struct image im = {400, 300, malloc(400 * 300 * 3)};
    struct rng r = rng_make(7, 7);
    for (int i = 0; im.rgb && i < 400 * 300 * 3; i++)
        im.rgb[i] = (unsigned char)((i / 9 % 200) + (int)rng_below(&r, 40));
    if (!im.rgb || image_jpeg(&picture, &im, 82) != 0)
        abort();
    free(im.rgb);
    buf_add(&half, picture.at, picture.len / 2);
    for (int i = 0; i < BLOCK; i++)
        garbage[i] = (char)(rng_below(&r, 254) + 1);
}

static void make_bomb(void)
{
    z_stream z = {0};
    char out[BLOCK];
    deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    for (int i = 0; i <= 1024; i++) {   // 64 MB of nothing behind a picture's first bytes
        z.next_in = (unsigned char *)(i ? zeros : picture.at);
        z.avail_in = i ? BLOCK : 1024;
        do {
            z.next_out = (unsigned char *)out;
            z.avail_out = sizeof out;
            deflate(&z, i == 1024 ? Z_FINISH : Z_NO_FLUSH);
            buf_add(&bomb, out, sizeof out - z.avail_out);
        } while (z.avail_out == 0);
    }
    deflateEnd(&z);
}

// Headers that nobody needs, as far as a megabyte and more; a picture behind them.
static void make_heads(void)
{
    buf_str(&long_head, "HTTP/1.1 200 OK\r\nX-Long: ");
    for (int i = 0; i < MEGABYTE / 16; i++)
        buf_str(&long_head, "0123456789abcdef");
    buf_str(&wide_head, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < MEGABYTE / 32; i++)
        buf_fmt(&wide_head, "X-Wide-%06d: 0123456789abcdef\r\n", i);
    buf_str(&cookies, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < MEGABYTE / 64; i++)
        buf_fmt(&cookies, "Set-Cookie: c%06d=0123456789abcdef; Path=/; Max-Age=99999999\r\n", i);
    struct buf *const all[] = {&long_head, &wide_head, &cookies};
    for (int i = 0; i < 3; i++) {
        buf_fmt(all[i], "%sContent-Length: %zu\r\n\r\n", i ? "" : "\r\n", picture.len);
        buf_add(all[i], picture.at, picture.len);
    }
}

static void answers_make(int at, uint32_t *counts)
{
    static const unsigned char png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R',
        0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50, 8, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'I', 'E', 'N', 'D', 0, 0, 0, 0};
    port = at;
    hits = counts;
    make_picture();
    make_bomb();
    make_heads();
    buf_add(&huge, png, sizeof png);
    buf_str(&page, "<!DOCTYPE html><html><body>This picture has moved to our new site.</body></html>");
    buf_str(&robots, "User-agent: *\nDisallow: /private\nAllow: /private/not\n");
    buf_str(&drip, "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 40000\r\n\r\n");
    buf_add(&drip, picture.at, picture.len);
    buf_str(&broken, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n");
    buf_add(&broken, picture.at, 0x1000);
    buf_str(&broken, "\r\nno number\r\n");
}

static void reply(struct peer *p, const char *status, const char *headers, const struct buf *body, int64_t length)
{
    int n = snprintf(p->head, sizeof p->head, "HTTP/1.1 %s\r\n%s", status, headers);
    if (length >= 0)
        n += snprintf(p->head + n, sizeof p->head - (size_t)n, "Content-Length: %lld\r\n", (long long)length);
    n += snprintf(p->head + n, sizeof p->head - (size_t)n, "\r\n");
    p->head_len = (size_t)n;
    p->body = body ? body->at : NULL;
    p->body_len = body ? body->len : 0;
}

// The picture with a comment segment that makes it the name's own.
static void reply_picture(struct peer *p, unsigned name, const char *headers, bool chunked)
{
    size_t length = picture.len + 20;
    reply(p, "200 OK", headers, NULL, chunked ? -1 : (int64_t)length);
    if (chunked) {
        p->head_len -= 2;
        p->head_len += (size_t)sprintf(p->head + p->head_len, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", length);
        p->mode = CLOSE;   // after the last chunk, which lies behind the body
    }
    memcpy(p->head + p->head_len, "\xff\xd8\xff\xfe\x00\x12", 6);
    snprintf(p->head + p->head_len + 6, 17, "%016u", name);
    p->head_len += 22;
    p->body = picture.at + 2;
    p->body_len = picture.len - 2;
}

// All of it is bytes made before, and then `mode`.
static void raw(struct peer *p, const struct buf *b, int mode)
{
    p->body = b->at;
    p->body_len = b->len;
    p->mode = mode;
}

static void endless(struct peer *p, const char *head, const char *unit, size_t n)
{
    p->head_len = (size_t)sprintf(p->head, "%s", head);
    p->mode = ENDLESS;
    p->unit = unit;
    p->unit_len = n;
}

static bool starts(const char *path, const char *with, const char **rest)
{
    size_t n = strlen(with);
    if (strncmp(path, with, n) != 0 || (path[n] != '/' && path[n] != ' '))
        return false;
    *rest = path + n + (path[n] == '/');
    return true;
}

// Odd names say when to come again as a date, the others in seconds.
static void reply_busy(struct peer *p, unsigned name)
{
    char more[64] = "Retry-After: 1\r\n";
    time_t then = time(NULL) + 3;
    struct tm at;
    if (name % 2 && gmtime_r(&then, &at))
        strftime(more, sizeof more, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", &at);
    reply(p, "503 Busy", more, NULL, 0);
}

// Fifty pictures a second, five at once; more is refused.
static bool over_the_limit(void)
{
    static double left = 5, at;
    double now = clock_now();
    left += 50 * (now - at);
    left = left > 5 ? 5 : left;
    at = now;
    if (left < 1)
        return true;
    left--;
    return false;
}

static bool pictures(struct peer *p, const char *path)
{
    const char *rest = "";
    unsigned name = 0;
    if (starts(path, "ok", &rest) || starts(path, "busy", &rest) || starts(path, "private", &rest)) {
        name = (unsigned)atoi(rest) % SERVER_NAMES;
        hits[name]++;
        if (path[0] == 'b' && hits[name] == 1)
            reply_busy(p, name);
        else
            reply_picture(p, name, "Content-Type: text/html\r\n", false);   // types lie
    } else if (starts(path, "rate", &rest)) {
        name = (unsigned)atoi(rest) % SERVER_NAMES;
        hits[name]++;
        if (over_the_limit())
            reply(p, "429 Too Many", "", NULL, 0);
        else
            reply_picture(p, name, "", false);
    } else if (starts(path, "nolen", &rest))
        reply_picture(p, (unsigned)atoi(rest), "", true);
    else if (starts(path, "longer", &rest)) {
        reply(p, "200 OK", "", &picture, (int64_t)picture.len + 5000);
        p->mode = CLOSE;
    } else if (starts(path, "shorter", &rest)) {
        reply(p, "200 OK", "", &picture, (int64_t)picture.len / 2);
        p->mode = CLOSE;
    } else if (starts(path, "half", &rest))
        reply(p, "200 OK", "Content-Type: image/jpeg\r\n", &half, (int64_t)half.len);
    else if (starts(path, "broken-off", &rest)) {
        reply(p, "200 OK", "", &half, (int64_t)picture.len);
        p->mode = RESET;
    } else if (starts(path, "bomb", &rest))
        reply(p, "200 OK", "Content-Encoding: gzip\r\nContent-Type: image/jpeg\r\n", &bomb, (int64_t)bomb.len);
    else if (starts(path, "mislabelled", &rest))
        reply(p, "200 OK", "Content-Encoding: gzip\r\n", &picture, (int64_t)picture.len);
    else if (starts(path, "huge", &rest))
        reply(p, "200 OK", "Content-Type: image/png\r\n", &huge, (int64_t)huge.len);
    else if (starts(path, "html", &rest))
        reply(p, "200 OK", "Content-Type: image/jpeg\r\n", &page, (int64_t)page.len);
    else if (starts(path, "empty", &rest))
        reply(p, "200 OK", "Content-Type: image/jpeg\r\n", NULL, 0);
    else
        return false;
    return true;
}

static bool protocol(struct peer *p, const char *path)
{
    static const char more[] = "HTTP/1.1 100 Continue\r\n\r\n", filler[] = "X-Filler: 0123456789abcdef\r\n";
    const char *rest = "";
    if (starts(path, "silent", &rest))
        p->mode = SILENT;
    else if (starts(path, "trickle", &rest)) {
        reply(p, "200 OK", "", &picture, (int64_t)picture.len);
        p->mode = TRICKLE;
    } else if (starts(path, "drip", &rest))
        raw(p, &drip, TRICKLE);
    else if (starts(path, "stall", &rest)) {
        reply(p, "200 OK", "", &half, (int64_t)picture.len);
        p->mode = SILENT;
    } else if (starts(path, "creep", &rest) || starts(path, "creep-on", &rest)) {
        reply(p, "200 OK", "", &picture, starts(path, "creep", &rest) ? (int64_t)picture.len : -1);
        p->mode = CREEP;
    } else if (starts(path, "endless", &rest)) {
        endless(p, "HTTP/1.1 200 OK\r\n\r\n", garbage, sizeof garbage);
        p->body = half.at;
        p->body_len = half.len;
    } else if (starts(path, "endless-zero", &rest))
        endless(p, "HTTP/1.1 200 OK\r\n\r\n", zeros, sizeof zeros);
    else if (starts(path, "hints", &rest)) {
        p->head_len = (size_t)sprintf(p->head, "HTTP/1.1 103 Early Hints\r\nX-Robots-Tag: noai\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
        p->body = picture.at;
        p->body_len = picture.len;
        p->mode = CLOSE;
    } else if (starts(path, "cut-head", &rest)) {
        p->head_len = (size_t)sprintf(p->head, "HTTP/1.1 200 OK\r\nContent-Le");
        p->mode = CLOSE;
    } else if (starts(path, "once", &rest)) {
        if (p->requests > 1)
            p->mode = RESET;
        else
            reply_picture(p, (unsigned)atoi(rest), "", false);
    } else if (starts(path, "endless-head", &rest))
        endless(p, "HTTP/1.1 200 OK\r\n", filler, sizeof filler - 1);
    else if (starts(path, "continue", &rest))
        endless(p, "HTTP/1.1 100 Continue\r\n\r\n", more, sizeof more - 1);
    else if (starts(path, "long-head", &rest))
        raw(p, &long_head, CLOSE);
    else if (starts(path, "wide-head", &rest))
        raw(p, &wide_head, CLOSE);
    else if (starts(path, "cookies", &rest))
        raw(p, &cookies, CLOSE);
    else if (starts(path, "chunks", &rest))
        raw(p, &broken, CLOSE);
    else if (starts(path, "old", &rest))   // HTTP/0.9
        raw(p, &picture, CLOSE);
    else if (starts(path, "garbage", &rest)) {
        p->head_len = (size_t)sprintf(p->head, "220 mail.example.org ESMTP\r\n");
        p->mode = CLOSE;
    } else if (starts(path, "reset", &rest))
        p->mode = CLOSE;
    else
        return false;
    return true;
}

static bool elsewhere(struct peer *p, const char *path)
{
    const char *rest = "";
    char more[256];
    if (starts(path, "hops", &rest)) {
        int left = atoi(rest);
        snprintf(more, sizeof more, "Location: /%s%d\r\n", left > 1 ? "hops/" : "ok/", left > 1 ? left - 1 : 3);
    } else if (starts(path, "loop", &rest))
        snprintf(more, sizeof more, "Location: /loop\r\n");
    else if (starts(path, "to-loopback", &rest))
        snprintf(more, sizeof more, "Location: http://127.0.0.1:%d/ok/1\r\n", port);
    else if (starts(path, "to-name", &rest))
        snprintf(more, sizeof more, "Location: http://inner.localhost:%d/ok/1\r\n", port);
    else if (starts(path, "to-tls", &rest))
        snprintf(more, sizeof more, "Location: https://127.20.0.1:%d/ok/1\r\n", port);
    else if (starts(path, "to-file", &rest))
        snprintf(more, sizeof more, "Location: file:///etc/passwd\r\n");
    else
        return false;
    reply(p, "302 Found", more, NULL, 0);
    return true;
}

static bool opted_out(struct peer *p, const char *path)
{
    const char *rest = "", *tag;
    char more[100];
    if (starts(path, "optout-other", &rest)) {
        reply_picture(p, 9999999, "X-Robots-Tag: googlebot: noindex, noai\r\nX-Robots-Tag: unavailable_after: 1 Jan 2001\r\n",
                      false);
        return true;
    }
    if (starts(path, "optout", &rest))
        tag = "noarchive, NoAI";
    else if (starts(path, "optout-us", &rest))
        tag = "otherbot: all, diht: noindex";
    else if (starts(path, "none", &rest))
        tag = "none";
    else
        return false;
    snprintf(more, sizeof more, "X-Robots-Tag: %s\r\n", tag);
    reply(p, "200 OK", more, &picture, (int64_t)picture.len);
    p->counted = true;
    return true;
}

static void answer(struct peer *p)
{
    char *path = strchr(p->in, ' '), more[64], host[32];
    const char *rest = "";
    p->mode = NORMAL;
    p->sent = 0;
    p->body_len = p->head_len = 0;
    p->counted = false;
    p->next = 0;
    p->answering = true;
    p->requests++;
    usleep((useconds_t)(1e6 * answer_takes));
    path = path ? path + 2 : p->in;
    // a host that does one thing whatever it is asked for
    if (p->at >> 16 == (127 << 8 | SERVER_WHOLE)) {
        snprintf(host, sizeof host, "%s ", server_whole[(p->at >> 8 & 0xff) % server_wholes].path);
        path = host;
    }
    if (p->at >> 16 == (127 << 8 | SERVER_ROBOTS) && starts(path, "robots.txt", &rest)) {
        static const char *const away[] = {"to-loopback ", "to-file ", "loop ", "to-name "};
        path = (char *)(uintptr_t)away[(p->at >> 8 & 0xff) % 4];
    }
    if (starts(path, "robots.txt", &rest))
        reply(p, "200 OK", "Content-Type: text/plain\r\n", &robots, (int64_t)robots.len);
    else if (starts(path, "status", &rest)) {
        snprintf(more, sizeof more, "%d Status", atoi(rest));
        reply(p, more, "", NULL, 0);
    } else if (starts(path, "limit", &rest)) {
        hits[(unsigned)atoi(rest) % SERVER_NAMES]++;
        reply(p, "429 Too Many", "Retry-After: 3600\r\n", NULL, 0);
    } else if (!pictures(p, path) && !protocol(p, path) && !elsewhere(p, path) && !opted_out(p, path))
        reply(p, "404 Not Found", "", NULL, 0);
}

static void drop(struct peer *p)
{
    peers[p->fd] = NULL;
    close(p->fd);
    free(p);
}

// Send what can be sent; false when the peer is gone.
static bool push(struct peer *p)
{
    for (;;) {
        const char *at;
        size_t n;
        if (p->mode == TRICKLE && p->sent >= p->head_len) {
            if (clock_now() < p->next)
                return true;
            p->next = clock_now() + 1;
            at = p->body + (p->sent - p->head_len) % p->body_len;
            n = 1;
        } else if (p->mode == CREEP && p->sent >= p->head_len && p->sent < p->head_len + p->body_len) {
            if (clock_now() < p->next)
                return true;
            p->next = clock_now() + creep_every;
            at = p->body + (p->sent - p->head_len);
            n = p->head_len + p->body_len - p->sent;
            n = n < CREPT ? n : CREPT;
        } else if (p->sent < p->head_len) {
            at = p->head + p->sent;
            n = p->head_len - p->sent;
        } else if (p->sent < p->head_len + p->body_len) {
            at = p->body + (p->sent - p->head_len);
            n = p->head_len + p->body_len - p->sent;
        } else if (p->mode == ENDLESS) {
            size_t into = (p->sent - p->head_len - p->body_len) % p->unit_len;
            at = p->unit + into;
            n = p->unit_len - into;
        } else
            break;
        ssize_t put = send(p->fd, at, n, MSG_NOSIGNAL);
        if (put < 0)
            return errno == EAGAIN;
        p->sent += (size_t)put;
    }
    if (p->mode == SILENT)
        return true;
    if (p->mode == RESET) {
        struct linger now = {1, 0};
        setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        return false;
    }
    if (p->mode == CLOSE || p->mode == CREEP) {
        if (strstr(p->head, "chunked") && send(p->fd, "\r\n0\r\n\r\n", 7, MSG_NOSIGNAL) < 0)
            return false;
        return false;
    }
    p->answering = false;
    return true;
}

static bool pull(struct peer *p)
{
    if (p->in_len == sizeof p->in - 1)
        p->in_len = 0;
    ssize_t got = recv(p->fd, p->in + p->in_len, sizeof p->in - 1 - p->in_len, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN))
        return false;
    p->in_len += got > 0 ? (size_t)got : 0;
    p->in[p->in_len] = 0;
    if (p->in_len && p->in[0] == 0x16) {   // TLS is not spoken here
        static const char plain[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
        send(p->fd, plain, sizeof plain - 1, MSG_NOSIGNAL);
        return false;
    }
    if (!p->answering && strstr(p->in, "\r\n\r\n")) {
        answer(p);
        p->in_len = 0;
        p->in[0] = 0;
    }
    return !p->answering || push(p);
}

static void greet(int listener)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        struct peer *p = fd < MOST ? calloc(1, sizeof *p) : NULL;
        struct sockaddr_in to;
        socklen_t n = sizeof to;
        int one = 1;
        if (!p || getsockname(fd, (struct sockaddr *)&to, &n) != 0) {
            free(p);
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        p->fd = fd;
        p->at = ntohl(to.sin_addr.s_addr);
        peers[fd] = p;
        struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = fd};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    }
}

static void attend(struct peer *p, uint32_t events)
{
    bool was = p->counted;
    bool alive = (events & (EPOLLIN | EPOLLHUP) ? pull(p) : true) && (!p->answering || push(p));
    if (was && !alive)
        ++*optout_bytes;
    if (!alive)
        drop(p);
}

static void serve(int listener, double seconds)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, got[256];
    double until = clock_now() + seconds, ticked = 0;
    epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
    while (clock_now() < until) {
        int n = epoll_wait(epoll, got, answer_takes > 0 ? 16 : 256, 100);
        for (int i = 0; i < n; i++) {
            int fd = got[i].data.fd;
            if (fd == listener)
                greet(fd);
            else if (peers[fd])
                attend(peers[fd], got[i].events);
        }
        if (clock_now() - ticked > 0.2) {
            ticked = clock_now();
            for (int fd = 0; fd < MOST; fd++)
                if (peers[fd] && peers[fd]->answering && peers[fd]->next > 0 && !push(peers[fd]))
                    drop(peers[fd]);
        }
    }
}

// On every address of loopback and on no other interface; port 0: any.
static int listen_at(int *at)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*at)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) != 0 ||
        bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        return -1;
    *at = ntohs(a.sin_port);
    return fd;
}

int closed_port(void)
{
    int at = 0, fd = listen_at(&at);
    if (fd >= 0)
        close(fd);
    return at;
}

int server_start(struct server *s)
{
    uint32_t *shared = mmap(NULL, (SERVER_NAMES + 1) * sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                            -1, 0);
    int at = 0, listener = listen_at(&at);
    if (shared == MAP_FAILED || listener < 0)
        return -1;
    s->hits = shared;
    optout_bytes = s->optout_bytes = shared + SERVER_NAMES;
    s->port = at;
    s->pid = fork();
    if (s->pid == 0) {
        struct rlimit r = {MOST, MOST};
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setrlimit(RLIMIT_NOFILE, &r);
        answers_make(at, shared);
        answer_takes = s->answers > 0 ? 1 / s->answers : 0;
        serve(listener, s->seconds > 0 ? s->seconds : SECONDS);
        _exit(0);
    }
    close(listener);
    return s->pid > 0 ? 0 : -1;
}

void server_stop(struct server *s)
{
    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
    munmap(s->hits, (SERVER_NAMES + 1) * sizeof *s->hits);
}
