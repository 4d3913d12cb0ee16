// SPDX-License-Identifier: Apache-2.0
// Results of parts of a list (--rows on several machines) as one: the ranges side by side, each still its own gallery.
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "task/eval.h"
#include "task/recall.h"

struct part {
    struct recall_range range;
    const char *file;
};

struct merge {
    struct part *part;
    int64_t n;
    json_t **file;      // [files]
    int files;
};

static double figure(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static bool read_direction(struct recall *r, const json_t *o)
{
    *r = (struct recall){.r1 = figure(o, "r1") / 100, .r5 = figure(o, "r5") / 100, .r10 = figure(o, "r10") / 100,
                         .median_rank = figure(o, "median_rank"), .mean_rank = figure(o, "mean_rank"),
                         .mrr = figure(o, "mrr"), .r1_low = figure(o, "r1_low") / 100,
                         .r1_high = figure(o, "r1_high") / 100, .n = json_integer_value(json_object_get(o, "n")),
                         .candidates = json_integer_value(json_object_get(o, "candidates"))};
    return isfinite(r->r1) && isfinite(r->mrr) && r->n > 0;
}

// What must be the same in all parts.
static int check_receipt(const struct merge *m, int i, const char *path, const char *first)
{
    static const char *const same[] = {"model_sha256", "vocabulary_sha256", "prompt", "exclude_tag", "hubness", "ranges",
                                       "precision"};
    const json_t *a = json_object_get(m->file[0], "receipt"), *b = json_object_get(m->file[i], "receipt");
    if (!json_is_object(b))
        return FAIL(EFORMAT_, "%s: no receipt: a result of diht eval --json expected", path);
    for (size_t k = 0; k < sizeof same / sizeof *same; k++)
        if (!json_equal(json_object_get(a, same[k]), json_object_get(b, same[k])))
            return FAIL(EFORMAT_, "%s and %s differ in %s: parts of one evaluation expected", first, path, same[k]);
    return 0;
}

static int add_file(struct merge *m, const char *path, const char *first)
{
    json_error_t why;
    json_t *j = m->file[m->files] = json_load_file(path, 0, &why);
    if (!j)
        return FAIL(strstr(why.text, "unable to open") ? EMISSING_ : EFORMAT_, "%s: line %d: %s: the whole JSON of "
                    "diht eval --json expected", path, why.line, why.text);
    int rc = check_receipt(m, m->files++, path, first);
    const json_t *ranges = json_object_get(j, "ranges");
    if (!rc && json_array_size(ranges) == 0)
        rc = FAIL(EFORMAT_, "%s: no ranges: parts are made with --preset gcc-report or --ranges N", path);
    for (size_t i = 0; i < json_array_size(ranges) && !rc; i++) {
        const json_t *r = json_array_get(ranges, i);
        struct part *more = realloc(m->part, (size_t)(m->n + 1) * sizeof *more);
        if (!more)
            return FAIL(EMEMORY_, "out of memory");
        m->part = more;
        struct part *p = &m->part[m->n++];
        *p = (struct part){.file = path, .range.from = json_integer_value(json_object_get(r, "from")),
                           .range.to = json_integer_value(json_object_get(r, "to"))};
        if (!read_direction(&p->range.recall.i2t, json_object_get(r, "i2t")) ||
            !read_direction(&p->range.recall.t2i, json_object_get(r, "t2i")) || p->range.to <= p->range.from)
            rc = FAIL(EFORMAT_, "%s: range %zu is not as diht eval writes it", path, i);
    }
    return rc;
}

static int by_rows(const void *a, const void *b)
{
    int64_t x = ((const struct part *)a)->range.from, y = ((const struct part *)b)->range.from;
    return (x > y) - (x < y);
}

// Figures over all queries. Medians and intervals cannot be had from the parts': not a number.
static struct recall pool(const struct recall_range *range, int64_t n, bool t2i)
{
    struct recall all = {.median_rank = NAN, .r1_low = NAN, .r1_high = NAN};
    for (int64_t g = 0; g < n; g++) {
        const struct recall *r = t2i ? &range[g].recall.t2i : &range[g].recall.i2t;
        double w = (double)r->n;
        all.r1 += w * r->r1;
        all.r5 += w * r->r5;
        all.r10 += w * r->r10;
        all.mean_rank += w * r->mean_rank;
        all.mrr += w * r->mrr;
        all.n += r->n;
        all.candidates += r->candidates;
    }
    double *sums[] = {&all.r1, &all.r5, &all.r10, &all.mean_rank, &all.mrr};
    for (int i = 0; i < 5; i++)
        *sums[i] /= (double)all.n;
    all.candidates /= n;
    return all;
}

static int describe(struct buf *out, const struct merge *m, bool json)
{
    struct recall_range *range = malloc((size_t)m->n * sizeof *range);
    if (!range)
        return FAIL(EMEMORY_, "out of memory");
    for (int64_t g = 0; g < m->n; g++)
        range[g] = m->part[g].range;
    struct recall_result r = {.range = range, .galleries = m->n};
    r.rule[TIES_EXPECTED] = (struct recall_pair){pool(range, m->n, false), pool(range, m->n, true)};
    // of the orders of ties the parts keep only the expectation
    const struct recall none = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0, 0};
    r.rule[TIES_OPTIMISTIC] = r.rule[TIES_PESSIMISTIC] = (struct recall_pair){none, none};
    if (json) {
        buf_char(out, '{');
        recall_json_members(out, &r);
        buf_str(out, ", \"receipts\": [");
        for (int i = 0; i < m->files; i++) {
            char *text = json_dumps(json_object_get(m->file[i], "receipt"), 0);
            buf_fmt(out, "%s%s", i ? ", " : "", text ? text : "null");
            free(text);
        }
        buf_str(out, "]}\n");
    } else {
        recall_report_table(out, range, m->n, false);
    }
    free(range);
    return out->failed;
}

int eval_merge(const diht_eval_options *o, char **result)
{
    struct merge m = {0};
    struct buf out = {0};
    int files = 0, rc = 0;
    while (o->merge[files])
        files++;
    m.file = calloc((size_t)files + 1, sizeof *m.file);
    if (!m.file)
        return FAIL(EMEMORY_, "out of memory");
    for (int i = 0; i < files && !rc; i++)
        rc = add_file(&m, o->merge[i], o->merge[0]);
    if (!rc)
        qsort(m.part, (size_t)m.n, sizeof *m.part, by_rows);
    for (int64_t g = 1; g < m.n && !rc; g++)
        if (m.part[g].range.from < m.part[g - 1].range.to)
            rc = FAIL(EFORMAT_, "%s: rows %" PRId64 "-%" PRId64 " are in %s too", m.part[g].file, m.part[g].range.from,
                      m.part[g].range.to, m.part[g - 1].file);
    if (!rc)
        rc = describe(&out, &m, o->json);
    if (!rc)
        rc = (*result = buf_steal(&out)) ? 0 : EMEMORY_;
    for (int i = 0; i < files; i++)
        json_decref(m.file[i]);
    free(m.file);
    free(m.part);
    buf_free(&out);
    return rc;
}
