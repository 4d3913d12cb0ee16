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
struct plain {
    uint64_t bytes;
    uint64_t acting, stops;    // all bits or none, as the next
    uint32_t counts, object;   // 1 or 0
};
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && sizeof(struct phrase) == 8 && offsetof(struct phrase, kind) == 0 &&
               offsetof(struct phrase, form) == 1 && offsetof(struct phrase, first) == 2 && offsetof(struct phrase, last) == 3 &&
               offsetof(struct phrase, object) == 4 && offsetof(struct phrase, subject_pronoun) == 6 && sizeof(struct object) == 8 && offsetof(struct object, head) == 0 &&
               offsetof(struct object, first) == 1 && offsetof(struct object, last) == 2, "as below");
enum { FORM_AT = 8, FIRST_AT = 16, OBJECT_AT = 32, PRONOUN_AT = 48 };
#define AS(kind, form, pronoun) {(uint64_t)(kind) | (uint64_t)(form) << FORM_AT | ((kind) == P_NOUN ? 0 : (uint64_t)0xffff << OBJECT_AT) | \
                                 (uint64_t)(pronoun) << PRONOUN_AT, -(uint64_t)PHRASE_ACTS(kind), -(uint64_t)((kind) == P_STOP), \
                                 (kind) != P_NONE, (kind) == P_NOUN}
#define ALL(kind, form) {[0 ... SET_KINDS - 1] = AS(kind, form, false)}
#define BY_SETS(none, first, second, both) \
    {AS(none, 0, (none) == P_NAMELESS), AS(first, 0, false), AS(second, 0, false), AS(both, 0, false), \
     AS(none, 0, (none) == P_NAMELESS), AS(first, 0, false), AS(second, 0, false), AS(both, 0, false)}
static const struct plain plain[NO_TAG][SET_KINDS] = {
    [NOUN] = ALL(P_NOUN, 0), [PROPN] = ALL(P_NOUN, 0), [ADJ] = ALL(P_ADJECTIVE, 0), [NUM] = ALL(P_NAMELESS, 0), [ADP] = ALL(P_PREP, 0),
    [CCONJ] = ALL(P_AND, 0), [VBG] = ALL(P_VERB, V_ING), [VBN] = ALL(P_VERB, V_PARTICIPLE),
    [VERB] = {[0 ... 3] = AS(P_VERB, V_FINITE, false), [4 ... 7] = AS(P_VERB, V_PAST, false)},   // SET_PAST
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
static bool look_closer(struct chunker *c, const struct masks *m, int lane, int i, int *end)
{
    const struct parser *p = c->p;
    uint64_t first = (uint64_t)1 << i, last = (uint64_t)1 << (*end - 1);
    bool nouns = m->nouns[lane] & first, doubted = nouns ? m->doubted_ends[lane] & last : m->doubted_single[lane] & first;
    bool acts = doubted && !prenominal_participle(p, i, nouns ? *end : i), known = nouns && (acts || (m->known[lane] & last));
    if (acts && !nouns)
        return true;
    if (!known && (m->ordinary[lane] & first)) {
        *end = noun_phrase_end(p, i, nouns || doubted ? *end : i);
        known = *end > i;
        last = known ? (uint64_t)1 << (*end - 1) : 0;
    }
    if (known && (m->head[lane] & last) && (*end == p->pieces || (p->traits[*end] & TRAIT_STOP)))
        return true;
    *end = known ? take_noun_phrase(c, i, *end) : m->ordinary[lane] & first ? take_word(c, i) : take_closer(c, i);
    return false;
}

// The attributes of an object among the words from `first` to before its head.
static void describe(struct parser *p, const struct masks *m, int lane, int object, int first, int head)
{
    uint64_t before = ((uint64_t)1 << head) - ((uint64_t)1 << first), describes = m->describes[lane] & before;
    int most = p->verdict.complexity, own = 0;
    if (m->doubtful[lane] & before) {
        add_attributes(p, object, first, head);
        return;
    }
    for (; describes; describes &= describes - 1, own++)
        p->attribute[p->attributes++] = (struct attribute){(uint8_t)object, (uint8_t)first_bit(describes)};
    p->object[object].attributes = (uint8_t)own;
    p->verdict.complexity = own > most ? own : most;
}

static void chunk_masked(struct chunker *c, const struct masks *m, int lane)
{
    struct parser *p = c->p;
    struct phrases *out = c->out;
    // in registers, where what is written below cannot lie
    const uint64_t led = m->led[lane], described = m->describes[lane] | m->doubtful[lane];
    const uint8_t *tags = p->tag, *sets = p->sets;
    struct phrase *phrase = out->at;
    struct object *object = p->object;
    uint64_t acting = 0, stops = 0, bit = 1;   // the next phrase's
    uint64_t sure = m->sure[lane], n = 0, objects = 0;
    for (uint64_t left = m->begins[lane]; left & (left - 1);) {
        uint64_t first = lowest(left), rest = left ^ first, final = lowest(rest) >> 1;   // a bit each
        uint64_t i = (uint64_t)first_bit(first), last = (uint64_t)first_bit(final);
        left = rest;
        if (!(sure & final)) {
            int end = (int)last + 1;
            out->n = (int)n;
            out->acting = acting;
            out->stops = stops;
            p->objects = (int)objects;
            bool plainly = look_closer(c, m, lane, (int)i, &end);
            uint64_t ended = (uint64_t)1 << end;
            if (!(left & ended)) {   // masks did not see a phrase begin there, nor where it ends
                left |= ended;
                sure &= ~(lowest(left & -(ended << 1)) >> 1);
            }
            left &= -ended;
            last = (uint64_t)end - 1;
            final = ended >> 1;
            n = (uint64_t)out->n;
            acting = out->acting;
            stops = out->stops;
            objects = (uint64_t)p->objects;
            bit = (uint64_t)1 << n;
            if (!plainly)
                continue;
        }
        const struct plain *is = &plain[tags[last]][sets[last] / (SET_FIRST >> 8) % SET_KINDS];
        uint64_t span = i | last << 8, bytes = is->bytes | span << FIRST_AT | objects << OBJECT_AT, place = last | span << 8;
        if (led & first) {
            int form = m->passive[lane] & first ? V_PASSIVE : m->infinitive[lane] & first ? V_INFINITIVE : V_FINITE;
            bytes = (bytes & ~((uint64_t)0xff << FORM_AT)) | (uint64_t)form << FORM_AT | (uint64_t)1 << PRONOUN_AT;   // it is helped
        }
        memcpy(&phrase[n], &bytes, sizeof bytes);
        memcpy(&object[objects], &place, sizeof place);
        acting |= bit & is->acting;
        stops |= bit & is->stops;
        n += is->counts;
        bit <<= is->counts;
        objects += is->object;
        if (described & (final - first))   // of a single word none
            describe(p, m, lane, (int)objects - 1, (int)i, (int)last);
    }
    out->n = (int)n;
    out->acting = acting;
    out->stops = stops;
    p->objects = (int)objects;
}

void phrases_chunk(struct parser *p, const struct masks *masks, int lane, struct phrases *out)
{
    struct chunker c = {p, out};
    out->n = 0;
    out->acting = out->stops = 0;
    if (masks)
        chunk_masked(&c, masks, lane);
    else
        for (int i = 0; i < p->pieces;)
            i = take_closer(&c, i);
}
