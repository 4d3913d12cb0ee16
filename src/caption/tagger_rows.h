// SPDX-License-Identifier: Apache-2.0
// The tagger's walk, for each of its versions: the file that includes this has `sums`, a vector of 16 sums, with load_sums, add_row,
// none of them; best_lane, the index of the largest and of equals the first.
#ifndef CAPTION_TAGGER_ROWS_H
#define CAPTION_TAGGER_ROWS_H

#include <string.h>

#include "caption/tagger.h"

enum { LANES = 3, PLACES = 2048 };   // stretches of sentences side by side; of words at a time
enum { MARGIN = 2 };                 // places beside the words that they ask for
enum { ROUND = 32 };                 // places whose rows are found at once

// Places in a row, and which rows each one asks for, whatever the tags before: how many bytes into the table's.
struct stretch {
    const struct rows *rows;
    const struct weights *weights;
    const struct word *const *word;        // from the first place on, as the next
    uint8_t *tag;
    uint32_t pair[PLACES + ROUND];         // its class and the next one's
    uint32_t triple[PLACES + ROUND];       // part of triple_row
    uint16_t around[PLACES + ROUND];       // the class before and the next one's: /4
    uint16_t written[PLACES + ROUND];      // its class, and the shapes of the three: /8
    uint16_t class[PLACES + ROUND];        // rows for its class, whatever the tag before: /4
    uint8_t classes[1 + PLACES + 2 * ROUND], shapes[1 + PLACES + 2 * ROUND];   // of the one before the first, and so on
};

static inline void find_rows(const struct tokens *s, int from, int n, struct stretch *out)
{
    memcpy(out->classes + 1, s->class + from, (size_t)n);
    memcpy(out->shapes + 1, s->shape + from, (size_t)n);
    memset(out->classes + 1 + n, 0, ROUND + 1);
    memset(out->shapes + 1 + n, 0, ROUND + 1);
    for (int i = 0; i < n; i += ROUND) {   // whole rounds: loops of a known length
        const uint8_t *class = out->classes + 1 + i, *shape = out->shapes + 1 + i;
        for (int k = 0; k < ROUND; k++) {
            uint32_t pair = (uint32_t)class[k] << 7 | class[k + 1];
            out->pair[i + k] = pair * sizeof(struct pair_rows);
            out->triple[i + k] = triple_part(pair);
        }
        for (int k = 0; k < ROUND; k++) {
            out->around[i + k] = (uint16_t)((class[k - 1] << 7 | class[k + 1]) * (int)(sizeof(scores) / 4));
            out->class[i + k] = (uint16_t)(class[k] * (int)(sizeof out->rows->class[0] / 4));
        }
        for (int k = 0; k < ROUND; k++)
            out->written[i + k] = (uint16_t)((written_row(shape[k - 1], shape[k], shape[k + 1]) << 7 | class[k]) * 4);
    }
    out->word = s->word + from;
    out->tag = s->tag + from;
}

static inline int next_tag(const struct stretch *s, int i)
{
    const struct rows *r = s->rows;
    const struct weights *m = s->weights;
    const struct word *const *w = s->word + i;
    const int8_t *pairs = (const int8_t *)r->pair, *tags = (const int8_t *)r->tags, *here = (const int8_t *)r->class + 4 * (size_t)s->class[i],
                 *next = (const int8_t *)r->class[0][1] + 4 * (size_t)s->class[i + 1];
    enum { BEFORE = offsetof(struct pair_rows, before), AFTER = offsetof(struct pair_rows, after), AHEAD = offsetof(struct pair_rows, ahead),
           BEHIND = offsetof(struct pair_rows, behind) };
    sums sum = add_row(load_sums((const int16_t *)((const char *)r->written + 8 * (size_t)s->written[i])), w[0]->self);
    sum = add_row(sum, w[-1]->before);
    sum = add_row(sum, w[1]->after);
    sum = add_row(sum, (const int8_t *)m->pair_around + 4 * (size_t)s->around[i]);
    sum = add_row(sum, pairs + s->pair[i - 1] + BEFORE);
    sum = add_row(sum, pairs + s->pair[i] + AFTER);
    sum = add_row(sum, pairs + s->pair[i + 1] + AHEAD);
    sum = add_row(sum, pairs + s->pair[i - 2] + BEHIND);
    size_t before = s->tag[i - 1], before2 = s->tag[i - 2], row = before * sizeof(scores);   // from here on it waits for them
    sums late = add_row(none, tags + before2 * sizeof r->tags[0] + row), more = add_row(none, here + row);
    late = add_row(late, next + row);
    more = add_row(more, m->triple[triple_of((unsigned)before, s->triple[i])]);
    return best_lane(sum + (late + more));
}

// Each word waits for the tags before it: three stretches of about as many words wait together. One begins where the two tags before
// are known: at a sentence's start, or behind two words that have but one tag each.
static inline void walk(struct stretch *s, const int32_t *at, int n, int from)
{
    const int32_t *lane[LANES], *end = at + n, *next = at;
    int count[LANES], least = n, most = 0;
    for (int k = 0; k < LANES; k++) {
        const int32_t *to = at + (int64_t)n * (k + 1) / LANES;
        while (to < end && to > at && to[0] - to[-1] <= MARGIN)
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
    stretch.rows = t->rows;
    stretch.weights = t->weights;
    stretch.classes[0] = stretch.shapes[0] = 0;   // no word asks for what is made of these
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
