// SPDX-License-Identifier: Apache-2.0
// Caption lists; the first byte picks the kind.
#include <string.h>

#include "base/error.h"
#include "data/list.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const endings[] = {".tsv", ".csv", ".jsonl"};
    struct list *l;
    if (!size)
        return 0;
    const char *path = fuzz_file(data + 1, size - 1, endings[data[0] % 3]);
    if (list_open(&l, path) != 0) {
        MUST(strstr(error_last(), path));
        return 0;
    }
    struct list_row row;
    int64_t last = -1, line = 0;
    int rc;
    while ((rc = list_next(l, &row)) == 1) {
        MUST(row.row == last + 1 && row.line > line && row.key && row.key[0]);
        last = row.row;
        line = row.line;
        if (row.bad) {
            MUST(row.bad[0]);
            continue;
        }
        MUST(row.caption_count >= 1 && row.path && row.tags && row.split);
        for (int i = 0; i < row.caption_count; i++)
            MUST(row.captions[i] && row.captions[i][0]);
        MUST(list_share(l) >= 0 && list_share(l) <= 1);
    }
    MUST(rc == 0);
    list_close(l);
    return 0;
}
