// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/npy.h"
#include "base/rng.h"
#include "base/threads.h"
#include "check.h"

static void errors_keep_one_sentence(void)
{
    CHECK(FAIL(EFORMAT_, "a %d", 1) == EFORMAT_);
    CHECK_STR(error_last(), "a 1");
    error_prefix(EIO_, "file %s: ", "f");
    CHECK_STR(error_last(), "file f: a 1");
    FAIL(EIO_, "again: %s", error_last());   // the old sentence as an argument
    CHECK_STR(error_last(), "again: file f: a 1");
}

static void arena_plans_then_carves(void)
{
    struct arena a = {0};
    CHECK(arena_take(&a, 100) == NULL && arena_take(&a, 1) == NULL);
    CHECK(arena_commit(&a) == 0);
    char *p = arena_take(&a, 100), *q = arena_take(&a, 1);
    CHECK(p && q && (uintptr_t)p % 64 == 0 && (uintptr_t)q % 64 == 0 && q >= p + 100);
    memset(p, 1, 100);
    arena_free(&a);
}

static void map_holds_many_keys(void)
{
    struct map *m = map_new();
    char key[32];
    for (int i = 0; i < 20000; i++)
        CHECK(map_put(m, key, (size_t)snprintf(key, sizeof key, "k%d", i), i) == 0);
    CHECK(map_count(m) == 20000);
    for (int i = 0; i < 20000; i++)
        CHECK(map_get(m, key, (size_t)snprintf(key, sizeof key, "k%d", i), -1) == i);
    CHECK(map_get(m, "absent", 6, -7) == -7);
    CHECK(map_put(m, "a\0b", 3, 1) == 0 && map_get(m, "a", 1, -1) == -1 && map_get(m, "a\0b", 3, -1) == 1);
    CHECK(map_put(m, "", 0, 5) == 0 && map_get(m, "", 0, -1) == 5);
    map_free(m);
}

static void count_piece(void *arg, int64_t piece, int worker)
{
    atomic_fetch_add((atomic_llong *)arg, piece + 1);
    CHECK(worker >= 0 && worker < 3);
}

static void nested(void *arg, int64_t piece, int worker)
{
    pool_run(((void **)arg)[0], 10, count_piece, ((void **)arg)[1]);
}

static void pool_runs_every_piece_once(void)
{
    struct pool *p = pool_new(3, NULL);
    for (int round = 0; round < 2000; round++) {
        atomic_llong sum = 0;
        pool_run(p, 100, count_piece, &sum);
        CHECK(sum == 5050);
    }
    atomic_llong sum = 0;
    void *both[] = {p, &sum};
    pool_run(p, 7, nested, both);
    CHECK(sum == 7 * 55);
    pool_run(NULL, 4, count_piece, &sum);
    CHECK(sum == 7 * 55 + 10);
    pool_free(p);
}

static void two_workers_only(void *arg, int64_t piece, int worker)
{
    atomic_fetch_add((atomic_llong *)arg, worker == 0 || worker == 1);
}

static void from_another_pool(void *arg, int64_t piece, int worker)
{
    pool_run(((void **)arg)[0], 10, two_workers_only, ((void **)arg)[1]);
}

static void pools_number_their_own_workers(void)
{
    struct pool *outer = pool_new(4, NULL), *inner = pool_new(2, NULL);
    atomic_llong good = 0;
    void *both[] = {inner, &good}, *none[] = {NULL, &good};
    for (int round = 0; round < 50; round++) {
        good = 0;
        pool_run(outer, 16, from_another_pool, both);   // several callers at once: they take turns
        CHECK(good == 160);
        good = 0;
        pool_run(outer, 16, from_another_pool, none);
        CHECK(good == 160);
    }
    pool_free(outer);
    pool_free(inner);
}

static void permutation_is_one(void)
{
    static const uint64_t sizes[] = {1, 2, 3, 10, 1000, 4097};
    for (size_t s = 0; s < 6; s++) {
        uint64_t n = sizes[s], moved = 0;
        char *seen = calloc(n, 1);
        for (uint64_t i = 0; i < n; i++) {
            uint64_t j = permute(42, n, i);
            CHECK(j < n && !seen[j]);
            seen[j] = 1;
            moved += j != i;
        }
        CHECK(n < 10 || moved > n / 2);
        CHECK(n < 1000 || permute(42, n, 0) != permute(43, n, 0) || permute(42, n, 1) != permute(43, n, 1));
        free(seen);
    }
}

static void random_numbers_have_their_moments(void)
{
    struct rng r = rng_make(1, 2), again = rng_make(1, 2), other = rng_make(1, 3);
    CHECK(rng_next(&r) == rng_next(&again) && rng_next(&r) != rng_next(&other));
    double sum = 0, squares = 0;
    for (int i = 0; i < 100000; i++) {
        double x = rng_normal(&r);
        sum += x;
        squares += x * x;
    }
    CHECK_CLOSE(sum / 1e5, 0, 0.02);
    CHECK_CLOSE(squares / 1e5, 1, 0.03);
    for (int i = 0; i < 1000; i++)
        CHECK(rng_below(&r, 7) < 7);
}

static void halves_round_trip(void)
{
    for (int h = 0; h < 65536; h++) {
        float f = half_to_float((uint16_t)h);
        CHECK(isnan(f) || float_to_half(f) == h);
    }
    CHECK(float_to_half(1e9f) == 0x7c00 && float_to_half(1 + 0x1p-11f) == 0x3c00 && float_to_half(1 + 3 * 0x1p-11f) == 0x3c02);
}

static void npy_files_come_back(void)
{
    char dir[] = "/tmp/diht-npy-XXXXXX", path[64];
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/a.npy", dir);
    float x[6] = {1, 2, 3, 4, 5, 6.5f};
    CHECK(npy_write(path, NPY_F32, 2, (int64_t[]){2, 3}, x) == 0);
    struct npy a;
    CHECK(npy_open(&a, path) == 0);
    CHECK(a.ndim == 2 && a.shape[0] == 2 && a.shape[1] == 3 && a.type == NPY_F32);
    double d[6];
    npy_read_f64(&a, 0, 6, d);
    CHECK(d[5] == 6.5);
    npy_close(&a);
    CHECK(truncate(path, 140) == 0);
    CHECK(npy_open(&a, path) == EFORMAT_ && strstr(error_last(), "truncated") && strstr(error_last(), "a.npy"));
    CHECK(file_write(path, "hello", 5) == 0);
    CHECK(npy_open(&a, path) == EFORMAT_);
    unlink(path);
    CHECK(npy_open(&a, path) == EMISSING_);
    rmdir(dir);
}

static void atomic_files_appear_whole(void)
{
    char dir[] = "/tmp/diht-file-XXXXXX", path[64];
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/f", dir);
    CHECK(file_write(path, "old", 3) == 0);
    struct atomic_file f;
    CHECK(atomic_open(&f, path) == 0);
    fputs("half", f.f);
    atomic_abort(&f);
    struct buf b = {0};
    CHECK(file_read(path, &b) == 0);
    CHECK_STR(b.at, "old");
    buf_free(&b);
    CHECK(file_write("/nonexistent-dir/x", "a", 1) == EMISSING_ && strstr(error_last(), "/nonexistent-dir/x"));
    unlink(path);
    CHECK(rmdir(dir) == 0);   // no temporary file left
}

static void only_plain_files_are_replaced(void)
{
    char dir[] = "/tmp/diht-file-XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    CHECK(file_write(dir, "x", 1) == EUSAGE_ && strstr(error_last(), "a directory"));
    CHECK(file_write("/dev/null", "x", 1) == EUSAGE_ && strstr(error_last(), "/dev/null"));
    CHECK(dir_make("") == EUSAGE_);
    rmdir(dir);
}

static void a_failed_write_leaves_the_old_file(void)
{
    char dir[] = "/tmp/diht-file-XXXXXX", path[64];
    static char big[1 << 20];
    struct rlimit old, tight;
    struct buf b = {0};
    CHECK(mkdtemp(dir) != NULL && getrlimit(RLIMIT_FSIZE, &old) == 0);
    snprintf(path, sizeof path, "%s/f", dir);
    CHECK(file_write(path, "old", 3) == 0);
    fflush(stdout);
    signal(SIGXFSZ, SIG_IGN);   // a file may not grow past 4 KB: the nearest thing to a full disk
    tight = (struct rlimit){4096, old.rlim_max};
    CHECK(setrlimit(RLIMIT_FSIZE, &tight) == 0);
    int rc = file_write(path, big, sizeof big);
    setrlimit(RLIMIT_FSIZE, &old);
    CHECK((rc == EIO_ || rc == EFULL_) && strstr(error_last(), path) && !strstr(error_last(), "Success"));
    CHECK(file_read(path, &b) == 0);
    CHECK_STR(b.at, "old");
    buf_free(&b);
    unlink(path);
    CHECK(rmdir(dir) == 0);   // no temporary file left
}

static void absurd_sizes_are_refused(void)
{
    struct arena a = {0};
    arena_take(&a, SIZE_MAX - 10);
    arena_take(&a, 100);
    arena_take(&a, SIZE_MAX / 2);
    CHECK(arena_commit(&a) == EMEMORY_);
    arena_free(&a);
    CHECK(memory_take(SIZE_MAX) == NULL && memory_take(SIZE_MAX / 2) == NULL);
}

static void floats_that_are_no_index(void)
{
    static const double v[] = {3, -2, NAN, INFINITY, 1e300, -1e300};
    struct npy a = {.type = NPY_F64, .ndim = 1, .shape = {6}, .count = 6, .data = v};
    int64_t out[6];
    npy_read_i64(&a, 0, 6, out);
    CHECK(out[0] == 3 && out[1] == -2 && out[2] == INT64_MIN && out[3] == INT64_MIN && out[4] == INT64_MIN && out[5] == INT64_MIN);
}

static void hashes_by_their_length(void)
{
    CHECK(hash_matches("900150983cd24fb0d6963f7d28e17f72", "abc", 3));
    CHECK(hash_matches("A9993E364706816ABA3E25717850C26C9CD0D89D", "abc", 3));
    CHECK(!hash_matches("900150983cd24fb0d6963f7d28e17f72", "abd", 3));
    CHECK(!hash_matches("", "abc", 3) && !hash_matches("900150983cd24fb0d6963f7d28e17f7", "abc", 3));
}

static void sha256_known(void)
{
    char hex[SHA256_HEX];
    sha256_hex(hex, "abc", 3);
    CHECK_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void buffers_grow(void)
{
    struct buf b = {0};
    for (int i = 0; i < 1000; i++)
        buf_fmt(&b, "%d,", i);
    CHECK(b.len == 3890);
    char *s = buf_steal(&b);
    CHECK(strncmp(s, "0,1,2,", 6) == 0 && b.at == NULL);
    free(s);
    s = buf_steal(&b);
    CHECK_STR(s, "");
    free(s);
}

int main(void)
{
    CASE(errors_keep_one_sentence);
    CASE(arena_plans_then_carves);
    CASE(map_holds_many_keys);
    CASE(pool_runs_every_piece_once);
    CASE(pools_number_their_own_workers);
    CASE(permutation_is_one);
    CASE(random_numbers_have_their_moments);
    CASE(halves_round_trip);
    CASE(npy_files_come_back);
    CASE(atomic_files_appear_whole);
    CASE(only_plain_files_are_replaced);
    CASE(a_failed_write_leaves_the_old_file);
    CASE(absurd_sizes_are_refused);
    CASE(floats_that_are_no_index);
    CASE(sha256_known);
    CASE(hashes_by_their_length);
    CASE(buffers_grow);
    return check_done();
}
