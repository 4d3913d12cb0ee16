// SPDX-License-Identifier: Apache-2.0
// Captions of any bytes: they come back, a parse points into itself, and it is the same again, and among others.
#include <string.h>

#include "caption/caption.h"
#include "fuzz.h"

// The lines of the input side by side, each as it is alone.
static void parse_lines(struct parsers *all, struct parser *alone, const char *at, size_t size)
{
    struct text line[CAPTION_AT_ONCE] = {{at, 0}};
    int n = 1;
    for (size_t i = 0; i < size && n <= CAPTION_AT_ONCE; i++) {
        line[n - 1].len += at[i] != '\n';
        if (at[i] == '\n' && n++ < CAPTION_AT_ONCE)
            line[n - 1] = (struct text){at + i + 1, 0};
    }
    n = n < CAPTION_AT_ONCE ? n : CAPTION_AT_ONCE;
    parsers_run(all, line, n, 1, true);
    for (int i = 0; i < n; i++) {
        const struct parser *p = &all->parser[i];
        struct verdict v = *parser_run(alone, line[i].at, line[i].len, 1, true);
        MUST(p->pieces == alone->pieces && p->objects == alone->objects && p->relations == alone->relations && p->attributes == alone->attributes);
        MUST(memcmp(p->tag, alone->tag, (size_t)p->pieces) == 0);
        MUST(v.complexity == p->verdict.complexity && v.actions == p->verdict.actions && v.foreign == p->verdict.foreign && v.keep == p->verdict.keep);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct table *table;
    static struct parser *p;
    static struct parsers *all;
    char lemma[80];
    if (!table) {
        MUST(table_open(&table, NULL) == 0);
        MUST((p = parser_new(table)) != NULL && (all = parsers_new(table, CAPTION_AT_ONCE)) != NULL);
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
    parse_lines(all, p, (const char *)data, size);
    return 0;
}
