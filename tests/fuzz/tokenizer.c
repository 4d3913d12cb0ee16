// SPDX-License-Identifier: Apache-2.0
// A caption of any bytes: the ids are in range, begin and end as they must, and do not depend on the word cache.
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "model/clean.h"
#include "model/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char merges[] = "#version: 0.2\nt h\nth e</w>\na n\ni n\nin g</w>\no n\ns t\n, ,</w>\nÃ ©</w>\n";
    static struct tokenizer *t;
    static struct token_scratch *warm;
    if (!t)
        MUST(tokenizer_parse(&t, merges, sizeof merges - 1, "merges") == 0 && (warm = token_scratch_new()));
    enum { CONTEXT = 24 };
    int32_t ids[CONTEXT], again[CONTEXT];
    struct token_scratch *cold = token_scratch_new();
    int n = tokenizer_encode(t, warm, (const char *)data, size, ids, CONTEXT);
    MUST(n >= 2 && n <= CONTEXT && ids[0] == tokenizer_start(t) && ids[n - 1] == tokenizer_end(t));
    for (int i = 0; i < n; i++)
        MUST(ids[i] >= 0 && ids[i] < tokenizer_vocab(t));
    MUST(tokenizer_encode(t, cold, (const char *)data, size, again, CONTEXT) == n);
    MUST(memcmp(ids, again, (size_t)n * sizeof *ids) == 0);
    token_scratch_free(cold);
    // what is cleaned is well-formed
    struct clean clean = {0};
    struct buf out = {0};
    MUST(clean_text(&clean, &out, (const char *)data, size) == 0);
    const unsigned char *p = (const unsigned char *)out.at, *end = p + out.len;
    while (p < end) {
        const unsigned char *from = p;
        int32_t c = utf8_next(p, end, &p);
        MUST((c != UTF8_BAD || p - from == 3) && !(c >= 0xD800 && c <= 0xDFFF));
    }
    buf_free(&out);
    clean_free(&clean);
    return 0;
}
