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

static inline void look_around(const struct table *t, const struct sentence *s, int from, struct walk *out)
{
    const struct weights *m = t->weights;
    const struct word *const *w = s->words + from, *left = w[1], *this = w[2], *right = w[3];
    const uint8_t *shape = s->shapes + from;
    unsigned a = left->class, c = this->class, b = right->class;
    const struct pair_rows *behind = &t->pair_rows[w[0]->class][a], *before = &t->pair_rows[a][c], *after = &t->pair_rows[c][b];
    int n = s->n - from < WALKED ? s->n - from : WALKED;
    for (int i = 0; i < n; i++) {
        const struct word *next = w[i + 4];
        unsigned b2 = next->class;
        const struct pair_rows *ahead = &t->pair_rows[b][b2];
        sums sum = load_sums(t->shape_sides[shape[i - 1]][shape[i + 1]]), other = none;
        sum = add_row(sum, this->self);
        other = add_row(other, left->before);
        sum = add_row(sum, right->after);
        other = add_row(other, m->shape[shape[i]][c]);
        sum = add_row(sum, m->pair_around[a][b]);
        other = add_row(other, before->before);
        sum = add_row(sum, after->after);
        other = add_row(other, ahead->ahead);
        sum = add_row(sum, behind->behind);
        store_sums(out->context[i], sum + other);
        out->classes[i] = (uint16_t)(c << 7 | b);
        out->fixed[i] = this->tag;
        behind = before;
        before = after;
        after = ahead;
        left = this;
        this = right;
        right = next;
        a = c;
        c = b;
        b = b2;
    }
    out->n = n;
}

static inline int next_tag(const struct table *t, const struct walk *w, int i, int before2, int before)
{
    const struct weights *m = t->weights;
    unsigned classes = w->classes[i];
    int c = (int)(classes >> 7), b = (int)(classes & (CLASSES - 1)), fixed = w->fixed[i];
    sums sum = add_row(load_sums(w->context[i]), m->tags[before2][before]), other = add_row(none, m->tag_class[before][c]);
    sum = add_row(sum, m->tag_after[before][b]);
    other = add_row(other, m->triple[triple_row(before, c, b)]);
    int best = best_lane(sum + other);
    int free = -(fixed == NO_TAG);   // no branch: signs come as they like
    return (best & free) | (fixed & ~free);
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
