// SPDX-License-Identifier: Apache-2.0
// Zero-shot classification: a class is the mean direction of its name in every template, or of prompts of its own; a
// picture's classes are ranked by counting, ties by expectation, as in retrieval.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "kernel/kernels.h"
#include "task/class_names.h"
#include "task/compute.h"
#include "task/encode.h"
#include "task/recall.h"
#include "task/receipt.h"
#include "task/models.h"
#include "task/task.h"

enum { AT_ONCE = 1024, BOOTSTRAP_SEED = 20230105 };

struct classification {
    const diht_classify_options *o;
    struct names classes, templates;
    struct names *by_class;    // [classes.n]: prompts of each class's own instead of templates, or NULL
    struct ctx *ctx;
    struct clip *clip;
    struct tokenizer *tokenizer;
    struct source *source;
    struct features f;
    float *weight;             // [classes, d], unit rows
    struct recall_rank *rank;  // [labelled]
    int64_t *label;            // [labelled]
    int64_t labelled;
};

// "DIR/NAME" or, for splits in folders of their own, "DIR/../NAME"; NULL: neither is there, or no memory.
static char *beside(const char *data, const char *name)
{
    char *dir = file_is_dir(data) ? strdup(data) : path_dir(data), *path = dir ? path_join(dir, name) : NULL;
    char *up = dir ? path_join(dir, "..") : NULL, *above = up ? path_join(up, name) : NULL;
    free(dir);
    free(up);
    if (path && file_exists(path)) {
        free(above);
        return path;
    }
    free(path);
    if (above && file_exists(above))
        return above;
    free(above);
    return NULL;
}

// The folders' names, by label.
static int names_of_labels(struct names *out, const struct source *s)
{
    int64_t n = 0;
    int rc = 0;
    for (int64_t i = 0; i < source_count(s); i++) {
        struct sample x;
        source_sample(s, i, &x);
        n = x.label >= n ? x.label + 1 : n;
    }
    for (int64_t c = 0; c < n && c < source_count(s) && !rc; c++)
        rc = names_add(out, "");
    for (int64_t i = 0; i < source_count(s) && !rc; i++) {
        struct sample x;
        source_sample(s, i, &x);
        if (x.label < 0 || x.label >= out->n || *out->at[x.label])
            continue;
        char *name = strdup(x.captions[0]);
        if (!name)
            return FAIL(EMEMORY_, "out of memory");
        free(out->at[x.label]);
        out->at[x.label] = name;
    }
    return rc;
}

static int read_names(struct classification *c)
{
    const diht_classify_options *o = c->o;
    char *found = o->classnames ? strdup(o->classnames) : beside(o->data, "classnames.txt");
    int rc = found ? names_read(&c->classes, found, o->set) : names_of_labels(&c->classes, c->source);
    if (!rc && c->classes.n < 2)
        rc = FAIL(EFORMAT_, "%s: %" PRId64 " classes: labelled pictures are needed (class folders, tars with .cls)",
                  o->data, c->classes.n);
    free(found);
    if (rc)
        return rc;
    found = o->templates ? strdup(o->templates) : beside(o->data, "zeroshot_classification_templates.txt");
    int own = found ? prompts_by_class(&c->by_class, found, o->set, &c->classes) : 0;
    rc = own ? (own < 0 ? own : 0) : found ? names_read(&c->templates, found, o->set) : templates_own(&c->templates);
    if (!rc && !own)
        rc = templates_check(&c->templates, found ? found : "the project's templates");
    free(found);
    return rc;
}

static int64_t prompts_of_all(const struct classification *c)
{
    int64_t n = c->templates.n;
    for (int64_t k = 0; c->by_class && k < c->classes.n; k++)
        n += c->by_class[k].n;
    return n;
}

static int encode_classes(struct classification *c)
{
    int64_t d = clip_config(c->clip)->embed_dim;
    int rc = 0, batch = c->o->batch;
    c->weight = malloc((size_t)(c->classes.n * d) * sizeof *c->weight);
    if (!c->weight)
        return FAIL(EMEMORY_, "out of memory: %" PRId64 " classes", c->classes.n);
    if (!c->by_class)
        return texts_encode(c->weight, c->clip, c->tokenizer, &c->classes, &c->templates, batch);
    for (int64_t k = 0; k < c->classes.n && !rc; k++) {
        struct names one = {&c->classes.at[k], 1};
        rc = texts_encode(c->weight + k * d, c->clip, c->tokenizer, &one, &c->by_class[k], batch);
    }
    return rc;
}

// The right class's place among all, of every picture with a label.
static int rank_classes(struct classification *c)
{
    const struct features *f = &c->f;
    int64_t k = c->classes.n;
    float *score = malloc((size_t)(AT_ONCE * k) * sizeof *score);
    c->rank = malloc((size_t)(f->n + 1) * sizeof *c->rank);
    c->label = malloc((size_t)(f->n + 1) * sizeof *c->label);
    if (!score || !c->rank || !c->label) {
        free(score);
        return FAIL(EMEMORY_, "out of memory: the scores of %" PRId64 " classes", k);
    }
    int rc = 0;
    for (int64_t from = 0; from < f->n && !rc; from += AT_ONCE) {
        int64_t n = f->n - from < AT_ONCE ? f->n - from : AT_ONCE;
        ctx_kernels(c->ctx)->gemm(c->ctx, false, true, n, k, f->d, 1, (view){f->images + from * f->d, F32}, f->d,
                                  (view){c->weight, F32}, f->d, 0, (view){score, F32}, k);
        for (int64_t i = 0; i < n && !rc; i++) {
            struct sample x;
            source_sample(c->source, f->index[from + i], &x);
            if (x.label < 0)
                continue;
            if (x.label >= k) {
                rc = FAIL(EFORMAT_, "%s: sample %s has class %" PRId64 ", there are %" PRId64 " class names", c->o->data,
                          x.key, x.label, k);
                break;
            }
            const float *row = score + i * k;
            struct recall_rank r = {.right = 1, .among = 1};
            for (int64_t j = 0; j < k; j++) {
                r.lo += row[j] > row[x.label];
                r.wrong += row[j] == row[x.label] && j != x.label;
            }
            c->label[c->labelled] = x.label;
            c->rank[c->labelled++] = r;
        }
    }
    free(score);
    if (!rc && c->labelled == 0)
        rc = FAIL(EFORMAT_, "%s: no picture has a class: class folders or tars with .cls expected", c->o->data);
    return rc;
}

static int describe(struct classification *c, struct buf *out, const struct buf *receipt)
{
    struct recall r;
    int64_t k = c->classes.n, seen = 0;
    double *right = calloc((size_t)k, sizeof *right), mean = 0;
    int64_t *count = calloc((size_t)k, sizeof *count);
    int rc = right && count ? recall_metrics(&r, c->rank, c->labelled, k, TIES_EXPECTED)
                            : FAIL(EMEMORY_, "out of memory");
    if (!rc)
        rc = recall_interval(&r.r1_low, &r.r1_high, c->rank, c->labelled, c->o->resamples, BOOTSTRAP_SEED);
    for (int64_t i = 0; i < c->labelled && !rc; i++) {
        right[c->label[i]] += recall_at(&c->rank[i], 1, TIES_EXPECTED);
        count[c->label[i]]++;
    }
    for (int64_t j = 0; j < k && !rc; j++) {
        mean += count[j] ? right[j] / (double)count[j] : 0;
        seen += count[j] > 0;
    }
    mean /= (double)(seen ? seen : 1);
    if (!rc && c->o->json) {
        buf_fmt(out, "{\"acc1\": %.17g, \"acc5\": %.17g, \"mean_per_class\": %.17g", 100 * r.r1, 100 * r.r5, 100 * mean);
        if (isfinite(r.r1_low))
            buf_fmt(out, ", \"acc1_low\": %.17g, \"acc1_high\": %.17g", 100 * r.r1_low, 100 * r.r1_high);
        buf_fmt(out, ", \"n\": %" PRId64 ", \"classes\": %" PRId64 ", \"classes_seen\": %" PRId64 ", \"%s\": %" PRId64 "%s}\n",
                c->labelled, k, seen, c->by_class ? "prompts_by_class" : "templates", prompts_of_all(c),
                receipt->at ? receipt->at : "");
    } else if (!rc) {
        buf_fmt(out, "%" PRId64 " pictures, %" PRId64 " classes (%" PRId64 " of them seen), %" PRId64 " %s\n",
                c->labelled, k, seen, prompts_of_all(c), c->by_class ? "prompts by class" : "templates");
        buf_fmt(out, "acc@1 %.2f %%", 100 * r.r1);
        if (isfinite(r.r1_low))
            buf_fmt(out, " (95 %%: %.2f - %.2f)", 100 * r.r1_low, 100 * r.r1_high);
        buf_fmt(out, ", acc@5 %.2f %%, mean per class %.2f %%\n", 100 * r.r5, 100 * mean);
    }
    free(right);
    free(count);
    return rc ? rc : out->failed;
}

// What the classes' weights depend on besides the model.
static void hash_names(char out[SHA256_HEX], const struct classification *c)
{
    const struct names *all[] = {&c->classes, &c->templates};
    struct sha256 *h = sha256_new();
    out[0] = 0;
    for (int i = 0; h && i < 2; i++)
        for (int64_t k = 0; k < all[i]->n; k++)
            sha256_add(h, all[i]->at[k], strlen(all[i]->at[k]) + 1);
    for (int64_t i = 0; h && c->by_class && i < c->classes.n; i++)
        for (int64_t k = 0; k < c->by_class[i].n; k++) {
            sha256_add(h, c->classes.at[i], strlen(c->classes.at[i]) + 1);
            sha256_add(h, c->by_class[i].at[k], strlen(c->by_class[i].at[k]) + 1);
        }
    if (h)
        sha256_end(h, out);
}

static int run(struct classification *c, struct buf *out)
{
    const diht_classify_options *o = c->o;
    struct receipt receipt = {.kind = "classification", .model = o->model, .data = o->data, .split = o->split,
                              .images = o->images, .classnames = o->classnames, .templates = o->templates, .set = o->set,
                              .vocab = o->vocab, .as = o->as,
                              .resamples = o->resamples};
    struct buf tail = {0};
    char *keep = NULL, identity[SHA256_HEX];
    int rc = source_open_with(&c->source, o->data, &(struct source_options){.split = o->split, .images = o->images});
    if (!rc)
        rc = read_names(c);
    if (!rc)
        rc = compute_open(&c->ctx, &receipt.precision, o->threads, o->precision, false);
    if (!rc)
        rc = model_open(&c->clip, &c->tokenizer, c->ctx, o->model, o->vocab, &o->as);
    if (!rc)
        rc = sha256_file(receipt.model_hash, o->model);
    if (!rc)
        rc = model_identity(identity, receipt.model_hash, c->clip);
    if (!rc)
        rc = features_place(&keep, o->keep, o->data);
    if (!rc) {
        const char *merges = tokenizer_merges(c->tokenizer);
        sha256_hex(receipt.vocabulary_hash, merges, strlen(merges));
        hash_names(receipt.names_hash, c);
        rc = encode_classes(c);
    }
    if (!rc)
        rc = features_encode(&c->f, c->clip, c->tokenizer, c->source,
                             &(struct features_options){.images_only = true, .batch = o->batch, .keep = keep,
                                                        .loaders = o->loaders ? o->loaders : o->threads,
                                                        .precision = receipt.precision,
                                                        .model_hash = identity,
                                                        .vocabulary = receipt.vocabulary_hash});
    if (!rc && (c->f.bad || source_excluded(c->source)))
        log_warn("%" PRId64 " samples could not be used and are left out", c->f.bad + source_excluded(c->source));
    if (!rc && (o->json || o->left_out))
        rc = receipt_json(&tail, &receipt, c->ctx, c->source, &c->f, o->left_out);
    if (!rc)
        rc = rank_classes(c);
    if (!rc)
        rc = describe(c, out, &tail);
    buf_free(&tail);
    free(keep);
    return rc;
}

static int classify_model(const diht_classify_options *o, char **result)
{
    struct classification c = {.o = o};
    struct buf out = {0};
    stop_clear();
    int rc = run(&c, &out);
    if (!rc)
        rc = (*result = buf_steal(&out)) ? 0 : EMEMORY_;
    buf_free(&out);
    features_free(&c.f);
    prompts_free(c.by_class, c.classes.n);
    names_clear(&c.classes);
    names_clear(&c.templates);
    free(c.weight);
    free(c.rank);
    free(c.label);
    tokenizer_close(c.tokenizer);
    clip_free(c.clip);
    source_close(c.source);
    ctx_close(c.ctx);
    return rc;
}

int task_classify(const diht_classify_options *o, char **result)
{
    diht_classify_options found = *o;
    char *path;
    int rc = model_find(&path, o->model);
    found.model = path;
    if (!rc)
        rc = classify_model(&found, result);
    free(path);
    return rc;
}
