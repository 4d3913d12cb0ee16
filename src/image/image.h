// SPDX-License-Identifier: Apache-2.0
// Picture files as pixels: exactly what Pillow's convert("RGB") gives, for PNG, JPEG, GIF, WebP, BMP, TIFF.
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image {
    int width, height;
    unsigned char *rgb;   // height x width x 3, owned; image_free
};

// Largest picture decoded unless told otherwise: Pillow's own limit against decompression bombs.
#define IMAGE_MAX_PIXELS ((int64_t)2 * 89478485)

struct rect { int x, y, w, h; };   // columns x .. x + w - 1 of rows y .. y + h - 1

// Takes a picture's rows as they are decoded: a JPEG then never lies in memory whole.
struct row_sink {
    // The picture will have width x height pixels: which are wanted? Negative: none, decoding ends with that code.
    int (*size)(struct row_sink *s, int width, int height, struct rect *want);
    // Rows y .. y + n - 1 of the picture, from column want.x on, `stride` bytes apart; each wanted row once, in order.
    void (*rows)(struct row_sink *s, const unsigned char *rgb, size_t stride, int y, int n);
};

// Decode to 8-bit RGB: alpha dropped, palettes looked up, grey repeated, 16-bit grey clipped at 255, 16-bit colour cut
// to its high byte, CMYK as Adobe stores it, no EXIF rotation (a TIFF's own orientation tag is obeyed);
// the first frame of an animation. `max_pixels` (0: IMAGE_MAX_PIXELS) is checked against
// the header before any pixel is decoded. EFORMAT_ for damaged or cut off data, EUNSUPPORTED_ for another format or too
// many pixels, EMEMORY_; the sentence does not name the file (error_prefix). Thread-safe. On failure *out is empty.
int image_decode(struct image *out, const void *bytes, size_t n, int64_t max_pixels);
// The same, but as `how` says.
struct decoding {
    int64_t max_pixels;       // 0: IMAGE_MAX_PIXELS
    bool shown;               // as a browser shows it: transparent parts of PNG, GIF and WebP lie on white, grey of 16 bits
                              // loses its low byte
    int side;                 // > 0: a JPEG may come at 1/2, 1/4 or 1/8 of its size (libjpeg's scaled transforms), while
    bool longer;              // its shorter (or longer) side stays at least twice as long as this
    struct row_sink *sink;    // not NULL: the pixels go there, *out stays empty
    int width, height;        // out: the whole picture's size
};
int image_decode_as(struct image *out, const void *bytes, size_t n, struct decoding *how);
void image_free(struct image *im);   // accepts NULL and an empty picture

// What the first bytes say: "png", "jpeg", "gif", "webp", "bmp", "tiff", or NULL.
const char *image_format(const void *bytes, size_t n);
// "jpg" for "jpeg", else the same: the file name's ending.
const char *image_extension(const char *format);

#endif
