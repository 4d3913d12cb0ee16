// SPDX-License-Identifier: Apache-2.0
// Tar files of any bytes, and the samples they are read as.
#include <string.h>

#include "base/error.h"
#include "data/source.h"
#include "data/tar.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size, ".tar");
    struct tar *t;
    struct tar_member m;
    int rc, members = 0;
    MUST(tar_open(&t, path) == 0);
    while ((rc = tar_next(t, &m)) == 1) {
        MUST(m.bytes >= 0 && m.offset >= 512 && m.offset + m.bytes <= (int64_t)size && m.name);
        MUST(++members <= (int)(size / 512));
    }
    MUST(rc == 0 || error_last()[0]);
    tar_close(t);
    struct source *s;
    struct buf bytes = {0};
    if (source_open(&s, path, NULL) != 0)
        return 0;
    for (int64_t i = 0; i < source_count(s); i++) {
        struct sample x;
        source_sample(s, i, &x);
        MUST(x.key && x.caption_count >= 1 && x.captions[0][0]);
        MUST(source_image(s, i, &bytes) == 0);
    }
    buf_free(&bytes);
    source_close(s);
    return 0;
}
