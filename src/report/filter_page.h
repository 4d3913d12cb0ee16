// SPDX-License-Identifier: Apache-2.0
// The page `diht filter --html FILE` writes: what each step dropped, how complex the captions are, and examples with their
// pictures and the text found in them, so that a person can judge the filter. As report/page.h: one file, nothing fetched,
// strings may hold anything and are borrowed during the call.
#ifndef REPORT_FILTER_PAGE_H
#define REPORT_FILTER_PAGE_H

#include <stdint.h>

#include "report/page.h"

struct filter_box {                  // a spotted line
    const char *text;
    double confidence;
    float corner[4][2];              // x, y in pixels of the picture
};

struct filter_example {
    const char *key, *caption;
    const char *reading;             // what the parser made of it, as text with line breaks; NULL: it was not read
    const char *note;                // what decided, in a few words
    struct report_picture picture;   // a thumbnail
    int width, height;               // of the picture that the boxes are measured in; 0: no boxes can be drawn
    const struct filter_box *boxes;
    int nboxes;
};

struct filter_page_step {
    const char *name;                // "text in the picture"
    const char *what;                // a sentence: who is dropped here
    int64_t dropped, left;           // the last step is what is kept: dropped 0
    const struct filter_example *examples;
    int nexamples;
};

struct filter_page {
    const char *data, *settings, *version;
    const struct filter_page_step *steps;
    int nsteps;
    int64_t rows;
    const int64_t *complexity;       // [ncomplexity] rows of complexity 0, 1, ...; the last: that and more
    int ncomplexity;
};

// Writes the page whole or not at all. EIO_, EFULL_, EMEMORY_.
int filter_page_write(const struct filter_page *p, const char *path);

#endif
