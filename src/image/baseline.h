// SPDX-License-Identifier: Apache-2.0
// JPEG files as most are, decoded faster than libjpeg-turbo does it, to the same pixels: 8 bits, sequential, one scan,
// grey or YCbCr with chroma whole, halved across, or halved both ways.
#ifndef IMAGE_BASELINE_H
#define IMAGE_BASELINE_H

#include "image/image.h"

// False: not such a file, or anything about it is not as the standard wants it; *out is then empty, nothing is recorded,
// and libjpeg has the say on what it is (a sink's `size` may have been called, and will be again).
bool baseline_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how);

#endif
