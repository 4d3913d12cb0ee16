// SPDX-License-Identifier: Apache-2.0
// The tagger's two walks, for each of its versions: the file that includes this has `sums`, a vector of 16 sums, with load_sums,
// store_sums, add_row, none of them, and best_lane, the index of the largest and of equals the first.
#ifndef CAPTION_TAGGER_ROWS_H
#define CAPTION_TAGGER_ROWS_H

#include "caption/tagger.h"

enum { TOGETHER = 4, WALKED = 256 };   // sentences side by side; their words at a time

struct walk {
    int16_t context[WALKED][TAGS] __attribute__((aligned(32)));   // what the words around say, whatever the tags before
    uint16_t classes[WALKED];                                     // this word's and the next one's
    uint8_t fixed[WALKED];                                        // the only tag it ever has, or NO_TAG
    int n;
};

// words: of the first, the two before and the two behind are there.
static inline void look_around(const struct table *t, const struct sentence *s, int from, struct walk *out)
{
    const struct weights *m = t->weights;
    const struct word *const *w = s->words + from;
    const struct pair_rows *behind = &t->pair_rows[w[0]->class][w[1]->class], *before = &t->pair_rows[w[1]->class][w[2]->class];
    const struct pair_rows *after = &t->pair_rows[w[2]->class][w[3]->class], *ahead;
    out->n = s->n - from < WALKED ? s->n - from : WALKED;
    for (int i = 0; i < out->n; i++, w++) {
        int at = from + i, a = w[1]->class, c = w[2]->class, b = w[3]->class;
        ahead = &t->pair_rows[b][w[4]->class];
        sums sum = add_row(none, w[2]->self);
        sum = add_row(sum, w[1]->before);
        sum = add_row(sum, w[3]->after);
        sum = add_row(sum, m->shape[s->shapes[at]][c]);
        sum = add_row(sum, m->shape_before[at > 0 ? s->shapes[at - 1] : LOWER]);
        sum = add_row(sum, m->shape_after[at + 1 < s->n ? s->shapes[at + 1] : LOWER]);
        sum = add_row(sum, m->pair_around[a][b]);
        sum = add_row(sum, before->before);
        sum = add_row(sum, after->after);
        sum = add_row(sum, ahead->ahead);
        sum = add_row(sum, behind->behind);
        store_sums(out->context[i], sum);
        out->classes[i] = (uint16_t)(c << 7 | b);
        out->fixed[i] = w[2]->tag;
        behind = before;
        before = after;
        after = ahead;
    }
}

static inline int next_tag(const struct table *t, const struct walk *w, int i, int before2, int before)
{
    const struct weights *m = t->weights;
    unsigned classes = w->classes[i];
    int c = (int)(classes >> 7), b = (int)(classes & (CLASSES - 1)), fixed = w->fixed[i];
    sums sum = add_row(load_sums(w->context[i]), m->tags[before2][before]);
    sum = add_row(sum, m->tag_class[before][c]);
    sum = add_row(sum, m->tag_after[before][b]);
    sum = add_row(sum, m->triple[triple_row(before, c, b)]);
    int best = best_lane(sum);
    return fixed == NO_TAG ? best : fixed;
}

// Each word waits for the tags before it: four sentences side by side wait together.
static inline void walk_all(const struct table *t, const struct sentence *s, int count)
{
    struct walk walks[TOGETHER];
    for (; count > 0; s += TOGETHER, count -= TOGETHER) {
        int before[TOGETHER], before2[TOGETHER], longest = 0, here = count < TOGETHER ? count : TOGETHER;
        for (int k = 0; k < TOGETHER; k++) {
            before[k] = before2[k] = NO_TAG;
            longest = k < here && s[k].n > longest ? s[k].n : longest;
            walks[k].n = 0;
        }
        for (int from = 0; from < longest; from += WALKED) {
            int most = 0;
            for (int k = 0; k < here; k++) {
                walks[k].n = 0;
                if (from < s[k].n)
                    look_around(t, &s[k], from, &walks[k]);
                most = walks[k].n > most ? walks[k].n : most;
            }
            for (int i = 0; i < most; i++)
                for (int k = 0; k < TOGETHER; k++)
                    if (i < walks[k].n) {
                        int tag = next_tag(t, &walks[k], i, before2[k], before[k]);
                        s[k].tags[(from + i) * s[k].stride] = (uint8_t)tag;
                        before2[k] = before[k];
                        before[k] = tag;
                    }
        }
    }
}

#endif
