// SPDX-License-Identifier: Apache-2.0
#include "kernel/peak.h"

#include <stddef.h>
#include <string.h>

#include "kernel/narrow.h"

enum { ACC = 12 };   // independent sums: enough to hide the latency of a multiply-add on two ports

#if defined(__x86_64__)
#include <immintrin.h>

// `rounds` times twelve sums += a b, the whole loop in assembly: compilers keep sums in memory (gcc 12 does with
// vpdpbusd) and copy them between registers. The operands are ordinary numbers, or a processor would save power.
#define EACH(f, r) f(r, 0) f(r, 1) f(r, 2) f(r, 3) f(r, 4) f(r, 5) f(r, 6) f(r, 7) f(r, 8) f(r, 9) f(r, 10) f(r, 11)
#define CLEAR(r, i) "vpxor %%xmm" #i ", %%xmm" #i ", %%xmm" #i "\n\t"
#define FP32(r, i) "vfmadd231ps %%" r "13, %%" r "12, %%" r #i "\n\t"
#define BF16(r, i) "vdpbf16ps %%" r "13, %%" r "12, %%" r #i "\n\t"
#define INT16(r, i) "vpdpwssd %%" r "13, %%" r "12, %%" r #i "\n\t"
#define INT8(r, i) "vpdpbusd %%" r "13, %%" r "12, %%" r #i "\n\t"
#define LOOP(f, r, move, a, b) \
    __asm__ volatile(move " %1, %%" r "12\n\t" move " %2, %%" r "13\n\t" EACH(CLEAR, r) \
                     "1:\n\t" EACH(f, r) "dec %0\n\tjnz 1b\n\tvzeroupper" \
                     : "+r"(rounds) : "m"(a), "m"(b) \
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", \
                       "xmm12", "xmm13", "cc")

__attribute__((target("avx2,fma"))) static double fp32_avx2(int64_t rounds, void *memory)
{
    __m256 a = _mm256_set1_ps(1.1f), b = _mm256_set1_ps(-.7f);
    double done = (double)rounds * ACC * 8 * 2;
    LOOP(FP32, "ymm", "vmovups", a, b);
    return done;
}

__attribute__((target("avx512f"))) static double fp32_avx512(int64_t rounds, void *memory)
{
    __m512 a = _mm512_set1_ps(1.1f), b = _mm512_set1_ps(-.7f);
    double done = (double)rounds * ACC * 16 * 2;
    LOOP(FP32, "zmm", "vmovups", a, b);
    return done;
}

__attribute__((target("avx512f,avx512bf16"))) static double bf16_avx512(int64_t rounds, void *memory)
{
    __m512i a = _mm512_set1_epi32(0x3f8d3f8d), b = _mm512_set1_epi32((int)0xbf33bf33);   // about 1.1 and -0.7
    double done = (double)rounds * ACC * 32 * 2;
    LOOP(BF16, "zmm", "vmovups", a, b);
    return done;
}

__attribute__((target("avx512f,avx512vnni"))) static double int16_avx512(int64_t rounds, void *memory)
{
    __m512i a = _mm512_set1_epi32(0x5a37c911), b = _mm512_set1_epi32(0x2be4719d);
    double done = (double)rounds * ACC * 32 * 2;
    LOOP(INT16, "zmm", "vmovups", a, b);
    return done;
}

__attribute__((target("avx512f,avx512vnni"))) static double int8_avx512(int64_t rounds, void *memory)
{
    __m512i a = _mm512_set1_epi32(0x5a37c911), b = _mm512_set1_epi32(0x2be4719d);
    double done = (double)rounds * ACC * 64 * 2;
    LOOP(INT8, "zmm", "vmovups", a, b);
    return done;
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

int peaks(struct peak out[PEAKS], const char *isa)
{
    bool wide = __builtin_cpu_supports("avx512f") && !(isa && strcmp(isa, "avx2") == 0), narrow = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool amx = has_amx();
    const struct peak all[PEAKS] = {
        {"peak_fp32", "GFLOP/s", wide ? fp32_avx512 : narrow ? fp32_avx2 : NULL, F32, true},
        {"peak_bf16", "GFLOP/s", wide && __builtin_cpu_supports("avx512bf16") ? bf16_avx512 : NULL, BF16, true},
        {"peak_int16", "GOP/s", wide && __builtin_cpu_supports("avx512vnni") ? int16_avx512 : NULL, S16, true},
        {"peak_int8", "GOP/s", wide && __builtin_cpu_supports("avx512vnni") ? int8_avx512 : NULL, S8, true},
        {"peak_bf16_amx", "GFLOP/s", amx ? bf16_amx : NULL, BF16, false},
        {"peak_int8_amx", "GOP/s", amx ? int8_amx : NULL, S8, false},
        {"memory_triad", "GB/s", narrow ? triad_avx2 : NULL, F32, false},
    };
    memcpy(out, all, sizeof all);
    return PEAKS;
}

#else

int peaks(struct peak out[PEAKS], const char *isa) { return 0; }

#endif
