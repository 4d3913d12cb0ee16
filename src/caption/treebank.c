// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/error.h"
#include "caption/learn.h"
#include "caption/tagger.h"

enum { LINE_MAX_BYTES = 1 << 16, FORM_MAX = 256 };

void treebank_free(struct treebank *b)
{
    map_free(b->types);
    free(b->token);
    free(b->start);
    *b = (struct treebank){0};
}

static int grow(void **at, int64_t *room, int64_t need, size_t size)
{
    if (need <= *room)
        return 0;
    int64_t more = *room ? 2 * *room : 1 << 14;
    void *p = realloc(*at, (size_t)more * size);
    if (!p)
        return FAIL(EMEMORY_, "out of memory for the treebank");
    *at = p;
    *room = more;
    return 0;
}

static int sentence_end(struct treebank *b)
{
    if (b->start && b->start[b->sentences] == b->tokens)
        return 0;
    int rc = grow((void **)&b->start, &b->start_room, b->sentences + 2, sizeof *b->start);
    if (rc)
        return rc;
    if (b->sentences == 0)
        b->start[0] = 0;
    b->sentences += b->tokens > 0;
    b->start[b->sentences] = b->tokens;
    return 0;
}

static int shape_of(const char *form, bool first)
{
    int upper = 0, lower = 0, inner = 0;
    for (const char *p = form; *p; p++) {
        upper += isupper((unsigned char)*p) != 0;
        lower += islower((unsigned char)*p) != 0;
        inner += p > form && isupper((unsigned char)*p);
    }
    if (!upper)
        return LOWER;
    if (!lower && upper > 1)
        return UPPER;
    if (inner || !isupper((unsigned char)form[0]))
        return MIXED;
    return first ? FIRST_CAPITAL : CAPITAL;
}

static int tag_number(const char *name)
{
    for (int i = 0; tag_names[i]; i++)
        if (strcmp(tag_names[i], name) == 0)
            return i;
    return -1;
}

static int add_token(struct treebank *b, const char *form, int tag, int upos)
{
    char lower[FORM_MAX];
    size_t n = strlen(form);
    bool first = true;
    if (n >= FORM_MAX || n == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)tolower((unsigned char)form[i]);
    int rc = grow((void **)&b->token, &b->token_room, b->tokens + 1, sizeof *b->token);
    if (rc)
        return rc;
    for (int64_t i = b->start ? b->start[b->sentences] : 0; i < b->tokens; i++)
        first &= b->token[i].upos == PUNCT;
    int64_t *type = map_slot(b->types, lower, n, map_count(b->types));
    if (!type)
        return EMEMORY_;
    b->token[b->tokens++] = (struct token){(int32_t)*type, (uint8_t)tag, (uint8_t)upos, (uint8_t)shape_of(form, first)};
    return 0;
}

// ID FORM LEMMA UPOS XPOS ...
static int conllu_line(struct treebank *b, char *line, const char *path, long number)
{
    char *field[5], *p = line;
    for (int i = 0; i < 5; i++) {
        field[i] = strsep(&p, "\t");
        if (!p)
            return FAIL(EFORMAT_, "%s: line %ld: ten fields with tabs between are expected (CoNLL-U)", path, number);
    }
    if (strpbrk(field[0], "-."))   // several words in one, or a word left out
        return 0;
    int upos = tag_number(field[3]);
    if (upos < 0 || upos == VBG || upos == VBN)
        return FAIL(EFORMAT_, "%s: line %ld: '%s' is no universal part of speech", path, number, field[3]);
    int tag = upos != VERB ? upos : strcmp(field[4], "VBG") == 0 ? VBG : strcmp(field[4], "VBN") == 0 ? VBN : VERB;
    return add_token(b, field[1], tag, upos);
}

int treebank_line(struct treebank *b, char *line, const char *path, long number)
{
    int rc = 0;
    for (char *word; !rc && (word = strsep(&line, " "));) {
        char *slash = strrchr(word, '/');
        if (!*word)
            continue;
        int tag = slash ? tag_number(slash + 1) : -1;
        if (tag < 0)
            return FAIL(EFORMAT_, "%s: line %ld: '%s' is not word/TAG", path, number, word);
        *slash = '\0';
        rc = add_token(b, word, tag, tag == VBG || tag == VBN ? VERB : tag);
    }
    return rc ? rc : sentence_end(b);
}

int treebank_read(struct treebank *b, const char *path)
{
    char *line = malloc(LINE_MAX_BYTES);
    gzFile f = gzopen(path, "rb");
    int rc = 0;
    long number = 0;
    if (!b->types)
        b->types = map_new();
    if (!f)
        rc = FAIL(EMISSING_, "%s: cannot be read", path);
    else if (!line || !b->types)
        rc = FAIL(EMEMORY_, "out of memory for the treebank");
    while (!rc && gzgets(f, line, LINE_MAX_BYTES)) {
        number++;
        line[strcspn(line, "\r\n")] = '\0';
        if (!line[0])
            rc = sentence_end(b);
        else if (line[0] != '#')
            rc = strchr(line, '\t') ? conllu_line(b, line, path, number) : treebank_line(b, line, path, number);
    }
    if (!rc)
        rc = sentence_end(b);
    if (f)
        gzclose(f);
    free(line);
    return rc;
}

double treebank_accuracy(const struct treebank *b, int64_t first, const struct table *t, bool lower)
{
    enum { LONGEST = 1024 };
    const struct word *words[LONGEST + 4];
    static struct word unknown[LONGEST];
    uint8_t classes[LONGEST + 4] = {0}, shapes[LONGEST + 4] = {0}, tags[LONGEST + 4];
    int32_t open[LONGEST + 1];
    int64_t right = 0, all = 0;
    for (int64_t s = first; s < b->sentences; s++) {
        const struct token *k = b->token + b->start[s];
        int n = (int)(b->start[s + 1] - b->start[s]), opens = 0;
        if (n > LONGEST)
            continue;
        words[0] = words[1] = words[n + 2] = words[n + 3] = &t->words[0];
        for (int i = 0; i < n; i++) {
            size_t len;
            const char *text = map_key(b->types, k[i].type, &len, NULL);
            words[i + 2] = table_word(t, text, len);
            if (!words[i + 2]) {
                table_unknown(t, text, len, word_has(text, len), &unknown[i]);
                words[i + 2] = &unknown[i];
            }
            classes[i + 2] = words[i + 2]->class;
            shapes[i + 2] = lower ? LOWER : k[i].shape;
            opens = tag_known(words[i + 2], i + 2, tags, open, opens);
        }
        shapes[n + 2] = LOWER;
        classes[n + 2] = classes[n + 3] = 0;
        tags[0] = tags[1] = NO_TAG;
        tag_words(t, &(struct tokens){words, classes, shapes, open, opens, tags});
        for (int i = 0; i < n; i++)
            right += (tags[i + 2] == VBG || tags[i + 2] == VBN ? VERB : tags[i + 2]) == k[i].upos;
        all += n;
    }
    return all ? (double)right / (double)all : 0;
}
