// SPDX-License-Identifier: Apache-2.0
// From phrases to actions: one pass from left to right that remembers who could be the next verb's subject, what stood
// last, and which verb is open for objects and prepositions. The rules' numbers are those of docs/captions.md.
#include <string.h>

#include "caption/lists.h"
#include "caption/phrases.h"

enum { GROUP = 8 };

struct group {             // objects joined by "and"; none: nothing expressed
    int n;
    int16_t at[GROUP];
};

struct relater {
    struct parser *p;
    const struct phrase *f;
    int n;
    struct group candidate;    // stands where a subject stands, outside prepositions
    struct group subject;      // of the last verb
    struct group last;         // the noun phrase that stood last
    struct group linked;       // what "be" says something of
    struct group antecedent;   // what a relative pronoun stands for
    struct group found;        // direct objects of the open verb
    int verb;                  // phrase of the open verb, -1: none
    int last_verb;             // phrase of the last verb in this clause, -1
    bool passive, related;     // the open verb
    bool pronoun_object;
    bool object_open;          // a noun phrase here is the open verb's object
    bool list;                 // "contains: a, b, c"
    int prep;                  // phrase of the pending preposition, -1
    bool finite;               // the clause had its finite verb
    bool relative;             // a relative pronoun waits for its verb
    bool contact;              // the antecedent is the next verb's object: the dress she wore
    bool fresh;                // candidate not yet used by a finite verb
    int before_last;           // head phrase's object for NP1 prep NP2, -1
    int joint;                 // the preposition between them
};

static const struct word *head_word(const struct relater *r, int object) { return r->p->word[2 + r->p->object[object].head]; }

static bool animate(const struct relater *r, const struct group *g)
{
    if (g->n == 0)
        return false;
    const struct word *w = head_word(r, g->at[0]);
    return w->kind == KIND_PERSON || w->kind == KIND_ANIMAL || (w->marks & M_PERSON) ||
           r->p->piece[r->p->object[g->at[0]].head].tag == PROPN;
}

static bool moves(const struct relater *r, const struct group *g)
{
    return animate(r, g) || (g->n && (head_word(r, g->at[0])->marks & M_MOVER));
}

static void object_relates(struct parser *p, int object)
{
    p->object[object].relations += p->object[object].relations < 255;
    object_counted(p, object);
}

static void relation(struct relater *r, int subject, int object, int prep)
{
    struct parser *p = r->p;
    r->related = true;
    if (p->relations == CAPTION_RELATIONS)
        return;
    int last = p->relations ? p->relation[p->relations - 1].verb : -1;
    struct relation *x = &p->relation[p->relations++];
    p->verdict.actions += last != r->f[r->verb].last;   // a verb's lie together
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
    static const struct group none = {0};
    if (r->verb >= 0 && !r->related) {
        if (r->passive)
            relations(r, &none, &r->subject, -1);
        else
            relations(r, &r->subject, &none, -1);
    }
    r->verb = -1;
    r->object_open = r->list = false;
    r->prep = -1;
}

static void end_clause(struct relater *r)
{
    close_verb(r);
    r->candidate.n = r->antecedent.n = r->linked.n = r->last.n = 0;
    r->finite = r->relative = r->contact = r->fresh = false;
    r->last_verb = -1;
    r->before_last = -1;
}

static inline int kind(const struct relater *r, int k) { return r->f[k].kind; }   // P_NONE around

static inline __attribute__((always_inline)) bool equals(const struct relater *r, int k, const char *word)
{
    return r->f[k].first == r->f[k].last && piece_equals(r->p, r->f[k].first, word);
}

// Has the past form its object behind it, is it passive, or can one not see it?
static bool past_is_passive(const struct relater *r, int k)
{
    const struct phrase *f = &r->f[k];
    int next = k + 1;
    const struct word *w = r->p->word[2 + f->last];
    if (w->marks & M_NAME)
        return kind(r, k - 1) == P_NOUN || kind(r, k - 1) == P_COMMA || equals(r, k - 1, ")");
    if (kind(r, next) == P_THAT)
        return false;   // estimated that
    if (kind(r, next) == P_NOUN || (kind(r, next) == P_NAMELESS && r->f[next].subject_pronoun))
        return f->form == V_PARTICIPLE && kind(r, k - 1) != P_NOUN;
    if (f->form == V_PARTICIPLE && (w->traits & FRAME_NONE) && !(w->traits & FRAME_OBJECT))
        return false;   // her perfume lingered
    if (equals(r, next, "by") || f->form == V_PARTICIPLE)
        return true;
    return (w->traits & FRAME_OBJECT) && !(w->traits & FRAME_NONE);
}

// --- subjects -----------------------------------------------------------------------------------------------------------

static struct group beside(const struct relater *r, int k, bool participle)
{
    if (r->last_verb < 0) {
        if (r->before_last >= 0 && r->last.n) {   // NP1 prep NP2 doing
            const struct word *first = head_word(r, r->before_last);
            struct group one = {1, {(int16_t)r->before_last}};
            bool of = r->joint >= 0 && equals(r, r->joint, "of");
            bool place = r->joint >= 0 && (equals(r, r->joint, "in") || equals(r, r->joint, "from") || equals(r, r->joint, "to") || equals(r, r->joint, "at"));
            if (place && r->p->piece[r->p->object[r->last.at[0]].head].kind != KIND_PERSON && r->p->piece[r->p->object[r->last.at[0]].head].tag == PROPN)
                return r->candidate.n ? r->candidate : one;
            if ((of && (first->marks & M_MEDIA)) || (!participle && moves(r, &r->last) && !moves(r, &one)))
                return r->last;
            return r->candidate.n ? r->candidate : one;
        }
        return r->candidate.n ? r->candidate : r->last;
    }
    bool first = equals(r, k, "isolated") || equals(r, k, "using");   // put out a fire using hoses
    if (first && r->subject.n)
        return r->subject;
    if (participle || moves(r, &r->last) || !r->subject.n || kind(r, r->last_verb) != P_VERB)
        return r->last;
    bool past = r->f[r->last_verb].form == V_PARTICIPLE && !equals(r, k - 2, "with");   // a sandwich cut in half sitting on a plate
    return past || moves(r, &r->subject) ? r->subject : r->last;
}

static bool controls(const struct relater *r, int k)   // verbs that make their object act
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

static struct group infinitive_subject(const struct relater *r, int k)
{
    static const struct group none = {0};
    if (r->last_verb < 0 || kind(r, r->last_verb) != P_VERB)
        return none;
    if (kind(r, k - 1) == P_VERB)
        return r->subject;
    if (kind(r, k - 1) == P_NOUN && equals(r, k - 2, "for"))
        return r->last;   // for pedestrians to cross
    if (r->pronoun_object)
        return none;
    if (r->found.n)
        return controls(r, r->last_verb) ? r->found : none;
    return kind(r, k - 1) == P_NOUN ? none : r->subject;   // the right to lie
}

static bool base_form(const struct relater *r, const struct phrase *f)
{
    unsigned is = piece_is(r->p, f->last);
    return f->form == V_FINITE && !f->helped && (is & IS_VERB) && !(is & (IS_THIRD | IS_PAST));
}

static struct group subject_of(struct relater *r, int k, bool *joined)
{
    static const struct group none = {0};
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
            return none;   // ideal for growing tobacco
        if (before == P_WHEN || before == P_PREP || before == P_COMMA)
            return r->last_verb >= 0 ? r->subject : before == P_PREP ? none : r->candidate;
        return r->last_verb >= 0 && before != P_AND ? r->last.n && before == P_ADJECTIVE ? r->last : r->subject : r->candidate;
    }
    if (f->form == V_PAST && before == P_NOUN && r->last_verb < 0 && r->before_last >= 0 && equals(r, r->joint, "of") && kind(r, k + 1) == P_PREP)
        return beside(r, k, true);   // a photo of fruit displayed on a board
    if (base_form(r, f) && before == P_NOUN && r->found.n && r->last_verb == k - 2 && controls(r, r->last_verb))
        return r->found;   // watching a man play
    if (r->finite && before == P_NOUN && r->last.n && !r->fresh)
        return r->last;
    if (before == P_COMMA && base_form(r, f) && r->candidate.n == 1 && r->p->piece[r->p->object[r->candidate.at[0]].head].tag == NOUN &&
        !(head_word(r, r->candidate.at[0])->is & IS_PLURAL))
        return none;   // a map, enjoy it
    return r->candidate.n ? r->candidate : none;
}

static void start_verb(struct relater *r, int k)
{
    const struct phrase *f = &r->f[k];
    bool joined, contact = r->contact && r->relative, was_passive = r->passive;
    struct group subject = subject_of(r, k, &joined), object = r->antecedent;
    close_verb(r);
    r->subject = subject;
    r->verb = r->last_verb = k;
    r->related = r->pronoun_object = false;
    r->found.n = 0;
    r->passive = f->form == V_PASSIVE || (f->form == V_PARTICIPLE && (joined ? was_passive : past_is_passive(r, k))) ||
                 (f->form == V_PAST && !joined && past_is_passive(r, k));
    r->object_open = !r->passive;
    if (f->form == V_FINITE || f->form == V_PASSIVE || f->form == V_PAST)
        r->finite = true;
    r->fresh = false;
    if (contact) {
        relations(r, &r->subject, &object, -1);
        r->contact = false;
        r->object_open = false;
    }
    r->before_last = -1;
}

// --- nouns --------------------------------------------------------------------------------------------------------------

// Phrases k .. of a joined group: "a, b and c". Returns the last phrase taken.
static int gather(const struct relater *r, int k, struct group *g)
{
    bool inside = r->verb >= 0 || r->prep >= 0;
    int taken = k;
    g->n = 0;
    g->at[g->n++] = r->f[k].object;
    for (;;) {
        int j = taken + 1, end = -1;
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
            more.at[more.n++] = r->f[j].object;
            if (!comma_only || r->list) {
                int next = kind(r, j + 1);
                bool acts = next == P_VERB && r->f[j + 1].form != V_INFINITIVE;
                struct group one = {1, {r->f[j].object}};
                if ((inside && (acts || next == P_BE) && (moves(r, &one) || !(r->candidate.n || r->subject.n))) || (r->list && acts && !comma_only))
                    break;
                end = j;
                *g = more;
            }
            j++;
            if (end >= 0 && !r->list)
                break;
        }
        if (end < 0)
            return taken;
        taken = end;
        if (r->list)
            return taken;
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
    bool thing = !person && before->kind && !opens_own(r, k) && kind(r, r->prep - 2) == P_PREP && !r->passive && !animate(r, &r->subject);
    return thing || (person && r->passive);
}

static bool daytime(const struct relater *r, const struct group *g)
{
    return g->n && (head_word(r, g->at[0])->marks & (M_DAYTIME));
}

static int take_noun(struct relater *r, int k)
{
    struct group g;
    int end = gather(r, k, &g);
    if (r->prep >= 0) {
        if (r->verb >= 0 && !describes_noun(r, &g, k)) {
            if (r->passive && equals(r, r->prep, "by"))
                relations(r, &g, &r->subject, -1);
            else
                relations(r, &r->subject, &g, r->prep);
            r->before_last = -1;
        } else if (r->last_verb < 0 && r->last.n && kind(r, r->prep - 1) == P_NOUN) {
            bool chained = r->before_last >= 0 && r->joint >= 0 && equals(r, r->joint, "of") && !equals(r, r->prep, "of") &&
                           (head_word(r, r->before_last)->marks & M_MEDIA);
            if (r->before_last < 0 || chained)
                r->before_last = r->last.at[0];
            if (chained)
                r->candidate = r->last;
            if (r->before_last == r->last.at[0])
                r->joint = r->prep;
        }
        r->prep = -1;
        r->object_open = false;
        r->last = g;
        return end;
    }
    bool again = kind(r, k - 1) == P_NOUN && r->found.n && !r->f[k - 1].possessor &&
                 !(kind(r, end + 1) == P_VERB && r->f[end + 1].form != V_ING && r->f[end + 1].form != V_PARTICIPLE && r->f[end + 1].form != V_INFINITIVE);
    if (r->verb >= 0 && (r->object_open || again)) {
        r->object_open = r->list;
        if (!(daytime(r, &g) && !r->list)) {
            relations(r, &r->subject, &g, -1);
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
    bool apposition = kind(r, k - 1) == P_COMMA && r->candidate.n && !r->finite && r->last_verb < 0 && kind(r, end + 1) != P_VERB;
    if (r->verb >= 0 && kind(r, k - 1) != P_BE)
        close_verb(r);
    if (kind(r, k - 1) == P_NOUN && r->candidate.n && !r->finite && kind(r, end + 1) == P_VERB && !r->f[k - 1].possessor) {
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
        if (kind(r, k - 1) == P_NOUN && kind(r, k + 1) == P_VERB && r->last.n) {   // the dress she wore
            r->antecedent = r->last;
            r->antecedent.at[0] = r->last.at[r->last.n - 1];
            r->antecedent.n = 1;
            r->relative = r->contact = true;
        }
        if (r->relative)
            r->contact = true;
        r->candidate.n = 0;
        r->fresh = true;
        r->finite = false;
    }
    r->last.n = 0;
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
        to = &r->linked;
    else if (before == P_NOUN)
        to = &r->last;
    for (int i = f->first; i <= f->last; i++) {
        bool colour = piece_marks(r->p, i) & M_COLOUR;
        if (r->p->piece[i].tag != ADJ && !colour)
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
        if (r->f[end].kind == P_STOP && r->p->piece[r->f[end].first].tag == SYM)
            continue;   // ($1.00)
        if (r->f[end].kind == P_STOP)
            return piece_equals(r->p, r->f[end].first, ")") ? end : k;
        if (r->f[end].kind == P_VERB || r->f[end].kind == P_BE || r->f[end].kind == P_ADJECTIVE)
            return k;
    }
    return k;
}

// What phrases_relate surely ends a clause at: no bracket and no colon, where it may go on, and nothing skip_bracket skips.
static bool ends_clause(const struct parser *p, const struct phrase *f)
{
    return f->kind == P_STOP && p->piece[f->first].tag != SYM && !piece_equals(p, f->first, "(") && !piece_equals(p, f->first, ")") && !piece_equals(p, f->first, ":");
}

// The phrases that matter: of the clauses with the first and the last verb or lone adjective, and all between; without these
// nothing relates. None: *from is n.
static void clauses(const struct parser *p, const struct phrase *phrase, int n, int *from, int *to)
{
    int first = 0, last = n - 1;
    while (first < n && phrase[first].kind != P_VERB && phrase[first].kind != P_ADJECTIVE)
        first++;
    *from = *to = n;
    if (first == n)
        return;
    while (phrase[last].kind != P_VERB && phrase[last].kind != P_ADJECTIVE)
        last--;
    while (first > 0 && !ends_clause(p, &phrase[first - 1]))
        first--;
    while (last + 1 < n && !ends_clause(p, &phrase[last + 1]))
        last++;
    *from = first;
    *to = last + 1;
}

void phrases_relate(struct parser *p, const struct phrase *phrase, int n)
{
    int from, to;
    clauses(p, phrase, n, &from, &to);
    if (from == to)
        return;
    struct relater state, *r = &state;   // member by member: groups' `at` need no zeros
    r->p = p;
    r->f = phrase;
    r->n = n;
    r->candidate.n = r->subject.n = r->last.n = r->linked.n = r->antecedent.n = r->found.n = 0;
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
                r->linked = r->candidate.n ? r->candidate : r->last;
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
                if (r->before_last >= 0 && !moves(r, &r->last) && r->candidate.n)
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
                struct group subject = r->subject;
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
            if (piece_equals(p, f->first, ":") && kind(r, k + 1) == P_VERB && phrase[k + 1].form == V_ING && moves(r, &r->candidate) && r->last_verb < 0)
                break;   // man in wheelchair: facing right
            if (piece_equals(p, f->first, ":") && r->verb >= 0 && r->object_open && kind(r, k - 1) == P_VERB && r->subject.n) {
                r->list = true;
                break;
            }
            end_clause(r);
            r->subject.n = 0;
            break;
        default:
            break;
        }
    }
    close_verb(r);
}
