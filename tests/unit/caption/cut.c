// SPDX-License-Identifier: Apache-2.0
// Scanners and cutters of every instruction set against the plain ones, and those against rules that go byte by byte.
#include "caption/cut.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"

enum { BYTES = 600, ROUNDS = 20000 };

static uint32_t random_state = 1;
static int random_below(int n)
{
    random_state = random_state * 1664525 + 1013904223;
    return (int)((random_state >> 8) % (uint32_t)n);
}

static bool have_avx2(void)
{
#ifdef __x86_64__
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
#else
    return false;
#endif
}

// --- scanners -----------------------------------------------------------------------------------------------------------

struct scanned {
    char text[BYTES + 2 * SCAN_BLOCK], small[BYTES + 2 * SCAN_BLOCK];
    struct scan is[BYTES / SCAN_BLOCK + 3];
    int found;
};

static void scan_with(scanner *with, const char *from, int n, struct scanned *out)
{
    memset(out, 1, sizeof *out);
    out->found = with(from, n, out->text, out->small, out->is);
}

static void check_scanned(const struct scanned *a, const struct scanned *b, int n)
{
    int blocks = (n + SCAN_BLOCK - 1) / SCAN_BLOCK;
    CHECK(a->found == b->found && memcmp(a->is, b->is, sizeof a->is) == 0);
    CHECK(memcmp(a->text, b->text, (size_t)(blocks + 1) * SCAN_BLOCK) == 0 && memcmp(a->small, b->small, (size_t)blocks * SCAN_BLOCK) == 0);
}

static bool bit(uint64_t bits, int i) { return bits >> i % SCAN_BLOCK & 1; }

// One byte of the plain scanner's, by its definition.
static void check_byte(const struct scanned *s, int i)
{
    const struct scan *is = &s->is[i / SCAN_BLOCK];
    int c = (unsigned char)s->text[i];
    bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z', letter = upper || lower || c >= 0x80;
    CHECK(bit(is->letter, i) == letter && bit(is->word, i) == (letter || (c >= '0' && c <= '9')));
    CHECK(bit(is->upper, i) == upper && bit(is->lower, i) == lower && (unsigned char)s->small[i] == (upper ? c + 32 : c));
    CHECK(bit(is->blank, i) == (c == ' ') && bit(is->hyphen, i) == (c == '-') && bit(is->quote, i) == (c == '\''));
    CHECK(bit(is->s, i) == (c == 's' || c == 'S') && bit(is->w, i) == (c == 'w' || c == 'W'));
    CHECK(bit(is->before, i) == (c && strchr("@#.", c)) && bit(is->behind, i) == (c && strchr("\"%@", c)));
    CHECK(bit(is->stop, i) == (c && strchr(".!?:", c)));
}

// Texts of every length and address, the last byte before memory that is not there.
static void every_scanner_says_the_same(void)
{
    static const char usual[] = "aAbszSZwW09 -'\"%@#.,_&<~!?: ";
    static struct scanned plain, other;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    if (memory == MAP_FAILED || mprotect(memory + page, page, PROT_NONE))
        return;
    for (int round = 0; round < ROUNDS; round++) {
        int n = random_below(round % 4 ? 140 : BYTES);
        char *text = memory + page - n - (round & 2 ? random_below(64) : 0);
        for (int i = 0; i < n; i++)
            text[i] = round & 1 ? usual[random_below(sizeof usual - 1)] : (char)random_below(256);   // every byte, 0 among them
        scan_with(scan_ref, text, n, &plain);
        CHECK(memcmp(plain.text, text, (size_t)n) == 0);
        if (n)
            check_byte(&plain, random_below(n));
#ifdef __x86_64__
        if (have_avx2()) {
            scan_with(scan_avx2, text, n, &other);
            check_scanned(&plain, &other, n);
        }
        if (cpu_avx512_bytes()) {
            scan_with(scan_avx512, text, n, &other);
            check_scanned(&plain, &other, n);
        }
#endif
    }
    munmap(memory, 2 * page);
}

// --- cutters ------------------------------------------------------------------------------------------------------------

enum { ROOM = CAPTION_WORDS + CUT_SLACK };
struct cuts {
    uint16_t start[ROOM], end[ROOM];
    uint8_t flags[ROOM], shape[ROOM];
    int n;
    enum cut cut;
};

static void cut_with(cutter *with, struct parser *p, struct cuts *out)
{
    memset(out, 0xee, sizeof *out);
    p->start = out->start;
    p->end = out->end;
    p->flags = out->flags;
    p->shape = out->shape;
    out->cut = with(p);
    if (out->cut == CUT_SHAPELESS)
        cut_shapes(p);
    out->n = p->pieces;
}

static enum cut closely(struct parser *p)
{
    cut_closely(p);
    return CUT_SHAPELESS;
}

static void check_cuts(const struct cuts *a, const struct cuts *b)
{
    size_t n = (size_t)a->n;
    CHECK(a->n == b->n && memcmp(a->start, b->start, 2 * n) == 0 && memcmp(a->end, b->end, 2 * n) == 0);
    CHECK(memcmp(a->flags, b->flags, n) == 0 && memcmp(a->shape, b->shape, n + CAPTION_AROUND) == 0);
}

// Words and signs as they come in captions, few of which make it a hard one.
static int put_caption(char *out, int room, int round)
{
    static const char *const parts[] = {"a", "dog", "The", "LED", "iPhone", "A", "dog's", "T-shirt", "x9Y", "2019", "caf\xc3\xa9", "\xc3\x89toile",
                                        "USA", "S", "McDonald's", ",", ".", "!", "?", ":", "(", "-", "'s", "Big", "Red", "www", "@", "#", "%", "o'clock"};
    enum { PARTS = sizeof parts / sizeof *parts };
    int n = 0, most = round % 16 ? 1 + random_below(30) : 1 + random_below(250), signs = round % 3 ? PARTS : 16;
    for (int k = 0; k < most; k++) {
        const char *part = parts[random_below(round % 5 ? signs : 6)];
        int len = (int)strlen(part), times = random_below(100) ? 1 : 1 + random_below(40);
        bool blank = k && (len > 1 || random_below(3)) && random_below(40);
        if (n + 1 + (len + 2) * times > room)
            break;
        if (blank)
            out[n++] = ' ';
        for (; times > 0; times--, n += len) {
            memcpy(out + n, part, (size_t)len);
            if (times > 1) {   // "(dog (dog"
                out[n + len] = ' ';
                out[n + len + 1] = '(';
                n += 2;
            }
        }
    }
    return n;
}

static void every_cutter_says_the_same(void)
{
    static struct cuts by_rules, plain, other;
    static char text[2 * BYTES], room[2 * BYTES + 2 * SCAN_BLOCK], lower[sizeof room];
    static struct scan is[sizeof room / SCAN_BLOCK + 1];
    struct parser parser = {.text = room, .lower = lower, .is = is}, *p = &parser;
    int whole = 0, shapeless = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int n = put_caption(text, round % 7 ? 200 : 2 * BYTES, round);
        p->length = n;
        scan_ref(text, n, room, lower, is);
        cut_with(closely, p, &by_rules);
        cut_with(cut_ref, p, &plain);
        whole += plain.cut == CUT_WHOLE;
        shapeless += plain.cut == CUT_SHAPELESS;
        if (plain.cut != CUT_NOT)
            check_cuts(&plain, &by_rules);
#ifdef __x86_64__
        if (have_avx2()) {
            cut_with(cut_bmi2, p, &other);
            CHECK(other.cut == plain.cut);
            if (other.cut != CUT_NOT)
                check_cuts(&plain, &other);
        }
        if (cpu_avx512_bytes()) {
            cut_with(cut_avx512, p, &other);
            CHECK(other.cut == plain.cut);
            if (other.cut != CUT_NOT)
                check_cuts(&plain, &other);
        }
#endif
    }
    CHECK(whole > ROUNDS / 10 && shapeless > ROUNDS / 200);   // what was compared
}

int main(void)
{
    CASE(every_scanner_says_the_same);
    CASE(every_cutter_says_the_same);
    return check_done();
}
