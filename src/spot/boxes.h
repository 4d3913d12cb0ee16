// SPDX-License-Identifier: Apache-2.0
// From the detector's map (how likely a place is inside a line's shrunk core) to boxes around whole lines, after
// "Real-time Scene Text Detection with Differentiable Binarization" (Liao et al. 2020): threshold, connected parts,
// smallest rectangle around each, mean of the map inside, grown by area / perimeter.
#ifndef SPOT_BOXES_H
#define SPOT_BOXES_H

#define BOX_THRESHOLD .3f   // of a place of the map
#define BOX_SCORE .6f       // mean of the map inside
#define BOX_UNCLIP 2.f      // how far a core is grown: distance = this x area / perimeter
#define BOX_ENDS .15f       // and then at both its ends, x its thickness: first letters are lost sooner than others
enum { BOX_MOST = 1000 };   // boxes a picture: more is noise

struct box {
    float corner[4][2];     // x, y: top left, top right, bottom right, bottom left, of text read within 45 degrees of level
    float width, height;    // along and across
    float score;
};

struct box_finder;          // memory for maps, kept between them

struct box_finder *box_finder_new(void);      // NULL: out of memory
void box_finder_free(struct box_finder *f);   // accepts NULL
// Boxes in the map's pixels, from the top, valid until the next call; the number, or EMEMORY_.
int boxes_find(struct box_finder *f, const float *map /* height x width */, int width, int height,
               const struct box **out);

#endif
