// SPDX-License-Identifier: Apache-2.0
// WebP with libwebp: the first frame on its canvas, black where the frame does not reach; alpha is
// applied only when the picture is to be shown.
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#include "base/error.h"
#include "image/formats.h"

// A frame that is transparent in parts, on white.
static int show(const WebPIterator *frame, unsigned char *rgb, size_t stride)
{
    int w = 0, h = 0;
    unsigned char *rgba = WebPDecodeRGBA(frame->fragment.bytes, frame->fragment.size, &w, &h);
    bool fits = rgba && w == frame->width && h == frame->height;
    for (size_t y = 0; fits && y < (size_t)h; y++)
        for (size_t x = 0; x < (size_t)w; x++) {
            const unsigned char *p = rgba + (y * (size_t)w + x) * 4;
            for (int c = 0; c < 3; c++)
                rgb[y * stride + 3 * x + (size_t)c] = on_white(p[c], p[3]);
        }
    WebPFree(rgba);
    return fits ? 0 : FAIL(EFORMAT_, "the WebP picture is damaged or cut off");
}

int webp_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how)
{
    WebPData data = {bytes, n};
    WebPIterator frame = {0};
    WebPDemuxer *d = WebPDemux(&data);
    if (!d)
        return FAIL(EFORMAT_, "the WebP picture is damaged or cut off");
    int64_t width = WebPDemuxGetI(d, WEBP_FF_CANVAS_WIDTH), height = WebPDemuxGetI(d, WEBP_FF_CANVAS_HEIGHT);
    int rc = image_take(out, width, height, how->max_pixels);
    if (!rc && (!WebPDemuxGetFrame(d, 1, &frame) || frame.x_offset < 0 || frame.y_offset < 0 || frame.width <= 0 ||
                frame.height <= 0 || frame.width > width - frame.x_offset || frame.height > height - frame.y_offset))
        rc = FAIL(EFORMAT_, "the WebP picture is damaged: no frame inside its canvas");
    if (!rc) {
        size_t stride = (size_t)width * 3, all = stride * (size_t)height;
        size_t from = (size_t)frame.y_offset * stride + (size_t)frame.x_offset * 3;
        if (frame.width != width || frame.height != height)
            memset(out->rgb, how->shown ? 255 : 0, all);
        // the frame's own header must agree, or the decoder would refuse for lack of room
        if (how->shown && frame.has_alpha)
            rc = show(&frame, out->rgb + from, stride);
        else if (!WebPDecodeRGBInto(frame.fragment.bytes, frame.fragment.size, out->rgb + from, all - from, (int)stride))
            rc = FAIL(EFORMAT_, "the WebP picture is damaged or cut off");
    }
    WebPDemuxReleaseIterator(&frame);
    WebPDemuxDelete(d);
    return rc;
}
