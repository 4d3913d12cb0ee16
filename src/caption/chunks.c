// SPDX-License-Identifier: Apache-2.0
// From tagged words to phrases: one pass, each phrase as long as it can be.
//
// Most phrases are plain: articles, adjectives and nouns up to something that ends them; a preposition; a verb. What a
// word may be in those its tag and traits tell. As masks, a bit a word (masks.h), some arithmetic says where all plain
// phrases begin and which of them nothing stands in the way of; captions too long for masks take the closer look.
// The loop over their beginnings writes a phrase and an object each time and keeps what there is of them: it branches
// only where a phrase takes a closer look (nouns.c, parts.c), which would find the plain ones the same.
#include "caption/chunks.h"
#include "caption/masks.h"

// --- what a word may be ---------------------------------------------------------------------------------------------------

static bool one_of(const char *text, size_t n, const char *const *words)
{
    for (; n && *words; words++)
        if (strlen(*words) == n && memcmp(text, *words, n) == 0)
            return true;
    return false;
}

uint8_t word_traits(const struct word *w, const char *text, size_t n)
{
    static const char *const hand[] = {"hand", NULL}, *const sides[] = {"left", "right", "center", NULL},
                      *const clauses[] = {"as", "before", "after", "since", "until", "like", "than", NULL},
                      *const joins[] = {"\"", "-", "'", "'s", NULL};
    bool number = w->class == CLASS_NUMBER || w->class == CLASS_CODE, how = one_of(text, n, hand);
    unsigned m = w->marks, traits = 0;
    if (!how && !(m & (M_FIXED_FIRST | M_DAYTIME)))
        traits |= TRAIT_INSIDE;
    if (!number && !(m & (M_COLOUR | M_TIME | M_PRONOUN | M_GROUP)) && !one_of(text, n, sides))
        traits |= TRAIT_HEAD;
    if (!how && !(m & (M_FIXED_FIRST | M_PREPOSITION | M_AUX | M_BE | M_HAVE | M_LINK)))
        traits |= TRAIT_START;
    if (!how && !one_of(text, n, clauses) && !(m & M_POSSESSIVE))
        traits |= TRAIT_PREP;
    if (!number && !how && !one_of(text, n, joins))
        traits |= TRAIT_STOP;
    if (m & (M_COLOUR | M_PAIR_FIRST | M_QUANTITY))
        traits |= TRAIT_DOUBT;
    return (uint8_t)traits;
}

// --- phrases --------------------------------------------------------------------------------------------------------------

static inline int first_bit(uint64_t bits) { return __builtin_ctzll(bits); }
static inline uint64_t lowest(uint64_t bits) { return bits & -bits; }

// A plain phrase's kind and form by the tag and SET_* of its last word. No branch: kinds come as they like.
struct plain { uint8_t kind, form; };
#define ALL(k) {[0 ... SET_KINDS - 1] = {k, V_FINITE}}
#define CLAUSE(k) {{k, 0}, {P_WHEN, 0}, {P_THAT, 0}, {P_THAT, 0}, {k, 0}, {P_WHEN, 0}, {P_THAT, 0}, {P_THAT, 0}}
static const struct plain plain[NO_TAG][SET_KINDS] = {
    [NOUN] = ALL(P_NOUN), [PROPN] = ALL(P_NOUN), [ADJ] = ALL(P_ADJECTIVE), [NUM] = ALL(P_NAMELESS), [ADP] = ALL(P_PREP), [CCONJ] = ALL(P_AND),
    [PRON] = CLAUSE(P_NAMELESS), [ADV] = CLAUSE(P_NONE), [SCONJ] = CLAUSE(P_NONE), [INTJ] = CLAUSE(P_NONE),
    [DET] = {{P_NONE, 0}, {P_WHEN, 0}, {P_NONE, 0}, {P_WHEN, 0}, {P_NONE, 0}, {P_WHEN, 0}, {P_NONE, 0}, {P_WHEN, 0}},
    [AUX] = {{P_NONE, 0}, {P_BE, 0}, {P_HAVE, 0}, {P_BE, 0}, {P_NONE, 0}, {P_BE, 0}, {P_HAVE, 0}, {P_BE, 0}},
    [VERB] = {[0 ... 3] = {P_VERB, V_FINITE}, [4 ... 7] = {P_VERB, V_PAST}},
    [VBG] = {[0 ... SET_KINDS - 1] = {P_VERB, V_ING}}, [VBN] = {[0 ... SET_KINDS - 1] = {P_VERB, V_PARTICIPLE}},
    [PUNCT] = {{P_STOP, 0}, {P_COMMA, 0}, {P_NONE, 0}, {P_STOP, 0}},   // quotes part nothing
};
#undef ALL
#undef CLAUSE

// The phrase at i, up to *end as it seems, that masks leave open. True: it is plain after all, up to *end; else it was taken,
// and *end is behind it.
static bool look_closer(struct chunker *c, const struct masks *m, int i, int *end)
{
    const struct parser *p = c->p;
    uint64_t first = (uint64_t)1 << i, last = (uint64_t)1 << (*end - 1);
    bool nouns = m->nouns & first, doubted = nouns ? m->doubted_ends & last : m->doubted_single & first;
    bool acts = doubted && !prenominal_participle(p, i, nouns ? *end : i), known = nouns && (acts || (m->known & last));
    if (acts && !nouns)
        return true;
    if (!known && (m->ordinary & first)) {
        *end = noun_phrase_end(p, i, nouns || doubted ? *end : i);
        known = *end > i;
        last = known ? (uint64_t)1 << (*end - 1) : 0;
    }
    if (known && (m->head & last) && (*end == p->pieces || (p->traits[*end] & TRAIT_STOP)))
        return true;
    *end = known ? take_noun_phrase(c, i, *end) : m->ordinary & first ? take_word(c, i) : take_closer(c, i);
    return false;
}

// The attributes of an object among the words from `first` to before its head.
static void describe(struct parser *p, const struct masks *m, int object, int first, int head)
{
    uint64_t before = ((uint64_t)1 << head) - ((uint64_t)1 << first), describes = m->describes & before;
    int most = p->verdict.complexity, own = 0;
    if (m->doubtful & before) {
        add_attributes(p, object, first, head);
        return;
    }
    for (; describes; describes &= describes - 1, own++)
        p->attribute[p->attributes++] = (struct attribute){(uint8_t)object, (uint8_t)first_bit(describes)};
    p->object[object].attributes = (uint8_t)own;
    p->verdict.complexity = own > most ? own : most;
}

static void chunk_masked(struct chunker *c, const struct masks *masks)
{
    struct parser *p = c->p;
    struct phrases *out = c->out;
    // in registers, where what is written below cannot lie
    const struct masks m = *masks;
    const uint8_t *tags = p->tag, *sets = p->sets;
    struct phrase *phrase = out->at;
    struct object *object = p->object;
    uint64_t acting = 0, stops = 0;
    int n = 0, objects = 0;
    for (uint64_t left = m.begins; left & (left - 1);) {
        uint64_t first = lowest(left), next = lowest(left ^ first), final = next >> 1;   // a bit each
        int i = first_bit(first), end = first_bit(next);
        bool nouns = m.nouns & first, several = m.several & first;
        bool sure = ((m.single & first) != 0) | (nouns & ((m.ends & final) != 0));
        left ^= first;
        if (!sure | several) {
            out->n = n;
            out->acting = acting;
            out->stops = stops;
            p->objects = objects;
            sure = look_closer(c, masks, i, &end);
            left = (left | (uint64_t)1 << end) & -((uint64_t)1 << end);
            n = out->n;
            acting = out->acting;
            stops = out->stops;
            objects = p->objects;
            if (!sure)
                continue;
        }
        int last = end - 1;
        struct plain is = plain[tags[last]][sets[last] / (SET_FIRST >> 8) % SET_KINDS];
        bool of_object = is.kind == P_NOUN, led = m.led & first;
        int form = (is.form & (led - 1)) | (m.passive & first ? V_PASSIVE : 0) | (m.infinitive & first ? V_INFINITIVE : 0);
        phrase[n] = (struct phrase){
            .kind = is.kind, .form = (uint8_t)form, .first = (uint8_t)i, .last = (uint8_t)last,
            .object = (int16_t)(objects | (of_object - 1)), .subject_pronoun = ((is.kind == P_NAMELESS) & !nouns) | led,   // or .helped
        };
        acting |= (uint64_t)((is.kind == P_VERB) | (is.kind == P_ADJECTIVE)) << n;
        stops |= (uint64_t)(is.kind == P_STOP) << n;
        n += is.kind != P_NONE;
        object[objects] = (struct object){.head = (uint8_t)last, .first = (uint8_t)i, .last = (uint8_t)last};
        objects += of_object;
        if ((m.describes | m.doubtful) & (((uint64_t)1 << last) - first))   // of a single word none
            describe(p, masks, objects - 1, i, last);
    }
    out->n = n;
    out->acting = acting;
    out->stops = stops;
    p->objects = objects;
}

void phrases_chunk(struct parser *p, const struct masks *masks, struct phrases *out)
{
    struct chunker c = {p, out};
    out->n = 0;
    out->acting = out->stops = 0;
    if (p->pieces <= MASKED && !p->hashtags)
        chunk_masked(&c, masks);
    else
        for (int i = 0; i < p->pieces;)
            i = take_closer(&c, i);
}
