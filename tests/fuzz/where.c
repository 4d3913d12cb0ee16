// SPDX-License-Identifier: Apache-2.0
// A rule over columns: refused with a sentence, or it answers whatever the columns hold, the same twice.
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "task/filter_where.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct where *w = NULL;
    char *text = strndup((const char *)data, size);
    MUST(text);
    if (where_open(&w, text) != 0) {
        MUST(strstr(error_last(), "--where") && !w);
        free(text);
        return 0;
    }
    int n = where_columns(w);
    struct where_value *values = calloc((size_t)n + 1, sizeof *values);
    MUST(values);
    for (int i = 0; i < n; i++)
        values[i] = where_text(where_column(w, i));   // numbers among them, and texts
    bool first = where_holds(w, values);
    MUST(where_holds(w, values) == first);
    memset(values, 0, (size_t)n * sizeof *values);
    where_holds(w, values);
    free(values);
    where_close(w);
    free(text);
    return 0;
}
