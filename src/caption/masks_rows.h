// SPDX-License-Identifier: Apache-2.0
// The masks, for each of their versions: the file that includes this has
//   find_planes(p, lane, plane)   a caption's planes in their lane, a bit a word; words behind the last are anything, and up to
//                                 MASK_SLACK may be read.
// The logic is that of MASKS_LANES captions at once.
#ifndef CAPTION_MASKS_ROWS_H
#define CAPTION_MASKS_ROWS_H

#include <string.h>

#include "caption/masks.h"

// What a tag is, a bit each of two bytes; a word's traits; how it is written.
enum {
    IS_NOMINAL, IS_ADJECTIVE, IS_NUMERAL, IS_DETERMINER, IS_PRONOUN, IS_ADPOSITION, IS_SIGN, IS_ADVERB,
    IS_GERUND, IS_PAST_PARTICIPLE, IS_VERBAL, IS_HELPER, IS_PARTICLE, IS_END, IS_OTHER_END, IS_ALONE, TAG_PLANES,
    INSIDE = TAG_PLANES, HEAD, START, PREP, STOP, DOUBT, TRAITS_END,
    BE = TRAITS_END, HAVE, AUXILIARY, LINK, PAIR, QUANTITY, BODY, TO_OR_NOT, LOOKS_END,
    FIXED_FIRST = LOOKS_END, FIXED_SECOND, CAPITALS, PLANES,
};
_Static_assert(TRAIT_INSIDE == 1 << 2 && TRAIT_DOUBT == 1 << 7 && DOUBT - INSIDE == 5 && LOOK_BE == 1 && LOOK_PARTICLE == 1 << 7 &&
               TO_OR_NOT - BE == 7 && TAG_PLANES == 16 && SET_FIXED == 64 << 8, "planes in the order of their bits");

#define ONE(set) (1u << (set) % 8)
// IS_END: no phrase goes on with it. IS_OTHER_END: no noun phrase. IS_ALONE: a phrase by itself, or none.
static const uint8_t tag_sets[2][TAG_ROOM] = {
    {[NOUN] = ONE(IS_NOMINAL), [PROPN] = ONE(IS_NOMINAL), [ADJ] = ONE(IS_ADJECTIVE), [NUM] = ONE(IS_NUMERAL), [DET] = ONE(IS_DETERMINER),
     [PRON] = ONE(IS_PRONOUN), [ADP] = ONE(IS_ADPOSITION), [PUNCT] = ONE(IS_SIGN), [ADV] = ONE(IS_ADVERB)},
    {[ADP] = ONE(IS_END), [DET] = ONE(IS_END), [SYM] = ONE(IS_END), [OTHER] = ONE(IS_END), [AUX] = ONE(IS_END) | ONE(IS_HELPER),
     [PART] = ONE(IS_END) | ONE(IS_PARTICLE), [INTJ] = ONE(IS_END) | ONE(IS_ALONE), [PRON] = ONE(IS_END) | ONE(IS_ALONE),
     [SCONJ] = ONE(IS_END) | ONE(IS_ALONE), [ADV] = ONE(IS_OTHER_END) | ONE(IS_ALONE), [CCONJ] = ONE(IS_OTHER_END) | ONE(IS_ALONE),
     [VERB] = ONE(IS_OTHER_END) | ONE(IS_ALONE) | ONE(IS_VERBAL), [PUNCT] = ONE(IS_OTHER_END), [VBG] = ONE(IS_GERUND) | ONE(IS_ALONE),
     [VBN] = ONE(IS_PAST_PARTICIPLE) | ONE(IS_ALONE)},
};
#undef ONE

typedef uint64_t lanes __attribute__((vector_size(MASKS_LANES * sizeof(uint64_t))));

static inline void find_planes(const struct parser *p, int lane, lanes plane[PLANES]);

static inline void put(uint64_t to[MASKS_LANES], lanes from) { memcpy(to, &from, sizeof from); }

// Phrases' first words, and all words of theirs.
static inline lanes all_of(lanes firsts, lanes others) { return firsts | (flood(firsts << 1 & others, others) & others); }

static inline void masks_of(const lanes is[PLANES], lanes all, struct masks *m)
{
    lanes inside = is[INSIDE], stop = is[STOP], doubt = is[DOUBT], start = inside & is[START], digits = ~is[HEAD] & ~stop;
    lanes participle_tag = is[IS_GERUND] | is[IS_PAST_PARTICIPLE];
    lanes opening = is[IS_DETERMINER] | (is[IS_PRONOUN] & start & ~is[PREP]);   // articles and possessives
    // plain words of a noun phrase
    lanes noun = inside & is[IS_NOMINAL] & all, adjective = inside & (is[IS_ADJECTIVE] | is[IS_NUMERAL]) & all, opens = inside & opening & all;
    // as the last word of a noun phrase its tag alone says what that is
    lanes last = inside & ((is[IS_NOMINAL] & is[HEAD] & stop) | (is[IS_ADJECTIVE] & stop) |
                              (is[IS_NUMERAL] & ~doubt & (digits | (is[HEAD] & stop))));
    // a noun phrase may begin with it, and nothing else does; a phrase by itself, or none
    lanes begins = start & (is[IS_NOMINAL] | is[IS_ADJECTIVE] | is[IS_NUMERAL] | opening);
    lanes alone = start & ~opening & ((is[IS_SIGN] & ~digits) | (~is[IS_SIGN] & stop & is[IS_ALONE]));
    // no noun phrase goes on with it; nor adjectives alone, whatever comes after
    lanes ends = (stop & (is[IS_END] | is[IS_OTHER_END])) | ~all, ends_all = (stop & is[IS_END]) | ~all;
    lanes adjective_tag = stop & is[IS_ADJECTIVE] & all, participle = stop & participle_tag & all;   // no rule for single words
    lanes nominal = (is[IS_NOMINAL] | digits | is[IS_NUMERAL] | (~stop & (is[IS_ADJECTIVE] | participle_tag))) & all;
    lanes number = adjective & nominal, describes = inside & is[IS_ADJECTIVE] & ~digits & ~is[QUANTITY];
    // what a participle may stand before and describe a noun; quotes and dashes are signs that do not end phrases
    lanes like = adjective_tag | participle | nominal, more = (adjective_tag | nominal) >> 1;
    lanes doubted = participle & (like | (is[IS_SIGN] & all & (~ends | more))) >> 1;
    // behind nouns: what ends them; adjectives and numbers without a noun of their own; participles that act
    lanes behind = ends | (adjective_tag & ~more) | (number & ends >> 1) | (participle & ~doubted);
    // "Kids Soft T-Shirt": one phrase
    lanes between = adjective_tag & describes & noun << 1 & (noun & last) >> 1;
    lanes inner = ((noun | adjective) & (opens | adjective) << 1) | (noun & noun << 1) | between;
    lanes lone = adjective & ~inner;   // no word before it in its phrase
    // helpers, where neither another nor an adverb follows: with their verb, or alone; "to" and a verb
    lanes be = is[IS_HELPER] & is[BE], have = is[IS_HELPER] & is[HAVE] & ~is[BE], modal = is[IS_HELPER] & is[AUXILIARY] & ~is[BE] & ~is[HAVE];
    lanes helps = is[IS_HELPER] | is[BE] | is[HAVE] | is[AUXILIARY], not = is[TO_OR_NOT] & is[START], to = is[TO_OR_NOT] & ~is[START];
    lanes other = ~(helps | is[IS_ADVERB] | not) & all, past = is[IS_PAST_PARTICIPLE] & other, verb = is[IS_VERBAL] & other;
    lanes closed = (other | ~all) >> 1, passive = be & past >> 1, infinitive = is[IS_PARTICLE] & to & verb >> 1;
    lanes led = passive | infinitive | (be & (is[IS_GERUND] & other & ~is[LINK]) >> 1) | (have & past >> 1) | (modal & verb >> 1);
    lanes helper = closed & ((be & ~((past | verb | (is[IS_GERUND] & all)) >> 1)) | (have & ~((past | verb) >> 1)) |
                                (modal & ~((verb | ((is[IS_NOMINAL] | is[IS_ADJECTIVE]) & all)) >> 1)));
    // an article without a noun: nothing
    lanes bare = is[IS_DETERMINER] & start & ((stop & is[IS_END] & ~opening) | ~all | (stop & is[IS_SIGN])) >> 1;
    lanes firsts = all & ~inner & ~(led << 1), others = all & ~firsts;   // of phrases; their other words
    put(m->begins, firsts | (all + 1));
    put(m->led, led);
    put(m->passive, passive);
    put(m->infinitive, infinitive);
    lanes single = (is[IS_ADPOSITION] & is[PREP]) | (alone & ~doubted & ~(is[IS_ADVERB] & like >> 1)) | led | helper | bare;
    put(m->nouns, begins);
    lanes known = (noun & behind >> 1) | (adjective & (ends_all | (ends & ~(like >> 1))) >> 1);
    put(m->known, known);
    // a single word or a noun phrase whose last word's tag says what it is; no preposition of several words may begin
    lanes several = is[FIXED_FIRST] & (is[FIXED_SECOND] & all) >> 1, ended = known & last & (noun | lone);
    put(m->sure, (all_of(single & firsts, others) | (all_of(begins & firsts, others) & ended)) & ~all_of(several & firsts, others));
    put(m->head, noun & last);
    put(m->doubted_single, alone & doubted);
    put(m->doubted_ends, noun & doubted >> 1);
    put(m->ordinary, begins | alone);
    put(m->doubtful, is[PAIR] | (doubt & noun) | (describes & (is[CAPITALS] | (is[BODY] & all) >> 1)) | (~(noun | adjective | opens) & ~led));
    put(m->describes, describes);
}

// All planes first: a lane that was just written keeps whoever reads the whole register waiting.
static inline void masks_all(const struct parser *const *p, int n, struct masks *m)
{
    enum { MOST = CAPTION_AT_ONCE / MASKS_LANES };
    lanes is[MOST][PLANES], all[MOST] = {0};
    if (n % MASKS_LANES)
        memset(is[n / MASKS_LANES], 0, sizeof *is);
    for (int k = 0; k < n; k++) {
        find_planes(p[k], k % MASKS_LANES, is[k / MASKS_LANES]);
        all[k / MASKS_LANES][k % MASKS_LANES] = ((uint64_t)1 << p[k]->pieces) - 1;
    }
    for (int k = 0; k < n; k += MASKS_LANES)
        masks_of(is[k / MASKS_LANES], all[k / MASKS_LANES], &m[k / MASKS_LANES]);
}

#endif
