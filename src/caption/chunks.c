// SPDX-License-Identifier: Apache-2.0
// From tagged words to phrases: one pass, each phrase as long as it can be.
//
// Most phrases are plain: articles, adjectives and nouns up to something that ends them; a preposition; a verb. What a
// word may be in those its tag, traits and looks tell. As masks, a bit a word (masks.h), some arithmetic says where all plain
// phrases begin and which of them nothing stands in the way of; captions too long for masks, or with hashtags, take the closer look.
// The loop over their beginnings writes a phrase and an object each time and keeps what there is of them: it branches
// only where a phrase takes a closer look (nouns.c, parts.c), which would find the plain ones the same.
#include "caption/chunks.h"
#include "caption/masks.h"
#include "caption/spell.h"

// --- what a word may be ---------------------------------------------------------------------------------------------------

uint8_t word_traits(const struct word *w, const char *text, size_t n)
{
    static const char *const hand[] = {"hand", NULL}, *const sides[] = {"left", "right", "center", NULL},
                      *const clauses[] = {"as", "before", "after", "since", "until", "like", "than", NULL},
                      *const joins[] = {"\"", "-", "'", "'s", NULL};
    bool number = w->class == CLASS_NUMBER || w->class == CLASS_CODE, how = spelled_as(text, n, hand);
    unsigned m = w->marks, traits = 0;
    if (!how && !(m & (M_FIXED_FIRST | M_DAYTIME)))
        traits |= TRAIT_INSIDE;
    if (!number && !(m & (M_COLOUR | M_TIME | M_PRONOUN | M_GROUP)) && !spelled_as(text, n, sides))
        traits |= TRAIT_HEAD;
    if (!how && !(m & (M_FIXED_FIRST | M_PREPOSITION | M_AUX | M_BE | M_HAVE | M_LINK)))
        traits |= TRAIT_START;
    if (!how && !spelled_as(text, n, clauses) && !(m & (M_POSSESSIVE | M_DAYTIME)))
        traits |= TRAIT_PREP;
    if (!number && !how && !spelled_as(text, n, joins))
        traits |= TRAIT_STOP;
    if (m & (M_COLOUR | M_PAIR_FIRST | M_QUANTITY))
        traits |= TRAIT_DOUBT;
    return (uint8_t)traits;
}

// --- phrases --------------------------------------------------------------------------------------------------------------

static inline int first_bit(uint64_t bits) { return __builtin_ctzll(bits); }
static inline uint64_t lowest(uint64_t bits) { return bits & -bits; }

// A plain phrase by the tag and SET_* of its last word: its bytes but for where it lies, and what is counted. No branch: kinds
// come as they like.
enum { COUNTS = 1, OF_OBJECT = 2, ACTING = 4, STOPPING = 8 };
struct plain { uint64_t bytes; unsigned counts; };
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && sizeof(struct phrase) == 8 && offsetof(struct phrase, kind) == 0 &&
               offsetof(struct phrase, form) == 1 && offsetof(struct phrase, first) == 2 && offsetof(struct phrase, last) == 3 &&
               offsetof(struct phrase, object) == 4 && offsetof(struct phrase, subject_pronoun) == 6 && sizeof(struct object) == 8, "as below");
enum { FORM_AT = 8, FIRST_AT = 16, LAST_AT = 24, OBJECT_AT = 32, PRONOUN_AT = 48 };
#define AS(kind, form) {(uint64_t)(kind) | (uint64_t)(form) << FORM_AT | ((kind) == P_NOUN ? 0 : (uint64_t)0xffff << OBJECT_AT) | \
                        (uint64_t)((kind) == P_NAMELESS) << PRONOUN_AT, \
                        ((kind) != P_NONE) * COUNTS | ((kind) == P_NOUN) * OF_OBJECT | PHRASE_ACTS(kind) * ACTING | ((kind) == P_STOP) * STOPPING}
#define ALL(kind, form) {[0 ... SET_KINDS - 1] = AS(kind, form)}
#define BY_SETS(none, first, second, both) \
    {AS(none, 0), AS(first, 0), AS(second, 0), AS(both, 0), AS(none, 0), AS(first, 0), AS(second, 0), AS(both, 0)}
static const struct plain plain[NO_TAG][SET_KINDS] = {
    [NOUN] = ALL(P_NOUN, 0), [PROPN] = ALL(P_NOUN, 0), [ADJ] = ALL(P_ADJECTIVE, 0), [NUM] = ALL(P_NAMELESS, 0), [ADP] = ALL(P_PREP, 0),
    [CCONJ] = ALL(P_AND, 0), [VBG] = ALL(P_VERB, V_ING), [VBN] = ALL(P_VERB, V_PARTICIPLE),
    [VERB] = {[0 ... 3] = AS(P_VERB, V_FINITE), [4 ... 7] = AS(P_VERB, V_PAST)},   // SET_PAST
    [PRON] = BY_SETS(P_NAMELESS, P_WHEN, P_THAT, P_THAT), [ADV] = BY_SETS(P_NONE, P_WHEN, P_THAT, P_THAT),
    [SCONJ] = BY_SETS(P_NONE, P_WHEN, P_THAT, P_THAT), [INTJ] = BY_SETS(P_NONE, P_WHEN, P_THAT, P_THAT),
    [DET] = BY_SETS(P_NONE, P_WHEN, P_NONE, P_WHEN), [AUX] = BY_SETS(P_NONE, P_BE, P_HAVE, P_BE),
    [PUNCT] = BY_SETS(P_STOP, P_COMMA, P_NONE, P_STOP),   // quotes part nothing
};
#undef AS
#undef ALL
#undef BY_SETS

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
    uint64_t sure = m.sure;
    for (uint64_t left = m.begins; left & (left - 1);) {
        uint64_t first = lowest(left), rest = left ^ first, final = lowest(rest) >> 1;   // a bit each
        int i = first_bit(first), last = first_bit(final);
        left = rest;
        if (!(sure & final)) {
            int end = last + 1;
            out->n = n;
            out->acting = acting;
            out->stops = stops;
            p->objects = objects;
            bool plainly = look_closer(c, masks, i, &end);
            uint64_t ended = (uint64_t)1 << end;
            if (!(left & ended)) {   // masks did not see a phrase begin there, nor where it ends
                left |= ended;
                sure &= ~(lowest(left & -(ended << 1)) >> 1);
            }
            left &= -ended;
            last = end - 1;
            n = out->n;
            acting = out->acting;
            stops = out->stops;
            objects = p->objects;
            if (!plainly)
                continue;
        }
        struct plain is = plain[tags[last]][sets[last] / (SET_FIRST >> 8) % SET_KINDS];
        uint64_t bytes = is.bytes | (uint64_t)i << FIRST_AT | (uint64_t)last << LAST_AT | (uint64_t)objects << OBJECT_AT;
        if (m.led & first) {
            int form = m.passive & first ? V_PASSIVE : m.infinitive & first ? V_INFINITIVE : V_FINITE;
            bytes = (bytes & ~((uint64_t)0xff << FORM_AT)) | (uint64_t)form << FORM_AT | (uint64_t)1 << PRONOUN_AT;   // it is helped
        }
        bytes &= ~((uint64_t)((m.nouns & first) != 0) << PRONOUN_AT);
        memcpy(&phrase[n], &bytes, sizeof bytes);
        acting |= (uint64_t)(is.counts / ACTING % 2) << n;
        stops |= (uint64_t)(is.counts / STOPPING) << n;
        n += is.counts % 2;
        uint64_t place = (uint64_t)last | (uint64_t)i << 8 | (uint64_t)last << 16;
        memcpy(&object[objects], &place, sizeof place);
        objects += is.counts / OF_OBJECT % 2;
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
    if (masks)
        chunk_masked(&c, masks);
    else
        for (int i = 0; i < p->pieces;)
            i = take_closer(&c, i);
}
