// SPDX-License-Identifier: Apache-2.0
// Noun phrases word by word, where masks alone do not show them: how far they reach, what heads them, what describes it.
#include <string.h>

#include "caption/chunks.h"

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
bool prenominal_participle(const struct parser *p, int from, int i)
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
    if (!bare || possessive_sign(p, i - 1))
        return true;
    if (tag(p, i) == VBN)
        return !acted(p, i);
    if (piece_equals(p, i - 1, "of") && (marks(p, i - 2) & (M_GROUP | M_MEDIA)))
        return true;   // a pair of praying hands
    if (i > 0 && (p->traits[i] & FRAME_OBJECT) && !(marks(p, i) & M_PURPOSE) && !being(p, next) &&
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

bool adverbial(const struct parser *p, int i)   // today, yesterday: no heads of what stands before
{
    return piece_equals(p, i, "today") || piece_equals(p, i, "yesterday") || piece_equals(p, i, "tomorrow") || piece_equals(p, i, "tonight");
}

// "In a large area many giraffes", "in the park two dogs": what counts stands before all else in its phrase
static bool starts_anew(const struct parser *p, int i)
{
    if (tag(p, i) == ADJ)
        return (marks(p, i) & M_QUANTITY) && noun(p, i + 1) && (is(p, i + 1) & IS_PLURAL);
    return tag(p, i) == NUM && p->lower[p->start[i]] > '9' && p->shape[i] == LOWER &&
           noun(p, i + 1) && (is(p, i + 1) & IS_PLURAL);
}

int noun_phrase_end(const struct parser *p, int from, int at)
{
    bool any_noun = at > from && noun(p, at - 1);
    int i = at, end = any_noun || (at > from && (tag(p, at - 1) == ADJ || number(p, at - 1))) ? at : from;
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
            while (tag(p, next) == ADJ || tag(p, next) == VBN || (tag(p, next) == VBG && next > i + 1) || (marks(p, next) & M_COLOUR) ||
                   (tag(p, next) == CCONJ && next == i + 2 && (tag(p, next + 1) == ADJ || (marks(p, next + 1) & M_COLOUR))))   // red, white and blue
                next++;
            if (!noun(p, next) && !(next > i + 1 && noun(p, next - 1) && !(marks(p, next - 1) & M_COLOUR)))
                break;
        } else if (sign(p, i) == '"' || sign(p, i) == '-') {
            if (i == from || (p->flags[i] & PIECE_ALONE) || !(noun(p, i + 1) || (tag(p, i + 1) == VBN && sign(p, i + 2) == '"')))
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
    return (marks(p, i) & M_PAIR_FIRST) && (marks(p, i + 1) & M_PAIR_SECOND) && lists_fixed_pair(p->lower + p->start[i], piece_len(p, i),
                                                 p->lower + p->start[i + 1], piece_len(p, i + 1));
}

// "eared": made of a noun, which the word before describes. After phrases_mend: it finds looks.
static bool of_body(const struct parser *p, int i)
{
    return (tag(p, i) == ADJ || tag(p, i) == VBN) && (p->looks[i] & LOOK_BODY);
}

void add_attributes(struct parser *p, int object, int first, int head)
{
    for (int i = first; i < head; i++) {
        int t = tag(p, i);
        bool named = (p->shape[i] == CAPITAL || p->shape[i] == UPPER) && p->shape[i + 1] != LOWER &&
                     p->shape[head] != LOWER;
        if (fixed_pair(p, i)) {
            i += i + 1 < head;
            continue;
        }
        bool purpose = (marks(p, i) & M_PURPOSE) || (i > first && noun(p, i - 1)) ||   // event logging framework
                       (possessive_sign(p, i - 1) && piece_kind(p, head) == KIND_ARTIFACT);   // women's running shoes
        if (i + 1 < head && t == ADJ && of_body(p, i + 1))
            continue;   // red headed: it is the head that is red
        if (t == ADJ ? !named : t == VBN || t == VERB || (t == VBG && !purpose) ||
            ((marks(p, i) & M_COLOUR) && noun(p, i) && !named))
            add_attribute(p, object, i);
    }
}

static int add_object(struct parser *p, int head, int first, int last)
{
    int o = p->objects++;
    p->object[o] = (struct object){(uint8_t)head, (uint8_t)first, (uint8_t)last, 0, 0, hashtag(p, head)};
    add_attributes(p, o, first, head);
    return o;
}

bool possessive_sign(const struct parser *p, int i) { return piece_equals(p, i, "'s") || piece_equals(p, i, "'"); }

int take_noun_phrase(struct chunker *c, int from, int end)
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
    char initial = p->text[p->start[end - 1]];
    bool counted = tag(p, end - 1) == NUM && initial >= 'A' && initial <= 'Z' && noun(p, head) &&
                   p->word[2 + end - 1]->class != CLASS_NUMBER && p->word[2 + end - 1]->class != CLASS_CODE;
    if (counted)   // Studio Nine
        head = end - 1;
    bool dated = number(p, head + 1) || number(p, head - 1);
    bool time = (marks(p, head) & M_TIME) && (dated || !(piece_equals(p, head, "may") || piece_equals(p, head, "march")));
    bool aside = end == from + 1 && sign(p, from - 1) == ',' && (sign(p, end) == ',' || end == p->pieces) &&
                 (piece_equals(p, from, "left") || piece_equals(p, from, "right") || piece_equals(p, from, "center"));
    if (aside) {
        add_phrase(c, P_ADJECTIVE, from, from);
        return end;
    }
    bool stands_for = (head == from || (head == from + 1 && (marks(p, from) & M_QUANTITY))) && (marks(p, head) & M_PRONOUN);
    if ((!noun(p, head) && !counted) || time || stands_for || (marks(p, head) & M_COLOUR) || (number(p, head) && !counted)) {
        // adjectives alone: what a verb like "be" ties, or nothing
        bool adjective = true;
        for (int i = from; i < end; i++)
            adjective &= tag(p, i) == ADJ || tag(p, i) == ADV || (marks(p, i) & M_COLOUR) || tag(p, i) == CCONJ;
        add_phrase(c, adjective ? P_ADJECTIVE : P_NAMELESS, from, end - 1);
        return end;
    }
    bool handed = (marks(p, head) & M_GROUP) && piece_equals(p, end, "of") && noun_phrase_end(p, end + 1, end + 1) > end + 1;
    if (handed && !(number(p, end + 1) && noun_phrase_end(p, end + 1, end + 1) == end + 2))
        return end + 1;   // a group of: as if it were not there
    struct phrase *f = add_phrase(c, P_NOUN, from, end - 1);
    f->object = (int16_t)add_object(p, head, from, end - 1);
    if (colour >= 0)
        add_attribute(p, f->object, colour);
    if (possessive_sign(p, end) && tag(p, end) != AUX && tag(p, end) != VERB) {
        f->possessor = true;
        return end + 1;
    }
    return end;
}
