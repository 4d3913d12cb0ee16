// SPDX-License-Identifier: Apache-2.0
// A parse as text.
#ifndef TASK_PARSE_H
#define TASK_PARSE_H

#include "base/buf.h"
#include "caption/caption.h"

void parse_json(struct buf *out, const struct parser *p);      // one line with its end
void parse_explain(struct buf *out, const struct parser *p);   // several, then an empty one

// Adds the objects' and attributes' lemmas, 'o' or 'a' before them, each once a caption: how many captions have it. EMEMORY_.
struct map;
int parse_concepts(struct map *to, const struct parser *p);
// Lines of all of them, added up, most frequent first. EMEMORY_.
int parse_concepts_write(struct buf *out, struct map *const *counts, int n, bool json);

// Of LINES_AT_ONCE captions each, one a worker. What was opened is in *out and *count whatever is returned.
int parsers_open(struct parsers ***out, int *count, int wanted, const struct table *table);
void parsers_close(struct parsers **all, int count);

// What drops a parsed caption, "unparsable" (another language, or no object), "complexity" or "action"; or "kept".
const char *parse_reason(const struct parser *p, int complexity, bool need_action);

#endif
