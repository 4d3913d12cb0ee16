// SPDX-License-Identifier: Apache-2.0
#include "caption/tagger.h"

#include <string.h>

typedef int8_t row8 __attribute__((vector_size(16)));
typedef int16_t row16 __attribute__((vector_size(32)));

static inline __attribute__((always_inline)) row16 row(const int8_t *of)
{
    row8 r;
    memcpy(&r, of, sizeof r);
    return __builtin_convertvector(r, row16);
}

static inline __attribute__((always_inline)) row16 larger(row16 a, row16 b)
{
    row16 which = a > b;
    return (a & which) | (b & ~which);
}

// The largest lane's index; of equals the first. Sums of at most 16 rows of int8 leave four bits for it.
static inline __attribute__((always_inline)) int best_lane(row16 sum)
{
    static const row16 last = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    row16 v = sum * 16 + last, w;
    w = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    v = larger(v, w);
    w = __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
    v = larger(v, w);
    w = __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
    v = larger(v, w);
    w = __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
    v = larger(v, w);
    return 15 - (v[0] & 15);
}

// Widening and adding sixteen lanes is one instruction each where there is AVX2; the loader picks the clone.
__attribute__((target_clones("avx2", "default")))
void tag_words(const struct table *t, const struct word *const *words, const uint8_t *shapes, int n, uint8_t *tags)
{
    const struct weights *m = t->weights;
    int before = NO_TAG, before2 = NO_TAG;
    for (int i = 0; i < n; i++) {
        const struct word *const *w = words + i;   // w[0], w[1] before, w[2] this, w[3], w[4] after
        int tag = w[2]->tag;
        if (tag == NO_TAG) {
            int a2 = w[0]->class, a = w[1]->class, c = w[2]->class, b = w[3]->class, b2 = w[4]->class;
            row16 sum = row(w[2]->self) + row(w[1]->before) + row(w[3]->after);
            sum += row(m->shape[shapes[i]][c]) + row(m->shape_after[i + 1 < n ? shapes[i + 1] : LOWER]) +
                   row(m->shape_before[i > 0 ? shapes[i - 1] : LOWER]);
            sum += row(m->pair_before[a][c]) + row(m->pair_after[c][b]) + row(m->pair_around[a][b]);
            sum += row(m->pair_ahead[b][b2]) + row(m->pair_behind[a2][a]);
            sum += row(m->tags[before2][before]) + row(m->tag_class[before][c]) + row(m->tag_after[before][b]);
            sum += row(m->triple[triple_row(before, c, b)]);
            tag = best_lane(sum);
        }
        tags[i] = (uint8_t)tag;
        before2 = before;
        before = tag;
    }
}
