// SPDX-License-Identifier: Apache-2.0
// From phrases to actions: one pass from left to right that remembers who could be the next verb's subject, what stood
// last, and which verb is open for objects and prepositions. The rules' numbers are those of docs/captions.md.
#include <string.h>

#include "caption/relater.h"

static void object_relates(struct parser *p, int object)
{
    p->object[object].relations += p->object[object].relations < 255;
    object_counted(p, object);
}

static void relation(struct relater *r, int subject, int object, int prep)
{
    struct parser *p = r->p;
    bool first = !r->related;   // a verb's lie together
    r->related = true;
    if (p->relations == CAPTION_RELATIONS)
        return;
    struct relation *x = &p->relation[p->relations++];
    p->verdict.actions += first;
    if (subject >= 0)
        object_relates(p, subject);
    if (object >= 0 && object != subject)
        object_relates(p, object);
    *x = (struct relation){(int16_t)subject, (int16_t)object, r->f[r->verb].last, 0, 0};
    if (prep >= 0) {
        x->prep = r->f[prep].first;
        x->preps = (uint8_t)(r->f[prep].last - r->f[prep].first + 1);
    }
}

// Every pair of the two groups; an empty one stands for nothing.
static void relations(struct relater *r, const struct group *subjects, const struct group *objects, int prep)
{
    for (int i = 0; i < (subjects->n ? subjects->n : 1); i++)
        for (int j = 0; j < (objects->n ? objects->n : 1); j++)
            relation(r, subjects->n ? subjects->at[i] : -1, objects->n ? objects->at[j] : -1, prep);
}

static void close_verb(struct relater *r)
{
    if (r->verb >= 0 && !r->related) {
        if (r->passive)
            relations(r, &nobody, r->subject, -1);
        else
            relations(r, r->subject, &nobody, -1);
    }
    r->verb = -1;
    r->object_open = r->list = false;
    r->prep = -1;
}

static void end_clause(struct relater *r)
{
    close_verb(r);
    r->candidate = r->antecedent = r->linked = r->last = &nobody;
    r->finite = r->relative = r->contact = r->fresh = false;
    r->last_verb = -1;
    r->before_last = -1;
}

static void start_verb(struct relater *r, int k)
{
    const struct phrase *f = &r->f[k];
    bool joined, contact = r->contact && r->relative, was_passive = r->passive;
    const struct group *subject = subject_of(r, k, &joined), *object = r->antecedent;
    close_verb(r);
    r->subject = subject;
    r->verb = r->last_verb = k;
    r->related = r->pronoun_object = false;
    r->found = &nobody;
    r->passive = f->form == V_PASSIVE || (f->form == V_PARTICIPLE && (joined ? was_passive : past_is_passive(r, k))) ||
                 (f->form == V_PAST && !joined && past_is_passive(r, k));
    r->object_open = !r->passive;
    if (f->form == V_FINITE || f->form == V_PASSIVE || f->form == V_PAST)
        r->finite = true;
    r->fresh = false;
    if (contact) {
        relations(r, r->subject, object, -1);
        r->contact = false;
        r->object_open = false;
    }
    r->before_last = -1;
}

// --- nouns --------------------------------------------------------------------------------------------------------------

// Phrases k .. of a joined group: "a, b and c". *to: the last phrase taken.
static const struct group *gather(struct relater *r, int k, int *to)
{
    bool inside = r->verb >= 0 || r->prep >= 0;
    struct group *g = group_of(r, r->f[k].object);
    *to = k;
    if (kind(r, k + 1) != P_COMMA && kind(r, k + 1) != P_AND)
        return g;
    for (;;) {
        int j = *to + 1, end = -1;
        struct group more = *g;
        // a comma goes on only when an "and" ends the list
        while (more.n < GROUP) {
            bool comma = kind(r, j) == P_COMMA, comma_only = true;
            j += comma;
            if (kind(r, j) == P_ADJECTIVE && comma && kind(r, j + 1) == P_COMMA)   // person, left, and actor
                j += 2;
            if (kind(r, j) == P_AND) {
                j++;
                comma_only = false;
            } else if (!comma) {
                break;
            }
            while (kind(r, j) == P_NOUN && r->f[j].possessor)
                j++;
            if (kind(r, j) != P_NOUN)
                break;
            more.at[more.n++] = (uint8_t)r->f[j].object;
            if (!comma_only || r->list) {
                int next = kind(r, j + 1);
                bool acts = next == P_VERB && r->f[j + 1].form != V_INFINITIVE;
                if (inside && (acts || next == P_BE) && (object_moves(r, r->f[j].object) || !(r->candidate->n || r->subject->n)))
                    break;
                if (r->list && acts && !comma_only)
                    break;
                end = j;
                *g = more;
            }
            j++;
            if (end >= 0 && !r->list)
                break;
        }
        if (end < 0)
            return g;
        *to = end;
        if (r->list)
            return g;
    }
}

static bool opens_own(const struct relater *r, int k)   // its baby, a man with his dog
{
    return piece_marks(r->p, r->f[k].first) & M_POSSESSIVE;
}

static bool describes_noun(const struct relater *r, const struct group *g, int k)   // the pending preposition, before the noun at k
{
    if (equals(r, r->prep, "of"))
        return true;
    if (kind(r, r->prep - 1) != P_NOUN || r->f[r->prep - 1].object < 0)
        return false;
    const struct word *before = head_word(r, r->f[r->prep - 1].object), *after = head_word(r, g->at[0]);
    bool person = before->kind == KIND_PERSON || before->kind == KIND_ANIMAL || (before->marks & M_PERSON);
    bool of_it = equals(r, r->prep, "with") || equals(r, r->prep, "from") || equals(r, r->prep, "for") || equals(r, r->prep, "about") ||
                 equals(r, r->prep, "by");
    if ((before->marks & M_SPOT) || ((before->marks & M_MEDIA) && !(before->marks & M_PERSON) && of_it && !opens_own(r, k)))
        return true;
    if ((equals(r, r->prep, "with") || equals(r, r->prep, "in")) && person && (after->marks & M_WEAR))
        return true;
    if (!equals(r, r->prep, "with"))
        return false;
    if (animate(r, g))   // with people standing on it
        return (person && r->passive) || (kind(r, k + 1) == P_VERB && r->f[k + 1].form == V_ING && r->f[k + 1].first == r->f[k].last + 1);
    // lands behind a fence with barbed wire
    bool thing = !person && before->kind && !opens_own(r, k) && kind(r, r->prep - 2) == P_PREP && !r->passive && !animate(r, r->subject);
    return thing || (person && r->passive);
}

static bool daytime(const struct relater *r, const struct group *g)
{
    return g->n && (head_word(r, g->at[0])->marks & (M_DAYTIME));
}

static int take_noun(struct relater *r, int k)
{
    int end;
    const struct group *g = gather(r, k, &end);
    if (r->prep >= 0) {
        if (r->verb >= 0 && !describes_noun(r, g, k)) {
            if (r->passive && equals(r, r->prep, "by"))
                relations(r, g, r->subject, -1);
            else
                relations(r, r->subject, g, r->prep);
            r->before_last = -1;
        } else if (r->last_verb < 0 && r->last->n && kind(r, r->prep - 1) == P_NOUN) {
            bool chained = r->before_last >= 0 && r->joint >= 0 && equals(r, r->joint, "of") && !equals(r, r->prep, "of") &&
                           (head_word(r, r->before_last)->marks & M_MEDIA);
            if (r->before_last < 0 || chained)
                r->before_last = r->last->at[0];
            if (chained)
                r->candidate = r->last;
            if (r->before_last == r->last->at[0])
                r->joint = r->prep;
        }
        r->prep = -1;
        r->object_open = false;
        r->last = g;
        return end;
    }
    bool again = kind(r, k - 1) == P_NOUN && r->found->n && !r->f[k - 1].possessor &&
                 !(kind(r, end + 1) == P_VERB && r->f[end + 1].form != V_ING && r->f[end + 1].form != V_PARTICIPLE && r->f[end + 1].form != V_INFINITIVE);
    if (r->verb >= 0 && (r->object_open || again)) {
        r->object_open = r->list;
        if (!(daytime(r, g) && !r->list)) {
            relations(r, r->subject, g, -1);
            r->found = g;
        }
        r->last = g;
        return end;
    }
    if (kind(r, k - 1) == P_HAVE) {
        r->last = g;
        r->before_last = -1;
        return end;
    }
    // an apposition between commas leaves the subject as it is
    bool apposition = kind(r, k - 1) == P_COMMA && r->candidate->n && !r->finite && r->last_verb < 0 && kind(r, end + 1) != P_VERB;
    if (r->verb >= 0 && kind(r, k - 1) != P_BE)
        close_verb(r);
    if (kind(r, k - 1) == P_NOUN && r->candidate->n && !r->finite && kind(r, end + 1) == P_VERB && !r->f[k - 1].possessor) {
        r->antecedent = r->last;   // the house John built
    }
    if (!apposition) {
        if (r->relative && !r->contact) {   // the house that Jack built
            r->contact = true;
        }
        r->candidate = g;
        r->fresh = true;
        if (kind(r, k - 1) != P_BE) {
            if (r->finite && !r->relative) {
                r->finite = false;
                r->last_verb = -1;
            } else if (kind(r, k - 1) == P_AND || kind(r, k - 1) == P_COMMA) {
                r->last_verb = -1;
            }
        }
    }
    r->last = g;
    r->before_last = -1;
    return end;
}

// "means you must stop": the pronoun is the next verb's subject
static bool starts_clause(const struct relater *r, int k)
{
    int next = kind(r, k + 1);
    return r->f[k].subject_pronoun && !controls(r, r->verb) &&
           (next == P_BE || next == P_HAVE || (next == P_VERB && (r->f[k + 1].form == V_FINITE || r->f[k + 1].form == V_PASSIVE)));
}

static void take_nameless(struct relater *r, int k)
{
    const struct phrase *f = &r->f[k];
    if (r->prep >= 0) {
        r->prep = -1;
        r->object_open = false;
    } else if (r->verb >= 0 && r->object_open && !starts_clause(r, k)) {
        r->object_open = f->subject_pronoun;   // him a ball
        r->pronoun_object = f->subject_pronoun;
    } else if (f->subject_pronoun) {
        if (kind(r, k - 1) == P_NOUN && kind(r, k + 1) == P_VERB && r->last->n) {   // the dress she wore
            r->antecedent = group_of(r, r->last->at[r->last->n - 1]);
            r->relative = r->contact = true;
        }
        if (r->relative)
            r->contact = true;
        r->candidate = &nobody;
        r->fresh = true;
        r->finite = false;
    }
    r->last = &nobody;
}

static void attribute(struct parser *p, int object, int piece)
{
    bool quantity = piece_marks(p, piece) & M_QUANTITY;
    if (p->attributes == CAPTION_ATTRIBUTES || quantity || p->object[object].attributes == 255)
        return;
    for (int i = 0; i < p->attributes; i++)
        if (p->attribute[i].object == object && p->attribute[i].piece == piece)
            return;
    p->attribute[p->attributes++] = (struct attribute){(uint8_t)object, (uint8_t)piece};
    p->object[object].attributes++;
    object_counted(p, object);
}

static void take_adjective(struct relater *r, int k)
{
    const struct phrase *f = &r->f[k];
    int before = kind(r, k - 1);
    const struct group *to = NULL;
    int last_object = -1;
    for (int j = k - 1; j >= 0 && last_object < 0; j--)
        if (r->f[j].kind == P_NOUN)
            last_object = r->f[j].object;
        else if (r->f[j].kind != P_STOP && r->f[j].kind != P_COMMA)
            break;
    if (before == P_BE || (before == P_AND && k >= 2 && kind(r, k - 2) == P_ADJECTIVE && kind(r, k - 3) == P_BE))
        to = r->linked;
    else if (before == P_NOUN)
        to = r->last;
    for (int i = f->first; i <= f->last; i++) {
        bool colour = piece_marks(r->p, i) & M_COLOUR;
        if (r->p->tag[i] != ADJ && !colour)
            continue;
        if (to)
            for (int j = 0; j < to->n; j++)
                attribute(r->p, to->at[j], i);
        else if (colour && last_object >= 0 && (before == P_STOP || before == P_COMMA) && kind(r, k + 1) != P_NOUN)
            attribute(r->p, last_object, i);
    }
    if (r->verb >= 0 && before == P_VERB)
        r->object_open = true;
    if (r->prep >= 0)
        r->prep = -1;
}

// "James (23) drives", "dog (left)": the phrase of the closing bracket when nothing acts between, else `k`.
static int skip_bracket(const struct relater *r, int k)
{
    for (int end = k + 1; end < r->n && end <= k + 6; end++) {
        if (r->f[end].kind == P_STOP && r->p->tag[r->f[end].first] == SYM)
            continue;   // ($1.00)
        if (r->f[end].kind == P_STOP)
            return piece_equals(r->p, r->f[end].first, ")") ? end : k;
        if (r->f[end].kind == P_VERB || r->f[end].kind == P_BE || r->f[end].kind == P_ADJECTIVE)
            return k;
    }
    return k;
}

// What phrases_relate surely ends a clause at: no bracket and no colon, where it may go on, and nothing skip_bracket skips.
static bool ends_clause(const struct parser *p, const struct phrase *f)   // a P_STOP
{
    return p->tag[f->first] != SYM && !piece_equals(p, f->first, "(") && !piece_equals(p, f->first, ")") && !piece_equals(p, f->first, ":");
}

// The phrases that matter: of the clauses with the first and the last verb or lone adjective, and all between. There are
// such, or more phrases than are counted: then all.
static void clauses(const struct parser *p, const struct phrases *all, int *from, int *to)
{
    const struct phrase *phrase = all->at;
    uint64_t acting = all->acting, stops = all->stops;
    *from = 0;
    *to = all->n;
    if (all->n > 64)
        return;
    int first = __builtin_ctzll(acting), last = 63 - __builtin_clzll(acting);
    for (uint64_t before = stops & (((uint64_t)1 << first) - 1); before;) {
        int k = 63 - __builtin_clzll(before);
        before ^= (uint64_t)1 << k;
        if (ends_clause(p, &phrase[k])) {
            *from = k + 1;
            break;
        }
    }
    for (uint64_t behind = stops >> last; behind; behind &= behind - 1) {   // the last is none of them
        int k = last + __builtin_ctzll(behind);
        if (ends_clause(p, &phrase[k])) {
            *to = k;
            break;
        }
    }
}

void phrases_relate(struct parser *p, const struct phrases *all)
{
    const struct phrase *phrase = all->at;
    int from, to;
    clauses(p, all, &from, &to);
    struct relater state, *r = &state;   // member by member: the groups need no zeros
    r->p = p;
    r->f = phrase;
    r->n = all->n;
    r->groups = 0;
    r->candidate = r->subject = r->last = r->linked = r->antecedent = r->found = &nobody;
    r->verb = r->last_verb = r->prep = r->before_last = r->joint = -1;
    r->passive = r->related = r->pronoun_object = r->object_open = r->list = r->finite = r->relative = r->contact = r->fresh = false;
    for (int k = from; k < to; k++) {
        const struct phrase *f = &phrase[k];
        switch (f->kind) {
        case P_NOUN:
            if (!f->possessor)
                k = take_noun(r, k);
            break;
        case P_NAMELESS:
            take_nameless(r, k);
            break;
        case P_VERB:
            start_verb(r, k);
            break;
        case P_BE:
        case P_HAVE:
            if (r->relative) {
                r->linked = r->antecedent;
                r->relative = false;
            } else if (!(kind(r, k - 1) == P_AND && !r->fresh)) {
                r->linked = r->candidate->n ? r->candidate : r->last;
            }
            close_verb(r);
            if (kind(r, k - 1) != P_AND)
                r->subject = r->linked;
            r->finite = true;
            r->fresh = false;
            r->last_verb = k;
            break;
        case P_PREP:
            if (r->prep >= 0 || r->verb < 0 || kind(r, k + 1) == P_NOUN || kind(r, k + 1) == P_NAMELESS || kind(r, k + 1) == P_PREP)
                r->prep = k;
            break;
        case P_THAT:
            if (kind(r, k - 1) == P_NOUN || kind(r, k - 1) == P_COMMA || kind(r, k - 1) == P_PREP) {
                r->antecedent = r->last;
                if (r->before_last >= 0 && !moves(r, r->last) && r->candidate->n)
                    r->antecedent = r->last;
                r->relative = true;
                r->contact = false;
                r->object_open = false;
            } else {
                r->object_open = false;
            }
            break;
        case P_WHEN:
            r->object_open = false;
            r->prep = -1;
            if (kind(r, k + 1) != P_VERB || phrase[k + 1].form != V_ING) {
                const struct group *subject = r->subject;
                end_clause(r);
                r->subject = subject;
            }
            break;
        case P_ADJECTIVE:
            take_adjective(r, k);
            break;
        case P_COMMA:
            r->object_open = r->list;
            break;
        case P_STOP:
            if (piece_equals(p, f->first, "(") && (k = skip_bracket(r, k)) != f - phrase)
                break;
            if (piece_equals(p, f->first, ":") && kind(r, k + 1) == P_VERB && phrase[k + 1].form == V_ING && moves(r, r->candidate) && r->last_verb < 0)
                break;   // man in wheelchair: facing right
            if (piece_equals(p, f->first, ":") && r->verb >= 0 && r->object_open && kind(r, k - 1) == P_VERB && r->subject->n) {
                r->list = true;
                break;
            }
            end_clause(r);
            r->subject = &nobody;
            break;
        default:
            break;
        }
    }
    close_verb(r);
}
