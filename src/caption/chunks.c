// SPDX-License-Identifier: Apache-2.0
// From tagged words to phrases: one pass, each phrase as long as it can be.
#include <string.h>

#include "caption/lists.h"
#include "caption/phrases.h"

struct chunker {
    struct parser *p;
    struct phrase *out;
    int n;
};

static inline int tag(const struct parser *p, int i) { return p->piece[i].tag; }
static inline unsigned marks(const struct parser *p, int i) { return piece_marks(p, i); }
static inline unsigned is(const struct parser *p, int i) { return piece_is(p, i); }
static inline bool among(int tag, unsigned set) { return set >> tag & 1; }
static inline bool noun(const struct parser *p, int i) { return among(tag(p, i), 1u << NOUN | 1u << PROPN); }
static inline char sign(const struct parser *p, int i) { return p->piece[i].len == 1 ? p->text[p->piece[i].start] : 0; }
static inline bool hashtag(const struct parser *p, int i) { return p->piece[i].flags & PIECE_HASH; }

static inline bool possessive(const struct parser *p, int i)   // my, its
{
    return tag(p, i) == PRON && (marks(p, i) & M_POSSESSIVE);
}

static inline bool opens(const struct parser *p, int i)   // what only stands before a noun
{
    return tag(p, i) == DET || possessive(p, i);
}

static bool describes(const struct parser *p, int i) { return tag(p, i) == ADJ || ((marks(p, i) & M_COLOUR) && noun(p, i)); }

static bool number(const struct parser *p, int i)
{
    int c = p->piece[i].class;
    return tag(p, i) == NUM || c == CLASS_NUMBER || c == CLASS_CODE;
}

static bool being(const struct parser *p, int i)   // a person or an animal
{
    int kind = p->piece[i].kind;
    return (marks(p, i) & M_PERSON) || kind == KIND_PERSON || kind == KIND_ANIMAL;
}

static bool singular(const struct parser *p, int i)   // does "a" open the phrase that reaches to i?
{
    while (i >= 0 && (noun(p, i) || tag(p, i) == ADJ))
        i--;
    return piece_equals(p, i, "a") || piece_equals(p, i, "an");
}

// --- tags mended by what captions are like ------------------------------------------------------------------------------

static inline bool verb_tag(int t) { return among(t, 1u << VERB | 1u << VBG | 1u << VBN); }

static bool only_adjective(const struct parser *p, int i)
{
    static const char *const endings[] = {"able", "ible", "less", "ical", "ious", "eous", "ful"};
    unsigned what = is(p, i);
    const char *word = p->lower + p->piece[i].start;
    int n = p->piece[i].len;
    if (what)
        return (what & IS_ADJ) && !(what & (IS_NOUN | IS_PLURAL | IS_VERB | IS_THIRD | IS_ING | IS_PAST | IS_PARTICIPLE));
    for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
        int m = (int)strlen(endings[k]);
        if (n > m + 2 && memcmp(word + n - m, endings[k], (size_t)m) == 0)
            return true;
    }
    return false;
}

static bool taken(const struct parser *p, int i)   // what a verb before it takes and a noun does not
{
    return opens(p, i) || (tag(p, i) == PRON && i < p->pieces);
}

static bool capital(const struct parser *p, int i)
{
    char c = (unsigned)i < (unsigned)p->pieces ? p->text[p->piece[i].start] : 0;
    return c >= 'A' && c <= 'Z';
}

// "South Sandwich Islands": written like the nouns around it, nothing a verb takes behind it
static bool titled(const struct parser *p, int i)
{
    return capital(p, i) && capital(p, i - 1) && (noun(p, i + 1) || tag(p, i + 1) == VBG ? capital(p, i + 1) : i + 1 == p->pieces || tag(p, i + 1) == PUNCT) &&
           !(is(p, i) & (MOSTLY_VERB | IS_PAST)) && !being(p, i - 1);
}

static bool goes(const struct parser *p, int i)   // prepositions that hardly follow a noun
{
    return piece_equals(p, i, "to") || piece_equals(p, i, "into") || piece_equals(p, i, "against") || piece_equals(p, i, "through") ||
           piece_equals(p, i, "toward") || piece_equals(p, i, "towards") || piece_equals(p, i, "past") || piece_equals(p, i, "down") ||
           piece_equals(p, i, "over") || piece_equals(p, i, "at") || piece_equals(p, i, "along") || piece_equals(p, i, "across");
}

// Could the nouns before the verb at i be what it agrees with, by number and by who acts?
static bool agrees(const struct parser *p, int i)
{
    if (titled(p, i))
        return false;
    bool third = is(p, i) & IS_THIRD, several = is(p, i - 1) & IS_PLURAL;
    int from = i - 1;
    while (from > 0 && (noun(p, from - 1) || tag(p, from - 1) == ADJ))
        from--;
    const struct piece *subject = &p->piece[i - 1];
    if (subject->tag == PROPN && !third && p->lower[subject->start + subject->len - 1] != 's')
        return tag(p, from - 1) == CCONJ || taken(p, i + 1);   // "Edward Bear": he would bear
    if (subject->tag == PROPN || (marks(p, i - 1) & M_PERSON) || tag(p, from - 1) == CCONJ)
        return true;
    bool acts = opens(p, from - 1) || (from > 0 && number(p, from - 1)) || being(p, i - 1) || (marks(p, i - 1) & M_MOVER) || taken(p, i + 1);
    if (!third)   // "dots square grid": things do not, but for verbs that hardly are nouns
        return several && (acts || ((is(p, i) & MOSTLY_VERB) && !number(p, i + 1)));
    bool ends = i + 1 >= p->pieces || tag(p, i + 1) == PUNCT || tag(p, i + 1) == CCONJ;
    return !several && (acts || (!ends && !number(p, i + 1) && (tag(p, i + 1) != ADP || goes(p, i + 1))));
}

static bool starts_phrase(const struct parser *p, int i) { return i == 0 || tag(p, i - 1) == PUNCT; }

// "(transparent fix)": an adjective and a noun are all there is
static bool fragment(const struct parser *p, int i)
{
    return starts_phrase(p, i - 1) && (i + 1 == p->pieces || tag(p, i + 1) == PUNCT) && !(is(p, i) & MOSTLY_VERB);
}

// "check box", "Mount Hood": written like the noun behind it, which is one and has no article. "Track sensor data" is none.
static bool heading(const struct parser *p, int i)
{
    return noun(p, i + 1) && (!(is(p, i + 1) & IS_PLURAL) || (tag(p, i + 1) == PROPN && capital(p, i))) && capital(p, i) == capital(p, i + 1);
}

// Do the words at i and i + 1 make a noun that the dictionary has? The second may be a plural.
static bool paired(const struct parser *p, int i)
{
    char lemma[80];
    if (!(is(p, i) & PAIR_FIRST) || i < 0 || i + 1 >= p->pieces)
        return false;
    if ((is(p, i + 1) & PAIR_SECOND) && table_pair(p->table, pair_hash(p->hash[CAPTION_AROUND + i], p->hash[CAPTION_AROUND + i + 1])))
        return true;
    if (!(is(p, i + 1) & IS_PLURAL))
        return false;
    int n = parser_lemma(p, i + 1, false, lemma);
    return table_pair(p->table, pair_hash(p->hash[CAPTION_AROUND + i], word_hash(lemma, (size_t)n)));
}

// "Wed Aug 25", "Sat Mar 6", "5 May": no verbs; "you may", "they march" only beside a date
static void mend_date(struct parser *p, int i)
{
    if (!(marks(p, i) & M_TIME)) {
        if (piece_equals(p, i, "sat") || piece_equals(p, i, "sun"))
            p->piece[i].tag = NUM;
        return;
    }
    bool date = (marks(p, i - 1) & M_TIME) || number(p, i - 1) || number(p, i + 1);
    bool verb = (marks(p, i) & M_AUX) || piece_equals(p, i, "march");
    if (!verb || (date && !noun(p, i - 1) && tag(p, i - 1) != PRON))
        p->piece[i].tag = PROPN;
}

static bool still(const struct parser *p, int i)   // a thing that does nothing by itself
{
    return noun(p, i) && !being(p, i) && !(is(p, i) & IS_PLURAL) && !(marks(p, i) & (M_MOVER | M_MEDIA)) && tag(p, i) != PROPN;
}

static void mend_pair(struct parser *p, int i)
{
    struct piece *k = &p->piece[i];
    unsigned what = is(p, i);
    bool first = starts_phrase(p, i) || opens(p, i - 1) || tag(p, i - 1) == ADJ || tag(p, i - 1) == ADP ||
                 ((what & IS_ING) && still(p, i - 1));   // flower playing cards
    if (k->tag != VBN && first && paired(p, i)) {
        bool thing = p->word[3 + i]->kind == KIND_ARTIFACT && !(p->word[2 + i]->frames & FRAME_NONE);
        k->tag = (what & IS_ING) && !(what & IS_NOUN) && !thing ? ADJ : NOUN;
    } else if (k->tag != VBN && i > 0 && paired(p, i - 1) && !taken(p, i + 1) && tag(p, i - 1) != PRON &&
               !(being(p, i - 1) && (what & (IS_THIRD | IS_ING)) && tag(p, i + 1) == ADP)) {
        k->tag = NOUN;
    }
}

static void mend(struct parser *p)
{
    static const uint32_t small_tags = 1u << DET | 1u << CCONJ | 1u << ADP | 1u << AUX | 1u << PRON | 1u << PART | 1u << SCONJ | 1u << NUM;
    for (int i = 0; i < p->pieces; i++) {
        struct piece *k = &p->piece[i];
        if (k->tag == PUNCT)
            continue;
        unsigned what = is(p, i), m = marks(p, i);
        if (hashtag(p, i) || (small_tags >> k->tag & 1 && (m & M_SMALL) && !(m & M_COMMAND)))
            continue;   // the, of, and: nothing to mend
        if ((m & M_NEVER_VERB) && verb_tag(k->tag))
            k->tag = what & (IS_NOUN | IS_PLURAL) || !what ? NOUN : ADJ;
        if (((m & M_TIME) && (verb_tag(k->tag) || k->tag == AUX)) || (k->len == 3 && (marks(p, i + 1) & M_TIME)))
            mend_date(p, i);
        if (verb_tag(k->tag) && (what & (PAIR_FIRST | PAIR_SECOND)))
            mend_pair(p, i);
        if (k->tag == VBG && (what & IS_NOUN) && i == 1 && p->pieces == 2 && still(p, 0))
            k->tag = NOUN;   // security marking
        if (k->tag == VBN && what && !(what & IS_PARTICIPLE) && (what & IS_VERB))
            k->tag = VERB;
        // "a ... boy smiles": nothing plural follows "a"
        if (k->tag == NOUN && (what & IS_THIRD) && noun(p, i - 1) && !(is(p, i - 1) & IS_PLURAL) && singular(p, i - 1) &&
            (!noun(p, i + 1) || being(p, i - 1)))
            k->tag = VERB;
        if (!what && !m && p->word[2 + i] == &p->unknown[i] && (k->tag == AUX || k->tag == DET || k->tag == PRON || k->tag == ADP))
            k->tag = NOUN;   // small words are all known
        if (k->tag == ADV && (what & IS_NOUN) && !(what & (IS_ADV | IS_ADJ | IS_VERB)) && !m)
            k->tag = NOUN;
        // "player drives to the basket"
        if (k->tag == NOUN && (what & IS_THIRD) && being(p, i - 1) && noun(p, i - 1) && !(is(p, i - 1) & IS_PLURAL) && goes(p, i + 1))
            k->tag = VERB;
        // "Flute in key of C", "face with bags"
        if (k->tag == VERB && starts_phrase(p, i) && (what & IS_NOUN) && !(what & (MOSTLY_VERB | IS_ING | IS_PAST)) &&
            !(m & M_COMMAND) && tag(p, i + 1) == ADP)
            k->tag = NOUN;
        if (k->tag == VERB && starts_phrase(p, i) && (what & IS_NOUN) && !(what & (MOSTLY_VERB | IS_PAST)) && heading(p, i))
            k->tag = NOUN;
        if (p->pieces == 1 && verb_tag(k->tag) && (what & IS_NOUN) && !(what & (MOSTLY_VERB | IS_PAST)))
            k->tag = NOUN;   // watch, bowling
        if (k->tag == ADV && starts_phrase(p, i) && (what & IS_ADJ) && sign(p, i + 1) == ',' && tag(p, i + 2) == ADJ)
            k->tag = ADJ;   // fast, small library
        // "tennis shoes", "shoe print": a verb would agree with the noun before
        if (k->tag == VERB && noun(p, i - 1) && (what & (IS_NOUN | IS_PLURAL)) && !(what & IS_PAST) && !agrees(p, i))
            k->tag = (what & IS_ADJ) && noun(p, i + 1) ? ADJ : NOUN;
        // a determiner, an adjective or a preposition makes a noun of what can be one
        bool before = opens(p, i - 1) || (i > 0 && tag(p, i - 1) == ADJ && (opens(p, i - 2) || fragment(p, i)));
        if (k->tag == VERB && (what & (IS_NOUN | IS_PLURAL)) && before)
            k->tag = noun(p, i + 1) && (what & IS_PAST) ? VBN : NOUN;
        if (k->tag == VERB && (what & (IS_NOUN | IS_PLURAL)) && !(what & (IS_PAST | IS_ING)) && tag(p, i - 1) == ADP)
            k->tag = NOUN;
        if (k->tag == VERB && !(what & (IS_VERB | IS_THIRD | IS_PAST | IS_PARTICIPLE)) && (what & (IS_NOUN | IS_PLURAL)) &&
            !(m & (M_BE | M_HAVE)))
            k->tag = NOUN;
        if ((k->tag == ADP || k->tag == SCONJ || k->tag == ADV) && piece_equals(p, i, "like") && (i == 0 || noun(p, i - 1)))
            k->tag = ADP;
        if ((m & M_BEFORE_NOUN) && noun(p, i) && noun(p, i + 1) && !piece_equals(p, i + 1, "'s"))
            k->tag = ADJ;
        // -ing behind a noun acts, unless it says what the next noun is for
        if ((what & IS_ING) && noun(p, i) && !(what & (MOSTLY_NOUN)) && noun(p, i - 1) &&
            (tag(p, i + 1) == DET || tag(p, i + 1) == ADP || possessive(p, i + 1) || (being(p, i - 1) && !(m & M_PURPOSE))))
            k->tag = VBG;
        if ((what & IS_ING) && k->tag == ADJ && noun(p, i - 1) && !noun(p, i + 1) && tag(p, i + 1) != ADJ)
            k->tag = VBG;
        // -ing that WordNet knows as an adjective before others
        if ((what & IS_ING) && (what & IS_ADJ) && noun(p, i) && !(m & M_PURPOSE) && noun(p, i + 1) && !noun(p, i - 1))
            k->tag = ADJ;
        if ((what & MOSTLY_ADJ) && k->tag == NOUN && k->shape == LOWER && noun(p, i + 1) && !noun(p, i - 1))
            k->tag = ADJ;   // electric plug
        // what can only be an adjective, before a noun
        if ((noun(p, i) || verb_tag(k->tag)) && noun(p, i + 1) && k->shape == LOWER && only_adjective(p, i))
            k->tag = ADJ;
        if (k->tag == ADJ && (what & IS_NOUN) && !(what & (IS_ADJ | IS_PARTICIPLE)) && !(m & (M_BEFORE_NOUN | M_COLOUR)) && noun(p, i + 1))
            k->tag = NOUN;
        if ((m & M_BEFORE_NOUN) && k->tag == VERB && (tag(p, i + 1) == ADJ || noun(p, i + 1)) && !(what & IS_THIRD))
            k->tag = ADJ;
        if (k->tag == VERB && !what && !(m & (M_BE | M_HAVE | M_AUX)) && p->word[2 + i] == &p->unknown[i])
            k->tag = NOUN;
        if (i == 0 && (m & M_COMMAND) && k->tag != ADJ &&
            (tag(p, 1) == ADP || tag(p, 1) == DET || opens(p, 1) || (p->pieces == 1 && !(what & IS_NOUN)) || tag(p, 1) == PUNCT))
            k->tag = (what & IS_ING) ? VBG : VERB;
        if ((what & IS_PARTICIPLE) && k->tag == ADJ && noun(p, i - 1) &&
            (tag(p, i + 1) == ADP || i + 1 == p->pieces))
            k->tag = VBN;
    }
}

// "image processing library": neither article nor anybody who could do it, and a noun of its own
static bool compounded(const struct parser *p, int from, int i)
{
    const struct word *before = p->word[2 + i - 1];
    bool thing = p->word[3 + i]->kind == KIND_ARTIFACT && !(is(p, i + 1) & IS_PLURAL);
    return (!opens(p, from) || thing) && (is(p, i) & IS_NOUN) && !being(p, i - 1) && !(before->marks & (M_MOVER | M_MEDIA)) &&
           !(before->is & IS_PLURAL) && !(marks(p, i) & M_SHOW);
}

// --- noun phrases -------------------------------------------------------------------------------------------------------

// May the word go on a noun phrase whose words so far are [from, i)?
static bool prenominal_participle(const struct parser *p, int from, int i)
{
    int next = i + 1;
    bool bare = i == from;
    while (tag(p, next) == ADJ || tag(p, next) == VBN || (tag(p, next) == VBG && next == i + 1))
        next++;
    if (sign(p, next) == '"' && sign(p, i - 1) == '"')
        next++;   // "required" bubbles
    if (!noun(p, next))
        return false;
    if (!bare && noun(p, i - 1) && tag(p, i) == VBN)   // a grass filled pond
        return opens(p, from) && next == i + 1 && !(is(p, next) & IS_PLURAL);
    if (!bare && noun(p, i - 1))   // noun -ing noun: what the next is for, or an action
        return tag(p, i) == VBG ? ((marks(p, i) & M_PURPOSE) && !being(p, i - 1)) || compounded(p, from, i) : false;
    if (bare && tag(p, i - 1) == VBG && (marks(p, i) & M_PURPOSE))   // waving cooking implements
        return true;
    if (!bare)
        return true;
    if (tag(p, i) == VBN)
        return true;
    if (i > 0 && (p->piece[i].frames & FRAME_OBJECT) && !(marks(p, i) & M_PURPOSE) && !being(p, next) &&
        (piece_equals(p, i - 1, "for") || piece_equals(p, i - 1, "by") || piece_equals(p, i - 1, "after") ||
         piece_equals(p, i - 1, "before") || piece_equals(p, i - 1, "without") || piece_equals(p, i - 1, "and")))
        return false;   // for building houses
    if (piece_equals(p, i - 1, "with"))
        return true;
    if (i > 0 && (tag(p, i - 1) == ADP || tag(p, i - 1) == CCONJ))
        return !(p->word[2 + i]->frames & FRAME_OBJECT) || (marks(p, i) & M_PURPOSE) || being(p, next);
    return starts_phrase(p, i) && ((marks(p, i) & M_PURPOSE) || !(p->word[2 + i]->frames & FRAME_OBJECT) ||
                      being(p, next) || (p->word[2 + next]->kind == KIND_BODY && !(is(p, next) & IS_PLURAL)));   // kissing face
}

static int preposition_end(const struct parser *p, int i);

static bool adverbial(const struct parser *p, int i)   // today, yesterday: no heads of what stands before
{
    return piece_equals(p, i, "today") || piece_equals(p, i, "yesterday") || piece_equals(p, i, "tomorrow") || piece_equals(p, i, "tonight");
}

// The end of the noun phrase at i: its last word + 1; i itself when there is none.
static int noun_phrase_end(const struct parser *p, int from)
{
    int i = from, end = from;
    bool any_noun = false;
    while (i < p->pieces && !hashtag(p, i)) {
        int t = tag(p, i);
        if (piece_equals(p, i, "hand") && (tag(p, i + 1) == VBN || tag(p, i + 1) == ADJ || tag(p, i + 1) == VERB)) {
            from += i == from;
            i++;   // hand painted: says how
            continue;
        }
        if (i > from && (preposition_end(p, i) > i + 1 || (any_noun && (marks(p, i) & M_DAYTIME) && adverbial(p, i))))
            break;
        if (t == DET || possessive(p, i)) {
            if (i > from && !(tag(p, i - 1) == DET && !any_noun))
                break;
        } else if (t == NOUN || t == PROPN) {
            any_noun = true;
            end = i + 1;
        } else if (number(p, i)) {
            if (!any_noun)
                end = i + 1;
        } else if (t == ADJ) {
            if (any_noun) {   // only when a noun follows: Kids Blue T-Shirt
                int next = i + 1;
                while (tag(p, next) == ADJ || number(p, next))
                    next++;
                if (!noun(p, next))
                    break;
            } else {
                end = i + 1;
            }
        } else if (t == ADV) {
            if (any_noun || !(tag(p, i + 1) == ADJ || tag(p, i + 1) == VBN || tag(p, i + 1) == NUM))
                break;
        } else if (t == VBG || t == VBN) {
            if (!prenominal_participle(p, from, i))
                break;
        } else if (t == VERB) {
            if (!((is(p, i) & IS_PARTICIPLE) && !any_noun && i > from && noun(p, i + 1)))
                break;
        } else if ((sign(p, i) == ',' || t == CCONJ) && i > from && !any_noun && describes(p, i - 1) &&
                   (tag(p, i + 1) == ADJ || (marks(p, i + 1) & M_COLOUR))) {
            int next = i + 1;   // small, brown dog; black and white cat
            while (tag(p, next) == ADJ || tag(p, next) == VBN || (tag(p, next) == VBG && next > i + 1) || (marks(p, next) & M_COLOUR))
                next++;
            if (!noun(p, next) && !(next > i + 1 && noun(p, next - 1) && !(marks(p, next - 1) & M_COLOUR)))
                break;
        } else if (sign(p, i) == '"' || sign(p, i) == '-') {
            if (i == from || (p->piece[i].flags & PIECE_ALONE) || !(noun(p, i + 1) || (tag(p, i + 1) == VBN && sign(p, i + 2) == '"')))
                break;
        } else {
            break;
        }
        i++;
    }
    return end;
}

static void add_attribute(struct parser *p, int object, int piece)
{
    if (p->attributes == CAPTION_ATTRIBUTES || (marks(p, piece) & M_QUANTITY) || number(p, piece) ||
        p->object[object].attributes == 255)
        return;
    p->attribute[p->attributes++] = (struct attribute){(uint8_t)object, (uint8_t)piece};
    p->object[object].attributes++;
}

static bool fixed_pair(const struct parser *p, int i)
{
    return (marks(p, i) & M_PAIR_FIRST) && (marks(p, i + 1) & M_PAIR_SECOND) && lists_fixed_pair(p->lower + p->piece[i].start, p->piece[i].len,
                                                 p->lower + p->piece[i + 1].start, p->piece[i + 1].len);
}

static int add_object(struct parser *p, int head, int first, int last)
{
    int o = p->objects++;
    p->object[o] = (struct object){(uint8_t)head, (uint8_t)first, (uint8_t)last, 0, 0, hashtag(p, head)};
    for (int i = first; i < head; i++) {
        int t = tag(p, i);
        bool named = (p->piece[i].shape == CAPITAL || p->piece[i].shape == UPPER) && p->piece[i + 1].shape != LOWER &&
                     tag(p, i + 1) == PROPN && tag(p, head) == PROPN;
        if (fixed_pair(p, i)) {
            i += i + 1 < head;
            continue;
        }
        bool purpose = (marks(p, i) & M_PURPOSE) || (i > first && noun(p, i - 1));   // event logging framework
        if (t == ADJ ? !named : t == VBN || t == VERB || (t == VBG && !purpose) ||
            ((marks(p, i) & M_COLOUR) && noun(p, i) && !named))
            add_attribute(p, o, i);
    }
    return o;
}

static struct phrase *add(struct chunker *c, int kind, int first, int last)
{
    c->out[c->n] = (struct phrase){.kind = (uint8_t)kind, .first = (uint8_t)first, .last = (uint8_t)last, .object = -1};
    return &c->out[c->n++];
}

static int take_noun_phrase(struct chunker *c, int from, int end)
{
    struct parser *p = c->p;
    int head = end - 1;
    while (head > from && !noun(p, head))
        head--;
    // a trailing colour is an attribute of the noun before it
    int colour = -1;
    if (noun(p, head) && (marks(p, head) & M_COLOUR) && head > from && noun(p, head - 1) && !(marks(p, head - 1) & M_COLOUR) &&
        !piece_equals(p, head, "gold"))
        colour = head--;
    char initial = p->text[p->piece[end - 1].start];
    bool counted = tag(p, end - 1) == NUM && initial >= 'A' && initial <= 'Z' && noun(p, head) &&
                   p->word[2 + end - 1]->class != CLASS_NUMBER && p->word[2 + end - 1]->class != CLASS_CODE;
    if (counted)   // Studio Nine
        head = end - 1;
    bool time = (marks(p, head) & M_TIME) && !(piece_equals(p, head, "may") || piece_equals(p, head, "march")) ;
    bool aside = end == from + 1 && sign(p, from - 1) == ',' && (sign(p, end) == ',' || end == p->pieces) &&
                 (piece_equals(p, from, "left") || piece_equals(p, from, "right") || piece_equals(p, from, "center"));
    if (aside) {
        add(c, P_ADJECTIVE, from, from);
        return end;
    }
    bool stands_for = head == from && (marks(p, head) & M_PRONOUN);
    if ((!noun(p, head) && !counted) || time || stands_for || (marks(p, head) & M_COLOUR) || (number(p, head) && !counted)) {
        // adjectives alone: what a verb like "be" ties, or nothing
        bool adjective = true;
        for (int i = from; i < end; i++)
            adjective &= tag(p, i) == ADJ || tag(p, i) == ADV || (marks(p, i) & M_COLOUR) || tag(p, i) == CCONJ;
        add(c, adjective ? P_ADJECTIVE : P_NAMELESS, from, end - 1);
        return end;
    }
    bool handed = (marks(p, head) & M_GROUP) && piece_equals(p, end, "of") && noun_phrase_end(p, end + 1) > end + 1;
    if (handed && !(number(p, end + 1) && noun_phrase_end(p, end + 1) == end + 2))
        return end + 1;   // a group of: as if it were not there
    struct phrase *f = add(c, P_NOUN, from, end - 1);
    f->object = (int16_t)add_object(p, head, from, end - 1);
    if (colour >= 0)
        add_attribute(p, f->object, colour);
    if ((piece_equals(p, end, "'s") || piece_equals(p, end, "'")) && tag(p, end) != AUX && tag(p, end) != VERB) {
        f->possessor = true;
        return end + 1;
    }
    return end;
}

// --- verbs --------------------------------------------------------------------------------------------------------------

static inline bool helper(const struct parser *p, int i)
{
    return tag(p, i) == AUX || (marks(p, i) & (M_BE | M_AUX)) || ((marks(p, i) & M_HAVE) && tag(p, i) != NOUN);
}

static bool between(const struct parser *p, int i)   // stands between an auxiliary and its verb
{
    return tag(p, i) == ADV || piece_equals(p, i, "not") || piece_equals(p, i, "n't");
}

static int main_form(const struct parser *p, int i)
{
    int t = tag(p, i);
    if (t == VBG)
        return V_ING;
    if (t == VBN)
        return V_PARTICIPLE;
    return (is(p, i) & (IS_PAST | IS_PARTICIPLE)) && !(is(p, i) & IS_VERB) ? V_PAST : V_FINITE;
}

static void add_verb(struct chunker *c, int first, int verb, int form, bool helped)
{
    struct phrase *f = add(c, P_VERB, first, verb);
    f->verb = (uint8_t)verb;
    f->form = (uint8_t)form;
    f->helped = helped;
}

static bool linking(const struct parser *p, int i)
{
    int next = i + 1;
    if (!(marks(p, i) & M_LINK))
        return false;
    while (tag(p, next) == ADV)
        next++;
    return tag(p, next) == ADJ && noun_phrase_end(p, next) == next + 1 && !noun(p, next);
}

// be, have and other helpers with the verb they help
static int take_helper(struct chunker *c, int i)
{
    struct parser *p = c->p;
    int from = i;
    bool be = false, have = false, modal = false;
    for (; i < p->pieces && (helper(p, i) || (i > from && between(p, i))); i++) {
        if (marks(p, i) & M_BE)
            be = true;
        else if (marks(p, i) & M_HAVE)
            have = true, be = false;
        else if (!between(p, i))
            modal = true;
        if (i > from && (marks(p, i) & M_HAVE) && modal && !verb_tag(tag(p, i + 1)) && !helper(p, i + 1) && !between(p, i + 1)) {
            i++;   // will have dinner
            break;
        }
    }
    int t = tag(p, i);
    unsigned what = is(p, i);
    bool past = what & IS_PARTICIPLE;
    if (be && (t == VBN || (t == VERB && past)) && i < p->pieces) {
        add_verb(c, from, i, V_PASSIVE, true);
        return i + 1;
    }
    if (be && t == VBG) {
        if (linking(p, i)) {
            add(c, P_BE, from, i);
            return i + 1;
        }
        add_verb(c, from, i, V_FINITE, true);
        return i + 1;
    }
    if (!be && have && (t == VBN || (t == VERB && past))) {
        add_verb(c, from, i, V_FINITE, true);
        return i + 1;
    }
    if (modal && !be && !have && (t == VERB || ((t == NOUN || t == ADJ) && (what & IS_VERB) && !piece_equals(p, from, "can")))) {
        add_verb(c, from, i, V_FINITE, true);
        return i + 1;
    }
    if (be || have) {
        add(c, be ? P_BE : P_HAVE, from, i - 1);
        return i;
    }
    return i > from ? i : from + 1;
}

static int take_verb(struct chunker *c, int i)
{
    struct parser *p = c->p;
    if ((marks(p, i) & M_HAVE) && !piece_equals(p, i, "having")) {
        add(c, P_HAVE, i, i);
        return i + 1;
    }
    if (marks(p, i) & M_BE) {
        add(c, P_BE, i, i);
        return i + 1;
    }
    if (linking(p, i)) {
        add(c, P_BE, i, i);
        return i + 1;
    }
    add_verb(c, i, i, main_form(p, i), false);
    return i + 1;
}

// --- prepositions -------------------------------------------------------------------------------------------------------

// The fixed prepositions of several words that begin at i: the piece behind, else i + 1.
static int preposition_end(const struct parser *p, int i)
{
    if (!(marks(p, i) & M_FIXED_FIRST) || !(marks(p, i + 1) & M_FIXED_SECOND))
        return i + 1;
    for (size_t k = 0; k < lists_fixed_prepositions; k++) {
        int n = 0;
        for (const char *word = lists_fixed_preposition(k); word; n++) {
            size_t len = strcspn(word, " ");
            if (i + n >= p->pieces || p->piece[i + n].len != len || memcmp(p->lower + p->piece[i + n].start, word, len) != 0)
                break;
            word = word[len] ? word + len + 1 : NULL;
            if (!word)
                return i + n + 1;
        }
    }
    return i + 1;
}

static bool preposition(const struct parser *p, int i)
{
    int t = tag(p, i);
    if (!(marks(p, i) & M_PREPOSITION))
        return t == ADP;
    if (t == ADP || t == SCONJ)
        return true;
    return preposition_end(p, i) > i + 1 || ((t == ADV || t == ADJ || t == NOUN || t == PROPN) && i > 0 && (marks(p, i) & M_PARTICLE) &&
           noun_phrase_end(p, i + 1) > i + 1 && t != ADJ && t != NOUN);
}

// "as traffic drives on", "before he left": what follows has a finite verb of its own
static bool opens_clause(const struct parser *p, int i)
{
    if (!(marks(p, i) & M_PREPOSITION) || !(piece_equals(p, i, "as") || piece_equals(p, i, "before") ||
          piece_equals(p, i, "after") || piece_equals(p, i, "since") || piece_equals(p, i, "until") || piece_equals(p, i, "like")))
        return false;
    bool pronoun = tag(p, i + 1) == PRON && !possessive(p, i + 1);
    int end = pronoun ? i + 2 : noun_phrase_end(p, i + 1);
    return end > i + 1 && (tag(p, end) == VERB || tag(p, end) == AUX) && !((is(p, end) & IS_PARTICIPLE) && !(is(p, end) & IS_THIRD) && !pronoun);
}

static int take_hashtag(struct chunker *c, int i)
{
    struct parser *p = c->p;
    unsigned what = is(p, i);
    int o;
    add(c, P_STOP, i, i);
    if ((what & (IS_NOUN | IS_PLURAL)) && !(what & (MOSTLY_VERB | MOSTLY_ADJ)) && !(marks(p, i) & (M_TIME | M_COLOUR))) {
        o = p->objects++;
        p->object[o] = (struct object){(uint8_t)i, (uint8_t)i, (uint8_t)i, 0, 0, true};
        c->p->piece[i].tag = NOUN;
    }
    return i + 1;
}

static int take_other(struct chunker *c, int i)
{
    struct parser *p = c->p;
    int t = tag(p, i);
    char s = sign(p, i);
    if (s == ',')
        add(c, P_COMMA, i, i);
    else if (t == CCONJ)
        add(c, P_AND, i, i);
    else if ((marks(p, i) & M_RELATIVE) && t != DET)
        add(c, P_THAT, i, i);
    else if ((marks(p, i) & M_WHEN) && t != NOUN)
        add(c, P_WHEN, i, i);
    else if (t == PRON) {
        struct phrase *f = add(c, P_NAMELESS, i, i);
        f->subject_pronoun = true;
    } else if (t == PUNCT || t == SYM || s == '-')
        add(c, s == '"' || s == '\'' ? P_COMMA : P_STOP, i, i);
    if ((s == '"' || s == '\'') && c->n && c->out[c->n - 1].first == i)
        c->n--;   // quotes part nothing
    return i + 1;
}

int phrases_chunk(struct parser *p, struct phrase out[CAPTION_WORDS])
{
    struct chunker c = {p, out, 0};
    mend(p);
    for (int i = 0; i < p->pieces;) {
        int t = tag(p, i), end;
        if (hashtag(p, i))
            i = take_hashtag(&c, i);
        else if (piece_equals(p, i, "hand") && tag(p, i + 1) == VBN)
            i++;
        else if (opens_clause(p, i))
            add(&c, P_WHEN, i, i), i++;
        else if (preposition(p, i) && (end = preposition_end(p, i)) > i) {
            add(&c, P_PREP, i, end - 1);
            i = end;
        } else if (t == PART && piece_equals(p, i, "to") && (tag(p, i + 1) == VERB || helper(p, i + 1) || (is(p, i + 1) & IS_VERB))) {
            if (helper(p, i + 1)) {
                i = take_helper(&c, i + 1);
                if (c.n && out[c.n - 1].kind == P_VERB && out[c.n - 1].form == V_FINITE)
                    out[c.n - 1].form = V_INFINITIVE;
            } else {
                add_verb(&c, i, i + 1, V_INFINITIVE, true);
                i += 2;
            }
        } else if (helper(p, i) && t != NOUN && t != PROPN)
            i = take_helper(&c, i);
        else if ((end = noun_phrase_end(p, i)) > i && !(t == CCONJ))
            i = take_noun_phrase(&c, i, end);
        else if (verb_tag(t))
            i = take_verb(&c, i);
        else
            i = take_other(&c, i);
    }
    return c.n;
}
