// SPDX-License-Identifier: Apache-2.0
// From tagged words to phrases: one pass, each phrase as long as it can be.
//
// Most phrases are plain: articles, adjectives and nouns up to something that ends them; a preposition; a verb. What a
// word may be in those a table tells from its tag and traits, sixteen bits a word. Turned on their sides these are masks,
// a bit a word, and some arithmetic says where all plain phrases begin and which of them nothing stands in the way of.
// The loop over their beginnings writes a phrase and an object each time and keeps what there is of them: it branches
// only where a phrase takes a closer look (nouns.c, parts.c), which would find the plain ones the same.
#include "caption/chunks.h"

enum { MASKED = 60 };   // pieces of captions that masks hold; in longer ones every phrase takes the closer look

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

// Bits of a class.
enum {
    IN_NOUN, IN_ADJECTIVE, IN_OPENS,   // plain words of a noun phrase
    IN_LAST,         // as the last word of a noun phrase its tag alone says what that is
    IN_BEGINS,       // a noun phrase may begin with it, and nothing else does
    SINGLE,          // a phrase by itself, or none
    SINGLE_PREP,
    ENDS,            // no noun phrase goes on with it
    ENDS_ALL,        // ... nor adjectives alone, whatever comes after
    ADJECTIVE_TAG, PARTICIPLE_TAG,   // and no rule for single words stands in the way
    NOMINAL,         // a noun or a number, or one of the two above with such a rule
    SIGN, ADVERB,
    DESCRIBES,       // an attribute
    DOUBTFUL,        // may be one, or half a fixed pair
    CLASS_BITS,
};

static uint16_t class_of(int tag, unsigned traits)
{
    static const unsigned always_end = 1u << ADP | 1u << AUX | 1u << DET | 1u << INTJ | 1u << PART | 1u << PRON | 1u << SCONJ |
                                       1u << SYM | 1u << OTHER,
                          others_end = 1u << ADV | 1u << CCONJ | 1u << VERB | 1u << PUNCT,
                          alone = 1u << ADV | 1u << CCONJ | 1u << PRON | 1u << SCONJ | 1u << VERB | 1u << VBG | 1u << VBN;
    bool inside = traits & TRAIT_INSIDE, head = traits & TRAIT_HEAD, stop = traits & TRAIT_STOP, doubt = traits & TRAIT_DOUBT;
    bool number = !head && !stop, start = inside && (traits & TRAIT_START), possessive = start && !(traits & TRAIT_PREP);
    bool noun = tag == NOUN || tag == PROPN, adjective = tag == ADJ || tag == NUM, participle = tag == VBG || tag == VBN;
    bool opens = tag == DET || (tag == PRON && possessive);
    bool last = noun ? head && stop : tag == ADJ ? stop : tag == NUM && !doubt && (number || (head && stop));
    unsigned class = 0;
    class |= (unsigned)(inside && noun) << IN_NOUN;
    class |= (unsigned)(inside && adjective) << IN_ADJECTIVE;
    class |= (unsigned)(inside && opens) << IN_OPENS;
    class |= (unsigned)(inside && last) << IN_LAST;
    class |= (unsigned)(start && (noun || adjective || opens)) << IN_BEGINS;
    class |= (unsigned)(start && !opens && (tag == PUNCT ? !number : stop && among(tag, alone))) << SINGLE;
    class |= (unsigned)(tag == ADP && (traits & TRAIT_PREP)) << SINGLE_PREP;
    class |= (unsigned)(stop && among(tag, always_end | others_end)) << ENDS;
    class |= (unsigned)(stop && among(tag, always_end)) << ENDS_ALL;
    class |= (unsigned)(stop && tag == ADJ) << ADJECTIVE_TAG;
    class |= (unsigned)(stop && participle) << PARTICIPLE_TAG;
    class |= (unsigned)(noun || number || tag == NUM || (!stop && (tag == ADJ || participle))) << NOMINAL;
    class |= (unsigned)(tag == PUNCT) << SIGN;
    class |= (unsigned)(tag == ADV) << ADVERB;
    class |= (unsigned)(inside && tag == ADJ && !number && !doubt) << DESCRIBES;
    class |= (unsigned)doubt << DOUBTFUL;
    return (uint16_t)class;
}

void word_classes(uint16_t classes[TAG_ROOM][TRAIT_SETS])
{
    for (int tag = 0; tag < TAG_ROOM; tag++)
        for (unsigned k = 0; k < TRAIT_SETS; k++)
            classes[tag][k] = tag < NO_TAG ? class_of(tag, k * TRAIT_INSIDE) : 0;
}

// --- masks ----------------------------------------------------------------------------------------------------------------

struct masks {
    uint64_t begins;          // where phrases begin if all are plain, and behind the last
    uint64_t single;          // a plain one of one word
    uint64_t nouns;           // a noun phrase may begin here
    uint64_t known;           // of words that it may reach: it surely ends with this one,
    uint64_t ends;            // ... and its tag says what it is
    uint64_t head;            // a noun that heads its phrase by its tag alone
    uint64_t doubted_single;  // a participle: plain unless it describes the noun behind it
    uint64_t doubted_ends;    // the last noun, unless the participle behind it goes on to another
    uint64_t ordinary;        // no preposition, no helper: a noun phrase, a verb or a sign begins here
    uint64_t describes, doubtful;   // as in the classes
};

// Bit k of eight bytes, as eight bits.
static inline uint64_t bits_of(uint64_t bytes, int k)
{
    return ((bytes >> k & 0x0101010101010101u) * 0x0102040810204080u) >> 56;
}

static void find_masks(const struct parser *p, struct masks *m)
{
    uint64_t is[CLASS_BITS] = {0}, capital = 0, all = ((uint64_t)1 << p->pieces) - 1;
    for (int i = 0; i < p->pieces; i += 8) {   // to the end of eight: beyond the last is anything
        uint64_t low = 0, high = 0, shapes;
        for (int j = 0; j < 8; j++) {
            const struct piece *k = &p->piece[i + j];
            uint64_t class = p->table->classes[k->tag % TAG_ROOM][k->traits / TRAIT_INSIDE];
            low |= (class & 255) << 8 * j;
            high |= (class >> 8) << 8 * j;
        }
        for (int k = 0; k < 8; k++) {
            is[k] |= bits_of(low, k) << i;
            is[8 + k] |= bits_of(high, k) << i;
        }
        memcpy(&shapes, p->shape + i, sizeof shapes);
        capital |= bits_of(shapes, 1) << i;   // CAPITAL, UPPER
    }
    uint64_t noun = is[IN_NOUN] & all, adjective = is[IN_ADJECTIVE] & all, opens = is[IN_OPENS] & all;
    uint64_t adjective_tag = is[ADJECTIVE_TAG] & all, participle = is[PARTICIPLE_TAG] & all, nominal = is[NOMINAL] & all;
    uint64_t ends = is[ENDS] | ~all, ends_all = is[ENDS_ALL] | ~all, number = adjective & nominal;
    // what a participle may stand before and describe a noun; quotes and dashes are signs that do not end phrases
    uint64_t like = adjective_tag | participle | nominal, more = (adjective_tag | nominal) >> 1;
    uint64_t doubted = participle & (like | (is[SIGN] & all & (~ends | more))) >> 1;
    // behind nouns: what ends them; adjectives and numbers without a noun of their own; participles that act
    uint64_t behind = ends | (adjective_tag & ~more) | (number & ends >> 1) | (participle & ~doubted);
    // "Kids Soft T-Shirt": one phrase
    uint64_t between = adjective_tag & is[DESCRIBES] & noun << 1 & (noun & is[IN_LAST]) >> 1;
    uint64_t inner = ((noun | adjective) & (opens | adjective) << 1) | (noun & noun << 1) | between;
    uint64_t lone = adjective & ~inner;   // no word before it in its phrase
    m->begins = (all & ~inner) | (all + 1);
    m->single = is[SINGLE_PREP] | (is[SINGLE] & ~doubted & ~(is[ADVERB] & like >> 1));
    m->nouns = is[IN_BEGINS];
    m->known = (noun & behind >> 1) | (adjective & (ends_all | (ends & ~(like >> 1))) >> 1);
    m->ends = m->known & is[IN_LAST] & (noun | lone);
    m->head = noun & is[IN_LAST];
    m->doubted_single = is[SINGLE] & doubted;
    m->doubted_ends = noun & doubted >> 1;
    m->ordinary = is[IN_BEGINS] | is[SINGLE];
    // part of a name; "red headed"; phrases that masks alone did not show
    m->doubtful = is[DOUBTFUL] | (is[DESCRIBES] & (capital | adjective_tag >> 1)) | ~(noun | adjective | opens);
    m->describes = is[DESCRIBES];
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
    return by_tag[k->tag][k->marks / M_WHEN & 3] ^ other[(unsigned char)p->text[k->start] * (k->len == 1)];
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
