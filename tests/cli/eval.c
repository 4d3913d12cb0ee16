// SPDX-License-Identifier: Apache-2.0
// Evaluation as people run it: killed and gone on with, parts on several machines merged, models side by side, receipts.
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "check.h"
#include "run.h"

enum { ROWS = 240 };

// A list of ROWS rows over the golden pictures; every fifth file is not there.
static void many_rows(const char *name)
{
    static const char *const pictures[] = {"jpeg_gray_301x200.jpg", "png_rgba_200x201.png", "jpeg_exif6_320x240.jpg",
                                           "png_gray16_96x64.png", "gif_animated_180x120.gif", "png_adam7_rgb_151x99.png"};
    FILE *f = fopen(name, "w");
    for (int i = 0; f && i < ROWS; i++) {
        if (i % 5 == 3)
            fprintf(f, "a dead link %d\tgone%d.jpg\n", i, i);
        else
            fprintf(f, "a %s number %d\t%s/preprocess/images/%s\n", i % 2 ? "dog" : "red bus", i, getenv("DIHT_GOLDEN"),
                    pictures[i % 6]);
    }
    if (f)
        fclose(f);
}

static void prepare(void)
{
    static const char tiny[] = "{\"embed_dim\":16,"
                               "\"vision\":{\"image_size\":32,\"patch_size\":8,\"width\":32,\"layers\":1,\"head_width\":16},"
                               "\"text\":{\"context_length\":16,\"vocab_size\":518,\"width\":32,\"layers\":1,\"heads\":2}}";
    scratch_list("small.tsv");
    many_rows("list.tsv");
    scratch_file("tiny.json", tiny);
    CHECK(diht("vocab small.tsv --merges 8 --out m.txt") == 0);
    for (int seed = 1; seed < 3; seed++)
        CHECK(diht("train small.tsv --split train --model tiny.json --vocab m.txt --batch 4 --steps 2 --seed %d --out run%d",
                   seed, seed) == 0);
    CHECK(system("mv run1/model.safetensors a.safetensors && mv run2/model.safetensors b.safetensors") == 0);
}

static json_t *result(void)
{
    json_t *j = json_loads(out, 0, NULL);
    if (!j)
        printf("# not JSON: %.300s\n", out);
    return j;
}

static double r1(const json_t *j, const char *way)
{
    return json_number_value(json_object_get(json_object_get(j, way), "r1"));
}

static json_int_t count(const json_t *j, const char *object)
{
    return json_integer_value(json_object_get(json_object_get(j, object), "count"));
}

#define EVAL "eval list.tsv --batch 8 --threads 1 --preset gcc-report --ranges 60 --json "

static void what_is_left_out_is_listed(void)
{
    CHECK(diht(EVAL "--model a.safetensors --keep none --left-out left.jsonl") == 0 && json_line());
    CHECK(system("cp .out whole.json && test ! -e list.tsv.features && test $(wc -l <left.jsonl) = 48") == 0);
    CHECK(system("grep -q '\"row\": 3, .*gone3.jpg' left.jsonl") == 0);
    json_t *j = result(), *receipt = json_object_get(j, "receipt");
    CHECK(count(j, "left_out") == 48 && json_array_size(json_object_get(j, "ranges")) == 4);
    CHECK(strlen(json_string_value(json_object_get(receipt, "model_sha256"))) == 64);
    CHECK_STR(json_string_value(json_object_get(receipt, "prompt")), "a photo of {}.");
    json_decref(j);
    CHECK(diht("eval list.tsv --model a.safetensors --preset gcc-report --ranges 60 --keep none") == 0);
    CHECK(strstr(out, "60-120") && strstr(out, " 48 ") && strstr(out, "\nmean"));
    CHECK(said("rows 60-120: 48 live"));
}

static void nap(double seconds) { nanosleep(&(struct timespec){0, (long)(seconds * 1e9)}, NULL); }

// How many of eight runs of the program were killed before they ended.
static int killed(const char *arguments)
{
    const char *program = getenv("DIHT_PROGRAM");
    char line[1024];
    int kills = 0;
    snprintf(line, sizeof line, "exec '%s' %s >.out 2>.err", program ? program : "diht", arguments);
    for (int i = 0; i < 8; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            execl("/bin/sh", "sh", "-c", line, (char *)NULL);
            _exit(127);
        }
        nap(.02 + .017 * i);
        kill(pid, SIGKILL);
        CHECK(waitpid(pid, &status, 0) == pid);
        kills += WIFSIGNALED(status);
    }
    return kills;
}

// Killed at any moment and started again: the same JSON to the byte.
static void killed_runs_go_on(void)
{
    CHECK(killed(EVAL "--model a.safetensors --keep kept") > 0);
    CHECK(diht(EVAL "--model a.safetensors --keep kept") == 0 && system("cmp .out whole.json") == 0);
    // all is there now: nothing is encoded, another protocol has its pictures
    CHECK(diht(EVAL "--model a.safetensors --keep kept") == 0 && system("cmp .out whole.json") == 0);
    CHECK(diht("eval list.tsv --model a.safetensors --keep kept --json") == 0);
    CHECK(system("test $(ls kept | grep -c images) = 1 && test $(ls kept | grep -c texts) = 2") == 0);
    // half a row at the end, rubbish at the end, another file in its place
    CHECK(system("f=$(ls kept/*.images) && truncate -s -30 $f") == 0);
    CHECK(diht(EVAL "--model a.safetensors --keep kept") == 0 && system("cmp .out whole.json") == 0 && said("going on"));
    CHECK(system("f=$(ls kept/*.images) && truncate -s -700 $f && head -c 700 /dev/zero >>$f") == 0);
    CHECK(diht(EVAL "--model a.safetensors --keep kept") == 0 && system("cmp .out whole.json") == 0);
    CHECK(system("for f in kept/*; do echo rubbish >$f; done") == 0);
    CHECK(diht(EVAL "--model a.safetensors --keep kept") == 0 && system("cmp .out whole.json") == 0);
    // beside a list by default; where nothing can be written, without
    CHECK(diht(EVAL "--model a.safetensors") == 0 && scratch_has("list.tsv.features"));
    CHECK(diht(EVAL "--model a.safetensors --keep /proc/none") == 0 && said("not kept") && system("cmp .out whole.json") == 0);
}

// The same of diht embed: its files to the byte, also from what an evaluation kept.
static void killed_embeddings_go_on(void)
{
#define EMBED "embed list.tsv --model a.safetensors --batch 8 --threads 1 "
    CHECK(diht(EMBED "--out whole --keep none") == 0 && diht(EMBED "--out raw --raw --keep none") == 0);
    CHECK(killed(EMBED "--out gone-on --keep ekept") > 0);   // one killed while it wrote leaves its unfinished NAME.PID.part
    CHECK(system("test -s $(ls ekept/*.texts)") == 0);
    CHECK(diht(EMBED "--out gone-on --keep ekept") == 0 && system("diff -r -x '*.part' whole gone-on && truncate -s -30 ekept/*.images") == 0);
    CHECK(diht(EMBED "--out gone-on --keep ekept") == 0 && said("going on") && system("diff -r -x '*.part' whole gone-on") == 0);
    CHECK(diht(EMBED "--out raw-kept --raw --keep ekept") == 0 && system("diff -r raw raw-kept && test $(ls ekept | wc -l) = 4") == 0);
    CHECK(diht("eval list.tsv --model a.safetensors --keep evkept") == 0);
    CHECK(diht(EMBED "--out from-eval --keep evkept") == 0 && system("diff -r whole from-eval && test $(ls evkept | wc -l) = 2") == 0);
}

static void parts_are_merged(void)
{
    char line[4096];
    CHECK(diht(EVAL "--model a.safetensors --rows 0:120") == 0 && system("cp .out one.json") == 0);
    CHECK(diht(EVAL "--model a.safetensors --rows 120:") == 0 && system("cp .out two.json") == 0);
    CHECK(diht("eval --merge two.json --merge one.json --json") == 0 && json_line());
    json_t *merged = result(), *whole = json_load_file("whole.json", 0, NULL);
    CHECK(json_equal(json_object_get(merged, "ranges"), json_object_get(whole, "ranges")));
    CHECK_CLOSE(r1(json_object_get(merged, "range_means"), "t2i"), r1(json_object_get(whole, "range_means"), "t2i"), 1e-9);
    CHECK_CLOSE(r1(merged, "i2t"), r1(whole, "i2t"), 1e-9);
    CHECK_CLOSE(r1(merged, "t2i"), r1(whole, "t2i"), 1e-9);
    json_decref(merged);
    json_decref(whole);
    CHECK(diht("eval --merge one.json two.json --json") == 0 && json_line());
    CHECK(diht("eval --merge one.json --merge two.json") == 0 && strstr(out, "180-240") && strstr(out, "mean"));
    CHECK(diht("eval --merge one.json --merge whole.json") == 1 && said("rows 0-60 are in"));
    CHECK(diht(EVAL "--model b.safetensors --rows 120:240") == 0 && system("cp .out other.json") == 0);
    CHECK(diht("eval --merge one.json --merge other.json") == 1 && said("model_sha256"));
    CHECK(system("head -c 400 one.json >cut.json") == 0 && diht("eval --merge one.json --merge cut.json") == 1);
    CHECK(said("cut.json") && said("whole JSON") && diht("verify cut.json") == 1 && said("cut.json"));
    scratch_file("no.json", "{\"i2t\": 3}");
    CHECK(diht("eval --merge no.json") == 1 && said("no receipt"));
    CHECK(diht("eval --merge gone.json") == 1 && said("gone.json"));
    CHECK(diht("eval --merge one.json --model a.safetensors") == 2);
    CHECK(diht(EVAL "--model a.safetensors --rows 5") == 2 && said("A:B"));
    CHECK(diht(EVAL "--model a.safetensors --rows 9:9") == 2);
    CHECK(diht(EVAL "--model a.safetensors --rows 240:") == 1 && said("no sample") && said("row 240"));
    scratch_file("paths.tsv", "a dog\tgone.jpg\na bus\tgone too.jpg\n");
    CHECK(diht("eval paths.tsv --images nowhere --model a.safetensors --keep none") == 1 && said("nowhere/gone.jpg") &&
          said("--images"));
    snprintf(line, sizeof line, "eval --image-features '%s/model/A/image_features.npy' --text-features "
             "'%s/model/A/text_features.npy' --txt2img '%s/model/C/ids.npy'", getenv("DIHT_GOLDEN"), getenv("DIHT_GOLDEN"),
             getenv("DIHT_GOLDEN"));
    CHECK(diht("%s", line) == 1 && said("C/ids.npy"));
    CHECK(diht("eval --image-features '%s/recall/ties/images.npy' --text-features '%s/recall/ties/texts.npy' --txt2img "
               "'%s/recall/ties/rank_t2i_pessimistic.npy'", getenv("DIHT_GOLDEN"), getenv("DIHT_GOLDEN"),
               getenv("DIHT_GOLDEN")) == 1 && said("rank_t2i_pessimistic.npy"));
}

static void models_stand_side_by_side(void)
{
    CHECK(diht("eval list.tsv --model a.safetensors --model b.safetensors --model a.safetensors --json") == 0 && json_line());
    json_t *j = result(), *models = json_object_get(j, "models"), *paired = json_object_get(j, "paired");
    CHECK(json_array_size(models) == 3 && json_array_size(paired) == 2);
    const json_t *other = json_object_get(json_array_get(paired, 0), "t2i");
    const json_t *self = json_object_get(json_array_get(paired, 1), "t2i");
    double gain = json_number_value(json_object_get(other, "r1_gain"));
    CHECK_CLOSE(gain, r1(json_array_get(models, 1), "t2i") - r1(json_array_get(models, 0), "t2i"), 1e-9);
    CHECK(json_number_value(json_object_get(other, "low")) <= gain);
    CHECK(json_number_value(json_object_get(other, "high")) >= gain);
    CHECK(json_number_value(json_object_get(self, "r1_gain")) == 0 && json_number_value(json_object_get(self, "high")) == 0);
    json_decref(j);
    CHECK(diht("eval small.tsv --split train,val --model a.safetensors --model b.safetensors --keep none") == 0);
    const char *table = strstr(out, "side by side");
    CHECK(table && strstr(table, "\nval ") && strstr(table, "\na.safetensors ") && strstr(table, "\nb.safetensors ") && strstr(table, " to "));
    CHECK(diht("eval small.tsv --model a.safetensors --model b.safetensors --keep none --html two.html") == 0);
    CHECK(system("grep -q 'Models on the same samples' two.html && grep -q b.safetensors two.html") == 0);
    CHECK(diht("eval small.tsv --split train,val --model a.safetensors --model b.safetensors --keep none --json") == 0 && json_line());
}

// Features in fp32 are the same bits in whatever company a sample is encoded, by however many threads.
static void batches_and_threads_do_not_show(void)
{
    static const int batches[] = {32, 7, 1}, threads[] = {1, 2, 3};
    char line[512];
    scratch_file("wide.json", "{\"embed_dim\":48,"
                              "\"vision\":{\"image_size\":80,\"patch_size\":16,\"width\":96,\"layers\":2,\"head_width\":32},"
                              "\"text\":{\"context_length\":24,\"vocab_size\":518,\"width\":80,\"layers\":2,\"heads\":5}}");
    CHECK(diht("train small.tsv --model wide.json --vocab m.txt --batch 4 --steps 1 --out wide") == 0);
    for (int i = 0; i < 9; i++) {
        snprintf(line, sizeof line, "embed list.tsv --model wide/model.safetensors --out w%d --batch %d --threads %d --loaders %d --keep none", i,
                 batches[i / 3], threads[i % 3], 1 + i % 2);
        CHECK(diht("%s", line) == 0);
        snprintf(line, sizeof line, "cmp w0/images.npy w%d/images.npy && cmp w0/texts.npy w%d/texts.npy", i, i);
        CHECK(system(line) == 0);
    }
    // longer prompts: other texts beside each, more rows in all
    CHECK(diht("embed list.tsv --model wide/model.safetensors --prompt 'a photo of {}, seen from the {}' --out p7 --batch 7 --keep none") == 0);
    CHECK(diht("embed list.tsv --model wide/model.safetensors --prompt 'a photo of {}, seen from the {}' --out p64 --keep none") == 0);
    CHECK(system("cmp p7/texts.npy p64/texts.npy") == 0 && system("cmp -s p7/texts.npy w0/texts.npy") != 0);
}

static void prompts_can_be_several(void)
{
    CHECK(diht("eval small.tsv --model a.safetensors --prompt 'a {}' --keep none --json") == 0 && system("cp .out p1.json") == 0);
    CHECK(diht("eval small.tsv --model a.safetensors --prompt 'a {}|a {}' --keep none --json --batch 3") == 0);
    json_t *one = json_load_file("p1.json", 0, NULL), *twice = result();
    CHECK_CLOSE(r1(one, "t2i"), r1(twice, "t2i"), 1e-9);   // the mean of equal ones
    json_decref(one);
    json_decref(twice);
    CHECK(diht("eval small.tsv --model a.safetensors --prompt 'a {}|the {}|{}' --keep pk --batch 7 --json") == 0);
    CHECK(system("cp .out p3.json && f=$(ls pk/*.texts) && truncate -s -100 $f") == 0);
    CHECK(diht("eval small.tsv --model a.safetensors --prompt 'a {}|the {}|{}' --keep pk --batch 5 --json") == 0);
    CHECK(system("cmp .out p3.json") == 0 && diht("verify p3.json") == 0);
    CHECK(diht("eval small.tsv --model a.safetensors --prompt 'a {}|x'") == 2 && said("\"x\""));
}

static void vocabularies_are_found(void)
{
    char b[1200];
    snprintf(b, sizeof b, "eval small.tsv --split val --keep none --json --model '%s/model/B/B.fp16.safetensors'", getenv("DIHT_GOLDEN"));
    CHECK(diht("eval small.tsv --split val --keep none --model a.safetensors --vocab m.txt") == 0);
    scratch_file("other.txt", "#version: 0.2\nt h\n");
    CHECK(diht("eval small.tsv --split val --keep none --model a.safetensors --vocab other.txt") == 1 && said("522 rows") && said("515"));
    setenv("XDG_DATA_HOME", "/nonexistent", 1);
    CHECK(diht("%s", b) == 1 && said("./run build"));   // CLIP's vocabulary size, nothing inside, nothing installed
    snprintf(b + strlen(b), sizeof b - strlen(b), " --vocab m.txt");
    CHECK(diht("%s", b) == 1 && said("49408 rows"));
    unsetenv("XDG_DATA_HOME");
}

static double value(const char *name)
{
    json_t *j = result();
    double v = json_number_value(json_object_get(j, name));
    json_decref(j);
    return v;
}

static void pictures_are_classified(void)
{
    char line[2048];
    snprintf(line, sizeof line, "mkdir -p c/val/cat c/val/bus c/val/dog && cd c/val && g='%s/preprocess/images' && "
             "cp $g/jpeg_gray_301x200.jpg bus/1.jpg && cp $g/jpeg_exif6_320x240.jpg bus/2.jpg && cp $g/png_rgba_200x201.png cat/1.png &&"
             "cp $g/gif_animated_180x120.gif dog/1.gif && echo no picture >dog/2.jpg && ln -s $g/jpeg_gray_301x200.jpg dog/3.jpg",
             getenv("DIHT_GOLDEN"));
    CHECK(system(line) == 0);
    CHECK(diht("classify c/val --model a.safetensors") == 0 && strstr(out, "5 pictures, 3 classes") && strstr(out, "12 templates"));
    CHECK(diht("classify c --split val --model a.safetensors --json") == 0 && json_line());
    json_t *j = result();
    double acc1 = value("acc1"), mean = value("mean_per_class");
    CHECK(value("n") == 5 && value("classes") == 3 && value("acc5") == 100 && count(j, "left_out") == 1);
    CHECK(acc1 >= 0 && acc1 <= 100 && mean >= 0 && mean <= 100 && scratch_has("c.features"));
    json_decref(j);
    CHECK(system("cp .out classes.json") == 0 && diht("verify classes.json") == 0);
    // the same picture under two labels: one of them is right at most
    CHECK(acc1 <= 80);
    // names and templates from files; one class alone always wins, all alike tie
    scratch_file("names.txt", "red bus\nsmall cat\r\n\ndog\n");
    scratch_file("t.json", "{\"en\": {\"emoji\": [\"{c}\"], \"other\": [\"a {c}.\", \"the {}\"]}}");
    CHECK(diht("classify c/val --model a.safetensors --classnames names.txt --templates t.json --set other --json") == 0);
    CHECK(value("templates") == 2);
    CHECK(system("cp .out classes.json") == 0 && diht("verify classes.json") == 0);
    CHECK(diht("classify c/val --model a.safetensors --templates t.json") == 1 && said("emoji, other"));
    // prompts of each class's own, as CuPL's files have them; whole sentences, or with the class's place
    scratch_file("cupl.json", "{\"red bus\": [\"A red bus has two decks.\", \"Buses carry people.\"], \"small cat\": [\"A cat.\"], "
                              "\"dog\": [\"a {}\"], \"other\": []}");
    CHECK(diht("classify c/val --model a.safetensors --classnames names.txt --templates cupl.json") == 0);
    CHECK(strstr(out, "4 prompts by class"));
    CHECK(diht("classify c/val --model a.safetensors --classnames names.txt --templates cupl.json --json") == 0 && json_line());
    CHECK(value("prompts_by_class") == 4 && system("cp .out classes.json") == 0 && diht("verify classes.json") == 0);
    CHECK(system("sed -i 's/two decks/three decks/' cupl.json") == 0 && diht("verify classes.json") == 1 && said("names"));
    CHECK(diht("classify c/val --model a.safetensors --templates cupl.json") == 1 && said("\"bus\""));
    // by class, the same template everywhere: the figures of that template
    scratch_file("each.json", "{\"set\": {\"red bus\": [\"a {}.\"], \"small cat\": [\"a {}.\"], \"dog\": [\"a dog.\"]}}");
    scratch_file("one.txt", "a {}.\n");
    CHECK(diht("classify c/val --model a.safetensors --classnames names.txt --templates one.txt --json") == 0);
    double same1 = value("acc1"), same5 = value("mean_per_class");
    CHECK(diht("classify c/val --model a.safetensors --classnames names.txt --templates each.json --json") == 0);
    CHECK(value("acc1") == same1 && value("mean_per_class") == same5);
    scratch_file("same.txt", "x\nx\nx\n");
    CHECK(diht("classify c/val --model a.safetensors --classnames same.txt --json") == 0);
    CHECK_CLOSE(value("acc1"), 100 / 3., 1e-9);
    CHECK_CLOSE(value("mean_per_class"), 100 / 3., 1e-9);
    scratch_file("two.txt", "x\ny\n");
    CHECK(diht("classify c/val --model a.safetensors --classnames two.txt") == 1 && said("class 2"));
    scratch_file("t.txt", "a photo\n");
    CHECK(diht("classify c/val --model a.safetensors --templates t.txt") == 1 && said("a photo"));
    CHECK(diht("classify small.tsv --model a.safetensors") == 1 && said("class folders"));
    // CLIP_benchmark's layout: names and templates beside the tars
    CHECK(system("mkdir -p wds/test && cp c/val/bus/1.jpg 0.jpg && echo 1 >0.cls && tar cf wds/test/0.tar 0.jpg 0.cls &&"
                 "printf 'a\\nb\\nc\\n' >wds/classnames.txt && echo 'a {c}' >wds/zeroshot_classification_templates.txt") == 0);
    CHECK(diht("classify wds --model a.safetensors --json") == 0 && value("classes") == 3 && value("templates") == 1);
    CHECK(diht("classify wds/test --model a.safetensors --json") == 0 && value("classes") == 3);
}

static void receipts_can_be_verified(void)
{
    CHECK(diht("verify whole.json") == 0 && strstr(out, "the same"));
    CHECK(diht("eval small.tsv --split train,val --model a.safetensors --model b.safetensors --json") == 0);
    CHECK(system("cp .out two.json") == 0 && diht("verify two.json") == 0 && strstr(out, "4 results"));
    CHECK(diht("eval small.tsv --split val --model a.safetensors --prompt '{} x' --json") == 0 && system("cp .out v.json") == 0);
    CHECK(diht("verify v.json --json") == 0 && json_line());
    CHECK(diht("eval small.tsv --model a.safetensors --hubness csls --json") == 0 && system("cp .out h.json") == 0);
    CHECK(diht("verify h.json") == 0 && diht("eval --merge h.json --merge one.json") == 1);
    CHECK(diht("eval small.tsv --model a.safetensors --hubness dual-softmax") == 0 && strstr(out, "corrected by dual-softmax"));
    CHECK(diht("eval small.tsv --model a.safetensors --hubness all") == 2 && said("csls"));
    CHECK(system("sed 's/\"r5\": [0-9.]*/\"r5\": 12.5/' v.json >lie.json") == 0);
    CHECK(diht("verify lie.json") == 1 && said("i2t.r5 was 12.5"));
    CHECK(system("sed 's/number 9/number nine/' small.tsv >new.tsv && mv new.tsv small.tsv") == 0);
    CHECK(diht("verify v.json") == 1 && said("list_sha256"));
    CHECK(system("cp b.safetensors a.safetensors") == 0);
    CHECK(diht("verify v.json") == 1 && said("another model"));
    CHECK(diht("verify list.tsv") == 1 && diht("verify no.json") == 1 && said("no receipt"));
    CHECK(diht("verify gone.json") == 1 && said("gone.json"));
}

int main(void)
{
    if (!scratch_begin()) {
        printf("Bail out! no scratch directory\n");
        return 1;
    }
    prepare();
    CASE(what_is_left_out_is_listed);
    CASE(killed_runs_go_on);
    CASE(killed_embeddings_go_on);
    CASE(parts_are_merged);
    CASE(models_stand_side_by_side);
    CASE(batches_and_threads_do_not_show);
    CASE(prompts_can_be_several);
    CASE(vocabularies_are_found);
    CASE(pictures_are_classified);
    CASE(receipts_can_be_verified);
    scratch_end();
    return check_done();
}
