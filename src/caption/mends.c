// SPDX-License-Identifier: Apache-2.0
// Which words mend.c's rules can have another tag for, by the word and by the tags beside it. One word in eighty is mended:
// what candidates.c asks of all of them at once, a bit for rules alike, spares most of them the rules. It lets through too many
// words, never too few: a new rule in mend.c needs its bit here, unless one of those below lets its words through.
#include <string.h>

#include "caption/lists.h"
#include "caption/mends.h"
#include "caption/spell.h"

enum {
    NOUNS = 1 << NOUN | 1 << PROPN, VERBS = 1 << VERB | 1 << VBG | 1 << VBN, OPENS = 1 << DET | 1 << PRON,
    START = 1 << PUNCT | 1 << NO_TAG, ANY = (1 << (NO_TAG + 1)) - 1, LAST = 1 << ADP | 1 << PUNCT | 1 << NUM | 1 << NO_TAG,
};

// Rules by what they ask of the tags before and behind; for some the words there count as well (`fill`).
enum {
    ANYWHERE, AFTER_NOUN, VERB_AFTER_NOUN, VERB_AFTER_NAME, AFTER_BEING, AFTER_PLURAL, AFTER_QUANTITY, AFTER_ADP, AFTER_GERUND,
    FALLS, SINGULAR_ACTS, NOUN_GERUND, STARTING_PARTICLE, STARTING_NOUN, STARTING_ADP, STARTING_BE, STARTING_PUNCT, COMMANDS, OPENED, OPENED_OWN, OPENED_ADJECTIVE,
    OPENED_NOUN, GERUND_THING, GERUND_OF, GERUND_MOSTLY, GERUND_DESCRIBED, GERUND_NUMBER, LINKED, JOINED, BEFORE_NOUN, BEFORE_NOMINAL,
    BEFORE_PHRASE, BEFORE_GERUND, BEFORE_TIME, HYPHENED, ONLY_BEFORE_NOUN, ONLY_AFTER_NOUN, ENDING_NOUN, ENDING_PHRASE, FIRST_OF_PAIR,
    FIRST_AFTER_THING, SECOND_OF_PAIR, FEW_TAGS,
    RULES,
};
_Static_assert((int)RULES <= (int)MENDS_TAGS && (int)MENDS_TAGS + (int)NO_TAG <= 64 && MENDS_ROOM == 1 << SET_SHIFT, "a bit each; SET_* are above all indices");

static const struct { unsigned before, behind; } beside[RULES] = {
    [ANYWHERE] = {ANY, ANY},
    [FEW_TAGS] = {ANY, ANY},   // as that, of the tags below
    [AFTER_NOUN] = {NOUNS, ANY},
    [VERB_AFTER_NOUN] = {1 << NOUN, ANY & ~(1 << DET)},   // no person, who would agree with it
    [VERB_AFTER_NAME] = {1 << PROPN, ANY & ~(1 << DET)},
    [AFTER_BEING] = {NOUNS, ANY},
    [AFTER_PLURAL] = {ANY, ANY},
    [AFTER_QUANTITY] = {ANY, ANY},
    [AFTER_ADP] = {1 << ADP, ANY},
    [AFTER_GERUND] = {1 << VBG, ANY},
    [FALLS] = {1 << NOUN, ANY},
    [SINGULAR_ACTS] = {NOUNS, ANY & ~NOUNS},
    [NOUN_GERUND] = {NOUNS, 1 << DET | 1 << ADP | 1 << PRON},
    [STARTING_PARTICLE] = {START, ANY},
    [STARTING_NOUN] = {START, NOUNS | 1 << ADJ},
    [STARTING_ADP] = {START, 1 << ADP},
    [STARTING_BE] = {START, ANY},
    [STARTING_PUNCT] = {START, 1 << PUNCT},
    [COMMANDS] = {START, 1 << ADP | 1 << DET | 1 << PRON | 1 << PUNCT},
    [OPENED] = {1 << DET | 1 << ADJ, ANY},
    [OPENED_OWN] = {1 << PRON, ANY},
    [OPENED_ADJECTIVE] = {OPENS, 1 << ADJ},
    [OPENED_NOUN] = {OPENS | 1 << ADP, NOUNS},
    [GERUND_THING] = {1 << NOUN, LAST},
    [GERUND_OF] = {1 << NOUN | 1 << DET | 1 << ADJ | START, ANY},
    [GERUND_MOSTLY] = {1 << NOUN, LAST},
    [GERUND_DESCRIBED] = {1 << ADJ, LAST},
    [GERUND_NUMBER] = {1 << NOUN | 1 << DET | 1 << ADJ | START, ANY},
    [LINKED] = {ANY, ANY & ~NOUNS & ~(1 << DET)},
    [JOINED] = {1 << CCONJ, ANY & ~NOUNS},
    [BEFORE_NOUN] = {ANY, NOUNS},
    [BEFORE_NOMINAL] = {ANY, NOUNS | 1 << ADJ},
    [BEFORE_PHRASE] = {ANY, NOUNS | 1 << ADJ | 1 << VBG | 1 << VBN},
    [BEFORE_GERUND] = {ANY, 1 << VBG},
    [BEFORE_TIME] = {ANY, ANY},
    [HYPHENED] = {ANY & ~NOUNS, NOUNS | 1 << ADJ | 1 << VBG | 1 << VBN},
    [ONLY_BEFORE_NOUN] = {ANY & ~NOUNS, NOUNS},
    [ONLY_AFTER_NOUN] = {NOUNS, ANY & ~NOUNS & ~(1 << ADJ)},
    [ENDING_NOUN] = {NOUNS, 1 << ADP | 1 << NO_TAG},
    [ENDING_PHRASE] = {OPENS | 1 << ADJ, 1 << ADP | 1 << PUNCT | 1 << NO_TAG},
    [FIRST_OF_PAIR] = {START | OPENS | 1 << ADJ | 1 << ADP, ANY},
    [FIRST_AFTER_THING] = {1 << NOUN, ANY},
    [SECOND_OF_PAIR] = {ANY & ~(1 << PRON), ANY & ~OPENS},
};

// Tags share their rules where few have any.
const uint8_t mends_slot[TAG_ROOM] = {[NOUN] = 1, [PROPN] = 1, [VERB] = 2, [VBG] = 3, [ADJ] = 4, [VBN] = 5, [ADV] = 5};

enum { FEW = 1 << VBN | 1 << AUX | 1 << SCONJ };   // that share a slot with tags of more words

// What no noun and no verb is, by the dictionary, or by its ending where the dictionary does not have it.
bool only_adjective(unsigned is, const char *word, size_t n)
{
    static const char *const endings[] = {"able", "ible", "less", "ical", "ious", "eous", "ful"};
    if (is)
        return (is & IS_ADJ) && !(is & (IS_NOUN | IS_PLURAL | IS_VERB | IS_THIRD | IS_ING | IS_PAST | IS_PARTICIPLE));
    char last = n ? word[n - 1] : 0;
    if (last != 'e' && last != 's' && last != 'l')   // as all endings do
        return false;
    for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
        size_t m = strlen(endings[k]);
        if (n > m + 2 && memcmp(word + n - m, endings[k], m) == 0)
            return true;
    }
    return false;
}

// What the spelling and the kind of a word add to its marks.
enum { KNOWN = 1, HYPHEN = 2, ADJECTIVE = 4, SUNDAY = 8, PERSON = 16, ANIMAL = 32, SHORT = 64, GOES = 128, OF = 256, LIKE = 512, THREE = 1024,
       BODY = 2048, PARTICLE = 4096 };

static const char *const of_body[] = {"headed", "haired", "eared", "eyed", "legged", "necked", "faced", "sided", "handed", "tailed", "winged",
                                      "nosed", "sleeved", "aged", "shaped", "sized", "skinned", "bodied", "coloured", "colored", NULL};

static unsigned look(const struct word *w, bool known, const char *text, size_t n)
{
    static const char *const sunday[] = {"sat", "sun", NULL}, *const of[] = {"of", NULL}, *const like[] = {"like", NULL},
                      *const particles[] = {"to", "not", "n't", NULL},
                      *const goes[] = {"to", "into", "against", "through", "toward", "towards", "past", "down", "during", "over", "at",
                                       "along", "across", NULL};
    unsigned how = (memchr(text, '-', n) ? HYPHEN : 0) | (only_adjective(w->is, text, n) ? ADJECTIVE : 0) | (n < 6 ? SHORT : 0);
    if (!known)   // nothing below is asked of such a word
        return how;
    return how | KNOWN | (n == 3 ? THREE : 0) | (w->kind == KIND_PERSON ? PERSON : 0) | (w->kind == KIND_ANIMAL ? ANIMAL : 0) |
           (spelled_as(text, n, sunday) ? SUNDAY : 0) | (spelled_as(text, n, goes) ? GOES : 0) | (spelled_as(text, n, of) ? OF : 0) |
           (spelled_as(text, n, like) ? LIKE : 0) | (spelled_as(text, n, of_body) ? BODY : 0) | (spelled_as(text, n, particles) ? PARTICLE : 0);
}

// The tags with which a word may be mended at all, whatever stands around it: the rules' conditions on the word itself, where
// there are more than two.
static unsigned mend_tags(const struct word *w, unsigned how)
{
    static const unsigned nouns = 1u << NOUN | 1u << PROPN, verbs = 1u << VERB | 1u << VBG | 1u << VBN;
    unsigned what = w->is, m = w->marks, set = 0;
    bool thing = what & (IS_NOUN | IS_PLURAL);
    if ((m & (M_TIME | M_COMMAND)) || (how & (SUNDAY | LIKE)))
        return MENDS_ALWAYS;
    if ((m & (M_NEVER_VERB)) || (what & (PAIR_FIRST | PAIR_SECOND)))
        set |= verbs;
    if (what && !(what & IS_PARTICIPLE) && (what & (IS_VERB | IS_ADJ)))
        set |= 1u << VBN;
    if (what & IS_THIRD)
        set |= 1u << NOUN;
    if (!(how & KNOWN))
        set |= 1u << AUX | 1u << DET | 1u << PRON | 1u << ADP | 1u << VERB;
    if (((what & IS_NOUN) && !(what & (IS_ADV | IS_ADJ | IS_VERB)) && !m) || (what & IS_ADJ))
        set |= 1u << ADV;
    if ((what & IS_NOUN) && !(m & (M_AUX | M_BE | M_HAVE | M_SMALL)))
        set |= 1u << AUX;
    if (thing)
        set |= 1u << VERB;
    if (m & M_BEFORE_NOUN)
        set |= nouns | 1u << VERB;
    if (what & IS_ING)
        set |= nouns | 1u << ADJ;
    if (what & MOSTLY_ADJ)
        set |= 1u << NOUN;
    if (how & ADJECTIVE)
        set |= nouns | verbs;
    if ((what & IS_NOUN) && !(what & (IS_ADJ | IS_PARTICIPLE)) && !(m & (M_BEFORE_NOUN | M_COLOUR)))
        set |= 1u << ADJ;
    if (what & IS_PARTICIPLE)
        set |= 1u << ADJ | 1u << PROPN;
    if ((what & IS_VERB) && (what & IS_NOUN) && !(what & MOSTLY_NOUN))
        set |= 1u << NOUN;
    if (what && ((what & (IS_NOUN | IS_ADJ)) || !(what & IS_ING) || (w->traits & FRAME_OBJECT)))
        set |= 1u << VBG;
    if ((how & SHORT) && (what & IS_PARTICIPLE))
        set |= 1u << VBN;
    if (m & M_COLOUR)
        set |= 1u << ADV | 1u << VERB;
    if (!what && (how & HYPHEN))
        set |= nouns | 1u << VBG | 1u << ADV | 1u << ADP;
    if ((what & (IS_NOUN | IS_VERB)) || !(how & KNOWN))
        set |= 1u << ADJ;
    return (m & M_SMALL ? set & ~MENDS_SMALL : set) | 1u << SYM | 1u << OTHER;
}

// In one number: words alike in it have the same rules.
static uint64_t key_of(const struct word *w, unsigned how)
{
    uint64_t key = (uint64_t)w->is | (uint64_t)w->marks << 16 | (uint64_t)w->traits << 48;
    return (key ^ key >> 32) * 0xff51afd7ed558ccdu ^ how * 0xc4ceb9fe1a85ec53u;
}

#define IF(so, rule) ((uint64_t)((so) != 0) << (rule))

static uint64_t of_nouns(const struct word *w, unsigned how, int tag)
{
    unsigned is = w->is, m = w->marks;
    uint64_t r = IF(is & IS_VERB, AFTER_BEING) | IF((is & IS_NAME) && (is & IS_VERB), AFTER_NOUN) |
                 IF(m & M_BEFORE_NOUN, BEFORE_PHRASE) | IF(how & ADJECTIVE, BEFORE_NOUN);
    if (is & IS_THIRD)
        r |= IF(1, AFTER_BEING) | IF(tag == NOUN && !(is & MOSTLY_NOUN), FALLS) | IF(tag == NOUN, SINGULAR_ACTS) |
             IF((m & M_AUX) || !(is & (IS_NOUN | IS_PLURAL)), AFTER_NOUN);
    if (is & IS_ING)
        r |= IF(1, STARTING_PARTICLE) | IF(1, AFTER_BEING) | IF(!(is & MOSTLY_NOUN), NOUN_GERUND) | IF(tag == NOUN, JOINED) |
             IF(tag == NOUN, AFTER_QUANTITY) | IF(tag == NOUN, OPENED_ADJECTIVE) | IF((is & IS_ADJ) && !(m & M_PURPOSE), ONLY_BEFORE_NOUN);
    return r | IF(tag == PROPN && (is & IS_PARTICIPLE), OPENED_NOUN) | IF(tag == NOUN && (is & MOSTLY_ADJ), ONLY_BEFORE_NOUN);
}

static uint64_t of_verb(const struct word *w, unsigned how)
{
    unsigned is = w->is, m = w->marks;
    bool thing = is & (IS_NOUN | IS_PLURAL);
    uint64_t r = IF(thing && !(is & IS_PAST), VERB_AFTER_NOUN) | IF(thing && !(is & IS_PAST), VERB_AFTER_NAME) | IF(thing, OPENED) | IF(thing, OPENED_OWN) |
                 IF(thing && !(is & (IS_PAST | IS_ING)), AFTER_ADP) | IF(thing && !(is & (IS_PAST | IS_ING)), AFTER_GERUND) |
                 IF(thing && !(is & (IS_VERB | IS_THIRD | IS_PAST | IS_PARTICIPLE)) && !(m & (M_BE | M_HAVE)), ANYWHERE) |
                 IF(!is && !(m & (M_BE | M_HAVE | M_AUX)) && !(how & KNOWN), ANYWHERE) | IF(m & M_COLOUR, BEFORE_NOMINAL) |
                 IF((m & M_BEFORE_NOUN) && !(is & IS_THIRD), BEFORE_NOMINAL);
    if (is & IS_NOUN)
        r |= IF(1, STARTING_BE) | IF(!(is & (MOSTLY_VERB | IS_PAST)), STARTING_NOUN) |
             IF(!(is & (MOSTLY_VERB | IS_ING | IS_PAST)) && !(m & M_COMMAND), STARTING_ADP);
    return r;
}

static uint64_t of_gerund(const struct word *w)
{
    unsigned is = w->is;
    bool takes = (w->traits & FRAME_OBJECT) && !(w->traits & FRAME_NONE) && !(w->marks & M_SHOW);
    uint64_t r = IF(is && !(is & IS_ING), ANYWHERE) | IF(takes, GERUND_THING) | IF(takes || (is & IS_NOUN), GERUND_NUMBER) |
                 IF(is & IS_ADJ, LINKED) | IF((is & IS_ADJ) && !(is & IS_NOUN), STARTING_NOUN);
    if (is & IS_NOUN)
        r |= IF(1, GERUND_OF) | IF(is & MOSTLY_NOUN, GERUND_MOSTLY) | IF(1, GERUND_DESCRIBED);
    return r;
}

static uint64_t of_adjective(const struct word *w)
{
    unsigned is = w->is, m = w->marks;
    uint64_t r = IF(!(is & IS_ADJ) && !(m & M_COLOUR), BEFORE_NOUN) | IF(is & IS_PARTICIPLE, ENDING_NOUN) | IF(m & M_PREPOSITION, AFTER_NOUN) |
                 IF((is & IS_VERB) && !(is & (IS_ADJ | IS_NOUN | IS_PARTICIPLE)), AFTER_PLURAL);
    if (is & IS_ING)
        r |= IF(1, JOINED) | IF(1, ONLY_AFTER_NOUN);
    if ((is & IS_NOUN) && !(m & (M_COLOUR | M_QUANTITY)) && (w->traits & TRAIT_HEAD))
        r |= IF(1, ENDING_PHRASE) | IF(w->kind == KIND_PERSON, BEFORE_GERUND);
    return r;
}

static uint64_t rules_of(const struct word *w, unsigned how, int tag)
{
    unsigned is = w->is, m = w->marks;
    bool verb = VERBS >> tag & 1;
    uint64_t r = IF(!is && (how & HYPHEN), HYPHENED) | IF(verb && (m & M_NEVER_VERB), ANYWHERE) | IF(verb && (how & ADJECTIVE), BEFORE_NOUN) |
                 IF((m & M_TIME) && (verb || tag == AUX), ANYWHERE) | IF((how & SUNDAY) || ((m & M_TIME) && (how & THREE)), BEFORE_TIME) |
                 IF((m & M_COMMAND) && tag != ADJ, COMMANDS) | IF((how & LIKE) && tag == ADV, ANYWHERE) | IF((how & LIKE) && tag == SCONJ, FEW_TAGS);
    if (tag == VERB || tag == VBG)
        r |= IF(is & PAIR_FIRST, FIRST_OF_PAIR) | IF((is & PAIR_FIRST) && (is & IS_ING), FIRST_AFTER_THING) |
             IF((is & PAIR_SECOND) || ((is & PAIR_FIRST) && (is & IS_PLURAL)), SECOND_OF_PAIR);
    switch (tag) {
    case NOUN:
    case PROPN:
        return r | of_nouns(w, how, tag);
    case VERB:
        return r | of_verb(w, how);
    case VBG:
        return r | of_gerund(w);
    case VBN:
        return r | IF(is && !(is & IS_PARTICIPLE) && (is & (IS_VERB | IS_ADJ)), FEW_TAGS) | IF(!(is & IS_ADJ), BEFORE_NOUN);
    case ADJ:
        return r | of_adjective(w);
    case ADV:
        return r | IF(is & IS_ADJ, OPENED_NOUN) | IF(is & IS_ADJ, STARTING_PUNCT) | IF(m & M_COLOUR, BEFORE_NOMINAL) |
               IF((is & IS_NOUN) && !(is & (IS_ADV | IS_ADJ | IS_VERB)) && !m, ANYWHERE) | IF((is & IS_NOUN) && !(is & (IS_ADV | IS_VERB)), STARTING_ADP);
    case AUX:
        r |= IF((is & IS_NOUN) && !(m & (M_AUX | M_BE | M_HAVE | M_SMALL)), FEW_TAGS);
        // fall through
    case DET:
    case PRON:
    case ADP:
        return r | IF(!is && !m && !(how & KNOWN), ANYWHERE);
    default:
        return r;
    }
}

static void fill(struct mends *to, const struct word *w, unsigned how)
{
    unsigned is = w->is, m = w->marks, tags = mend_tags(w, how);
    bool being = (how & (PERSON | ANIMAL)) || (m & M_PERSON), plural = is & IS_PLURAL, second = is & (PAIR_SECOND | IS_PLURAL);
    bool thing = !being && !plural && !(m & (M_MOVER | M_MEDIA)), number = !(w->traits & (TRAIT_HEAD | TRAIT_STOP));
    uint64_t rules = ((uint64_t)1 << RULES) - 1;
    uint64_t looks = (m & M_BE ? LOOK_BE : 0) | (m & M_HAVE ? LOOK_HAVE : 0) | (m & M_AUX ? LOOK_AUX : 0) | (m & M_LINK ? LOOK_LINK : 0) |
                     (m & M_PAIR_FIRST ? LOOK_PAIR : 0) | (m & M_QUANTITY ? LOOK_QUANTITY : 0) | (how & BODY ? LOOK_BODY : 0) |
                     (how & PARTICLE ? LOOK_PARTICLE : 0);
    *to = (struct mends){0};
    for (int tag = 0; tag < NO_TAG; tag++)
        to->at[mends_slot[tag]] |= tag != PUNCT && tags >> tag & 1 ? rules_of(w, how, tag) : 0;
    // all but what asks for another word there
    uint64_t behind = IF(!being, AFTER_BEING) | IF(!plural, AFTER_PLURAL) | IF(!(m & M_QUANTITY), AFTER_QUANTITY) | IF(plural, FALLS) |
                      IF(plural, SINGULAR_ACTS) | IF(!(m & M_POSSESSIVE), OPENED_OWN) | IF(!thing, GERUND_THING) | IF(!thing, GERUND_MOSTLY) |
                      IF(!(m & M_LINK), LINKED) | IF(!(is & PAIR_FIRST), SECOND_OF_PAIR) | IF(m & M_PERSON, VERB_AFTER_NOUN) |
                      IF(!thing, FIRST_AFTER_THING);
    uint64_t ahead = IF(!(how & GOES), FALLS) | IF(!(m & M_PARTICLE), STARTING_PARTICLE) | IF(!(m & M_BE), STARTING_BE) |
                     IF(!(how & OF), GERUND_OF) | IF(!number, GERUND_NUMBER) | IF(!(m & M_TIME), BEFORE_TIME) | IF(!second, FIRST_OF_PAIR) |
                     IF(!second, FIRST_AFTER_THING);
    to->behind = (rules & ~behind) | (uint64_t)tags << MENDS_TAGS;
    to->ahead = (rules & ~ahead) | looks << MENDS_LOOKS;
}

#undef IF

static uint32_t place_of(const struct table *t, uint64_t key)   // in mends_keys: where it is or would be
{
    uint32_t i = (uint32_t)((key * 0x9fb21c651e98df25u) >> 40) % MENDS_KEYS;
    while (t->mends_keys[i].index && t->mends_keys[i].key != key)
        i = (i + 1) % MENDS_KEYS;
    return i;
}

static uint16_t with_looks(unsigned index, const struct word *w, const char *text, size_t n)
{
    bool comma = n == 1 && *text == ',', quote = n == 1 && (*text == '"' || *text == '\'');
    bool past = (w->is & (IS_PAST | IS_PARTICIPLE)) && !(w->is & IS_VERB);
    index |= comma || (w->marks & (M_WHEN | M_BE)) ? SET_FIRST : 0;
    index |= quote || (w->marks & (M_RELATIVE | M_HAVE)) ? SET_SECOND : 0;
    index |= w->marks & M_FIXED_FIRST ? SET_FIXED : 0;
    index |= w->marks & M_FIXED_SECOND ? SET_FIXED_SECOND : 0;
    return (uint16_t)(index | (past ? SET_PAST : 0));
}

uint16_t mends_find(const struct table *t, const struct word *w, bool known, const char *text, size_t n)
{
    return with_looks(t->mends_keys[place_of(t, key_of(w, look(w, known, text, n)))].index, w, text, n);
}

uint16_t mends_add(struct table *t, const struct word *w, bool known, const char *text, size_t n)
{
    unsigned how = look(w, known, text, n);
    uint64_t key = key_of(w, how);
    struct mends_key *k = &t->mends_keys[place_of(t, key)];
    if (!k->index && t->n_mends < MENDS_ROOM && t->n_mends_keys < MENDS_KEYS / 2) {
        struct mends *new = &t->mends[t->n_mends];
        int same = 1;
        fill(new, w, how);
        while (memcmp(&t->mends[same], new, sizeof *new))   // fewer sets than keys: those in use stay in the first cache
            same++;
        *k = (struct mends_key){key, (uint16_t)same};
        t->n_mends += same == t->n_mends;
        t->n_mends_keys++;
    }
    return with_looks(k->index, w, text, n);
}

void mends_begin(struct table *t)
{
    memset(t->mends_keys, 0, MENDS_KEYS * sizeof *t->mends_keys);
    memset(&t->mends[0], 0xff, sizeof t->mends[0]);   // all its looks, too: masks send nearly all of its phrases to the closer look
    t->n_mends = 1;
    t->n_mends_keys = 0;
    for (int tag = 0; tag < TAG_ROOM; tag++) {
        t->mends_own[tag] = tag == PUNCT || tag >= NO_TAG ? 0 : FEW >> tag & 1 ? ~(uint64_t)0 : ~((uint64_t)1 << FEW_TAGS);
        t->mends_behind[tag] = t->mends_ahead[tag] = 0;
        for (int rule = 0; rule < RULES; rule++) {
            t->mends_behind[tag] |= (uint64_t)(beside[rule].before >> tag & 1) << rule;
            t->mends_ahead[tag] |= (uint64_t)(beside[rule].behind >> tag & 1) << rule;
        }
    }
    // all that words which the table does not hold can be
    static const char *const looks[] = {"x", "x-x", "xxxxxx", "xxxx-x", "xxxable", "x-xable"};
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        for (int class = CLASS_NUMBER; class <= CLASS_SIGN; class++) {
            struct word w = {.tag = NO_TAG, .class = (uint8_t)class};
            w.traits = word_traits(&w, "", 0);
            mends_add(t, &w, false, looks[i], strlen(looks[i]));
        }
}
