// SPDX-License-Identifier: Apache-2.0
// Out of memory at every place: each job runs again and again with the k-th allocation of the project's own code
// failing, until it runs through. It must come back with a sentence, not crash, and (under ASan) not leak.
#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/npy.h"
#include "base/threads.h"
#include "check.h"
#include "data/list.h"
#include "data/loader.h"
#include "data/source.h"
#include "image/image.h"
#include "memory.h"
#include "model/learn.h"
#include "model/safetensors.h"
#include "model/tokenizer.h"
#include "task/task.h"

// The linker sends the rooms' calls here (-Wl,--wrap=malloc ...); libraries keep their own.
static long fail_at = -1, calls;   // the k-th call from now fails, and all after it in `starve` mode
static bool starve;

static bool fails(void)
{
    long k = __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    return fail_at >= 0 && (k == fail_at || (starve && k > fail_at));
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
int __real_posix_memalign(void **p, size_t align, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
int __wrap_posix_memalign(void **p, size_t align, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

void *__wrap_malloc(size_t n) { return fails() ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t n, size_t size) { return fails() ? NULL : __real_calloc(n, size); }
void *__wrap_realloc(void *p, size_t n) { return fails() ? NULL : __real_realloc(p, n); }
void *__wrap_aligned_alloc(size_t align, size_t n) { return fails() ? NULL : __real_aligned_alloc(align, n); }
int __wrap_posix_memalign(void **p, size_t align, size_t n)
{
    return fails() ? ENOMEM : __real_posix_memalign(p, align, n);
}

char *__wrap_strdup(const char *s) { return fails() ? NULL : __real_strdup(s); }
char *__wrap_strndup(const char *s, size_t n) { return fails() ? NULL : __real_strndup(s, n); }

static char dir[] = "/tmp/diht-memory-XXXXXX", list[64], dataset[64], merges[64], model[64];
static char config[64], trained[64], tar[64], folders[64], albef[64];
static char picture[1024], npy[1024];

static int job_tokenizer(void)
{
    struct tokenizer *t;
    int32_t ids[77];
    int rc = tokenizer_open(&t, merges);
    if (rc)
        return rc;
    struct token_scratch *s = token_scratch_new();
    static const char text[] = "the \xE2\x80\x9Cred\xE2\x80\x9D bus &amp; e\xCC\x81"
                               "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll";
    rc = s ? tokenizer_encode(t, s, text, sizeof text - 1, ids, 77) : EMEMORY_;
    token_scratch_free(s);
    tokenizer_close(t);
    return rc < 0 ? rc : 0;
}

static int job_learner(void)
{
    struct learner *l = learner_new();
    struct buf out = {0};
    int rc = l ? 0 : EMEMORY_;
    for (int i = 0; i < 20 && !rc; i++)
        rc = learner_add(l, "the singing cat and the stinging bat", 36);
    rc = rc ? rc : learner_run(l, 30, &out, NULL, NULL);
    buf_free(&out);
    learner_free(l);
    return rc < 0 ? rc : 0;
}

static int job_list(void)
{
    struct list *l;
    struct list_row row;
    int rc = list_open(&l, list);
    if (rc)
        return rc;
    while ((rc = list_next(l, &row)) > 0)
        ;
    list_close(l);
    return rc;
}

static int read_source(const char *path)
{
    struct source *s;
    struct buf bytes = {0};
    int64_t *group = NULL, groups;
    int rc = source_open(&s, path, "train");
    if (rc)
        return rc;
    rc = source_groups(s, &group, &groups);
    rc = rc ? rc : source_image(s, 0, &bytes);
    free(group);
    buf_free(&bytes);
    source_close(s);
    return rc;
}

static int job_source_list(void) { return read_source(list); }
static int job_source_dataset(void) { return read_source(dataset); }

static int job_loader(void)
{
    struct source *s;
    struct loader *l;
    const struct batch *batch;
    int rc = source_open(&s, dataset, "train");
    if (rc)
        return rc;
    struct loader_options o = {.source = s, .transform = {.size = 16, .std = {1, 1, 1}}, .batch = 2, .threads = 1,
                               .ahead = 1};
    rc = loader_open(&l, &o);
    if (!rc) {
        while ((rc = loader_next(l, &batch)) > 0)
            ;
        if (!rc && loader_stats(l).bad > 0)   // a picture that found no memory is marked, not fatal
            rc = EMEMORY_;
        loader_close(l);
    }
    source_close(s);
    return rc;
}

static int job_npy(void)
{
    struct npy a;
    int rc = npy_open(&a, npy);
    if (rc)
        return rc;
    float *x = npy_all_f32(&a);
    npy_close(&a);
    free(x);
    return x ? 0 : FAIL(EMEMORY_, "out of memory");
}

static int job_safetensors(void)
{
    struct st_file f;
    int rc = st_open(&f, model);
    if (!rc)
        st_close(&f);
    return rc;
}

static int job_model(void) { return model_read(model); }

static int job_picture(void)
{
    struct buf bytes = {0};
    struct image im;
    int rc = file_read(picture, &bytes);
    rc = rc ? rc : image_decode(&im, bytes.at, bytes.len, 0);
    if (!rc)
        image_free(&im);
    buf_free(&bytes);
    return rc;
}

static int job_vocab(void)
{
    char *result = NULL, out[80];
    snprintf(out, sizeof out, "%s/m.txt", dir);
    diht_vocab_options o = {.data = list, .out = out, .merges = 10, .json = true};
    int rc = task_vocab(&o, &result);
    free(result);
    return rc;
}

static int job_import(void)
{
    char *result = NULL, out[80], line[200];
    snprintf(out, sizeof out, "%s/new", dir);
    snprintf(line, sizeof line, "rm -rf %s", out);
    if (system(line) != 0)
        return EIO_;
    diht_import_options o = {.list = list, .out = out, .shard_samples = 2, .threads = 1};
    int rc = task_import(&o, &result);
    free(result);
    return rc;
}

static int job_info(void)
{
    const char *const paths[] = {dataset, model, npy, list};
    for (int i = 0; i < 4; i++) {
        char *result = NULL;
        diht_info_options o = {.path = paths[i], .json = true};
        int rc = task_info(&o, &result);
        free(result);
        if (rc)
            return rc;
    }
    return 0;
}

static int job_train(void)
{
    char *result = NULL, out[80], line[200];
    snprintf(out, sizeof out, "%s/run", dir);
    snprintf(line, sizeof line, "rm -rf %s", out);
    if (system(line) != 0)
        return EIO_;
    diht_train_options o;
    diht_train_defaults(&o);
    o.data = dataset;
    o.model = config;
    o.vocab = merges;
    o.out = out;
    o.steps = 2;
    o.batch = 2;
    o.threads = o.loaders = 1;
    o.json = true;
    int rc = task_train(&o, &result);
    free(result);
    return rc;
}

static int job_embed(void)
{
    char *result = NULL, out[80];
    snprintf(out, sizeof out, "%s/features", dir);
    diht_embed_options o;
    diht_embed_defaults(&o);
    o.model = trained;
    o.data = dataset;
    o.out = out;
    o.threads = o.loaders = 1;
    int rc = task_embed(&o, &result);
    free(result);
    return rc;
}

static int job_eval(void)
{
    char *result = NULL, page[80];
    snprintf(page, sizeof page, "%s/page.html", dir);
    diht_eval_options o;
    diht_eval_defaults(&o);
    const char *models[] = {trained, NULL};
    o.models = models;
    o.keep = "none";
    o.data = dataset;
    o.html = page;
    o.resamples = 10;
    o.threads = o.loaders = 1;
    o.json = true;
    int rc = task_eval(&o, &result);
    free(result);
    return rc;
}

// Features kept beside, ranges, two models, hubness: then gone on with from half of it.
static int job_eval_more(void)
{
    char *result = NULL, keep[80], line[200];
    snprintf(keep, sizeof keep, "%s/kept", dir);
    snprintf(line, sizeof line, "for f in %s/kept/*; do test -f $f && truncate -s 400 $f; done; true", dir);
    diht_eval_options o;
    diht_eval_defaults(&o);
    const char *models[] = {trained, trained, NULL};
    o.models = models;
    o.data = albef;
    o.keep = keep;
    o.rows = "0:2";
    o.ranges = 1;
    o.prompt = "a {}|{}";
    o.hubness = "csls";
    o.resamples = 10;
    o.threads = o.loaders = 1;
    o.json = true;
    int rc = system(line) == 0 ? task_eval(&o, &result) : EIO_;
    free(result);
    return rc;
}

static int job_classify(void)
{
    char *result = NULL;
    diht_classify_options o;
    diht_classify_defaults(&o);
    o.model = trained;
    o.data = folders;
    o.keep = "none";
    o.resamples = 10;
    o.threads = o.loaders = 1;
    o.json = true;
    int rc = task_classify(&o, &result);
    free(result);
    return rc;
}

static int job_filter(void)
{
    char *result = NULL, line[300], found[100], html[100], kept[100];
    snprintf(found, sizeof found, "%s/spotted.jsonl", dir);
    snprintf(html, sizeof html, "%s/filter.html", dir);
    snprintf(kept, sizeof kept, "%s/filtered.jsonl", dir);
    snprintf(line, sizeof line, "cd %s && rm -f list.tsv.filter.jsonl* && echo '{\"file\": \"00000000.png\", \"lines\": "
             "[{\"text\": \"red bus\", \"confidence\": 0.9}]}' >spotted.jsonl", dir);
    diht_filter_options o;
    diht_filter_defaults(&o);
    o.data = list;
    o.spotted = found;
    o.where = "not (tags = 'train')";
    o.no_action = true;
    o.html = html;
    o.out = kept;
    o.threads = 1;
    o.json = true;
    int rc = system(line) == 0 ? task_filter(&o, &result) : EIO_;
    free(result);
    return rc;
}

// `may_pass`: a failed allocation need not fail the job (a sample is marked; a directory is not synchronised).
static void sweep(const char *name, int (*job)(void), bool may_pass)
{
    long tried = 0;
    CHECK(job() == 0);
    for (int all = 0; all < 2; all++) {
        starve = all;
        for (long k = 0;; k += 1 + k / 64) {   // every one at first, then thinner
            calls = 0;
            error_set(0, "", 0, "%s", "");
            fail_at = k;
            int rc = job();
            fail_at = -1;
            if (calls <= k) {
                if (rc)
                    printf("# %s: %s\n", name, error_last());
                CHECK(rc == 0);
                break;
            }
            tried++;
            if (rc >= 0 && !may_pass) {
                printf("# %s: allocation %ld failed and nobody said so\n", name, k);
                CHECK(rc < 0);
            }
            CHECK(rc >= 0 || error_last()[0]);
        }
    }
    starve = false;
    CHECK(tried > 0 && job() == 0);
    printf("# %s: %ld failures\n", name, tried);
}

static void tokenizer_survives(void) { sweep("tokenizer", job_tokenizer, false); }
static void learner_survives(void) { sweep("learner", job_learner, false); }
static void list_survives(void) { sweep("list", job_list, false); }
static int job_source_tar(void) { return read_source(tar); }
static int job_source_folders(void) { return read_source(folders); }
static int job_source_json(void) { return read_source(albef); }

static void sources_survive(void)
{
    sweep("source of a tar", job_source_tar, false);
    sweep("source of class folders", job_source_folders, false);
    sweep("source of JSON", job_source_json, false);
    sweep("source of a list", job_source_list, false);
    sweep("source of a dataset", job_source_dataset, false);
}
static void loader_survives(void) { sweep("loader", job_loader, true); }
static void npy_survives(void) { sweep("npy", job_npy, false); }
static void safetensors_survive(void) { sweep("safetensors", job_safetensors, false); }
static void model_survives(void) { sweep("model", job_model, false); }
static void picture_survives(void) { sweep("picture", job_picture, false); }
static void vocab_survives(void) { sweep("vocab", job_vocab, true); }
static void import_survives(void) { sweep("import", job_import, true); }
static void training_survives(void) { sweep("train", job_train, true); }
static void embedding_survives(void)
{
    char line[200];
    snprintf(line, sizeof line, "cp %s/run/model.safetensors %s", dir, trained);
    CHECK(job_train() == 0 && system(line) == 0);
    sweep("embed", job_embed, true);
}
static void evaluation_survives(void)
{
    sweep("eval", job_eval, true);
    sweep("eval, kept and compared", job_eval_more, true);
}
static void classification_survives(void) { sweep("classify", job_classify, true); }
static void filter_survives(void) { sweep("filter", job_filter, true); }
static void info_survives(void) { sweep("info", job_info, false); }

static bool prepare(void)
{
    const char *golden = getenv("DIHT_GOLDEN");
    if (!golden || !mkdtemp(dir))
        return false;
    snprintf(list, sizeof list, "%s/list.tsv", dir);
    snprintf(dataset, sizeof dataset, "%s/data", dir);
    snprintf(merges, sizeof merges, "%s/merges.txt", dir);
    snprintf(picture, sizeof picture, "%s/preprocess/images/png_palette_trns_128x96.png", golden);
    snprintf(npy, sizeof npy, "%s/model/A/image_features.npy", golden);
    snprintf(config, sizeof config, "%s/tiny.json", dir);
    snprintf(trained, sizeof trained, "%s/trained.safetensors", dir);
    snprintf(model, sizeof model, "%s/model.safetensors", dir);
    static const char text[] = "#version: 0.2\nt h\nth e</w>\nr e\nre d</w>\nl l\n";
    static const char tiny[] = "{\"embed_dim\":4,"
                               "\"vision\":{\"image_size\":16,\"patch_size\":8,\"width\":8,\"layers\":1,\"head_width\":4},"
                               "\"text\":{\"context_length\":8,\"vocab_size\":519,\"width\":8,\"layers\":1,\"heads\":2}}";
    struct buf b = {0};
    buf_fmt(&b, "caption\tpath\ttags\tsplit\n");
    for (int i = 0; i < 4; i++)
        buf_fmt(&b, "a red bus %d\t%s\tbus\ttrain\n", i, picture);
    bool ok = file_write(merges, text, sizeof text - 1) == 0 && file_write(list, b.at, b.len) == 0;
    buf_free(&b);
    ok = ok && model_write(model) == 0 && file_write(config, tiny, sizeof tiny - 1) == 0;
    char line[4096];
    snprintf(tar, sizeof tar, "%s/wds", dir);
    snprintf(folders, sizeof folders, "%s/folders", dir);
    snprintf(albef, sizeof albef, "%s/albef.json", dir);
    snprintf(line, sizeof line, "cd %s && mkdir -p wds/train folders/train/a folders/train/b && cp '%s' 0.png && cp 0.png folders/train/a &&"
             "cp 0.png folders/train/b && echo one >0.txt && echo '{\"tags\":\"x\"}' >0.json && tar cf wds/train/0.tar 0.png 0.txt 0.json &&"
             "echo '[{\"image\":\"0.png\",\"caption\":[\"a\",\"b\"],\"split\":\"train\"}]' >albef.json", dir, picture);
    ok = ok && system(line) == 0;
    char *result = NULL;
    diht_import_options o = {.list = list, .out = dataset, .shard_samples = 2, .threads = 1};
    ok = ok && task_import(&o, &result) == 0;
    free(result);
    return ok;
}

int main(void)
{
    if (!prepare()) {
        printf("Bail out! %s\n", error_last());
        return 1;
    }
    CASE(tokenizer_survives);
    CASE(learner_survives);
    CASE(list_survives);
    CASE(sources_survive);
    CASE(loader_survives);
    CASE(npy_survives);
    CASE(safetensors_survive);
    CASE(model_survives);
    CASE(picture_survives);
    CASE(vocab_survives);
    CASE(import_survives);
    CASE(info_survives);
    CASE(training_survives);
    CASE(embedding_survives);
    CASE(evaluation_survives);
    CASE(classification_survives);
    CASE(filter_survives);
    char line[128];
    snprintf(line, sizeof line, "rm -rf %s", dir);
    if (system(line) != 0)
        printf("# %s is left behind\n", dir);
    return check_done();
}
