// SPDX-License-Identifier: Apache-2.0
// Replays a target's corpus and then mutations of it, the same ones in every run: DIHT_FUZZ=N for more than the usual.
//   PROGRAM [DIRECTORY [MUTATION]]     another corpus; one mutation alone, to look at it in a debugger
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "check.h"
#include "fuzz.h"

enum { FILES = 256, MUTATIONS = 200000, SECONDS = 2, LONGEST = 1 << 16 };

static struct buf file[FILES];
static char file_name[FILES][128];
static int files;
static volatile long long now_at = -1;   // mutation being tried, or ~file
static char corpus[1024];
static long long only = -1;

static void died(int sig)
{
    char line[256];
    int n = snprintf(line, sizeof line, "# signal %d at %s %lld\n", sig, now_at < 0 ? "corpus file" : "mutation",
                     now_at < 0 ? ~now_at : now_at);
    if (write(STDOUT_FILENO, line, (size_t)n) != n)
        _exit(3);
    signal(sig, SIG_DFL);
    raise(sig);
}

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

static void load(void)
{
    DIR *d = opendir(corpus);
    for (struct dirent *e; d && (e = readdir(d)) && files < FILES;)
        if (e->d_name[0] != '.')
            snprintf(file_name[files++], sizeof *file_name, "%.127s", e->d_name);
    if (d)
        closedir(d);
    qsort(file_name, (size_t)files, sizeof *file_name, by_name);
    for (int i = 0; i < files; i++) {
        char *path = path_join(corpus, file_name[i]);
        CHECK(path && file_read(path, &file[i]) == 0);
        free(path);
    }
}

static void corpus_is_replayed(void)
{
    load();
    CHECK(files > 0);
    for (int i = 0; i < files; i++) {
        now_at = ~i;
        LLVMFuzzerTestOneInput((const uint8_t *)file[i].at, file[i].len);
    }
}

static void splice(struct buf *b, size_t at, size_t drop, const void *in, size_t n)
{
    struct buf out = {0};
    buf_add(&out, b->at, at);
    buf_add(&out, in, n);
    buf_add(&out, b->at + at + drop, b->len - at - drop);
    buf_free(b);
    *b = out;
}

static void mutate(struct buf *b, struct rng *r)
{
    static const uint64_t values[] = {0, 1, 127, 128, 255, 256, 32767, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
                                      0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFF8};
    static const char *const words[] = {"0", "-1", "99999999999999999999", "1e308", "null", "\"", "\n", "\t", ",", "{", "[",
                                        "]", "}", "&#", "\xF0\x9F\x98\x80", "\xFF", "\\u0000", "\xCC\x81"};
    size_t at = rng_below(r, b->len + 1), left = b->len - at;
    size_t n = left ? rng_below(r, left < 64 ? left : 64) + 1 : 0;
    switch (rng_below(r, 8)) {
    case 0:
        if (left)
            b->at[at] ^= (char)(1 << rng_below(r, 8));
        break;
    case 1:
        if (left)
            b->at[at] = (char)rng_next(r);
        break;
    case 2:
        splice(b, at, n, "", 0);
        break;
    case 3: {   // a piece again, elsewhere
        char piece[64];
        memcpy(piece, b->at + at, n);
        splice(b, rng_below(r, b->len + 1), 0, piece, n);
        break;
    }
    case 4: {
        uint64_t value = values[rng_below(r, sizeof values / sizeof *values)];
        size_t wide = (size_t)1 << rng_below(r, 4);
        if (left >= wide)
            memcpy(b->at + at, &value, wide);
        break;
    }
    case 5: {
        const char *word = words[rng_below(r, sizeof words / sizeof *words)];
        splice(b, at, rng_below(r, 2) ? 0 : n < 4 ? n : 4, word, strlen(word));
        break;
    }
    case 6:     // cut off
        splice(b, at, left, "", 0);
        break;
    default: {  // another file's piece
        const struct buf *other = &file[rng_below(r, (uint64_t)files)];
        size_t from = rng_below(r, other->len + 1), most = other->len - from;
        splice(b, at, n, other->at + from, most < 256 ? most : 256);
    }
    }
}

static void mutations_come_back(void)
{
    const char *more = getenv("DIHT_FUZZ");
    long long count = more ? atoll(more) : MUTATIONS;
    double start = clock_now();
    long long i = only >= 0 ? only : 0;
    CHECK(files > 0);
    for (; files && i < count && (more || clock_now() - start < SECONDS); i++) {
        struct rng r = rng_make(1, (uint64_t)i);
        const struct buf *seed = &file[rng_below(&r, (uint64_t)files)];
        struct buf b = {0};
        buf_add(&b, seed->at, seed->len);
        for (int n = 1 + (int)rng_below(&r, 4); n > 0 && b.len < LONGEST; n--)
            mutate(&b, &r);
        now_at = i;
        LLVMFuzzerTestOneInput((const uint8_t *)b.at, b.len);
        buf_free(&b);
        if (only >= 0)
            break;
    }
    printf("# %lld mutations of %d files, %.1f s\n", i, files, clock_now() - start);
    for (int k = 0; k < files; k++)
        buf_free(&file[k]);
}

int main(int argc, char **argv)
{
    const char *golden = getenv("DIHT_GOLDEN"), *name = strstr(path_name(argv[0]), "fuzz_");
    if (argc > 1)
        snprintf(corpus, sizeof corpus, "%s", argv[1]);
    else
        snprintf(corpus, sizeof corpus, "%s/../fuzz/corpus/%s", golden ? golden : "tests/golden", name ? name + 5 : "");
    if (argc > 2)
        only = atoll(argv[2]);
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], died);
    CASE(corpus_is_replayed);
    CASE(mutations_come_back);
    return check_done();
}
