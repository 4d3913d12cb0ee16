// SPDX-License-Identifier: Apache-2.0
// Tags mended by what captions are like, before phrases are read from them.
#include "caption/candidates.h"
#include "caption/evidence.h"
#include "caption/mends.h"

// "Wed Aug 25", "Sat Mar 6", "5 May": no verbs; "you may", "they march" only beside a date
static void mend_date(struct parser *p, int i)
{
    if (!(marks(p, i) & M_TIME)) {
        if (piece_equals(p, i, "sat") || piece_equals(p, i, "sun"))
            p->tag[i] = NUM;
        return;
    }
    bool date = (marks(p, i - 1) & M_TIME) || number(p, i - 1) || number(p, i + 1);
    bool verb = (marks(p, i) & M_AUX) || piece_equals(p, i, "march");
    if (!verb || (date && !noun(p, i - 1) && tag(p, i - 1) != PRON))
        p->tag[i] = PROPN;
}

static void mend_pair(struct parser *p, int i)
{
    unsigned what = is(p, i);
    bool first = starts_phrase(p, i) || opens(p, i - 1) || tag(p, i - 1) == ADJ || tag(p, i - 1) == ADP ||
                 ((what & IS_ING) && still(p, i - 1));   // flower playing cards
    if (p->tag[i] != VBN && first && paired(p, i)) {
        bool thing = p->word[3 + i]->kind == KIND_ARTIFACT && !(p->word[2 + i]->traits & FRAME_NONE);
        p->tag[i] = (what & IS_ING) && !(what & IS_NOUN) && !thing ? ADJ : NOUN;
    } else if (p->tag[i] != VBN && i > 0 && !taken(p, i + 1) && tag(p, i - 1) != PRON &&
               !(being(p, i - 1) && (what & (IS_THIRD | IS_ING)) && tag(p, i + 1) == ADP) && paired(p, i - 1)) {
        p->tag[i] = NOUN;
    }
}

// With these tags every rule asks for a noun beside the word.
static const unsigned near_nouns = 1u << NOUN | 1u << PROPN | 1u << ADJ;

// Rules that ask for more than tags.
static bool mendable(const struct parser *p, int i)
{
    unsigned t = p->tag[i], mends = (unsigned)(word_mends(p->table->mends, p->word[2 + i])->behind >> MENDS_TAGS) & MENDS_ALWAYS;
    if (mends == MENDS_ALWAYS)
        return true;
    if (!(mends >> t & 1))
        return false;
    unsigned what = is(p, i), m = marks(p, i);
    bool last = 1u << tag(p, i + 1) & (1u << ADP | 1u << PUNCT | 1u << NUM | 1u << NO_TAG | (t == ADJ ? 1u << VBG : 0));
    if (t == NOUN && (what & IS_VERB) && !(what & (IS_THIRD | IS_ING | IS_NAME | MOSTLY_ADJ)) && !(m & M_BEFORE_NOUN))
        return (is(p, i - 1) & IS_PLURAL) || (marks(p, i - 1) & M_PERSON);   // tourists ride
    if (t == ADJ && (what & IS_ADJ) && !(what & (IS_PARTICIPLE | IS_ING)))
        return (last && (what & IS_NOUN)) || ((m & M_PREPOSITION) && noun(p, i - 1));
    if (near_nouns >> t & 1)
        return noun(p, i - 1) || noun(p, i + 1) || (t == ADJ && last && (what & IS_NOUN)) || (what & IS_ING) || (m & M_BEFORE_NOUN);
    if (t == VBG && !(what & (PAIR_FIRST | PAIR_SECOND)) && !(m & M_NEVER_VERB))
        return !(what & IS_ING) || ((what & IS_ADJ) && !(what & IS_NOUN)) || (marks(p, i - 1) & M_LINK) || (last && !being(p, i - 1));
    return t != ADV || !(is(p, i) & (IS_ADV | IS_ADJ | IS_VERB)) || starts_phrase(p, i) || opens(p, i - 1);
}

static void mend_noun(struct parser *p, int i)
{
    unsigned what = is(p, i);
    bool small = !capital(p, i);
    if (noun(p, i - 1) && small && (what & (IS_VERB | IS_THIRD))) {
        bool falls = (what & IS_THIRD) && !(what & MOSTLY_NOUN) && p->tag[i] == NOUN && tag(p, i - 1) == NOUN && !(is(p, i - 1) & IS_PLURAL) &&
                     goes_on(p, i + 1);   // snow falls over
        bool acts = (what & IS_THIRD) && !(what & MOSTLY_NOUN) && being(p, i - 1) && !(is(p, i - 1) & IS_PLURAL) && being(p, i + 1);
        bool puts = (what & IS_THIRD) && (what & MOSTLY_VERB) && being(p, i - 1) && !(is(p, i - 1) & IS_PLURAL);
        bool only = (what & IS_THIRD) && !(what & (IS_NOUN | IS_PLURAL));   // sits
        bool does = (marks(p, i) & M_AUX) && (what & IS_THIRD);   // no deer; person challenges person
        bool base = (what & IS_VERB) && (plural_acts(p, i) || watched(p, i) || ((what & IS_NAME) && agrees(p, i)));   // birds wade
        if (falls || acts || puts || only || does || base)
            p->tag[i] = VERB;
    } else if ((what & IS_ING) && noun(p, i - 1) && noun(p, i + 1) && being(p, i - 1) && !(is(p, i - 1) & IS_PLURAL) && singular(p, i - 1) &&
               ((is(p, i + 1) & IS_PLURAL) || piece_kind(p, i + 1) != KIND_ARTIFACT)) {
        p->tag[i] = VBG;   // a boy drinking milk
    } else if ((what & IS_ING) && starts_phrase(p, i) && (marks(p, i + 1) & M_PARTICLE) && opens(p, i + 2) && !piece_equals(p, i + 1, "in") &&
               !piece_equals(p, i + 1, "on") && !piece_equals(p, i + 1, "by")) {
        p->tag[i] = VBG;   // soaking up the sun
    } else if (p->tag[i] == NOUN && (what & IS_ING) && several(p, i - 1) && (i + 1 == p->pieces || sign(p, i + 1) == '.') &&
               (tag(p, i - 2) == ADP || starts_phrase(p, i - 1) || tag(p, i - 2) == NUM)) {
        p->tag[i] = VBG;   // a group of people dancing
    } else if (p->tag[i] == NOUN && (what & IS_ING) && noun(p, i - 1) && being(p, i - 1) && tag(p, i - 2) == CCONJ && being(p, i - 3)) {
        p->tag[i] = VBG;   // mother and son learning
    } else if (p->tag[i] == NOUN && (what & IS_ING) && !noun(p, i + 1) &&
               ((tag(p, i - 1) == CCONJ && acts_before(p, i - 2)) || (piece_equals(p, i - 1, "other") && piece_equals(p, i - 2, "each")))) {
        p->tag[i] = VBG;   // typing on a laptop and smiling; next to each other eating
    } else if (p->tag[i] == NOUN && (what & IS_ING) && opens(p, i - 1) && tag(p, i + 1) == ADJ && noun(p, i + 2)) {
        p->tag[i] = VBG;   // a dancing red pointer
    } else if (p->tag[i] == PROPN && (what & IS_PARTICIPLE) && small && noun(p, i + 1) && (opens(p, i - 1) || tag(p, i - 1) == ADP)) {
        p->tag[i] = VBN;   // with overlaid backslash
    }
}

static void mend_by_tag(struct parser *p, int i)
{
    unsigned what = is(p, i);
    bool colour = marks(p, i) & M_COLOUR;
    switch (p->tag[i]) {
    case NOUN:
    case PROPN:
        mend_noun(p, i);
        break;
    case VBG:
        if (what && !(what & IS_ING))
            p->tag[i] = what & (IS_NOUN | IS_PLURAL) ? NOUN : VERB;
        else if (gerund_is_noun(p, i))
            p->tag[i] = NOUN;
        else if ((what & IS_ADJ) && (marks(p, i - 1) & M_LINK) && !noun(p, i + 1) && !opens(p, i + 1))
            p->tag[i] = ADJ;   // looks stunning
        else if ((what & IS_ADJ) && !(what & IS_NOUN) && !noun(p, i - 1) && (tag(p, i + 1) == ADJ || noun(p, i + 1)) && starts_phrase(p, i))
            p->tag[i] = ADJ;   // astounding turquoise art
        break;
    case ADJ:
        if ((what & IS_ING) && tag(p, i - 1) == CCONJ && tag(p, i - 2) != ADJ && !noun(p, i + 1) && tag(p, i + 1) != ADJ)
            p->tag[i] = VBG;   // lying on a table and singing
        else if (!(what & IS_ADJ) && !colour && noun(p, i + 1) && initials(p, i))
            p->tag[i] = PROPN;
        else if ((what & IS_VERB) && !(what & (IS_ADJ | IS_NOUN | IS_PARTICIPLE)) && (is(p, i - 1) & IS_PLURAL))
            p->tag[i] = VERB;   // teams dominate
        else if (!what && capital(p, i) && noun(p, i + 1) && !starts_phrase(p, i) && !descends(p, i))
            p->tag[i] = PROPN;   // our Facebook page
        else if ((marks(p, i) & M_PREPOSITION) && noun(p, i - 1) && (noun(p, i + 1) || opens(p, i + 1)))
            p->tag[i] = ADP;   // protesters outside summit
        break;
    case VBN:
        if (!(what & IS_ADJ) && noun(p, i + 1) && initials(p, i))
            p->tag[i] = PROPN;
        break;
    case ADV:
        if ((what & IS_ADJ) && opens(p, i - 1) && noun(p, i + 1))
            p->tag[i] = ADJ;   // an even application
        else if (starts_phrase(p, i) && (what & IS_NOUN) && !(what & (IS_ADV | IS_VERB)) && tag(p, i + 1) == ADP)
            p->tag[i] = NOUN;   // throwback to
        // fall through
    case VERB:
        if (colour && (noun(p, i + 1) || tag(p, i + 1) == ADJ))
            p->tag[i] = ADJ;
        break;
    default:
        break;
    }
    if (!what && hyphened(p, i))
        p->tag[i] = ADJ;
}

// What the tagger took for a verb: nouns for the most part, where nothing agrees with them.
static void mend_verb(struct parser *p, int i)
{
    unsigned what = is(p, i), m = marks(p, i);
    bool thing = what & (IS_NOUN | IS_PLURAL);
    if (starts_phrase(p, i) && (what & IS_NOUN)) {
        bool rarely = !(what & (MOSTLY_VERB | IS_PAST));
        // "Flute in key of C", "face with bags"; "check box"; "figure is a carving"
        if ((rarely && !(what & IS_ING) && !(m & M_COMMAND) && tag(p, i + 1) == ADP) || (rarely && heading(p, i)) ||
            (marks(p, i + 1) & M_BE)) {
            p->tag[i] = NOUN;
            return;
        }
    }
    if (p->pieces == 1 && (what & IS_NOUN) && !(what & (MOSTLY_VERB | IS_PAST))) {
        p->tag[i] = NOUN;   // watch, bowling
        return;
    }
    // "tennis shoes", "shoe print": a verb would agree with the noun before
    if (thing && noun(p, i - 1) && !(what & IS_PAST) && !agrees(p, i)) {
        p->tag[i] = (what & IS_ADJ) && noun(p, i + 1) ? ADJ : NOUN;
        return;
    }
    // a determiner, an adjective or a preposition makes a noun of what can be one
    bool described = i > 0 && tag(p, i - 1) == ADJ && (opens(p, i - 2) || fragment(p, i) ||
                     (tag(p, i - 2) == ADJ && starts_phrase(p, i - 2)));   // fresh seasonal produce in
    if (thing && (opens(p, i - 1) || described)) {
        p->tag[i] = noun(p, i + 1) && (what & IS_PAST) ? VBN : NOUN;
        return;
    }
    bool taken = tag(p, i - 1) == VBG && !piece_equals(p, i - 1, "letting") && !piece_equals(p, i - 1, "helping") &&
                 !piece_equals(p, i - 1, "making");   // selling produce
    if (thing && !(what & (IS_PAST | IS_ING)) && (tag(p, i - 1) == ADP || taken))
        p->tag[i] = NOUN;
    else if (thing && !(what & (IS_VERB | IS_THIRD | IS_PAST | IS_PARTICIPLE)) && !(m & (M_BE | M_HAVE)))
        p->tag[i] = NOUN;
}

// -ing: an action, an adjective or a thing
static void mend_gerund(struct parser *p, int i)
{
    unsigned what = is(p, i), m = marks(p, i);
    // behind a noun it acts, unless it says what the next noun is for
    if (noun(p, i) && !(what & MOSTLY_NOUN) && noun(p, i - 1) &&
        (tag(p, i + 1) == DET || tag(p, i + 1) == ADP || possessive(p, i + 1) || (being(p, i - 1) && !(m & M_PURPOSE))))
        p->tag[i] = VBG;
    if (p->tag[i] == ADJ && noun(p, i - 1) && !noun(p, i + 1) && tag(p, i + 1) != ADJ)
        p->tag[i] = VBG;
    // that WordNet knows as an adjective before others
    if ((what & IS_ADJ) && noun(p, i) && !(m & M_PURPOSE) && noun(p, i + 1) && !noun(p, i - 1))
        p->tag[i] = ADJ;
}

static void mend(struct parser *p, int i)
{
    unsigned what = is(p, i), m = marks(p, i);
    if (p->tag[i] == PUNCT || hashtag(p, i) || (MENDS_SMALL >> p->tag[i] & 1 && (m & M_SMALL) && !(m & M_COMMAND)))
        return;
    if ((m & M_NEVER_VERB) && verb_tag(p->tag[i]))
        p->tag[i] = what & (IS_NOUN | IS_PLURAL) || !what ? NOUN : ADJ;
    if (((m & M_TIME) && (verb_tag(p->tag[i]) || p->tag[i] == AUX)) || (piece_len(p, i) == 3 && (marks(p, i + 1) & M_TIME)))
        mend_date(p, i);
    if (verb_tag(p->tag[i]) && (what & (PAIR_FIRST | PAIR_SECOND)))
        mend_pair(p, i);
    if (p->tag[i] == VBG && (what & IS_NOUN) && i == 1 && p->pieces == 2 && still(p, 0))
        p->tag[i] = NOUN;   // security marking
    if (p->tag[i] == VBN && what && !(what & IS_PARTICIPLE) && (what & (IS_VERB | IS_ADJ)))
        p->tag[i] = what & IS_VERB ? VERB : ADJ;
    mend_by_tag(p, i);
    if (p->tag[i] == NOUN && (what & IS_THIRD) && noun(p, i - 1) && !(is(p, i - 1) & IS_PLURAL)) {
        bool one = singular(p, i - 1) && (!noun(p, i + 1) || being(p, i - 1));   // "a ... boy smiles": nothing plural follows "a"
        if (one || (being(p, i - 1) && goes(p, i + 1)))   // player drives to the basket
            p->tag[i] = VERB;
    }
    if (!what && !m && (p->flags[i] & PIECE_UNKNOWN) && (p->tag[i] == AUX || p->tag[i] == DET || p->tag[i] == PRON || p->tag[i] == ADP))
        p->tag[i] = NOUN;   // small words are all known
    if (p->tag[i] == AUX && piece_len(p, i) > 1 && (what & IS_NOUN) && !(m & (M_AUX | M_BE | M_HAVE | M_SMALL)))
        p->tag[i] = NOUN;   // AI
    if (p->tag[i] == ADV && (what & IS_NOUN) && !(what & (IS_ADV | IS_ADJ | IS_VERB)) && !m)
        p->tag[i] = NOUN;
    if (p->tag[i] == VERB)
        mend_verb(p, i);
    else if (p->pieces == 1 && verb_tag(p->tag[i]) && (what & IS_NOUN) && !(what & (MOSTLY_VERB | IS_PAST)))
        p->tag[i] = NOUN;
    if (p->tag[i] == ADV && starts_phrase(p, i) && (what & IS_ADJ) && sign(p, i + 1) == ',' && tag(p, i + 2) == ADJ)
        p->tag[i] = ADJ;   // fast, small library
    if ((p->tag[i] == ADP || p->tag[i] == SCONJ || p->tag[i] == ADV) && piece_equals(p, i, "like") && (i == 0 || noun(p, i - 1)))
        p->tag[i] = ADP;
    if ((m & M_BEFORE_NOUN) && noun(p, i) && !piece_equals(p, i + 1, "'s") &&
        (noun(p, i + 1) || (!noun(p, i - 1) && noun(p, i + 2) && (tag(p, i + 1) == ADJ || tag(p, i + 1) == VBN || tag(p, i + 1) == VBG))))
        p->tag[i] = ADJ;
    if (what & IS_ING)
        mend_gerund(p, i);
    if ((what & MOSTLY_ADJ) && p->tag[i] == NOUN && p->shape[i] == LOWER && noun(p, i + 1) && !noun(p, i - 1))
        p->tag[i] = ADJ;   // electric plug
    // what can only be an adjective, before a noun
    if ((noun(p, i) || verb_tag(p->tag[i])) && noun(p, i + 1) && p->shape[i] == LOWER &&
        only_adjective(what, p->lower + p->start[i], piece_len(p, i)))
        p->tag[i] = ADJ;
    if (p->tag[i] == ADJ && (what & IS_NOUN) && !(what & (IS_ADJ | IS_PARTICIPLE)) && !(m & (M_BEFORE_NOUN | M_COLOUR)) && noun(p, i + 1))
        p->tag[i] = NOUN;
    if ((m & M_BEFORE_NOUN) && p->tag[i] == VERB && (tag(p, i + 1) == ADJ || noun(p, i + 1)) && !(what & IS_THIRD))
        p->tag[i] = ADJ;
    if (p->tag[i] == VERB && !what && !(m & (M_BE | M_HAVE | M_AUX)) && (p->flags[i] & PIECE_UNKNOWN))
        p->tag[i] = NOUN;
    if (i == 0 && (m & M_COMMAND) && p->tag[i] != ADJ &&
        (tag(p, 1) == ADP || tag(p, 1) == DET || opens(p, 1) || (p->pieces == 1 && !(what & IS_NOUN)) || tag(p, 1) == PUNCT))
        p->tag[i] = (what & IS_ING) ? VBG : VERB;
    if ((what & IS_PARTICIPLE) && p->tag[i] == ADJ && noun(p, i - 1) &&
        (tag(p, i + 1) == ADP || i + 1 == p->pieces))
        p->tag[i] = VBN;
    if (p->tag[i] == ADJ && heads(p, i))
        p->tag[i] = NOUN;
}

// With another tag a word may let through a rule for the next one.
static bool mend_at(struct parser *p, int i)
{
    int tag_before = tag(p, i);
    if (p->pieces > 2 && !mendable(p, i))
        return false;
    mend(p, i);
    return tag(p, i) != tag_before;
}

void phrases_mend_each(struct parser *p)
{
    for (int i = 0; i < p->pieces; i++)
        mend_at(p, i);
}

static void mend_chosen(struct parser *p)
{
    uint64_t next = 0;
    for (int from = 0; from < p->pieces; from += 64) {
        int left = p->pieces - from;
        uint64_t may = place_bits(p->all->may, (int)(p->tag - p->all->tag) + from - 1, left) | next;
        next = 0;
        while (may) {
            int bit = __builtin_ctzll(may);
            may &= may - 1;
            if (mend_at(p, from + bit)) {
                may |= bit + 1 < left ? (uint64_t)2 << bit : 0;
                next = bit == 63;
            }
        }
    }
}

void phrases_mend(struct parser *const *parser, int n)
{
    struct parsers *all = n ? parser[0]->all : NULL;
    if (!all || !all->cuts)
        return;
    candidates_find(all);
    for (int i = 0; i < n; i++)
        if (parser[i]->pieces > 2)
            mend_chosen(parser[i]);
        else
            phrases_mend_each(parser[i]);
}
