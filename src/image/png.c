// SPDX-License-Identifier: Apache-2.0
// PNG with libpng. Its errors leave by longjmp: everything that must outlive one sits in struct job, whose address does
// not change, never in a local of the function that called setjmp.
#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/formats.h"

struct job {
    const unsigned char *at, *end;
    jmp_buf back;
    char why[160];
    png_structp png;
    png_infop info;
    png_bytep *rows;         // height
    unsigned char *raw;      // height x row_bytes: pixels as stored, when not RGB of 8 bits already
    size_t row_bytes;
    int depth, colour;
    png_colorp palette;
    int palette_count;
    int code;                // set when the sentence is already recorded
};

static void on_error(png_structp png, png_const_charp text)
{
    struct job *j = png_get_error_ptr(png);
    snprintf(j->why, sizeof j->why, "%s", text);
    longjmp(j->back, 1);
}

static void on_warning(png_structp png, png_const_charp text) {}

static void on_read(png_structp png, png_bytep out, size_t n)
{
    struct job *j = png_get_io_ptr(png);
    if ((size_t)(j->end - j->at) < n)
        png_error(png, "the file ends too early (cut off)");
    memcpy(out, j->at, n);
    j->at += n;
}

static int channels(int colour)
{
    return colour == PNG_COLOR_TYPE_RGB_ALPHA    ? 4
           : colour == PNG_COLOR_TYPE_RGB        ? 3
           : colour == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
                                                 : 1;
}

// Everything that may longjmp. Nonzero: j->code or j->why says what.
static int decode(struct job *j, struct image *out, const struct decoding *how)
{
    if (setjmp(j->back))
        return -1;
    j->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, j, on_error, on_warning);
    if (!j->png || !(j->info = png_create_info_struct(j->png))) {
        j->code = FAIL(EMEMORY_, "out of memory: libpng did not start");
        return -1;
    }
    png_set_read_fn(j->png, j, on_read);
    png_set_user_limits(j->png, 0x7fffffff, 0x7fffffff);   // image_take's cap is the one that counts
    png_read_info(j->png, j->info);
    png_uint_32 width = png_get_image_width(j->png, j->info), height = png_get_image_height(j->png, j->info);
    j->depth = png_get_bit_depth(j->png, j->info);
    j->colour = png_get_color_type(j->png, j->info);
    if ((j->code = image_take(out, width, height, how->max_pixels)) != 0)
        return -1;
    if (how->shown) {   // to 8 bits, colour, alpha where something is transparent
        png_set_expand(j->png);
        png_set_scale_16(j->png);
        png_set_gray_to_rgb(j->png);
    } else if (j->depth < 8)
        png_set_packing(j->png);   // one value a byte, not scaled
    png_set_interlace_handling(j->png);
    png_read_update_info(j->png, j->info);
    if (j->colour == PNG_COLOR_TYPE_PALETTE)
        png_get_PLTE(j->png, j->info, &j->palette, &j->palette_count);

    if (how->shown) {
        j->depth = png_get_bit_depth(j->png, j->info);
        j->colour = png_get_color_type(j->png, j->info);
    }
    j->row_bytes = (size_t)width * (size_t)channels(j->colour) * (j->depth == 16 ? 2 : 1);
    if (png_get_rowbytes(j->png, j->info) != j->row_bytes)
        png_error(j->png, "rows of an unexpected size");
    j->rows = malloc(height * sizeof *j->rows);
    unsigned char *to = out->rgb;
    if (j->colour != PNG_COLOR_TYPE_RGB || j->depth != 8)
        to = j->raw = malloc(j->row_bytes * height);
    if (!j->rows || !to) {
        j->code = FAIL(EMEMORY_, "out of memory: no room for a PNG of %ux%u pixels", (unsigned)width, (unsigned)height);
        return -1;
    }
    for (png_uint_32 y = 0; y < height; y++)
        j->rows[y] = to + y * j->row_bytes;
    png_read_image(j->png, j->rows);
    png_read_end(j->png, NULL);   // the last checksums
    return 0;
}

// Stored values to RGB by Pillow's rules.
static void convert(const struct job *j, struct image *out)
{
    size_t n = (size_t)out->width * (size_t)out->height;
    const unsigned char *in = j->raw;
    unsigned char *rgb = out->rgb;
    int step = channels(j->colour) * (j->depth == 16 ? 2 : 1);
    if (j->colour & PNG_COLOR_MASK_PALETTE) {
        unsigned char table[256][3];   // past the palette's end Pillow's is a grey ramp
        for (int i = 0; i < 256; i++) {
            bool known = i < j->palette_count;
            table[i][0] = known ? j->palette[i].red : (unsigned char)i;
            table[i][1] = known ? j->palette[i].green : (unsigned char)i;
            table[i][2] = known ? j->palette[i].blue : (unsigned char)i;
        }
        for (size_t i = 0; i < n; i++)
            memcpy(rgb + 3 * i, table[in[i]], 3);
    } else if (j->colour & PNG_COLOR_MASK_COLOR) {
        int wide = j->depth == 16 ? 2 : 1;   // 16 bits: the high byte comes first
        for (size_t i = 0; i < n; i++, in += step)
            for (int c = 0; c < 3; c++)
                rgb[3 * i + c] = in[c * wide];
    } else {
        // grey of 16 bits without alpha is Pillow's mode I: clipped at 255, not scaled; with alpha the high byte
        bool clip = j->depth == 16 && j->colour == PNG_COLOR_TYPE_GRAY;
        int factor = j->depth < 8 ? 255 / ((1 << j->depth) - 1) : 1;
        for (size_t i = 0; i < n; i++, in += step)
            memset(rgb + 3 * i, clip && in[0] ? 255 : clip ? in[1] : in[0] * factor, 3);
    }
}

// Colour with alpha, on white.
static void show(const struct job *j, struct image *out)
{
    size_t n = (size_t)out->width * (size_t)out->height;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++)
            out->rgb[3 * i + c] = on_white(j->raw[4 * i + c], j->raw[4 * i + 3]);
}

int png_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how)
{
    struct job j = {.at = bytes, .end = bytes + n};
    int rc = decode(&j, out, how);
    if (rc)
        rc = j.code ? j.code : FAIL(EFORMAT_, "the PNG picture is damaged: %s", j.why);
    else if (j.raw && how->shown)
        show(&j, out);
    else if (j.raw)
        convert(&j, out);
    png_destroy_read_struct(&j.png, &j.info, NULL);
    free(j.rows);
    free(j.raw);
    return rc;
}
