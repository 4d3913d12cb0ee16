// SPDX-License-Identifier: Apache-2.0
// diht fetch against a server that misbehaves, on loopback: every row in its class, nothing lost by kills, nothing
// fetched twice, several processes in one dataset.
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/rng.h"
#include "check.h"
#include "cli/run.h"
#include "server.h"

static struct server server;

static const char allow[] = "--allow-net 127.0.0.1";

// Addresses of the server by path, and what becomes of them.
static const struct { const char *path, *class; } fates[] = {
    {"busy/90001", "ok"}, {"nolen/90002", "ok"}, {"hops/3", "ok"}, {"optout-other", "ok"}, {"private/not", "ok"},
    {"hints", "ok"}, {"once/1", "ok"}, {"once/2", "ok"}, {"once/3", "ok"}, {"cut-head", "truncated"},
    {"silent", "timeout"}, {"trickle", "too-slow"}, {"endless", "too-large"}, {"endless-zero", "too-large"},
    {"longer", "truncated"}, {"shorter", "truncated"}, {"half", "truncated"}, {"html", "not-an-image"},
    {"empty", "not-an-image"}, {"garbage", "protocol"}, {"reset", "reset"}, {"bomb", "too-large"},
    {"huge", "too-large"}, {"status/404", "http-404"}, {"status/410", "http-410"}, {"status/503", "http-503"},
    {"limit", "http-429"}, {"hops/40", "redirect-loop"}, {"loop", "redirect-loop"}, {"to-file", "blocked-address"},
    {"optout", "opt-out"}, {"optout-us", "opt-out"}, {"none", "opt-out"}, {"private/4", "robots"},
};
enum { FATES = sizeof fates / sizeof *fates };

// Whole addresses; "" is that of a port where nobody listens.
static const struct { const char *url, *class; } elsewhere[] = {
    {"http://10.0.0.1/x.jpg", "blocked-address"}, {"http://[::ffff:10.0.0.1]/x", "blocked-address"},
    {"http://169.254.169.254/latest", "blocked-address"}, {"http://[::1]/x", "blocked-address"},
    {"http://127.0.0.9/x", "blocked-address"}, {"http://2130706442/x", "blocked-address"},
    {"http://[64:ff9b::7f00:9]/x", "blocked-address"}, {"ftp://127.0.0.1/x", "blocked-address"},
    {"file:///etc/passwd", "blocked-address"}, {"no address at all", "bad-url"}, {"", "refused"},
    {"http://nothing.invalid/x", "dns"},
};
enum { ELSEWHERE = sizeof elsewhere / sizeof *elsewhere };

// `good` pictures of their own with captions; every `kind` of bad ones when asked for.
static void write_list(const char *name, int good, bool bad)
{
    FILE *f = fopen(name, "w");
    if (!f)
        return;
    for (int i = 0; i < good; i++)
        fprintf(f, "picture %d\thttp://127.0.0.1:%d/ok/%d\n", i, server.port, i);
    for (int i = 0; bad && i < FATES; i++)
        fprintf(f, "%s\thttp://127.0.0.1:%d/%s\n", fates[i].path, server.port, fates[i].path);
    int closed = closed_port();
    for (int i = 0; bad && i < ELSEWHERE; i++) {
        if (!*elsewhere[i].url)
            fprintf(f, "closed\thttp://127.0.0.1:%d/x\n", closed);
        else
            fprintf(f, "elsewhere\t%s\n", elsewhere[i].url);
    }
    fclose(f);
}

// One text of the catalogue, "" when there is none; valid until the next call.
static const char *ask(const char *catalogue, const char *sql)
{
    static char text[1 << 16];
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    *text = 0;
    if (sqlite3_open_v2(catalogue, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW &&
        sqlite3_column_text(s, 0))
        snprintf(text, sizeof text, "%s", (const char *)sqlite3_column_text(s, 0));
    else
        printf("# %s: %s\n", catalogue, sqlite3_errmsg(db));
    sqlite3_finalize(s);
    sqlite3_close(db);
    return text;
}

// Everything of the good rows but where their bytes lie.
static const char samples[] = "SELECT count(*) || ' ' || group_concat(key || sha256 || caption) FROM"
                              " (SELECT * FROM samples WHERE state = 'ok' ORDER BY list, row)";

static void every_class(void)
{
    enum { GOOD = 300 };
    char sql[200];
    write_list("all.tsv", GOOD, true);
    time_t start = time(NULL);
    CHECK(diht("fetch all.tsv --out all --deadline 6 --retries 1 --json %s", allow) == 0);
    CHECK(time(NULL) - start <= 6 + 4);
    CHECK(json_line());
    CHECK(strcmp(ask("all/catalog-0000.sqlite", "SELECT count(*) FROM samples"), "346") == 0);
    for (int i = 0; i < GOOD + FATES + ELSEWHERE; i++) {
        snprintf(sql, sizeof sql, "SELECT CASE state WHEN 'ok' THEN 'ok' ELSE reason END FROM samples WHERE row = %d", i);
        const char *is = ask("all/catalog-0000.sqlite", sql), *path = i < GOOD ? "ok" : "elsewhere", *class = "ok";
        if (i >= GOOD + FATES) {
            path = elsewhere[i - GOOD - FATES].url;
            class = elsewhere[i - GOOD - FATES].class;
        } else if (i >= GOOD) {
            path = fates[i - GOOD].path;
            class = fates[i - GOOD].class;
        }
        if (strcmp(is, class) != 0)
            printf("# row %d, %s: is %s, should be %s\n", i, path, is, class);
        CHECK(strcmp(is, class) == 0);
    }
    CHECK(diht("status all --json") == 0 && json_line());
    CHECK(strstr(out, "\"rows\":346") && strstr(out, "\"waiting\":0"));
}

static void redirected_to_a_closed_network(void)
{
    FILE *f = fopen("to.tsv", "w");
    if (!f)
        return;
    fprintf(f, "a\thttp://127.0.0.2:%d/to-loopback\n", server.port);
    fclose(f);
    // only 127.0.0.2 is open: the redirect to 127.0.0.1 is not followed
    CHECK(diht("fetch to.tsv --out to --deadline 3 --allow-net 127.0.0.2 --json") == 0);
    CHECK(strstr(out, "\"blocked-address\":1") != NULL);
}

// Rules that lie where may not be asked are unreachable, which is a no; those behind a circle are none (RFC 9309, 2.3.1).
static void robots_led_astray(void)
{
    static const char *const class[] = {"robots", "robots", "ok", "robots"};
    FILE *f = fopen("astray.tsv", "w");
    for (int i = 0; f && i < 4; i++)
        fprintf(f, "a\thttp://127.%d.%d.1:%d/ok/%d\n", SERVER_ROBOTS, i, server.port, 99100 + i);
    if (f)
        fclose(f);
    CHECK(diht("fetch astray.tsv --out astray --deadline 3 --allow-net 127.%d.0.0/16 --json", SERVER_ROBOTS) == 0);
    for (int i = 0; i < 4; i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "SELECT CASE state WHEN 'ok' THEN 'ok' ELSE reason END FROM samples WHERE row = %d", i);
        CHECK(strcmp(ask("astray/catalog-0000.sqlite", sql), class[i]) == 0 && server.hits[99100 + i] == (i == 2));
    }
}

static void again(void)
{
    memset(server.hits, 0, SERVER_NAMES * sizeof *server.hits);
    write_list("twice.tsv", 50, false);
    CHECK(diht("fetch twice.tsv --out twice --json %s", allow) == 0);
    CHECK(diht("fetch twice.tsv --out twice --json %s", allow) == 0);
    for (int i = 0; i < 50; i++)
        CHECK(server.hits[i] == 1);
    CHECK(strstr(out, "\"ok\":50") && strstr(out, "\"added\":0"));
    // one that failed is asked again by refetch only
    FILE *f = fopen("busy.tsv", "w");
    if (!f)
        return;
    fprintf(f, "a\thttp://127.0.0.1:%d/busy/90010\n", server.port);
    fclose(f);
    CHECK(diht("fetch busy.tsv --out busy --retries 0 --json %s", allow) == 0 && strstr(out, "\"http-503\":1"));
    CHECK(diht("fetch busy.tsv --out busy --retries 0 --json %s", allow) == 0 && strstr(out, "\"http-503\":1"));
    CHECK(diht("refetch busy --class timeout --json %s", allow) == 0 && strstr(out, "\"http-503\":1"));
    CHECK(diht("refetch busy --class timeout,http-503 --json %s", allow) == 0 && strstr(out, "\"ok\":1,\"failed\":{}"));
}

static void tars_are_whole(const char *dataset)
{
    char line[300];
    snprintf(line, sizeof line, "for t in %s/shards/*.tar; do [ ! -e $t ] || tar tf $t >/dev/null 2>&1 || exit 1; done", dataset);
    CHECK(system(line) == 0);
}

// How many samples' bytes lie where the catalogue says and have the hash it says.
static int stored(const char *dataset)
{
    char path[300], sha[SHA256_HEX];
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    int same = 0;
    snprintf(path, sizeof path, "%s/catalog-0000.sqlite", dataset);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
        sqlite3_prepare_v2(db, "SELECT shard, offset, bytes, sha256 FROM samples WHERE state = 'ok'", -1, &s, NULL);
    while (s && sqlite3_step(s) == SQLITE_ROW) {
        size_t n = (size_t)sqlite3_column_int64(s, 2);
        snprintf(path, sizeof path, "%s/shards/%05d.tar", dataset, sqlite3_column_int(s, 0));
        FILE *f = fopen(path, "r");
        char *bytes = malloc(n + 1);
        if (f && bytes && fseek(f, (long)sqlite3_column_int64(s, 1), SEEK_SET) == 0 && fread(bytes, 1, n, f) == n) {
            sha256_hex(sha, bytes, n);
            same += strcmp(sha, (const char *)sqlite3_column_text(s, 3)) == 0;
        }
        free(bytes);
        if (f)
            fclose(f);
    }
    sqlite3_finalize(s);
    sqlite3_close(db);
    return same;
}

static int kills = 12, good = 2000;

// Requests for good rows beyond one each.
static int64_t asked_again(void)
{
    int64_t n = 0;
    for (int i = 0; i < good; i++)
        n += server.hits[i] > 1 ? server.hits[i] - 1 : 0;
    return n;
}

// Killed at random moments, started again: the dataset of an undisturbed run.
static void killed(void)
{
    struct rng r = rng_make(11, 0);
    char list[64] = "kill.tsv", *whole;
    write_list(list, good, false);
    CHECK(diht("fetch %s --out calm --shard-samples 300 %s", list, allow) == 0);
    whole = strdup(ask("calm/catalog-0000.sqlite", samples));
    CHECK(whole && atoi(whole) == good);
    memset(server.hits, 0, SERVER_NAMES * sizeof *server.hits);
    int died = 0;
    for (int i = 0; i < kills; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
                _exit(1);
            execl(getenv("DIHT_PROGRAM"), "diht", "fetch", list, "--out", "rough", "--shard-samples", "300", "--allow-net",
                  "127.0.0.1", "--concurrency", "16", (char *)NULL);
            _exit(127);
        }
        usleep((useconds_t)(20000 + rng_below(&r, 100000)));
        kill(pid, SIGKILL);
        int status;
        waitpid(pid, &status, 0);
        died += WIFSIGNALED(status);
        tars_are_whole("rough");
    }
    CHECK(died > kills / 5);
    CHECK(diht("fetch %s --out rough --shard-samples 300 %s", list, allow) == 0);
    CHECK(whole && strcmp(whole, ask("rough/catalog-0000.sqlite", samples)) == 0);
    tars_are_whole("rough");
    int64_t again = asked_again();
    printf("# %d rows, %d kills, %d of them while it ran: %lld rows asked again, %.0f a kill\n", good, kills, died,
           (long long)again, died ? (double)again / died : 0);
    CHECK(again < 1000 * (int64_t)died);   // those under way and those since the last commit
    CHECK(system("for d in calm rough; do for t in $d/shards/*.tar; do tar tf $t; done | sort | grep -v '^$' > $d.names; done;"
                 " cmp calm.names rough.names") == 0);
    CHECK(stored("rough") == good);
    free(whole);
}

// Requests for names from `from` on.
static int64_t asked(int from, int n)
{
    int64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += server.hits[from + i];
    return sum;
}

// A host that refuses most when asked too fast: it is asked slower, all rows come, another host's do not wait.
static void a_host_with_a_limit(void)
{
    enum { LIMITED = 80, GOOD = 300, FROM = 100000 };
    char line[200];
    FILE *f = fopen("rate.tsv", "w");
    for (int i = 0; f && i < GOOD; i++) {
        if (i < LIMITED)
            fprintf(f, "limited\thttp://127.0.0.2:%d/rate/%d\n", server.port, FROM + i);
        fprintf(f, "good\thttp://127.0.0.1:%d/ok/%d\n", server.port, i);
    }
    if (f)
        fclose(f);
    CHECK(diht("fetch rate.tsv --out rate --deadline 30 --retries 4 --log rate.log --allow-net 127.0.0.0/8 --json") == 0);
    CHECK(strstr(out, "\"ok\":380,\"failed\":{}") != NULL);
    printf("# %d rows of a host with a limit: %lld requests\n", LIMITED, (long long)asked(FROM, LIMITED));
    CHECK(asked(FROM, LIMITED) < 3 * LIMITED);   // 190 or so; more where the program itself is slow
    // the others were over long before
    snprintf(line, sizeof line, "head -%d rate.log | grep -c /ok/ | grep -qx %d", GOOD + LIMITED / 2, GOOD);
    CHECK(system(line) == 0);
}

// One that says nothing else: it is asked a few times, its rows end as the host answers, within the deadline.
static void a_host_that_is_always_busy(void)
{
    enum { ROWS = 500, FROM = 101000 };
    FILE *f = fopen("limit.tsv", "w");
    for (int i = 0; f && i < ROWS; i++)
        fprintf(f, "limited\thttp://127.0.0.2:%d/limit/%d\n", server.port, FROM + i);
    if (f)
        fclose(f);
    double start = clock_now();
    CHECK(diht("fetch limit.tsv --out limit --deadline 4 --allow-net 127.0.0.0/8 --json") == 0);
    CHECK(strstr(out, "\"rows\":500,\"ok\":0,\"failed\":{\"http-429\":500}") != NULL);
    CHECK(clock_now() - start < 4 + 3);
    printf("# %d rows of a host that is busy for an hour: %lld requests\n", ROWS, (long long)asked(FROM, ROWS));
    CHECK(asked(FROM, ROWS) < 50);
}

// A host that is slow to say whether it may be asked has more rows than memory holds: those behind them need not wait.
static void a_slow_host_with_many_rows(void)
{
    enum { SLOW = 36000, GOOD = 100 };
    char line[500];
    FILE *f = fopen("slow.tsv", "w");
    for (int i = 0; f && i < SLOW; i++)
        fprintf(f, "slow\thttp://127.%d.0.1:%d/%d\n", SERVER_WHOLE, server.port, i);
    for (int i = 0; f && i < GOOD; i++)
        fprintf(f, "good\thttp://127.0.0.1:%d/ok/%d\n", server.port, i);
    if (f)
        fclose(f);
    CHECK(diht("fetch slow.tsv --out slow --deadline 5 --retries 0 --log slow.log --allow-net 127.0.0.0/8 --json") == 0);
    CHECK(strstr(out, "\"rows\":36100,\"ok\":100,\"failed\":{\"timeout\":36000}") && strstr(out, "\"waiting\":0"));
    snprintf(line, sizeof line, "head -%d slow.log | grep -c '\"class\":\"ok\"' | grep -qx %d", GOOD, GOOD);
    CHECK(system(line) == 0);
}

static void several_processes(void)
{
    write_list("ranks.tsv", 301, false);
    char line[2000];
    snprintf(line, sizeof line, "for r in 0 1 2; do '%s' fetch ranks.tsv --out ranks --rank $r --ranks 3 %s >/dev/null 2>&1 &"
             " p=\"$p $!\"; done; for q in $p; do wait $q || exit 1; done", getenv("DIHT_PROGRAM"), allow);
    CHECK(system(line) == 0);
    CHECK(diht("status ranks --json") == 0);
    CHECK(strstr(out, "\"rows\":301,\"ok\":301") != NULL);
    CHECK(strcmp(ask("ranks/catalog-0001.sqlite", "SELECT count(*) FROM samples"), "100") == 0);
    tars_are_whole("ranks");
}

static pid_t start(const char *dataset, const char *said_to)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stdout) || !freopen(said_to, "w", stderr))
            _exit(1);
        execl(getenv("DIHT_PROGRAM"), "diht", "fetch", "long.tsv", "--out", dataset, "--delay", "0.01", "--allow-net",
              "127.0.0.1", (char *)NULL);
        _exit(127);
    }
    return pid;
}

// Two of one rank at once: the second says so. Status while it fills. Ctrl-C: what came is kept.
// "Retry-After: Wed, 25 Nov 2026 20:55:03 GMT": waited for, when the deadline leaves time for it.
static void asked_again_at_a_date(void)
{
    static const struct { int name; const char *deadline, *answer; double least; } tries[] = {
        {90021, "20", "\"ok\":1,\"failed\":{}", 1.9}, {90023, "1.5", "\"http-503\":1", 0}};
    for (int i = 0; i < 2; i++) {
        FILE *f = fopen("date.tsv", "w");
        if (!f)
            return;
        fprintf(f, "a\thttp://127.0.0.1:%d/busy/%d\n", server.port, tries[i].name);
        fclose(f);
        double start = clock_now();
        CHECK(diht("fetch date.tsv --out date%d --deadline %s --json %s", i, tries[i].deadline, allow) == 0);
        CHECK(clock_now() - start >= tries[i].least);
        CHECK(strstr(out, tries[i].answer) != NULL);
    }
}

static void stopped_and_alone(void)
{
    int status = 0;
    write_list("long.tsv", 3000, false);
    pid_t pid = start("stopped", "stopped.err");
    usleep(700000);
    CHECK(diht("fetch long.tsv --out stopped %s", allow) == 1 && said("another import or fetch is writing it"));
    CHECK(diht("status stopped --json") == 0 && json_line() && !strstr(out, "\"ok\":0,"));
    kill(pid, SIGINT);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) != 0);
    CHECK(system("grep -q 'they are kept' stopped.err") == 0);
    CHECK(stored("stopped") > 10 && stored("stopped") < 3000);
    tars_are_whole("stopped");
    CHECK(diht("fetch long.tsv --out stopped --json %s", allow) == 0 && strstr(out, "\"ok\":3000"));
}

// A packed list that breaks off: what lies before is fetched, the sentence names file and line; the whole one goes on.
static void broken_off_list(void)
{
    write_list("part.tsv", 900, false);
    CHECK(system("gzip -c part.tsv >whole.gz && head -c $(($(wc -c <whole.gz) / 2)) whole.gz >part.tsv.gz") == 0);
    CHECK(diht("fetch part.tsv.gz --out part %s", allow) == 1 && said("part.tsv.gz: the packed data ends too early"));
    CHECK(said("behind line ") && diht("status part --json") == 0 && strstr(out, "\"failed\":{}"));
    int before = atoi(ask("part/catalog-0000.sqlite", "SELECT count(*) FROM samples WHERE state = 'ok'"));
    CHECK(before > 100 && before < 900);
    CHECK(system("mv whole.gz part.tsv.gz") == 0);
    CHECK(diht("fetch part.tsv.gz --out part --json %s", allow) == 0 && strstr(out, "\"rows\":900,\"ok\":900,"));
}

static void refusals(void)
{
    write_list("one.tsv", 1, false);
    CHECK(diht("fetch one.tsv --out x --allow-net nonsense") != 0 && said("--allow-net"));
    CHECK(diht("fetch one.tsv --out x --robots maybe") != 0 && said("obey or ignore"));
    CHECK(diht("fetch one.tsv --out x --per-host 0") != 0 && said("--per-host"));
    CHECK(diht("fetch gone.tsv --out x") != 0 && said("gone.tsv"));
    CHECK(diht("refetch nowhere") != 0 && said("nowhere"));
    CHECK(diht("status nowhere") != 0);
}

// fetch KILLS: only that many kills, on a longer list
int main(int argc, char **argv)
{
    if (argc > 1) {
        kills = atoi(argv[1]);
        good = 240 * kills;
        server.seconds = 600;
    }
    if (!scratch_begin() || server_start(&server) != 0)
        return 1;
    CASE(killed);
    if (argc > 1)
        goto done;
    CASE(every_class);
    CASE(redirected_to_a_closed_network);
    CASE(robots_led_astray);
    CASE(again);
    CASE(asked_again_at_a_date);
    CASE(stopped_and_alone);
    CASE(a_slow_host_with_many_rows);
    CASE(a_host_with_a_limit);
    CASE(a_host_that_is_always_busy);
    CASE(several_processes);
    CASE(broken_off_list);
    CASE(refusals);
done:
    server_stop(&server);
    scratch_end();
    return check_done();
}
