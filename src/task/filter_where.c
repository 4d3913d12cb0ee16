// SPDX-License-Identifier: Apache-2.0
#include "task/filter_where.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

enum { MOST = 256, DEPTH = 64 };
enum kind { OR, AND, NOT, LESS, LESS_EQUAL, MORE, MORE_EQUAL, EQUAL, UNEQUAL };
enum truth { FALSE, UNKNOWN, TRUE };   // in this order `and` is the least and `or` the greatest

struct side {
    int column;                // -1: the constant
    struct where_value constant;
};

struct node {
    enum kind kind;
    int a, b;                  // OR, AND, NOT: nodes
    struct side left, right;   // comparisons
};

struct where {
    char *rule, *texts;        // texts: constants and names, each with its NUL
    struct node node[MOST];
    const char *column[MOST];
    int nodes, columns, root;
};

struct reader {
    struct where *w;
    const char *at;
    char *text;                // free place in w->texts
    int depth;
};

struct where_value where_text(const char *text)
{
    struct where_value v = {text, false, 0};
    char *end;
    if (text && *text) {
        v.number = strtod(text, &end);
        while (isspace((unsigned char)*end))
            end++;
        v.has_number = !*end && isfinite(v.number);
    }
    return v;
}

static void blanks(struct reader *r)
{
    while (isspace((unsigned char)*r->at))
        r->at++;
}

static int misfit(struct reader *r, const char *wanted)
{
    blanks(r);
    return FAIL(EUSAGE_, "--where: %s expected at \"%.40s\" in \"%s\"", wanted, *r->at ? r->at : "the end", r->w->rule);
}

static bool in_name(char c) { return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-' || (c & 0x80); }

static bool word(struct reader *r, const char *w)
{
    size_t n = strlen(w);
    blanks(r);
    if (strncasecmp(r->at, w, n) != 0 || in_name(r->at[n]))
        return false;
    r->at += n;
    return true;
}

static const char *keep(struct reader *r, const char *from, size_t n)
{
    char *text = r->text;
    memcpy(text, from, n);
    text[n] = 0;
    r->text += n + 1;
    return text;
}

static int column_of(struct where *w, const char *name)
{
    for (int i = 0; i < w->columns; i++)
        if (strcmp(w->column[i], name) == 0)
            return i;
    w->column[w->columns] = name;
    return w->columns++;
}

static int value(struct reader *r, struct side *out)
{
    char quote, *end;
    blanks(r);
    quote = *r->at;
    out->column = -1;
    if (quote == '\'' || quote == '"') {
        const char *stop = strchr(r->at + 1, quote);
        if (!stop)
            return misfit(r, "a closing quote");
        const char *text = keep(r, r->at + 1, (size_t)(stop - r->at - 1));
        r->at = stop + 1;
        if (quote == '"')
            out->column = column_of(r->w, text);
        else
            out->constant = (struct where_value){text, false, 0};
        return 0;
    }
    double number = strtod(r->at, &end);
    if (end > r->at && !in_name(*end) && isfinite(number)) {
        out->constant = (struct where_value){keep(r, r->at, (size_t)(end - r->at)), true, number};
        r->at = end;
        return 0;
    }
    const char *start = r->at;
    while (in_name(*r->at))
        r->at++;
    if (r->at == start)
        return misfit(r, "a column, a number or a 'text'");
    out->column = column_of(r->w, keep(r, start, (size_t)(r->at - start)));
    return 0;
}

static int comparison(struct reader *r, struct node *n)
{
    static const struct { const char *sign; enum kind kind; } signs[] = {
        {"<=", LESS_EQUAL}, {">=", MORE_EQUAL}, {"!=", UNEQUAL}, {"<>", UNEQUAL}, {"==", EQUAL},
        {"<", LESS}, {">", MORE}, {"=", EQUAL}};
    int rc = value(r, &n->left);
    if (rc)
        return rc;
    blanks(r);
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strncmp(r->at, signs[i].sign, strlen(signs[i].sign)) == 0) {
            r->at += strlen(signs[i].sign);
            n->kind = signs[i].kind;
            return value(r, &n->right);
        }
    return misfit(r, "<, <=, >, >=, = or !=");
}

// Each returns a node's index, or a negative code.
static int rule(struct reader *r);

static int add(struct reader *r, struct node n)
{
    struct where *w = r->w;
    if (w->nodes == MOST)
        return FAIL(EUSAGE_, "--where: more than %d parts", MOST);
    w->node[w->nodes] = n;
    return w->nodes++;
}

static int part(struct reader *r)
{
    struct node n = {0};
    int inner;
    if (++r->depth > DEPTH)
        return FAIL(EUSAGE_, "--where: nested deeper than %d", DEPTH);
    if (word(r, "not")) {
        inner = part(r);
        inner = inner < 0 ? inner : add(r, (struct node){.kind = NOT, .a = inner});
    } else if (blanks(r), *r->at == '(') {
        r->at++;
        inner = rule(r);
        blanks(r);
        if (inner >= 0 && *r->at != ')')
            return misfit(r, "\")\"");
        r->at += inner >= 0;
    } else {
        inner = comparison(r, &n);
        inner = inner ? inner : add(r, n);
    }
    r->depth--;
    return inner;
}

static int joined(struct reader *r, enum kind kind, const char *by, int (*each)(struct reader *))
{
    int a = each(r);
    while (a >= 0 && word(r, by)) {
        int b = each(r);
        a = b < 0 ? b : add(r, (struct node){.kind = kind, .a = a, .b = b});
    }
    return a;
}

static int term(struct reader *r) { return joined(r, AND, "and", part); }
static int rule(struct reader *r) { return joined(r, OR, "or", term); }

int where_open(struct where **out, const char *text)
{
    struct where *w = calloc(1, sizeof *w);
    size_t n = strlen(text);
    int rc = EMEMORY_;
    *out = NULL;
    if (!w || !(w->rule = strdup(text)) || !(w->texts = malloc(2 * n + 2))) {   // a NUL more for each, at most
        rc = FAIL(EMEMORY_, "out of memory");
        goto done;
    }
    struct reader r = {w, w->rule, w->texts, 0};
    rc = w->root = rule(&r);
    blanks(&r);
    rc = rc < 0 ? rc : *r.at ? misfit(&r, "\"and\", \"or\" or the end") : 0;
done:
    if (rc)
        where_close(w);
    else
        *out = w;
    return rc;
}

void where_close(struct where *w)
{
    if (!w)
        return;
    free(w->rule);
    free(w->texts);
    free(w);
}

int where_columns(const struct where *w) { return w->columns; }
const char *where_column(const struct where *w, int i) { return w->column[i]; }

static enum truth compare(const struct node *n, const struct where_value *values)
{
    const struct where_value *a = n->left.column < 0 ? &n->left.constant : &values[n->left.column];
    const struct where_value *b = n->right.column < 0 ? &n->right.constant : &values[n->right.column];
    int order;
    if (a->has_number && b->has_number)
        order = (a->number > b->number) - (a->number < b->number);
    else if (a->text && b->text && a->has_number == b->has_number)
        order = strcmp(a->text, b->text);
    else if (a->text && b->text && (n->left.column >= 0) != (n->right.column >= 0) &&
             !(n->left.column < 0 ? a : b)->has_number)
        order = strcmp(a->text, b->text);   // a quoted constant: the column is compared as a text
    else
        return UNKNOWN;
    bool holds = n->kind == LESS ? order < 0 : n->kind == LESS_EQUAL ? order <= 0 : n->kind == MORE ? order > 0
                 : n->kind == MORE_EQUAL ? order >= 0 : n->kind == EQUAL ? order == 0 : order != 0;
    return holds ? TRUE : FALSE;
}

static enum truth truth_of(const struct where *w, int i, const struct where_value *values)
{
    const struct node *n = &w->node[i];
    if (n->kind == NOT)
        return TRUE - truth_of(w, n->a, values);
    if (n->kind != AND && n->kind != OR)
        return compare(n, values);
    enum truth a = truth_of(w, n->a, values), b = truth_of(w, n->b, values);
    return (n->kind == AND) == (a < b) ? a : b;
}

bool where_holds(const struct where *w, const struct where_value *values)
{
    return truth_of(w, w->root, values) == TRUE;
}
