// SPDX-License-Identifier: Apache-2.0
// Which words of a batch mend.c's rules may have another tag for: a bit a place in all->may. On the way, by place, each word's rules,
// those it lets through beside it, and what masks ask of it (LOOK_*, SET_*). Nothing beside the captions' words has any.
#ifndef CAPTION_CANDIDATES_H
#define CAPTION_CANDIDATES_H

#include "caption/caption.h"

typedef void candidates(struct parsers *all);   // of one word at least, all tagged
candidates candidates_find;                      // what this CPU does best; $DIHT_ISA pins it
candidates candidates_ref, candidates_avx512;    // equal

#endif
