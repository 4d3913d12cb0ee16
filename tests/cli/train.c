// SPDX-License-Identifier: Apache-2.0
// Training, embedding and evaluation from the command line: what a run leaves, Ctrl-C, kill -9 at any moment,
// wrong input.
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/npy.h"
#include "check.h"
#include "run.h"

#define TRAIN "train data --split train --model tiny.json --vocab m.txt --batch 4 "

static void prepare(void)
{
    scratch_list("list.tsv");
    scratch_file("tiny.json", "{\"embed_dim\":16,"
                 "\"vision\":{\"image_size\":32,\"patch_size\":8,\"width\":32,\"layers\":1,\"head_width\":16},"
                 "\"text\":{\"context_length\":16,\"vocab_size\":518,\"width\":32,\"layers\":1,\"heads\":2}}");
    CHECK(diht("import list.tsv --out data") == 0);
    CHECK(diht("vocab data --merges 8 --out m.txt") == 0);
}

// `diht TRAIN --out DIR` in the background; the process to signal.
static pid_t start(const char *dir, const char *more)
{
    char line[2048];
    const char *program = getenv("DIHT_PROGRAM");
    snprintf(line, sizeof line, "exec '%s' " TRAIN "--out %s %s >.out 2>.err", program ? program : "diht", dir, more);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void nap(double seconds)
{
    nanosleep(&(struct timespec){(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)}, NULL);
}

static bool wait_for(const char *path)
{
    for (int i = 0; i < 1000 && !scratch_has(path); i++)
        nap(.02);
    return scratch_has(path);
}

static void a_run_leaves_its_files(void)
{
    prepare();
    CHECK(diht(TRAIN "--out run --steps 6 --log-every 2 --json") == 0 && json_line() && strstr(out, "\"steps\": 6"));
    CHECK(scratch_has("run/model.safetensors") && scratch_has("run/metrics.jsonl") && scratch_has("run/train.conf"));
    CHECK(diht("info run/model.safetensors --json") == 0 && json_line());
    CHECK(diht(TRAIN "--out run --steps 6") == 2 && said("--resume"));           // nothing is overwritten
    CHECK(diht("train data --config run/train.conf --out again --json") == 0);   // a run's options repeat it
    CHECK(system("cmp run/model.safetensors again/model.safetensors") == 0);
}

static void threads_change_nothing(void)
{
    CHECK(diht(TRAIN "--out one --steps 5 --threads 1 --loaders 1") == 0);
    CHECK(diht(TRAIN "--out many --steps 5 --threads 3 --loaders 2") == 0);
    CHECK(system("cmp one/model.safetensors many/model.safetensors") == 0);
    CHECK(diht(TRAIN "--out other --steps 5 --seed 2") == 0);
    CHECK(system("cmp -s one/model.safetensors other/model.safetensors") != 0);
}

// In a precision that the processor lacks both runs say so and are fp32: the same all the more.
static void precisions(void)
{
    CHECK(diht(TRAIN "--out narrow1 --steps 5 --precision bf16 --threads 1") == 0);
    CHECK(diht(TRAIN "--out narrow3 --steps 5 --precision bf16 --threads 3") == 0);
    CHECK(system("cmp narrow1/model.safetensors narrow3/model.safetensors") == 0);
    CHECK(diht(TRAIN "--out no --steps 5 --precision int8") == 2 && said("inference"));
    CHECK(diht(TRAIN "--out no --steps 5 --precision fp8") == 2 && said("fp32, bf16 or int8"));
    const char *const each[] = {"bf16", "int8"};
    for (int i = 0; i < 2; i++) {
        char line[256];
        for (int threads = 1; threads <= 3; threads += 2) {   // neither threads nor batches show in the bits
            snprintf(line, sizeof line, "embed data --model one/model.safetensors --out f%d --precision %s --threads %d --batch %d --keep none",
                     threads, each[i], threads, threads);
            CHECK(diht("%s", line) == 0);
        }
        CHECK(system("cmp f1/images.npy f3/images.npy && cmp f1/texts.npy f3/texts.npy") == 0);
    }
    CHECK(diht("embed data --model one/model.safetensors --out f --precision 8") == 2 && said("--precision 8"));
    CHECK(diht("drift data --model one/model.safetensors --json --rows 3") == 0 && json_line());
    CHECK(strstr(out, "\"images\": 3") && strstr(out, "\"fp32\": {\"image_cosine_mean\": 1.0000"));
    CHECK(diht("drift data --model one/model.safetensors") == 0 && strstr(out, "fp32"));
    CHECK(diht("drift data --model one/model.safetensors --rows -1") == 2);
}

static void interrupted_runs_go_on(void)
{
    int status = 0;
    pid_t pid = start("cut", "--steps 1000000 --log-every 1");
    CHECK(wait_for("cut/metrics.jsonl"));
    nap(.3);
    kill(pid, SIGINT);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 130);
    CHECK(system("grep -q -e --resume .err") == 0);
    CHECK(scratch_has("cut/model.safetensors") && diht("info cut/model.safetensors") == 0);
    CHECK(diht(TRAIN "--out fresh --resume --steps 2") != 0 && said("fresh"));   // nothing to go on with
}

// Stopped half-way and resumed, a run ends where the whole one does, bit for bit.
static void resumed_equals_whole(void)
{
    CHECK(diht(TRAIN "--out whole --steps 400 --save-every 20") == 0);
    for (int i = 0; i < 8; i++) {
        int status;
        pid_t pid = start("parts", i ? "--steps 400 --save-every 20 --resume" : "--steps 400 --save-every 20");
        if (wait_for("parts/model.safetensors"))
            nap(.02 + .03 * i);
        kill(pid, i % 2 ? SIGKILL : SIGINT);
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(diht("info parts/model.safetensors") == 0);   // whatever the moment: whole
    }
    CHECK(diht(TRAIN "--out parts --steps 400 --save-every 20 --resume") == 0);
    CHECK(system("cmp whole/model.safetensors parts/model.safetensors") == 0);
}

static void embed_writes_features(void)
{
    struct npy a;
    CHECK(diht("embed --model run/model.safetensors --data data --out emb --json") == 0 && json_line());
    CHECK(npy_open(&a, "emb/images.npy") == 0 && a.ndim == 2 && a.shape[0] == 10 && a.shape[1] == 16);
    double norm = 0;
    for (int i = 0; i < 16; i++) {
        float x;
        npy_read_f32(&a, i, 1, &x);
        norm += (double)x * x;
    }
    CHECK_CLOSE(norm, 1, 1e-5);
    npy_close(&a);
    CHECK(npy_open(&a, "emb/texts.npy") == 0 && a.shape[0] == 10);
    npy_close(&a);
    CHECK(system("test $(wc -l <emb/keys.txt) = 10") == 0);
}

static void eval_ranks_and_shows(void)
{
    CHECK(diht("eval --model run/model.safetensors --data data --split val --json --html page.html "
               "--metrics run/metrics.jsonl") == 0 && json_line());
    CHECK(strstr(out, "\"i2t\"") && strstr(out, "\"optimistic\"") && strstr(out, "\"ranges\""));
    CHECK(system("grep -q '</html>' page.html && grep -q 'data:image' page.html") == 0);
    CHECK(diht("eval --model run/model.safetensors --data data") == 0 && strstr(out, "image to text"));
    // the features of `embed` and the model itself rank alike
    char same[sizeof out];
    CHECK(diht("eval --image-features emb/images.npy --text-features emb/texts.npy --json") == 0 && json_line());
    strcpy(same, out);
    CHECK(diht("eval --model run/model.safetensors --data data --preset raw --json") == 0);
    char *a = strstr(same, "\"median_rank\""), *b = strstr(out, "\"median_rank\"");
    CHECK(a && b && !strncmp(a, b, strcspn(a, "}")));
}

static void mistakes_are_named(void)
{
    char images[1200], ids[1200];
    const char *golden = getenv("DIHT_GOLDEN");
    snprintf(images, sizeof images, "embed --model run/model.safetensors --out e2 --images-npy '%s/model/B/images.npy'",
             golden);
    snprintf(ids, sizeof ids, "embed --model run/model.safetensors --out e2 --ids-npy '%s/model/B/ids.npy'", golden);
    scratch_file("bad.json", "{\"embed_dim\":0}");
    scratch_file("text.safetensors", "not a checkpoint, but long enough");
    const struct { const char *args; int status; const char *name; } cases[] = {
        {TRAIN "--out r --steps 2 --vocab gone.txt", 1, "gone.txt"},
        {TRAIN "--out r --steps 2 --model gone.json", 1, "gone.json"},
        {TRAIN "--out r --steps 2 --model bad.json", 1, "embed_dim"},
        {TRAIN "--out r --steps 2 --model none", 2, "diht_vitb32_224px"},
        {"train gone --model tiny.json --vocab m.txt --out r --steps 2", 1, "gone"},
        {TRAIN "--out r --steps 2 --split none", 1, "train (7)"},
        {TRAIN "--out r --steps 2 --batch 100", 2, "there are 7"},
        {TRAIN "--out r --steps 2 --batch 1", 2, "--batch 1"},
        {TRAIN "--out r --steps 0", 2, "--steps"},
        {TRAIN "--out r --steps 2 --lr -1", 2, "--lr -1"},
        {TRAIN "--out r --steps 2 --alpha 3", 2, "--alpha 3"},
        {TRAIN "--out r --steps 2 --beta1 1", 2, "--beta1 1"},
        {TRAIN "--out r --steps 2 --warmup 2", 2, "--warmup 2"},
        {TRAIN "--out r --steps 2 --label-p 2", 2, "--label-p 2"},
        {TRAIN "--out r --steps 2 --augment none,such", 2, "such"},
        {TRAIN "--out r --steps 2 --stpes 3", 2, "did you mean 'steps'"},
        {TRAIN "--out /proc/r --steps 2", 1, "/proc/r"},
        {"embed --model gone.safetensors --data data --out e2", 1, "gone.safetensors"},
        {"embed --model text.safetensors --data data --out e2", 1, "text.safetensors"},
        {"embed --model run/model.safetensors --data gone --out e2", 1, "gone"},
        {"embed --model run/model.safetensors --out e2", 2, "--images-npy"},
        {"embed --model run/model.safetensors --data data --out /proc/e", 1, "/proc/e"},
        {"embed --model run/model.safetensors --data data --out e2 --batch 0", 2, "--batch 0"},
        {"eval", 2, "--image-features"},
        {"eval --model run/model.safetensors", 2, "DATA"},
        {"eval --model gone.safetensors --data data", 1, "gone.safetensors"},
        {"eval --model run/model.safetensors --data data --preset x", 2, "gcc-report"},
        {"eval --model run/model.safetensors --data data --ranges -1", 2, "'-1'"},
        {"eval --model run/model.safetensors --data data --prompt none", 2, "{}"},
        {"eval --model run/model.safetensors --data data --html /proc/x.html", 1, "/proc/x.html"},
        {"eval --model run/model.safetensors --data data --metrics gone.jsonl --html p.html", 1, "gone.jsonl"},
        {"eval --model run/model.safetensors --data data --exclude-tag bus", 1, "'bus'"},
        {"eval --image-features gone.npy --text-features gone.npy", 1, "gone.npy"},
        {"eval --image-features emb/images.npy --text-features emb/texts.npy --txt2img emb/images.npy", 1, "[10, 16]"},
        {images, 1, "[3, 3, 48, 48]"},
        {ids, 1, "[6, 77]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = diht("%s", cases[i].args);
        if (status != cases[i].status)
            printf("# diht %s: exit status %d, said %s\n", cases[i].args, status, err);
        CHECK(status == cases[i].status && said(cases[i].name));
    }
    CHECK(!scratch_has("r/model.safetensors") && !scratch_has("e2/images.npy"));
}

int main(void)
{
    if (!scratch_begin()) {
        printf("Bail out! no scratch directory\n");
        return 1;
    }
    CASE(a_run_leaves_its_files);
    CASE(threads_change_nothing);
    CASE(precisions);
    CASE(interrupted_runs_go_on);
    CASE(resumed_equals_whole);
    CASE(embed_writes_features);
    CASE(eval_ranks_and_shows);
    CASE(mistakes_are_named);
    scratch_end();
    return check_done();
}
