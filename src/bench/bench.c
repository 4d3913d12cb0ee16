// SPDX-License-Identifier: Apache-2.0
// Peaks first, then every stage as a share of the peak measured in the same run. The best of several repetitions
// counts: neighbours only ever slow one down. What divides a stage is the better of its peak before and after it: a shared
// machine's pace moves between them.
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
    // by what is multiplied: the loop, and operations a second, all threads, when last measured; run NULL: none
    struct peak divisor[S16 + 1];
    double peak[S16 + 1];
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

struct figure {
    const char *name;
    double value;
    const char *unit;
    double of_peak;            // 0: not a share
    const char *peak;          // of which
    const char *part;          // a stage that does part of this one's work, NULL: none; and its share of the time
    double of_part;
};

static void print(struct out *out, const struct figure *f)
{
    char text[320], share[32] = "null", inner[96] = "";
    if (f->of_peak > 0)
        snprintf(share, sizeof share, "%.4f", f->of_peak);
    if (f->part)
        snprintf(inner, sizeof inner, out->o->json ? ", \"part\": \"%s\", \"of_part\": %.4f" : "; %s is %.4f of its time", f->part,
                 f->of_part);
    if (out->o->json)
        snprintf(text, sizeof text,
                 "{\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"of_peak\": %s, \"threads\": %d, \"isa\": \"%s\"%s}",
                 f->name, f->value, f->unit, share, ctx_threads(out->ctx), ctx_products_isa(out->ctx), inner);
    else if (f->of_peak > 0)
        snprintf(text, sizeof text, "%-30s %12.4g %-10s %5.1f %% of %s%s", f->name, f->value, f->unit, 100 * f->of_peak, f->peak,
                 inner);
    else
        snprintf(text, sizeof text, "%-30s %12.4g %s", f->name, f->value, f->unit);
    out->line(out->user, text);
    out->printed++;
}

// --- peaks -----------------------------------------------------------------------------------------------------------

struct peak_job {
    const struct peak *peak;
    char *memory;              // NULL: no loop that is run needs any
    int64_t rounds;
    double done[256];
};

static void peak_piece(void *arg, int64_t piece, int worker)
{
    struct peak_job *j = arg;
    j->done[piece] = j->peak->run(j->rounds, j->memory ? j->memory + piece * (int64_t)PEAK_MEMORY : NULL);
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
        if ((s->products == type || (s->products == BF16 && (type == F32 || type == S16))) && wanted(out, s->name, s->only_when_named))
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
            out->peak[all[i].type] = best, out->divisor[all[i].type] = all[i];
        if (shown)
            print(out, &(struct figure){all[i].name, best / 1e9, all[i].unit});
    }
    // what stands in for bfloat16 may be floats or 16-bit words: what divides is the best of the ways, whichever is taken
    static const enum dtype ways[] = {F32, S16};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (out->peak[ways[i]] > out->peak[BF16]) {
            out->peak[BF16] = out->peak[ways[i]];
            out->divisor[BF16] = out->divisor[ways[i]];
        }
    free(j.memory);
    return 0;
}

// What a stage that has just run is to be divided by; 0: nothing.
static double divisor_now(struct out *out, enum dtype type)
{
    double before = out->peak[type];
    struct peak_job j = {.peak = &out->divisor[type]};
    if (!j.peak->run)
        return 0;
    double seconds = out->o->seconds < .2 ? out->o->seconds : .2;
    out->peak[type] = run_peak(&j, ctx_pool(out->ctx), ctx_threads(out->ctx), seconds);
    return before > out->peak[type] ? before : out->peak[type];
}

// --- stages ----------------------------------------------------------------------------------------------------------

// rate: runs a second.
static int measure_stage(struct out *out, const struct stage *s, double *rate)
{
    enum { LONG = 10 };   // seconds: a run that is its own warming up
    void *state = NULL;
    double work = 0, flop = 0, best = 0, part = 0;
    for (const struct stage *p = stages; s->of && p->name; p++)
        if (strcmp(p->name, s->of) == 0) {
            int rc = measure_stage(out, p, &part);
            if (rc)
                return rc;
        }
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
        if (reps > 0 || took > LONG)
            best = 1 / took > best ? 1 / took : best;
        if (took > LONG)
            break;
    }
    *rate = work * best;
    if (!rc && best > 0) {   // stopped before it was measured: no figure
        double divisor = flop > 0 ? divisor_now(out, s->products) : 0;
        print(out, &(struct figure){s->name, strcmp(s->unit, "GFLOP/s") == 0 ? flop * best / 1e9 : work * best, s->unit,
                                    divisor > 0 ? flop * best / divisor : 0, out->divisor[s->products].name, s->of,
                                    part > 0 ? *rate / part : 0});
    }
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
    double rate;
    stop_clear();
    int rc = ctx_open(&out.ctx, F32, o->threads, NULL);
    if (!rc)
        rc = measure_peaks(&out);
    for (const struct stage *s = stages; !rc && s->name && !stop_requested(); s++)
        if (wanted(&out, s->name, s->only_when_named))
            rc = measure_stage(&out, s, &rate);
    if (!rc && stop_requested())
        rc = FAIL(ESTOPPED_, "stopped after %d figures", out.printed);
    if (!rc && !out.printed) {
        char names[2048] = "";
        for (const struct stage *s = stages; s->name; s++)
            snprintf(names + strlen(names), sizeof names - strlen(names), " %s", s->name);
        rc = FAIL(EUSAGE_, "--only %s: no figure has that name; there are peak_fp32 peak_bf16 peak_int16 peak_int8 peak_bf16_amx "
                  "peak_int8_amx memory_triad%s", o->only,
                  names);
    }
    ctx_close(out.ctx);
    return rc;
}
