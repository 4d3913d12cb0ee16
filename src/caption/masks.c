// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "caption/chosen.h"
#include "caption/masks_rows.h"

// Bit k of eight bytes, as eight bits.
static inline uint64_t bits_of(uint64_t bytes, int k)
{
    return ((bytes >> k & 0x0101010101010101u) * 0x0102040810204080u) >> 56;
}

static inline void find_planes(const struct parser *p, int lane, lanes plane[PLANES])
{
    for (int k = 0; k < PLANES; k++)
        plane[k][lane] = 0;
    for (int i = 0; i < p->pieces; i += 8) {
        uint64_t sets[2] = {0}, traits, looks, fixed, shapes;
        memcpy(&traits, p->traits + i, sizeof traits);
        memcpy(&looks, p->looks + i, sizeof looks);
        memcpy(&fixed, p->sets + i, sizeof fixed);
        memcpy(&shapes, p->shape + i, sizeof shapes);
        for (int j = 0; j < 8; j++)
            for (int k = 0; k < 2; k++)
                sets[k] |= (uint64_t)tag_sets[k][p->tag[i + j] % TAG_ROOM] << 8 * j;
        for (int k = 0; k < TAG_PLANES; k++)
            plane[k][lane] |= bits_of(sets[k / 8], k % 8) << i;
        for (int k = INSIDE; k < TRAITS_END; k++)
            plane[k][lane] |= bits_of(traits, k - INSIDE + 2) << i;
        for (int k = BE; k < LOOKS_END; k++)
            plane[k][lane] |= bits_of(looks, k - BE) << i;
        plane[FIXED_FIRST][lane] |= bits_of(fixed, 6) << i;
        plane[FIXED_SECOND][lane] |= bits_of(fixed, 7) << i;
        plane[CAPITALS][lane] |= bits_of(shapes, 1) << i;   // CAPITAL, UPPER
    }
}

void masks_ref(const struct parser *const *p, int n, struct masks *out) { masks_all(p, n, out); }

void find_masks(const struct parser *const *p, int n, struct masks *out)
{
    CHOSEN(masker, AVX512_OR(masks_avx512, AVX2_OR(masks_avx2, masks_ref)))(p, n, out);
}
