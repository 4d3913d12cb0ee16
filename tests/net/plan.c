// SPDX-License-Identifier: Apache-2.0
// diht plan on loopback: the sample is even, what it says of the list holds, nothing is left behind.
#include <jansson.h>
#include <stdbool.h>
#include <unistd.h>

#include "check.h"
#include "cli/run.h"
#include "server.h"

static struct server server;

// `live` good rows, then `dead` ones of two kinds, in that order: a sample of the list's start would see no dead one.
static void write_list(const char *name, int live, int dead)
{
    FILE *f = fopen(name, "w");
    if (!f)
        abort();
    for (int i = 0; i < live; i++)
        fprintf(f, "picture %d\thttp://127.0.0.1:%d/ok/%d\n", i, server.port, i);
    for (int i = 0; i < dead; i++)
        fprintf(f, "gone %d\thttp://127.0.0.2:%d/%s/%d\n", i, server.port, i % 4 ? "status/404" : "html", i);
    fclose(f);
}

static json_t *plan(const char *args)
{
    CHECK(diht("plan %s --json --allow-net 127.0.0.0/8 --robots ignore --retries 0 --deadline 20", args) == 0 && json_line());
    json_t *o = json_loads(out, 0, NULL);
    CHECK(json_is_object(o));
    return o;
}

static double number(const json_t *o, const char *field) { return json_number_value(json_object_get(o, field)); }

static void sample_speaks_for_the_list(void)
{
    write_list("long.tsv", 2400, 600);
    double share = 0;
    for (int seed = 2; seed <= 4; seed++) {
        char args[100];
        snprintf(args, sizeof args, "long.tsv --sample 300 --seed %d", seed);
        json_t *o = plan(args);
        CHECK(number(o, "rows") == 3000 && number(o, "sampled") == 300);
        share += number(o, "live_share") / 3;
        // intervals of 95 % may miss; these seeds do not
        CHECK(number(o, "live_low") < .8 && number(o, "live_high") > .8 && number(o, "live_low") > .7);
        double each = number(o, "bytes") / (3000 * number(o, "live_share"));
        CHECK(each > 20000 && each < 80000);
        CHECK(number(o, "bytes_low") < number(o, "bytes") && number(o, "bytes") < number(o, "bytes_high"));
        CHECK(number(o, "hours") > 0 && number(o, "rows_per_second") > 1 && number(o, "seconds") > 0);
        json_t *worst = json_object_get(o, "worst_hosts"), *failed = json_object_get(o, "failed");
        char host[40];
        snprintf(host, sizeof host, "127.0.0.2:%d", server.port);
        CHECK(json_object_size(worst) == 1 && json_object_get(worst, host));
        CHECK(number(failed, "http-404") > number(failed, "not-an-image") && number(failed, "not-an-image") > 0);
        CHECK(number(failed, "http-404") + number(failed, "not-an-image") + number(o, "ok") == 300);
        json_decref(o);
    }
    CHECK_CLOSE(share, .8, .05);
}

static void same_seed_draws_the_same(void)
{
    json_t *a = plan("long.tsv --sample 50 --seed 9"), *b = plan("long.tsv --sample 50 --seed 9");
    CHECK(json_equal(json_object_get(a, "failed"), json_object_get(b, "failed")));
    CHECK(number(a, "bytes") == number(b, "bytes"));
    json_decref(a);
    json_decref(b);
}

static void whole_list_leaves_no_doubt(void)
{
    write_list("short.tsv", 30, 10);
    FILE *f = fopen("short.tsv", "a");
    if (!f)
        abort();
    fprintf(f, "one column only\n");
    fclose(f);
    json_t *o = plan("short.tsv");
    CHECK(number(o, "rows") == 41 && number(o, "sampled") == 41 && number(o, "ok") == 30);
    CHECK(number(o, "live_low") == number(o, "live_high") && number(o, "bytes_low") == number(o, "bytes"));
    CHECK(number(json_object_get(o, "failed"), "bad-row") == 1);
    json_decref(o);
    o = plan("short.tsv --resize 64");   // what would be stored is counted, not what comes
    CHECK(number(o, "bytes") < 30 * 8000);
    json_decref(o);
    CHECK(diht("plan short.tsv --allow-net 127.0.0.0/8 --robots ignore --retries 0") == 0 && strstr(out, "live"));
}

static void nothing_is_left(void)
{
    CHECK(system("test -z \"$(ls $TMPDIR)\"") == 0);
    CHECK(diht("plan none.tsv") != 0 && said("none.tsv"));
    CHECK(diht("plan short.tsv --sample 0") == 2 && said("--sample"));
    scratch_file("empty.tsv", "");
    CHECK(diht("plan empty.tsv") != 0 && said("no rows"));
    CHECK(system("test -z \"$(ls $TMPDIR)\"") == 0);
}

int main(void)
{
    if (!scratch_begin() || server_start(&server) != 0)
        return 1;
    if (system("mkdir tmp") != 0 || setenv("TMPDIR", "tmp", 1) != 0)
        return 1;
    CASE(sample_speaks_for_the_list);
    CASE(same_seed_draws_the_same);
    CASE(whole_list_leaves_no_doubt);
    CASE(nothing_is_left);
    server_stop(&server);
    scratch_end();
    return check_done();
}
