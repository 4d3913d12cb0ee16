// SPDX-License-Identifier: Apache-2.0
// Peaks first, then every stage as a share of the peak measured in the same run. The best of several repetitions
// counts: neighbours only ever slow one down.
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/threads.h"
#include "bench/stages.h"
#include "kernel/kernels.h"
#include "kernel/peak.h"

struct out {
    const diht_bench_options *o;
    void (*line)(void *user, const char *text);
    void *user;
    struct ctx *ctx;
    double peak[S8 + 1];   // operations a second, all threads, by what is multiplied; 0: none
    const char *peak_name[S8 + 1];
    int printed;
};

static bool wanted(const struct out *out, const char *name, bool only_when_named)
{
    const char *only = out->o->only;
    size_t n = only ? strlen(only) : 0;
    if (!only)
        return !only_when_named;
    return n && only[n - 1] == '*' ? strncmp(name, only, n - 1) == 0 : strcmp(name, only) == 0;
}

static void print(struct out *out, const char *name, double value, const char *unit, double of_peak, const char *peak)
{
    char text[256], share[32] = "null";
    if (of_peak > 0)
        snprintf(share, sizeof share, "%.4f", of_peak);
    if (out->o->json)
        snprintf(text, sizeof text,
                 "{\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"of_peak\": %s, \"threads\": %d, \"isa\": \"%s\"}",
                 name, value, unit, share, ctx_threads(out->ctx), ctx_products_isa(out->ctx));
    else if (of_peak > 0)
        snprintf(text, sizeof text, "%-30s %12.4g %-10s %5.1f %% of %s", name, value, unit, 100 * of_peak, peak);
    else
        snprintf(text, sizeof text, "%-30s %12.4g %s", name, value, unit);
    out->line(out->user, text);
    out->printed++;
}

// --- peaks -----------------------------------------------------------------------------------------------------------

struct peak_job {
    const struct peak *peak;
    char *memory;
    int64_t rounds;
    double done[256];
};

static void peak_piece(void *arg, int64_t piece, int worker)
{
    struct peak_job *j = arg;
    j->done[piece] = j->peak->run(j->rounds, j->memory + piece * (int64_t)PEAK_MEMORY);
}

static double run_peak(struct peak_job *j, struct pool *pool, int threads, double seconds)
{
    double best = 0, end = clock_now() + seconds;
    j->rounds = 1;
    for (int reps = 0; reps < 3 || clock_now() < end;) {
        double start = clock_now(), sum = 0;
        pool_run(pool, threads, peak_piece, j);
        double took = clock_now() - start;
        if (took < 0.02) {   // too short to trust: longer
            j->rounds *= 2;
            continue;
        }
        for (int i = 0; i < threads; i++)
            sum += j->done[i];
        best = sum / took > best ? sum / took : best;
        reps++;
    }
    return best;
}

// Does a figure that is wanted divide by this type's peak?
static bool needed(const struct out *out, enum dtype type)
{
    for (const struct stage *s = stages; s->name; s++)
        if ((s->products == type || (s->products == BF16 && type == F32)) && wanted(out, s->name, s->only_when_named))
            return true;
    return false;
}

static int measure_peaks(struct out *out)
{
    struct peak all[PEAKS];
    int n = peaks(all, ctx_kernels(out->ctx)->isa), threads = ctx_threads(out->ctx);
    struct peak_job j = {0};
    if (threads > (int)(sizeof j.done / sizeof *j.done))
        return FAIL(EUSAGE_, "--threads %d: at most %d can be measured", threads, (int)(sizeof j.done / sizeof *j.done));
    j.memory = memory_zero((size_t)threads * PEAK_MEMORY);
    if (!j.memory)
        return EMEMORY_;
    for (int i = 0; i < n; i++) {
        bool shown = wanted(out, all[i].name, false), denominator = all[i].dots && needed(out, all[i].type);
        if (!all[i].run || !(shown || denominator))
            continue;
        j.peak = &all[i];
        double best = run_peak(&j, ctx_pool(out->ctx), threads, out->o->seconds);
        if (all[i].dots)
            out->peak[all[i].type] = best, out->peak_name[all[i].type] = all[i].name;
        if (shown)
            print(out, all[i].name, best / 1e9, all[i].unit, 0, NULL);
    }
    // bfloat16 can be multiplied as floats: what divides is the better of the two ways, whichever is taken
    if (out->peak[F32] > out->peak[BF16]) {
        out->peak[BF16] = out->peak[F32];
        out->peak_name[BF16] = out->peak_name[F32];
    }
    free(j.memory);
    return 0;
}

// --- stages ----------------------------------------------------------------------------------------------------------

static int measure_stage(struct out *out, const struct stage *s)
{
    void *state = NULL;
    double work = 0, flop = 0, best = 0;
    if (!ctx_products(out->ctx, s->products)) {
        log_info("%s: this processor has no instructions for it", s->name);
        return 0;
    }
    int rc = s->open(&state, out->ctx, s, &work, &flop);
    double end = 0;
    for (int reps = 0; !rc && (reps < 4 || clock_now() < end) && !stop_requested(); reps++) {
        double start = clock_now();
        rc = s->run(state);
        double took = clock_now() - start;
        if (reps == 0)   // the first prepares weights and touches memory: not counted
            end = clock_now() + out->o->seconds;
        else
            best = 1 / took > best ? 1 / took : best;
    }
    if (!rc)
        print(out, s->name, strcmp(s->unit, "GFLOP/s") == 0 ? flop * best / 1e9 : work * best, s->unit,
              out->peak[s->products] > 0 ? flop * best / out->peak[s->products] : 0, out->peak_name[s->products]);
    s->close(state);
    if (rc == EMISSING_) {   // what a figure needs need not be installed
        log_info("%s: left out: %s", s->name, error_last());
        out->printed++;
        rc = 0;
    }
    return rc;
}

int bench_run(const diht_bench_options *o, void (*line)(void *user, const char *text), void *user)
{
    struct out out = {.o = o, .line = line, .user = user};
    if (!(o->seconds >= 0 && o->seconds < 1e5))
        return FAIL(EUSAGE_, "--seconds %g: a number of seconds expected", o->seconds);
    stop_clear();
    int rc = ctx_open(&out.ctx, F32, o->threads, NULL);
    if (!rc)
        rc = measure_peaks(&out);
    for (const struct stage *s = stages; !rc && s->name && !stop_requested(); s++)
        if (wanted(&out, s->name, s->only_when_named))
            rc = measure_stage(&out, s);
    if (!rc && stop_requested())
        rc = FAIL(ESTOPPED_, "stopped after %d figures", out.printed);
    if (!rc && !out.printed) {
        char names[2048] = "";
        for (const struct stage *s = stages; s->name; s++)
            snprintf(names + strlen(names), sizeof names - strlen(names), " %s", s->name);
        rc = FAIL(EUSAGE_, "--only %s: no figure has that name; there are peak_fp32 peak_bf16 peak_int8 peak_bf16_amx "
                  "peak_int8_amx memory_triad%s", o->only,
                  names);
    }
    ctx_close(out.ctx);
    return rc;
}
