// SPDX-License-Identifier: Apache-2.0
// A caption and spotted lines of any bytes, parted by line breaks: the match stays within both, and every text matches
// itself as long as it is.
#include <string.h>

#include "fuzz.h"
#include "spot/match.h"

static const float nowhere[4][2];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *end = text + size;
    const char *first = memchr(text, '\n', size);
    struct spot_lines l = {0};
    struct match run, ratio, self;
    size_t n = first ? (size_t)(first - text) : size;
    for (const char *p = first ? first + 1 : end; p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop : end;
        MUST(spot_lines_add(&l, p, (size_t)(stop - p), .9, nowhere) == 0);
        p = stop + 1;
    }
    MUST(match_run(&run, text, n, &l, .8) == 0 && match_ratio(&ratio, text, n, &l, .8) == 0);
    MUST(run.characters >= 0 && run.characters <= MATCH_MAX && (run.characters > 0) == (run.line >= 0) && run.line < l.n);
    MUST(ratio.ratio >= 0 && ratio.ratio <= 1 && (ratio.ratio > 0) == (ratio.line >= 0) && ratio.line < l.n);
    if (run.line >= 0) {   // the line holds that much of itself
        const char *line = l.line[run.line].text;
        MUST(match_run(&self, line, strlen(line), &l, .8) == 0 && self.characters >= run.characters);
    }
    MUST(match_run(&run, text, n, &l, .95) == 0 && run.line == -1);
    spot_lines_free(&l);
    return 0;
}
