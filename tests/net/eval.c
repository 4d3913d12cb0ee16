// SPDX-License-Identifier: Apache-2.0
// From a list of addresses to the table with one command, on loopback: dead rows leave gaps, ranges stay the list's, a
// killed run goes on.
#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "cli/run.h"
#include "server.h"

enum { ROWS = 240, RANGE = 60 };

static struct server server;

static bool dead(int row) { return row % 5 == 3 || (row >= 130 && row < 140); }

static void prepare(void)
{
    static const char tiny[] = "{\"embed_dim\":16,"
                               "\"vision\":{\"image_size\":32,\"patch_size\":8,\"width\":32,\"layers\":1,\"head_width\":16},"
                               "\"text\":{\"context_length\":16,\"vocab_size\":518,\"width\":32,\"layers\":1,\"heads\":2}}";
    scratch_list("small.tsv");
    scratch_file("tiny.json", tiny);
    scratch_file("fetch.conf", "# on loopback\nallow-net = 127.0.0.1\nrobots = ignore\nretries = 0\ndeadline = 20\n");
    CHECK(diht("vocab small.tsv --merges 8 --out m.txt") == 0);
    CHECK(diht("train small.tsv --split train --model tiny.json --vocab m.txt --batch 4 --steps 2 --out run") == 0);
    FILE *f = fopen("list.tsv", "w");
    for (int i = 0; f && i < ROWS; i++)
        fprintf(f, "a %s number %d\thttp://127.0.0.1:%d/%s/%d\n", i % 2 ? "dog" : "red bus", i, server.port,
                dead(i) ? "status/404" : "ok", i);
    if (f)
        fclose(f);
}

#define EVAL "eval list.tsv --fetch set --fetch-config fetch.conf --model run/model.safetensors --batch 8 --threads 1" \
             " --preset gcc-report --ranges 60 --json"

static void ranges_stay_the_lists(void)
{
    CHECK(diht(EVAL) == 0 && json_line());
    CHECK(system("cp .out whole.json") == 0);
    json_t *j = json_loads(out, 0, NULL), *ranges = json_object_get(j, "ranges");
    CHECK(json_array_size(ranges) == ROWS / RANGE);
    for (int r = 0; r < ROWS / RANGE; r++) {
        json_t *one = json_array_get(ranges, (size_t)r);
        int live = 0;
        for (int i = r * RANGE; i < (r + 1) * RANGE; i++)
            live += !dead(i);
        CHECK(json_integer_value(json_object_get(one, "from")) == r * RANGE);
        CHECK(json_integer_value(json_object_get(json_object_get(one, "t2i"), "candidates")) == live);
        if (r == 2)
            CHECK(live == 40);
    }
    json_decref(j);
    // the same command, once more: nothing is fetched, nothing encoded, the same result
    for (int i = 0; i < ROWS; i++)
        CHECK(server.hits[i] == (dead(i) ? 0 : 1));
    CHECK(diht(EVAL) == 0 && system("cmp .out whole.json") == 0);
    for (int i = 0; i < ROWS; i++)
        CHECK(server.hits[i] == (dead(i) ? 0 : 1));
    CHECK(diht("eval list.tsv --fetch set --fetch-config fetch.conf --model run/model.safetensors --preset gcc-report --ranges 60") == 0);
    CHECK(strstr(out, "60-120") && strstr(out, "mean") && said("rows 120-180: 40 live") && said("fetched: "));
    CHECK(diht("verify whole.json") == 0);   // the dataset stands for itself
    // features lie with the dataset
    CHECK(scratch_has("set") && !scratch_has("list.tsv.features"));
}

static void killed_runs_go_on(void)
{
    char line[1024];
    int kills = 0;
    CHECK(system("rm -rf set set.features") == 0);
    snprintf(line, sizeof line, "exec '%s' " EVAL " >/dev/null 2>&1", getenv("DIHT_PROGRAM"));
    for (int i = 0; i < 6; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            execl("/bin/sh", "sh", "-c", line, (char *)NULL);
            _exit(127);
        }
        nanosleep(&(struct timespec){0, 20000000 + 25000000 * i}, NULL);
        kill(pid, SIGKILL);
        CHECK(waitpid(pid, &status, 0) == pid);
        kills += WIFSIGNALED(status);
    }
    CHECK(kills > 0);
    CHECK(diht(EVAL) == 0 && system("cmp .out whole.json") == 0);
}

static void what_cannot_be_is_said(void)
{
    CHECK(diht("eval list.tsv --model run/model.safetensors --fetch-config fetch.conf") == 2 && said("--fetch DATASET"));
    CHECK(diht("eval list.tsv --model run/model.safetensors --fetch x --images .") == 2 && said("one of the two"));
    CHECK(diht("eval set --model run/model.safetensors --fetch x") == 2 && said("needs a list"));
    CHECK(diht("eval list.tsv --model run/model.safetensors --fetch x --fetch-config none.conf") == 2 && said("none.conf"));
    scratch_file("wrong.conf", "alow-net = 127.0.0.1\n");
    CHECK(diht("eval list.tsv --model run/model.safetensors --fetch x --fetch-config wrong.conf") == 2 && said("allow-net"));
    FILE *f = fopen("other.tsv", "w");
    if (!f)
        abort();
    fprintf(f, "a dog\thttp://127.0.0.1:%d/ok/9999\n", server.port);
    fclose(f);
    CHECK(diht("eval other.tsv --model run/model.safetensors --fetch set --fetch-config fetch.conf") == 2 && said("more than one list"));
}

int main(void)
{
    if (!scratch_begin() || server_start(&server) != 0)
        return 1;
    CASE(prepare);
    CASE(ranges_stay_the_lists);
    CASE(killed_runs_go_on);
    CASE(what_cannot_be_is_said);
    server_stop(&server);
    scratch_end();
    return check_done();
}
