// SPDX-License-Identifier: Apache-2.0
// Random numbers that depend on (seed, stream) alone, and a permutation that needs no memory.
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t s[4];   // xoshiro256** (Blackman & Vigna 2018)
};

// A stream is a place in the work (a sample in an epoch, a tensor's index): the order of threads never matters.
struct rng rng_make(uint64_t seed, uint64_t stream);
uint64_t rng_mix(uint64_t a, uint64_t b);          // one well-mixed 64-bit value from two
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n);     // 0 .. n-1, unbiased; n > 0
double rng_uniform(struct rng *r);                 // [0, 1)
double rng_range(struct rng *r, double lo, double hi);
double rng_normal(struct rng *r);                  // N(0, 1)

// Position i of a pseudo-random permutation of 0 .. n-1 (Feistel network walked until in range), O(1) memory:
// the whole state of a shuffled epoch is (key, i).
uint64_t permute(uint64_t key, uint64_t n, uint64_t i);

#endif
