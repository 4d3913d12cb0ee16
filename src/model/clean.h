// SPDX-License-Identifier: Apache-2.0
// Captions as the reference sees them before it splits them into words: a list of steps over code points.
#ifndef MODEL_CLEAN_H
#define MODEL_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct runes {           // code points being worked on
    int32_t *at;
    size_t len, room;
    int failed;          // EMEMORY_ once one did not fit
};

struct clean {           // working memory, kept from text to text; all zero to start with
    struct runes a, b, line, next, chars;
};
void clean_free(struct clean *c);

// The cleaned text into `out` (cleared first), UTF-8: entities decoded, quotes straightened, control characters gone,
// white space as single spaces, lower case. EMEMORY_.
int clean_text(struct clean *c, struct buf *out, const char *text, size_t len);

void runes_put(struct runes *r, int32_t c);

// The steps, each from `in` into `out` (empty at the start).
void step_fix(struct clean *c, struct runes *out, const struct runes *in);        // fix.c
void step_unescape(struct clean *c, struct runes *out, const struct runes *in);   // unescape.c
// One reference at in[*i] (an '&') by HTML's rules, or by the stricter ones (a name of letters, ';' needed): puts what
// it stands for, or what is to stay, and moves *i past it.
void unescape_one(struct runes *out, const struct runes *in, size_t *i);
void unescape_strict(struct runes *out, const struct runes *in, size_t *i);

#endif
