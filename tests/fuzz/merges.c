// SPDX-License-Identifier: Apache-2.0
// A merges file of any bytes: refused with a sentence, or a tokenizer that works and whose own merges read back.
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "model/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] = "The singing, stinging cat; caf\xC3\xA9 12";
    static struct token_scratch *s;
    struct tokenizer *t, *again;
    int32_t ids[77];
    if (!s)
        MUST((s = token_scratch_new()) != NULL);
    if (tokenizer_parse(&t, (const char *)data, size, "merges") != 0) {
        MUST(!t && strstr(error_last(), "merges"));
        return 0;
    }
    int n = tokenizer_encode(t, s, text, sizeof text - 1, ids, 77);
    MUST(n >= 2);
    for (int i = 0; i < n; i++)
        MUST(ids[i] >= 0 && ids[i] < tokenizer_vocab(t));
    const char *merges = tokenizer_merges(t);
    if (!memchr(data, 0, size)) {
        MUST(tokenizer_parse(&again, merges, strlen(merges), "merges") == 0);
        MUST(tokenizer_vocab(again) == tokenizer_vocab(t));
        tokenizer_close(again);
    }
    tokenizer_close(t);
    return 0;
}
