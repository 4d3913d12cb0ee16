// SPDX-License-Identifier: Apache-2.0
// The filter as people run it: rules over columns, verdicts kept, another spotter's findings, kills, two at once.
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "check.h"
#include "run.h"

static int64_t figure(const char *object, const char *name)
{
    json_t *j = json_loads(out, 0, NULL), *in = object ? json_object_get(j, object) : j;
    int64_t n = json_is_integer(json_object_get(in, name)) ? json_integer_value(json_object_get(in, name)) : -1;
    json_decref(j);
    return n;
}

static int64_t kept(void) { return figure(NULL, "kept"); }
static int64_t dropped(const char *step) { return figure("dropped", step); }

static const char columns[] =
    "caption\turl\tnsfw\tsource\n"
    "a man riding a brown horse\thttp://x.test/0.jpg\t0.1\tnews\n"
    "a man riding a brown horse\thttp://x.test/1.jpg\t0.9\tnews\n"
    "a man riding a brown horse\thttp://x.test/2.jpg\t\tnews\n"
    "a red chair\thttp://x.test/3.jpg\t0.2\tshop\n"
    "cat\thttp://x.test/4.jpg\t0.2\tshop\n"
    "\thttp://x.test/5.jpg\t0.2\tshop\n"
    "Ein Mann reitet auf einem braunen Pferd und eine Frau sieht ihm zu\thttp://x.test/6.jpg\t0.2\tshop\n";

static void steps_in_order(void)
{
    scratch_file("web.tsv", columns);
    CHECK(diht("filter web.tsv --json") == 0 && json_line());
    CHECK(kept() == 3 && dropped("unparsable") == 2 && dropped("complexity") == 1 && dropped("action") == 1);
    CHECK(diht("filter web.tsv --json --no-action") == 0 && kept() == 4 && dropped("action") == 0);
    CHECK(diht("filter web.tsv --json --complexity 3") == 0 && kept() == 0 && dropped("complexity") == 5);
    CHECK(diht("filter web.tsv") == 0 && strstr(out, "unparsable") && strstr(out, "web.tsv.filter.jsonl"));
    CHECK(system("test $(wc -l <web.tsv.filter.jsonl) = 8 && test ! -e web.tsv.filter.jsonl.part") == 0);
    scratch_file("lines.txt", "a man, riding a brown horse\n\na red chair\n");
    CHECK(diht("filter lines.txt --json") == 0 && figure(NULL, "rows") == 2 && kept() == 1);   // blank lines are no rows
}

static void rules_over_columns(void)
{
    CHECK(diht("filter web.tsv --json --where 'nsfw < 0.5'") == 0);
    CHECK(dropped("columns") == 2 && kept() == 1);   // an empty cell is not below 0.5
    CHECK(diht("filter web.tsv --json --where 'not (nsfw >= 0.5) and source != \"url\"'") == 0 && dropped("columns") == 2);
    CHECK(diht("filter web.tsv --json --where \"nsfw > 0.5 or source = 'shop'\"") == 0 && dropped("columns") == 2);
    CHECK(diht("filter web.tsv --where 'nsf < 0.5'") == 2 && said("no row of web.tsv so far has a column \"nsf\""));
    CHECK(diht("filter web.tsv --where 'nsfw <'") == 2 && said("expected at \"the end\""));
    CHECK(diht("filter web.tsv --where '(nsfw < 1'") == 2 && said("\")\" expected"));
    CHECK(diht("filter web.tsv --where 'nsfw < 1 2'") == 2 && said("\"and\", \"or\" or the end"));
    CHECK(diht("filter web.tsv --where \"nsfw < 'a\"") == 2 && said("closing quote"));
    CHECK(diht("filter web.tsv --match 0") == 2 && said("--match 0"));
    CHECK(diht("filter web.tsv --confidence 2") == 2 && said("--confidence 2"));
    CHECK(diht("filter none.tsv") == 1 && said("none.tsv"));
    CHECK(diht("filter web.tsv --spotted x --spot") == 2 && said("do not go with it"));
}

static void kept_rows_as_a_list(void)
{
    CHECK(diht("filter web.tsv --where 'nsfw < 0.5' --out kept.jsonl") == 0);
    FILE *f = fopen("kept.jsonl", "r");
    json_t *j = f ? json_loadf(f, 0, NULL) : NULL;
    if (f)
        fclose(f);
    CHECK_STR(json_string_value(json_object_get(j, "url")), "http://x.test/0.jpg");
    CHECK_STR(json_string_value(json_object_get(j, "caption")), "a man riding a brown horse");
    CHECK_STR(json_string_value(json_object_get(j, "nsfw")), "0.1");
    json_decref(j);
    CHECK(diht("filter kept.jsonl --json") == 0 && figure(NULL, "rows") == 1 && kept() == 1);
}

static void text_in_pictures(void)
{
    CHECK(diht("import list.tsv --out ds") == 0);
    // what another spotter read in "a red bus number 0", "a small dog number 1", "a blue boat number 3", "a red boat number 4"
    scratch_file("spotted.jsonl",
                 "{\"file\": \"00000000.jpg\", \"lines\": [{\"text\": \"RED BUS\", \"confidence\": 0.9, "
                 "\"box\": [[1,1],[9,1],[9,5],[1,5]]}]}\n"
                 "{\"file\": \"00000001.jpg\", \"lines\": [{\"text\": \"dogs\", \"confidence\": 0.95}]}\n"
                 "{\"file\": \"00000003.jpg\", \"lines\": [{\"text\": \"number\", \"confidence\": 0.5}]}\n"
                 "{\"file\": \"00000004.jpg\", \"lines\": []}\n");
    CHECK(diht("filter ds --no-action --spotted spotted.jsonl --json --html page.html") == 0 && json_line());
    CHECK(dropped("text") == 1 && figure(NULL, "spotted") == 4 && figure(NULL, "with_text") == 3);
    CHECK(system("grep -q 'RED BUS' page.html && grep -q '<polygon' page.html && grep -q 'data:image/' page.html") == 0);
    int64_t all = kept();
    // thresholds change, nothing is looked for again
    CHECK(diht("filter ds --no-action --reuse --confidence 0.4 --json") == 0 && dropped("text") == 2 && kept() == all - 1);
    CHECK(diht("filter ds --no-action --reuse --match-ratio 0.7 --json") == 0 && dropped("text") == 2);
    CHECK(diht("filter ds --no-action --json") == 0 && dropped("text") == 0 && kept() == all + 1);
    CHECK(diht("filter ds --no-action --reuse --json") == 0 && dropped("text") == 1 && kept() == all);
    CHECK(diht("filter ds --out kept.jsonl") == 2 && said("--kept"));
    CHECK(diht("vocab ds --merges 4 --out all.txt --json") == 0 && figure(NULL, "captions") == 10 && all < 10);
    CHECK(diht("vocab ds --kept --merges 4 --out m.txt --json") == 0 && figure(NULL, "captions") == all);
    CHECK(diht("vocab list.tsv --kept --merges 4 --out m.txt") == 2 && said("only a dataset"));
    CHECK(diht("import list.tsv --out bare") == 0);
    CHECK(diht("vocab bare --kept --merges 4 --out m.txt") == 1 && said("diht filter bare"));
    scratch_file("wrong.jsonl", "{\"file\": \"a\", \"lines\": [{\"text\": 3}]}\n");
    CHECK(diht("filter ds --spotted wrong.jsonl") == 1 && said("wrong.jsonl: line 1"));
    CHECK(diht("filter ds --spot --spot-models /nonexistent") == 1 && said("/nonexistent"));
}

static void unreadable_stays_unreadable(void)
{
    CHECK(diht("filter web.tsv --no-action --verdicts seen.jsonl --json") == 0);
    int64_t all = kept();
    CHECK(all > 1);
    CHECK(system("sed -i '0,/\"kept\"/{/\"kept\"/s/\"spotter\": null/\"spotter\": \"unreadable\"/}' seen.jsonl") == 0);
    for (int i = 1; i <= 2; i++) {   // also for a run after the next
        CHECK(diht("filter web.tsv --no-action --verdicts seen.jsonl --reuse --match %d --json", 10 * i) == 0);
        CHECK(dropped("unreadable") == 1 && kept() == all - 1);
    }
}

enum { MANY = 20000 };

static void nap(double seconds) { nanosleep(&(struct timespec){0, (long)(seconds * 1e9)}, NULL); }

static pid_t start(const char *args)
{
    const char *program = getenv("DIHT_PROGRAM");
    char line[1024];
    snprintf(line, sizeof line, "exec '%s' %s >/dev/null 2>&1", program ? program : "diht", args);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    return pid;
}

// Killed again and again, then let finish: the same verdicts to the byte.
static void killed_runs_go_on(void)
{
    int kills = 0;
    FILE *f = fopen("many.tsv", "w");
    fprintf(f, "caption\turl\n");
    for (int i = 0; i < MANY; i++)
        fprintf(f, "a %s number %d %s\thttp://x.test/%d.jpg\n", i % 3 ? "red dog" : "bus", i, i % 2 ? "eating grass" : "", i);
    fclose(f);
    CHECK(diht("filter many.tsv --json --verdicts whole.jsonl") == 0 && figure(NULL, "rows") == MANY);
    for (int i = 0; i < 6; i++) {
        int status;
        pid_t pid = start("filter many.tsv --json --verdicts parts.jsonl");
        nap(.12 + .02 * i);
        kill(pid, SIGKILL);
        CHECK(waitpid(pid, &status, 0) == pid);
        kills += WIFSIGNALED(status);
    }
    CHECK(kills > 0);
    CHECK(diht("filter many.tsv --json --verdicts parts.jsonl") == 0 && system("cmp whole.jsonl parts.jsonl") == 0);
    // half a line at the end
    CHECK(system("head -c 100000 whole.jsonl >parts.jsonl.part && rm parts.jsonl") == 0);
    CHECK(diht("filter many.tsv --json --verdicts parts.jsonl") == 0 && system("cmp whole.jsonl parts.jsonl") == 0);
    CHECK(said("going on behind row"));
    // rubbish, or another run's settings: anew
    CHECK(system("echo rubbish >parts.jsonl.part && rm parts.jsonl") == 0);
    CHECK(diht("filter many.tsv --json --verdicts parts.jsonl") == 0 && system("cmp whole.jsonl parts.jsonl") == 0);
    CHECK(system("head -c 100000 whole.jsonl >parts.jsonl.part && rm parts.jsonl") == 0);
    CHECK(diht("filter many.tsv --json --no-action --verdicts parts.jsonl") == 0 && figure(NULL, "judged") == MANY);
    // two at once: one of them is told
    pid_t first = start("filter many.tsv --verdicts both.jsonl"), second = start("filter many.tsv --verdicts both.jsonl");
    int a = 0, b = 0;
    CHECK(waitpid(first, &a, 0) == first && waitpid(second, &b, 0) == second);
    CHECK(WEXITSTATUS(a) + WEXITSTATUS(b) <= 1);
    CHECK(diht("filter many.tsv --json --verdicts both.jsonl") == 0 && system("cmp whole.jsonl both.jsonl") == 0);
}

int main(void)
{
    if (!scratch_begin())
        return 1;
    scratch_list("list.tsv");
    CASE(steps_in_order);
    CASE(rules_over_columns);
    CASE(kept_rows_as_a_list);
    CASE(text_in_pictures);
    CASE(unreadable_stays_unreadable);
    CASE(killed_runs_go_on);
    scratch_end();
    return check_done();
}
