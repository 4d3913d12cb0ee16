// SPDX-License-Identifier: Apache-2.0
// One reader a file format; image.c picks by the first bytes.
#ifndef IMAGE_FORMATS_H
#define IMAGE_FORMATS_H

#include "image/image.h"

int png_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how);
int jpeg_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how);
int gif_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how);
int webp_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how);
int bmp_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how);
int tiff_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how);

// On white, as much of `c` as its alpha says.
static inline unsigned char on_white(int c, int alpha) { return (unsigned char)((c * alpha + 255 * (255 - alpha) + 127) / 255); }

// Check the header's size against the cap: EFORMAT_, EUNSUPPORTED_.
int image_fits(int64_t width, int64_t height, int64_t max_pixels);
// The same, and take the memory: EMEMORY_ too.
int image_take(struct image *out, int64_t width, int64_t height, int64_t max_pixels);

// Amounts of ink to RGB as Pillow computes it.
static inline void cmyk_to_rgb(unsigned char rgb[3], int c, int m, int y, int k)
{
    int ink[3] = {c, m, y};
    for (int i = 0; i < 3; i++) {
        int t = ink[i] * (255 - k) + 128, v = 255 - k - (((t >> 8) + t) >> 8);
        rgb[i] = (unsigned char)(v < 0 ? 0 : v);
    }
}

#endif
