// SPDX-License-Identifier: Apache-2.0
// Spotted lines and their form in files: a JSON object a line, one a picture; ours, and MMOCR's.
#ifndef SPOT_LINES_H
#define SPOT_LINES_H

#include <stddef.h>

#include "base/buf.h"

struct spot_line {
    char *text;         // UTF-8, ends with NUL; owned
    double confidence;  // 0 .. 1
    float box[4][2];    // x, y in the picture's pixels: the text's top left, top right, bottom right, bottom left
};

struct spot_lines {
    struct spot_line *line;   // n, owned
    int n, room;
};

void spot_lines_free(struct spot_lines *l);   // accepts NULL and empty lists; leaves an empty one
// Another line; `text` is copied. EMEMORY_.
int spot_lines_add(struct spot_lines *l, const char *text, size_t n, double confidence, const float box[4][2]);

// Append {"file": ..., "lines": [{"text", "confidence", "box": [[x, y] x 4]}]} and the line's end; `file` NULL: no
// "file". EMEMORY_.
int spot_lines_write(struct buf *out, const char *file, const struct spot_lines *l);

// Read the lines that one JSON line holds (what *out held is freed), and put the picture's name into `file` (cleared
// first; NULL: not wanted). Known are: ours; MMOCR's {"rec_texts": [], "rec_scores": [], "det_polygons": [[x, y, ...]]},
// also inside "predictions"; and its older {"filename": ..., "result": [{"text", "text_score", "box": [x, y, ...]}]}.
// The name stands under "file", "filename", "img_path" or "image". A score is a number or a list of them (their mean);
// a polygon of other than four corners becomes the rectangle around it; a line without a box has one of zeros.
// EFORMAT_ (the sentence names the key, not the file), EMEMORY_: *out is empty.
int spot_lines_read(struct spot_lines *out, struct buf *file, const char *text, size_t n);

#endif
