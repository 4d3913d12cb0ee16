// SPDX-License-Identifier: Apache-2.0
// One vector of floats, as wide as the instruction set the file is compiled for, and the functions the rows need.
// GNU vector arithmetic; intrinsics only for what it cannot say (masks, maxima, roots).
#ifndef KERNEL_SIMD_H
#define KERNEL_SIMD_H

#include <immintrin.h>
#include <math.h>

#include "kernel/inner.h"

#define ALWAYS static inline __attribute__((always_inline))
#ifdef __clang__   // which passes over gcc's word for it, and keeps arrays of vectors in memory unless told "full"
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#ifdef __AVX512F__
enum { VL = 16 };
#define NAMED(f) f##_avx512
typedef float vf __attribute__((vector_size(64)));
typedef float vf_any __attribute__((vector_size(64), aligned(4), may_alias));
typedef int vi __attribute__((vector_size(64)));

// The first n lanes; none where n is negative.
ALWAYS __mmask16 lanes(int64_t n)
{
    return (__mmask16)(n >= 16 ? 0xffff : n > 0 ? (1u << n) - 1 : 0);
}
ALWAYS vf v_load_n(const float *p, int64_t n) { return (vf)_mm512_maskz_loadu_ps(lanes(n), p); }
ALWAYS vf v_load_or(const float *p, int64_t n, vf other) { return (vf)_mm512_mask_loadu_ps((__m512)other, lanes(n), p); }
ALWAYS void v_store_n(float *p, vf v, int64_t n) { _mm512_mask_storeu_ps(p, lanes(n), (__m512)v); }
ALWAYS vf v_max(vf a, vf b) { return (vf)_mm512_max_ps((__m512)a, (__m512)b); }
ALWAYS vf v_min(vf a, vf b) { return (vf)_mm512_min_ps((__m512)a, (__m512)b); }
ALWAYS vf v_sqrt(vf a) { return (vf)_mm512_sqrt_ps((__m512)a); }
ALWAYS vf v_about_inverse(vf a) { return (vf)_mm512_rcp14_ps((__m512)a); }
ALWAYS vi v_nearest(vf a) { return (vi)_mm512_cvtps_epi32((__m512)a); }
ALWAYS vf v_float(vi a) { return (vf)_mm512_cvtepi32_ps((__m512i)a); }
#else
enum { VL = 8 };
#define NAMED(f) f##_avx2
typedef float vf __attribute__((vector_size(32)));
typedef float vf_any __attribute__((vector_size(32), aligned(4), may_alias));
typedef int vi __attribute__((vector_size(32)));

ALWAYS __m256i lanes(int64_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n > 8 ? 8 : n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
ALWAYS vf v_load_n(const float *p, int64_t n) { return (vf)_mm256_maskload_ps(p, lanes(n)); }
ALWAYS vf v_load_or(const float *p, int64_t n, vf other)   // the first n lanes, `other`'s in the rest
{
    return (vf)_mm256_blendv_ps((__m256)other, (__m256)v_load_n(p, n), (__m256)lanes(n));
}
ALWAYS void v_store_n(float *p, vf v, int64_t n) { _mm256_maskstore_ps(p, lanes(n), (__m256)v); }
ALWAYS vf v_max(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
ALWAYS vf v_min(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
ALWAYS vf v_sqrt(vf a) { return (vf)_mm256_sqrt_ps((__m256)a); }
ALWAYS vf v_about_inverse(vf a) { return (vf)_mm256_rcp_ps((__m256)a); }
ALWAYS vi v_nearest(vf a) { return (vi)_mm256_cvtps_epi32((__m256)a); }
ALWAYS vf v_float(vi a) { return (vf)_mm256_cvtepi32_ps((__m256i)a); }
#endif

ALWAYS vf v_load(const float *p) { return *(const vf_any *)p; }
ALWAYS void v_store(float *p, vf v) { *(vf_any *)p = v; }
ALWAYS vf v_all(float x) { return x - (vf){0}; }

// VL x VL words, turned in place.
#ifdef __AVX512F__
ALWAYS void v_turn(vi r[VL])
{
    __m512i t[VL], *x = (__m512i *)r;
UNROLL
    for (int i = 0; i < 16; i += 2) {   // pairs of rows
        t[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
    }
UNROLL
    for (int i = 0; i < 16; i += 4)     // fours
UNROLL
        for (int j = 0; j < 2; j++) {
            x[i + 2 * j] = _mm512_unpacklo_epi64(t[i + j], t[i + j + 2]);
            x[i + 2 * j + 1] = _mm512_unpackhi_epi64(t[i + j], t[i + j + 2]);
        }
    // x[4 g + c], quarter q: words of column 4 q + c, rows 4 g .. 4 g + 3
UNROLL
    for (int c = 0; c < 4; c++) {
        __m512i low0 = _mm512_shuffle_i32x4(x[c], x[4 + c], 0x88), low1 = _mm512_shuffle_i32x4(x[8 + c], x[12 + c], 0x88);
        __m512i high0 = _mm512_shuffle_i32x4(x[c], x[4 + c], 0xdd), high1 = _mm512_shuffle_i32x4(x[8 + c], x[12 + c], 0xdd);
        t[c] = _mm512_shuffle_i32x4(low0, low1, 0x88);         // q = 0
        t[4 + c] = _mm512_shuffle_i32x4(high0, high1, 0x88);   // q = 1
        t[8 + c] = _mm512_shuffle_i32x4(low0, low1, 0xdd);     // q = 2
        t[12 + c] = _mm512_shuffle_i32x4(high0, high1, 0xdd);  // q = 3
    }
UNROLL
    for (int i = 0; i < 16; i++)
        x[i] = t[i];
}
#else
ALWAYS void v_turn(vi r[VL])
{
    __m256i t[VL], *x = (__m256i *)r;
UNROLL
    for (int i = 0; i < 8; i += 2) {    // pairs of rows
        t[i] = _mm256_unpacklo_epi32(x[i], x[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(x[i], x[i + 1]);
    }
UNROLL
    for (int i = 0; i < 8; i += 4)      // fours: x[4 g + c], half h: words of column 4 h + c, rows 4 g .. 4 g + 3
UNROLL
        for (int j = 0; j < 2; j++) {
            x[i + 2 * j] = _mm256_unpacklo_epi64(t[i + j], t[i + j + 2]);
            x[i + 2 * j + 1] = _mm256_unpackhi_epi64(t[i + j], t[i + j + 2]);
        }
UNROLL
    for (int c = 0; c < 4; c++) {
        t[c] = _mm256_permute2x128_si256(x[c], x[4 + c], 0x20);
        t[4 + c] = _mm256_permute2x128_si256(x[c], x[4 + c], 0x31);
    }
UNROLL
    for (int i = 0; i < 8; i++)
        x[i] = t[i];
}
#endif

// out[i] = elements 0 .. VL - 1 of each of up to VL rows, `stride` apart, of which `k` exist: a square, turned.
ALWAYS void v_square(vf out[VL], const float *from, int64_t stride, int64_t rows, int64_t k)
{
UNROLL
    for (int i = 0; i < VL; i++)
        out[i] = i < rows ? v_load_n(from + i * stride, k) : v_all(0);
    v_turn((vi *)out);
}

// Lanes added in halves: a fixed order.
ALWAYS float v_sum(vf v)
{
#ifdef __AVX512F__
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256((__m512)v), _mm512_extractf32x8_ps((__m512)v, 1));
#else
    __m256 eight = (__m256)v;
#endif
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

ALWAYS float v_top(vf v)
{
#ifdef __AVX512F__
    __m256 eight = _mm256_max_ps(_mm512_castps512_ps256((__m512)v), _mm512_extractf32x8_ps((__m512)v, 1));
#else
    __m256 eight = (__m256)v;
#endif
    __m128 x = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
}

// 1 / a for normal a, to about an ulp: the processor's guess and one Newton step (14 or 12 bits become 23 and more).
ALWAYS vf v_inverse(vf a)
{
    vf r = v_about_inverse(a);
    return r + r * (1 - a * r);
}

// e^x to 2 ulp (Cephes' polynomial); below -87.3 the smallest normal, above 88.3 clamped.
ALWAYS vf v_exp(vf x)
{
    x = v_max(v_min(x, v_all(88.3f)), v_all(-87.3f));
    vi n = v_nearest(x * 1.44269504f);
    vf nf = v_float(n), r = x - nf * 0.693359375f;
    r = r - nf * -2.12194440e-4f;
    vf p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1;
    return (vf)((vi)p + (n << 23));
}

ALWAYS vf v_choose(vi mask, vf yes, vf no) { return (vf)(((vi)yes & mask) | ((vi)no & ~mask)); }

// e^(-x^2/2), as exact as its exponent's rounding leaves it (a fit of 2^r to 7.5e-8); the smallest normal below 2^-126.
ALWAYS vf v_bell(vf x)
{
    vf t = v_max(x * x * -.721347520f, v_all(-126));
    vi n = v_nearest(t);
    vf r = t - v_float(n), p = r * 1.327647132e-3f + 9.675541491e-3f;
    p = p * r + 5.550713277e-2f;
    p = p * r + 2.402211972e-1f;
    p = p * r + 6.931469671e-1f;
    p = p * r + 1.000000072f;
    return (vf)((vi)p + (n << 23));
}

// Where x is negative p, else 1 - p.
ALWAYS vf v_tail(vf x, vf p)
{
#ifdef __AVX512F__
    return (vf)_mm512_mask_sub_ps((__m512)p, _mm512_cmp_ps_mask((__m512)x, _mm512_setzero_ps(), _CMP_NLT_UQ), _mm512_set1_ps(1), (__m512)p);
#else
    return (vf)_mm256_blendv_ps((__m256)(1 - p), (__m256)p, (__m256)x);
#endif
}

// The normal distribution Phi(x), and e^(-x^2/2) on the way: Phi(-t) = e^(-t^2/2) u poly(u), u = 1 / (1 + 0.35 t), a
// minimax fit to 3.2e-8 over t = 0 .. 13.3. The small tail keeps its relative precision, and slopes need the same e^.
ALWAYS vf v_normal(vf x, vf *bell)
{
    vf u = v_inverse(1 + 0.35f * (vf)((vi)x & 0x7fffffff));
    *bell = v_bell(x);
    vf p = u * -2.911501564e-2f + 1.438184083e-1f;
    p = p * u + -2.553910017e-1f;
    p = p * u + 1.587965637e-1f;
    p = p * u + -2.284342237e-2f;
    p = p * u + 1.053921431e-1f;
    p = p * u + 1.198630854e-1f;
    p = p * u + 1.398575604e-1f;
    p = p * u + 1.396216601e-1f;
    return v_tail(x, p * (u * *bell));
}

ALWAYS vf v_sigmoid(vf x) { return v_inverse(1 + v_exp(-x)); }
ALWAYS vf v_gelu(vf x)
{
    vf bell;
    return x * v_normal(x, &bell);
}

ALWAYS vf v_quick_gelu(vf x) { return x * v_sigmoid(1.702f * x); }

ALWAYS vf v_gelu_slope(vf x, vf *value)
{
    vf bell, phi = v_normal(x, &bell);
    *value = x * phi;
    return phi + x * (0.398942280f * bell);
}

ALWAYS vf v_quick_gelu_slope(vf x, vf *value)
{
    vf e = v_exp(-1.702f * x), s = v_inverse(1 + e);
    *value = x * s;
    return s + 1.702f * x * s * (e * s);   // 1 - s = e s: no digits lost where s is near 1
}

// The parts of one instruction set's table, each in its own file.
void NAMED(pack)(void *to, const void *b, int64_t b_k, int64_t b_col, int64_t k, int64_t n);
void NAMED(pack_rows)(void *to, struct quant *quant, const void *a, int64_t a_row, int64_t a_k, int64_t m, int64_t k);
void NAMED(product)(const struct product *p);
extern const struct engine NAMED(rounded);   // bfloat16 as floats
void NAMED(attention)(const struct attend *p);
void NAMED(attention_backward)(const struct attend *p);

#ifdef __AVX512F__
enum { HEIGHT = 14, PANEL = 2 * VL };   // 28 accumulators, 2 columns of b, 1 of a: 31 of 32 registers
#else
enum { HEIGHT = 6, PANEL = 2 * VL };    // 12 + 2 + 1 of 16
#endif

#endif
