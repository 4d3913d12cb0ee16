// SPDX-License-Identifier: Apache-2.0
#include "caption/tagger.h"

#include <string.h>

typedef int8_t row8 __attribute__((vector_size(16)));
typedef int16_t row16 __attribute__((vector_size(32)));

static inline void add_row(row16 *sum, const int8_t *of)
{
    row8 r;
    memcpy(&r, of, sizeof r);
    *sum += __builtin_convertvector(r, row16);
}

static inline void take_larger(row16 *a, const row16 *b)
{
    row16 which = *a > *b;
    *a = (*a & which) | (*b & ~which);
}

// The largest lane's index; of equals the first. Sums of at most 16 rows of int8 leave four bits for it.
static inline int best_lane(const row16 *sum)
{
    static const row16 last = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    row16 v = *sum * 16 + last, w;
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

void tag_words(const struct table *t, const struct word *const *words, const uint8_t *shapes, int n, uint8_t *tags)
{
    const struct weights *m = t->weights;
    int before = NO_TAG, before2 = NO_TAG;
    for (int i = 0; i < n; i++) {
        const struct word *const *w = words + i;   // w[0], w[1] before, w[2] this, w[3], w[4] after
        int tag = w[2]->tag;
        if (tag == NO_TAG) {
            int a2 = w[0]->class, a = w[1]->class, c = w[2]->class, b = w[3]->class, b2 = w[4]->class;
            const int8_t *rows[] = {
                w[2]->self, w[1]->before, w[3]->after,
                m->shape[shapes[i]][c], m->shape_after[i + 1 < n ? shapes[i + 1] : LOWER], m->shape_before[i > 0 ? shapes[i - 1] : LOWER],
                m->pair_before[a][c], m->pair_after[c][b], m->pair_around[a][b], m->pair_ahead[b][b2], m->pair_behind[a2][a],
                m->tags[before2][before], m->tag_class[before][c], m->tag_after[before][b], m->triple[triple_row(before, c, b)],
            };
            row16 sum = {0};
            for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
                add_row(&sum, rows[k]);
            tag = best_lane(&sum);
        }
        tags[i] = (uint8_t)tag;
        before2 = before;
        before = tag;
    }
}
