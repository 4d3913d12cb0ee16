// SPDX-License-Identifier: Apache-2.0
// Pixels as bytes. Errors of libpng and libjpeg leave by longjmp: see png.c.
#include "image/encode.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include "base/error.h"
#include "image/resample.h"

struct png_job {
    jmp_buf back;
    struct buf *out;
    int level;
    const struct image_meta *meta;   // NULL: none
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
    png_set_compression_level(png, j->level);
    const struct image_meta *m = j->meta;
    if (m && m->exif)
        png_set_eXIf_1(png, info, (png_uint_32)m->exif_len, (png_bytep)(uintptr_t)m->exif);
    png_set_benign_errors(png, 1);   // a profile that libpng finds unsound is left out
    if (m && m->icc.len)
        png_set_iCCP(png, info, "icc", PNG_COMPRESSION_TYPE_BASE, (png_const_bytep)m->icc.at, (png_uint_32)m->icc.len);
    png_write_info(png, info);
    for (int y = 0; y < im->height; y++)
        png_write_row(png, im->rgb + (size_t)y * (size_t)im->width * 3);
    png_write_end(png, info);
    return j->out->failed;
}

static int png_make(struct buf *out, const struct image *im, int level, const struct image_meta *meta)
{
    struct png_job j = {.out = out, .level = level, .meta = meta};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &j, png_failed, png_warned);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    int rc = info ? png_run(&j, png, info, im) : EMEMORY_;
    png_destroy_write_struct(&png, &info);
    return rc ? FAIL(EMEMORY_, "a PNG of %dx%d pixels could not be made: out of memory", im->width, im->height) : 0;
}

int image_png(struct buf *out, const struct image *im) { return png_make(out, im, 6, NULL); }

struct jpeg_job {
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    jmp_buf back;
    unsigned char *bytes;    // libjpeg's, released with free
    unsigned long n;
};

static void jpeg_failed(j_common_ptr cinfo) { longjmp(((struct jpeg_job *)cinfo->client_data)->back, 1); }
static void jpeg_said(j_common_ptr cinfo) {}

static void jpeg_exif(struct jpeg_compress_struct *c, const struct image_meta *m)
{
    static const char start[] = "Exif\0";   // two zeros
    jpeg_write_m_header(c, JPEG_APP0 + 1, (unsigned)(m->exif_len + sizeof start));
    for (size_t i = 0; i < sizeof start; i++)
        jpeg_write_m_byte(c, start[i]);
    for (size_t i = 0; i < m->exif_len; i++)
        jpeg_write_m_byte(c, m->exif[i]);
}

static int jpeg_run(struct jpeg_job *j, const struct image *im, int quality, const struct image_meta *meta)
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
    c->write_JFIF_header = !(meta && meta->exif);   // each wants to be first
    jpeg_start_compress(c, TRUE);
    if (meta && meta->exif)
        jpeg_exif(c, meta);
    if (meta && meta->icc.len)
        jpeg_write_icc_profile(c, (const JOCTET *)meta->icc.at, (unsigned)meta->icc.len);
    while (c->next_scanline < c->image_height) {
        JSAMPROW row = im->rgb + (size_t)c->next_scanline * (size_t)im->width * 3;
        jpeg_write_scanlines(c, &row, 1);
    }
    jpeg_finish_compress(c);
    return 0;
}

static int jpeg_make(struct buf *out, const struct image *im, int quality, const struct image_meta *meta)
{
    struct jpeg_job j = {0};
    j.cinfo.err = jpeg_std_error(&j.errors);
    j.cinfo.client_data = &j;
    j.errors.error_exit = jpeg_failed;
    j.errors.output_message = jpeg_said;
    int rc = jpeg_run(&j, im, quality, meta);
    if (!rc) {
        buf_add(out, j.bytes, j.n);
        rc = out->failed;
    }
    jpeg_destroy_compress(&j.cinfo);
    free(j.bytes);
    return rc ? FAIL(EMEMORY_, "a JPEG of %dx%d pixels could not be made: out of memory", im->width, im->height) : 0;
}

int image_jpeg(struct buf *out, const struct image *im, int quality) { return jpeg_make(out, im, quality, NULL); }

// The plain file, and around it the container that holds the rest.
static int webp_make(struct buf *out, const struct image *im, int quality, const struct image_meta *meta)
{
    uint8_t *bytes = NULL;
    WebPData whole = {0};
    WebPMux *mux = NULL;
    int rc = EMEMORY_;
    size_t n = WebPEncodeRGB(im->rgb, im->width, im->height, im->width * 3, (float)quality, &bytes);
    if (n == 0)
        goto done;
    if (meta && (meta->exif || meta->icc.len)) {
        WebPData picture = {bytes, n}, exif = {meta->exif, meta->exif_len}, icc = {(const uint8_t *)meta->icc.at, meta->icc.len};
        if (!(mux = WebPMuxNew()) || WebPMuxSetImage(mux, &picture, 0) != WEBP_MUX_OK ||
            (exif.size && WebPMuxSetChunk(mux, "EXIF", &exif, 0) != WEBP_MUX_OK) ||
            (icc.size && WebPMuxSetChunk(mux, "ICCP", &icc, 0) != WEBP_MUX_OK) ||
            WebPMuxAssemble(mux, &whole) != WEBP_MUX_OK)
            goto done;
        buf_add(out, whole.bytes, whole.size);
    } else
        buf_add(out, bytes, n);
    rc = out->failed;
done:
    WebPMuxDelete(mux);
    WebPDataClear(&whole);
    WebPFree(bytes);
    return rc ? FAIL(EMEMORY_, "a WebP of %dx%d pixels could not be made: out of memory", im->width, im->height) : 0;
}

static const struct {
    const char *format;
    int most;   // pixels a side
    int (*make)(struct buf *, const struct image *, int, const struct image_meta *);
} encoders[] = {{"jpeg", JPEG_MAX_DIMENSION, jpeg_make}, {"webp", WEBP_MAX_DIMENSION, webp_make}, {"png", 0x7fffffff, png_make}};

int image_encode(struct buf *out, const struct image *im, const char *format, int quality, const struct image_meta *meta)
{
    size_t i = 0;
    while (i < sizeof encoders / sizeof *encoders && strcmp(encoders[i].format, format) != 0)
        i++;
    if (i == sizeof encoders / sizeof *encoders)
        return FAIL(EUSAGE_, "pictures are written as jpeg, webp or png, not as %s", format);
    if (im->width > encoders[i].most || im->height > encoders[i].most)
        return FAIL(EUNSUPPORTED_, "%dx%d pixels, and a %s holds %d a side at most", im->width, im->height, format,
                    encoders[i].most);
    return encoders[i].make(out, im, quality, meta);
}

int image_thumbnail(struct buf *out, const char **mime, const void *bytes, size_t n, int side)
{
    struct image im = {0}, small = {0};
    struct buf png = {0}, jpeg = {0};
    struct decoding how = {.shown = true};   // for people: transparent parts are white
    int rc = image_decode_as(&im, bytes, n, &how);
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
