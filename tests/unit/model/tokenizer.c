// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "check.h"
#include "model/bpe.h"
#include "model/clean.h"
#include "model/split.h"
#include "model/tokenizer.h"

static const char merges[] = "#version: 0.2\nt h\nth e</w>\nc a\nca t</w>\na b\nab ab\n, ,</w>\n";

static struct tokenizer *make(const char *text)
{
    struct tokenizer *t;
    CHECK(tokenizer_parse(&t, text, strlen(text), "test") == 0);
    return t;
}

static void cleaned(const char *text, const char *want)
{
    struct clean c = {0};
    struct buf out = {0};
    CHECK(clean_text(&c, &out, text, strlen(text)) == 0);
    CHECK_STR(out.at, want);
    buf_free(&out);
    clean_free(&c);
}

static void text_is_cleaned(void)
{
    cleaned("  A \t Big\r\nDOG ", "a big dog");
    cleaned("caf\xC3\x89", "caf\xC3\xA9");
    cleaned("e\xCC\x81", "\xC3\xA9");                                    // composed
    cleaned("a\xCC\xA3\xCC\x87 s\xCC\x87\xCC\xA3", "\xE1\xBA\xA1\xCC\x87 \xE1\xB9\xA9");   // marks put in order
    cleaned("\xCC\x81\xCC\xA3 x", "\xCC\xA3\xCC\x81 x");                  // also where no letter comes first
    cleaned("\xE2\x80\x9CHi\xE2\x80\x9D it\xE2\x80\x99s", "\"hi\" it's");
    cleaned("a\xC2\xA0\xE3\x80\x80 b", "a b");
    cleaned("\xEF\xBC\xA1\xEF\xBC\xA2", "ab");                           // full width
    cleaned("\xEF\xAC\x81ne", "fine");
    cleaned("\xCE\x9F\xCE\x94\xCE\x9F\xCE\xA3 \xCE\xA3", "\xCE\xBF\xCE\xB4\xCE\xBF\xCF\x82 \xCF\x83");   // final sigma
    cleaned("\xC4\xB0", "i\xCC\x87");
    cleaned("a\x1B[31mred\x1B[0m\x07", "ared");
    cleaned("bad \xFF\xC3 byte", "bad \xEF\xBF\xBD\xEF\xBF\xBD byte");
    cleaned("\xED\xA0\xBD\xED\xB8\x80", "\xF0\x9F\x98\x80");             // a surrogate pair
    cleaned("", "");
    cleaned(" \n ", "");
}

static void entities_are_decoded(void)
{
    cleaned("a &amp; b &amp;amp; c", "a & b & c");
    cleaned("&ampx &copy2024 &notin; &notit;", "&x \xC2\xA9" "2024 \xE2\x88\x89 \xC2\xACit;");   // longest name wins
    cleaned("&#65;&#x42;&#150;&#0;|", "ab\xE2\x80\x93\xEF\xBF\xBD|");
    cleaned("&#1;x&#xFFFF;&#99999999999;", "x\xEF\xBF\xBD");
    cleaned("& &; &# &#x; &nosuchname;", "& &; &# &#x; &nosuchname;");
    cleaned("&EACUTE;&AMP;", "\xC3\xA9&");
    cleaned("&lt;b&gt; &quot;", "<b> \"");
}

static void text_is_split(void)
{
    static const struct { const char *text, *pieces; } cases[] = {
        {"it's they'll 'sup", "it|'s|they|'ll|'s|up|"},
        {"a1 23b!?.x", "a|1|2|3|b|!?.|x|"},
        {"fire engine, red", "fire|engine|,|red|"},
        {"<start_of_text>hi<end_of_text>!", "S|hi|E|!|"},
        {"\xC3\xA9t\xC3\xA9 e\xCC\x81", "\xC3\xA9t\xC3\xA9|e|\xCC\x81|"},   // a mark is no letter
        {"\xE2\x85\xA8\xC2\xBD", "\xE2\x85\xA8|\xC2\xBD|"},                 // numbers one by one
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf got = {0};
        size_t at = 0, from, len = strlen(cases[i].text);
        for (enum piece p; (p = split_next(cases[i].text, len, &at, &from)) != PIECE_NONE;) {
            if (p == PIECE_WORD)
                buf_add(&got, cases[i].text + from, at - from);
            else
                buf_char(&got, p == PIECE_START ? 'S' : 'E');
            buf_char(&got, '|');
        }
        buf_add(&got, "", 0);
        CHECK_STR(got.at, cases[i].pieces);
        buf_free(&got);
    }
}

static void ids_follow_the_rule(void)
{
    CHECK(bpe_byte_id('!') == 0 && bpe_byte_id('~') == 93 && bpe_byte_id(161) == 94 && bpe_byte_id(255) == 187);
    CHECK(bpe_byte_id(0) == 188 && bpe_byte_id(' ') == 220 && bpe_byte_id(127) == 221 && bpe_byte_id(173) == 255);
    CHECK(bpe_letter('a') == 'a' && bpe_letter(0) == 256 && bpe_letter(' ') == 288);
    struct tokenizer *t = make(merges);
    struct token_scratch *s = token_scratch_new();
    int32_t ids[8];
    CHECK(tokenizer_vocab(t) == 521 && tokenizer_start(t) == 519 && tokenizer_end(t) == 520);
    CHECK(tokenizer_encode(t, s, "The cat", 7, ids, 8) == 4);
    CHECK(ids[0] == 519 && ids[1] == 513 && ids[2] == 515 && ids[3] == 520);
    CHECK(tokenizer_encode(t, s, "a\0b", 3, ids, 8) == 4 && ids[1] == 64 && ids[2] == 65 + 256);   // NUL goes
    CHECK(tokenizer_encode(t, s, "xyz, xyz", 8, ids, 5) == 5 && ids[4] == 520 && ids[0] == 519);   // cut: the end stays
    CHECK(tokenizer_encode(t, s, "", 0, ids, 2) == 2 && ids[1] == 520);
    CHECK(tokenizer_encode(t, s, "a", 1, ids, 1) == EUSAGE_);
    token_scratch_free(s);
    tokenizer_close(t);
}

// The way the reference does it: all pairs of the lowest rank at once, again and again.
static void long_words_equal_short_ones(void)
{
    struct bpe *b;
    struct buf work = {0};
    static const char good[] = "h\na b\nab ab\nabab abab\nb a\na a\naa a\nab a\n";
    CHECK(bpe_parse(&b, good, strlen(good), 100, "test") == 0);
    unsigned seed = 1;
    for (int round = 0; round < 200; round++) {
        unsigned char word[120];
        uint16_t ids[120], again[120];
        int n = 60 + round % 60;
        for (int i = 0; i < n; i++) {
            seed = seed * 1103515245 + 12345;
            word[i] = "aab"[(seed >> 16) % 3];
        }
        int got = bpe_word(b, word, n, ids, &work);
        // the same by brute force over the ids of bytes
        int m = n;
        for (int i = 0; i < n; i++)
            again[i] = (uint16_t)(bpe_byte_id(word[i]) + (i == n - 1 ? 256 : 0));
        static const uint16_t rule[7][2] = {{64, 65}, {512, 512}, {513, 513}, {65, 64}, {64, 64}, {516, 64}, {512, 64}};
        for (int rank; ;) {
            for (rank = 0; rank < 7; rank++) {
                bool there = false;
                for (int i = 0; i + 1 < m; i++)
                    there |= again[i] == rule[rank][0] && again[i + 1] == rule[rank][1];
                if (there)
                    break;
            }
            if (rank == 7)
                break;
            int to = 0;
            for (int i = 0; i < m; i++, to++) {
                bool here = i + 1 < m && again[i] == rule[rank][0] && again[i + 1] == rule[rank][1];
                again[to] = here ? (uint16_t)(512 + rank) : again[i];
                i += here;
            }
            m = to;
        }
        CHECK(got == m && !memcmp(ids, again, (size_t)m * sizeof *ids));
    }
    buf_free(&work);
    bpe_free(b);
}

static void broken_files_are_named(void)
{
    struct tokenizer *t;
    CHECK(tokenizer_parse(&t, "x\nt h\nth  e\n", 12, "m.txt") == EFORMAT_ && !t);
    CHECK(strstr(error_last(), "m.txt: line 3") != NULL);
    CHECK(tokenizer_parse(&t, "x\nt hh\n", 7, "m.txt") == EFORMAT_ && strstr(error_last(), "line 2"));
    CHECK(tokenizer_parse(&t, "", 0, "m.txt") == EFORMAT_);
    CHECK(tokenizer_open(&t, "/nonexistent/m.txt") == EMISSING_ && strstr(error_last(), "/nonexistent/m.txt"));
    CHECK(tokenizer_parse(&t, "#version\n", 9, "m.txt") == 0 && tokenizer_vocab(t) == 514);   // bytes alone
    tokenizer_close(t);
    t = make(merges);
    struct tokenizer *again = make(tokenizer_merges(t));
    CHECK_STR(tokenizer_merges(again), tokenizer_merges(t));
    tokenizer_close(t);
    tokenizer_close(again);
}

// A megabyte without a space must not take a minute.
static void long_texts_stay_quick(void)
{
    struct tokenizer *t = make(merges);
    struct token_scratch *s = token_scratch_new();
    enum { N = 1 << 20 };
    char *text = malloc(N);
    int32_t ids[77];
    double start = clock_now();
    memset(text, 'a', N);
    for (int i = 1; i < N; i += 2)
        text[i] = 'b';
    CHECK(tokenizer_encode(t, s, text, N, ids, 77) == 77 && ids[1] == 517 && ids[76] == tokenizer_end(t));
    for (int i = 0; i + 1 < N; i += 2)
        memcpy(text + i, i % 4 ? "\xCC\xA3" : "\xCC\x87", 2);
    CHECK(tokenizer_encode(t, s, text, N, ids, 77) == 77);
    memset(text, '&', N);
    CHECK(tokenizer_encode(t, s, text, N, ids, 77) == 77);
    CHECK(clock_now() - start < 20);
    free(text);
    token_scratch_free(s);
    tokenizer_close(t);
}

int main(void)
{
    CASE(text_is_cleaned);
    CASE(entities_are_decoded);
    CASE(text_is_split);
    CASE(ids_follow_the_rule);
    CASE(long_words_equal_short_ones);
    CASE(broken_files_are_named);
    CASE(long_texts_stay_quick);
    return check_done();
}
