// SPDX-License-Identifier: Apache-2.0
// Every command on small data: what it makes, what it says to wrong input, its exit status (0, 1 failed, 2 wrong use).
#include "check.h"
#include "run.h"

static void import_makes_a_dataset(void)
{
    scratch_list("list.tsv");
    CHECK(diht("import list.tsv --out data --json") == 0 && json_line());
    CHECK(strstr(out, "\"ok\":10") && strstr(out, "\"missing\":1"));
    CHECK(said("gone.png") && said("line 12"));
    CHECK(diht("import list.tsv --out data --json") == 0 && strstr(out, "\"added\":0"));
    CHECK(diht("import list.tsv --out data") == 0 && strstr(out, "rows"));
    CHECK(diht("info data --json") == 0 && json_line() && strstr(out, "\"train\":7") && strstr(out, "\"val\":3"));
    CHECK(diht("info data") == 0 && strstr(out, "samples"));
}

static void vocab_learns_merges(void)
{
    CHECK(diht("vocab data --merges 8 --out m.txt --json") == 0 && json_line() && strstr(out, "\"merges\":8"));
    CHECK(diht("vocab list.tsv --merges 8 --out m2.txt") == 0 && strstr(out, "merges          8"));
    CHECK(diht("vocab data --merges 8 --out m3.txt --tags --split train") == 0);
    CHECK(system("test \"$(head -1 m.txt)\" = '#version: 0.2' && test $(wc -l <m.txt) = 9") == 0);
    CHECK(system("cmp -s m.txt m3.txt") != 0);
    CHECK(diht("vocab data --merges 0 --out m.txt") == 0 && system("test $(wc -l <m.txt) = 1") == 0);
    CHECK(diht("vocab data --merges 4000 --out m.txt") == 0 && said("no other pair"));
    CHECK(diht("vocab data --out m.txt --split none") == 1 && said("\"none\"") && said("train (7)"));
    CHECK(diht("vocab data --out m.txt --merges -1") == 2 && said("-1"));
    CHECK(diht("vocab data --out m.txt --merges 100000") == 2 && said("48894"));
    CHECK(diht("vocab data --out m.txt --merges many") == 2 && said("'many'"));
    CHECK(diht("vocab data") == 2 && said("--out"));
    CHECK(diht("vocab data --out nowhere/m.txt --merges 1") == 1 && said("nowhere/m.txt"));
}

static void config_files_give_options(void)
{
    scratch_file("a.conf", "# merges of the demo\nmerges = 5\nout = conf.txt\n");
    CHECK(diht("vocab data --config a.conf --json") == 0 && strstr(out, "\"merges\":5") && scratch_has("conf.txt"));
    CHECK(diht("vocab data --config a.conf --merges 3 --json") == 0 && strstr(out, "\"merges\":3"));
    scratch_file("b.conf", "merges = 5\nmergse = 4\n");
    CHECK(diht("vocab data --config b.conf --out m.txt") == 2 && said("b.conf") && said("mergse") && said("2"));
    scratch_file("c.conf", "merges\n");
    CHECK(diht("vocab data --config c.conf --out m.txt") == 2 && said("c.conf"));
    CHECK(diht("vocab data --config none.conf --out m.txt") == 2 && said("none.conf"));
}

static void loss_counts_pairs(void)
{
    const char *golden = getenv("DIHT_GOLDEN");
    char pairs[2048];
    snprintf(pairs, sizeof pairs,
             "--images '%s/model/A/image_features_norm.npy' --texts '%s/model/A/image_features_norm.npy'", golden,
             golden);
    CHECK(diht("loss %s --json --grad grad", pairs) == 0 && json_line());
    CHECK(strstr(out, "\"n\"") && strstr(out, "peak_bytes"));
    CHECK(scratch_has("grad/dx.npy") && scratch_has("grad/dt.npy"));
    CHECK(diht("loss %s", pairs) == 0 && strstr(out, "image to text"));
    CHECK(diht("loss %s --alpha 2", pairs) == 2 && said("--alpha 2"));
    CHECK(diht("loss %s --temperature 0", pairs) == 2 && said("--temperature 0"));
    CHECK(diht("loss %s --temperature nan", pairs) == 2 && said("'nan'"));
    CHECK(diht("loss %s --beta -1", pairs) == 2 && said("--beta -1"));
    CHECK(diht("loss %s --grad /proc/x", pairs) == 1 && said("/proc/x"));
    CHECK(diht("loss --images '%s/model/A/image_features_norm.npy' --texts '%s/model/A/text_features_norm.npy'", golden,
               golden) == 1 && said("[4, 40]") && said("[6, 40]"));
}

// What is not there, or not what it should be, is named.
static void wrong_input_is_named(void)
{
    scratch_file("broken.npy", "\x93NUMPY\x01");
    scratch_file("broken.safetensors", "garbage that is long enough");
    scratch_file("empty.tsv", "");
    static const struct { const char *args; int status; const char *name; } cases[] = {
        {"import gone.tsv --out d2", 1, "gone.tsv"},
        {"import empty.tsv --out d2", -1, "empty.tsv"},
        {"import list.tsv --out /proc/x", 1, "/proc/x"},
        {"vocab gone.tsv --out m.txt", 1, "gone.tsv"},
        {"vocab empty.tsv --out m.txt", 1, "empty.tsv"},
        {"loss --images gone.npy --texts gone.npy", 1, "gone.npy"},
        {"loss --images broken.npy --texts broken.npy", 1, "broken.npy"},
        {"loss --images list.tsv --texts list.tsv", 1, "list.tsv"},
        {"loss --images broken.npy", 2, "--texts"},
        {"info gone", 1, "gone"},
        {"info broken.npy", 1, "broken.npy"},
        {"info broken.safetensors", 1, "broken.safetensors"},
        {"info list.tsv --jsn", 2, "did you mean 'json'"},
        {"info list.tsv more", 2, "more"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = diht("%s", cases[i].args);
        bool ok = cases[i].status < 0 ? status >= 0 && status < 3 : status == cases[i].status;
        if (!ok)
            printf("# diht %s: exit status %d, said %s\n", cases[i].args, status, err);
        CHECK(ok && (said(cases[i].name)));
    }
}

int main(void)
{
    if (!scratch_begin()) {
        printf("Bail out! no scratch directory\n");
        return 1;
    }
    CASE(import_makes_a_dataset);
    CASE(vocab_learns_merges);
    CASE(config_files_give_options);
    CASE(loss_counts_pairs);
    CASE(wrong_input_is_named);
    scratch_end();
    return check_done();
}
