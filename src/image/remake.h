// SPDX-License-Identifier: Apache-2.0
// A picture file made anew: smaller, in another format, or both.
#ifndef IMAGE_REMAKE_H
#define IMAGE_REMAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

// What becomes as long as `size`, and what of the result is kept.
enum fit {
    FIT_SHORTER,   // the shorter side
    FIT_LONGER,    // the longer side
    FIT_BORDER,    // the longer side, then white on both sides up to a square of `size`
    FIT_CROP,      // the shorter side, then the middle square
};

struct remake {
    int size;               // 0: as large as it is
    enum fit fit;
    bool enlarge;           // also make larger; else a picture that is small enough keeps its size (a border is still put
                            // around it)
    const char *format;     // "jpeg", "webp", "png"
    int quality;            // of that format, see image_encode
    int64_t max_pixels;     // before and after; 0: IMAGE_MAX_PIXELS
};

// "shorter" ..., also img2dataset's names for the same ("keep_ratio", "keep_ratio_largest", "center_crop"): false for
// another.
bool fit_parse(enum fit *out, const char *name);
int format_quality(const char *format);   // when nobody says: jpeg 95, webp 90, png 6

// The file as asked, appended to `out`; nothing is appended when it is so already: then the original bytes do.
// *format, *width, *height: of what results. What is transparent lies on white; 16 bits become 8; CMYK becomes RGB; EXIF
// (with its orientation, the pixels are not turned) and an RGB colour profile other than sRGB are carried over. Pillow's
// bicubic filter, antialiased; a JPEG whose side is to become less than a quarter is decoded at 1/2, 1/4 or 1/8, never
// to less than twice the side wanted.
// EFORMAT_ (damaged), EUNSUPPORTED_ (too many pixels), EMEMORY_.
int image_remake(const struct remake *r, const void *bytes, size_t n, struct buf *out, const char **format, int *width,
                 int *height);

#endif
