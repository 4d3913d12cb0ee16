// SPDX-License-Identifier: Apache-2.0
#include "caption/wordnet.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "caption/table.h"

enum { WORD_MAX = 40 };

int64_t forms_add(struct forms *f, const char *text, size_t len)
{
    int64_t *at = map_slot(f->index, text, len, f->count);
    if (!at)
        return EMEMORY_;
    if (*at < f->count)
        return *at;
    if (f->count == f->room) {
        int64_t room = f->room ? 2 * f->room : 1 << 16;
        struct form *more = realloc(f->form, (size_t)room * sizeof *more);
        if (!more)
            return FAIL(EMEMORY_, "out of memory for %lld word forms", (long long)room);
        f->form = more;
        f->room = room;
    }
    f->form[f->count] = (struct form){.noun = -1, .verb = -1};
    return f->count++;
}

const char *forms_text(const struct forms *f, int64_t i, size_t *len)
{
    return map_key(f->index, i, len, NULL);
}

void forms_free(struct forms *f)
{
    map_free(f->index);
    free(f->form);
    *f = (struct forms){0};
}

// --- one file, line by line --------------------------------------------------------------------------------------------

struct text {
    struct buf all;
    char *at;
};

static int text_open(struct text *t, const char *dir, const char *name)
{
    char *path = path_join(dir, name);
    *t = (struct text){0};
    int rc = path ? file_read(path, &t->all) : EMEMORY_;
    if (rc)
        error_prefix(rc, "WordNet (Debian package wordnet-base): ");
    t->at = t->all.at;
    free(path);
    return rc;
}

static char *text_line(struct text *t)
{
    char *line = t->at;
    if (!line || !*line)
        return NULL;
    char *end = strchr(line, '\n');
    t->at = end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    return line;
}

// --- inflections -------------------------------------------------------------------------------------------------------

static bool is_vowel(char c) { return c && strchr("aeiou", c); }

static bool ends(const char *w, size_t n, const char *with)
{
    size_t k = strlen(with);
    return n > k && !memcmp(w + n - k, with, k);
}

static void plural(char *out, const char *w)   // also a verb's third person
{
    size_t n = strlen(w);
    if (ends(w, n, "s") || ends(w, n, "x") || ends(w, n, "z") || ends(w, n, "ch") || ends(w, n, "sh"))
        sprintf(out, "%ses", w);
    else if (n > 2 && w[n - 1] == 'y' && !is_vowel(w[n - 2]))
        sprintf(out, "%.*sies", (int)n - 1, w);
    else
        sprintf(out, "%ss", w);
}

// stop -> stopp before -ed, -ing, strip -> stripp: one vowel, then one consonant; open and visit have two. Longer words that
// double (admit) are among WordNet's exceptions.
static bool doubles(const char *w, size_t n)
{
    if (n < 3 || n > 5 || is_vowel(w[n - 1]) || strchr("wxyh", w[n - 1]) || !is_vowel(w[n - 2]))
        return false;
    for (size_t i = 0; i + 2 < n; i++)
        if (is_vowel(w[i]) || (w[i] == 'y' && i > 0))
            return false;
    return true;
}

static void with_ending(char *out, const char *w, const char *ending)   // "ed", "ing", "er", "est"
{
    size_t n = strlen(w);
    bool e = *ending == 'e';
    if (e && n > 2 && w[n - 1] == 'y' && !is_vowel(w[n - 2]))
        sprintf(out, "%.*si%s", (int)n - 1, w, ending);
    else if (!e && ends(w, n, "ie"))
        sprintf(out, "%.*sy%s", (int)n - 2, w, ending);
    else if (ends(w, n, "e") && (e || !(ends(w, n, "ee") || ends(w, n, "oe") || ends(w, n, "ye"))))
        sprintf(out, "%.*s%s", (int)n - 1, w, ending);
    else if (doubles(w, n))
        sprintf(out, "%s%c%s", w, w[n - 1], ending);
    else
        sprintf(out, "%s%s", w, ending);
}

static bool only_plural(const char *form)
{
    static const char words[] = " glasses sunglasses eyeglasses pants jeans shorts clothes headquarters scissors goggles trousers "
                                "tights binoculars pajamas pyjamas leggings overalls tongs pliers tweezers news people arts sports goods "
                                "thanks outskirts surroundings savings mathematics physics gymnastics athletics politics data media "
                                "graphics electronics economics species series means crossroads barracks linguistics statistics "
                                "graffiti alps woods optics ";
    char key[2 * WORD_MAX];
    int n = snprintf(key, sizeof key, " %s ", form);
    return n < (int)sizeof key && strstr(words, key);
}

static bool man_of(const char *w, int kind)
{
    static const char others[] = " human german roman norman ottoman shaman talisman brahman caiman ";
    char key[2 * WORD_MAX];
    size_t len = strlen(w);
    int n = snprintf(key, sizeof key, " %s ", w);
    return kind == KIND_PERSON && ends(w, len, "man") && n < (int)sizeof key && !strstr(others, key);
}

static bool own_past(const char *base)   // WordNet's exceptions leave out what does not change
{
    static const char words[] = " cut put set hit let shut split spread cast burst shed hurt quit bet cost thrust upset slit cast ";
    char key[2 * WORD_MAX];
    int n = snprintf(key, sizeof key, " %s ", base);
    return n < (int)sizeof key && strstr(words, key);
}

static int inflect(struct forms *f, const char *form, uint16_t is, int32_t noun, int32_t verb)
{
    int64_t i = forms_add(f, form, strlen(form));
    if (i < 0)
        return (int)i;
    struct form *w = &f->form[i];
    if ((is & IS_PLURAL) && w->noun < 0 && !only_plural(form))   // WordNet lists many plurals as words: windows
        w->noun = noun;
    if ((is & (IS_THIRD | IS_ING | IS_PAST | IS_PARTICIPLE)) && w->verb < 0 && !(w->is & IS_VERB))
        w->verb = verb;
    w->is |= is;
    return 0;
}

// "found" is mostly a form of find, "fell" of fall: no bases of their own.
static void mark_pasts(struct forms *f, const char *form, int64_t lemma)
{
    int64_t i = map_get(f->index, form, strlen(form), -1);
    if (i < 0 || i == lemma || !(f->form[i].is & IS_VERB) || 8 * f->form[i].senses[1] > f->form[lemma].senses[1])
        return;
    f->form[i].is &= (uint16_t)~IS_VERB;
    f->form[i].verb = (int32_t)lemma;
}

// *.exc: irregular form, then its base
static int read_exceptions(struct forms *f, const char *dir, const char *name, char pos, struct map *irregular)
{
    struct text t;
    int rc = text_open(&t, dir, name);
    for (char *line; !rc && (line = text_line(&t));) {
        char *base = strchr(line, ' ');
        if (!base || strchr(line, '_'))
            continue;
        *base++ = '\0';
        base[strcspn(base, " \r")] = '\0';
        int64_t lemma = map_get(f->index, base, strlen(base), -1);
        if (lemma < 0 || strlen(line) > WORD_MAX || strchr(line, '\''))
            continue;
        size_t n = strlen(line);
        if (pos == 'n' && (f->form[lemma].is & IS_NOUN))
            rc = inflect(f, line, IS_PLURAL, (int32_t)lemma, -1);
        if (pos == 'a')
            rc = inflect(f, line, IS_ADJ, -1, -1);
        if (pos == 'v' && (f->form[lemma].is & IS_VERB) && !ends(line, n, "ing"))
            mark_pasts(f, line, lemma);
        if (pos == 'v' && (f->form[lemma].is & IS_VERB))
            rc = inflect(f, line, ends(line, n, "ing") ? IS_ING : IS_PAST | IS_PARTICIPLE, -1, (int32_t)lemma);
        // what is listed is not also formed by rule: "n" + base has an irregular plural
        char key[2 * WORD_MAX + 4];
        int k = snprintf(key, sizeof key, "%c%s", pos == 'v' && ends(line, n, "ing") ? 'g' : pos, base);
        size_t m = strlen(base);   // travelled beside traveled
        bool doubled = pos == 'v' && m > 4 && n > m && !memcmp(line, base, m) && line[m] == base[m - 1];
        bool either = pos == 'n' && line[n - 1] == 's';   // busses beside buses, scarves beside scarfs
        if (!rc && k < (int)sizeof key && !doubled && !either)
            rc = map_put(irregular, key, (size_t)k, 1);
    }
    buf_free(&t.all);
    return rc;
}

static bool listed(const struct map *irregular, char pos, const char *base)
{
    char key[2 * WORD_MAX + 4];
    int k = snprintf(key, sizeof key, "%c%s", pos, base);
    return map_get(irregular, key, (size_t)k, 0);
}

static int inflect_all(struct forms *f, const struct map *irregular)
{
    int rc = 0;
    int64_t bases = f->count;
    for (int64_t i = 0; !rc && i < bases; i++) {
        size_t n;
        char base[WORD_MAX + 1], out[WORD_MAX + 8];
        const char *text = forms_text(f, i, &n);
        uint16_t is = f->form[i].is;
        if (n > WORD_MAX || n < 2 || !isalpha((unsigned char)text[n - 1]))
            continue;
        memcpy(base, text, n);
        base[n] = '\0';
        if ((is & IS_NOUN) && !(is & IS_NAME) && !listed(irregular, 'n', base)) {
            plural(out, base);
            if (man_of(base, f->form[i].kind))   // corpsman
                memcpy(out + n - 3, "men", 4);
            rc = inflect(f, out, IS_PLURAL, (int32_t)i, -1);
        }
        if (!rc && (is & IS_VERB)) {
            plural(out, base);
            rc = inflect(f, out, IS_THIRD, -1, (int32_t)i);
            if (!rc && !listed(irregular, 'g', base)) {
                with_ending(out, base, "ing");
                rc = inflect(f, out, IS_ING, -1, (int32_t)i);
            }
            if (!rc && own_past(base))
                rc = inflect(f, base, IS_PAST | IS_PARTICIPLE, -1, (int32_t)i);
            else if (!rc && !listed(irregular, 'v', base)) {
                with_ending(out, base, "ed");
                rc = inflect(f, out, IS_PAST | IS_PARTICIPLE, -1, (int32_t)i);
            }
        }
        if (!rc && (is & IS_ADJ) && !(is & (IS_NOUN | IS_VERB)) && n <= 5 && !listed(irregular, 'a', base)) {
            with_ending(out, base, "er");
            rc = inflect(f, out, IS_ADJ, -1, -1);
            with_ending(out, base, "est");
            if (!rc)
                rc = inflect(f, out, IS_ADJ, -1, -1);
        }
    }
    return rc;
}

// --- the dictionary ----------------------------------------------------------------------------------------------------

static bool plain_word(const char *w, size_t n)
{
    bool letter = false;
    for (size_t i = 0; i < n; i++) {
        letter |= isalpha((unsigned char)w[i]) != 0;
        if (!isalpha((unsigned char)w[i]) && w[i] != '-')
            return false;
    }
    return n > 0 && n <= WORD_MAX && letter;
}

// data.noun knows how words are written and what kind of thing they name: "offset file type count word id ..."
struct noun_data {
    struct map *kind;    // offset -> lexicographer file
    struct map *lower;   // words written without a capital somewhere
};

static int read_nouns(struct noun_data *d, const char *dir)
{
    struct text t;
    int rc = text_open(&t, dir, "data.noun");
    for (char *line; !rc && (line = text_line(&t));) {
        int file = 0, words = 0, at = 0;
        if (line[0] == ' ' || sscanf(line, "%*8s %d %*s %x%n", &file, (unsigned *)&words, &at) != 2)
            continue;
        rc = map_put(d->kind, line, 8, file);
        char *p = line + at;
        for (int i = 0; !rc && i < words && *p == ' '; i++) {
            size_t n = strcspn(++p, " ");
            if (islower((unsigned char)p[0]))
                rc = map_put(d->lower, p, n, 1);
            p += n;
            p += *p ? 1 + strcspn(p + 1, " ") : 0;
        }
    }
    buf_free(&t.all);
    return rc;
}

// data.verb's frames: 1, 2, 3 and their like stand alone, 8 to 11 take an object
static int read_frames(struct map *frames, const char *dir)
{
    struct text t;
    int rc = text_open(&t, dir, "data.verb");
    for (char *line; !rc && (line = text_line(&t));) {
        if (line[0] == ' ')
            continue;
        int64_t has = 0;
        char *gloss = strstr(line, " | ");
        if (gloss)
            *gloss = '\0';
        for (char *p = line; (p = strstr(p, " + ")); p += 3) {
            int number = 0, word = 0;
            if (sscanf(p, " + %2d %2x", &number, (unsigned *)&word) != 2 || (p[5] != ' ') || strlen(p) < 8)
                continue;
            has |= number >= 8 && number <= 11 ? FRAME_OBJECT : number <= 4 || number == 22 ? FRAME_NONE : 0;
        }
        rc = map_put(frames, line, 8, has);
    }
    buf_free(&t.all);
    return rc;
}

// index.*: "lemma pos synsets pointers [symbols] senses tagged offsets"
static int read_index(struct forms *f, const char *dir, const char *name, char pos, const struct noun_data *nouns,
                      const struct map *frames)
{
    static const struct { char pos; uint16_t is; } kinds[] = {{'n', IS_NOUN}, {'v', IS_VERB}, {'a', IS_ADJ}, {'r', IS_ADV}};
    struct text t;
    int rc = text_open(&t, dir, name);
    for (char *line; !rc && (line = text_line(&t));) {
        size_t n = strcspn(line, " ");
        if (line[0] == ' ' || !plain_word(line, n))
            continue;
        int64_t i = forms_add(f, line, n);
        if (i < 0) {
            rc = (int)i;
            break;
        }
        struct form *w = &f->form[i];
        for (int k = 0; k < 4; k++)
            if (kinds[k].pos == pos)
                w->is |= kinds[k].is;
        int synsets = 0, pointers = 0, at = 0;
        if (sscanf(line + n, " %*s %d %d%n", &synsets, &pointers, &at) != 2)
            continue;
        char *p = line + n + at;
        for (int k = 0; k < pointers + 2 && *p; k++)
            p += 1 + strcspn(p + 1, " ");
        if (pos == 'n') {
            w->kind = (uint8_t)(*p ? map_get(nouns->kind, p + 1, 8, 0) : 0);
            if (!map_get(nouns->lower, line, n, 0))
                w->is |= IS_NAME;
        }
        for (; pos == 'v' && strlen(p) >= 9; p += 9)
            w->frames |= (uint8_t)map_get(frames, p + 1, 8, 0);
    }
    buf_free(&t.all);
    return rc;
}

static int read_counts(struct forms *f, const char *dir)
{
    struct text t;
    int rc = text_open(&t, dir, "cntlist.rev");
    for (char *line; !rc && (line = text_line(&t));) {
        char *percent = strchr(line, '%');
        int count = 0;
        if (!percent || sscanf(percent, "%*s %*d %d", &count) != 1)
            continue;
        int64_t i = map_get(f->index, line, (size_t)(percent - line), -1);
        int pos = percent[1] - '1';
        if (i >= 0 && pos >= 0 && pos < 5 && pos != 3)
            f->form[i].senses[pos == 4 ? 2 : pos] += count;
    }
    buf_free(&t.all);
    return rc;
}

static void mark_usual(struct forms *f)
{
    static const uint16_t usual[] = {MOSTLY_NOUN, MOSTLY_VERB, MOSTLY_ADJ};
    for (int64_t i = 0; i < f->count; i++) {
        const struct form *w = &f->form[i];
        int all = w->senses[0] + w->senses[1] + w->senses[2];
        for (int k = 0; all >= 4 && k < 3; k++)
            if (4 * w->senses[k] >= 3 * all)
                f->form[i].is |= usual[k];
    }
}

// "beds" are mostly nouns, "comes" is mostly a verb: as their bases are.
static void mark_inflected(struct forms *f)
{
    for (int64_t i = 0; i < f->count; i++) {
        struct form *w = &f->form[i];
        if (!(w->is & IS_PLURAL) || !(w->is & IS_THIRD) || (w->is & (MOSTLY_NOUN | MOSTLY_VERB | MOSTLY_ADJ)) || w->noun < 0 || w->verb < 0)
            continue;
        int noun = f->form[w->noun].senses[0], verb = f->form[w->verb].senses[1];
        if (noun + verb >= 4 && 4 * noun >= 3 * (noun + verb))
            w->is |= MOSTLY_NOUN;
        else if (noun + verb >= 4 && 4 * verb >= 3 * (noun + verb))
            w->is |= MOSTLY_VERB;
    }
}

int forms_read(struct forms *f, const char *dir)
{
    static const struct { const char *index, *exceptions; char pos; } parts[] = {
        {"index.noun", "noun.exc", 'n'}, {"index.verb", "verb.exc", 'v'}, {"index.adj", "adj.exc", 'a'}, {"index.adv", NULL, 'r'},
    };
    struct noun_data nouns = {map_new(), map_new()};
    struct map *frames = map_new(), *irregular = map_new();
    *f = (struct forms){.index = map_new()};
    int rc = nouns.kind && nouns.lower && frames && irregular && f->index ? 0 : FAIL(EMEMORY_, "out of memory for WordNet");
    if (!rc)
        rc = read_nouns(&nouns, dir);
    if (!rc)
        rc = read_frames(frames, dir);
    for (int i = 0; !rc && i < 4; i++)
        rc = read_index(f, dir, parts[i].index, parts[i].pos, &nouns, frames);
    if (!rc)
        rc = read_counts(f, dir);
    if (!rc)
        mark_usual(f);
    int64_t woman = map_get(f->index, "woman", 5, -1), man = map_get(f->index, "man", 3, -1);
    if (!rc && woman >= 0 && man >= 0) {   // forms that WordNet has as words of their own only
        rc = inflect(f, "women", IS_PLURAL, (int32_t)woman, -1);
        rc = rc ? rc : inflect(f, "men", IS_PLURAL, (int32_t)man, -1);
    }
    for (int i = 0; !rc && i < 3; i++)
        rc = read_exceptions(f, dir, parts[i].exceptions, parts[i].pos, irregular);
    if (!rc)
        rc = inflect_all(f, irregular);
    if (!rc)
        mark_inflected(f);
    map_free(nouns.kind);
    map_free(nouns.lower);
    map_free(frames);
    map_free(irregular);
    if (rc)
        forms_free(f);
    return rc;
}
