// SPDX-License-Identifier: Apache-2.0
// Every command that writes, on a disk without room: the sentence names the file and says why, nothing half-written is
// left under the real name, and what was there before still is.
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "run.h"

static bool ready;

// A tmpfs of its own for this process and its children: nobody else sees it, and it goes with them.
static bool mount_small(void)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return false;
    return mkdir("small", 0700) == 0 && mount("none", "small", "tmpfs", 0, "size=256k") == 0;
}

static void fill(void)
{
    static char block[4096];
    FILE *f = fopen("small/filler", "a");
    setbuf(f, NULL);
    while (fwrite(block, 1, sizeof block, f) == sizeof block)
        ;
    fclose(f);
}

static bool says_full(void) { return strstr(err, "disk is full") || said("No space left"); }

static void writers_say_so(void)
{
    char loss[2048];
    const char *golden = getenv("DIHT_GOLDEN");
    snprintf(loss, sizeof loss,
             "loss --images '%s/loss/hn_nce/n257_d64.x.npy' --texts '%s/loss/hn_nce/n257_d64.t.npy' --grad small/grad",
             golden, golden);
    const struct { const char *args, *name; } cases[] = {
        {loss, "small/grad"},
        {"import list.tsv --out small/new", "small/new"},
        {"vocab list.tsv --merges 20 --out small/m.txt", "small/m.txt"},
        {"train list.tsv --split train --model tiny.json --vocab m.txt --batch 4 --steps 3 --out small/run",
         "small/run"},
        {"embed --model run/model.safetensors --data list.tsv --out small/emb", "small/emb"},
        {"eval --model run/model.safetensors --data list.tsv --html small/page.html", "small/page.html"},
        {"eval --model run/model.safetensors --data list.tsv --left-out small/left.jsonl", "small/left.jsonl"},
    };
    if (!ready)
        SKIP("needs root and mount namespaces");
    scratch_list("list.tsv");
    scratch_file("small/m.txt", "old\n");
    scratch_file("tiny.json", "{\"embed_dim\":16,"
                 "\"vision\":{\"image_size\":32,\"patch_size\":8,\"width\":32,\"layers\":1,\"head_width\":16},"
                 "\"text\":{\"context_length\":16,\"vocab_size\":518,\"width\":32,\"layers\":1,\"heads\":2}}");
    CHECK(diht("vocab list.tsv --merges 8 --out m.txt") == 0);
    CHECK(diht("train list.tsv --split train --model tiny.json --vocab m.txt --batch 4 --steps 3 --out run") == 0);
    fill();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = diht("%s", cases[i].args);
        if (status != 1)
            printf("# diht %s: exit status %d\n", cases[i].args, status);
        CHECK(status == 1);
        CHECK(said(cases[i].name) && says_full());
    }
    CHECK(diht("eval --model run/model.safetensors --data list.tsv --keep small --json") == 0 && said("not kept"));
    CHECK(system("test \"$(cat small/m.txt)\" = old") == 0);   // the old file is whole
    CHECK(system("ls small | grep -q part") != 0);             // no leftovers
}

// The disk fills up in the middle of a training run: the last whole checkpoint stays and the run goes on from there.
static void training_goes_on_when_there_is_room(void)
{
    if (!ready)
        SKIP("needs root and mount namespaces");
    static const char train[] = "train list.tsv --split train --model tiny.json --vocab m.txt --batch 4 --steps 60 "
                                "--save-every 20 --log-every 1 --out small/run";
    CHECK(system("rm -rf small/*") == 0);
    CHECK(mount("none", "small", "tmpfs", MS_REMOUNT, "size=900k") == 0);
    CHECK(diht("%s", train) == 1 && said("small/run") && says_full());
    CHECK(diht("info small/run/model.safetensors") == 0);
    CHECK(mount("none", "small", "tmpfs", MS_REMOUNT, "size=8m") == 0);
    CHECK(diht("%s --resume", train) == 0);
    CHECK(diht("train list.tsv --split train --model tiny.json --vocab m.txt --batch 4 --steps 60 --out all") == 0);
    CHECK(system("cmp small/run/model.safetensors all/model.safetensors") == 0);
}

static void import_goes_on_when_there_is_room(void)
{
    if (!ready)
        SKIP("needs root and mount namespaces");
    CHECK(system("rm -rf small/*") == 0);
    CHECK(mount("none", "small", "tmpfs", MS_REMOUNT, "size=256k") == 0);
    CHECK(diht("import list.tsv --out small/data") == 1 && said("small/data") && says_full());   // 250 KB of tar
    CHECK(mount("none", "small", "tmpfs", MS_REMOUNT, "size=4m") == 0);
    CHECK(diht("import list.tsv --out small/data --json") == 0 && json_line() && strstr(out, "\"ok\":10"));
    CHECK(diht("vocab small/data --merges 5 --out m.txt --json") == 0 && strstr(out, "\"captions\":10"));
}

int main(void)
{
    if (!scratch_begin()) {
        printf("Bail out! no scratch directory\n");
        return 1;
    }
    ready = mount_small();
    CASE(writers_say_so);
    CASE(training_goes_on_when_there_is_room);
    CASE(import_goes_on_when_there_is_room);
    if (ready)
        umount("small");
    scratch_end();
    return check_done();
}
