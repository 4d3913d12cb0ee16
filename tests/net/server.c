// SPDX-License-Identifier: Apache-2.0
#include "server.h"

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
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/rng.h"
#include "image/encode.h"

enum { SECONDS = 120, MOST = 8192, BLOCK = 1 << 16 };

struct peer {
    int fd;
    char in[4096];
    size_t in_len;
    char head[1024];            // the answer: this, then `body`, then what `mode` does
    size_t head_len;
    const char *body;
    size_t body_len, sent;
    enum { NORMAL, SILENT, TRICKLE, ENDLESS, CLOSE } mode;
    bool answering, counted;
    double next;                // TRICKLE
};

static struct buf picture, bomb, half, huge;
static char garbage[BLOCK], zeros[BLOCK];
static struct peer *peers[MOST];
static int epoll, port;
static uint32_t *hits, *optout_bytes;

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

static void make_huge(void)
{
    static const unsigned char png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R',
        0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50, 8, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'I', 'E', 'N', 'D', 0, 0, 0, 0};
    buf_add(&huge, png, sizeof png);
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

static bool starts(const char *path, const char *with, const char **rest)
{
    size_t n = strlen(with);
    if (strncmp(path, with, n) != 0 || (path[n] != '/' && path[n] != ' '))
        return false;
    *rest = path + n + (path[n] == '/');
    return true;
}

static void answer(struct peer *p)
{
    char *path = strchr(p->in, ' '), more[256];
    const char *rest = "";
    p->mode = NORMAL;
    p->sent = 0;
    p->body_len = p->head_len = 0;
    p->counted = false;
    path = path ? path + 2 : p->in;
    unsigned name = 0;
    if (starts(path, "robots.txt", &rest)) {
        static const char text[] = "User-agent: *\nDisallow: /private\nAllow: /private/not\n";
        static struct buf robots;
        if (!robots.len)
            buf_str(&robots, text);
        reply(p, "200 OK", "Content-Type: text/plain\r\n", &robots, (int64_t)robots.len);
    } else if (starts(path, "ok", &rest) || starts(path, "busy", &rest) || starts(path, "private", &rest)) {
        name = (unsigned)atoi(rest) % SERVER_NAMES;
        hits[name]++;
        if (path[0] == 'b' && hits[name] == 1)
            reply(p, "503 Busy", "Retry-After: 1\r\n", NULL, 0);
        else
            reply_picture(p, name, "Content-Type: text/html\r\n", false);   // types lie
    } else if (starts(path, "nolen", &rest)) {
        reply_picture(p, (unsigned)atoi(rest), "", true);
    } else if (starts(path, "silent", &rest)) {
        p->mode = SILENT;
    } else if (starts(path, "trickle", &rest)) {
        reply(p, "200 OK", "", &picture, (int64_t)picture.len);
        p->mode = TRICKLE;
        p->next = 0;
    } else if (starts(path, "endless", &rest) || starts(path, "endless-zero", &rest)) {
        reply(p, "200 OK", "", path[7] == '-' ? NULL : &half, -1);
        p->mode = ENDLESS;
    } else if (starts(path, "longer", &rest)) {
        reply(p, "200 OK", "", &picture, (int64_t)picture.len + 5000);
        p->mode = CLOSE;
    } else if (starts(path, "shorter", &rest)) {
        reply(p, "200 OK", "", &picture, (int64_t)picture.len / 2);
        p->mode = CLOSE;
    } else if (starts(path, "half", &rest)) {
        reply(p, "200 OK", "Content-Type: image/jpeg\r\n", &half, (int64_t)half.len);
    } else if (starts(path, "html", &rest)) {
        static struct buf page;
        if (!page.len)
            buf_str(&page, "<!DOCTYPE html><html><body>This picture has moved to our new site.</body></html>");
        reply(p, "200 OK", "Content-Type: image/jpeg\r\n", &page, (int64_t)page.len);
    } else if (starts(path, "empty", &rest)) {
        reply(p, "200 OK", "Content-Type: image/jpeg\r\n", NULL, 0);
    } else if (starts(path, "garbage", &rest)) {
        p->head_len = (size_t)sprintf(p->head, "220 mail.example.org ESMTP\r\n");
        p->mode = CLOSE;
    } else if (starts(path, "reset", &rest)) {
        p->mode = CLOSE;
    } else if (starts(path, "bomb", &rest)) {
        reply(p, "200 OK", "Content-Encoding: gzip\r\nContent-Type: image/jpeg\r\n", &bomb, (int64_t)bomb.len);
    } else if (starts(path, "huge", &rest)) {
        reply(p, "200 OK", "Content-Type: image/png\r\n", &huge, (int64_t)huge.len);
    } else if (starts(path, "status", &rest)) {
        snprintf(more, sizeof more, "%d Status", atoi(rest));
        reply(p, more, "", NULL, 0);
    } else if (starts(path, "limit", &rest)) {
        reply(p, "429 Too Many", "Retry-After: 3600\r\n", NULL, 0);
    } else if (starts(path, "hops", &rest)) {
        int left = atoi(rest);
        snprintf(more, sizeof more, "Location: /%s%d\r\n", left > 1 ? "hops/" : "ok/", left > 1 ? left - 1 : 3);
        reply(p, "302 Found", more, NULL, 0);
    } else if (starts(path, "loop", &rest)) {
        reply(p, "301 Moved", "Location: /loop\r\n", NULL, 0);
    } else if (starts(path, "to-loopback", &rest)) {
        snprintf(more, sizeof more, "Location: http://127.0.0.1:%d/ok/1\r\n", port);
        reply(p, "302 Found", more, NULL, 0);
    } else if (starts(path, "to-file", &rest)) {
        reply(p, "302 Found", "Location: file:///etc/passwd\r\n", NULL, 0);
    } else if (starts(path, "optout", &rest) || starts(path, "optout-us", &rest) || starts(path, "none", &rest)) {
        const char *tag = path[0] == 'n' ? "none" : path[6] == '-' ? "otherbot: all, diht: noindex" : "noarchive, NoAI";
        snprintf(more, sizeof more, "X-Robots-Tag: %s\r\n", tag);
        reply(p, "200 OK", more, &picture, (int64_t)picture.len);
        p->counted = true;
    } else if (starts(path, "optout-other", &rest)) {
        reply_picture(p, 9999999, "X-Robots-Tag: googlebot: noindex, noai\r\nX-Robots-Tag: unavailable_after: 1 Jan 2001\r\n",
                      false);
    } else
        reply(p, "404 Not Found", "", NULL, 0);
    p->answering = true;
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
        } else if (p->sent < p->head_len) {
            at = p->head + p->sent;
            n = p->head_len - p->sent;
        } else if (p->sent < p->head_len + p->body_len) {
            at = p->body + (p->sent - p->head_len);
            n = p->head_len + p->body_len - p->sent;
        } else if (p->mode == ENDLESS) {
            at = garbage;
            n = sizeof garbage;
        } else
            break;
        ssize_t put = send(p->fd, at, n, MSG_NOSIGNAL);
        if (put < 0)
            return errno == EAGAIN;
        p->sent += (size_t)put;
    }
    if (p->mode == SILENT)
        return true;
    if (p->mode == CLOSE) {
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
    if (!p->answering && strstr(p->in, "\r\n\r\n")) {
        answer(p);
        p->in_len = 0;
        p->in[0] = 0;
    }
    return !p->answering || push(p);
}

static void serve(const int *listener /* 2 */)
{
    struct epoll_event e, got[256];
    double until = clock_now() + SECONDS, ticked = 0;
    epoll = epoll_create1(0);
    for (int i = 0; i < 2; i++) {
        e = (struct epoll_event){.events = EPOLLIN, .data.fd = listener[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, listener[i], &e);
    }
    while (clock_now() < until) {
        int n = epoll_wait(epoll, got, 256, 100);
        for (int i = 0; i < n; i++) {
            int fd = got[i].data.fd;
            if (fd == listener[0] || fd == listener[1]) {
                for (int c; (c = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
                    struct peer *p = c < MOST ? calloc(1, sizeof *p) : NULL;
                    int one = 1;
                    if (!p) {
                        close(c);
                        continue;
                    }
                    setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    p->fd = c;
                    peers[c] = p;
                    e = (struct epoll_event){.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = c};
                    epoll_ctl(epoll, EPOLL_CTL_ADD, c, &e);
                }
            } else if (peers[fd]) {
                struct peer *p = peers[fd];
                bool was = p->counted, alive = (got[i].events & (EPOLLIN | EPOLLHUP) ? pull(p) : true) &&
                                               (!p->answering || push(p));
                if (was && !alive)
                    ++*optout_bytes;
                if (!alive)
                    drop(p);
            }
        }
        if (clock_now() - ticked > 0.2) {
            ticked = clock_now();
            for (int fd = 0; fd < MOST; fd++)
                if (peers[fd] && peers[fd]->answering && peers[fd]->mode == TRICKLE && !push(peers[fd]))
                    drop(peers[fd]);
        }
    }
}

// On 127.0.0.`last`; port 0: any.
static int listen_at(int last, int *at)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000u + (unsigned)last), .sin_port = htons((uint16_t)*at)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        return -1;
    *at = ntohs(a.sin_port);
    return fd;
}

int closed_port(void)
{
    int at = 0, fd = listen_at(1, &at);
    if (fd >= 0)
        close(fd);
    return at;
}

int server_start(struct server *s)
{
    uint32_t *shared = mmap(NULL, (SERVER_NAMES + 1) * sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                            -1, 0);
    port = 0;
    int listener[2] = {listen_at(1, &port), listen_at(2, &port)};
    if (shared == MAP_FAILED || listener[0] < 0 || listener[1] < 0)
        return -1;
    hits = s->hits = shared;
    optout_bytes = s->optout_bytes = shared + SERVER_NAMES;
    s->port = port;
    s->pid = fork();
    if (s->pid == 0) {
        struct rlimit r = {MOST, MOST};
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setrlimit(RLIMIT_NOFILE, &r);
        make_picture();
        make_bomb();
        make_huge();
        serve(listener);
        _exit(0);
    }
    close(listener[0]);
    close(listener[1]);
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
