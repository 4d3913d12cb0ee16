// SPDX-License-Identifier: Apache-2.0
// Batches of pictures ready for a tower: read, decoded, transformed or augmented by background threads, a few batches
// ahead. Every sample's random numbers come from (seed, step, place in the batch) alone: the same batches for a seed
// whatever the number of threads, and from any step on (loader_seek).
#ifndef DATA_LOADER_H
#define DATA_LOADER_H

#include <stdint.h>

#include "base/rng.h"
#include "data/source.h"
#include "image/augment.h"
#include "image/transform.h"

enum loader_mode {
    LOADER_SEQUENTIAL,   // every sample once, in order; the last batch may be smaller; then the end
    LOADER_SHUFFLED,     // endless epochs, each a new order; what does not fill a last batch is left for other epochs
    LOADER_DISTINCT,     // the same over distinct first captions, a random member of each: no caption twice in a batch
};

struct loader_options {
    const struct source *source;      // borrowed
    struct transform transform;
    const struct augment *augment;    // copied; NULL: the plain transform
    enum loader_mode mode;
    int batch;                        // samples a step
    int threads;                      // <= 0: one a processor
    int ahead;                        // batches prepared in advance; <= 0: 3
    uint64_t seed;
    int64_t cache_bytes;              // decoded pictures kept in memory; 0: none
    int64_t max_pixels;               // 0: IMAGE_MAX_PIXELS
};

struct batch {                        // lent until the next loader_next, loader_seek or loader_close
    int n;                            // samples; below the batch size where pictures turned out bad, may be 0
    int64_t step, epoch;
    const float *images;              // [n, 3, S, S]
    const int64_t *index;             // [n] into the source
    const struct rng *rng;            // [n] a fresh stream each, for the caption
};

struct loader_stats {
    int64_t samples;                  // delivered
    int64_t bad;                      // distinct samples whose picture could not be used (each logged once)
    double waited;                    // seconds loader_next waited for a batch
    int64_t cached_bytes;
};

struct loader;
int loader_open(struct loader **out, const struct loader_options *o);
void loader_close(struct loader *l);                              // any time; accepts NULL
int loader_next(struct loader *l, const struct batch **out);      // 1 a batch, 0 the end, EMEMORY_
int loader_seek(struct loader *l, int64_t step);                  // the next batch is this step's
int64_t loader_steps(const struct loader *l);                     // batches an epoch
struct loader_stats loader_stats(const struct loader *l);

#endif
