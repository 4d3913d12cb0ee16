// SPDX-License-Identifier: Apache-2.0
// JPEG with libjpeg-turbo: slow integer DCT and smooth upsampling (the library's defaults), as Pillow reads it.
// Errors leave by longjmp: see png.c. Files as most are never come here: see baseline.h.
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "base/clock.h"
#include "base/error.h"
#include "image/baseline.h"
#include "image/formats.h"

enum {
    BAND = 16,         // rows at a time: one or two rows of blocks
    EDGE = 2,          // columns beside a cut whose smoothed colours miss their neighbours
    MAX_SCANS = 400,   // an honest progressive file has about ten; thousands make a small file cost minutes
};

struct job {
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    char why[JMSG_LENGTH_MAX];
    bool starved;            // libjpeg asked for bytes past the end
    unsigned char *band;     // BAND rows on their way to a sink
    unsigned char *ink;      // a row of CMYK
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

// Which of d's columns are decoded: all, or from a block's edge on those that `want` needs, the rest not transformed.
// Files of several scans are decoded whole: a scan that is missing is made up from neighbouring blocks.
static JDIMENSION cut(struct jpeg_decompress_struct *d, const struct rect *want)
{
    JDIMENSION first = 0, n = d->output_width;
    if (jpeg_has_multiple_scans(d))
        return 0;
    if (want->x > EDGE)
        first = (JDIMENSION)(want->x - EDGE);
    if ((JDIMENSION)(want->x + want->w) + EDGE < n)
        n = (JDIMENSION)(want->x + want->w) + EDGE;
    n -= first;
    if (n < d->output_width)
        jpeg_crop_scanline(d, &first, &n);
    return first;
}

static void read_rows(struct job *j, unsigned char *to, size_t stride, int n)
{
    struct jpeg_decompress_struct *d = &j->cinfo;
    for (int done = 0; done < n; ) {
        JSAMPROW rows[BAND];
        for (int i = done; i < n; i++)
            rows[i] = j->ink ? j->ink : to + (size_t)i * stride;
        int got = (int)jpeg_read_scanlines(d, rows + done, j->ink ? 1 : (JDIMENSION)(n - done));
        if (j->ink)
            for (JDIMENSION x = 0; x < d->output_width; x++) {   // stored inverted, as Adobe does and Pillow assumes
                const unsigned char *p = j->ink + 4 * x;
                cmyk_to_rgb(to + (size_t)done * stride + 3 * x, 255 - p[0], 255 - p[1], 255 - p[2], 255 - p[3]);
            }
        done += got;
        if (j->starved)
            give_up(j, "the file ends too early (cut off)");
    }
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
    if ((j->code = image_fits(d->image_width, d->image_height, how->max_pixels)) != 0)
        return -1;
    how->width = (int)d->image_width;
    how->height = (int)d->image_height;
    d->scale_num = 1;
    d->scale_denom = (unsigned)shrink(how);
    jpeg_calc_output_dimensions(d);
    if (d->num_components != 1 && d->num_components != 3 && d->num_components != 4)
        give_up(j, "neither grey, nor three or four colours");
    d->out_color_space = d->num_components == 4 ? JCS_CMYK : JCS_RGB;
    struct rect want = {0, 0, (int)d->output_width, (int)d->output_height};
    if (how->sink)
        j->code = how->sink->size(how->sink, want.w, want.h, &want);
    else
        j->code = image_take(out, want.w, want.h, how->max_pixels);
    if (j->code)
        return -1;
    size_t stride = (size_t)d->output_width * 3;
    if ((how->sink && !(j->band = malloc(BAND * stride))) ||
        (d->num_components == 4 && !(j->ink = malloc((size_t)d->output_width * 4)))) {
        j->code = FAIL(EMEMORY_, "out of memory: no room for rows of a JPEG");
        return -1;
    }
    jpeg_start_decompress(d);
    size_t left = how->sink ? (size_t)want.x - cut(d, &want) : 0;
    int height = (int)d->output_height, end = want.y + want.h;
    for (int y = 0, rows; y < height; y += rows) {
        unsigned char *to = j->band ? j->band : out->rgb + (size_t)y * stride;
        rows = height - y < BAND ? height - y : BAND;
        read_rows(j, to, stride, rows);
        int from = y < want.y ? want.y : y, past = y + rows < end ? y + rows : end;
        if (how->sink && from < past)
            how->sink->rows(how->sink, to + (size_t)(from - y) * stride + 3 * left, stride, from, past - from);
    }
    return 0;   // what follows the last row does not matter, as in Pillow
}

int jpeg_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how)
{
#ifdef __x86_64__
    if (cpu_avx2() && how->side == 0 && baseline_read(out, bytes, n, how))
        return 0;
#endif
    struct job j = {0};
    j.cinfo.err = jpeg_std_error(&j.errors);
    j.cinfo.client_data = &j;
    j.errors.error_exit = on_error;
    j.errors.output_message = on_message;
    int rc = decode(&j, out, bytes, n, how);
    if (rc)
        rc = j.code ? j.code : FAIL(EFORMAT_, "the JPEG picture is damaged: %s", j.why);
    jpeg_destroy_decompress(&j.cinfo);
    free(j.band);
    free(j.ink);
    return rc;
}
