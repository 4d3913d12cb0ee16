// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image im;
    int rc = image_decode(&im, data, size, 1 << 20);
    if (rc != 0) {
        MUST(!im.rgb && error_last()[0]);
        return 0;
    }
    MUST(im.width > 0 && im.height > 0 && (int64_t)im.width * im.height <= 1 << 20);
    unsigned sum = im.rgb[0] + im.rgb[(size_t)im.width * (size_t)im.height * 3 - 1];
    MUST(sum <= 510);
    image_free(&im);
    return 0;
}
