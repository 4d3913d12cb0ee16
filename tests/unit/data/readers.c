// SPDX-License-Identifier: Apache-2.0
// Evaluation data as others keep it: WebDataset tars, class folders, JSON, open_clip's CSV, lists of addresses.
#include "base/error.h"
#include "check.h"
#include "data/source.h"
#include "scratch.h"

static struct source *s;

static bool opens(const char *path, const struct source_options *o)
{
    static const struct source_options none;
    source_close(s);
    return source_open_with(&s, path, o ? o : &none) == 0;
}

static struct sample at(int64_t i)
{
    struct sample x;
    source_sample(s, i, &x);
    return x;
}

// The picture's bytes are those of the file.
static bool holds(int64_t i, const char *file)
{
    struct buf a = {0}, b = {0};
    bool same = source_image(s, i, &a) == 0 && file_read(file, &b) == 0 && a.len == b.len && a.len > 0 &&
                memcmp(a.at, b.at, a.len) == 0;
    buf_free(&a);
    buf_free(&b);
    return same;
}

static bool left_out(int64_t i, int64_t row, const char *why)
{
    int64_t got = -1;
    const char *text = i < source_excluded_listed(s) ? source_excluded_at(s, i, &got) : NULL;
    bool so = text && got == row && strstr(text, why);
    if (!so)
        printf("# row %lld: %s\n", (long long)got, text ? text : "not listed");
    return so;
}

static void tars_are_webdatasets(void)
{
    CHECK(dir_make(scratch("w")) == 0);
    for (int k = 0; k < 4; k++)
        draw(k % 2 ? "w/pic.png" : "w/pic.jpg", k, 20, k % 2 == 0);
    // ours and img2dataset's: a dead row's number is missing; its json, a caption with a line break, keys with folders
    CHECK(shell("cd '%s/w' && cp pic.jpg 000000000.jpg && printf 'one\\n two ' >000000000.txt"
                " && printf '{\"key\": 1}' >000000000.json"
                " && cp pic.png 000000002.png && printf '{\"caption\": \"three\", \"tags\": \"a, b\"}' >000000002.json"
                " && printf alone >000000003.txt && cp pic.jpg 000000004.jpg"
                " && tar cf a.tar 000000000.* 000000002.* 000000003.txt 000000004.jpg", scratch_dir) == 0);
    CHECK(opens(scratch("w/a.tar"), NULL) && source_count(s) == 2 && source_excluded(s) == 2 && source_rows(s) == 5);
    CHECK_STR(at(0).key, "000000000");
    CHECK_STR(at(0).captions[0], "one\n two");
    CHECK(at(0).row == 0 && at(0).caption_count == 1 && at(0).label == -1 && holds(0, scratch("w/pic.jpg")));
    CHECK_STR(at(1).captions[0], "three");
    CHECK_STR(at(1).tags, "a, b");
    CHECK(at(1).row == 2 && holds(1, scratch("w/pic.png")));
    CHECK(left_out(0, 3, "no picture") && left_out(1, 4, "no caption"));
    // long names by GNU's and by pax headers
    CHECK(shell("cd '%s/w' && mkdir -p d && n=d/$(printf 'n%%.0s' $(seq 120)) && cp pic.png $n.png && echo long >$n.txt"
                " && mkdir g p && tar cf g/0.tar --format=gnu $n.png $n.txt && tar cf p/0.tar --format=pax $n.png $n.txt",
                scratch_dir) == 0);
    CHECK(opens(scratch("w/g"), NULL) && source_count(s) == 1 && strlen(at(0).key) == 122 && holds(0, scratch("w/pic.png")));
    CHECK(opens(scratch("w/p"), NULL) && source_count(s) == 1 && strlen(at(0).key) == 122 && holds(0, scratch("w/pic.png")));
    // CLIP_benchmark: split folders, numbered tars, a caption a line, classes
    CHECK(shell("cd '%s/w' && mkdir -p b/test && cp pic.png 0.png && printf 'a\\nb\\n\\nc\\n' >0.txt && cp pic.jpg 1.jpg && echo 7 >1.cls"
                " && echo 2 >b/test/nshards.txt && tar cf b/test/10.tar 1.jpg 1.cls && tar cf b/test/9.tar 0.png 0.txt", scratch_dir) == 0);
    CHECK(opens(scratch("w/b"), NULL) && source_count(s) == 2 && at(0).caption_count == 3);
    CHECK_STR(at(0).captions[2], "c");
    CHECK_STR(at(0).split, "test");
    CHECK(at(1).label == 7 && at(1).row == 1 && holds(1, scratch("w/pic.jpg")));
}

// CLIP_benchmark's sets as its exporter writes them: keys s0000000, members sorted by ending, lossless WebP, captions
// joined by line breaks with none behind the last.
static void clip_benchmark_sets(void)
{
    char webp[1024];
    snprintf(webp, sizeof webp, "%s/preprocess/images/webp_lossless_240x320.webp", getenv("DIHT_GOLDEN"));
    CHECK(dir_make(scratch("cb/test")) == 0 && dir_make(scratch("cb/train")) == 0 && dir_make(scratch("cr/test")) == 0);
    CHECK(shell("cd '%s/cb' && cp '%s' s0000000.webp && cp ../w/pic.png s0000001.png && printf 1 >s0000000.cls && printf 0 >s0000001.cls"
                " && printf 'red bus\ncat\n' >classnames.txt && printf 'a photo of {c}\n' >zeroshot_classification_templates.txt"
                " && echo 1 | tee test/nshards.txt >train/nshards.txt"
                " && tar cf test/0.tar s0000000.cls s0000000.webp s0000001.cls s0000001.png && tar cf train/0.tar s0000001.cls s0000001.png",
                scratch_dir, webp) == 0);
    CHECK(opens(scratch("cb"), NULL) && source_count(s) == 3);
    CHECK(opens(scratch("cb"), &(struct source_options){.split = "test"}) && source_count(s) == 2);
    CHECK(at(0).label == 1 && at(1).label == 0 && holds(0, webp) && holds(1, scratch("w/pic.png")));
    CHECK(opens(scratch("cb/test"), NULL) && source_count(s) == 2 && at(0).label == 1);
    CHECK(shell("cd '%s/cb' && printf 'one two\nthree' >s0000000.txt && printf 'four\nfive\nsix\nseven\neight' >s0000001.txt"
                " && echo 1 >../cr/test/nshards.txt && printf retrieval >../cr/dataset_type.txt"
                " && tar cf ../cr/test/0.tar s0000000.txt s0000000.webp s0000001.png s0000001.txt", scratch_dir) == 0);
    CHECK(opens(scratch("cr"), NULL) && source_count(s) == 2 && at(0).caption_count == 2 && at(1).caption_count == 5);
    CHECK(at(0).label == -1 && holds(0, webp));
    CHECK_STR(at(0).key, "s0000000");
    CHECK_STR(at(0).captions[0], "one two");
    CHECK_STR(at(1).captions[4], "eight");
}

// img2dataset: shards and what it writes beside them, in tars or as files; rows that failed are missing.
static void img2dataset_output(void)
{
    static const char meta[] = "{\"caption\": \"a red bus\", \"url\": \"http://x/1.jpg\", \"key\": \"000010002\", \"status\": \"success\","
                               "\"error_message\": null, \"width\": 20, \"height\": 20, \"original_width\": 20, \"original_height\": 20}";
    CHECK(dir_make(scratch("i/files/00000")) == 0 && dir_make(scratch("i/files/00001")) == 0 && dir_make(scratch("i/tars")) == 0);
    write_text("i/files/00001/000010002.json", meta, sizeof meta - 1);
    CHECK(shell("cd '%s/i/files' && for k in 00000/000000000 00000/000000003 00001/000010002; do cp ../../w/pic.jpg $k.jpg; done"
                " && printf 'a dog' >00000/000000000.txt && printf 'a cat' >00000/000000003.txt && printf 'a red bus' >00001/000010002.txt"
                " && for s in 00000 00001; do (cd $s && tar cf ../../tars/$s.tar *); echo PAR1 >$s.parquet; echo '{}' >${s}_stats.json;"
                " cp $s.parquet ${s}_stats.json ../tars; done", scratch_dir) == 0);
    static const char *const both[] = {"i/files", "i/tars"};
    for (int k = 0; k < 2; k++) {
        CHECK(opens(scratch("%s", both[k]), NULL) && source_count(s) == 3 && source_excluded(s) == 0 && source_rows(s) == 10003);
        CHECK(at(0).row == 0 && at(1).row == 3 && at(2).row == 10002 && at(2).label == -1 && holds(2, scratch("w/pic.jpg")));
        CHECK_STR(at(1).captions[0], "a cat");
        CHECK_STR(at(2).captions[0], "a red bus");
        CHECK_STR(at(2).key, k ? "000010002" : "00001/000010002");
    }
    // shards of 1,000: eight digits; a picture whose text is missing
    CHECK(shell("cd '%s/i/files' && rm -r 00000 && mv 00001/000010002.jpg 00001/00001002.jpg && mv 00001/000010002.txt 00001/00001002.txt"
                " && cp 00001/00001002.jpg 00001/00001004.jpg", scratch_dir) == 0);
    CHECK(opens(scratch("i/files"), NULL) && source_count(s) == 1 && at(0).row == 1002 && left_out(0, 1004, "00001004.txt"));
}

static void damaged_tars_give_what_is_whole(void)
{
    CHECK(shell("cd '%s/w' && mkdir -p cut && cp a.tar cut/a.tar && truncate -s 5000 cut/a.tar", scratch_dir) == 0);
    CHECK(opens(scratch("w/cut"), NULL) && source_count(s) == 1 && left_out(0, 2, "no picture") && left_out(1, 3, "cut off"));
    write_text("w/cut/a.tar", "not a tar at all", 16);
    CHECK(!opens(scratch("w/cut"), NULL) && strstr(error_last(), "no sample"));
    CHECK(shell("cd '%s/w' && gzip -c a.tar >cut/a.tar", scratch_dir) == 0);
    CHECK(!opens(scratch("w/cut"), NULL));
    CHECK(!opens(scratch("w/gone.tar"), NULL) && strstr(error_last(), "gone.tar"));
}

static void folders_are_classes(void)
{
    CHECK(dir_make(scratch("f/val/n02")) == 0 && dir_make(scratch("f/val/n01")) == 0 && dir_make(scratch("f/train/n01")) == 0);
    draw("f/val/n02/x.JPEG", 1, 12, 1);
    draw("f/val/n01/b.png", 2, 12, 0);
    draw("f/val/n01/a.png", 3, 12, 0);
    draw("f/train/n01/t.png", 4, 12, 0);
    write_text("f/val/n01/notes.txt", "x", 1);
    CHECK(opens(scratch("f/val"), NULL) && source_count(s) == 3);
    CHECK_STR(at(0).key, "n01/a");
    CHECK_STR(at(2).captions[0], "n02");
    CHECK(at(0).label == 0 && at(2).label == 1 && holds(2, scratch("f/val/n02/x.JPEG")));
    CHECK(opens(scratch("f"), &(struct source_options){.split = "val"}) && source_count(s) == 3 && at(2).label == 1);
    CHECK(!opens(scratch("f"), &(struct source_options){.split = "test"}) && strstr(error_last(), "train (1)"));
    CHECK(dir_make(scratch("empty")) == 0 && !opens(scratch("empty"), NULL) && strstr(error_last(), "diht import"));
}

static void a_folder_of_pictures_has_texts_beside(void)
{
    CHECK(dir_make(scratch("flat")) == 0);
    for (int k = 0; k < 3; k++) {
        char name[32];
        snprintf(name, sizeof name, "flat/pic %d.png", k);
        draw(name, k, 10, 0);
    }
    CHECK(opens(scratch("flat"), NULL) && source_count(s) == 3 && holds(1, scratch("flat/pic 1.png")));
    CHECK_STR(at(2).captions[0], "pic 2");
    write_text("flat/pic 0.txt", "one\r\n\ntwo\n", 11);
    write_text("flat/pic 2.txt", "  \n", 3);
    CHECK(opens(scratch("flat"), NULL) && source_count(s) == 1 && source_excluded(s) == 2 && left_out(0, 1, "pic 1.txt"));
    CHECK_STR(at(0).key, "pic 0");
    CHECK(at(0).caption_count == 2 && at(0).label == -1);
    CHECK_STR(at(0).captions[1], "two");
}

static void json_is_albef_coco_or_karpathy(void)
{
    static const char albef[] = "[{\"image\": \"p/1.png\", \"caption\": [\"one\", \"\", \"uno\"]},"
                                "{\"image\": \"p/2.png\", \"caption\": \"two\", \"image_id\": \"x\"}, {\"caption\": \"nothing\"},"
                                "{\"image\": \"p/2.png\", \"caption\": \"due\"}, {\"image\": \"p/3.png\", \"caption\": []}]";
    static const char coco[] = "{\"images\": [{\"id\": 9, \"file_name\": \"1.png\"}, {\"id\": 4, \"file_name\": \"2.png\"}],"
                               "\"annotations\": [{\"image_id\": 4, \"caption\": \"a\"}, {\"image_id\": 9, \"caption\": \"b\"},"
                               "{\"image_id\": 4, \"caption\": \"c\"}]}";
    static const char karpathy[] = "{\"images\": [{\"filename\": \"1.png\", \"filepath\": \"p\", \"split\": \"test\","
                                   "\"sentences\": [{\"raw\": \"s\"}, {\"raw\": \"t\"}]}, {\"filename\": \"p/2.png\", \"split\": \"val\","
                                   "\"sentences\": [{\"raw\": \"u\"}]}]}";
    CHECK(dir_make(scratch("p")) == 0);
    for (int k = 1; k < 4; k++) {
        char name[16];
        snprintf(name, sizeof name, "p/%d.png", k);
        draw(name, k, 10, 0);
    }
    write_text("albef.json", albef, sizeof albef - 1);
    CHECK(opens(scratch("albef.json"), NULL) && source_count(s) == 2 && source_excluded(s) == 2);
    CHECK(at(0).caption_count == 2 && at(1).caption_count == 2 && holds(1, scratch("p/2.png")));
    CHECK_STR(at(0).captions[1], "uno");
    CHECK_STR(at(1).captions[1], "due");
    CHECK(left_out(0, 2, "no image") && left_out(1, 3, "p/3.png"));
    write_text("coco.json", coco, sizeof coco - 1);
    CHECK(opens(scratch("coco.json"), &(struct source_options){.images = scratch("p")}) && source_count(s) == 2);
    CHECK(at(1).caption_count == 2 && holds(1, scratch("p/2.png")));
    CHECK_STR(at(1).captions[0], "a");
    CHECK_STR(at(1).captions[1], "c");
    write_text("dataset.json", karpathy, sizeof karpathy - 1);
    CHECK(opens(scratch("dataset.json"), &(struct source_options){.split = "test"}) && source_count(s) == 1);
    CHECK(at(0).caption_count == 2 && holds(0, scratch("p/1.png")));
    write_text("bad.json", "[{\"image\": 1", 12);
    CHECK(!opens(scratch("bad.json"), NULL) && strstr(error_last(), "line 1"));
    write_text("bad.json", "{\"a\": []}", 9);
    CHECK(!opens(scratch("bad.json"), NULL) && strstr(error_last(), "\"images\""));
}

// The files as their makers publish them, cut down to a few entries.
static void published_caption_files(void)
{
    static const char albef[] = "[{\"image\": \"val2014/COCO_val2014_000000391895.jpg\", \"caption\": [\"A man with a red helmet on a small moped "
                                "on a dirt road. \", \"Man riding a motor bike on a dirt road on the countryside.\"]},\n"
                                "{\"image\": \"val2014/COCO_val2014_000000060623.jpg\", \"caption\": [\"A young girl inhales\"]}]";
    static const char train[] = "[{\"caption\": \"Two men.\", \"image\": \"val2014/COCO_val2014_000000391895.jpg\", \"image_id\": \"coco_7\"},"
                                "{\"caption\": \"A girl.\", \"image\": \"val2014/COCO_val2014_000000060623.jpg\", \"image_id\": \"coco_8\"},"
                                "{\"caption\": \"Two people.\", \"image\": \"val2014/COCO_val2014_000000391895.jpg\", \"image_id\": \"coco_7\"}]";
    static const char coco[] = "{\"info\": {\"year\": 2014}, \"images\": [{\"license\": 3, \"file_name\": \"COCO_val2014_000000391895.jpg\","
                               "\"coco_url\": \"http://x\", \"height\": 360, \"width\": 640, \"id\": 391895}, {\"file_name\": "
                               "\"COCO_val2014_000000060623.jpg\", \"id\": 60623}], \"licenses\": [], \"annotations\": [{\"image_id\": 60623, \"id\": 37,"
                               "\"caption\": \"a girl\"}, {\"image_id\": 391895, \"id\": 38, \"caption\": \"a man\"}]}";
    static const char texts[] = "{\"images\": [{\"file_name\": \"COCO_val2014_000000391895.jpg\", \"id\": \"a\"}, {\"file_name\": "
                                "\"COCO_val2014_000000060623.jpg\", \"id\": \"b\"}], \"annotations\": [{\"image_id\": \"b\", \"caption\": \"a girl\"},"
                                "{\"image_id\": \"a\", \"caption\": \"a man\"}, {\"caption\": \"of nothing\"}]}";
    static const char karpathy[] = "{\"images\": [{\"filepath\": \"val2014\", \"sentids\": [770337], \"filename\": \"COCO_val2014_000000391895.jpg\","
                                   "\"imgid\": 0, \"split\": \"restval\", \"sentences\": [{\"tokens\": [\"a\", \"man\"], \"raw\": \"A man.\", \"imgid\": 0,"
                                   "\"sentid\": 770337}], \"cocoid\": 391895}, {\"filepath\": \"val2014\", \"filename\": \"COCO_val2014_000000060623.jpg\","
                                   "\"imgid\": 1, \"split\": \"test\", \"sentences\": [{\"tokens\": [], \"raw\": \"A girl.\"}], \"cocoid\": 60623}],"
                                   "\"dataset\": \"coco\"}";
    static const char flickr[] = "{\"images\": [{\"sentids\": [0], \"imgid\": 0, \"sentences\": [{\"raw\": \"Two young guys\"}, {\"raw\": \"Men\"}],"
                                 "\"split\": \"train\", \"filename\": \"COCO_val2014_000000391895.jpg\"}], \"dataset\": \"flickr30k\"}";
    struct source_options root = {.images = scratch("coco")}, folder = {.images = scratch("coco/val2014")};
    CHECK(dir_make(scratch("coco/val2014")) == 0 && dir_make(scratch("notes")) == 0);
    draw("coco/val2014/COCO_val2014_000000391895.jpg", 5, 10, 1);
    draw("coco/val2014/COCO_val2014_000000060623.jpg", 6, 10, 1);
    write_text("notes/coco_karpathy_test.json", albef, sizeof albef - 1);
    CHECK(opens(scratch("notes/coco_karpathy_test.json"), &root) && source_count(s) == 2 && at(0).caption_count == 2);
    CHECK(holds(1, scratch("coco/val2014/COCO_val2014_000000060623.jpg")));
    write_text("notes/coco_karpathy_train.json", train, sizeof train - 1);
    CHECK(opens(scratch("notes/coco_karpathy_train.json"), &root) && source_count(s) == 2 && at(0).caption_count == 2);
    CHECK_STR(at(0).captions[1], "Two people.");
    write_text("notes/captions_val2014.json", coco, sizeof coco - 1);
    CHECK(opens(scratch("notes/captions_val2014.json"), &folder) && source_count(s) == 2);
    CHECK_STR(at(0).captions[0], "a man");
    write_text("notes/texts.json", texts, sizeof texts - 1);
    CHECK(opens(scratch("notes/texts.json"), &folder) && source_count(s) == 2 && at(0).caption_count == 1 && at(1).caption_count == 1);
    CHECK_STR(at(1).captions[0], "a girl");
    write_text("notes/dataset_coco.json", karpathy, sizeof karpathy - 1);
    CHECK(opens(scratch("notes/dataset_coco.json"), &root) && source_count(s) == 2);
    root.split = "restval";
    CHECK(opens(scratch("notes/dataset_coco.json"), &root) && source_count(s) == 1 && at(0).row == 0);
    root.split = "train";
    CHECK(!opens(scratch("notes/dataset_coco.json"), &root) && strstr(error_last(), "restval (1), test (1)"));
    write_text("notes/dataset_flickr30k.json", flickr, sizeof flickr - 1);
    CHECK(opens(scratch("notes/dataset_flickr30k.json"), &folder) && source_count(s) == 1 && at(0).caption_count == 2);
}

static void lists_of_others_are_read(void)
{
    // open_clip: .csv with tabs, quoted as pandas does
    static const char csv[] = "filepath\ttitle\np/1.png\t\"a \"\"quoted\"\" word, and\ta tab\"\np/2.png\tplain, with comma\n";
    write_text("train.csv", csv, sizeof csv - 1);
    CHECK(opens(scratch("train.csv"), NULL) && source_count(s) == 2 && holds(1, scratch("p/2.png")));
    CHECK_STR(at(0).captions[0], "a \"quoted\" word, and\ta tab");
    // with pandas' column of row numbers, other columns, another order
    static const char index[] = "\ttitle\tsize\tfilepath\n0\tone\t7\tp/1.png\n1\ttwo\t8\tp/2.png\n";
    write_text("index.csv", index, sizeof index - 1);
    CHECK(opens(scratch("index.csv"), NULL) && source_count(s) == 2 && holds(1, scratch("p/2.png")));
    CHECK_STR(at(1).captions[0], "two");
    // paths from the working directory
    char here[1024];
    CHECK(dir_make(scratch("elsewhere")) == 0 && getcwd(here, sizeof here) && chdir(scratch_dir) == 0);
    write_text("elsewhere/train.csv", csv, sizeof csv - 1);
    CHECK(opens("elsewhere/train.csv", NULL) && holds(1, "p/2.png") && chdir(here) == 0);
    // Conceptual Captions' list with the pictures in a directory, by row
    static const char gcc[] = "a dog\thttp://x/1.jpg\na cat\thttp://x/2.jpg?a=1\ngone\thttp://x/3.jpg\na cow\thttps://x/4\n";
    write_text("gcc.tsv", gcc, sizeof gcc - 1);
    CHECK(dir_make(scratch("got")) == 0);
    draw("got/00000000.jpg", 0, 12, 1);
    draw("got/1.png", 1, 12, 0);
    draw("got/00000003.jpg", 2, 12, 1);
    CHECK(opens(scratch("gcc.tsv"), &(struct source_options){.images = scratch("got")}) && source_count(s) == 3);
    CHECK(source_rows(s) == 4 && at(2).row == 3 && left_out(0, 2, "00000002.jpg") && holds(1, scratch("got/1.png")));
    CHECK(opens(scratch("gcc.tsv"), &(struct source_options){.images = scratch("got"), .first = 1, .last = 3}));
    CHECK(source_count(s) == 1 && at(0).row == 1 && source_rows(s) == 3 && source_excluded(s) == 1);
    CHECK(!opens(scratch("gcc.tsv"), NULL) && strstr(error_last(), "4 left out"));
}

static void what_a_picture_is_can_be_told(void)
{
    struct buf a = {0}, b = {0}, c = {0};
    CHECK(opens(scratch("albef.json"), NULL));
    source_identity(s, 0, &a);
    source_identity(s, 0, &b);
    source_identity(s, 1, &c);
    CHECK(a.len > 10 && a.at[a.len - 1] == '\n' && strcmp(a.at, b.at) == 0 && strcmp(a.at, c.at) != 0);
    draw("p/1.png", 9, 11, 0);
    buf_clear(&b);
    source_identity(s, 0, &b);
    CHECK(strcmp(a.at, b.at) != 0);
    buf_free(&a);
    buf_free(&b);
    buf_free(&c);
}

int main(void)
{
    scratch_begin();
    CASE(tars_are_webdatasets);
    CASE(clip_benchmark_sets);
    CASE(img2dataset_output);
    CASE(damaged_tars_give_what_is_whole);
    CASE(folders_are_classes);
    CASE(a_folder_of_pictures_has_texts_beside);
    CASE(json_is_albef_coco_or_karpathy);
    CASE(published_caption_files);
    CASE(lists_of_others_are_read);
    CASE(what_a_picture_is_can_be_told);
    source_close(s);
    scratch_end();
    return check_done();
}
