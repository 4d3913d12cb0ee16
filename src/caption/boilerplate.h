// SPDX-License-Identifier: Apache-2.0
// What web pages say around pictures, to their readers and not about the pictures: "click to enlarge", "share on facebook".
#ifndef CAPTION_BOILERPLATE_H
#define CAPTION_BOILERPLATE_H

#include "caption/caption.h"

// The caption without it, a part of `caption`: such phrases before and behind are cut off. Nothing is left (len 0) of one
// that is nothing else. Any bytes; ASCII letters of both cases are the same.
struct text boilerplate_cut(struct text caption);

#endif
