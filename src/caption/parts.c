// SPDX-License-Identifier: Apache-2.0
// What is no plain phrase: verbs with their helpers, prepositions of several words, what opens a clause, marks and hashtags.
#include <string.h>

#include "caption/chunks.h"

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

static void add_verb(struct chunker *c, int first, int verb, int form, bool helped)
{
    struct phrase *f = add_phrase(c, P_VERB, first, verb);
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
    return tag(p, next) == ADJ && noun_phrase_end(p, next, next) == next + 1 && !noun(p, next);
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
            add_phrase(c, P_BE, from, i);
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
        add_phrase(c, be ? P_BE : P_HAVE, from, i - 1);
        return i;
    }
    return i > from ? i : from + 1;
}

static int form_of_verb(const struct parser *p, int i)   // without helpers
{
    static const uint8_t by_tag[NO_TAG] = {[VBG] = V_ING, [VBN] = V_PARTICIPLE};   // others: V_FINITE
    return tag(p, i) == VERB && (p->sets[i] & SET_PAST >> 8) ? V_PAST : by_tag[tag(p, i)];
}

static int take_verb(struct chunker *c, int i)
{
    struct parser *p = c->p;
    if ((marks(p, i) & M_HAVE) && !piece_equals(p, i, "having")) {
        add_phrase(c, P_HAVE, i, i);
        return i + 1;
    }
    if (marks(p, i) & M_BE) {
        add_phrase(c, P_BE, i, i);
        return i + 1;
    }
    if (linking(p, i)) {
        add_phrase(c, P_BE, i, i);
        return i + 1;
    }
    add_verb(c, i, i, form_of_verb(p, i), false);
    return i + 1;
}

// --- prepositions -------------------------------------------------------------------------------------------------------

// The fixed prepositions of several words that begin at i: the piece behind, else i + 1.
int preposition_end(const struct parser *p, int i)
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
           noun_phrase_end(p, i + 1, i + 1) > i + 1 && t != ADJ && t != NOUN);
}

// "as officers investigated": a being, and nothing that would show who did it to them
static bool investigated(const struct parser *p, int i)
{
    return being(p, i - 1) && (is(p, i) & IS_PAST) && (i + 1 >= p->pieces || tag(p, i + 1) == PUNCT);
}

// "as traffic drives on", "before he left": what follows has a finite verb of its own
static bool opens_clause(const struct parser *p, int i)
{
    if (!(marks(p, i) & M_PREPOSITION) || (p->traits[i] & TRAIT_PREP))   // `clauses` of word_traits
        return false;
    bool pronoun = tag(p, i + 1) == PRON && !possessive(p, i + 1);
    int end = pronoun ? i + 2 : noun_phrase_end(p, i + 1, i + 1);
    if (end == i + 1)
        return false;
    if (investigated(p, end) && (tag(p, end) == VERB || tag(p, end) == VBN))
        return true;
    return (tag(p, end) == VERB || tag(p, end) == AUX) && (!(is(p, end) & IS_PARTICIPLE) || (is(p, end) & IS_THIRD) || pronoun);
}

static int take_hashtag(struct chunker *c, int i)
{
    struct parser *p = c->p;
    unsigned what = is(p, i);
    int o;
    add_phrase(c, P_STOP, i, i);
    if ((what & (IS_NOUN | IS_PLURAL)) && !(what & (MOSTLY_VERB | MOSTLY_ADJ)) && !(marks(p, i) & (M_TIME | M_COLOUR))) {
        o = p->objects++;
        p->object[o] = (struct object){(uint8_t)i, (uint8_t)i, (uint8_t)i, 0, 0, true};
        p->tag[i] = NOUN;
    }
    return i + 1;
}

static int take_other(struct chunker *c, int i)
{
    struct parser *p = c->p;
    int t = tag(p, i);
    char s = sign(p, i);
    if (s == ',')
        add_phrase(c, P_COMMA, i, i);
    else if (t == CCONJ)
        add_phrase(c, P_AND, i, i);
    else if ((marks(p, i) & M_RELATIVE) && t != DET)
        add_phrase(c, P_THAT, i, i);
    else if ((marks(p, i) & M_WHEN) && t != NOUN)
        add_phrase(c, P_WHEN, i, i);
    else if (t == PRON) {
        struct phrase *f = add_phrase(c, P_NAMELESS, i, i);
        f->subject_pronoun = true;
    } else if (t == PUNCT || t == SYM || s == '-')
        add_phrase(c, s == '"' || s == '\'' ? P_COMMA : P_STOP, i, i);
    if ((s == '"' || s == '\'') && c->out->at[c->out->n - 1].first == i)
        c->out->n--;   // quotes part nothing
    return i + 1;
}

int take_word(struct chunker *c, int i) { return verb_tag(tag(c->p, i)) ? take_verb(c, i) : take_other(c, i); }

static int take_infinitive(struct chunker *c, int i)   // "to" and a verb
{
    int end;
    if (!helper(c->p, i + 1)) {
        add_verb(c, i, i + 1, V_INFINITIVE, true);
        return i + 2;
    }
    end = take_helper(c, i + 1);
    struct phrase *last = &c->out->at[c->out->n - 1];   // P_NONE before the first
    if (last->kind == P_VERB && last->form == V_FINITE)
        last->form = V_INFINITIVE;
    return end;
}

int take_closer(struct chunker *c, int i)
{
    struct parser *p = c->p;
    int t = tag(p, i), end;
    if (t == AUX && (marks(p, i) & (M_BE | M_HAVE)) && !hashtag(p, i))
        return take_helper(c, i);   // as below, sooner
    if ((marks(p, i) & M_DAYTIME) && adverbial(p, i) && i > 0 && tag(p, i - 1) != ADP && !possessive_sign(p, i + 1) && !noun(p, i + 1))
        return i + 1;   // stands beside all phrases
    if (hashtag(p, i))
        return take_hashtag(c, i);
    if (piece_equals(p, i, "hand") && tag(p, i + 1) == VBN)
        return i + 1;
    if (opens_clause(p, i)) {
        add_phrase(c, P_WHEN, i, i);
        return i + 1;
    }
    if (preposition(p, i)) {
        end = preposition_end(p, i);
        add_phrase(c, P_PREP, i, end - 1);
        return end;
    }
    if (t == PART && piece_equals(p, i, "to") && (tag(p, i + 1) == VERB || helper(p, i + 1) || (is(p, i + 1) & IS_VERB)))
        return take_infinitive(c, i);
    if (helper(p, i) && t != NOUN && t != PROPN)
        return take_helper(c, i);
    if (t != CCONJ && (end = noun_phrase_end(p, i, i)) > i)
        return take_noun_phrase(c, i, end);
    return take_word(c, i);
}
