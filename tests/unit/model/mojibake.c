// SPDX-License-Identifier: Apache-2.0
// Text read in the wrong encoding: what is repaired, and what is left alone, as ftfy 6.3.1 does.
#include "base/utf8.h"
#include "check.h"
#include "model/charmap.h"
#include "model/mojibake.h"

static struct runes text;

static void put(const char *s)
{
    const unsigned char *p = (const unsigned char *)s, *end = p + strlen(s);
    text.len = 0;
    while (p < end)
        runes_put(&text, utf8_next(p, end, &p));
}

static const char *fixed(const char *s)
{
    static char out[1024];
    char *to = out;
    put(s);
    fix_encoding(&text);
    for (size_t i = 0; i < text.len; i++)
        to += utf8_put(to, text.at[i]);
    *to = 0;
    return out;
}

static void wrong_encodings_are_repaired(void)
{
    static const char *const cases[][2] = {
        {"schÃ¶n", "schön"},                                           // Latin-1
        {"â€œquotedâ€\302\235", "“quoted”"},                            // Windows-1252 with one of its holes
        {"donâ€™t naÃƒÂ¯ve", "don’t naïve"},                            // twice over
        {"Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "привет"},
        {"ðŸ˜€", "😀"},
        {"РїСЂРёРІРµС‚", "привет"},                                    // Windows-1251
        {"vedere Ă®n", "vedere în"},                                   // Windows-1250
        {"weiÃŸ", "weiß"},
        {"wei√ü", "weiß"},                                             // MacRoman
        {"voilÃ le travail", "voilà le travail"},                       // A0 became a space
        {"vÃ s duas", "vàs duas"},
        {"â€œ lost â€�", "“ lost �"},                                   // a byte became U+FFFD
        {"мир ðŸ˜€", "мир 😀"},                                         // a part only
        {"this text was never UTF-8 at all\302\205", "this text was never UTF-8 at all…"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(fixed(cases[i][0]), cases[i][1]);
}

static void good_text_is_left_alone(void)
{
    static const char *const cases[] = {
        "", "plain", "naïve café, smörgåsbord", "Łódź", "not such a fan of Charlotte Brontë…”", "мир", "ελληνικά", "東京",
        "İstanbul", "AHÅ™, the new sofa from IKEA", "5 € ± 2 ½ ¿qué?", "⅓ of √2", "a – b — c", "(╯°□°)╯",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(fixed(cases[i]), cases[i]);
}

static void rules_see_their_neighbours(void)
{
    static const char *const bad[] = {
        "\302\200", "é¦", "aЖ¤", "é€", " Â£", "À°", "éÉ", "Œ.", "ГўВЂВ\302\235X", "Â x", "aÃ ",
        "x\tÃ ", "!Â ", "ā€", "β€™", "│ò", "×²", "ØªØ¨",
    };
    static const char *const fine[] = {"é", "éa", "Œu", "ГўВЂВ\n ", "xÂ", "Â\t", "β€", "ā", "│a", "×"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put(bad[i]);
        if (!looks_bad(&text))
            printf("# %s\n", bad[i]);
        CHECK(looks_bad(&text));
    }
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        put(fine[i]);
        if (looks_bad(&text))
            printf("# %s\n", fine[i]);
        CHECK(!looks_bad(&text));
    }
}

static void encodings_go_both_ways(void)
{
    for (enum charmap m = 0; m < CHARMAPS; m++)
        for (int i = 0; i < 128; i++) {
            CHECK(charmap_byte(m, charmap_high[m][i]) == 0x80 + i);
            CHECK(i == 0x1A || charmap_byte(m, i) == i);
        }
    CHECK(charmap_byte(WINDOWS_1252, 0xFFFD) == 0x1A && charmap_byte(WINDOWS_1252, 0x1A) == -1);
    CHECK(charmap_byte(LATIN_1, 0x1A) == 0x1A && charmap_byte(LATIN_1, 0x100) == -1);
    CHECK(charmap_byte(CP437, 0x4E00) == -1);
}

int main(void)
{
    CASE(wrong_encodings_are_repaired);
    CASE(good_text_is_left_alone);
    CASE(rules_see_their_neighbours);
    CASE(encodings_go_both_ways);
    free(text.at);
    return check_done();
}
