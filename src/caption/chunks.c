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

_Static_assert(M_RELATIVE == 2 * M_WHEN && M_FIXED_SECOND == 2 * M_FIXED_FIRST, "marks told together");

// The kind of a plain phrase by its last word. No branch: kinds come as they like.
static inline int kind_of(const struct parser *p, int i)
{
    static const uint8_t by_tag[NO_TAG][4] = {   // none of the two, M_WHEN, M_RELATIVE, both
        [NOUN] = {P_NOUN, P_NOUN, P_NOUN, P_NOUN}, [PROPN] = {P_NOUN, P_NOUN, P_NOUN, P_NOUN},
        [ADJ] = {P_ADJECTIVE, P_ADJECTIVE, P_ADJECTIVE, P_ADJECTIVE}, [NUM] = {P_NAMELESS, P_NAMELESS, P_NAMELESS, P_NAMELESS},
        [VERB] = {P_VERB, P_VERB, P_VERB, P_VERB}, [VBG] = {P_VERB, P_VERB, P_VERB, P_VERB},
        [VBN] = {P_VERB, P_VERB, P_VERB, P_VERB}, [ADP] = {P_PREP, P_PREP, P_PREP, P_PREP},
        [CCONJ] = {P_AND, P_AND, P_AND, P_AND}, [PRON] = {P_NAMELESS, P_WHEN, P_THAT, P_THAT},
        [ADV] = {P_NONE, P_WHEN, P_THAT, P_THAT}, [SCONJ] = {P_NONE, P_WHEN, P_THAT, P_THAT},
        [PUNCT] = {P_STOP, P_STOP, P_STOP, P_STOP},
    };
    // signs that are no P_STOP; quotes part nothing
    static const uint8_t other[256] = {[','] = P_STOP ^ P_COMMA, ['"'] = P_STOP ^ P_NONE, ['\''] = P_STOP ^ P_NONE};
    const struct piece *k = &p->piece[i];
    return by_tag[tag(p, i)][k->marks / M_WHEN & 3] ^ other[(unsigned char)p->text[k->start] * (k->len == 1)];
}

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
    if (known && (m->head & last) && (*end == p->pieces || (p->piece[*end].traits & TRAIT_STOP)))
        return true;
    *end = known ? take_noun_phrase(c, i, *end) : m->ordinary & first ? take_word(c, i) : take_closer(c, i);
    return false;
}

// The attributes of the newest object among the words from `first` to before its head.
static void describe(struct parser *p, const struct masks *m, int first, int head)
{
    uint64_t before = ((uint64_t)1 << head) - ((uint64_t)1 << first), describes = m->describes & before;
    int object = p->objects - 1, most = p->verdict.complexity, own = 0;
    if (m->doubtful & before) {
        add_attributes(p, object, first, head);
        return;
    }
    for (; describes; describes &= describes - 1, own++)
        p->attribute[p->attributes++] = (struct attribute){(uint8_t)object, (uint8_t)first_bit(describes)};
    p->object[object].attributes = (uint8_t)own;
    p->verdict.complexity = own > most ? own : most;
}

static void chunk_masked(struct chunker *c)
{
    struct parser *p = c->p;
    struct masks m;
    find_masks(p, &m);
    for (uint64_t left = m.begins; left & (left - 1);) {
        uint64_t first = lowest(left), next = lowest(left ^ first), final = next >> 1;   // a bit each
        int i = first_bit(first), end = first_bit(next);
        bool nouns = m.nouns & first, two_words = marks(p, i) & (marks(p, i + 1) >> 1) & M_FIXED_FIRST;
        bool plain = ((m.single & first) != 0) | (nouns & ((m.ends & final) != 0));
        left ^= first;
        if (!plain | two_words) {
            plain = look_closer(c, &m, i, &end);
            left = (left | (uint64_t)1 << end) & -((uint64_t)1 << end);
            if (!plain)
                continue;
        }
        int last = end - 1, kind = kind_of(p, last);
        bool object = kind == P_NOUN;
        c->out->at[c->out->n] = (struct phrase){
            .kind = (uint8_t)kind, .form = (uint8_t)form_of_verb(p, last), .first = (uint8_t)i, .last = (uint8_t)last,
            .object = (int16_t)(p->objects | (object - 1)), .subject_pronoun = (kind == P_NAMELESS) & !nouns,
        };
        count_phrase(c->out, kind);
        p->object[p->objects] = (struct object){.head = (uint8_t)last, .first = (uint8_t)i, .last = (uint8_t)last};
        p->objects += object;
        if ((m.describes | m.doubtful) & (((uint64_t)1 << last) - first))   // of a single word none
            describe(p, &m, i, last);
    }
}

void phrases_chunk(struct parser *p, struct phrases *out)
{
    struct chunker c = {p, out};
    out->n = 0;
    out->acting = out->stops = 0;
    if (p->pieces <= MASKED && !p->hashtags)
        chunk_masked(&c);
    else
        for (int i = 0; i < p->pieces;)
            i = take_closer(&c, i);
}
