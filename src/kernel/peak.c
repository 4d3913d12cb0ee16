// SPDX-License-Identifier: Apache-2.0
#include "kernel/peak.h"

#include <stddef.h>
#include <string.h>

#include "kernel/narrow.h"

enum { ACC = 12 };   // independent sums: enough to hide the latency of a multiply-add on two ports

#if defined(__x86_64__)
#include <immintrin.h>

// The empty assembly holds a sum in its register and keeps the loop from being thought away.
#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define HOLD(i) __asm__ volatile("" : "+v"(acc[i]));
#define HOLD_AVX2(i) __asm__ volatile("" : "+x"(acc[i]));
#define FP32_AVX2(i) acc[i] = _mm256_fmadd_ps(acc[i], a, b);
#define FP32(i) acc[i] = _mm512_fmadd_ps(acc[i], a, b);
#define BF16(i) acc[i] = _mm512_dpbf16_ps(acc[i], a, b);
#define INT8(i) acc[i] = _mm512_dpbusd_epi32(acc[i], a, b);

__attribute__((target("avx2,fma"))) static double fp32_avx2(int64_t rounds, void *memory)
{
    __m256 acc[ACC], a = _mm256_set1_ps(1.0000001f), b = _mm256_set1_ps(1e-9f);
    for (int i = 0; i < ACC; i++)
        acc[i] = _mm256_set1_ps(1 + (float)i);
    for (int64_t r = 0; r < rounds; r++) {
        EACH(FP32_AVX2)
        EACH(HOLD_AVX2)
    }
    return (double)rounds * ACC * 8 * 2;
}

__attribute__((target("avx512f"))) static double fp32_avx512(int64_t rounds, void *memory)
{
    __m512 acc[ACC], a = _mm512_set1_ps(1.0000001f), b = _mm512_set1_ps(1e-9f);
    for (int i = 0; i < ACC; i++)
        acc[i] = _mm512_set1_ps(1 + (float)i);
    for (int64_t r = 0; r < rounds; r++) {
        EACH(FP32)
        EACH(HOLD)
    }
    return (double)rounds * ACC * 16 * 2;
}

__attribute__((target("avx512f,avx512bf16"))) static double bf16_avx512(int64_t rounds, void *memory)
{
    __m512 acc[ACC];
    __m512i zero = _mm512_setzero_si512();
    __m512bh a, b;
    __builtin_memcpy(&a, &zero, sizeof a);
    __builtin_memcpy(&b, &zero, sizeof b);
    for (int i = 0; i < ACC; i++)
        acc[i] = _mm512_set1_ps(1 + (float)i);
    for (int64_t r = 0; r < rounds; r++) {
        EACH(BF16)
        EACH(HOLD)
    }
    return (double)rounds * ACC * 32 * 2;
}

__attribute__((target("avx512f,avx512vnni"))) static double int8_avx512(int64_t rounds, void *memory)
{
    __m512i acc[ACC], a = _mm512_set1_epi8(1), b = _mm512_set1_epi8(1);
    for (int i = 0; i < ACC; i++)
        acc[i] = _mm512_set1_epi32(i);
    for (int64_t r = 0; r < rounds; r++) {
        EACH(INT8)
        EACH(HOLD)
    }
    return (double)rounds * ACC * 64 * 2;
}

// Eight tiles: four sums, two of each operand. The tiles' state has been asked for by ctx_open.
static const struct {
    unsigned char palette, start, reserved[14];
    unsigned short bytes[16];
    unsigned char rows[16];
} tiles = {.palette = 1, .bytes = {64, 64, 64, 64, 64, 64, 64, 64}, .rows = {16, 16, 16, 16, 16, 16, 16, 16}};

#define TILES(f) f(0, 4, 6); f(1, 4, 7); f(2, 5, 6); f(3, 5, 7);

__attribute__((target("amx-tile,amx-bf16"))) static double bf16_amx(int64_t rounds, void *memory)
{
    _tile_loadconfig(&tiles);   // and all tiles zero
    for (int64_t r = 0; r < rounds; r++) {
        TILES(_tile_dpbf16ps)
    }
    _tile_release();
    return (double)rounds * 4 * 16 * 16 * 32 * 2;
}

__attribute__((target("amx-tile,amx-int8"))) static double int8_amx(int64_t rounds, void *memory)
{
    _tile_loadconfig(&tiles);
    for (int64_t r = 0; r < rounds; r++) {
        TILES(_tile_dpbusd)
    }
    _tile_release();
    return (double)rounds * 4 * 16 * 16 * 64 * 2;
}

// a = b + s c with stores that go past the caches.
__attribute__((target("avx2"))) static double triad_avx2(int64_t rounds, void *memory)
{
    enum { N = PEAK_MEMORY / 3 / 4 / 32 * 32 };
    float *a = memory, *b = a + N, *c = b + N;
    __m256 s = _mm256_set1_ps(1e-3f);
    for (int64_t r = 0; r < rounds; r++) {
        for (ptrdiff_t i = 0; i < N; i += 8)
            _mm256_stream_ps(a + i, _mm256_add_ps(_mm256_load_ps(b + i), _mm256_mul_ps(s, _mm256_load_ps(c + i))));
        _mm_sfence();
    }
    return (double)rounds * N * 3 * 4;
}

int peaks(struct peak out[PEAKS])
{
    bool wide = __builtin_cpu_supports("avx512f"), narrow = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool amx = has_amx();
    const struct peak all[PEAKS] = {
        {"peak_fp32", "GFLOP/s", wide ? fp32_avx512 : narrow ? fp32_avx2 : NULL, F32, true},
        {"peak_bf16", "GFLOP/s", wide && __builtin_cpu_supports("avx512bf16") ? bf16_avx512 : NULL, BF16, true},
        {"peak_int8", "GOP/s", wide && __builtin_cpu_supports("avx512vnni") ? int8_avx512 : NULL, S8, true},
        {"peak_bf16_amx", "GFLOP/s", amx ? bf16_amx : NULL, BF16, false},
        {"peak_int8_amx", "GOP/s", amx ? int8_amx : NULL, S8, false},
        {"memory_triad", "GB/s", narrow ? triad_avx2 : NULL, F32, false},
    };
    memcpy(out, all, sizeof all);
    return PEAKS;
}

#else

int peaks(struct peak out[PEAKS]) { return 0; }

#endif
