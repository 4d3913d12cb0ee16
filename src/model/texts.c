// SPDX-License-Identifier: Apache-2.0
// Token ids as tokenizers make them -> packed rows.
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/clip.h"

static int grow(int32_t **a, int64_t *room, int64_t need)
{
    if (need <= *room)
        return 0;
    int32_t *p = realloc(*a, (size_t)need * sizeof *p);
    if (!p)
        return FAIL(EMEMORY_, "out of memory");
    *a = p;
    *room = need;
    return 0;
}

int texts_pack(struct texts_packed *p, const struct config *config, const int64_t *ids, int64_t n, int64_t width)
{
    int64_t rows = n * (width < config->text.context_length ? width : config->text.context_length);
    if (width < 1 || rows > INT32_MAX)
        return FAIL(EUSAGE_, "%lld texts of %lld tokens cannot be held at once", (long long)n, (long long)width);
    int rc = grow(&p->ids, &p->ids_room, rows + 1);
    if (!rc)
        rc = grow(&p->starts, &p->starts_room, n + 1);
    if (rc)
        return rc;
    int32_t at = 0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t *row = ids + i * width;
        int64_t end = 0;
        for (int64_t k = 0; k < width; k++) {
            if (row[k] < 0 || row[k] >= config->text.vocab_size)
                return FAIL(EFORMAT_, "text %lld: token %lld has id %lld; this model's vocabulary has %d entries",
                            (long long)i, (long long)k, (long long)row[k], config->text.vocab_size);
            if (row[k] > row[end])
                end = k;
        }
        if (end >= config->text.context_length)
            return FAIL(EFORMAT_, "text %lld: its end token stands at place %lld; this model takes %d tokens",
                        (long long)i, (long long)end + 1, config->text.context_length);
        p->starts[i] = at;
        for (int64_t k = 0; k <= end; k++)
            p->ids[at++] = (int32_t)row[k];
    }
    p->starts[n] = at;
    p->t = (struct texts){.n = n, .ids = p->ids, .starts = p->starts};
    return 0;
}

void texts_free(struct texts_packed *p)
{
    free(p->ids);
    free(p->starts);
    memset(p, 0, sizeof *p);
}
