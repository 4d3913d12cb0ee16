// SPDX-License-Identifier: Apache-2.0
#include "caption/candidates.h"

#include "caption/chosen.h"
#include "caption/mends.h"

void candidates_ref(struct parsers *all)
{
    const struct table *t = all->table;
    const uint16_t *set = all->set;
    const uint8_t *tags = all->tag;
    const int32_t *places = all->at;
    uint64_t *own = all->own, *behind = all->behind, *ahead = all->ahead;
    uint8_t *looks = all->looks, *sets = all->sets;
    for (int j = 0, cuts = all->cuts; j < cuts; j++) {
        int at = places[j], here = tags[at];
        const struct mends *w = &t->mends[set[at] % MENDS_ROOM];
        own[at] = w->at[mends_slot[here]] & t->mends_own[here];
        behind[at] = t->mends_behind[here] & w->behind;
        ahead[at] = t->mends_ahead[here] & w->ahead;
        looks[at] = (uint8_t)(w->ahead >> MENDS_LOOKS);
        sets[at] = (uint8_t)(set[at] >> 8);
    }
    for (int from = 0, end = places[all->cuts - 1]; from < end; from += MENDS_ROUND) {
        uint64_t may = 0;
        for (int k = 0, at = from + 1; k < MENDS_ROUND; k++, at++)
            may |= (uint64_t)((own[at] & behind[at - 1] & ahead[at + 1]) != 0) << k;
        all->may[from / MENDS_ROUND] = may;
    }
}

void candidates_find(struct parsers *all)
{
    CHOSEN(candidates, AVX512_OR(candidates_avx512, candidates_ref))(all);
}
