// SPDX-License-Identifier: Apache-2.0
// The tagger's walk, for each of its versions: the file that includes this has `sums`, a vector of 16 sums, with load_sums, add_row,
// none of them; rank, of sums that are known early what best_lane asks for with the rest, the index of the largest of both together
// and of equals the first.
#ifndef CAPTION_TAGGER_ROWS_H
#define CAPTION_TAGGER_ROWS_H

#include "caption/tagger.h"

enum { LANES = 4, PLACES = 1024 };   // stretches of sentences side by side; of words at a time
enum { MARGIN = 2 };                 // places beside the words that they ask for

// Places in a row, and which rows each one asks for, whatever the tags before.
struct stretch {
    const struct table *table;
    const struct word *const *word;   // from the first place on, as the next two
    const uint8_t *class;
    uint8_t *tag;
    uint16_t pair[PLACES];            // its class and the next one's
    uint16_t around[PLACES];          // the class before and the next one's
    uint16_t written[PLACES];         // its class, and the shapes of the three
    uint32_t triple[PLACES];          // part of triple_row
};

static inline void find_rows(const struct tokens *s, int from, int n, struct stretch *out)
{
    const uint8_t *class = s->class + from, *shape = s->shape + from;
    for (int i = 0; i < n - 1; i++) {
        unsigned pair = (unsigned)class[i] << 7 | class[i + 1];
        out->pair[i] = (uint16_t)pair;
        out->triple[i] = triple_part(pair);
    }
    for (int i = 1; i < n - 1; i++) {
        out->around[i] = (uint16_t)(class[i - 1] << 7 | class[i + 1]);
        out->written[i] = (uint16_t)(written_row(shape[i - 1], shape[i], shape[i + 1]) << 7 | class[i]);
    }
    out->word = s->word + from;
    out->class = class;
    out->tag = s->tag + from;
}

static inline int next_tag(const struct stretch *s, int i)
{
    const struct table *t = s->table;
    const struct weights *m = t->weights;
    const struct word *const *w = s->word + i;
    const scores *arounds = (const scores *)m->pair_around;
    const struct pair_rows *pairs = (const struct pair_rows *)t->pair_rows;
    sums sum = add_row(load_sums(t->written[s->written[i]]), w[0]->self), other = add_row(none, w[-1]->before);
    sum = add_row(sum, w[1]->after);
    other = add_row(other, arounds[s->around[i]]);
    sum = add_row(sum, pairs[s->pair[i - 1]].before);
    other = add_row(other, pairs[s->pair[i]].after);
    sum = add_row(sum, pairs[s->pair[i + 1]].ahead);
    other = add_row(other, pairs[s->pair[i - 2]].behind);
    sums ranked = rank(sum + other);
    unsigned before = s->tag[i - 1], before2 = s->tag[i - 2];   // from here on it waits for them
    sum = add_row(none, m->tags[before2][before]);
    other = add_row(none, m->tag_class[before][s->class[i]]);
    sum = add_row(sum, m->tag_after[before][s->class[i + 1]]);
    other = add_row(other, m->triple[triple_of(before, s->triple[i])]);
    int best = best_lane(ranked, sum + other), fixed = w[0]->tag, free = -(fixed == NO_TAG);   // no branch: signs come as they like
    return fixed ^ ((fixed ^ best) & free);
}

// Each word waits for the tags before it: four stretches, whole sentences of about as many words, wait together.
static inline void walk(struct stretch *s, const int32_t *at, int n, int from)
{
    const int32_t *lane[LANES], *end = at + n, *next = at;
    int count[LANES], least = n, most = 0;
    for (int k = 0; k < LANES; k++) {
        const int32_t *to = at + (int64_t)n * (k + 1) / LANES;
        while (to < end && to > at && to[0] == to[-1] + 1)   // not where a sentence begins
            to++;
        lane[k] = next;
        count[k] = to > next ? (int)(to - next) : 0;
        next += count[k];
        least = count[k] < least ? count[k] : least;
        most = count[k] > most ? count[k] : most;
    }
    for (int step = 0; step < most; step++)
        for (int k = 0; k < LANES; k++) {
            if (step >= least && step >= count[k])
                continue;
            int i = lane[k][step] - from;
            s->tag[i] = (uint8_t)next_tag(s, i);
        }
}

static inline void walk_all(const struct table *t, const struct tokens *s)
{
    struct stretch stretch;
    stretch.table = t;
    for (int done = 0, n; done < s->n; done += n) {
        const int32_t *at = s->at + done;
        int from = at[0] - MARGIN;
        for (n = s->n - done; at[n - 1] + MARGIN - from >= PLACES;)
            n = n / 2;
        find_rows(s, from, at[n - 1] + MARGIN + 1 - from, &stretch);
        walk(&stretch, at, n, from);
    }
}

#endif
