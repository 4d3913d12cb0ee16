// SPDX-License-Identifier: Apache-2.0
#include "caption/evidence.h"

#include <string.h>

bool singular(const struct parser *p, int i)
{
    while (i >= 0 && (noun(p, i) || tag(p, i) == ADJ))
        i--;
    return piece_equals(p, i, "a") || piece_equals(p, i, "an");
}

// "South Sandwich Islands": written like the nouns around it, nothing a verb takes behind it
static bool titled(const struct parser *p, int i)
{
    return capital(p, i) && capital(p, i - 1) && (noun(p, i + 1) || tag(p, i + 1) == VBG ? capital(p, i + 1) : i + 1 == p->pieces || tag(p, i + 1) == PUNCT) &&
           !(is(p, i) & (MOSTLY_VERB | IS_PAST)) && !being(p, i - 1);
}

bool agrees(const struct parser *p, int i)
{
    if (titled(p, i))
        return false;
    if (opens(p, i + 1))   // "in the distance cross a street": no noun has an article behind it
        return true;
    bool third = is(p, i) & IS_THIRD, several = is(p, i - 1) & IS_PLURAL;
    int from = i - 1;
    while (from > 0 && (noun(p, from - 1) || tag(p, from - 1) == ADJ))
        from--;
    if (tag(p, i - 1) == PROPN && !third && p->lower[p->end[i - 1] - 1] != 's')
        return tag(p, from - 1) == CCONJ || taken(p, i + 1);   // "Edward Bear": he would bear
    if (tag(p, i - 1) == PROPN || (marks(p, i - 1) & M_PERSON) || tag(p, from - 1) == CCONJ)
        return true;
    bool acts = opens(p, from - 1) || (from > 0 && number(p, from - 1)) || being(p, i - 1) || (marks(p, i - 1) & M_MOVER) || taken(p, i + 1);
    if ((is(p, i) & MOSTLY_NOUN) && !acts && tag(p, from - 1) == ADP)   // "with flower beds hanging"
        return false;
    if (!third)   // "dots square grid": things do not, but for verbs that hardly are nouns
        return several && (acts || ((is(p, i) & MOSTLY_VERB) && !number(p, i + 1)));
    bool ends = i + 1 >= p->pieces || tag(p, i + 1) == PUNCT || tag(p, i + 1) == CCONJ;
    bool usual = (is(p, i) & MOSTLY_VERB) && tag(p, from - 1) != ADP;   // "covered in dew drops"
    bool inside = tag(p, from - 1) == ADP || (opens(p, from - 1) && tag(p, from - 2) == ADP);
    if (inside && (ends || tag(p, i + 1) == ADP) && !(is(p, i) & MOSTLY_VERB))
        return false;   // over the railroad tracks at
    if (tag(p, i + 1) == VBG && !acts)
        return false;   // Rubber Ducks Swimming
    return !several && (acts || usual || (!ends && !number(p, i + 1) && (tag(p, i + 1) != ADP || goes(p, i + 1))));
}

bool fragment(const struct parser *p, int i)
{
    return starts_phrase(p, i - 1) && (i + 1 == p->pieces || tag(p, i + 1) == PUNCT) && !(is(p, i) & MOSTLY_VERB);
}

bool heading(const struct parser *p, int i)
{
    return noun(p, i + 1) && (!(is(p, i + 1) & IS_PLURAL) || (tag(p, i + 1) == PROPN && capital(p, i))) && capital(p, i) == capital(p, i + 1);
}

bool paired(const struct parser *p, int i)
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

bool several(const struct parser *p, int i)
{
    return noun(p, i) && being(p, i) && ((is(p, i) & IS_PLURAL) || piece_equals(p, i, "people") || piece_equals(p, i, "police"));
}

bool plural_acts(const struct parser *p, int i)
{
    unsigned what = is(p, i);
    int next = i + 1;
    if (!several(p, i - 1) || !(what & IS_VERB) || capital(p, i))
        return false;
    if (piece_equals(p, i - 2, "let") || piece_equals(p, i - 2, "lets") || piece_equals(p, i - 2, "help") || piece_equals(p, i - 2, "helps"))
        return true;   // to let passengers board
    if (tag(p, next) == CCONJ && tag(p, next + 1) == VERB && !(is(p, next + 1) & (IS_THIRD | IS_PAST)))
        return true;
    if (what & MOSTLY_NOUN)
        return opens(p, next);
    return noun(p, next) ? (is(p, next) & IS_PLURAL) || (what & MOSTLY_VERB) : tag(p, next) == ADP || tag(p, next) == ADV || opens(p, next);
}

bool watched(const struct parser *p, int i)
{
    static const char *const verbs[] = {"watch", "watches", "watching", "watched", "let", "lets", "letting", "help", "helps", "helping",
                                        "see", "sees", "seeing", "make", "makes", "making", NULL};
    return being(p, i - 1) && opens(p, i - 2) && i > 2 && verb_tag(tag(p, i - 3)) && !(is(p, i) & MOSTLY_NOUN) &&
           piece_among(p, i - 3, verbs);
}

bool gerund_is_noun(const struct parser *p, int i)
{
    int before = tag(p, i - 1);
    bool alone = tag(p, i + 1) == ADP || tag(p, i + 1) == PUNCT || number(p, i + 1) || i + 1 >= p->pieces, takes = p->traits[i] & FRAME_OBJECT;
    if (!alone)
        return false;
    if (still(p, i - 1) && takes && !(p->traits[i] & FRAME_NONE) && !(marks(p, i) & M_SHOW))
        return true;   // security auditing
    if (!(is(p, i) & IS_NOUN))
        return false;
    if (still(p, i - 1) && (is(p, i) & MOSTLY_NOUN) && tag(p, i + 1) != ADP)
        return true;   // ink drawing
    if (piece_equals(p, i + 1, "of"))
        return before == DET || before == ADJ || still(p, i - 1) || starts_phrase(p, i);
    return before == ADJ && (starts_phrase(p, i - 1) || opens(p, i - 2) || tag(p, i - 2) == ADP || tag(p, i - 2) == ADJ);
}

bool hyphened(const struct parser *p, int i)
{
    const char *sign = memchr(p->text + p->start[i], '-', piece_len(p, i));
    bool before = noun(p, i + 1) || tag(p, i + 1) == ADJ || ((tag(p, i + 1) == VBG || tag(p, i + 1) == VBN) && noun(p, i + 2));
    return !is(p, i) && sign && !capital(p, i) && before && !noun(p, i - 1);
}

bool descends(const struct parser *p, int i)
{
    static const char *const endings[] = {"ic", "an", "sh", "se", "ue", "al", "us"};
    const char *end = p->lower + p->start[i] + piece_len(p, i);
    for (size_t k = 0; piece_len(p, i) > 3 && k < sizeof endings / sizeof *endings; k++)
        if (memcmp(end - 2, endings[k], 2) == 0)
            return true;
    return false;
}

bool initials(const struct parser *p, int i)
{
    for (int at = p->start[i]; at < p->start[i] + piece_len(p, i); at++)
        if (!is_upper((unsigned char)p->text[at]))
            return false;
    char next = i + 1 < p->pieces && piece_len(p, i + 1) > 1 ? p->text[p->start[i + 1] + 1] : 'A';
    return piece_len(p, i) > 1 && piece_len(p, i) < 6 && !is_upper((unsigned char)next);
}

bool heads(const struct parser *p, int i)
{
    static const char *const never[] = {"first", "second", "third", "fourth", "fifth", "last", "next", "same", "former", "latter", "best", "worst", NULL};
    int from = i;
    if (!(is(p, i) & IS_NOUN) || (marks(p, i) & (M_COLOUR | M_QUANTITY)) || !(p->traits[i] & TRAIT_HEAD))
        return false;
    bool person = piece_kind(p, i) == KIND_PERSON && tag(p, i + 1) == VBG && starts_phrase(p, i - 1) && (is(p, i - 1) & IS_ADJ);
    if (person)
        return true;   // adult male standing
    if (!(tag(p, i + 1) == ADP || tag(p, i + 1) == PUNCT || i + 1 >= p->pieces) || sign(p, i + 1) == ',')
        return false;
    if (piece_among(p, i, never))
        return false;
    while (tag(p, from - 1) == ADJ && !(marks(p, from - 1) & M_QUANTITY))
        from--;
    return opens(p, from - 1);
}

bool acts_before(const struct parser *p, int i)
{
    for (int from = i - 5; i > 0 && i > from && tag(p, i) != PUNCT; i--)
        if (tag(p, i) == VBG && !noun(p, i + 1))
            return true;
    return false;
}
