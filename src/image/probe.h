// SPDX-License-Identifier: Apache-2.0
// What a picture file's structure says, without decoding a pixel: format, size, whether it is there to its end.
#ifndef IMAGE_PROBE_H
#define IMAGE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe {
    const char *format;       // as image_format; NULL: not a picture
    int64_t width, height;    // 0: the header is missing or damaged
    bool whole;               // its last part is there
};

void image_probe(struct probe *out, const void *bytes, size_t n);

#endif
