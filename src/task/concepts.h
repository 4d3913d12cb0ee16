// SPDX-License-Identifier: Apache-2.0
// Captions as training sees them: sampled from label and tags; and the words of both as soft targets of the
// image's concept head.
#ifndef TASK_CONCEPTS_H
#define TASK_CONCEPTS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/rng.h"

struct caption_rule {
    double label_p;   // chance that the label stays
    double tags_p;    // chance that there are tags at all
    double tag_p;     // chance of each tag then
};

// Append one caption: the parts that were drawn, in random order, joined by ", "; the label alone when none was.
// `tags` is a comma-separated list ("" or NULL: none).
void caption_sample(struct buf *out, const char *label, const char *tags, const struct caption_rule *rule,
                    struct rng *rng);

// The words of labels and tags that occur in at least `least` samples, each a class of the concept head.
struct concepts;
struct concepts *concepts_new(void);   // NULL: out of memory
void concepts_free(struct concepts *c);
int concepts_count(struct concepts *c, const char *label, const char *tags);   // one sample's words, first pass
int concepts_finish(struct concepts *c, int64_t least);                        // EUSAGE_ when no word is left
int64_t concepts_classes(const struct concepts *c);
enum { CONCEPTS_MAX = 64 };   // words kept of one sample
// The sample's target: classes and weights (label words 1, tag words 0.5, times idf = ln(samples / samples with the
// word), normalised to sum 1), unused places index -1. Returns how many.
int concepts_target(const struct concepts *c, const char *label, const char *tags, int32_t index[CONCEPTS_MAX],
                    float prob[CONCEPTS_MAX]);
// Class names in order, a line each, for the checkpoint; the caller frees.
char *concepts_names(const struct concepts *c);

#endif
