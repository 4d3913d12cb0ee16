// SPDX-License-Identifier: Apache-2.0
// Words cut from a caption's text: their start, end, flags and shape. A cutter may write what it likes behind the last, CUT_SLACK
// entries each, and of shapes CAPTION_AROUND of LOWER are there.
#ifndef CAPTION_CUT_H
#define CAPTION_CUT_H

#include "caption/caption.h"

// Captions whose words end at blanks and at signs that mean no more than themselves: nearly all.
enum cut { CUT_NOT, CUT_SHAPELESS, CUT_WHOLE };   // some byte takes a closer look; all is there but the shapes; all
typedef enum cut cutter(struct parser *p);
cutter cut_plain;                        // what this CPU does best; $DIHT_ISA pins it
cutter cut_ref, cut_bmi2, cut_avx512;    // equal, but where there is nothing or no shapes

void cut_closely(struct parser *p);      // any caption, without shapes
void cut_shapes(struct parser *p);       // of any cuts

#endif
