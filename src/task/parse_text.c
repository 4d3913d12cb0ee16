// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/map.h"
#include "task/parse.h"

static void put_lemma(struct buf *out, const struct parser *p, int piece)
{
    char lemma[80];
    int n = parser_lemma(p, piece, false, lemma);
    json_text(out, lemma, (size_t)n);
}

static void put_object(struct buf *out, const struct parser *p, int object)
{
    if (object < 0)
        buf_str(out, "null");
    else
        put_lemma(out, p, p->object[object].head);
}

// lemma, particle and preposition
static int predicate(const struct parser *p, const struct relation *r, char out[256])
{
    int n = parser_lemma(p, r->verb, true, out);
    for (int i = r->prep; i < r->prep + r->preps; i++) {
        int len = piece_len(p, i) < 24 ? piece_len(p, i) : 24;
        if (n + 1 + len > 250)
            break;
        out[n++] = ' ';
        memcpy(out + n, p->lower + p->start[i], (size_t)len);
        n += len;
    }
    return n;
}

void parse_json(struct buf *out, const struct parser *p)
{
    buf_str(out, "{\"objects\": [");
    for (int i = 0; i < p->objects; i++) {
        int written = 0;
        buf_str(out, i ? ", {\"lemma\": " : "{\"lemma\": ");
        put_object(out, p, i);
        buf_str(out, ", \"attributes\": [");
        for (int j = 0; j < p->attributes; j++)
            if (p->attribute[j].object == i) {
                int k = p->attribute[j].piece;
                buf_str(out, written++ ? ", " : "");
                json_text(out, p->lower + p->start[k], (size_t)piece_len(p, k));
            }
        buf_str(out, "]}");
    }
    buf_str(out, "], \"relations\": [");
    for (int i = 0; i < p->relations; i++) {
        const struct relation *r = &p->relation[i];
        char text[256];
        buf_str(out, i ? ", {\"subject\": " : "{\"subject\": ");
        put_object(out, p, r->subject);
        buf_str(out, ", \"predicate\": ");
        json_text(out, text, (size_t)predicate(p, r, text));
        buf_str(out, ", \"object\": ");
        put_object(out, p, r->object);
        buf_char(out, '}');
    }
    buf_fmt(out, "], \"n_actions\": %d, \"complexity\": %d, \"keep\": %s}\n", p->verdict.actions, p->verdict.complexity,
            p->verdict.keep ? "true" : "false");
}

// --- for people --------------------------------------------------------------------------------------------------------

static void put_plain(struct buf *out, const struct parser *p, int object)
{
    char lemma[80];
    if (object < 0) {
        buf_str(out, "?");
        return;
    }
    int n = parser_lemma(p, p->object[object].head, false, lemma);
    buf_add(out, lemma, (size_t)n);
}

void parse_explain(struct buf *out, const struct parser *p)
{
    buf_str(out, "words   ");
    for (int i = 0; i < p->pieces; i++) {
        buf_char(out, ' ');
        buf_add(out, p->text + p->start[i], (size_t)piece_len(p, i));
        if (!p->verdict.foreign && p->tag[i] < NO_TAG)
            buf_fmt(out, "/%s", tag_names[p->tag[i]]);
    }
    buf_char(out, '\n');
    for (int i = 0; i < p->objects; i++) {
        const char *open = " (", *close = "";
        buf_str(out, i ? "         " : "objects  ");
        put_plain(out, p, i);
        for (int j = 0; j < p->attributes; j++)
            if (p->attribute[j].object == i) {
                int k = p->attribute[j].piece;
                buf_str(out, open);
                buf_add(out, p->lower + p->start[k], (size_t)piece_len(p, k));
                open = ", ";
                close = ")";
            }
        buf_fmt(out, "%s: %d relations\n", close, p->object[i].attributes + p->object[i].relations);
    }
    for (int i = 0; i < p->relations; i++) {
        char text[256];
        buf_str(out, i ? "         " : "actions  ");
        put_plain(out, p, p->relation[i].subject);
        buf_str(out, " --");
        buf_add(out, text, (size_t)predicate(p, &p->relation[i], text));
        buf_str(out, "--> ");
        put_plain(out, p, p->relation[i].object);
        buf_char(out, '\n');
    }
    buf_fmt(out, "verdict  %s: complexity %d, %d action%s%s\n\n", p->verdict.keep ? "keep" : "drop", p->verdict.complexity,
            p->verdict.actions, p->verdict.actions == 1 ? "" : "s", p->verdict.foreign ? ", not English" : "");
}

const char *parse_reason(const struct parser *p, int complexity, bool need_action)
{
    const struct verdict *v = &p->verdict;
    return v->foreign || p->objects == 0 ? "unparsable" : v->complexity < complexity ? "complexity"
           : v->actions == 0 && need_action ? "action" : "kept";
}

// --- what captions speak of ---------------------------------------------------------------------------------------------

enum { CONCEPT = 80 };
struct concept {
    char key[CONCEPT + 1];
    int len;
};

// One more, unless the caption had it already among the first n.
static int count(struct map *to, const struct concept *all, int n)
{
    for (int i = 0; i < n; i++)
        if (all[i].len == all[n].len && memcmp(all[i].key, all[n].key, (size_t)all[n].len) == 0)
            return 0;
    int64_t *slot = map_slot(to, all[n].key, (size_t)all[n].len, 0);
    if (!slot)
        return FAIL(EMEMORY_, "out of memory");
    ++*slot;
    return 0;
}

int parse_concepts(struct map *to, const struct parser *p)
{
    enum { MOST = 64 };   // of a caption; longer ones are lists
    struct concept all[MOST];
    int n = 0, rc = 0;
    for (int i = 0; i < p->objects && n < MOST && !rc; i++, n++) {
        all[n].key[0] = 'o';
        all[n].len = 1 + parser_lemma(p, p->object[i].head, false, all[n].key + 1);
        rc = count(to, all, n);
    }
    for (int i = 0; i < p->attributes && n < MOST && !rc; i++, n++) {
        int k = p->attribute[i].piece, len = piece_len(p, k) < CONCEPT ? piece_len(p, k) : CONCEPT;
        all[n].key[0] = 'a';
        memcpy(all[n].key + 1, p->lower + p->start[k], (size_t)len);
        all[n].len = 1 + len;
        rc = count(to, all, n);
    }
    return rc;
}

int parse_concepts_write(struct buf *out, struct map *const *counts, int n, bool json)
{
    struct map *sum = map_new();
    struct map_entry *sorted = NULL;
    int rc = sum ? 0 : FAIL(EMEMORY_, "out of memory");
    for (int i = 0; i < n && !rc; i++)
        for (int64_t k = 0; k < map_count(counts[i]) && !rc; k++) {
            size_t len;
            int64_t times, *slot;
            const char *key = map_key(counts[i], k, &len, &times);
            if (!(slot = map_slot(sum, key, len, 0)))
                rc = FAIL(EMEMORY_, "out of memory");
            else
                *slot += times;
        }
    if (!rc && !(sorted = map_by_value(sum)))
        rc = FAIL(EMEMORY_, "out of memory");
    for (int64_t i = 0; !rc && i < map_count(sum); i++) {
        const struct map_entry *e = &sorted[i];
        const char *kind = e->key[0] == 'o' ? "object" : "attribute";
        if (json) {
            buf_fmt(out, "{\"kind\": \"%s\", \"lemma\": ", kind);
            json_text(out, e->key + 1, (size_t)e->len - 1);
            buf_fmt(out, ", \"captions\": %lld}\n", (long long)e->n);
        } else {
            buf_fmt(out, "%s\t%.*s\t%lld\n", kind, e->len - 1, e->key + 1, (long long)e->n);
        }
    }
    free(sorted);
    map_free(sum);
    return rc ? rc : out->failed;
}
