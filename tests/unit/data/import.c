// SPDX-License-Identifier: Apache-2.0
// diht import as a user runs it: the program itself, killed, repeated, on damaged input.
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/rng.h"
#include "check.h"
#include "data/source.h"
#include "scratch.h"

static const char *program(void)
{
    const char *p = getenv("DIHT_PROGRAM");
    return p ? p : "build/diht";
}

// The program's output; *rc its exit status.
static char *import(const char *list, const char *out, const char *more, int *rc)
{
    struct buf b = {0};
    *rc = shell("'%s' import '%s/%s' --out '%s/%s' --json %s >'%s/out' 2>'%s/err'", program(), scratch_dir, list,
                scratch_dir, out, more, scratch_dir, scratch_dir);
    *rc = WIFEXITED(*rc) ? WEXITSTATUS(*rc) : -1;
    CHECK(file_read(scratch("out"), &b) == 0);
    return buf_steal(&b);
}

static int64_t number(const char *json, const char *name)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *at = strstr(json, quoted);
    return at ? strtoll(at + strlen(quoted), NULL, 10) : -1;
}

enum { PICTURES = 40 };

static void make_pictures(void)
{
    CHECK(dir_make(scratch("p")) == 0);
    for (int k = 0; k < PICTURES; k++) {
        char name[64];
        snprintf(name, sizeof name, "p/%d.%s", k, k % 2 ? "jpg" : "png");
        draw(name, k, 20 + k, k % 2);
    }
}

static void lists_become_datasets(void)
{
    struct buf b = {0};
    int rc;
    buf_str(&b, "caption\tpath\ttags\tsplit\n");
    for (int k = 0; k < 12; k++)
        buf_fmt(&b, "picture %d\tp/%d.%s\ta, b%d\t%s\n", k % 4, k, k % 2 ? "jpg" : "png", k, k < 9 ? "train" : "val");
    buf_str(&b, "gone\tp/none.png\t\tval\nno picture\tlist.tsv\t\tval\nwrong\n");
    write_text("list.tsv", b.at, b.len);
    char *json = import("list.tsv", "one", "--shard-samples 5", &rc);
    CHECK(rc == 0 && number(json, "rows") == 15 && number(json, "ok") == 12 && number(json, "added") == 12 &&
          number(json, "shards") == 3);
    CHECK(number(json, "missing") == 1 && number(json, "not a picture") == 1 && number(json, "row") == 1);
    free(json);
    json = import("list.tsv", "one", "--shard-samples 5", &rc);
    CHECK(rc == 0 && number(json, "ok") == 12 && number(json, "added") == 0 && number(json, "shards") == 3);
    free(json);
    CHECK(shell("cd '%s' && tar tf one/shards/00000.tar >names && [ $(wc -l <names) = 15 ] && tar xOf "
                "one/shards/00001.tar 00000007.jpg | cmp - p/7.jpg && "
                "[ \"$(tar xOf one/shards/00002.tar 00000011.txt)\" = 'picture 3' ]",
                scratch_dir) == 0);

    struct source *s = NULL;
    struct sample v;
    CHECK(source_open(&s, scratch("one"), NULL) == 0 && source_count(s) == 12 && source_excluded(s) == 3 &&
          source_rows(s) == 15);
    struct buf picture = {0}, file = {0};
    for (int k = 0; k < 12; k++) {
        source_sample(s, k, &v);
        char key[32], name[32];
        snprintf(key, sizeof key, "%08d", k);
        snprintf(name, sizeof name, "p/%d.%s", k, k % 2 ? "jpg" : "png");
        CHECK_STR(v.key, key);
        CHECK(v.row == k && v.caption_count == 1 && strncmp(v.tags, "a, b", 4) == 0);
        buf_clear(&file);
        CHECK(source_image(s, k, &picture) == 0 && file_read(scratch("%s", name), &file) == 0);
        CHECK(picture.len == file.len && memcmp(picture.at, file.at, file.len) == 0);
    }
    int64_t *group = NULL, groups;
    CHECK(source_groups(s, &group, &groups) == 0 && groups == 4 && group[5] == 1 && group[11] == 3);
    free(group);
    source_close(s);
    CHECK(source_open(&s, scratch("one"), "val") == 0 && source_count(s) == 3 && source_excluded(s) == 2);
    source_sample(s, 0, &v);
    CHECK(v.row == 9);
    CHECK_STR(v.split, "val");
    source_close(s);
    CHECK(source_open(&s, scratch("one"), "tset") == EMISSING_ && strstr(error_last(), "train (9)"));
    // the plain list gives the same samples
    CHECK(source_open(&s, scratch("list.tsv"), "train") == 0 && source_count(s) == 9);
    buf_clear(&file);
    CHECK(source_image(s, 7, &picture) == 0 && file_read(scratch("p/7.jpg"), &file) == 0 && picture.len == file.len);
    source_close(s);
    buf_free(&picture);
    buf_free(&file);
    buf_free(&b);
}

static void bad_rows_are_tried_again_and_lists_may_move(void)
{
    int rc;
    shell("cp '%s/p/3.jpg' '%s/p/none.png'", scratch_dir, scratch_dir);
    char *json = import("list.tsv", "one", "--shard-samples 5", &rc);
    CHECK(rc == 0 && number(json, "ok") == 13 && number(json, "added") == 1 && number(json, "missing") == -1);
    free(json);
    shell("mkdir '%s/moved' && mv '%s/list.tsv' '%s/p' '%s/moved'", scratch_dir, scratch_dir, scratch_dir, scratch_dir);
    json = import("moved/list.tsv", "one", "", &rc);
    CHECK(rc == 0 && number(json, "ok") == 13 && number(json, "added") == 0);
    free(json);
    shell("mv '%s/moved/'* '%s'; rm '%s/p/none.png'", scratch_dir, scratch_dir, scratch_dir);
}

static void further_lists_and_keys_keep_apart(void)
{
    int rc;
    static const char text[] = "{\"caption\":[\"x\",\"y\"],\"path\":\"p/0.png\"}\n"
                               "{\"caption\":\"z\",\"path\":\"p/1.jpg\",\"key\":\"dir/a.b\"}\n"
                               "{\"caption\":\"again\",\"path\":\"p/2.png\",\"key\":\"dir/a.b\"}\n";
    write_text("b.jsonl", text, sizeof text - 1);
    char *json = import("b.jsonl", "one", "--split more", &rc);
    CHECK(rc == 0 && number(json, "ok") == 2 && number(json, "duplicate key") == 1);
    free(json);
    struct source *s = NULL;
    struct sample v;
    CHECK(source_open(&s, scratch("one"), "more") == 0 && source_count(s) == 2);
    source_sample(s, 0, &v);
    CHECK_STR(v.key, "1-00000000");
    CHECK(v.caption_count == 2);
    CHECK_STR(v.captions[1], "y");
    source_sample(s, 1, &v);
    CHECK_STR(v.key, "dir/a.b");
    source_close(s);
    CHECK(shell("cd '%s' && tar tf one/shards/00002.tar | grep -q '^dir%%2Fa%%2Eb.jpg$'", scratch_dir) == 0);
}

static void wrong_calls_are_refused(void)
{
    int rc;
    free(import("absent.tsv", "two", "", &rc));
    CHECK(rc == 1 && shell("grep -q absent.tsv '%s/err'", scratch_dir) == 0);
    write_text("empty.tsv", "", 0);
    free(import("empty.tsv", "two", "", &rc));
    CHECK(rc == 1 && shell("grep -q 'no rows' '%s/err'", scratch_dir) == 0);
    CHECK(dir_make(scratch("three")) == 0);
    write_text("three/catalog-0000.sqlite",
               "this is no catalogue at all, whatever its name says............................................", 90);
    free(import("list.tsv", "three", "", &rc));
    CHECK(rc == 1 && shell("grep -q 'not a catalogue' '%s/err'", scratch_dir) == 0);
}

static void a_full_disk_loses_nothing(void)
{
    // a file-size limit stands for the full disk (room for the catalogue, not for the shard): writing past it fails
    struct source *s = NULL;
    int rc = shell("(ulimit -f 200; trap '' XFSZ; '%s' import %s --out %s) >%s 2>%s", program(), scratch("long.tsv"),
                   scratch("full"), scratch("out"), scratch("err"));
    CHECK(WIFEXITED(rc) && WEXITSTATUS(rc) == 1);
    CHECK(shell("grep -q 'full/' '%s/err'", scratch_dir) == 0);
    CHECK(shell("cd '%s' && for t in full/shards/*.tar; do tar tf $t >names || exit 1; done", scratch_dir) == 0);
    free(import("long.tsv", "full", "--shard-samples 300", &rc));
    CHECK(rc == 0);
    CHECK(source_open(&s, scratch("full"), NULL) == 0 && source_count(s) == 1500);
    source_close(s);
}

// Killed at any moment and started again until done: the shards and the catalogue's rows are those of an undisturbed
// run, and every tar can be listed after every kill.
static void kills_leave_no_trace(void)
{
    struct buf b = {0};
    int rc, kills = 0, finished = 0;
    for (int k = 0; k < 1500; k++)
        buf_fmt(&b, "caption %d\t%s/%d.%s\n", k % 100, k % 50 == 7 ? "nowhere" : "p", k % PICTURES,
                k % PICTURES % 2 ? "jpg" : "png");
    write_text("killed.tsv", b.at, b.len);
    buf_free(&b);
    free(import("killed.tsv", "whole", "--shard-samples 200 --threads 2", &rc));
    CHECK(rc == 0);
    struct rng r = rng_make(1, 1);
    for (int round = 0; round < 80 && !finished; round++) {
        fflush(stdout);   // or the child prints it again
        pid_t pid = fork();
        if (pid == 0) {
            if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
                _exit(9);
            execl(program(), "diht", "import", scratch("killed.tsv"), "--out", scratch("parts"), "--shard-samples",
                  "200", "--threads", "2", (char *)NULL);
            _exit(9);
        }
        usleep(round < 40 ? 3000 + (unsigned)round * 500 + (unsigned)rng_below(&r, 12000) : 3000000);
        kills += kill(pid, SIGKILL) == 0;
        int status;
        waitpid(pid, &status, 0);
        finished = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        CHECK(shell("cd '%s' && for t in parts/shards/*.tar; do [ ! -e $t ] || tar tf $t >names 2>&1 || exit 1; done",
                    scratch_dir) == 0);
    }
    printf("# killed %d times\n", kills);
    CHECK(finished && kills >= 3);
    CHECK(shell("cd '%s' && diff -r whole/shards parts/shards", scratch_dir) == 0);
    struct source *one = NULL, *two = NULL;
    CHECK(source_open(&one, scratch("whole"), NULL) == 0 && source_open(&two, scratch("parts"), NULL) == 0);
    CHECK(source_count(one) == 1470 && source_count(two) == 1470 && source_excluded(two) == 30);
    struct buf p = {0}, q = {0};
    for (int64_t i = 0; one && two && i < source_count(one) && i < source_count(two); i += 7) {
        struct sample v, w;
        source_sample(one, i, &v);
        source_sample(two, i, &w);
        CHECK_STR(v.key, w.key);
        CHECK(source_image(one, i, &p) == 0 && source_image(two, i, &q) == 0 && p.len == q.len &&
              memcmp(p.at, q.at, p.len) == 0);
    }
    buf_free(&p);
    buf_free(&q);
    source_close(one);
    source_close(two);
}

static void make_long_list(void)
{
    struct buf b = {0};
    for (int k = 0; k < 1500; k++)
        buf_fmt(&b, "caption %d\tp/%d.%s\n", k, k % PICTURES, k % PICTURES % 2 ? "jpg" : "png");
    write_text("long.tsv", b.at, b.len);
    buf_free(&b);
}

// Damaged shards: a sentence for each sample that lies there, the others are read.
static void cut_shards_are_named(void)
{
    struct source *s = NULL;
    struct buf p = {0};
    int good = 0, bad = 0;
    CHECK(shell("cd '%s' && truncate -s 100000 whole/shards/00003.tar && rm whole/shards/00005.tar", scratch_dir) == 0);
    CHECK(source_open(&s, scratch("whole"), NULL) == 0);
    for (int64_t i = 0; i < source_count(s); i++) {
        int rc = source_image(s, i, &p);
        good += rc == 0;
        bad += rc != 0;
        CHECK(rc == 0 || strstr(error_last(), "sample "));
    }
    CHECK(bad > 200 && bad < 400 && good + bad == 1470);
    int rc;
    free(import("killed.tsv", "whole", "--shard-samples 200", &rc));
    CHECK(rc == 0);   // only the last shard is written to
    CHECK(shell("cd '%s' && truncate -s 512 whole/shards/00007.tar", scratch_dir) == 0);
    free(import("killed.tsv", "whole", "--shard-samples 200", &rc));
    CHECK(rc == 1 && shell("grep -q 'cut off or replaced' '%s/err'", scratch_dir) == 0);
    source_close(s);
    buf_free(&p);
}

// A catalogue with random damage: samples or a sentence, never a crash; offsets that point anywhere are harmless.
static void damaged_catalogues_are_survived(void)
{
    struct buf whole = {0}, p = {0};
    struct rng r = rng_make(2, 2);
    int opened = 0, refused = 0;
    CHECK(file_read(scratch("one/catalog-0000.sqlite"), &whole) == 0 && dir_make(scratch("hurt")) == 0);
    CHECK(shell("cp -r '%s/one/shards' '%s/hurt'", scratch_dir, scratch_dir) == 0);
    char *copy = malloc(whole.len);
    for (int round = 0; round < 150; round++) {
        struct source *s = NULL;
        memcpy(copy, whole.at, whole.len);
        for (int k = 0; k < 40; k++)
            copy[rng_below(&r, whole.len)] = (char)rng_next(&r);
        write_text("hurt/catalog-0000.sqlite", copy, round % 3 ? whole.len : rng_below(&r, whole.len));
        int rc = source_open(&s, scratch("hurt"), NULL);
        CHECK(rc == 0 || error_last()[0]);
        refused += rc != 0;
        opened += rc == 0;
        for (int64_t i = 0; s && i < source_count(s); i++)
            source_image(s, i, &p);
        source_close(s);
    }
    printf("# %d opened, %d refused\n", opened, refused);
    CHECK(refused > 10);
    free(copy);
    buf_free(&whole);
    buf_free(&p);
}

int main(void)
{
    scratch_begin();
    make_pictures();
    make_long_list();
    CASE(lists_become_datasets);
    CASE(bad_rows_are_tried_again_and_lists_may_move);
    CASE(further_lists_and_keys_keep_apart);
    CASE(wrong_calls_are_refused);
    CASE(damaged_catalogues_are_survived);
    CASE(a_full_disk_loses_nothing);
    CASE(kills_leave_no_trace);
    CASE(cut_shards_are_named);
    scratch_end();
    return check_done();
}
