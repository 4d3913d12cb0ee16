// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "kernel/narrow.h"
#include "kernel/peak.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

static bool always(void) { return true; }

#if defined(__x86_64__)
static bool has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static bool has_dot_bf16(void) { return has_avx512() && __builtin_cpu_supports("avx512bf16"); }
static bool has_dot_bytes(void) { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }

// Tiles need the kernel's leave: their state is large.
bool has_amx(void)
{
    enum { ASK = 0x1023, TILE_DATA = 18 };   // ARCH_REQ_XCOMP_PERM
    unsigned a, b, c, d;
    if (!has_dot_bf16() || !has_dot_bytes() || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return false;
    const unsigned tile = 1u << 24, bf16 = 1u << 22, bytes = 1u << 25, all = tile | bf16 | bytes;
    return (d & all) == all && syscall(SYS_arch_prctl, ASK, TILE_DATA) == 0;
}
#endif

#if defined(__x86_64__)
// Operations a second of a peak's loop: the best of a few short runs, in all half a millisecond.
static double pace(const struct peak *p)
{
    double best = 0;
    for (int i = 0; i < 8; i++) {
        double start = clock_now(), done = p->run(8000, NULL), took = clock_now() - start;
        best = took > 0 && done / took > best ? done / took : best;
    }
    return best;
}

// What stands in for bfloat16 fastest: its dot products (Zen 4: twice the pace of floats), 16-bit words (the same wherever
// there is VNNI, and finer), or rounded factors on the multiply-adds of floats (Intel's server cores, which have tiles for
// bfloat16, are half as fast by its dot products). Found once a process. Words must win clearly: their rows are read twice.
static enum dtype best_for_bf16(void)
{
    static _Atomic int answer;   // 0: not asked; two threads at once find the same
    if (!answer) {
        struct peak all[PEAKS];
        double rate[S16 + 1] = {0};
        for (int i = 0, n = peaks(all, NULL); i < n; i++)
            if (all[i].dots && all[i].run && all[i].type != S8)
                rate[all[i].type] = pace(&all[i]);
        double others = rate[BF16] > rate[F32] ? rate[BF16] : rate[F32];
        answer = 1 + (rate[S16] > 1.25 * others ? S16 : rate[BF16] > rate[F32] ? BF16 : F32);
    }
    return answer - 1;
}

static bool pays_words(void) { return has_dot_bytes() && best_for_bf16() == S16; }
static bool pays_dot_bf16(void) { return has_dot_bf16() && best_for_bf16() == BF16; }
#endif

// Products in narrow types, best first. Plain loops only when asked for: single precision is faster.
static const struct narrow_variant {
    const char *isa;           // of DIHT_ISA
    enum dtype type;
    bool (*supported)(void);
    const struct engine *engine;
} narrow_variants[] = {
#if defined(__x86_64__)
    {"amx", BF16, has_amx, &narrow_tile_bf16},
    {"amx", S8, has_amx, &narrow_tile_bytes},
    {"avx512", BF16, pays_words, &narrow_words},
    {"avx512", BF16, pays_dot_bf16, &narrow_dot_bf16},
    {"avx512", BF16, has_avx512, &rounded_avx512},
    {"avx512", S8, has_dot_bytes, &narrow_dot_bytes},
    {"avx512-words", BF16, has_dot_bytes, &narrow_words},
    {"avx512-dot", BF16, has_dot_bf16, &narrow_dot_bf16},
    {"avx512-fma", BF16, has_avx512, &rounded_avx512},
    {"avx2", BF16, has_avx2, &rounded_avx2},
#endif
    {"ref", BF16, always, &narrow_ref_bf16},
    {"ref", S8, always, &narrow_ref_bytes},
    {"ref-words", BF16, always, &narrow_ref_words},
};

static const struct engine *find_engine(enum dtype type, const char *isa)
{
    for (size_t i = 0; i < sizeof narrow_variants / sizeof *narrow_variants; i++) {
        const struct narrow_variant *v = &narrow_variants[i];
        bool wanted = isa && *isa ? strcmp(isa, v->isa) == 0 : v->supported != always;
        if (v->type == type && wanted && v->supported())
            return v->engine;
    }
    return NULL;
}

bool ctx_products(struct ctx *c, enum dtype type)
{
    const struct engine *e = type == c->real ? &c->inner->engine : c->real == F32 ? find_engine(type, c->isa) : NULL;
    if (e)
        c->engine = e;
    return e;
}

const char *ctx_products_isa(const struct ctx *c) { return c->engine->isa; }

// Best first. Tiles are of no use in single precision.
static const struct variant {
    const char *isa;
    bool (*supported)(void);
    const struct inner *f32, *f64;
} variants[] = {
#if defined(__x86_64__)
    {"amx", has_amx, &inner_avx512, &inner_ref_f64},
    {"avx512", has_avx512, &inner_avx512, &inner_ref_f64},
    {"avx512-words", has_dot_bytes, &inner_avx512, &inner_ref_f64},
    {"avx512-dot", has_dot_bf16, &inner_avx512, &inner_ref_f64},   // so or so, whatever pays
    {"avx512-fma", has_avx512, &inner_avx512, &inner_ref_f64},
    {"avx2", has_avx2, &inner_avx2, &inner_ref_f64},
#endif
    {"ref", always, &inner_ref_f32, &inner_ref_f64},
    {"ref-words", always, &inner_ref_f32, &inner_ref_f64},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static const struct inner *choose(enum dtype real, const char *isa, int *rc)
{
    *rc = 0;
    const char *from = isa ? "the instruction set asked for" : "DIHT_ISA";
    if (!isa)
        isa = getenv("DIHT_ISA");
    bool known = false;
    for (int i = 0; i < VARIANTS; i++) {
        bool named = isa && *isa && strcmp(isa, variants[i].isa) == 0;
        known = known || named;
        if (isa && *isa && !named)
            continue;
        if (!variants[i].supported()) {
            if (named)
                *rc = FAIL(EUSAGE_, "%s: this processor has no %s: leave DIHT_ISA unset, or set it to avx2 or ref", from, isa);
            continue;
        }
        return real == F64 ? variants[i].f64 : variants[i].f32;
    }
    if (!known)
        *rc = FAIL(EUSAGE_, "%s: \"%s\" is not known: ref, avx2, avx512 or amx expected", from, isa);
    return NULL;
}

const char *ctx_best_isa(void)
{
    int rc;
    const struct inner *inner = choose(F32, NULL, &rc);
    return inner ? inner->engine.isa : NULL;
}

int ctx_open(struct ctx **out, enum dtype real, int threads, const char *isa)
{
    *out = NULL;
    int rc = 0;
    assert(real == F32 || real == F64);
    const struct inner *inner = choose(real, isa, &rc);
    if (!inner)
        return rc;
    struct ctx *c = calloc(1, sizeof *c);
    if (!c)
        return FAIL(EMEMORY_, "out of memory: no room for a compute context");
    c->inner = inner;
    c->engine = &inner->engine;
    c->isa = isa ? isa : getenv("DIHT_ISA");
    c->real = real;
    c->size = dtype_size(real);
    c->table = whole_problems;
    c->table.isa = inner->engine.isa;
    c->threads = threads > 0 ? threads : cpu_count();
    c->pool = pool_new(c->threads, NULL);
    c->worker = memory_take((size_t)c->threads * WORKER_SCRATCH);
    c->shared = memory_take(SHARED_SCRATCH);
    c->held = memory_zero((size_t)c->threads * sizeof *c->held);
    if (!c->pool || !c->worker || !c->shared || !c->held) {
        ctx_close(c);
        return EMEMORY_;
    }
    *out = c;
    return 0;
}

void ctx_close(struct ctx *c)
{
    if (!c)
        return;
    pool_free(c->pool);
    free(c->worker);
    free(c->shared);
    free(c->held);
    free(c);
}

const struct kernels *ctx_kernels(const struct ctx *c) { return &c->table; }
enum dtype ctx_real(const struct ctx *c) { return c->real; }
struct pool *ctx_pool(const struct ctx *c) { return c->pool; }
int ctx_threads(const struct ctx *c) { return c->threads; }

view ctx_alloc(struct ctx *c, enum dtype type, int64_t count)
{
    size_t bytes;
    if (count < 0 || __builtin_mul_overflow((size_t)count, dtype_size(type), &bytes)) {
        FAIL(EMEMORY_, "out of memory: %lld elements cannot be addressed", (long long)count);
        return (view){NULL, type};
    }
    return (view){memory_zero(bytes), type};
}

void ctx_free(struct ctx *c, view v) { free(v.at); }

void ctx_put(struct ctx *c, view to, const float *from, int64_t n)
{
    assert(to.type == F32 || to.type == F64);
    if (to.type == F32 && n > 0)
        memcpy(to.at, from, (size_t)n * sizeof *from);
    else
        for (int64_t i = 0; i < n; i++)
            ((double *)to.at)[i] = from[i];
}

void ctx_get(struct ctx *c, float *to, view from, int64_t n)
{
    assert(from.type == F32 || from.type == F64);
    if (from.type == F32 && n > 0)
        memcpy(to, from.at, (size_t)n * sizeof *to);
    else
        for (int64_t i = 0; i < n; i++)
            to[i] = (float)((const double *)from.at)[i];
}

void ctx_put64(struct ctx *c, view to, const double *from, int64_t n)
{
    assert(to.type == F32 || to.type == F64);
    if (to.type == F64 && n > 0)
        memcpy(to.at, from, (size_t)n * sizeof *from);
    else
        for (int64_t i = 0; i < n; i++)
            ((float *)to.at)[i] = (float)from[i];
}

void ctx_get64(struct ctx *c, double *to, view from, int64_t n)
{
    assert(from.type == F32 || from.type == F64);
    if (from.type == F64 && n > 0)
        memcpy(to, from.at, (size_t)n * sizeof *to);
    else
        for (int64_t i = 0; i < n; i++)
            to[i] = ((const float *)from.at)[i];
}
