// SPDX-License-Identifier: Apache-2.0
// A list with four clean pictures from nginx for every bad row, the bad ones of every kind we could think of: each row
// ends in its right class, the time is that of the clean rows alone and one deadline, memory stays small.
//   trial                              a small list, as a test
//   trial ROWS DEADLINE LAYOUT [ARGS]  ARGS for diht fetch; LAYOUT words joined by '-':
//     one (host of bad ones), many (a host a row), mixed        where the bad rows are
//     grouped                                                   one kind of bad rows after the other
//     first, last                                               bad rows before, behind all others
//     same                                                      the good rows are on the bad rows' one host
//     slow                                                      the misbehaving server answers 600 requests a second
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "check.h"
#include "cli/run.h"
#include "nginx.h"
#include "server.h"

static const char allow[] = "127.10.0.0/15,127.20.0.0/16,127.30.0.0/16,127.64.0.0/10";
enum { MEMORY = 200, EXTRA_SECONDS = 4, HANGING = 2 };

struct kind { const char *at, *class; };   // class: "a|b" either

// By path on the misbehaving server.
static const struct kind paths[] = {
    {"busy/%d", "ok"}, {"nolen/%d", "ok"}, {"hops/3", "ok"}, {"optout-other", "ok"}, {"private/not", "ok"},
    {"hints", "ok"}, {"once/%d", "ok"}, {"cut-head", "truncated"},
    {"silent", "timeout"}, {"trickle", "too-slow"}, {"drip", "too-slow"}, {"stall", "too-slow|timeout"},
    {"creep", "timeout"}, {"creep-on", "timeout"},
    {"endless", "too-large"}, {"endless-zero", "too-large"}, {"endless-head", "too-large"}, {"continue", "too-large"},
    {"long-head", "too-large"}, {"wide-head", "too-large"}, {"cookies", "too-large"},
    {"longer", "truncated"}, {"shorter", "truncated"}, {"half", "truncated"}, {"broken-off", "truncated"},
    {"chunks", "truncated"}, {"html", "not-an-image"}, {"empty", "not-an-image"}, {"garbage", "protocol"},
    {"old", "protocol"}, {"reset", "reset"}, {"bomb", "too-large"}, {"mislabelled", "protocol"}, {"huge", "too-large"},
    {"status/404", "http-404"}, {"status/410", "http-410"}, {"status/503", "http-503"}, {"status/403", "http-403"},
    {"status/500", "http-500"}, {"status/206", "http-206"}, {"status/204", "http-204"},
    {"limit", "http-429"}, {"hops/40", "redirect-loop"}, {"loop", "redirect-loop"}, {"to-file", "blocked-address"},
    {"to-loopback", "blocked-address"}, {"to-name", "blocked-address"}, {"to-tls", "tls"},
    {"optout", "opt-out"}, {"optout-us", "opt-out"}, {"none", "opt-out"}, {"private/%d", "robots"},
};
enum { PATHS = sizeof paths / sizeof *paths };

// Whole addresses; %d: the misbehaving server's port.
static const struct kind addresses[] = {
    {"http://127.0.0.1:%d/ok/1", "blocked-address"}, {"http://2130706433:%d/ok/1", "blocked-address"},
    {"http://0177.0.0.1:%d/ok/1", "blocked-address"}, {"http://0x7f.1:%d/ok/1", "blocked-address"},
    {"http://[::ffff:127.0.0.1]:%d/ok/1", "blocked-address"}, {"http://[::1]:%d/ok/1", "blocked-address"},
    {"http://[64:ff9b::7f00:1]:%d/ok/1", "blocked-address"}, {"http://inner.localhost:%d/ok/1", "blocked-address"},
    {"http://10.0.0.1/x.jpg", "blocked-address"}, {"http://192.168.1.1/x.jpg", "blocked-address"},
    {"http://169.254.169.254/latest/meta-data", "blocked-address"}, {"http://0.0.0.0:%d/ok/1", "blocked-address"},
    {"http://224.0.0.1/x", "blocked-address"}, {"file:///etc/passwd", "blocked-address"},
    {"ftp://127.20.0.1/x.jpg", "blocked-address"}, {"javascript:alert(1)", "blocked-address"},
    {"http://user:secret@127.20.0.1:%d/ok/1", "bad-url"}, {"http://", "bad-url"}, {"no address", "bad-url"},
    {"http://127.20.0.1:99999/ok/1", "bad-url"}, {"http://exam ple.invalid/x", "bad-url"},
    {"http://127.20.0.1\x01:%d/ok/1", "bad-url"}, {" ", "bad-row|bad-url"},
    {"http://nothing.invalid/x.jpg", "dns"}, {"http://b\xc3\xbc" "cher.invalid/x.jpg", "dns"},
    {"http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1:%d/ok/1", "blocked-address"},   // full-width 127
    {"https://127.20.0.1:%d/ok/1", "tls"}, {"http://127.20.0.1:%d/ok/7 7", "ok"},
};
enum { ADDRESSES = sizeof addresses / sizeof *addresses };

static struct server server;
static struct nginx nginx;
static int closed;

static int rows = 1500;
static const char *deadline = "6", *layout = "mixed";
static char **more;

static bool laid(const char *word)
{
    size_t n = strlen(word);
    for (const char *p = layout; (p = strstr(p, word)) != NULL; p += n)
        if ((p == layout || p[-1] == '-') && (p[n] == '-' || !p[n]))
            return true;
    return false;
}

// The n-th bad row: its address, and what becomes of it.
static const char *bad(char url[512], int n)
{
    int kinds = PATHS + ADDRESSES + (int)server_wholes + HANGING, all = rows / 5;
    int k = laid("grouped") ? (int)((int64_t)n * kinds / all) : n % kinds;
    int round = laid("grouped") ? n - (int)(((int64_t)k * all + kinds - 1) / kinds) : n / kinds;
    char path[64];
    if (k < PATHS) {
        bool own = laid("many") || (laid("mixed") && round % 2);
        snprintf(path, sizeof path, paths[k].at, n + 1);
        snprintf(url, 512, "http://127.%d.%d.%d:%d/%s", own ? 64 + (n >> 14) : 20, own ? n >> 7 & 127 : 0,
                 own ? n & 127 : 1, server.port, path);
        return paths[k].class;
    }
    if ((k -= PATHS) < ADDRESSES) {
        snprintf(url, 512, addresses[k].at, server.port);
        return addresses[k].class;
    }
    if ((k -= ADDRESSES) < (int)server_wholes) {
        snprintf(url, 512, "http://127.%d.%d.%d:%d/%d.jpg", SERVER_WHOLE, k, 1 + round % 3, server.port, n);
        return server_whole[k].class;
    }
    if (k == (int)server_wholes) {
        snprintf(url, 512, "http://127.20.0.1:%d/%d", closed, n);
        return "refused";
    }
    snprintf(url, 512, "https://127.11.0.1:%d/%d.jpg", nginx.tls_port ? nginx.tls_port : server.port, n);
    return "tls";
}

// One row in five is bad.
static bool is_bad(int i)
{
    return laid("first") ? i < rows / 5 : laid("last") ? i >= rows - rows / 5 : i % 5 == 3;
}

// class[i] is what becomes of row i.
static bool write_lists(const char **class)
{
    FILE *all = fopen("all.tsv", "w"), *clean = fopen("clean.tsv", "w");
    char url[512];
    for (int i = 0, bads = 0; all && clean && i < rows; i++) {
        if (is_bad(i))
            class[i] = bad(url, bads++);
        else {
            int n = i - bads;
            if (laid("same"))
                snprintf(url, sizeof url, "http://127.20.0.1:%d/ok/%d", server.port, rows + n);
            else
                snprintf(url, sizeof url, "http://127.10.0.%d:%d/%d.jpg", laid("one") ? 1 : 1 + i % NGINX_HOSTS,
                         nginx.port, n);
            fprintf(clean, "row %d\t%s\n", i, url);
            class[i] = "ok";
        }
        fprintf(all, "row %d\t%s\n", i, url);
    }
    return all && clean && fclose(all) == 0 && fclose(clean) == 0;
}

// `diht fetch`: seconds, and its peak in megabytes; < 0: it failed.
static double timed(const char *list, const char *out_dir, double *megabytes)
{
    const char *args[64] = {"diht", "fetch", list, "--out", out_dir, "--deadline", deadline, "--allow-net", allow, "--json",
                            "--retries", "1", "--contact", "tests@example.org", "--max-bytes", "4000000"};
    int n = 0, status;
    struct rusage use;
    while (args[n])
        n++;
    for (char **p = more; p && *p && n < 63; p++)
        args[n++] = *p;
    double start = clock_now();
    pid_t pid = fork();
    if (pid == 0) {
        int to = open("out.json", O_WRONLY | O_CREAT | O_TRUNC, 0666), quiet = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0666);
        dup2(to, 1);
        dup2(quiet, 2);
        execv(getenv("DIHT_PROGRAM"), (char **)(uintptr_t)args);
        _exit(127);
    }
    if (wait4(pid, &status, 0, &use) != pid || status != 0) {
        printf("# %s: status %x\n", list, status);
        if (system("tail -5 err | sed 's/^/# /'") != 0)
            printf("# nothing said\n");
        return -1;
    }
    *megabytes = (double)use.ru_maxrss / 1024;
    return clock_now() - start;
}

static bool one_of(const char *class, const char *these)
{
    size_t n = strlen(class);
    for (const char *p = these; *p; p += *p == '|') {
        size_t m = strcspn(p, "|");
        if (m == n && memcmp(p, class, n) == 0)
            return true;
        p += m;
    }
    return false;
}

// Rows that ended in another class than `class` says; the first ones are shown.
static int wrong(const char *catalogue, const char *const *class)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    int found = 0, bad_ones = 0;
    if (sqlite3_open_v2(catalogue, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
        sqlite3_prepare_v2(db, "SELECT row, CASE state WHEN 'ok' THEN 'ok' ELSE reason END, url, detail FROM samples", -1,
                           &s, NULL);
    while (s && sqlite3_step(s) == SQLITE_ROW) {
        int row = sqlite3_column_int(s, 0);
        const char *is = (const char *)sqlite3_column_text(s, 1), *why = (const char *)sqlite3_column_text(s, 3);
        found++;
        if (row < rows && one_of(is, class[row]))
            continue;
        if (bad_ones++ < 12)
            printf("# row %d, %s: is %s (%s), should be %s\n", row, sqlite3_column_text(s, 2), is, why ? why : "",
                   row < rows ? class[row] : "nothing");
    }
    sqlite3_finalize(s);
    sqlite3_close(db);
    return bad_ones + (found != rows) * rows;
}

static void every_kind(void)
{
    const char **class = calloc((size_t)rows, sizeof *class);
    double memory = 0, clean_memory = 0;
    if (!nginx_start(&nginx, rows))
        SKIP("nginx is not installed");
    closed = closed_port();
    CHECK(class && write_lists(class));
    double clean = timed("clean.tsv", "clean", &clean_memory);
    double all = timed("all.tsv", "all", &memory);
    CHECK(clean > 0 && all > 0);
    int others = class ? wrong("all/catalog-0000.sqlite", class) : 0;
    printf("# %d rows, %s: clean ones %.2f s (%.0f MB), all %.2f s (%.0f MB), deadline %s s, %d in a wrong class\n", rows,
           layout, clean, clean_memory, all, memory, deadline, others);
    CHECK(others == 0);
    CHECK(all <= clean + atof(deadline) + EXTRA_SECONDS);
#ifndef __SANITIZE_ADDRESS__   // it keeps what was freed
    CHECK(memory < MEMORY);
#endif
    nginx_stop(&nginx);
    free(class);
}

// All bad rows on one host, one kind after the other.
static void grouped(void)
{
    CHECK(mkdir("grouped", 0755) == 0 && chdir("grouped") == 0);
    rows = 3000;
    layout = "one-grouped";
    every_kind();
    CHECK(chdir("..") == 0);
}

int main(int argc, char **argv)
{
    if (argc > 3) {
        rows = atoi(argv[1]);
        deadline = argv[2];
        layout = argv[3];
        more = argv + 4;
    }
    server.seconds = 600;
    server.answers = laid("slow") ? 600 : 0;
    if (!scratch_begin() || server_start(&server) != 0)
        return 1;
    CASE(every_kind);
    if (argc < 2)
        CASE(grouped);
    server_stop(&server);
    scratch_end();
    return check_done();
}
