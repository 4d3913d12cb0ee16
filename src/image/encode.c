// SPDX-License-Identifier: Apache-2.0
// Errors of libpng and libjpeg leave by longjmp: see png.c.
#include "image/encode.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "base/error.h"
#include "image/resample.h"

struct png_job {
    jmp_buf back;
    struct buf *out;
};

static void png_failed(png_structp png, png_const_charp text)
{
    longjmp(((struct png_job *)png_get_error_ptr(png))->back, 1);
}
static void png_warned(png_structp png, png_const_charp text) {}
static void png_put(png_structp png, png_bytep bytes, size_t n)
{
    buf_add(((struct png_job *)png_get_io_ptr(png))->out, bytes, n);
}
static void png_flushed(png_structp png) {}

static int png_run(struct png_job *j, png_structp png, png_infop info, const struct image *im)
{
    if (setjmp(j->back))
        return EMEMORY_;
    png_set_write_fn(png, j, png_put, png_flushed);
    png_set_IHDR(png, info, (png_uint_32)im->width, (png_uint_32)im->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < im->height; y++)
        png_write_row(png, im->rgb + (size_t)y * (size_t)im->width * 3);
    png_write_end(png, info);
    return j->out->failed;
}

int image_png(struct buf *out, const struct image *im)
{
    struct png_job j = {.out = out};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &j, png_failed, png_warned);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    int rc = info ? png_run(&j, png, info, im) : EMEMORY_;
    png_destroy_write_struct(&png, &info);
    return rc ? FAIL(EMEMORY_, "a PNG of %dx%d pixels could not be made: out of memory", im->width, im->height) : 0;
}

struct jpeg_job {
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    jmp_buf back;
    unsigned char *bytes;    // libjpeg's, released with free
    unsigned long n;
};

static void jpeg_failed(j_common_ptr cinfo) { longjmp(((struct jpeg_job *)cinfo->client_data)->back, 1); }
static void jpeg_said(j_common_ptr cinfo) {}

static int jpeg_run(struct jpeg_job *j, const struct image *im, int quality)
{
    struct jpeg_compress_struct *c = &j->cinfo;
    if (setjmp(j->back))
        return EMEMORY_;
    jpeg_create_compress(c);
    c->client_data = j;
    jpeg_mem_dest(c, &j->bytes, &j->n);
    c->image_width = (JDIMENSION)im->width;
    c->image_height = (JDIMENSION)im->height;
    c->input_components = 3;
    c->in_color_space = JCS_RGB;
    jpeg_set_defaults(c);
    jpeg_set_quality(c, quality, TRUE);
    jpeg_start_compress(c, TRUE);
    while (c->next_scanline < c->image_height) {
        JSAMPROW row = im->rgb + (size_t)c->next_scanline * (size_t)im->width * 3;
        jpeg_write_scanlines(c, &row, 1);
    }
    jpeg_finish_compress(c);
    return 0;
}

int image_jpeg(struct buf *out, const struct image *im, int quality)
{
    struct jpeg_job j = {0};
    j.cinfo.err = jpeg_std_error(&j.errors);
    j.cinfo.client_data = &j;
    j.errors.error_exit = jpeg_failed;
    j.errors.output_message = jpeg_said;
    int rc = jpeg_run(&j, im, quality);
    if (!rc) {
        buf_add(out, j.bytes, j.n);
        rc = out->failed;
    }
    jpeg_destroy_compress(&j.cinfo);
    free(j.bytes);
    return rc ? FAIL(EMEMORY_, "a JPEG of %dx%d pixels could not be made: out of memory", im->width, im->height) : 0;
}

int image_thumbnail(struct buf *out, const char **mime, const void *bytes, size_t n, int side)
{
    struct image im = {0}, small = {0};
    struct buf png = {0}, jpeg = {0};
    int rc = image_decode(&im, bytes, n, 0);
    if (rc)
        return rc;
    const struct image *use = &im;
    int longer = im.width > im.height ? im.width : im.height;
    if (longer > side) {
        small.width = (int)((double)im.width * side / longer + .5);
        small.height = (int)((double)im.height * side / longer + .5);
        small.width = small.width < 1 ? 1 : small.width;
        small.height = small.height < 1 ? 1 : small.height;
        small.rgb = malloc((size_t)small.width * (size_t)small.height * 3);
        if (!small.rgb) {
            rc = FAIL(EMEMORY_, "out of memory: no room for a thumbnail of %dx%d", small.width, small.height);
            goto done;
        }
        struct region all = {im.rgb, im.width, im.height, (size_t)im.width * 3};
        rc =
            image_resample(&all, small.width, small.height, FILTER_BICUBIC, 0, 0, small.width, small.height, small.rgb);
        use = &small;
    }
    if (!rc && (rc = image_png(&png, use)) == 0 && (rc = image_jpeg(&jpeg, use, 85)) == 0) {
        const struct buf *best = png.len <= jpeg.len ? &png : &jpeg;
        *mime = best == &png ? "image/png" : "image/jpeg";
        buf_add(out, best->at, best->len);
        rc = out->failed;
    }
done:
    image_free(&im);
    image_free(&small);
    buf_free(&png);
    buf_free(&jpeg);
    return rc;
}
