// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include <math.h>

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = *x += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t rng_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a;
    x = splitmix(&x) ^ b;
    return splitmix(&x);
}

struct rng rng_make(uint64_t seed, uint64_t stream)
{
    uint64_t x = rng_mix(seed, stream);
    struct rng r;
    for (int i = 0; i < 4; i++)
        r.s[i] = splitmix(&x);
    return r;
}

static uint64_t rotl(uint64_t x, int k) { return x << k | x >> (64 - k); }

uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s, out = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return out;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    uint64_t floor_ = -n % n, x;   // reject the short last stretch: unbiased
    do
        x = rng_next(r);
    while (x < floor_);
    return x % n;
}

double rng_uniform(struct rng *r) { return (double)(rng_next(r) >> 11) * 0x1p-53; }
double rng_range(struct rng *r, double lo, double hi) { return lo + (hi - lo) * rng_uniform(r); }

double rng_normal(struct rng *r)
{
    double u = 1 - rng_uniform(r), v = rng_uniform(r);
    return sqrt(-2 * log(u)) * cos(6.283185307179586477 * v);
}

uint64_t permute(uint64_t key, uint64_t n, uint64_t i)
{
    int half = 1;
    while (half < 32 && (uint64_t)1 << (2 * half) < n)
        half++;
    uint64_t mask = ((uint64_t)1 << half) - 1;
    do {
        uint64_t l = i >> half, r = i & mask;
        for (uint64_t round = 0; round < 6; round++) {
            uint64_t f = rng_mix(rng_mix(key, round), r) & mask;
            uint64_t t = l ^ f;
            l = r;
            r = t;
        }
        i = l << half | r;
    } while (i >= n);
    return i;
}
