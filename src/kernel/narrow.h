// SPDX-License-Identifier: Apache-2.0
// The engines of narrow numbers.
#ifndef KERNEL_NARROW_H
#define KERNEL_NARROW_H

#include "kernel/engine.h"

enum { NARROW_PANEL = 32 };   // of every one of them, so that what is packed is the same
enum { NARROW_WORD = 32767 };  // the largest code of a 16-bit word
#define NARROW_LEAST 1e-30f   // a column that nowhere exceeds it is zero: its scale has an inverse

extern const struct engine narrow_ref_bf16, narrow_ref_bytes, narrow_ref_words;   // plain loops
extern const struct engine narrow_dot_bf16, narrow_dot_bytes;         // AVX-512 BF16, VNNI
extern const struct engine narrow_words;                              // AVX-512 VNNI: 16-bit words in bfloat16's stead
extern const struct engine rounded_avx2, rounded_avx512;              // bfloat16 held as floats
extern const struct engine narrow_tile_bf16, narrow_tile_bytes;       // AMX

extern const struct weigh weigh_words;                                // beside them and beside bytes

bool has_amx(void);   // and the kernel lets us use it

void narrow_pack_bytes(void *to, const void *b, int64_t b_k, int64_t b_col, int64_t k, int64_t n);
struct quant narrow_quant(float lowest, float highest);

// What k numbers x, `stride` apart, are multiplied by to become words, so that no sum of products of two such rows leaves 32
// bits; 0: they are all zero. `squares`: what their squares add up to, if it did not leave float's range.
float narrow_words_inverse(float squares, const float *x, int64_t stride, int64_t k);
static inline float narrow_words_scale(float inverse) { return inverse == 0 ? 0 : 1 / inverse; }   // what a code stands for

#endif
