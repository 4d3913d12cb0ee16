// SPDX-License-Identifier: Apache-2.0
// The tagger's two walks, for each of its versions: the file that includes this has `sums`, a vector of 16 sums, with load_sums,
// store_sums, add_row, none of them, and best_lane, the index of the largest and of equals the first.
#ifndef CAPTION_TAGGER_ROWS_H
#define CAPTION_TAGGER_ROWS_H

#include "caption/tagger.h"

enum { LANES = 4, STEPS = 64 };   // stretches of sentences side by side; words of each at a time

struct step {
    int16_t context[TAGS] __attribute__((aligned(32)));   // what the words around say, whatever the tags before
    uint16_t classes;                                     // this word's and the next one's
    uint8_t fixed;                                        // the only tag it ever has, or NO_TAG
    bool begins;                                          // a sentence
};

static inline void look_around(const struct table *t, const struct tokens *s, int at, struct step *out)
{
    const struct weights *m = t->weights;
    const struct word *const *w = s->word + at;
    const uint8_t *shape = s->shape + at;
    unsigned a2 = w[-2]->class, a = w[-1]->class, c = w[0]->class, b = w[1]->class, b2 = w[2]->class;
    sums sum = load_sums(t->shape_sides[shape[-1]][shape[1]]), other = none;
    sum = add_row(sum, w[0]->self);
    other = add_row(other, w[-1]->before);
    sum = add_row(sum, w[1]->after);
    other = add_row(other, m->shape[shape[0]][c]);
    sum = add_row(sum, m->pair_around[a][b]);
    other = add_row(other, t->pair_rows[a][c].before);
    sum = add_row(sum, t->pair_rows[c][b].after);
    other = add_row(other, t->pair_rows[b][b2].ahead);
    sum = add_row(sum, t->pair_rows[a2][a].behind);
    store_sums(out->context, sum + other);
    out->classes = (uint16_t)(c << 7 | b);
    out->fixed = w[0]->tag;
}

static inline int next_tag(const struct table *t, const struct step *w, int before2, int before)
{
    const struct weights *m = t->weights;
    unsigned classes = w->classes, c = classes >> 7, b = classes & (CLASSES - 1);
    sums sum = add_row(load_sums(w->context), m->tags[before2][before]), other = add_row(none, m->tag_class[before][c]);
    sum = add_row(sum, m->tag_after[before][b]);
    other = add_row(other, m->triple[triple_row(before, (int)c, (int)b)]);
    int best = best_lane(sum + other), fixed = w->fixed, free = -(fixed == NO_TAG);   // no branch: signs come as they like
    return fixed ^ ((fixed ^ best) & free);
}

static inline bool begins_sentence(const int32_t *at) { return at[0] != at[-1] + 1; }

// Each word waits for the tags before it: four stretches, whole sentences of about as many words, wait together.
static inline void walk_all(const struct table *t, const struct tokens *s)
{
    struct step steps[LANES][STEPS];
    const int32_t *lane[LANES], *lane_end[LANES], *from = s->at, *end = s->at + s->n;
    uint8_t *tags[LANES];
    int before[LANES], before2[LANES];
    for (int k = 0; k < LANES; k++) {
        const int32_t *to = s->at + (int64_t)s->n * (k + 1) / LANES;
        while (to < end && to > s->at && !begins_sentence(to))
            to++;
        lane[k] = from;
        tags[k] = s->tag + (from - s->at);
        lane_end[k] = from = to > from ? to : from;
        before[k] = before2[k] = NO_TAG;
    }
    for (;;) {
        int least = STEPS, most = 0, count[LANES];
        for (int k = 0; k < LANES; k++) {
            int n = (int)(lane_end[k] - lane[k]), last = -2;
            count[k] = n < STEPS ? n : STEPS;
            least = count[k] < least ? count[k] : least;
            most = count[k] > most ? count[k] : most;
            if (count[k] && lane[k] > s->at)
                last = lane[k][-1];
            for (int i = 0; i < count[k]; i++) {
                int at = lane[k][i];
                look_around(t, s, at, &steps[k][i]);
                steps[k][i].begins = at != last + 1;
                last = at;
            }
        }
        if (most == 0)
            return;
        for (int i = 0; i < most; i++)
            for (int k = 0; k < LANES; k++) {
                if (i >= least && i >= count[k])
                    continue;
                const struct step *step = &steps[k][i];
                if (step->begins)
                    before[k] = before2[k] = NO_TAG;
                int tag = next_tag(t, step, before2[k], before[k]);
                before2[k] = before[k];
                before[k] = tag;
                tags[k][i] = (uint8_t)tag;
            }
        for (int k = 0; k < LANES; k++) {
            lane[k] += count[k];
            tags[k] += count[k];
        }
    }
}

#endif
