// SPDX-License-Identifier: Apache-2.0
// Any bytes made anew: resized, encoded, their EXIF read. The first byte says how.
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "image/exif.h"
#include "image/probe.h"
#include "image/remake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"jpeg", "png", "webp"};
    unsigned how = size ? data[size / 2] : 0;
    // WebP costs most: one in eight
    const char *want = formats[how % 8 == 7 ? 2 : how % 2], *format = NULL;
    struct remake r = {.size = (int)(how / 8 % 4) * 12, .fit = (enum fit)(how / 32 % 4), .enlarge = how >> 7,
                       .format = want, .quality = how % 2 ? 1 : 80, .max_pixels = 1 << 18};
    struct buf out = {0}, text = {0};
    struct image_meta m;
    struct probe p;
    int w = 0, h = 0;
    if (image_remake(&r, data, size, &out, &format, &w, &h) != 0)
        MUST(error_last()[0] && out.len == 0);
    else if (out.len) {
        image_probe(&p, out.at, out.len);
        MUST(p.format && strcmp(p.format, want) == 0 && format == want && p.whole && p.width == w && p.height == h);
    }
    MUST(image_meta(&m, data, size) == 0);
    MUST(exif_json(&text, m.exif, m.exif_len) == 0 && text.at[0] == '{' && text.at[text.len - 1] == '}');
    image_meta_free(&m);
    buf_clear(&text);
    MUST(exif_json(&text, data, size) == 0 && text.at[0] == '{');
    buf_free(&text);
    buf_free(&out);
    return 0;
}
