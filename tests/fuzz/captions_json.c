// SPDX-License-Identifier: Apache-2.0
// ALBEF, COCO and Karpathy JSON of any bytes: samples, or a sentence that names the file.
#include <string.h>

#include "base/error.h"
#include "data/source.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size, ".json");
    struct source *s;
    if (source_open(&s, path, NULL) != 0) {
        MUST(strstr(error_last(), path));
        return 0;
    }
    for (int64_t i = 0; i < source_count(s); i++) {
        struct sample x;
        source_sample(s, i, &x);
        MUST(x.key && x.key[0] && x.caption_count >= 1 && x.row >= 0 && x.row < source_rows(s) && x.label == -1);
        for (int k = 0; k < x.caption_count; k++)
            MUST(x.captions[k] && x.captions[k][0]);
    }
    for (int64_t i = 0; i < source_excluded_listed(s); i++) {
        int64_t row;
        MUST(source_excluded_at(s, i, &row)[0] && row >= 0 && row < source_rows(s));
    }
    source_close(s);
    return 0;
}
