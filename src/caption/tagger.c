// SPDX-License-Identifier: Apache-2.0
#include "caption/tagger.h"

#include <string.h>

#include "caption/chosen.h"

typedef int8_t row8 __attribute__((vector_size(16)));
typedef int16_t row16 __attribute__((vector_size(32)));
typedef row16 sums;
static const sums none;

static inline sums load_sums(const int16_t *from)
{
    sums sum;
    memcpy(&sum, from, sizeof sum);
    return sum;
}

static inline sums add_row(sums sum, const int8_t *of)
{
    row8 r;
    memcpy(&r, of, sizeof r);
    return sum + __builtin_convertvector(r, row16);
}

static inline void take_larger(row16 *a, const row16 *b)
{
    row16 which = *a > *b;
    *a = (*a & which) | (*b & ~which);
}

// Sums of at most 16 rows of int8 leave four bits for the lane.
static inline int best_lane(sums sum)
{
    static const row16 last = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    row16 v = sum * 16 + last, w;
    w = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    take_larger(&v, &w);
    w = __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
    take_larger(&v, &w);
    w = __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
    take_larger(&v, &w);
    w = __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
    take_larger(&v, &w);
    return 15 - (v[0] & 15);
}

#include "caption/tagger_rows.h"

void tag_words_ref(const struct table *t, const struct tokens *s) { walk_all(t, s); }

void tag_words(const struct table *t, const struct tokens *s)
{
    CHOSEN(tagger, AVX2_OR(tag_words_avx2, tag_words_ref))(t, s);
}
