// SPDX-License-Identifier: Apache-2.0
// WebP with libwebp: the first frame on its canvas, black where the frame does not reach; alpha is not applied.
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#include "base/error.h"
#include "image/formats.h"

int webp_read(struct image *out, const unsigned char *bytes, size_t n, int64_t max_pixels)
{
    WebPData data = {bytes, n};
    WebPIterator frame = {0};
    WebPDemuxer *d = WebPDemux(&data);
    if (!d)
        return FAIL(EFORMAT_, "the WebP picture is damaged or cut off");
    int64_t width = WebPDemuxGetI(d, WEBP_FF_CANVAS_WIDTH), height = WebPDemuxGetI(d, WEBP_FF_CANVAS_HEIGHT);
    int rc = image_take(out, width, height, max_pixels);
    if (!rc && (!WebPDemuxGetFrame(d, 1, &frame) || frame.x_offset < 0 || frame.y_offset < 0 || frame.width <= 0 ||
                frame.height <= 0 || frame.width > width - frame.x_offset || frame.height > height - frame.y_offset))
        rc = FAIL(EFORMAT_, "the WebP picture is damaged: no frame inside its canvas");
    if (!rc) {
        size_t stride = (size_t)width * 3, all = stride * (size_t)height;
        size_t from = (size_t)frame.y_offset * stride + (size_t)frame.x_offset * 3;
        if (frame.width != width || frame.height != height)
            memset(out->rgb, 0, all);
        // the frame's own header must agree, or the decoder would refuse for lack of room
        if (!WebPDecodeRGBInto(frame.fragment.bytes, frame.fragment.size, out->rgb + from, all - from, (int)stride))
            rc = FAIL(EFORMAT_, "the WebP picture is damaged or cut off");
    }
    WebPDemuxReleaseIterator(&frame);
    WebPDemuxDelete(d);
    return rc;
}
