// SPDX-License-Identifier: Apache-2.0
// JPEG with libjpeg-turbo: slow integer DCT and smooth upsampling (the library's defaults), as Pillow reads it.
// Errors leave by longjmp: see png.c.
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "base/error.h"
#include "image/formats.h"

enum { MAX_SCANS = 400 };   // an honest progressive file has about ten; thousands make a small file cost minutes

struct job {
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    char why[JMSG_LENGTH_MAX];
    bool starved;            // libjpeg asked for bytes past the end
    unsigned char *row;      // width x 4: CMYK
    int code;                // set when the sentence is already recorded
};

static void give_up(struct job *j, const char *why)
{
    snprintf(j->why, sizeof j->why, "%s", why);
    longjmp(j->back, 1);
}

static void on_error(j_common_ptr cinfo)
{
    struct job *j = cinfo->client_data;
    cinfo->err->format_message(cinfo, j->why);
    longjmp(j->back, 1);
}

static void on_message(j_common_ptr cinfo) {}

static void source_nothing(j_decompress_ptr cinfo) {}

// Past the end: an end marker, so that libjpeg stops; the picture then counts as cut off.
static boolean source_fill(j_decompress_ptr cinfo)
{
    static const JOCTET end[] = {0xff, JPEG_EOI};
    ((struct job *)cinfo->client_data)->starved = true;
    cinfo->src->next_input_byte = end;
    cinfo->src->bytes_in_buffer = sizeof end;
    return TRUE;
}

static void source_skip(j_decompress_ptr cinfo, long n)
{
    if (n <= 0)
        return;
    if ((size_t)n > cinfo->src->bytes_in_buffer) {
        source_fill(cinfo);
        return;
    }
    cinfo->src->next_input_byte += n;
    cinfo->src->bytes_in_buffer -= (size_t)n;
}

static void on_progress(j_common_ptr cinfo)
{
    struct job *j = cinfo->client_data;
    if (j->cinfo.input_scan_number > MAX_SCANS)
        give_up(j, "more than 400 scans");
    if (j->starved)
        give_up(j, "the file ends too early (cut off)");
}

// By how much a picture may be decoded smaller: 1, 2, 4 or 8.
static int shrink(const struct decoding *how)
{
    int side = (how->width < how->height) == how->longer ? how->height : how->width, by = 1;
    while (how->side > 0 && by < 8 && side / (2 * by) >= 2 * how->side)
        by *= 2;
    return by;
}

// Everything that may longjmp. Nonzero: j->code or j->why says what.
static int decode(struct job *j, struct image *out, const unsigned char *bytes, size_t n, struct decoding *how)
{
    struct jpeg_decompress_struct *d = &j->cinfo;
    if (setjmp(j->back))
        return -1;
    jpeg_create_decompress(d);
    d->client_data = j;
    d->src = &j->source;
    j->source = (struct jpeg_source_mgr){
        bytes, n, source_nothing, source_fill, source_skip, jpeg_resync_to_restart, source_nothing};
    j->progress.progress_monitor = on_progress;
    d->progress = &j->progress;
    jpeg_read_header(d, TRUE);
    if (d->image_width > how->max_pixels / d->image_height) {
        j->code = image_take(out, d->image_width, d->image_height, how->max_pixels);
        return -1;
    }
    how->width = (int)d->image_width;
    how->height = (int)d->image_height;
    d->scale_num = 1;
    d->scale_denom = (unsigned)shrink(how);
    jpeg_calc_output_dimensions(d);
    if ((j->code = image_take(out, d->output_width, d->output_height, how->max_pixels)) != 0)
        return -1;
    if (d->num_components != 1 && d->num_components != 3 && d->num_components != 4)
        give_up(j, "neither grey, nor three or four colours");
    d->out_color_space = d->num_components == 4 ? JCS_CMYK : JCS_RGB;
    if (d->num_components == 4 && !(j->row = malloc((size_t)out->width * 4))) {
        j->code = FAIL(EMEMORY_, "out of memory: no room for a row of a JPEG");
        return -1;
    }
    jpeg_start_decompress(d);
    size_t stride = (size_t)out->width * 3;
    while (d->output_scanline < d->output_height) {
        unsigned char *to = out->rgb + d->output_scanline * stride;
        JSAMPROW row = j->row ? j->row : to;
        jpeg_read_scanlines(d, &row, 1);
        if (j->row)
            for (int x = 0; x < out->width; x++) {   // stored inverted, as Adobe does and Pillow assumes
                const unsigned char *p = j->row + 4 * x;
                cmyk_to_rgb(to + 3 * x, 255 - p[0], 255 - p[1], 255 - p[2], 255 - p[3]);
            }
        if (j->starved)
            give_up(j, "the file ends too early (cut off)");
    }
    return 0;   // what follows the last row does not matter, as in Pillow
}

int jpeg_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how)
{
    struct job j = {0};
    j.cinfo.err = jpeg_std_error(&j.errors);
    j.cinfo.client_data = &j;
    j.errors.error_exit = on_error;
    j.errors.output_message = on_message;
    int rc = decode(&j, out, bytes, n, how);
    if (rc)
        rc = j.code ? j.code : FAIL(EFORMAT_, "the JPEG picture is damaged: %s", j.why);
    jpeg_destroy_decompress(&j.cinfo);
    free(j.row);
    return rc;
}
