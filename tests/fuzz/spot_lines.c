// SPDX-License-Identifier: Apache-2.0
// Spotted lines of any bytes: refused with a sentence, or what is read is written and read again as the same.
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "spot/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spot_lines l = {0}, back = {0};
    struct buf file = {0}, out = {0}, again = {0};
    if (spot_lines_read(&l, &file, (const char *)data, size) != 0) {
        MUST(l.n == 0 && error_last()[0]);
    } else {
        for (int i = 0; i < l.n; i++)
            MUST(l.line[i].text && l.line[i].confidence >= 0 && l.line[i].confidence < 1.01);
        MUST(spot_lines_write(&out, file.at, &l) == 0);
        MUST(spot_lines_read(&back, &file, out.at, out.len) == 0 && back.n == l.n);
        for (int i = 0; i < l.n; i++)
            MUST(strcmp(back.line[i].text, l.line[i].text) == 0);
        MUST(spot_lines_write(&again, file.len ? file.at : NULL, &back) == 0);
    }
    spot_lines_free(&l);
    spot_lines_free(&back);
    buf_free(&file);
    buf_free(&out);
    buf_free(&again);
    return 0;
}
