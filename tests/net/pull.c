// SPDX-License-Identifier: Apache-2.0
// diht pull from a server on loopback: whole, broken off, without resuming, another file, none; two at once; killed.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../cli/run.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "check.h"

enum { SIZE = 400000, CUT = 150000, SECONDS = 60 };

static unsigned char whole[SIZE];
static char file[128];            // its name, SHA-256 inside
static int port;
static struct { volatile int requests, ranges; volatile long long sent; } *seen;   // by the server

static void send_all(int fd, const void *at, size_t n, bool slowly)
{
    for (size_t done = 0; done < n;) {
        size_t step = slowly && n - done > 4000 ? 4000 : n - done;
        ssize_t k = send(fd, (const char *)at + done, step, MSG_NOSIGNAL);
        if (k <= 0)
            return;
        done += (size_t)k;
        seen->sent += k;
        if (slowly)
            nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

// One request: /MODE/FILE.
static void answer(int fd)
{
    char in[2048] = "", head[256], mode[16] = "";
    long long from = 0;
    size_t n = 0;
    while (n < sizeof in - 1 && !strstr(in, "\r\n\r\n")) {
        ssize_t k = recv(fd, in + n, sizeof in - 1 - n, 0);
        if (k <= 0)
            return;
        n += (size_t)k;
        in[n] = 0;
    }
    const char *range = strstr(in, "Range: bytes=");
    sscanf(in, "GET /%15[a-z]/", mode);
    seen->requests++;
    seen->ranges += range != NULL;
    bool resumes = strcmp(mode, "anew") != 0;
    if (strcmp(mode, "none") == 0 || !strstr(in, file)) {
        static const char no[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnone\n";
        send_all(fd, no, sizeof no - 1, false);
        return;
    }
    if (range && resumes)
        from = atoll(range + 13);
    if (from >= SIZE) {
        static const char past[] = "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n";
        send_all(fd, past, sizeof past - 1, false);
        return;
    }
    int len = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %lld\r\nConnection: close\r\n", range && resumes ?
                       "206 Partial Content" : "200 OK", SIZE - from);
    if (range && resumes)
        len += snprintf(head + len, sizeof head - (size_t)len, "Content-Range: bytes %lld-%d/%d\r\n", from, SIZE - 1, SIZE);
    len += snprintf(head + len, sizeof head - (size_t)len, "\r\n");
    send_all(fd, head, (size_t)len, false);
    size_t rest = (size_t)(SIZE - from);
    if (strcmp(mode, "cut") == 0 || (strcmp(mode, "anew") == 0 && seen->requests == 1))
        rest = rest < CUT ? rest : CUT;
    if (strcmp(mode, "other") == 0)
        whole[from] ^= 1;
    send_all(fd, whole + from, rest, strcmp(mode, "slow") == 0);
    if (strcmp(mode, "other") == 0)
        whole[from] ^= 1;
}

static pid_t serve(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof a) != 0 || listen(s, 16) != 0 ||
        getsockname(s, (struct sockaddr *)&a, &n) != 0)
        return -1;
    port = ntohs(a.sin_port);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(SECONDS);
        for (;;) {
            int fd = accept(s, NULL, NULL);
            if (fd >= 0)
                answer(fd);
            close(fd);
        }
    }
    close(s);
    return pid;
}

static int pull(const char *mode)
{
    seen->requests = seen->ranges = 0;
    seen->sent = 0;
    return diht("pull %s --url http://127.0.0.1:%d/%s/", file, port, mode);
}

// Is the file in the cache what it should be? Takes it away.
static bool came(void)
{
    char path[256];
    struct buf b = {0};
    snprintf(path, sizeof path, "cache/diht/%s", file);
    bool good = file_exists(path) && file_read(path, &b) == 0 && b.len == SIZE && memcmp(b.at, whole, SIZE) == 0;
    buf_free(&b);
    (void)unlink(path);
    return good;
}

static bool part_there(void)
{
    char path[256];
    snprintf(path, sizeof path, "cache/diht/%s.part", file);
    return file_exists(path);
}

static void whole_at_once(void)
{
    CHECK(pull("good") == 0 && seen->requests == 1 && strstr(out, file) && said("CC-BY-NC"));
    CHECK(pull("good") == 0 && seen->requests == 0);   // it is there already
    CHECK(came() && !part_there());
}

static void broken_off(void)
{
    CHECK(pull("cut") == 0 && seen->requests == 3 && seen->ranges == 2 && seen->sent < SIZE + 2000);
    CHECK(came() && !part_there());
}

static void server_that_cannot_resume(void)
{
    CHECK(pull("anew") == 0 && seen->requests == 2);
    CHECK(came());
}

static void another_file(void)
{
    CHECK(pull("other") == 1 && said("SHA-256") && !came() && !part_there());
}

static void no_such_file(void)
{
    CHECK(pull("none") == 1 && said("404") && said("put it at") && said(file) && !part_there());
    CHECK(diht("pull %s --url http://127.0.0.1:1/", file) == 1 && said("put it at"));
    CHECK(diht("pull %s --url file:///etc/", file) == 1 && !came());
    CHECK(diht("pull diht_vitz99") == 2 && said("diht_vitb32_224px"));
    CHECK(diht("pull ../x_%064d.ckpt", 0) == 2);
    CHECK(diht("pull all --url http://127.0.0.1:1/x") == 2 && said("ending in /"));
}

static void a_whole_part(void)   // killed between the last byte and the name
{
    char path[256];
    snprintf(path, sizeof path, "cache/diht/%s.part", file);
    CHECK(file_write(path, whole, SIZE) == 0);
    CHECK(pull("good") == 0 && seen->requests == 1 && seen->sent < 1000 && came());
}

static void killed(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        char address[64];
        snprintf(address, sizeof address, "http://127.0.0.1:%d/slow/", port);
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        execl(getenv("DIHT_PROGRAM"), "diht", "pull", file, "--url", address, (char *)NULL);
        _exit(1);
    }
    for (int i = 0; i < 400 && !part_there(); i++)
        usleep(10000);
    usleep(300000);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    CHECK(part_there());
    CHECK(pull("good") == 0 && seen->ranges == 1 && seen->sent < SIZE && came());
}

static void two_at_once(void)
{
    char command[512];
    seen->requests = 0;
    snprintf(command, sizeof command, "for i in 1 2 3; do \"$DIHT_PROGRAM\" pull %s --url http://127.0.0.1:%d/slow/ >/dev/null "
             "2>&1 & p=\"$p $!\"; done; for q in $p; do wait $q || exit 1; done", file, port);
    CHECK(system(command) == 0 && seen->requests == 1);
    CHECK(came());
}

int main(void)
{
    char hash[SHA256_HEX];
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < SIZE; i++)
        whole[i] = (unsigned char)(i * 2654435761u >> 13);
    sha256_hex(hash, whole, SIZE);
    snprintf(file, sizeof file, "thing_%s.ckpt", hash);
    pid_t server = seen == MAP_FAILED || !scratch_begin() ? -1 : serve();
    if (server < 0) {
        printf("Bail out! no server\n");
        return 1;
    }
    setenv("XDG_CACHE_HOME", "cache", 1);
    setenv("no_proxy", "127.0.0.1", 1);
    CASE(whole_at_once);
    CASE(broken_off);
    CASE(server_that_cannot_resume);
    CASE(another_file);
    CASE(no_such_file);
    CASE(a_whole_part);
    CASE(killed);
    CASE(two_at_once);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    scratch_end();
    return check_done();
}
