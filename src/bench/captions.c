// SPDX-License-Identifier: Apache-2.0
// The caption filter on a million different captions: runs of words of real ones put together anew, every fourth word
// exchanged for one of the word table, those it has first more often (Zipf-Mandelbrot). Seeded: the same in every run.
// Lengths are counted as the parser does: a sign is a token.
#include "bench/captions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/rng.h"
#include "caption/caption.h"
#include "caption/spell.h"
#include "caption/tagger.h"

enum { SEED = 11, CAPTIONS = 1000000, TAGGED = 20000, SEEN = 1 << 22 };
#define MANDELBROT 2.7   // the shift of ranks that English has

// Titles, descriptions and annotations of openclipart, OpenMoji, WordNet, Debian, PyPI and npm (tests/golden/captions.tsv).
static const char *const real[] = {
    "Flute in key of C.", "he has a feel for animals", "tabbed document viewer - translations", "A peach.",
    "claimants of unemployment compensation", "flag: Northern Mariana Islands", "person tipping hand",
    "Try on this sweater to see how it looks", "man sneezing into elbow", "grinning cat with smiling eyes",
    "A four leaf clover is said to bring good luck!", "man in manual wheelchair: facing right",
    "bottle with popping cork", "The yellow light means you should stop if it is safe to do so.",
    "Normal paint brush", "Eighth note.", "a loose-fitting blouse is comfortable in hot weather",
    "Store future tasks in the db and call them after set delays.",
    "well-meaning ineptitude that rises to empyreal absurdity", "power symbol",
    "Simple pubsub pattern for asyncio applications", "framed picture",
    "Pawn. Can only move forward, unless capturing. Can move two squares on the first move, but later only one. Captures diagonally one square.",
    "litter in bin sign", "smart common input method platform",
    "The full moon as it looks from Earth. Because it is bright and low-contrast, it looks best on a dark background.",
    "the days were fair and the winds were favorable", "he used sarcasm to upset his opponent",
    "Parsing gigabytes of JSON per second (shared object)", "module to create DateTime parsers",
    "waxing gibbous moon", "Bulldog Puppy", "Linux specific special filehandles",
    "Encoder and decoder for the Wolt BlurHash algorithm.",
    "We had to lose weight, so we cut the sugar from our diet", "This is a normal valentines day heart.",
    "CORDIC algorithm for Python", "Small and fast logging provider for SLF4J",
    "Library for automatic interpretable model building (Whitebox AutoML)",
    "release the list with the names of the prisoners", "get dimensions of any image file",
    "the color scheme for this room was determined by an interior decorator",
    "Six sided white dice. Faces represented with black dots counting out one (1), two (2), three (3), four (4), five (5), and six (6).",
    "raised back of hand", "Map of Norway", "She is overdramatizing her child's failure in the physics class",
    "his thinking was superficial and fuzzy", "flag: Comoros",
    "A Python automation tool to clean old log files safely", "polycrystalline metals", "circled human figure",
    "A fortress.", "the boy is a younger edition of his father", "man surfing",
    "an expedition was sent to explore Mars", "a distinct odor of turpentine", "face with bags under eyes",
    "line drawing of sleeping cat", "Collections Abstraction library - Doctrine component",
    "the captain was set adrift by his roguish crew", "the stock market plunged", "a white-tie occasion",
    "Crazy Cookie", "flying disc", "A standard, metal cage", "My lovely baby", "An abstract example of gradiens use",
    "man firefighter", "Data reduction from databroker to xarray.", "Her perfume lingered on",
    "Police car emblems to put on the sedan.", "Custom string utility functions implemented from scratch",
    "Exact real calculator", "seamlessly open files in external programs with Emacs",
    "A Canadian 5 cent piece ($.05) called a nickel.", "A scientist.", "matters came to a head yesterday",
    "Rollup plugin to make string substitutions while bundling", "flag: Latvia",
    "Computational reproduction library.", "children crossing", "Right eye.",
    "Lightweight self-healing config manager", "it was off to a good start", "he was solicited by a prostitute",
    "This is a nice detailed image of lightning.", "Decorator for validating function arguments and result.",
    "office productivity suite -- Basque language package", "an upsurge in violent crime", "An electric kettle.",
    "paper symbol", "set of analysis tools for cycling performance", "the widow leapt into the funeral pyre",
    "Blue Cut Gemstone.", "northern hemisphere with land and water but no ice",
    "Runtime library for GNU Fortran applications (64bit development files)", "Ice Cream Cone (3 Scoop)",
    "Rubber Ducks Swimming", "the refugee camp is a ticking bomb waiting to go off", "A pink dream house.",
    "Generic Muffin", "Asynchronous wrapper for Repology API", "The copyright symbol",
    "The sign for the number 8 in American Sign Language.", "A Seville orange, also called a bitter orange.",
    "her major is linguistics", "Paint Roller",
    "She gave up her children to her ex-husband when she moved to Tahiti", "readiness to continue discussions",
    "Data modelling tool and RDBMS-OO mapper", "Gate-level Static Timing Analyzer - development files",
    "front-facing baby chick", "Stylized Teddy Bear with Hearts",
    "configurable security system for the Symfony framework", "Baseball Cap", "face holding back tears",
    "the bathroom could be warmed by an infrared lamp", "jar with brown content",
    "Perl extension for validating email addresses", "The company turns over ten million dollars a year",
    "A spider playing computer games.", "a simple politic map of spanish regions, enjoy it!",
    "a sulfurous denunciation", "Baseball Bat", "words like `conservative' require periodic redefinition",
    "Attend to your duties, please", "he had a special knack for getting into trouble",
    "The introduction highlighted the speaker's distinguished career in linguistics", "A pink flamingo.",
    "archeozoic life forms", "nonlinear optimization library -- GNU Octave package", "person lifting weights",
    "Eat your bread!", "speaking head", "Daemon and tooling that enable snap packages", "Some blueberries.",
    "got a frosty reception", "unofficial xixiang python sdk", "two minute whiplike threads of protoplasm",
    "cloud with lightning",
};
enum { REAL = sizeof real / sizeof *real };

struct captions {
    struct table *table;
    struct parsers *parsers;
    struct buf text, spelled;            // captions one behind the other; the table's words likewise
    uint32_t *end;                       // of each caption in text
    uint32_t *word_end;                  // of each word in spelled
    int64_t words, words_room;
    uint64_t *seen;                      // hashes of captions, open addressing
    // tag_tokens
    const struct word **word;
    uint8_t *class, *shape, *tag;
    int32_t *at;                         // of each token, in word
    int *first;                          // of each caption, in at
    int tokens;
};

void captions_filter_close(void *state)
{
    struct captions *c = state;
    if (!c)
        return;
    parsers_free(c->parsers);
    table_close(c->table);
    buf_free(&c->text);
    buf_free(&c->spelled);
    free(c->end);
    free(c->word_end);
    free(c->seen);
    free(c->word);
    free(c->class);
    free(c->shape);
    free(c->tag);
    free(c->at);
    free(c->first);
    free(c);
}

static void spell(void *user, const char *text, size_t len)
{
    struct captions *c = user;
    if (!is_lower((unsigned char)*text))   // a sign, a number, another script
        return;
    if (c->words == c->words_room) {
        c->words_room = c->words_room ? 2 * c->words_room : 1 << 16;
        uint32_t *more = realloc(c->word_end, (size_t)c->words_room * sizeof *more);
        if (!more) {
            c->spelled.failed = EMEMORY_;
            return;
        }
        c->word_end = more;
    }
    buf_add(&c->spelled, text, len);
    c->word_end[c->words++] = (uint32_t)c->spelled.len;
}

// Words `from` .. of a caption, at most n; how many.
static int put_words(struct captions *c, struct rng *r, const char *caption, int n, bool space)
{
    int words = 1, put = 0;
    for (const char *p = caption; *p; p++)
        words += *p == ' ';
    int skip = (int)rng_below(r, (uint64_t)words);
    for (; skip > 0; skip--)
        caption += strcspn(caption, " ") + 1;
    while (*caption && put < n) {
        size_t len = strcspn(caption, " ");
        if (space || put)
            buf_char(&c->text, ' ');
        if (rng_below(r, 4) == 0) {
            int64_t rank = (int64_t)(MANDELBROT * (pow(1 + (double)c->words / MANDELBROT, rng_uniform(r)) - 1));
            uint32_t at = rank ? c->word_end[rank - 1] : 0;
            buf_add(&c->text, c->spelled.at + at, c->word_end[rank] - at);
        } else {
            buf_add(&c->text, caption, len);
        }
        put++;
        caption += len + (caption[len] == ' ');
    }
    return put;
}

static bool fresh(struct captions *c, const char *text, size_t len)
{
    uint64_t h = word_hash(text, len) | 1;
    for (uint64_t i = h >> 8;; i++) {
        uint64_t *slot = &c->seen[i & (SEEN - 1)];
        if (*slot == h)
            return false;
        if (!*slot) {
            *slot = h;
            return true;
        }
    }
}

// `mean` words: 12 as long descriptions have them, 7.5 as short ones; many shorter, few longer.
static int make(struct captions *c, double mean, int count)
{
    struct rng r = rng_make(SEED, 1);
    c->end = malloc((size_t)count * sizeof *c->end);
    c->seen = calloc(SEEN, sizeof *c->seen);
    if (!c->end || !c->seen)
        return FAIL(EMEMORY_, "out of memory for captions");
    for (int i = 0; i < count && !c->text.failed;) {
        size_t from = c->text.len;
        double u = rng_uniform(&r);
        int want = (int)(mean > 10 ? mean - 7.7 + 25 * pow(u, 2.571) : mean - 5 + 16 * pow(u, 3));
        for (int n = 0; n < want;)
            n += put_words(c, &r, real[rng_below(&r, REAL)], want - n, n > 0);
        if (fresh(c, c->text.at + from, c->text.len - from))
            c->end[i++] = (uint32_t)c->text.len;
        else
            c->text.len = from;
    }
    free(c->seen);
    c->seen = NULL;
    return c->text.failed ? FAIL(c->text.failed, "out of memory for captions") : 0;
}

static int open_all(struct captions **out, double mean, int count)
{
    struct captions *c = *out = calloc(1, sizeof *c);
    if (!c)
        return FAIL(EMEMORY_, "out of memory for captions");
    int rc = table_open_spelled(&c->table, NULL, spell, c);
    if (!rc && !(c->parsers = parsers_new(c->table, CAPTION_AT_ONCE)))
        rc = FAIL(EMEMORY_, "out of memory for the parsers");
    if (!rc)
        rc = c->spelled.failed;
    return rc ? rc : make(c, mean, count);
}

int captions_filter_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop)
{
    *work = CAPTIONS;
    *flop = 0;
    return open_all((struct captions **)state, (double)s->a / 10, CAPTIONS);
}

int captions_filter_run(void *state)
{
    struct captions *c = state;
    struct text at_once[CAPTION_AT_ONCE];
    uint32_t from = 0;
    for (int i = 0; i < CAPTIONS;) {
        int n = 0;
        for (; n < CAPTION_AT_ONCE && i < CAPTIONS; from = c->end[i++])
            at_once[n++] = (struct text){c->text.at + from, c->end[i] - from};
        parsers_run(c->parsers, at_once, n, 1, true);
    }
    return 0;
}

// --- tags alone: words found before ---------------------------------------------------------------------------------------

int captions_tag_open(void **state, struct ctx *ctx, const struct stage *s, double *work, double *flop)
{
    int rc = open_all((struct captions **)state, (double)s->a / 10, TAGGED);
    struct captions *c = *state;
    int64_t room = (int64_t)TAGGED * 40;
    if (rc)
        return rc;
    c->word = malloc((size_t)room * sizeof *c->word);
    c->class = calloc((size_t)room, 1);
    c->shape = calloc((size_t)room, 1);
    c->tag = malloc((size_t)room);
    c->at = malloc((size_t)room * sizeof *c->at);
    c->first = malloc((TAGGED + 1) * sizeof *c->first);
    if (!c->word || !c->class || !c->shape || !c->tag || !c->at || !c->first)
        return FAIL(EMEMORY_, "out of memory for captions");
    memset(c->tag, NO_TAG, (size_t)room);
    const struct parser *p = c->parsers->parser;
    uint32_t from = 0;
    int put = 0;
    for (; put < 2; put++)
        c->word[put] = &c->table->words[0];
    for (int i = 0; i < TAGGED; from = c->end[i++]) {
        parsers_read(c->parsers, &(struct text){c->text.at + from, c->end[i] - from}, 1);
        c->first[i] = c->tokens;
        for (int k = 0; k < p->pieces && put < room - 4; k++, put++) {
            // a parser's own words do not stay: the boundary stands for them
            c->word[put] = p->flags[k] & PIECE_UNKNOWN ? &c->table->words[0] : p->word[2 + k];
            c->class[put] = c->word[put]->class;
            c->shape[put] = p->shape[k];
            c->at[c->tokens++] = put;
        }
        for (int k = 0; k < 2; k++)
            c->word[put++] = &c->table->words[0];
    }
    c->first[TAGGED] = c->tokens;
    *work = (double)c->tokens;
    *flop = 0;
    return 0;
}

int captions_tag_run(void *state)
{
    struct captions *c = state;
    for (int i = 0; i < TAGGED; i += CAPTION_AT_ONCE) {
        int to = i + CAPTION_AT_ONCE < TAGGED ? i + CAPTION_AT_ONCE : TAGGED;
        int32_t open[CAPTION_AT_ONCE * CAPTION_WORDS + 1];
        int opens = 0;
        for (int32_t k = c->first[i]; k < c->first[to]; k++)
            opens = tag_known(c->word[c->at[k]], c->at[k], c->tag, open, opens);
        tag_words(c->table, &(struct tokens){c->word, c->class, c->shape, open, opens, c->tag});
    }
    return 0;
}
