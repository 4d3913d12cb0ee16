// SPDX-License-Identifier: Apache-2.0
// The masks, for each of their versions: the file that includes this has
//   find_planes(tag, traits, shape, n, plane)   the planes below of the first n words or more, a bit a word; words behind the
//                                               last are anything. Up to MASK_SLACK bytes may be read.
#ifndef CAPTION_MASKS_ROWS_H
#define CAPTION_MASKS_ROWS_H

#include "caption/masks.h"

// What a tag is, a bit each of two bytes; a word's traits; how it is written.
enum {
    IS_NOMINAL, IS_ADJECTIVE, IS_NUMERAL, IS_DETERMINER, IS_PRONOUN, IS_ADPOSITION, IS_SIGN, IS_ADVERB,
    IS_PARTICIPLE_TAG, IS_END, IS_OTHER_END, IS_ALONE, TAG_PLANES,
    INSIDE = TAG_PLANES, HEAD, START, PREP, STOP, DOUBT, TRAIT_PLANES_END,
    CAPITAL_PLANE = TRAIT_PLANES_END, PLANES,
};
_Static_assert(TRAIT_INSIDE == 1 << 2 && TRAIT_DOUBT == 1 << 7 && DOUBT - INSIDE == 5, "traits' planes in the order of their bits");

#define ONE(set) (1u << (set) % 8)
// IS_END: no phrase goes on with it. IS_OTHER_END: no noun phrase. IS_ALONE: a phrase by itself, or none.
static const uint8_t tag_sets[2][TAG_ROOM] = {
    {[NOUN] = ONE(IS_NOMINAL), [PROPN] = ONE(IS_NOMINAL), [ADJ] = ONE(IS_ADJECTIVE), [NUM] = ONE(IS_NUMERAL), [DET] = ONE(IS_DETERMINER),
     [PRON] = ONE(IS_PRONOUN), [ADP] = ONE(IS_ADPOSITION), [PUNCT] = ONE(IS_SIGN), [ADV] = ONE(IS_ADVERB)},
    {[ADP] = ONE(IS_END), [AUX] = ONE(IS_END), [DET] = ONE(IS_END), [INTJ] = ONE(IS_END), [PART] = ONE(IS_END), [SYM] = ONE(IS_END),
     [OTHER] = ONE(IS_END), [PRON] = ONE(IS_END) | ONE(IS_ALONE), [SCONJ] = ONE(IS_END) | ONE(IS_ALONE),
     [ADV] = ONE(IS_OTHER_END) | ONE(IS_ALONE), [CCONJ] = ONE(IS_OTHER_END) | ONE(IS_ALONE), [VERB] = ONE(IS_OTHER_END) | ONE(IS_ALONE),
     [PUNCT] = ONE(IS_OTHER_END), [VBG] = ONE(IS_PARTICIPLE_TAG) | ONE(IS_ALONE), [VBN] = ONE(IS_PARTICIPLE_TAG) | ONE(IS_ALONE)},
};
#undef ONE

static inline void find_planes(const uint8_t *tag, const uint8_t *traits, const uint8_t *shape, int n, uint64_t plane[PLANES]);

static inline void masks_all(const struct parser *p, struct masks *m)
{
    uint64_t is[PLANES], all = ((uint64_t)1 << p->pieces) - 1;
    find_planes(p->tag, p->traits, p->shape, p->pieces, is);
    uint64_t inside = is[INSIDE], stop = is[STOP], doubt = is[DOUBT], start = inside & is[START], digits = ~is[HEAD] & ~stop;
    uint64_t opening = is[IS_DETERMINER] | (is[IS_PRONOUN] & start & ~is[PREP]);   // articles and possessives
    // plain words of a noun phrase
    uint64_t noun = inside & is[IS_NOMINAL] & all, adjective = inside & (is[IS_ADJECTIVE] | is[IS_NUMERAL]) & all, opens = inside & opening & all;
    // as the last word of a noun phrase its tag alone says what that is
    uint64_t last = inside & ((is[IS_NOMINAL] & is[HEAD] & stop) | (is[IS_ADJECTIVE] & stop) |
                              (is[IS_NUMERAL] & ~doubt & (digits | (is[HEAD] & stop))));
    // a noun phrase may begin with it, and nothing else does; a phrase by itself, or none
    uint64_t begins = start & (is[IS_NOMINAL] | is[IS_ADJECTIVE] | is[IS_NUMERAL] | opening);
    uint64_t alone = start & ~opening & ((is[IS_SIGN] & ~digits) | (~is[IS_SIGN] & stop & is[IS_ALONE]));
    // no noun phrase goes on with it; nor adjectives alone, whatever comes after
    uint64_t ends = (stop & (is[IS_END] | is[IS_OTHER_END])) | ~all, ends_all = (stop & is[IS_END]) | ~all;
    uint64_t adjective_tag = stop & is[IS_ADJECTIVE] & all, participle = stop & is[IS_PARTICIPLE_TAG] & all;   // no rule for single words
    uint64_t nominal = (is[IS_NOMINAL] | digits | is[IS_NUMERAL] | (~stop & (is[IS_ADJECTIVE] | is[IS_PARTICIPLE_TAG]))) & all;
    uint64_t number = adjective & nominal, describes = inside & is[IS_ADJECTIVE] & ~digits & ~doubt;
    // what a participle may stand before and describe a noun; quotes and dashes are signs that do not end phrases
    uint64_t like = adjective_tag | participle | nominal, more = (adjective_tag | nominal) >> 1;
    uint64_t doubted = participle & (like | (is[IS_SIGN] & all & (~ends | more))) >> 1;
    // behind nouns: what ends them; adjectives and numbers without a noun of their own; participles that act
    uint64_t behind = ends | (adjective_tag & ~more) | (number & ends >> 1) | (participle & ~doubted);
    // "Kids Soft T-Shirt": one phrase
    uint64_t between = adjective_tag & describes & noun << 1 & (noun & last) >> 1;
    uint64_t inner = ((noun | adjective) & (opens | adjective) << 1) | (noun & noun << 1) | between;
    uint64_t lone = adjective & ~inner;   // no word before it in its phrase
    m->begins = (all & ~inner) | (all + 1);
    m->single = (is[IS_ADPOSITION] & is[PREP]) | (alone & ~doubted & ~(is[IS_ADVERB] & like >> 1));
    m->nouns = begins;
    m->known = (noun & behind >> 1) | (adjective & (ends_all | (ends & ~(like >> 1))) >> 1);
    m->ends = m->known & last & (noun | lone);
    m->head = noun & last;
    m->doubted_single = alone & doubted;
    m->doubted_ends = noun & doubted >> 1;
    m->ordinary = begins | alone;
    m->doubtful = doubt | (describes & (is[CAPITAL_PLANE] | adjective_tag >> 1)) | ~(noun | adjective | opens);
    m->describes = describes;
}

#endif
