// SPDX-License-Identifier: Apache-2.0
#include "spot/match.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/error.h"
#include "base/utf8.h"

struct folded {
    int32_t *at;    // letters and digits, at most MATCH_MAX
    int *end;       // where each word ends in `at`
    int n, words;
};

static void folded_free(struct folded *f)
{
    free(f->at);
    free(f->end);
    *f = (struct folded){0};
}

static bool is_apostrophe(int32_t c) { return c == '\'' || c == 0x2019; }

// Letters and digits of a text, folded. Apostrophes and marks do not part words ("don't" is "dont").
static int fold(struct folded *f, const char *text, size_t n, int most)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + n;
    size_t room = n * 6 < (size_t)most ? n * 6 : (size_t)most;   // three bytes become 18 letters at worst (U+FDFA)
    *f = (struct folded){.at = malloc((room + 1) * sizeof *f->at), .end = malloc((room + 1) * sizeof *f->end)};
    if (!f->at || !f->end) {
        folded_free(f);
        return FAIL(EMEMORY_, "out of memory: comparing a text of %zu bytes", n);
    }
    int start = 0;
    while (p < end && f->n < (int)room) {
        utf8proc_int32_t part[32] = {0};
        int boundary = 0;
        int32_t c = utf8_next(p, end, &p);
        // Hangul stays in syllables: one is one character to whoever reads it
        bool syllable = c >= 0xAC00 && c <= 0xD7A3;
        int options = UTF8PROC_CASEFOLD | (syllable ? 0 : UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT);
        utf8proc_ssize_t parts = utf8proc_decompose_char(c, part, 32, options, &boundary);
        bool breaks = !is_apostrophe(c);
        for (int i = 0; i < parts && i < 32 && f->n < (int)room; i++) {
            utf8proc_category_t k = utf8proc_category(part[i]);
            bool letter = k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
            bool mark = k >= UTF8PROC_CATEGORY_MN && k <= UTF8PROC_CATEGORY_ME;
            if (letter || (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO)) {
                f->at[f->n++] = part[i];
                breaks = false;
            } else if (mark) {
                breaks = false;
            }
        }
        if (breaks && f->n > start)
            f->end[f->words++] = start = f->n;
    }
    if (f->n > start)
        f->end[f->words++] = f->n;
    return 0;
}

// Length of the longest run that both hold; `row` holds b.n + 1 numbers.
static int common_run(const struct folded *a, const struct folded *b, int *row)
{
    int best = 0;
    memset(row, 0, (size_t)(b->n + 1) * sizeof *row);
    for (int i = 0; i < a->n; i++)
        for (int j = b->n; j > 0; j--) {   // row[j]: run ending at a[i], b[j - 1]
            row[j] = a->at[i] == b->at[j - 1] ? row[j - 1] + 1 : 0;
            if (row[j] > best)
                best = row[j];
        }
    return best;
}

// Edits (insert, delete, replace) from one word to the other; `row` holds nb + 1 numbers.
static int edits(const int32_t *a, int na, const int32_t *b, int nb, int *row)
{
    for (int j = 0; j <= nb; j++)
        row[j] = j;
    for (int i = 0; i < na; i++) {
        int corner = row[0];
        row[0] = i + 1;
        for (int j = 0; j < nb; j++) {
            int change = corner + (a[i] != b[j]);
            int gap = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            corner = row[j + 1];
            row[j + 1] = change < gap ? change : gap;
        }
    }
    return row[nb];
}

// The most alike words of a line and a caption.
static double common_word(const struct folded *a, const struct folded *b, int *row)
{
    double best = 0;
    for (int i = 0; i < a->words; i++) {
        int from = i ? a->end[i - 1] : 0, na = a->end[i] - from;
        for (int j = 0; j < b->words && na >= MATCH_WORD; j++) {
            int start = j ? b->end[j - 1] : 0, nb = b->end[j] - start, longer = na > nb ? na : nb;
            int gap = na > nb ? na - nb : nb - na;
            if (nb < MATCH_WORD || 1 - (double)gap / longer <= best)   // cannot become better
                continue;
            double ratio = 1 - (double)edits(a->at + from, na, b->at + start, nb, row) / longer;
            if (ratio > best)
                best = ratio;
        }
    }
    return best;
}

static int compare(struct match *out, const char *caption, size_t n, const struct spot_lines *lines, double confidence,
                   bool words)
{
    struct folded whole = {0}, part;
    int *row = NULL, left = MATCH_MAX, rc;
    *out = (struct match){.line = -1};
    if ((rc = fold(&whole, caption, n, MATCH_MAX)))
        goto done;
    if (!(row = malloc((size_t)(whole.n + 1) * sizeof *row))) {
        rc = FAIL(EMEMORY_, "out of memory: comparing a caption of %zu bytes", n);
        goto done;
    }
    for (int i = 0; i < lines->n && left; i++) {
        const struct spot_line *line = &lines->line[i];
        if (!(line->confidence >= confidence))
            continue;
        if ((rc = fold(&part, line->text, strlen(line->text), left)))
            break;
        int run = words ? 0 : common_run(&part, &whole, row);
        double ratio = words ? common_word(&part, &whole, row) : 0;
        if (run > out->characters || ratio > out->ratio)
            *out = (struct match){run, ratio, i};
        left -= part.n;
        folded_free(&part);
    }
done:
    folded_free(&whole);
    free(row);
    return rc;
}

int match_run(struct match *out, const char *caption, size_t n, const struct spot_lines *lines, double confidence)
{
    return compare(out, caption, n, lines, confidence, false);
}

int match_ratio(struct match *out, const char *caption, size_t n, const struct spot_lines *lines, double confidence)
{
    return compare(out, caption, n, lines, confidence, true);
}
