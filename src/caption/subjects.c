// SPDX-License-Identifier: Apache-2.0
// Who does what a verb says, from what stood before it.
#include <string.h>

#include "caption/relater.h"

// Has the past form its object behind it, is it passive, or can one not see it?
bool past_is_passive(const struct relater *r, int k)
{
    const struct phrase *f = &r->f[k];
    int next = k + 1;
    const struct word *w = r->p->word[2 + f->last];
    if (w->marks & M_NAME)
        return kind(r, k - 1) == P_NOUN || kind(r, k - 1) == P_COMMA || equals(r, k - 1, ")");
    if (kind(r, next) == P_THAT || (kind(r, k - 2) == P_WHEN && (kind(r, next) == P_NONE || kind(r, next) == P_STOP)))
        return false;   // estimated that; as officers investigated
    if (kind(r, next) == P_NOUN || (kind(r, next) == P_NAMELESS && r->f[next].subject_pronoun))
        return f->form == V_PARTICIPLE && kind(r, k - 1) != P_NOUN;
    if (f->form == V_PARTICIPLE && (w->traits & FRAME_NONE) && !(w->traits & FRAME_OBJECT))
        return false;   // her perfume lingered
    if (equals(r, next, "by") || f->form == V_PARTICIPLE)
        return true;
    return (w->traits & FRAME_OBJECT) && !(w->traits & FRAME_NONE);
}

static const struct group *beside(struct relater *r, int k, bool participle)
{
    if (r->last_verb < 0) {
        if (r->before_last >= 0 && r->last->n) {   // NP1 prep NP2 doing
            const struct word *first = head_word(r, r->before_last);
            const struct group *one = r->candidate->n ? r->candidate : group_of(r, r->before_last);
            bool of = r->joint >= 0 && equals(r, r->joint, "of");
            bool place = r->joint >= 0 && (equals(r, r->joint, "in") || equals(r, r->joint, "from") || equals(r, r->joint, "to") || equals(r, r->joint, "at"));
            if (place && piece_kind(r->p, r->p->object[r->last->at[0]].head) != KIND_PERSON && r->p->tag[r->p->object[r->last->at[0]].head] == PROPN)
                return one;
            if ((of && (first->marks & M_MEDIA)) || (!participle && moves(r, r->last) && !object_moves(r, r->before_last)))
                return r->last;
            return one;
        }
        return r->candidate->n ? r->candidate : r->last;
    }
    bool first = equals(r, k, "isolated") || equals(r, k, "using");   // put out a fire using hoses
    if (first && r->subject->n)
        return r->subject;
    if (participle || moves(r, r->last) || !r->subject->n || kind(r, r->last_verb) != P_VERB)
        return r->last;
    bool past = r->f[r->last_verb].form == V_PARTICIPLE && !equals(r, k - 2, "with");   // a sandwich cut in half sitting on a plate
    return past || moves(r, r->subject) ? r->subject : r->last;
}

bool controls(const struct relater *r, int k)
{
    static const char *const verbs[] = {"ask", "tell", "teach", "help", "let", "make", "allow", "want", "force", "encourage", "order",
                                        "invite", "train", "urge", "get", "watch", "see"};
    char lemma[80];
    parser_lemma(r->p, r->f[k].last, true, lemma);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(lemma, verbs[i]) == 0)
            return true;
    return false;
}

static const struct group *infinitive_subject(const struct relater *r, int k)
{
    if (piece_equals(r->p, r->f[k].first - 1, "how"))
        return &nobody;
    if (r->last_verb < 0 || kind(r, r->last_verb) != P_VERB)
        return &nobody;
    if (kind(r, k - 1) == P_VERB)
        return r->subject;
    if (kind(r, k - 1) == P_NOUN && equals(r, k - 2, "for"))
        return r->last;   // for pedestrians to cross
    if (r->pronoun_object)
        return &nobody;
    if (r->found->n)
        return controls(r, r->last_verb) ? r->found : &nobody;
    return kind(r, k - 1) == P_NOUN ? &nobody : r->subject;   // the right to lie
}

static bool base_form(const struct relater *r, const struct phrase *f)
{
    unsigned is = piece_is(r->p, f->last);
    return f->form == V_FINITE && !f->helped && (is & IS_VERB) && !(is & (IS_THIRD | IS_PAST));
}

const struct group *subject_of(struct relater *r, int k, bool *joined)
{
    const struct phrase *f = &r->f[k];
    int before = kind(r, k - 1);
    *joined = false;
    if (f->form == V_INFINITIVE)
        return infinitive_subject(r, k);
    if (r->relative) {
        r->relative = false;
        return r->contact ? r->candidate : r->antecedent;
    }
    if (before == P_AND && r->last_verb >= 0 && !r->fresh) {
        *joined = true;
        return r->subject;
    }
    if (f->form == V_ING || (f->form == V_PARTICIPLE && !f->helped) || (f->form == V_PAST && r->last_verb >= 0 && r->finite)) {
        if (before == P_NOUN)
            return beside(r, k, f->form != V_ING);
        if (before == P_VERB)
            return r->subject;
        if (before == P_PREP && kind(r, k - 2) == P_ADJECTIVE)
            return &nobody;   // ideal for growing tobacco
        if (before == P_WHEN || before == P_PREP || before == P_COMMA)
            return r->last_verb >= 0 ? r->subject : before == P_PREP ? &nobody : r->candidate;
        return r->last_verb >= 0 && before != P_AND ? r->last->n && before == P_ADJECTIVE ? r->last : r->subject : r->candidate;
    }
    if (f->form == V_PAST && before == P_NOUN && r->last_verb < 0 && r->before_last >= 0 && equals(r, r->joint, "of") && kind(r, k + 1) == P_PREP)
        return beside(r, k, true);   // a photo of fruit displayed on a board
    if (base_form(r, f) && before == P_NOUN && r->found->n && r->last_verb == k - 2 && controls(r, r->last_verb))
        return r->found;   // watching a man play
    if (r->finite && before == P_NOUN && r->last->n && !r->fresh)
        return r->last;
    if (before == P_COMMA && base_form(r, f) && r->candidate->n == 1 && r->p->tag[r->p->object[r->candidate->at[0]].head] == NOUN &&
        !(head_word(r, r->candidate->at[0])->is & IS_PLURAL))
        return &nobody;   // a map, enjoy it
    return r->candidate->n ? r->candidate : &nobody;
}
