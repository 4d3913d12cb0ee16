// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "check.h"
#include "data/loader.h"
#include "scratch.h"

enum { N = 60, SIDE = 16 };

// 60 pictures of 20 captions (three each), 2 of them damaged, 1 missing.
static void make_list(void)
{
    struct buf b = {0};
    CHECK(dir_make(scratch("p")) == 0);
    buf_str(&b, "caption\tpath\tsplit\n");
    for (int k = 0; k < N; k++) {
        char name[32];
        snprintf(name, sizeof name, "p/%d.png", k);
        if (k != 30)
            draw(name, k, 24 + k % 5, k % 2);
        buf_fmt(&b, "caption %d\t%s\ttrain\n", k % 20, name);
    }
    write_text("p/7.png", "no picture", 10);
    CHECK(shell("cd '%s' && truncate -s 100 p/13.png", scratch_dir) == 0);
    write_text("list.tsv", b.at, b.len);
    buf_free(&b);
}

static struct loader_options options(const struct source *s, enum loader_mode mode, int batch, int threads)
{
    return (struct loader_options){.source = s,
                                   .transform = {SIDE, FILTER_BILINEAR, {.5f, .5f, .5f}, {.5f, .5f, .5f}},
                                   .mode = mode,
                                   .batch = batch,
                                   .threads = threads,
                                   .seed = 42};
}

static void sequence_is_the_list(void)
{
    struct source *s = NULL;
    struct loader *l = NULL;
    const struct batch *b;
    CHECK(source_open(&s, scratch("list.tsv"), NULL) == 0);
    struct loader_options o = options(s, LOADER_SEQUENTIAL, 8, 3);
    CHECK(loader_open(&l, &o) == 0 && loader_steps(l) == 8);
    int64_t want = 0;
    int rc, steps = 0;
    float *expected = malloc(3 * SIDE * SIDE * sizeof *expected);
    struct buf bytes = {0};
    while ((rc = loader_next(l, &b)) == 1) {
        CHECK(b->step == steps++ && b->epoch == 0);
        for (int i = 0; i < b->n; i++, want++) {
            want += want == 7 || want == 13 || want == 30;
            CHECK(b->index[i] == want);
            struct image im;
            CHECK(source_image(s, want, &bytes) == 0 && image_decode(&im, bytes.at, bytes.len, 0) == 0);
            CHECK(transform_apply(&o.transform, &im, expected) == 0);
            CHECK(memcmp(expected, b->images + i * 3 * SIDE * SIDE, 3 * SIDE * SIDE * sizeof *expected) == 0);
            image_free(&im);
        }
    }
    CHECK(rc == 0 && want == N && steps == 8 && loader_next(l, &b) == 0);
    CHECK(loader_stats(l).bad == 3 && loader_stats(l).samples == N - 3);
    CHECK(loader_seek(l, 7) == 0 && loader_next(l, &b) == 1 && b->index[0] == 56 && b->n == 4 &&
          loader_next(l, &b) == 0);
    loader_close(l);
    source_close(s);
    buf_free(&bytes);
    free(expected);
}

// Everything a batch holds, as one hash.
static void fingerprint(const struct batch *b, char out[SHA256_HEX])
{
    struct sha256 *h = sha256_new();
    sha256_add(h, &b->n, sizeof b->n);
    sha256_add(h, &b->step, sizeof b->step);
    sha256_add(h, b->index, (size_t)b->n * sizeof *b->index);
    sha256_add(h, b->rng, (size_t)b->n * sizeof *b->rng);
    sha256_add(h, b->images, (size_t)b->n * 3 * SIDE * SIDE * sizeof(float));
    sha256_end(h, out);
}

// Any number of threads, any read-ahead, any cache, from any step: the same batches.
static void threads_and_resuming_change_nothing(void)
{
    struct source *s = NULL;
    struct augment a;
    enum { STEPS = 25 };
    static char want[STEPS][SHA256_HEX];
    char got[SHA256_HEX];
    CHECK(source_open(&s, scratch("list.tsv"), NULL) == 0 && augment_parse(&a, "drawing") == 0);
    for (int mode = LOADER_SHUFFLED; mode <= LOADER_DISTINCT; mode++)
        for (int variant = 0; variant < 6; variant++) {
            struct loader *l = NULL;
            const struct batch *b;
            struct loader_options o = options(s, mode, 7, 1 + variant % 4);
            o.augment = &a;
            o.ahead = variant % 3 + 1;
            o.cache_bytes = variant == 2 ? 1 << 20 : variant == 3 ? 9000 : 0;
            CHECK(loader_open(&l, &o) == 0);
            int first = variant == 4 ? 9 : 0;
            if (variant >= 4) {
                CHECK(loader_next(l, &b) == 1);   // something lent, something under way
                CHECK(loader_seek(l, first) == 0);
            }
            for (int step = first; step < STEPS; step++) {
                CHECK(loader_next(l, &b) == 1 && b->step == step && b->epoch == step / loader_steps(l));
                fingerprint(b, got);
                if (variant == 0)
                    memcpy(want[step], got, sizeof got);
                else
                    CHECK_STR(got, want[step]);
            }
            CHECK(loader_stats(l).cached_bytes <= o.cache_bytes &&
                  (loader_stats(l).cached_bytes > 0) == (o.cache_bytes > 0));
            CHECK(loader_stats(l).bad <= 3);
            loader_close(l);
        }
    struct loader *l = NULL;
    const struct batch *b;
    struct loader_options o = options(s, LOADER_DISTINCT, 7, 2);
    o.augment = &a;
    o.seed = 43;
    CHECK(loader_open(&l, &o) == 0 && loader_next(l, &b) == 1);
    fingerprint(b, got);
    CHECK(strcmp(got, want[0]) != 0);
    loader_close(l);
    source_close(s);
}

static void epochs_visit_everything_once(void)
{
    struct source *s = NULL;
    struct loader *l = NULL;
    const struct batch *b;
    CHECK(source_open(&s, scratch("list.tsv"), NULL) == 0);
    struct loader_options o = options(s, LOADER_SHUFFLED, 10, 2);
    CHECK(loader_open(&l, &o) == 0 && loader_steps(l) == 6);
    int64_t first[2] = {-1, -1};
    for (int epoch = 0; epoch < 2; epoch++) {
        int seen[N] = {0}, total = 0;
        for (int k = 0; k < 6; k++) {
            CHECK(loader_next(l, &b) == 1);
            first[epoch] = first[epoch] < 0 ? b->index[0] * 100 + b->index[1] : first[epoch];
            for (int i = 0; i < b->n; i++)
                CHECK(seen[b->index[i]]++ == 0);
            total += b->n;
        }
        CHECK(total == N - 3);
    }
    CHECK(first[0] != first[1]);   // another order
    loader_close(l);
    source_close(s);
}

static void distinct_batches_hold_no_caption_twice(void)
{
    struct source *s = NULL;
    struct loader *l = NULL;
    const struct batch *b;
    CHECK(source_open(&s, scratch("list.tsv"), NULL) == 0);
    struct loader_options o = options(s, LOADER_DISTINCT, 18, 2);
    CHECK(loader_open(&l, &o) == 0 && loader_steps(l) == 1);
    int seen[N] = {0};
    for (int k = 0; k < 40; k++) {
        int captions[20] = {0};
        CHECK(loader_next(l, &b) == 1 && b->n >= 15);
        for (int i = 0; i < b->n; i++) {
            seen[b->index[i]]++;
            CHECK(captions[b->index[i] % 20]++ == 0);
        }
    }
    int met = 0, most = 0;
    for (int i = 0; i < N; i++) {
        met += seen[i] > 0;
        most = seen[i] > most ? seen[i] : most;
    }
    CHECK(met == N - 3 && most < 30);   // 12 each expected: every member of a group has its turns
    loader_close(l);
    o.batch = 21;
    CHECK(loader_open(&l, &o) == EUSAGE_ && !l && strstr(error_last(), "20"));
    o.mode = LOADER_SHUFFLED;
    o.batch = 61;
    CHECK(loader_open(&l, &o) == EUSAGE_ && strstr(error_last(), "60"));
    source_close(s);
}

static void closing_early_is_clean(void)
{
    struct source *s = NULL;
    CHECK(source_open(&s, scratch("list.tsv"), NULL) == 0);
    for (int k = 0; k < 30; k++) {
        struct loader *l = NULL;
        const struct batch *b;
        struct loader_options o = options(s, k % 3, 5, 1 + k % 4);
        o.cache_bytes = 1 << 16;
        CHECK(loader_open(&l, &o) == 0);
        for (int i = 0; i < k % 4; i++)
            CHECK(loader_next(l, &b) == 1);
        if (k % 5 == 0)
            CHECK(loader_seek(l, 3) == 0);
        loader_close(l);
    }
    loader_close(NULL);
    source_close(s);
}

static int warned;
static void count_warnings(void *user, int level, const char *line) { warned += level == LOG_WARN; }

static void bad_samples_are_logged_once(void)
{
    struct source *s = NULL;
    struct loader *l = NULL;
    const struct batch *b;
    CHECK(source_open(&s, scratch("list.tsv"), NULL) == 0);
    struct loader_options o = options(s, LOADER_SHUFFLED, 20, 2);
    warned = 0;
    log_set(count_warnings, NULL);
    CHECK(loader_open(&l, &o) == 0);
    for (int k = 0; k < 12; k++)
        CHECK(loader_next(l, &b) == 1);
    loader_close(l);
    log_set(NULL, NULL);
    CHECK(warned == 3);
    source_close(s);
}

int main(void)
{
    scratch_begin();
    make_list();
    CASE(sequence_is_the_list);
    CASE(threads_and_resuming_change_nothing);
    CASE(epochs_visit_everything_once);
    CASE(distinct_batches_hold_no_caption_twice);
    CASE(closing_early_is_clean);
    CASE(bad_samples_are_logged_once);
    scratch_end();
    return check_done();
}
