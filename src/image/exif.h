// SPDX-License-Identifier: Apache-2.0
// What a picture file carries beside its pixels.
#ifndef IMAGE_EXIF_H
#define IMAGE_EXIF_H

#include <stddef.h>

#include "base/buf.h"

struct image_meta {
    const unsigned char *exif;   // from "II" or "MM" on, inside the picture's bytes; NULL: none
    size_t exif_len;
    struct buf icc;              // colour profile of RGB pixels that are not meant as sRGB; empty: none
};

// Of a JPEG, PNG or WebP file (a TIFF is its own EXIF, and its profile is not looked for); others have nothing. What is
// damaged is passed over. EMEMORY_.
int image_meta(struct image_meta *out, const void *bytes, size_t n);
void image_meta_free(struct image_meta *m);

// The tags as text: a JSON object with names and values as exifread (and so img2dataset) writes them,
// {"Image Make": "Canon", "EXIF ExposureTime": "1/60"}; "{}" when there are none. EMEMORY_.
int exif_json(struct buf *out, const unsigned char *exif, size_t n);

#endif
