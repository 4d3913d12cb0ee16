// SPDX-License-Identifier: Apache-2.0
// What page.c, curves.c and gallery.c share. Inside this room only.
#ifndef REPORT_PARTS_H
#define REPORT_PARTS_H

#include "base/buf.h"
#include "report/page.h"

enum { NAME_SHOWN = 80, CAPTION_SHOWN = 240 };   // characters before the ellipsis

extern const char *const page_style;             // the page's CSS

// Two plots of a split (R@1 against gallery size, histogram of ranks) and of the training (loss, temperature, speed).
void split_plots(struct buf *b, const struct report_split *s, int number);
void training_plots(struct buf *b, const struct report_training *t);

// Cards in each list of hits or misses, so that all lists together stay within the page's bytes.
int gallery_cards(const struct report *r);
void gallery_write(struct buf *b, const struct report_split *s, int cards);

#endif
