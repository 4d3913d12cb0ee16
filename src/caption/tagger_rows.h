// SPDX-License-Identifier: Apache-2.0
// The tagger's walk from left to right, for each of its versions: the file that includes this has `sums`, a vector of 16
// sums, with add_row, none of them, and best_lane, the index of the largest and of equals the first.
#ifndef CAPTION_TAGGER_ROWS_H
#define CAPTION_TAGGER_ROWS_H

#include "caption/tagger.h"

static inline void walk(const struct table *t, const struct word *const *words, const uint8_t *shapes, int n, uint8_t *tags)
{
    const struct weights *m = t->weights;
    int before = NO_TAG, before2 = NO_TAG;
    for (int i = 0; i < n; i++) {
        const struct word *const *w = words + i;   // w[0], w[1] before, w[2] this, w[3], w[4] after
        int tag = w[2]->tag;
        if (tag == NO_TAG) {
            int a2 = w[0]->class, a = w[1]->class, c = w[2]->class, b = w[3]->class, b2 = w[4]->class;
            const int8_t *rows[] = {   // the tags before come last: the next word waits for them alone
                w[2]->self, w[1]->before, w[3]->after,
                m->shape[shapes[i]][c], m->shape_after[i + 1 < n ? shapes[i + 1] : LOWER], m->shape_before[i > 0 ? shapes[i - 1] : LOWER],
                m->pair_before[a][c], m->pair_after[c][b], m->pair_around[a][b], m->pair_ahead[b][b2], m->pair_behind[a2][a],
                m->tags[before2][before], m->tag_class[before][c], m->tag_after[before][b], m->triple[triple_row(before, c, b)],
            };
            sums sum = none;
            for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
                sum = add_row(sum, rows[k]);
            tag = best_lane(sum);
        }
        tags[i] = (uint8_t)tag;
        before2 = before;
        before = tag;
    }
}

#endif
