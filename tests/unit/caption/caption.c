// SPDX-License-Identifier: Apache-2.0
// The parser on the paper's examples and on one caption a rule; the scores over the labelled captions are in
// tests/golden/captions.c.
#include "caption/boilerplate.h"
#include "caption/caption.h"

#include <stdbool.h>
#include <unistd.h>

#include "base/clock.h"
#include "caption/find.h"
#include "caption/format.h"
#include "caption/tagger.h"
#include "check.h"

static struct table *table;
static struct parser *parser;

// "cat:black | cat chase bird" of the parse, in its order
static const char *parse(const char *text)
{
    static char out[4096];
    char a[80], b[80], v[80];
    int n = 0;
    out[0] = '\0';
    parser_run(parser, text, strlen(text), 1, true);
    for (int i = 0; i < parser->objects; i++) {
        parser_lemma(parser, parser->object[i].head, false, a);
        n += snprintf(out + n, sizeof out - (size_t)n, "%s%s", i ? " " : "", a);
        const char *mark = ":";
        for (int j = 0; j < parser->attributes; j++)
            if (parser->attribute[j].object == i) {
                int k = parser->attribute[j].piece;
                n += snprintf(out + n, sizeof out - (size_t)n, "%s%.*s", mark, piece_len(parser, k), parser->lower + parser->start[k]);
                mark = ",";
            }
    }
    for (int i = 0; i < parser->relations; i++) {
        const struct relation *r = &parser->relation[i];
        strcpy(a, "_");
        strcpy(b, "_");
        if (r->subject >= 0)
            parser_lemma(parser, parser->object[r->subject].head, false, a);
        if (r->object >= 0)
            parser_lemma(parser, parser->object[r->object].head, false, b);
        parser_lemma(parser, r->verb, true, v);
        n += snprintf(out + n, sizeof out - (size_t)n, "%s%s %s %s", i ? "; " : " | ", a, v, b);
    }
    return out;
}

static void papers_examples(void)
{
    CHECK_STR(parse("a black cat is chasing a small brown bird"), "cat:black bird:small,brown | cat chase bird");
    CHECK(parser->verdict.complexity == 3 && parser->verdict.actions == 1 && parser->verdict.keep);
    CHECK_STR(parse("The quarterback kicked the small brown football"), "quarterback football:small,brown | quarterback kick football");
    CHECK(parser->verdict.complexity == 3 && parser->verdict.keep);
}

static void rules(void)
{
    static const struct { const char *text, *is; } cases[] = {
        {"a glass of wine on a stainless steel table", "glass wine table"},
        {"an airplane lands behind a fence with barbed wire", "airplane fence wire:barbed | airplane land fence"},
        {"a train sitting next to a platform with people standing on it", "train platform people | train sit platform; people stand _"},
        {"a baby elephant sitting on the chair isolated on white background",
         "elephant chair background:white | elephant sit chair; elephant isolate background"},
        {"firefighters putting out a fire using hoses", "firefighter fire hose | firefighter put fire; firefighter use hose"},
        {"the name is simpler than you think", "name:simpler | _ think _"},
        {"A video shows how to close the lock.", "video lock | video show _; _ close lock"},
        {"a herd of sheep standing in a pen", "herd sheep pen | herd stand pen"},
        {"a group of people dancing", "people | people dance _"},
        {"a woman selling produce at a market", "woman produce market | woman sell produce; woman sell market"},
        {"Mother and son learning AI together", "mother son ai | mother learn ai; son learn ai"},
        {"a mother with a baby sits and uses a phone", "mother baby phone | mother sit _; mother use phone"},
        {"police closed the road as officers investigated", "police road officer | police close road; officer investigate _"},
        {"Throwback to my favorite hike", "throwback hike:favorite"},
        {"Fresh seasonal produce in a market", "produce:fresh,seasonal market"},
        {"a lady typing on a laptop and smiling", "lady laptop | lady type laptop; lady smile _"},
        {"two dogs next to each other eating", "dog | dog eat _"},
        {"a dentist puts a bib around the neck", "dentist bib neck | dentist put bib; dentist put neck"},
        {"protesters outside the summit", "protester summit"},
        {"our Facebook page", "page"},
        {"the Magellanic penguin", "penguin:magellanic"},
        {"people watching a man play tennis", "people man tennis | people watch man; man play tennis"},
        {"a photo of fresh fruit displayed on a board", "photo fruit:fresh board | fruit display board"},
        {"a sandwich cut in half sitting on a plate", "sandwich half plate | sandwich cut half; sandwich sit plate"},
        {"girls pose for a picture with their rackets", "girl picture racket | girl pose picture; girl pose racket"},
        {"a red, white and blue flag", "flag:red,white,blue"},
        {"A group of young people", "people:young"},
        {"the dog's bowl", "dog bowl"},
        {"A man and a woman riding horses", "man woman horse | man ride horse; woman ride horse"},
        {"A cake was eaten by the children", "cake child | child eat cake"},
        {"A truck parked", "truck | _ park truck"},
        {"two dogs that are running in the snow", "dog snow | dog run snow"},
        {"It is raining", " | _ rain _"},
        {"The plate is empty and clean", "plate:empty,clean"},
        {"a black and white photo", "photo:black,white"},
        {"dog-on-beach.jpg", "dog beach"},
        {"The boy's dog chases him", "boy dog | dog chase _"},
        {"a man wearing a hat rides a horse", "man hat horse | man wear hat; man ride horse"},
        {"According to the sign a dog is running", "sign dog | dog run _"},   // one preposition
        // stops that end no clause: what stood before them acts
        {"James ($ 23) drives a car", "james car | james drive car"},
        {"The man (23) kicks a ball", "man ball | man kick ball"},
        {"A bowl: fresh fruit. James (23) drives a car", "bowl fruit:fresh james car | james drive car"},
        {"man in wheelchair: facing right", "man wheelchair | man face _"},
        {"", ""},
        {"2019", ""},
        {"!!! ???", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(parse(cases[i].text), cases[i].is);
}

static void other_languages_are_dropped(void)
{
    static const char *const texts[] = {"Ein kleiner Hund auf der Straße mit einem Ball", "女性が本を読んでいます", "Собака бежит по пляжу",
                                        "Une femme avec un chapeau dans la rue", "Hombre corriendo en la playa con su perro"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK_STR(parse(texts[i]), "");
        CHECK(parser->verdict.foreign && !parser->verdict.keep);
    }
    parse("A bowl of crème brûlée on the table");
    CHECK(!parser->verdict.foreign && parser->objects > 1);
}

// The same caption with web marks, other quotes, blanks and case reads the same.
static void dressing_changes_nothing(void)
{
    char plain[4096];
    strcpy(plain, parse("The boy's dog chases a ball"));
    CHECK_STR(parse("  The boy\xE2\x80\x99s dog chases a ball.  "), plain);
    CHECK_STR(parse("<b>The boy&#39;s</b> dog chases a&nbsp;ball"), plain);
    CHECK_STR(parse("the boy's dog chases a ball https://example.org/a?b=c"), plain);
    CHECK_STR(parse("THE BOY'S DOG CHASES A BALL"), plain);
}

static void long_lines_end(void)
{
    size_t n = 1 << 20;
    char *text = malloc(n);
    for (size_t i = 0; i < n; i++)
        text[i] = "([{<a dog "[i % 10];
    parser_run(parser, text, n, 1, true);
    CHECK(parser->pieces <= CAPTION_WORDS && parser->objects <= parser->pieces);
    memset(text, '(', n);
    parser_run(parser, text, n, 1, true);
    CHECK(parser->verdict.complexity == 0);
    memset(text, 0, n);
    parser_run(parser, text, n, 1, true);
    CHECK(parser->pieces == 0);
    free(text);
}

static void thresholds(void)
{
    const char *text = "a black cat is chasing a bird", *still = "a black cat";
    CHECK(parser_run(parser, text, strlen(text), 2, true)->keep && !parser_run(parser, text, strlen(text), 3, true)->keep);
    CHECK(!parser_run(parser, still, strlen(still), 1, true)->keep && parser_run(parser, still, strlen(still), 1, false)->keep);
}

static void every_tagger_says_the_same(void)
{
#ifdef __x86_64__
    enum { WORDS = 2000, LONGEST = 300 };
    static const struct word *words[WORDS];
    static uint8_t classes[WORDS], shapes[WORDS], plain[WORDS], wide[WORDS];
    static uint8_t known[WORDS];
    static int32_t at[WORDS + 1];
    uint32_t r = 1;
    if (!__builtin_cpu_supports("avx2"))
        return;
    for (int round = 0; round < 50; round++) {
        int n = 0, left = 0, wanted = round % 10 ? WORDS >> round % 10 : WORDS;   // few words, too
        for (int i = 0; i < wanted; i++) {
            r = r * 1664525 + 1013904223;
            bool word = left-- > 0 && i > 1 && i < wanted - 2;
            if (left < -1)   // two boundaries were put: a new sentence
                left = round & 1 ? (int)((r >> 16) % LONGEST) : (int)((r >> 16) % 20);
            words[i] = word ? table->words + (r >> 4) % (uint32_t)table->count : table->words;
            classes[i] = words[i]->class;
            shapes[i] = word ? (uint8_t)(r >> 28) % SHAPES : LOWER;
            known[i] = NO_TAG;
            if (word)
                n = tag_known(words[i], i, known, at, n);
        }
        memset(known + wanted, NO_TAG, sizeof known - (size_t)wanted);
        memcpy(plain, known, sizeof plain);
        memcpy(wide, known, sizeof wide);
        tag_words_ref(table, &(struct tokens){words, classes, shapes, at, n, plain});
        tag_words_avx2(table, &(struct tokens){words, classes, shapes, at, n, wide});
        CHECK(memcmp(plain, wide, sizeof plain) == 0);
        memcpy(wide, known, sizeof wide);   // each sentence alone: what stands beside it changes nothing
        for (int i = 0, to; i < n; i = to) {
            for (to = i + 1; to < n && at[to] - at[to - 1] <= 2;)
                to++;
            tag_words_avx2(table, &(struct tokens){words, classes, shapes, at + i, to - i, wide});
        }
        CHECK(memcmp(plain, wide, sizeof plain) == 0);
    }
#endif
}

enum { TEXTS = 11, LONG = 3, LONGEST_TEXT = 6000 };
static char longer[LONG][LONGEST_TEXT];   // 61 words; more than are read; more bytes than are read
static const char *const texts[TEXTS] = {longer[0], longer[1], longer[2], "a black cat is chasing a small brown bird", "",
                                         "The dog's bowl, red.", "Une femme avec un chapeau",
                                         "don't (stop) \xE2\x80\x94 U.S. #dog 3.5 www.a.com", "A Title Of A Book", "x",
                                         ("two dogs that are running in the snow while a man in a well-known suit throws a ball to them, "
                                          "and the women watch.")};

static void take_texts(struct text *captions, int n, int from)
{
    for (int k = 0; k < LONG; k++)
        for (int i = 0, most = k == 0 ? 2 * 61 : k == 1 ? 2 * (CAPTION_WORDS + 9) : LONGEST_TEXT - 1; i < most; i++)
            longer[k][i] = i % (k == 2 ? 9 : 2) ? "abcdefgh"[i % 8] : ' ';
    for (int i = 0; i < n; i++)
        captions[i] = (struct text){texts[(i + from) % TEXTS], strlen(texts[(i + from) % TEXTS])};
}

#ifdef __x86_64__
struct settled {
    uint8_t class[CAPTION_AT_ONCE * CAPTION_WORDS], tag[CAPTION_AT_ONCE * CAPTION_WORDS], traits[CAPTION_AT_ONCE * CAPTION_WORDS];
    uint16_t set[CAPTION_AT_ONCE * CAPTION_WORDS];
    bool foreign[CAPTION_AT_ONCE * CAPTION_WORDS];
    int32_t open[CAPTION_AT_ONCE * CAPTION_WORDS];
};

static void settle(struct parsers *all, settler *with, struct settled *out)
{
    *out = (struct settled){0};
    with(all);
    for (int j = 0; j < all->cuts; j++) {
        int at = all->at[j];
        out->class[j] = all->class[at];
        out->tag[j] = all->tag[at];
        out->traits[j] = all->traits[at];
        out->set[j] = all->set[at];
        out->foreign[j] = all->foreign[at / 64] >> at % 64 & 1;
    }
    memcpy(out->open, all->open, (size_t)all->opens * sizeof *out->open);
}

static void words_are_settled_alike(void)
{
    struct parsers *all = parsers_new(table, CAPTION_AT_ONCE);
    static struct settled plain, wide;
    struct text captions[CAPTION_AT_ONCE];
    bool any = false;
    CHECK(all != NULL);
    for (int n = 1; all && cpu_avx512_bytes() && n <= CAPTION_AT_ONCE; n++) {
        take_texts(captions, n, n);
        parsers_read(all, captions, n);
        settle(all, settle_ref, &plain);
        settle(all, settle_avx512, &wide);
        CHECK(memcmp(&plain, &wide, sizeof plain) == 0);
        any |= memchr(plain.foreign, true, sizeof plain.foreign) != NULL;
    }
    CHECK(any || !cpu_avx512_bytes());   // what was compared
    parsers_free(all);
}
#endif

// Captions side by side read as each of them alone.
static void company_changes_nothing(void)
{
    struct parsers *all = parsers_new(table, CAPTION_AT_ONCE);
    struct text captions[CAPTION_AT_ONCE];
    CHECK(all != NULL);
    for (int round = 0; all && round < 2 * CAPTION_AT_ONCE; round++) {
        int n = 1 + round % CAPTION_AT_ONCE;
        take_texts(captions, n, round);
        parsers_run(all, captions, n, 1, true);
        for (int i = 0; i < n; i++) {
            const struct parser *p = &all->parser[i];
            parser_run(parser, captions[i].at, captions[i].len, 1, true);
            CHECK(p->pieces == parser->pieces && p->objects == parser->objects && p->attributes == parser->attributes &&
                  p->relations == parser->relations && p->verdict.complexity == parser->verdict.complexity);
            CHECK(memcmp(p->tag, parser->tag, (size_t)p->pieces) == 0 && memcmp(p->shape, parser->shape, (size_t)p->pieces) == 0);
            CHECK(memcmp(p->start, parser->start, (size_t)p->pieces * sizeof *p->start) == 0);
            CHECK(memcmp(p->end, parser->end, (size_t)p->pieces * sizeof *p->end) == 0);
            for (int k = 0; k < p->relations; k++) {
                struct relation a = p->relation[k], b = parser->relation[k];
                CHECK(a.subject == b.subject && a.object == b.object && a.verb == b.verb && a.prep == b.prep && a.preps == b.preps);
            }
        }
    }
    parsers_free(all);
}

static void damaged_tables_are_refused(void)
{
    struct table *t = NULL;
    CHECK(table_open(&t, "/nonexistent/words.gz") < 0 && !t);
    const char *dir = getenv("TMPDIR");
    char path[512];
    snprintf(path, sizeof path, "%s/diht-words-%d.gz", dir ? dir : "/tmp", (int)getpid());
    FILE *f = fopen(path, "wb");
    CHECK(f && fputs("dihtwr3 and no more", f) >= 0 && fclose(f) == 0);
    CHECK(table_open(&t, path) < 0 && !t);
    unlink(path);
}

static void boilerplate_is_cut(void)
{
    static const struct { const char *text, *is; } cases[] = {
        {"A dog on a beach", "A dog on a beach"},
        {"(a dog)", "(a dog)"},
        {"", ""},
        {"...", "..."},
        {"Loading...", ""},
        {"Previous | Next", ""},
        {"Photo 3 of 12", ""},
        {"Home / Products / Garden Tools", ""},
        {"Home \xc2\xbb Shop", ""},
        {"Home office with a desk", "Home office with a desk"},
        {"SHARE ON FACEBOOK", ""},
        {"share  this: story", ""},
        {"Copyright 2019 Jane Doe", ""},
        {"Copyright sign", "Copyright sign"},
        {"Sharealike", "Sharealike"},
        {"View larger image of the blue bedroom", "the blue bedroom"},
        {"View larger image of", ""},
        {"Click to enlarge this photo.", ""},
        {"Image may contain: 2 people, people smiling", "2 people, people smiling"},
        {"A dog runs. Read more", "A dog runs. "},
        {"Click to enlarge: a dog runs (click to enlarge)", "a dog runs ("},
        {"A man shows how to share this recipe", "A man shows how to share this recipe"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        struct text t = boilerplate_cut((struct text){cases[i].text, strlen(cases[i].text)});
        snprintf(text, sizeof text, "%.*s", (int)t.len, t.at);
        CHECK_STR(text, cases[i].is);
    }
}

int main(int argc, char **argv)
{
    char *path = NULL;
    if (table_path(&path) || table_open(&table, path) || !(parser = parser_new(table))) {
        printf("not ok 1 - the word table opens\n1..1\n");
        return 1;
    }
    CASE(papers_examples);
    CASE(rules);
    CASE(other_languages_are_dropped);
    CASE(dressing_changes_nothing);
    CASE(long_lines_end);
    CASE(thresholds);
    CASE(every_tagger_says_the_same);
#ifdef __x86_64__
    CASE(words_are_settled_alike);
#endif
    CASE(company_changes_nothing);
    CASE(damaged_tables_are_refused);
    CASE(boilerplate_is_cut);
    parser_free(parser);
    table_close(table);
    free(path);
    return check_done();
}
