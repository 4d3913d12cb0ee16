// SPDX-License-Identifier: Apache-2.0
// Convolutions of every instruction set against the plain loops, and those against the definition in double: ragged
// widths, strides, blocks that are not full, what lies beside the output untouched. `conv --bench` times them.

#include "base/clock.h"
#include "base/rng.h"
#include "check.h"
#include "kernel/conv.h"



struct shape {
    int in, out, height, width, side, sy, sx;   // in, out: channels; height, width: of the output
    bool each;
    enum conv_act act;
};

static const struct shape shapes[] = {
    {3, 16, 5, 7, 3, 2, 2, false, CONV_PLAIN},         {16, 32, 3, 1, 1, 1, 1, false, CONV_HARD_SWISH},
    {40, 48, 2, 29, 1, 1, 1, false, CONV_RELU},        {24, 80, 3, 15, 3, 1, 1, false, CONV_HARD_SIGMOID},
    {48, 16, 4, 13, 1, 1, 1, false, CONV_HARD_SWISH},  {17, 112, 1, 14, 3, 2, 1, false, CONV_PLAIN},
    {32, 32, 5, 27, 3, 1, 1, true, CONV_HARD_SWISH},   {48, 48, 4, 17, 5, 2, 1, true, CONV_PLAIN},
    {16, 16, 3, 40, 5, 1, 2, true, CONV_HARD_SWISH},   {20, 20, 2, 2, 3, 2, 2, true, CONV_RELU},
};

struct trial {
    struct conv c;
    float *in, *out, *weights, bias[512];
    int64_t ins, outs;
};

static void set(struct trial *t, const struct shape *s)
{
    struct rng r = rng_make(7, 0);
    int in = (s->in + 15) / 16, out = (s->out + 15) / 16, h = s->height * s->sy + s->side, w = s->width * s->sx + s->side;
    int64_t taps = (int64_t)s->side * s->side, weights = s->each ? out * taps * 16 : out * taps * s->in * 16;
    *t = (struct trial){.ins = (int64_t)in * h * w * 16, .outs = (int64_t)out * s->height * (s->width + 1) * 16};
    t->in = aligned_alloc(64, (size_t)t->ins * 4);
    t->out = aligned_alloc(64, (size_t)t->outs * 4);
    t->weights = aligned_alloc(64, (size_t)weights * 4);
    for (int64_t i = 0; i < t->ins; i++)
        t->in[i] = (float)(rng_range(&r, -1, 1));
    for (int64_t i = 0; i < weights; i++)
        t->weights[i] = (float)(rng_range(&r, -1, 1));
    for (int i = 0; i < out * 16; i++)
        t->bias[i] = (float)(rng_range(&r, -1, 1));
    t->c = (struct conv){t->in, (int64_t)h * w * 16, (int64_t)w * 16, 16,
                         t->out, (int64_t)s->height * (s->width + 1) * 16, (int64_t)(s->width + 1) * 16, 16,
                         s->in, out, s->height, s->width, s->side, s->side, s->sy, s->sx,
                         t->weights, t->bias, s->act, .7f, .4f};
}

static void drop(struct trial *t)
{
    free(t->in);
    free(t->out);
    free(t->weights);
}

// The definition, for channel `o` of output (y, x).
static double expected(const struct trial *t, const struct shape *s, int o, int y, int x, double *size)
{
    double sum = t->bias[o];
    *size = fabs(sum);
    for (int i = 0; i < s->in; i++)
        for (int u = 0; u < s->side; u++)
            for (int v = 0; v < s->side; v++) {
                int64_t tap = (int64_t)u * s->side + v, taps = (int64_t)s->side * s->side;
                double w = t->weights[s->each ? (o / 16 * taps + tap) * 16 + o % 16
                                              : (o / 16 * taps * s->in + tap * s->in + i) * 16 + o % 16];
                double a = t->in[i / 16 * t->c.in_block + (y * s->sy + u) * t->c.in_row + (x * s->sx + v) * 16 + i % 16];
                if (s->each && i != o)
                    continue;
                sum += w * a;
                *size += fabs(w * a);
            }
    switch (s->act) {
    case CONV_RELU: return fmax(sum, 0);
    case CONV_HARD_SWISH: return .7 * sum * fmin(fmax(sum + 3, 0), 6) / 6 + .4;
    case CONV_HARD_SIGMOID: return fmin(fmax(.7 * sum + .4, 0), 1);
    default: return sum;
    }
}

static const struct conv_kernels *const *rows(int *n)
{
    static const struct conv_kernels *all[3] = {&conv_ref};
    *n = 1;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        all[(*n)++] = &conv_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        all[(*n)++] = &conv_avx512;
#endif
    return all;
}

static void equals_the_definition(void)
{
    int n;
    const struct conv_kernels *const *k = rows(&n);
    for (int r = 0; r < n; r++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            const struct shape *s = &shapes[i];
            struct trial t;
            set(&t, s);
            for (int64_t j = 0; j < t.outs; j++)
                t.out[j] = NAN;
            (s->each ? k[r]->each : k[r]->whole)(&t.c);
            int wrong = 0, touched = 0;
            double size;
            for (int o = 0; o < s->out; o++)
                for (int y = 0; y < s->height; y++)
                    for (int x = 0; x < s->width; x++) {
                        float got = t.out[o / 16 * t.c.out_block + y * t.c.out_row + x * 16 + o % 16];
                        double want = expected(&t, s, o, y, x, &size);
                        wrong += !(fabs(got - want) <= 1e-6 * (size + 3) * (size + 3));
                    }
            for (int b = 0; b < t.c.blocks_out; b++)
                for (int y = 0; y < s->height; y++)
                    touched += !isnan(t.out[b * t.c.out_block + y * t.c.out_row + s->width * 16]);
            CHECK(!wrong && !touched);
            if (wrong || touched)
                fprintf(stderr, "%s, shape %zu: %d wrong, %d touched\n", k[r]->isa, i, wrong, touched);
            drop(&t);
        }
}

static void logistic(void)
{
    int n;
    const struct conv_kernels *const *k = rows(&n);
    for (int r = 0; r < n; r++) {
        float x[39];
        for (int i = 0; i < 39; i++)
            x[i] = (float)(i - 19) * (i - 19) * (i < 19 ? -.3f : .3f);
        k[r]->sigmoid(x, 38);
        for (int i = 0; i < 38; i++) {
            double v = (i - 19) * (i - 19) * (i < 19 ? -.3 : .3);
            CHECK(fabs(x[i] - 1 / (1 + exp(-v))) < 1e-6);
        }
        CHECK(x[38] == 19 * 19 * .3f);
    }
}

static void rows_of_lanes(void)
{
    enum { N = 3, TIMES = 4 };
    int n;
    const struct conv_kernels *const *k = rows(&n);
    for (int r = 0; r < n; r++)
        for (int times = 1; times <= TIMES; times++) {
            float to[N * TIMES * 16 + 1], from[3][N * 16], by[16], gated[N * 16 + 1] = {0};
            for (int i = 0; i < N * 16; i++) {
                for (int j = 0; j < 3; j++)
                    from[j][i] = (float)(i + 100 * j);
                by[i % 16] = (float)(i % 16) - 7;
            }
            for (int i = 0; i <= N * TIMES * 16; i++)
                to[i] = (float)-i;
            k[r]->add(to, from[0], from[1], from[2], N, times);
            k[r]->gate(gated, from[1], by, N);
            for (int i = 0; i < N * times * 16; i++) {
                int x = i / 16, part = x % times == 0 ? 0 : x % times < times - 1 ? 1 : 2;
                CHECK(to[i] == (float)(x / times * 16 + i % 16 + 100 * part - i));
            }
            CHECK(to[N * times * 16] == (float)-(N * times * 16) && gated[N * 16] == 0);
            for (int i = 0; i < N * 16; i++)
                CHECK(gated[i] == from[1][i] * by[i % 16]);
            k[r]->relu(gated, N - 1);
            for (int i = 0; i < N * 16; i++)
                CHECK(gated[i] == (i < (N - 1) * 16 && by[i % 16] < 0 ? 0 : from[1][i] * by[i % 16]));
        }
}

static void chosen(void)
{
    CHECK(!setenv("DIHT_ISA", "ref", 1) && conv_kernels_find() == &conv_ref);
    CHECK(!setenv("DIHT_ISA", "neon", 1) && !conv_kernels_find());
    CHECK(!unsetenv("DIHT_ISA") && conv_kernels_find());
}

static void bench(void)
{
    static const struct shape work[] = {
        {240, 240, 12, 80, 1, 1, 1, false, CONV_HARD_SWISH}, {480, 480, 3, 80, 1, 1, 1, false, CONV_HARD_SWISH},
        {96, 24, 72, 96, 3, 1, 1, false, CONV_PLAIN},        {48, 48, 72, 96, 1, 1, 1, false, CONV_HARD_SWISH},
        {240, 240, 12, 80, 5, 1, 1, true, CONV_HARD_SWISH},  {16, 16, 144, 192, 3, 1, 1, true, CONV_HARD_SWISH}};
    int n;
    const struct conv_kernels *const *k = rows(&n);
    for (size_t i = 0; i < sizeof work / sizeof *work; i++)
        for (int r = 1; r < n; r++) {
            const struct shape *s = &work[i];
            struct trial t;
            double best = 1e9;
            set(&t, s);
            for (int j = 0; j < 20; j++) {
                double from = clock_now();
                (s->each ? k[r]->each : k[r]->whole)(&t.c);
                best = fmin(best, clock_now() - from);
            }
            double flop = 2. * s->height * s->width * s->out * (s->each ? 1 : s->in) * s->side * s->side;
            printf("%-8s %3d -> %3d, %d x %d, side %d%s: %7.3f ms %7.1f GFLOP/s\n", k[r]->isa, s->in, s->out, s->height,
                   s->width, s->side, s->each ? " each" : "", best * 1e3, flop / best * 1e-9);
            drop(&t);
        }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) {
        bench();
        return 0;
    }
    CASE(equals_the_definition);
    CASE(logistic);
    CASE(rows_of_lanes);
    CASE(chosen);
    return check_done();
}
