// SPDX-License-Identifier: Apache-2.0
// Pictures and captions on their way into the towers.
#ifndef TASK_INPUT_H
#define TASK_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "image/transform.h"
#include "model/tokenizer.h"

extern const struct transform transform_clip;   // CLIP's mean and deviation, bicubic; set .size

// transform_load of a file, which an error names.
int picture_from_file(const struct transform *t, const char *path, int64_t max_pixels, float *out /* 3 x S x S */);

// The merges of `vocab`, else those inside the model file, else the installed ones.
int vocabulary_open(struct tokenizer **out, const char *vocab, const char *model);

// The text of a JSON line {"text": "...", ...} into `out` (cleared first) as UTF-8. \u0000 is a byte 0; a surrogate
// without its other half is written as three bytes, which the tokenizer reads as U+FFFD: jansson refuses both forms of
// damage that captions come with. EFORMAT_; the sentence does not name the line.
int json_line_text(struct buf *out, const char *line, size_t len);

#endif
