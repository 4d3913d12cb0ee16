// SPDX-License-Identifier: Apache-2.0
// Caption-like sentences for the treebank, which has few: patterns filled with WordNet's frequent words.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/rng.h"
#include "caption/learn.h"
#include "caption/wordnet.h"

// P person or animal, Q several; O thing, R several; A adjective; G -ing with object, I without; T third person with
// object, J without; B base form with object, K without; N participle; d article or none; p preposition; c colour.
static const char *const patterns[] = {
    "D P G D O", "D A P G D O p D O", "D P I p D O", "D P I p D A O", "Q I p D O", "A Q I p D O", "D O N p D O", "D A O N p D A O",
    "P T D O", "P T O p D O", "P J p D O", "Q B O p D O", "Q K p D O", "R K p D O", "P T R", "A P T D A O",
    "D P is G D O", "D O is N p D O", "Q are I p D O", "D A P is I p O", "P I", "Q I", "P G O p O", "P G R p D O", "Q G O",
    "A O p A O", "A A O O", "O O p O", "A O O p R", "A O and A O", "O p O", "A A R p c O", "c O O", "c A O", "O O O", "A O N p O",
    "P and P G D O", "D P p D c O I p D O", "D O of D P G D O", "D O of A P I", "A P p D O", "D O p D A O", "A I P", "A O , A O",
    "D I P p D O", "D N O p D O", "N O p O", "A N O O", "D c and c O I p D O", "c O p c R", "P T P p O", "P , P and P J p O",
    "P T to B D O", "D P who T D O", "D O that is N p O", "R N p R", "O N by P", "D P N p O J p D O",
};

static const char *const closed[][24] = {
    ['D'] = {"a/DET", "a/DET", "a/DET", "the/DET", "the/DET", "an/DET", "his/PRON", "her/PRON", "their/PRON", "two/NUM"},
    ['p'] = {"in/ADP", "in/ADP", "on/ADP", "on/ADP", "with/ADP", "with/ADP", "at/ADP", "of/ADP", "near/ADP", "under/ADP", "by/ADP",
             "for/ADP", "over/ADP", "through/ADP", "from/ADP", "against/ADP", "into/ADP", "during/ADP", "behind/ADP", "around/ADP"},
    ['c'] = {"red/ADJ", "white/ADJ", "black/ADJ", "blue/ADJ", "green/ADJ", "yellow/ADJ", "pink/ADJ", "brown/ADJ", "golden/ADJ"},
};

struct pools {
    int32_t *word[128];
    int n[128];
};

static int pool_add(struct pools *q, char kind, int64_t form, int64_t most)
{
    int k = (unsigned char)kind;
    if (!q->word[k] && !(q->word[k] = malloc((size_t)most * sizeof **q->word)))
        return FAIL(EMEMORY_, "out of memory for sentences");
    q->word[k][q->n[k]++] = (int32_t)form;
    return 0;
}

static int pools_fill(struct pools *q, const struct forms *f)
{
    int rc = 0;
    for (int64_t i = 0; !rc && i < f->count; i++) {
        const struct form *w = &f->form[i];
        const struct form *n = w->noun >= 0 ? &f->form[w->noun] : w, *v = w->verb >= 0 ? &f->form[w->verb] : w;
        bool being = n->kind == KIND_PERSON || n->kind == KIND_ANIMAL;
        bool thing = n->kind == KIND_ARTIFACT || n->kind == 13 || n->kind == 15 || n->kind == 17 || n->kind == 20;
        if ((w->is & IS_NOUN) && !(w->is & (IS_NAME | IS_PLURAL | MOSTLY_VERB | MOSTLY_ADJ | IS_ING)) && (being || thing) && n->senses[0] >= (being ? 1 : 2))
            rc = pool_add(q, being ? 'P' : 'O', i, f->count);
        if (!rc && (w->is & IS_PLURAL) && w->noun >= 0 && (being || thing) && n->senses[0] >= 2)
            rc = pool_add(q, being ? 'Q' : 'R', i, f->count);
        if (!rc && (w->is & MOSTLY_ADJ) && w->senses[2] >= 4)
            rc = pool_add(q, 'A', i, f->count);
        if (v->senses[1] < 5 || v == w) {
            if (!rc && (w->is & IS_VERB) && w->senses[1] >= 5 && !(w->is & (IS_PAST | IS_PLURAL)))
                rc = pool_add(q, w->frames & FRAME_OBJECT ? 'B' : 'K', i, f->count);
            continue;
        }
        bool object = v->frames & FRAME_OBJECT, alone = v->frames & FRAME_NONE;
        if (!rc && (w->is & IS_ING) && object)
            rc = pool_add(q, 'G', i, f->count);
        if (!rc && (w->is & IS_ING) && alone)
            rc = pool_add(q, 'I', i, f->count);
        if (!rc && (w->is & IS_THIRD) && object)
            rc = pool_add(q, 'T', i, f->count);
        if (!rc && (w->is & IS_THIRD) && alone)
            rc = pool_add(q, 'J', i, f->count);
        if (!rc && (w->is & IS_PARTICIPLE) && object)
            rc = pool_add(q, 'N', i, f->count);
    }
    return rc;
}

static const char *tag_of(char kind)
{
    return strchr("PQOR", kind) ? "NOUN" : kind == 'A' ? "ADJ" : strchr("GI", kind) ? "VBG" : kind == 'N' ? "VBN" : "VERB";
}

static void put(struct buf *out, const struct pools *q, const struct forms *f, const char *token, int len, struct rng *rng)
{
    static const char *const fixed[][2] = {{"is", "AUX"}, {"are", "AUX"}, {"and", "CCONJ"}, {"of", "ADP"}, {"by", "ADP"}, {"to", "PART"},
                                           {"who", "PRON"}, {"that", "PRON"}, {",", "PUNCT"}};
    unsigned char kind = (unsigned char)token[0];
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if ((int)strlen(fixed[i][0]) == len && !memcmp(fixed[i][0], token, (size_t)len)) {
            buf_fmt(out, "%s/%s ", fixed[i][0], fixed[i][1]);
            return;
        }
    if (strchr("Dpc", kind)) {
        int n = 0;
        while (n < 24 && closed[kind][n])
            n++;
        buf_fmt(out, "%s ", closed[kind][rng_below(rng, (uint64_t)n)]);
    } else if (q->n[kind]) {
        size_t size;
        const char *text = forms_text(f, q->word[kind][rng_below(rng, (uint64_t)q->n[kind])], &size);
        buf_fmt(out, "%.*s/%s ", (int)size, text, tag_of((char)kind));
    }
}

int treebank_invent(struct treebank *b, const char *wordnet, int sentences, uint64_t seed)
{
    struct forms f = {0};
    struct pools q = {0};
    struct buf line = {0};
    struct rng rng = rng_make(seed, 7);
    int rc = forms_read(&f, wordnet);
    if (!rc)
        rc = pools_fill(&q, &f);
    for (int i = 0; !rc && i < sentences; i++) {
        const char *p = patterns[rng_below(&rng, sizeof patterns / sizeof *patterns)];
        buf_clear(&line);
        while (*p) {
            size_t n = strcspn(p, " ");
            put(&line, &q, &f, p, (int)n, &rng);
            p += n + (p[n] == ' ');
        }
        if (rng_below(&rng, 3) == 0)
            buf_str(&line, "./PUNCT");
        rc = line.failed ? line.failed : treebank_line(b, line.at, "a made sentence", i + 1);
    }
    for (int k = 0; k < 128; k++)
        free(q.word[k]);
    buf_free(&line);
    forms_free(&f);
    return rc;
}
