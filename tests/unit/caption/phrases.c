// SPDX-License-Identifier: Apache-2.0
// What masks tell of words against the closer look at each of them, on words thrown together that the rules know by name.
#include "caption/phrases.h"

#include <stdlib.h>

#include "base/clock.h"
#include "caption/candidates.h"
#include "caption/mends.h"
#include "check.h"

enum { ROUNDS = 40000, MOST_WORDS = 14 };

static const char *const words[] = {
    "the", "a", "an", "this", "his", "her", "some", "no", "every", "is", "are", "was", "be", "been", "being", "'s", "has", "have", "had", "having",
    "will", "can", "may", "do", "does", "not", "n't", "to", "of", "in", "on", "out", "up", "front", "next", "top", "well", "as", "with", "by", "while",
    "when", "that", "who", "and", "or", ",", ".", "-", "\"", "'", "(", ")", ":", "very", "quickly", "there", "it", "he", "they", "one", "two", "2", "3.5",
    "red", "gold", "small", "old", "stainless", "steel", "hot", "dog", "dogs", "cat", "man", "men", "woman", "child", "group", "pair", "photo", "view",
    "house", "glass", "cup", "hand", "headed", "eyed", "painted", "broken", "made", "held", "walking", "smiling", "holding", "running", "playing", "dining",
    "runs", "run", "looks", "look", "looking", "shows", "plays", "play", "put", "hangs", "cut", "watch", "read", "today", "night", "May", "Monday",
    "march", "sun", "sat", "like", "before", "since", "oh", "$", "left", "right", "center", "train", "bus", "snow", "falls", "shoes", "prints", "Red",
    "Dog", "LED", "IMG", "xyzzy", "well-made", "other", "each", "several", "soaking", "following", "magnifying", "racing", "horse", "drawing",
};
enum { WORDS = sizeof words / sizeof *words };

static struct table *table;
static uint32_t random_state = 7;
static int random_below(int n)
{
    random_state = random_state * 1664525 + 1013904223;
    return (int)((random_state >> 8) % (uint32_t)n);
}

static struct text some_words(int round, char *text, size_t room)
{
    size_t n = 0;
    for (int k = 0, count = 1 + random_below(round % 16 ? MOST_WORDS : round % 64 ? MASKED : 3 * MASKED); k < count; k++)
        n += (size_t)snprintf(text + n, room - n, "%s%s", n ? " " : "", words[random_below(WORDS)]);
    return (struct text){text, n};
}

static struct parsers *read_some(struct parsers *all, int round, char *text, size_t room)
{
    struct text caption = some_words(round, text, room);
    parsers_read(all, &caption, 1);
    words_tag(all);
    return all;
}

static uint64_t known_bits(const struct parser *p, uint64_t bits) { return bits & (((uint64_t)1 << p->pieces) - 1); }

#ifdef __x86_64__
static void check_masks(const struct parser *const *p, int n, const struct masks *a, const struct masks *b)
{
    for (int i = 0; i < n; i++) {
        const uint64_t(*x)[MASKS_LANES] = (const void *)&a[i / MASKS_LANES], (*y)[MASKS_LANES] = (const void *)&b[i / MASKS_LANES];
        int lane = i % MASKS_LANES;
        for (size_t k = 0; k < sizeof *a / sizeof *x; k++)
            CHECK(known_bits(p[i], x[k][lane]) == known_bits(p[i], y[k][lane]));
        CHECK(a[i / MASKS_LANES].begins[lane] == b[i / MASKS_LANES].begins[lane]);
    }
}
#endif

static void every_masker_says_the_same(void)
{
    enum { MOST = 3 * MASKS_LANES - 1 };
    struct parsers *all[MOST];
    static char text[16 * 4 * MASKED];
    int several = 0;
    for (int k = 0; k < MOST; k++)
        CHECK((all[k] = parsers_new(table, 1)) != NULL);
    for (int round = 0; all[MOST - 1] && round < ROUNDS / 4; round++) {
        const struct parser *with[MOST];
        struct masks plain[3], alone;
        int n = 0;
        for (int k = 0; k <= round % MOST; k++) {
            struct parser *p = read_some(all[k], round * MOST + k, text, sizeof text)->parser;
            phrases_mend((struct parser *const[]){p}, 1);
            with[n] = p;
            n += p->pieces <= MASKED;
        }
        if (n == 0)
            continue;
        several += n > MASKS_LANES;
        masks_ref(with, n, plain);
        masks_ref(with + n - 1, 1, &alone);   // whatever lies in the other lanes
        const struct masks *last = &plain[(n - 1) / MASKS_LANES];
        CHECK(alone.sure[0] == last->sure[(n - 1) % MASKS_LANES] && alone.begins[0] == last->begins[(n - 1) % MASKS_LANES]);
#ifdef __x86_64__
        struct masks other[3];
        if (__builtin_cpu_supports("avx2")) {
            masks_avx2(with, n, other);
            check_masks(with, n, plain, other);
        }
        if (cpu_avx512_bytes()) {
            masks_avx512(with, n, other);
            check_masks(with, n, plain, other);
        }
#endif
    }
    CHECK(several > ROUNDS / 8);   // what was compared
    for (int k = 0; k < MOST; k++)
        parsers_free(all[k]);
}

// Phrases, objects and attributes, as one text.
static void found(struct parser *p, const struct masks *masks, int lane, char *out, size_t room)
{
    static const struct phrase none = {.kind = P_NONE, .first = 1};
    struct phrase around[CAPTION_WORDS + 2 * PHRASES_AROUND];
    struct phrases phrases = {.at = around + PHRASES_AROUND};
    size_t n = 0;
    for (size_t k = 0; k < sizeof around / sizeof *around; k++)
        around[k] = none;
    p->objects = p->attributes = p->relations = 0;
    p->verdict = (struct verdict){0};
    phrases_chunk(p, masks, lane, &phrases);
    for (int k = 0; k < phrases.n; k++) {
        const struct phrase *f = &phrases.at[k];
        n += (size_t)snprintf(out + n, room - n, "%d.%d.%d.%d.%d.%d ", f->kind, f->form, f->first, f->last, f->object, f->helped);
    }
    n += (size_t)snprintf(out + n, room - n, "acting %llx stops %llx ", (unsigned long long)phrases.acting, (unsigned long long)phrases.stops);
    for (int k = 0; k < p->objects; k++)
        n += (size_t)snprintf(out + n, room - n, "%d.%d.%d.%d ", p->object[k].head, p->object[k].first, p->object[k].last, p->object[k].attributes);
    for (int k = 0; k < p->attributes; k++)
        n += (size_t)snprintf(out + n, room - n, "%d.%d ", p->attribute[k].object, p->attribute[k].piece);
    snprintf(out + n, room - n, "%d", p->verdict.complexity);
}

static void plain_phrases_are_those_of_the_closer_look(void)
{
    struct parsers *all = parsers_new(table, 1);
    static char text[16 * 4 * MASKED], by_masks[1 << 14], closely[1 << 14];
    int told = 0;
    CHECK(all != NULL);
    for (int round = 0; all && round < ROUNDS; round++) {
        struct parser *p = read_some(all, round, text, sizeof text)->parser;
        struct masks masks;
        phrases_mend((struct parser *const[]){p}, 1);
        if (p->pieces > MASKED || p->hashtags)
            continue;
        int lane = round % MASKS_LANES;
        find_masks((const struct parser *const[MASKS_LANES]){p, p, p, p, p, p, p, p}, lane + 1, &masks);
        told += known_bits(p, masks.sure[lane]) != 0;
        found(p, &masks, lane, by_masks, sizeof by_masks);
        found(p, NULL, 0, closely, sizeof closely);
        CHECK_STR(by_masks, closely);
        if (strcmp(by_masks, closely) != 0)
            fprintf(stderr, "  %s\n", text);
    }
    CHECK(told > ROUNDS / 2);   // what was compared
    parsers_free(all);
}

// Of no word that a rule would change is it said that none may.
static void no_word_to_mend_is_left_out(void)
{
    struct parsers *all = parsers_new(table, 1);
    static char text[16 * 4 * MASKED];
    uint8_t tags[CAPTION_WORDS], chosen[CAPTION_WORDS];
    int changed = 0;
    CHECK(all != NULL);
    for (int round = 0; all && round < 4 * ROUNDS; round++) {
        struct parser *p = read_some(all, round, text, sizeof text)->parser;
        size_t n = (size_t)p->pieces;
        memcpy(tags, p->tag, n);
        phrases_mend((struct parser *const[]){p}, 1);
        memcpy(chosen, p->tag, n);
        memcpy(p->tag, tags, n);
        phrases_mend_each(p);
        CHECK(memcmp(chosen, p->tag, n) == 0);
        if (memcmp(chosen, p->tag, n) != 0)
            fprintf(stderr, "  %s\n", text);
        changed += memcmp(tags, chosen, n) != 0;
    }
    CHECK(changed > ROUNDS / 2);   // what was compared
    for (int64_t i = 1; i < table->count; i++)   // every kind of word found room
        if (table->words[i].set % MENDS_ROOM == 0) {
            CHECK(!"a word without a set of rules");
            break;
        }
    parsers_free(all);
}

// What of every place of a batch `with` says.
static void find_candidates(struct parsers *all, candidates *with, uint64_t (*out)[6])
{
    with(all);
    for (int j = 0; j < all->cuts; j++) {
        int at = all->at[j];
        uint64_t is[6] = {all->own[at], all->behind[at], all->ahead[at], all->looks[at], all->sets[at],
                          all->may[(at - 1) / MENDS_ROUND] >> (at - 1) % MENDS_ROUND & 1};
        memcpy(out[j], is, sizeof is);
    }
}

static void candidates_are_found_alike(void)
{
    struct parsers *all = parsers_new(table, CAPTION_AT_ONCE);
    static char text[CAPTION_AT_ONCE][16 * 4 * MASKED];
    static uint64_t plain[CAPTION_AT_ONCE * CAPTION_WORDS][6];
    int some = 0;
    CHECK(all != NULL);
    for (int round = 0; all && round < 400; round++) {
        struct text captions[CAPTION_AT_ONCE];
        int n = 1 + round % CAPTION_AT_ONCE;
        for (int i = 0; i < n; i++)
            captions[i] = some_words(round + i, text[i], sizeof text[i]);
        parsers_read(all, captions, n);
        words_tag(all);
        find_candidates(all, candidates_ref, plain);
        for (int j = 0; j < all->cuts; j++) {   // by what the head of candidates.h says, in full
            int at = all->at[j];
            bool may = all->own[at] & all->behind[at - 1] & all->ahead[at + 1];
            CHECK(plain[j][5] == may);
            some += may;
        }
#ifdef __x86_64__
        static uint64_t wide[CAPTION_AT_ONCE * CAPTION_WORDS][6];
        if (cpu_avx512_bytes()) {
            find_candidates(all, candidates_avx512, wide);
            CHECK(memcmp(plain, wide, (size_t)all->cuts * sizeof *plain) == 0);
        }
#endif
    }
    CHECK(some > 400);   // what was compared
    parsers_free(all);
}

int main(void)
{
    CHECK(table_open(&table, NULL) == 0);
    if (!table)
        return check_done();
    CASE(every_masker_says_the_same);
    CASE(plain_phrases_are_those_of_the_closer_look);
    CASE(no_word_to_mend_is_left_out);
    CASE(candidates_are_found_alike);
    table_close(table);
    return check_done();
}
