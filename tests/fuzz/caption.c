// SPDX-License-Identifier: Apache-2.0
// A caption of any bytes: it comes back, its parse points into itself, and it parses the same again.
#include <string.h>

#include "caption/caption.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct table *table;
    static struct parser *p;
    char lemma[80];
    if (!table) {
        MUST(table_open(&table, NULL) == 0);
        MUST((p = parser_new(table)) != NULL);
    }
    struct verdict first = *parser_run(p, (const char *)data, size, 1, true);
    MUST(p->length <= CAPTION_BYTES && p->pieces <= CAPTION_WORDS && p->objects <= p->pieces);
    for (int i = 0; i < p->pieces; i++) {
        MUST(p->end[i] <= p->length + 1);
        MUST(parser_lemma(p, i, i & 1, lemma) < 80);
    }
    for (int i = 0; i < p->attributes; i++)
        MUST(p->attribute[i].object < p->objects && p->attribute[i].piece < p->pieces);
    for (int i = 0; i < p->relations; i++) {
        const struct relation *r = &p->relation[i];
        MUST(r->subject < p->objects && r->object < p->objects && r->verb < p->pieces && r->prep + r->preps <= p->pieces);
    }
    struct verdict second = *parser_run(p, (const char *)data, size, 1, true);
    MUST(first.complexity == second.complexity && first.actions == second.actions && first.keep == second.keep);
    return 0;
}
