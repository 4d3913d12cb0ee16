// SPDX-License-Identifier: Apache-2.0
#include "kernels/trial.h"

#include "base/clock.h"
#include "base/rng.h"
#include "check.h"

enum { GUARD = 19 };   // odd: nothing is aligned
static const double guard_value = 12345;

struct run {
    struct ctx *ctx;
    view memory;
    int64_t total;
    int64_t at[TRIAL_ARGS];   // first element of each argument
};

static int64_t lay(const struct trial *t, int64_t at[TRIAL_ARGS])
{
    int64_t total = GUARD;
    for (int i = 0; i < TRIAL_ARGS; i++) {
        at[i] = total;
        total += t->arg[i].n ? t->arg[i].n + GUARD : 0;
    }
    return total;
}

// The numbers of all arguments; outputs NaN, guards in between.
static double *draw(const struct trial *t, uint64_t seed, bool sizes)
{
    int64_t at[TRIAL_ARGS], total = lay(t, at);
    double *x = malloc((size_t)total * sizeof *x);
    for (int64_t i = 0; x && i < total; i++)
        x[i] = guard_value;
    for (int i = 0; x && i < TRIAL_ARGS; i++) {
        struct rng r = rng_make(seed, (uint64_t)i);
        const struct trial_arg *a = &t->arg[i];
        for (int64_t k = 0; k < a->n; k++) {
            double v = (float)rng_range(&r, a->lo, a->hi);   // exact in both precisions
            x[at[i] + k] = a->role == OUT ? NAN : sizes ? fabs(v) : v;
        }
    }
    return x;
}

static void open_run(struct run *r, const struct trial *t, enum dtype type, const char *isa, int threads, const double *x)
{
    memset(r, 0, sizeof *r);
    r->total = lay(t, r->at);
    if (ctx_open(&r->ctx, type, threads, isa) == 0 && (!t->narrow || type == F64 || ctx_products(r->ctx, t->narrow)))
        r->memory = ctx_alloc(r->ctx, type, r->total);
    CHECK(r->memory.at != NULL);
    if (r->memory.at)
        ctx_put64(r->ctx, r->memory, x, r->total);
}

static void call(const struct run *r, const struct trial *t, bool sizes)
{
    view v[TRIAL_ARGS];
    for (int i = 0; i < TRIAL_ARGS; i++)
        v[i] = t->arg[i].n ? view_at(r->memory, r->at[i]) : NO_VIEW;
    t->call(r->ctx, v, t->shape, sizes);
}

// Runs on numbers x and leaves what memory holds afterwards in y.
static void run_on(const struct trial *t, enum dtype type, const char *isa, int threads, const double *x, bool sizes, double *y)
{
    struct run r;
    open_run(&r, t, type, isa, threads, x);
    if (r.memory.at) {
        call(&r, t, sizes);
        ctx_get64(r.ctx, y, r.memory, r.total);
        ctx_free(r.ctx, r.memory);
    }
    ctx_close(r.ctx);
}

static void compare(const struct trial *t, const char *isa, const double *x, const double *want, const double *got,
                    const double *size)
{
    int64_t at[TRIAL_ARGS], total = lay(t, at);
    char *inside = calloc((size_t)total, 1);
    CHECK(inside != NULL);
    for (int i = 0; inside && i < TRIAL_ARGS; i++) {
        const struct trial_arg *a = &t->arg[i];
        double largest = t->least;
        for (int64_t k = at[i]; k < at[i] + a->n; k++)
            largest = fmax(largest, fabs(want[k]));
        int bad = 0;
        for (int64_t k = at[i]; k < at[i] + a->n; k++) {
            inside[k] = 1;
            double room = a->role == IN ? 0 : t->tolerance * 0x1p-24 * (t->products ? size[k] : largest) + 1e-36;   // subnormals may go
            double w = a->role == IN ? x[k] : want[k];
            if (!(fabs(got[k] - w) <= room || (isnan(w) && isnan(got[k]))) && !bad++) {
                printf("# %s, %s, shape", t->name, isa);
                for (int s = 0; s < 8; s++)
                    printf(" %lld", (long long)t->shape[s]);
                printf(": %s[%lld] is %.9g, the reference has %.9g, allowed %.3g\n", a->name, (long long)(k - at[i]), got[k], w,
                       room);
            }
        }
        CHECK(bad == 0);
    }
    int touched = 0;
    for (int64_t k = 0; inside && k < total; k++)
        touched += !inside[k] && got[k] != guard_value;
    if (touched)
        printf("# %s, %s: %d guard words overwritten\n", t->name, isa, touched);
    CHECK(touched == 0);
    free(inside);
}

bool trial_has(const char *isa, enum dtype type)
{
    struct ctx *c;
    bool yes = ctx_open(&c, F32, 1, isa) == 0 && ctx_products(c, type);
    ctx_close(c);
    return yes;
}

bool trial_words(const char *isa, enum dtype type)
{
    struct ctx *c;
    bool yes = ctx_open(&c, F32, 1, isa) == 0 && ctx_products(c, type) && strstr(ctx_products_isa(c), "words");
    ctx_close(c);
    return yes;
}

void trial_run(const struct trial *t, const char *isa, int threads, uint64_t seed)
{
    int64_t at[TRIAL_ARGS];
    size_t bytes = (size_t)lay(t, at) * sizeof(double);
    double *x = draw(t, seed, false), *sizes = draw(t, seed, true);
    double *want = calloc(1, bytes), *got = calloc(1, bytes), *size = calloc(1, bytes);
    CHECK(x && sizes && want && got && size);
    if (x && sizes && want && got && size) {
        bool plain = !t->narrow || strncmp(isa, "ref", 3) == 0;
        run_on(t, plain ? F64 : F32, !plain && trial_words(isa, t->narrow) ? "ref-words" : "ref", 1, x, false, want);
        run_on(t, F32, isa, threads, x, false, got);
        if (t->products)
            run_on(t, F64, "ref", 1, sizes, true, size);
        compare(t, isa, x, want, got, size);
    }
    free(x);
    free(sizes);
    free(want);
    free(got);
    free(size);
}

double trial_seconds(const struct trial *t, const char *isa, int threads)
{
    double *x = draw(t, 1, false), best = 1e30;
    struct run r;
    open_run(&r, t, F32, isa, threads, x);
    for (int i = 0; i < 5 && r.memory.at; i++) {
        double from = clock_now();
        call(&r, t, false);
        best = fmin(best, clock_now() - from);
    }
    if (r.memory.at)
        ctx_free(r.ctx, r.memory);
    ctx_close(r.ctx);
    free(x);
    return best;
}
