// SPDX-License-Identifier: Apache-2.0
// Learnt merges against the plain rule: count all pairs, merge the most frequent everywhere, begin again.
#include "base/error.h"
#include "check.h"
#include "model/bpe.h"
#include "model/learn.h"
#include "model/tokenizer.h"

enum { WORDS = 60, LONGEST = 12, MERGES = 40 };

struct word { int n, count; int32_t s[LONGEST]; };   // symbols as indices into name
static char name[600][64];
static int names;

static int32_t symbol(const char *text)
{
    for (int i = 0; i < names; i++)
        if (!strcmp(name[i], text))
            return i;
    strcpy(name[names], text);
    return names++;
}

static int64_t occurrences(const struct word *w, int words, int32_t a, int32_t b)
{
    int64_t n = 0;
    for (int k = 0; k < words; k++)
        for (int i = 0; i + 1 < w[k].n; i++)
            n += w[k].s[i] == a && w[k].s[i + 1] == b ? w[k].count : 0;
    return n;
}

static int plain_learn(struct word *w, int words, int merges, struct buf *out)
{
    int done = 0;
    buf_str(out, "#version: 0.2\n");
    for (; done < merges; done++) {
        int64_t best = 1;
        int32_t left = 0, right = 0;
        for (int32_t a = 0; a < names; a++)
            for (int32_t b = 0; b < names; b++) {
                int64_t n = occurrences(w, words, a, b);
                if (n > best) {
                    best = n;
                    left = a;
                    right = b;
                }
            }
        if (best < 2)
            return done;
        buf_fmt(out, "%s %s\n", name[left], name[right]);
        char joined[128];
        snprintf(joined, sizeof joined, "%s%s", name[left], name[right]);
        int32_t made = symbol(joined);
        for (int k = 0; k < words; k++) {
            int to = 0;
            for (int i = 0; i < w[k].n; i++, to++) {
                int here = i + 1 < w[k].n && w[k].s[i] == left && w[k].s[i + 1] == right;
                w[k].s[to] = here ? made : w[k].s[i];
                i += here;
            }
            w[k].n = to;
        }
    }
    return done;
}

static void merges_equal_the_plain_rule(void)
{
    unsigned seed = 7;
    for (int round = 0; round < 5; round++) {
        struct word w[WORDS] = {0};
        struct buf want = {0}, got = {0};
        struct learner *l = learner_new();
        names = 0;
        for (int c = 'a'; c <= 'd'; c++)
            symbol((char[]){(char)c, 0});
        for (int c = 'a'; c <= 'd'; c++)
            symbol((char[]){(char)c, '<', '/', 'w', '>', 0});
        for (int k = 0; k < WORDS; k++) {
            char text[LONGEST + 1];
            seed = seed * 1103515245 + 12345;
            w[k].n = 1 + (int)(seed >> 16) % LONGEST;
            w[k].count = 1 + k % 3;
            for (int i = 0; i < w[k].n; i++) {
                seed = seed * 1103515245 + 12345;
                text[i] = "aaabbcd"[(seed >> 16) % (3 + (unsigned)round)];
                w[k].s[i] = text[i] - 'a' + (i + 1 == w[k].n ? 4 : 0);
            }
            for (int c = 0; c < w[k].count; c++)
                CHECK(learner_add(l, text, (size_t)w[k].n) == 0);
        }
        int n = plain_learn(w, WORDS, MERGES, &want);
        CHECK(n > 10 && learner_run(l, MERGES, &got, NULL, NULL) == n);
        CHECK_STR(got.at, want.at);
        learner_free(l);
        buf_free(&want);
        buf_free(&got);
    }
}

static void ends_when_nothing_repeats(void)
{
    struct learner *l = learner_new();
    struct buf out = {0};
    const char *text = "The cat, the CAT; a dog &amp; the cats caf\xC3\xA9 caf\xC3\xA9";
    CHECK(learner_add(l, text, strlen(text)) == 0);
    CHECK(learner_words(l) == 13 && learner_distinct(l) == 9);
    int n = learner_run(l, 1000, &out, NULL, NULL);
    CHECK(n > 5 && n < 30);
    // the file reads back, and the words that repeat are one token each
    struct tokenizer *t;
    struct token_scratch *s = token_scratch_new();
    int32_t ids[8];
    CHECK(tokenizer_parse(&t, out.at, out.len, "learnt") == 0 && tokenizer_vocab(t) == 514 + n);
    CHECK(tokenizer_encode(t, s, "the", 3, ids, 8) == 3 && tokenizer_encode(t, s, "cat", 3, ids, 8) == 3);
    CHECK(tokenizer_encode(t, s, "caf\xC3\xA9", 5, ids, 8) == 3 && tokenizer_encode(t, s, "dog", 3, ids, 8) == 5);
    token_scratch_free(s);
    tokenizer_close(t);
    learner_free(l);
    buf_free(&out);
}

static int stop(void *user, int done) { return ESTOPPED_; }

static void stops_when_asked(void)
{
    struct learner *l = learner_new();
    struct buf out = {0};
    for (int i = 0; i < 5000; i++) {
        char text[32];
        int n = snprintf(text, sizeof text, "%c%c%c%c", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676, 'a' + i % 7);
        CHECK(learner_add(l, text, (size_t)n) == 0 && learner_add(l, text, (size_t)n) == 0);
    }
    CHECK(learner_run(l, 2000, &out, stop, NULL) == ESTOPPED_);
    learner_free(l);
    buf_free(&out);
}

int main(void)
{
    CASE(merges_equal_the_plain_rule);
    CASE(ends_when_nothing_repeats);
    CASE(stops_when_asked);
    return check_done();
}
