// SPDX-License-Identifier: Apache-2.0
// From tagged words to phrases: one pass, each phrase as long as it can be.
#include <string.h>

#include "caption/pieces.h"

enum { RUNS = 60 };
// Of at most RUNS pieces, a bit each; with more, none is set but all of `adds`. Most phrases are found by these alone.
struct runs {
    uint64_t noun, adjective, open;   // plain words of a noun phrase
    uint64_t stop;                    // a noun phrase ends before it, and begins nowhere there
    uint64_t head;                    // nouns that head theirs
    uint64_t start;                   // the tag alone says what begins here
    uint64_t prep;
    uint64_t adds;                    // before the head: may be an attribute
};

struct chunker {
    struct parser *p;
    struct phrase *out;
    int n;
    struct runs runs;
};

// --- what no rule for single words stands in the way of ------------------------------------------------------------------

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
                      *const clauses[] = {"as", "before", "after", "since", "until", "like", NULL},
                      *const joins[] = {"\"", "-", "'", "'s", NULL};
    bool number = w->class == CLASS_NUMBER || w->class == CLASS_CODE, how = one_of(text, n, hand);
    unsigned m = w->marks, traits = 0;
    if (!how && !(m & (M_FIXED_FIRST | M_DAYTIME)))
        traits |= TRAIT_INSIDE;
    if (!number && !(m & (M_COLOUR | M_TIME | M_PRONOUN | M_GROUP)) && !one_of(text, n, sides))
        traits |= TRAIT_HEAD;
    if (!how && !(m & (M_FIXED_FIRST | M_PREPOSITION | M_AUX | M_BE | M_HAVE | M_LINK)))
        traits |= TRAIT_START;
    if (!how && !one_of(text, n, clauses))
        traits |= TRAIT_PREP;
    if (!number && !how && !one_of(text, n, joins))
        traits |= TRAIT_STOP;
    if (m & (M_COLOUR | M_PAIR_FIRST))
        traits |= TRAIT_ADDS;
    return (uint8_t)traits;
}

// Bit k of eight bytes, as eight bits.
static inline uint64_t bits_of(uint64_t bytes, int k)
{
    return ((bytes >> k & 0x0101010101010101u) * 0x0102040810204080u) >> 56;
}

static void find_runs(const struct parser *p, struct runs *r)
{
    enum { N = 1, A = 2, O = 4, HEAD = 8, START = 16, PREP = 32, STOP = 64, ADDS = 128 };
    static const uint8_t by_tag[32] = {
        [ADJ] = A | START | ADDS, [ADP] = PREP | STOP, [ADV] = START | STOP, [AUX] = STOP, [CCONJ] = START | STOP,
        [DET] = O | START | STOP, [INTJ] = STOP, [NOUN] = N | HEAD | START, [NUM] = A | START, [PART] = STOP,
        [PRON] = START | STOP, [PROPN] = N | HEAD | START, [SCONJ] = START | STOP, [VERB] = START | STOP | ADDS,
        [VBG] = START | ADDS, [VBN] = START | ADDS, [PUNCT] = START | STOP, [SYM] = STOP, [OTHER] = STOP,
    };
    *r = (struct runs){0};
    if (p->pieces > RUNS) {
        r->adds = ~(uint64_t)0;
        return;
    }
    for (int i = 0; i < p->pieces; i += 8) {   // to the end of eight: beyond the last is anything
        uint64_t eight = 0;
        for (int j = 0; j < 8; j++) {
            const struct piece *k = &p->piece[i + j];
            unsigned traits = k->traits;   // INSIDE stands for N, A and O; the rest lies as here
            unsigned may = (traits & (HEAD | START | PREP | STOP)) | ((traits & TRAIT_INSIDE) >> 2) * (N | A | O) | ADDS;
            unsigned owner = (k->tag == PRON) & k->marks >> 31;   // M_POSSESSIVE
            uint64_t class = ((by_tag[k->tag & 31] | owner * O) & may) | (traits & ADDS);
            eight |= (k->flags & PIECE_HASH ? STOP : class) << 8 * j;
        }
        r->noun |= bits_of(eight, 0) << i;
        r->adjective |= bits_of(eight, 1) << i;
        r->open |= bits_of(eight, 2) << i;
        r->head |= bits_of(eight, 3) << i;
        r->start |= bits_of(eight, 4) << i;
        r->prep |= bits_of(eight, 5) << i;
        r->stop |= bits_of(eight, 6) << i;
        r->adds |= bits_of(eight, 7) << i;
    }
    uint64_t all = ((uint64_t)1 << p->pieces) - 1;   // what is behind the last byte is anything
    r->noun &= all;
    r->adjective &= all;
    r->stop |= ~all;
}

static bool describes(const struct parser *p, int i) { return tag(p, i) == ADJ || ((marks(p, i) & M_COLOUR) && noun(p, i)); }

// "image processing library": neither article nor anybody who could do it, and a noun of its own
static bool compounded(const struct parser *p, int from, int i)
{
    const struct word *before = p->word[2 + i - 1];
    bool thing = p->word[3 + i]->kind == KIND_ARTIFACT && !(is(p, i + 1) & IS_PLURAL);
    bool moved = piece_equals(p, i + 2, "from") || piece_equals(p, i + 2, "off") || piece_equals(p, i + 2, "into") || piece_equals(p, i + 2, "onto");
    return !moved && (!opens(p, from) || thing) && (is(p, i) & IS_NOUN) && !being(p, i - 1) && !(before->marks & (M_MOVER | M_MEDIA)) &&
           !(before->is & IS_PLURAL) && !(marks(p, i) & M_SHOW);
}

// --- noun phrases -------------------------------------------------------------------------------------------------------

// "the community celebrated holiday": a phrase with an article, a being or several of them stands before
static bool acted(const struct parser *p, int i)
{
    int from = i - 1;
    if (i == 0 || !noun(p, i - 1) || !(is(p, i) & IS_PAST) || piece_equals(p, i - 1, "hand"))
        return false;
    while (noun(p, from - 1) || tag(p, from - 1) == ADJ)
        from--;
    return opens(p, from - 1) || being(p, i - 1) || (is(p, i - 1) & IS_PLURAL);
}

// May the word go on a noun phrase whose words so far are [from, i)?
static bool prenominal_participle(const struct parser *p, int from, int i)
{
    int next = i + 1;
    bool bare = i == from;
    while (tag(p, next) == ADJ || tag(p, next) == VBN || (tag(p, next) == VBG && next == i + 1) ||
           (sign(p, next) == ',' && next == i + 1 && tag(p, next + 1) == ADJ))   // an enclosed, grassy area
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
        return !acted(p, i);
    if (piece_equals(p, i - 1, "of") && (marks(p, i - 2) & (M_GROUP | M_MEDIA)))
        return true;   // a pair of praying hands
    if (i > 0 && (p->piece[i].traits & FRAME_OBJECT) && !(marks(p, i) & M_PURPOSE) && !being(p, next) &&
        (piece_equals(p, i - 1, "for") || piece_equals(p, i - 1, "by") || piece_equals(p, i - 1, "after") ||
         piece_equals(p, i - 1, "before") || piece_equals(p, i - 1, "without") || piece_equals(p, i - 1, "and")))
        return false;   // for building houses
    if (piece_equals(p, i - 1, "with"))
        return true;
    if (i > 0 && (tag(p, i - 1) == ADP || tag(p, i - 1) == CCONJ || (tag(p, i - 1) == SCONJ && (marks(p, i - 1) & M_PREPOSITION))))
        return !(p->word[2 + i]->traits & FRAME_OBJECT) || (marks(p, i) & M_PURPOSE) || being(p, next);
    return starts_phrase(p, i) && ((marks(p, i) & M_PURPOSE) || !(p->word[2 + i]->traits & FRAME_OBJECT) ||
                      being(p, next) || (p->word[2 + next]->kind == KIND_BODY && !(is(p, next) & IS_PLURAL)));   // kissing face
}

static int preposition_end(const struct parser *p, int i);

static bool adverbial(const struct parser *p, int i)   // today, yesterday: no heads of what stands before
{
    return piece_equals(p, i, "today") || piece_equals(p, i, "yesterday") || piece_equals(p, i, "tomorrow") || piece_equals(p, i, "tonight");
}

// "In a large area many giraffes", "in the park two dogs": what counts stands before all else in its phrase
static bool starts_anew(const struct parser *p, int i)
{
    if (tag(p, i) == ADJ)
        return (marks(p, i) & M_QUANTITY) && noun(p, i + 1) && (is(p, i + 1) & IS_PLURAL);
    return tag(p, i) == NUM && p->lower[p->piece[i].start] > '9' && p->piece[i].shape == LOWER &&
           noun(p, i + 1) && (is(p, i + 1) & IS_PLURAL);
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
        if (any_noun && starts_anew(p, i))
            break;
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
        } else if ((sign(p, i) == ',' || t == CCONJ) && i > from && !any_noun && (describes(p, i - 1) || tag(p, i - 1) == VBN) &&
                   (tag(p, i + 1) == ADJ || tag(p, i + 1) == VBN || (marks(p, i + 1) & M_COLOUR))) {
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
    object_counted(p, object);
}

static bool fixed_pair(const struct parser *p, int i)
{
    return (marks(p, i) & M_PAIR_FIRST) && (marks(p, i + 1) & M_PAIR_SECOND) && lists_fixed_pair(p->lower + p->piece[i].start, p->piece[i].len,
                                                 p->lower + p->piece[i + 1].start, p->piece[i + 1].len);
}

// The first of `adds` from i on, or where that is no longer before `end`.
static inline int next_to_add(const struct runs *r, int i, int end)
{
    if (i >= 64)
        return i;
    uint64_t rest = r->adds >> i;
    return rest ? i + __builtin_ctzll(rest) : end;
}

// "eared", "long-legged": made of a noun, which the word before describes
static bool of_body(const struct parser *p, int i)
{
    static const char *const words[] = {"headed", "haired", "eared", "eyed", "legged", "necked", "faced", "sided", "handed", "tailed", "winged",
                                        "nosed", "sleeved", "shaped", "sized", "skinned", "bodied", "coloured", "colored"};
    const struct piece *k = &p->piece[i];
    if ((tag(p, i) != ADJ && tag(p, i) != VBN) || p->lower[k->start + k->len - 1] != 'd')
        return false;
    return piece_among(p, i, words, sizeof words / sizeof *words);
}

static int add_object(struct parser *p, const struct runs *r, int head, int first, int last)
{
    int o = p->objects++;
    p->object[o] = (struct object){(uint8_t)head, (uint8_t)first, (uint8_t)last, 0, 0, hashtag(p, head)};
    for (int i = first; (i = next_to_add(r, i, head)) < head; i++) {
        int t = tag(p, i);
        bool named = (p->piece[i].shape == CAPITAL || p->piece[i].shape == UPPER) && p->piece[i + 1].shape != LOWER &&
                     p->piece[head].shape != LOWER;
        if (fixed_pair(p, i)) {
            i += i + 1 < head;
            continue;
        }
        bool purpose = (marks(p, i) & M_PURPOSE) || (i > first && noun(p, i - 1));   // event logging framework
        if (i + 1 < head && t == ADJ && of_body(p, i + 1))
            continue;   // red headed: it is the head that is red
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

static bool possessive_sign(const struct parser *p, int i) { return piece_equals(p, i, "'s") || piece_equals(p, i, "'"); }

static int take_noun_phrase(struct chunker *c, int from, int end)
{
    struct parser *p = c->p;
    int head = end - 1;
    while (head > from && (!noun(p, head) || (number(p, head) && noun(p, head - 1)) || ((marks(p, head) & M_TIME) && noun(p, head - 1))))
        head--;   // the tokyo subway 123a; a demonstration thursday
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
    bool dated = number(p, head + 1) || number(p, head - 1);
    bool time = (marks(p, head) & M_TIME) && (dated || !(piece_equals(p, head, "may") || piece_equals(p, head, "march")));
    bool aside = end == from + 1 && sign(p, from - 1) == ',' && (sign(p, end) == ',' || end == p->pieces) &&
                 (piece_equals(p, from, "left") || piece_equals(p, from, "right") || piece_equals(p, from, "center"));
    if (aside) {
        add(c, P_ADJECTIVE, from, from);
        return end;
    }
    bool stands_for = (head == from || (head == from + 1 && (marks(p, from) & M_QUANTITY))) && (marks(p, head) & M_PRONOUN);
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
    f->object = (int16_t)add_object(p, &c->runs, head, from, end - 1);
    if (colour >= 0)
        add_attribute(p, f->object, colour);
    if (possessive_sign(p, end) && tag(p, end) != AUX && tag(p, end) != VERB) {
        f->possessor = true;
        return end + 1;
    }
    return end;
}

// --- verbs --------------------------------------------------------------------------------------------------------------

static inline bool helper(const struct parser *p, int i)
{
    if (tag(p, i) == VERB && (marks(p, i) & M_AUX) && (piece_equals(p, i, "do") || piece_equals(p, i, "does") || piece_equals(p, i, "did")))
        return false;
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
    const uint64_t *hash = p->hash + CAPTION_AROUND + i;   // 0 behind the last word
    for (size_t k = 0; k < FIXED_PREPOSITIONS; k++) {
        const uint64_t *words = p->table->prepositions[k];
        if (words[0] == hash[0] && words[1] == hash[1] && (!words[2] || words[2] == hash[2]))
            return i + 2 + (words[2] != 0);
    }
    return i + 1;
}

static bool preposition(const struct parser *p, int i)
{
    int t = tag(p, i);
    if ((marks(p, i) & M_FIXED_FIRST) && preposition_end(p, i) > i + 1)
        return true;   // is next to
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

// Article, adjectives, nouns, and nothing that goes on: the end of such a phrase at i; 0: it takes a closer look.
static int plain_end(const struct parser *p, const struct runs *r, int i)
{
    int at = i + (int)(r->open >> i & 1);
    at += __builtin_ctzll(~(r->adjective >> at));
    int end = at + __builtin_ctzll(~(r->noun >> at)), next = end + 1;
    if (end == at)
        return 0;
    if (r->stop >> end & 1)
        return end;
    if (!(p->piece[end].traits & TRAIT_STOP))
        return 0;
    if (among(tag(p, end), 1u << VBG | 1u << VBN))
        return prenominal_participle(p, i, end) ? 0 : end;
    if (tag(p, end) != ADJ)
        return 0;
    while (tag(p, next) == ADJ || number(p, next))
        next++;
    return noun(p, next) ? 0 : end;
}

// What begins at i by its tag alone: the piece behind it; 0: it takes a closer look.
static inline int take_plain(struct chunker *c, int i)
{
    static const unsigned adverb_of = 1u << ADJ | 1u << VBN | 1u << NUM;
    struct parser *p = c->p;
    const struct runs *r = &c->runs;
    int t = tag(p, i), end;
    if (r->prep >> i & 1) {
        if ((marks(p, i) & M_FIXED_FIRST) && (marks(p, i + 1) & M_FIXED_SECOND))
            return 0;
        add(c, P_PREP, i, i);
        return i + 1;
    }
    if (!(r->start >> i & 1))
        return 0;
    if (among(t, 1u << NOUN | 1u << PROPN | 1u << ADJ | 1u << DET | 1u << NUM) || (r->open >> i & 1)) {
        end = plain_end(p, r, i);
        if (!end || !(r->head >> (end - 1) & 1))
            return end ? take_noun_phrase(c, i, end) : 0;
        add(c, P_NOUN, i, end - 1)->object = (int16_t)add_object(p, r, end - 1, i, end - 1);
        return end;
    }
    if (number(p, i))
        return 0;
    if (verb_tag(t)) {
        if (t != VERB && prenominal_participle(p, i, i))
            return 0;
        add_verb(c, i, i, main_form(p, i), false);
        return i + 1;
    }
    return t == ADV && among(tag(p, i + 1), adverb_of) ? 0 : take_other(c, i);
}

int phrases_chunk(struct parser *p, struct phrase out[CAPTION_WORDS])
{
    struct chunker c = {.p = p, .out = out};
    phrases_mend(p);
    find_runs(p, &c.runs);
    for (int i = 0; i < p->pieces;) {
        if ((marks(p, i) & M_DAYTIME) && adverbial(p, i) && i > 0 && tag(p, i - 1) != ADP && !possessive_sign(p, i + 1) && !noun(p, i + 1)) {
            i++;   // stands beside all phrases
            continue;
        }
        int t = tag(p, i), end = p->pieces <= RUNS ? take_plain(&c, i) : 0;
        if (end)
            i = end;
        else if (hashtag(p, i))
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
